/** The processes of a benchmark: a child answers calls, one at a time, and never outlives its parent. */
import { type ChildProcess, fork } from 'node:child_process';

interface Call {
  readonly name: string;
  readonly argument: unknown;
}
type Answer = { readonly value: unknown } | { readonly error: string };

/** What a call takes when nothing else is said, ms. */
const LIMIT = 10_000;

const running = new Set<Child>();

/** Ends, by their ids, all children that are left. */
export function stopChildren(): void {
  for (const child of running) child.stop();
}

export class Child {
  readonly #process: ChildProcess;
  readonly #name: string;

  /** @param module the compiled file beside this one; it calls `answer` */
  constructor(module: string, execArgv: readonly string[] = []) {
    this.#name = module;
    this.#process = fork(new URL(module, import.meta.url), [], {
      execArgv: ['--enable-source-maps', ...execArgv],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    running.add(this);
    this.#process.once('exit', () => running.delete(this));
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get alive(): boolean {
    return running.has(this);
  }

  /** @throws Error what the child threw, or that it ended, or took longer than `limit` ms: then it is stopped */
  call<T>(name: string, argument?: unknown, limit = LIMIT): Promise<T> {
    const child = this.#process;
    return new Promise((resolve, reject) => {
      const fail = (why: string) => settle(() => reject(new Error(`${this.#name} ${name}: ${why}`)));
      const onMessage = (answer: Answer) => {
        if ('error' in answer) fail(answer.error);
        else settle(() => resolve(answer.value as T));
      };
      const onExit = (code: number | null, signal: string | null) => fail(`it ended (${signal ?? code})`);
      const timer = setTimeout(() => {
        this.stop();
        fail(`no answer within ${limit} ms`);
      }, limit);
      const settle = (act: () => void) => {
        clearTimeout(timer);
        child.off('message', onMessage).off('exit', onExit);
        act();
      };
      child.on('message', onMessage).on('exit', onExit);
      child.send({ name, argument } satisfies Call, (error) => {
        if (error !== null) fail(error.message);
      });
    });
  }

  /** It has nothing to save. Stopped, so to speak, twice: nothing happens. */
  stop(): void {
    running.delete(this);
    this.#process.kill('SIGKILL');
  }
}

/** In a child: the calls it answers. */
export function answer(calls: Readonly<Record<string, (argument: never) => unknown>>): void {
  const handle = async ({ name, argument }: Call): Promise<Answer> => {
    try {
      return { value: await (calls[name] as (argument: unknown) => unknown)(argument) };
    } catch (error) {
      return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  };
  process.on('message', (call: Call) => void handle(call).then((said) => process.send?.(said)));
  process.on('disconnect', () => process.exit());
}
