/**
 * Bytes that the user wrote and the peer has not acknowledged: a run of chunks, addressed by sequence number.
 *
 * A write is copied once; output points packets at the bytes where they lie. All chunks but the last are full, so the chunk of a
 * byte is a division. An empty queue holds no chunk.
 */
import type { Packet } from '../link/packet.ts';
import { CHUNK_SIZE, type Chunk, type Slab } from '../link/slab.ts';

export class SendQueue {
  readonly #slab: Slab;
  readonly #chunks: Chunk[] = [];
  /** Where the first queued byte lies in the first chunk. */
  #head = 0;
  /** Bytes queued. */
  length = 0;
  /** Sequence number of the first queued byte. */
  base: number;

  constructor(slab: Slab, base: number) {
    this.#slab = slab;
    this.base = base;
  }

  /** Sequence number after the last queued byte. */
  get end(): number {
    return (this.base + this.length) | 0;
  }

  /** Appends a copy of `bytes[from, from + count)`. */
  append(bytes: Uint8Array, from: number, count: number): void {
    let at = from;
    let left = count;
    while (left > 0) {
      const used = (this.#head + this.length) % CHUNK_SIZE;
      if (used === 0 && this.#head + this.length === this.#chunks.length * CHUNK_SIZE)
        this.#chunks.push(this.#slab.take());
      const chunk = this.#chunks[this.#chunks.length - 1] as Chunk;
      const part = Math.min(left, CHUNK_SIZE - used);
      chunk.bytes.set(at === 0 && part === bytes.length ? bytes : bytes.subarray(at, at + part), used);
      this.length += part;
      at += part;
      left -= part;
    }
  }

  /** Points the packet at `count` bytes from sequence number `seq` on. */
  gather(packet: Packet, seq: number, count: number): void {
    let position = this.#head + ((seq - this.base) | 0);
    let left = count;
    while (left > 0) {
      const index = Math.floor(position / CHUNK_SIZE);
      const offset = position - index * CHUNK_SIZE;
      const part = Math.min(left, CHUNK_SIZE - offset);
      packet.addPart(this.#chunks[index] as Chunk, offset, part);
      position += part;
      left -= part;
    }
  }

  /** Forgets the bytes before sequence number `seq`. */
  acknowledge(seq: number): void {
    const count = Math.min((seq - this.base) | 0, this.length);
    if (count <= 0) return;
    this.base = (this.base + count) | 0;
    this.length -= count;
    this.#head += count;
    while (this.#head >= CHUNK_SIZE) {
      (this.#chunks.shift() as Chunk).release();
      this.#head -= CHUNK_SIZE;
    }
    if (this.length === 0) this.#drop();
  }

  /** Forgets everything. */
  clear(): void {
    this.base = this.end;
    this.length = 0;
    this.#drop();
  }

  #drop(): void {
    for (let chunk = this.#chunks.pop(); chunk !== undefined; chunk = this.#chunks.pop()) chunk.release();
    this.#head = 0;
  }
}
