/** The other end of kernel-child.ts: its acts, to be called as if they ran here. */
import { type ChildProcess, fork } from 'node:child_process';
import type { Answer, acts, Call } from './kernel-child.ts';

type Acts = typeof acts;
type Remote = { readonly [K in keyof Acts]: (...args: Parameters<Acts[K]>) => Promise<Awaited<ReturnType<Acts[K]>>> };

const CHILD = new URL('./kernel-child.js', import.meta.url);

export class Kernel {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #nextId = 0;

  /** @param entry a program, with its arguments, that starts the child in another namespace (nsenter); a child is in that of the thread that starts it */
  constructor(entry: readonly string[] = []) {
    const [execPath, ...execArgv] = [...entry, process.execPath, '--enable-source-maps'];
    this.#child = fork(CHILD, [], { execPath, execArgv, serialization: 'advanced' });
    this.#child.on('message', ({ id, value, error }: Answer) => {
      const call = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) call?.resolve(value);
      else call?.reject(new Error(`on the kernel's side: ${error}`));
    });
    this.#child.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the kernel's side ended (${signal ?? code})`));
    });
  }

  readonly acts = new Proxy({} as Remote, {
    get:
      (_, act: keyof Acts) =>
      (...args: unknown[]) =>
        this.#call(act, args),
  });

  end(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  #call(act: keyof Acts, args: unknown[]): Promise<unknown> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, act, args } satisfies Call);
    });
  }
}
