/**
 * The end of a turn of the event loop: a macrotask from what the platform has (`setImmediate`, else `MessageChannel`,
 * else a timeout of 0), and a queue of callbacks that run there in the order they came.
 */

/** Calls back in a macrotask, after every promise reaction that is ready by then. Calls come back in order. */
export const macrotask: (callback: () => void) => void = chooseMacrotask();

function chooseMacrotask(): (callback: () => void) => void {
  if (typeof globalThis.setImmediate === 'function') return (callback) => void globalThis.setImmediate(callback);
  if (typeof globalThis.MessageChannel !== 'function') return (callback) => void globalThis.setTimeout(callback, 0);
  const waiting: (() => void)[] = [];
  const channel = new globalThis.MessageChannel();
  // The way browsers have it; the types of Node.js, which has `setImmediate`, do not name it.
  (channel.port1 as unknown as { onmessage: () => void }).onmessage = () => waiting.shift()?.();
  return (callback) => {
    waiting.push(callback);
    channel.port2.postMessage(0);
  };
}

/** What `Clock.defer` keeps: one macrotask serves all callbacks of a turn; those added while it runs wait for the next. */
export class TurnQueue {
  #waiting: (() => void)[] = [];
  #spare: (() => void)[] = [];
  readonly #flush = () => this.#run();

  /** Callbacks that have not run yet. */
  get length(): number {
    return this.#waiting.length;
  }

  add(callback: () => void): void {
    if (this.#waiting.push(callback) === 1) macrotask(this.#flush);
  }

  #run(): void {
    const running = this.#waiting;
    this.#waiting = this.#spare;
    let done = 0;
    try {
      while (done < running.length) (running[done++] as () => void)();
    } finally {
      // One that threw must not take the others with it: they keep their place, in a turn of their own.
      if (done < running.length) {
        if (this.#waiting.length === 0) macrotask(this.#flush);
        this.#waiting.unshift(...running.slice(done));
      }
      running.length = 0;
      this.#spare = running;
    }
  }
}
