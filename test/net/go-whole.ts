/** Errors through and through, in the words of test/nettest/facts/whole.go. */
import {
  AddrError,
  CanceledError,
  ClosedError,
  DeadlineExceededError,
  DialTimeoutError,
  DNSError,
  Errno,
  type NetError,
  ParseError,
  SyscallError,
} from '../../src/net/errors.ts';
import { OpError } from '../../src/net/op-error.ts';
import type { Stage, Steps } from './go-stage.ts';

/** What is found in a text, and what it is called there. */
export type Names = [found: string, called: string][];

/** The error and those within it, as Go's `Unwrap` gives them; what a signal was aborted with is none of them. */
function* within(error: Error): Generator<Error> {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    yield at;
    if (at instanceof CanceledError || at instanceof DialTimeoutError) return;
  }
}

export function whole(error: NetError, names: Names = []): string {
  const chain = [...within(error)];
  let text = `${error.message} | ${chain.map(described).join(', ')}`;
  if (error.timeout) text += ', timeout';
  if (error.temporary) text += ', temporary';
  const is = (kind: new (...some: never[]) => Error) => chain.some((at) => at instanceof kind);
  if (is(DeadlineExceededError)) text += ', deadline';
  if (is(ClosedError)) text += ', closed';
  if (is(DialTimeoutError)) text += ', context deadline';
  if (is(CanceledError)) text += ', context canceled';
  for (const [found, called] of names.toSorted(([a], [b]) => b.length - a.length))
    text = text.replaceAll(found, called);
  return text;
}

function described(error: Error): string {
  if (error instanceof OpError) {
    const { op, net, source, addr } = error;
    return `OpError(${op} ${net} ${source ?? '-'} ${addr ?? '-'})`;
  }
  if (error instanceof SyscallError) return `SyscallError(${error.syscall})`;
  if (error instanceof Errno) return `Errno(${-error.errno})`;
  if (error instanceof AddrError) return `AddrError(${error.err}, ${error.addr})`;
  if (error instanceof ParseError) return `ParseError(${error.type}, ${error.text})`;
  if (error instanceof DNSError) {
    const { err, host, server, isNotFound, isTimeout, isTemporary } = error;
    return `DNSError(${err}, ${host}, ${server}, ${isNotFound}, ${isTimeout}, ${isTemporary})`;
  }
  return error.name;
}

/** A scene that says things. */
export function scene(
  scenes: Record<string, Steps>,
  name: string,
  steps: (stage: Stage, say: (text: string) => void) => Promise<void>,
): void {
  scenes[name] = async (stage) => {
    const said: string[] = [];
    await steps(stage, (text) => void said.push(text));
    return said;
  };
}

/** What a call gives, said by `told`, or its error; `ok` when nothing is said of it. */
export async function outcome<T>(
  stage: Stage,
  call: () => T | Promise<T>,
  told?: (result: T) => string,
): Promise<string> {
  try {
    const result = await stage.run(Promise.resolve(call()));
    return told?.(result) ?? 'ok';
  } catch (error) {
    return whole(error as NetError, stage.names);
  }
}
