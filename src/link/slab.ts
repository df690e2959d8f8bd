/**
 * The memory that packets and queued bytes live in: chunks of 64 KiB, counted by reference.
 *
 * A chunk holds one packet of the largest size with a virtio-net header before it, or a run of a connection's
 * queued bytes. Whoever keeps a piece of a chunk retains it and releases it once; the last release gives
 * the chunk back to its slab.
 */

/** Bytes of a chunk: the largest IP packet (65,535), and room before it for a link's own header. */
export const CHUNK_SIZE = 65_600;

/** Free chunks that a slab keeps for the next taker (16 MiB); what comes back beyond them is left to the collector. */
const FREE_LIMIT = 256;

export class Chunk {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  /** How many holders there are; 0 while the chunk lies in its slab. */
  refs = 0;
  /** Where the chunk lies in memory, for a link that makes system calls with it (set by that link; 0: not asked yet). */
  address = 0;
  readonly #slab: Slab;

  constructor(slab: Slab) {
    this.bytes = new Uint8Array(CHUNK_SIZE);
    this.view = new DataView(this.bytes.buffer);
    this.#slab = slab;
  }

  retain(): void {
    this.refs++;
  }

  /** @throws Error when nobody holds the chunk: a release too many would hand its bytes to two owners. */
  release(): void {
    if (this.refs <= 0) throw new Error('chunk released more often than it was retained');
    if (--this.refs === 0) this.#slab.giveBack(this);
  }
}

export class Slab {
  readonly #free: Chunk[] = [];
  #live = 0;

  /** Chunks that somebody holds: 0 when nothing is queued anywhere. */
  get live(): number {
    return this.#live;
  }

  /** A chunk with one reference, the caller's. Its bytes are whatever they were. */
  take(): Chunk {
    const chunk = this.#free.pop() ?? new Chunk(this);
    chunk.refs = 1;
    this.#live++;
    return chunk;
  }

  /** For `Chunk.release` alone. */
  giveBack(chunk: Chunk): void {
    this.#live--;
    if (this.#free.length < FREE_LIMIT) this.#free.push(chunk);
  }
}
