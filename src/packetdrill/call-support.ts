/** What the files of system calls share. */
import type { SocketAddress } from '../socket/socket.ts';
import type { Arguments } from './arguments.ts';
import type { Descriptors, SocketDescriptor } from './descriptors.ts';
import type { CallAction } from './script.ts';
import type { TestSocket } from './target.ts';

/** One try: the result, or a negated errno; undefined: not yet. */
export type Attempt = () => number | undefined;

/** What the calls tell the runner, and ask of it. */
export interface CallHooks {
  /** socket(...) without a family: AF_INET or AF_INET6. */
  readonly domain: number;
  /** bind(..., ...) without an address. */
  readonly local: SocketAddress;
  /** connect(..., ...) without an address. */
  readonly remote: SocketAddress;
  /** ms since the start. */
  now(): number;
  /** Tries again at that time. */
  alarm(at: number): void;
  listening(socket: TestSocket): void;
  connecting(socket: TestSocket, to: SocketAddress): void;
  accepted(socket: TestSocket): void;
}

export interface Caller {
  readonly descriptors: Descriptors;
  readonly hooks: CallHooks;
  /** The socket that the first argument names; a negated errno: there is none. */
  socketOf(args: Arguments): SocketDescriptor | number;
}

/** @param descriptor a negated errno when there is none, which is then the result */
export function onSocket(
  descriptor: SocketDescriptor | number,
  call: (descriptor: SocketDescriptor) => number,
): number {
  return typeof descriptor === 'number' ? descriptor : call(descriptor);
}

/** The descriptor that the script says the call gives. */
export function expectedNumber({ result }: CallAction): number | undefined {
  return result?.kind === 'number' && result.value >= 0 ? result.value : undefined;
}

/** The script says that the call fails, with this errno or any. */
export function expectsErrno({ result, errno }: CallAction, name: string): boolean {
  return result?.kind === 'number' && result.value === -1 && (errno === undefined || errno === name);
}
