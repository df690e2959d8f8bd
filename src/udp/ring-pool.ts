/** Buffers for the queues of datagrams, in powers of two: handed from one queue to the next. */

export interface RingBuffer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same memory. */
  readonly words: Int32Array<ArrayBuffer>;
}

/** The least, as a power of two, bytes. */
const LEAST = 10;
/** Free bytes that are kept for the next taker; what comes back beyond them is left to the collector. */
const FREE_LIMIT = 4 * 1024 * 1024;

export class RingPool {
  readonly #free: RingBuffer[][] = [];
  #kept = 0;
  #live = 0;

  /** Buffers that queues hold. */
  get live(): number {
    return this.#live;
  }

  /** A buffer of at least so many bytes. */
  take(least: number): RingBuffer {
    const power = Math.max(LEAST, 32 - Math.clz32(least - 1));
    this.#live++;
    const free = this.#free[power]?.pop();
    if (free !== undefined) {
      this.#kept -= free.bytes.length;
      return free;
    }
    const memory = new ArrayBuffer(2 ** power);
    return { bytes: new Uint8Array(memory), words: new Int32Array(memory) };
  }

  give(buffer: RingBuffer): void {
    this.#live--;
    const size = buffer.bytes.length;
    if (this.#kept + size > FREE_LIMIT) return;
    this.#kept += size;
    const power = 31 - Math.clz32(size);
    this.#free[power] ??= [];
    this.#free[power].push(buffer);
  }
}
