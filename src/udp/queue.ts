/**
 * Datagrams that wait to be read, copied into a ring: a record of fixed size, then the payload. There is no object for a datagram, no packet's
 * chunk is kept, and a queue without datagrams has no memory.
 */
import type { RingBuffer, RingPool } from './ring-pool.ts';

/** Bytes of a record, before the payload. */
const RECORD = 48;
/** In place of a payload's length: the next record is at the start of the buffer. */
const WRAP = -1;

/** A datagram as it is put in or taken out, but for its payload; one record serves many. */
export class QueuedDatagram {
  /** Bytes of payload. */
  length = 0;
  /** What it takes of the receive buffer, bytes. */
  memory = 0;
  sourcePort = 0;
  tos = 0;
  ttl = 0;
  /** The words of both addresses. */
  s0 = 0;
  s1 = 0;
  s2 = 0;
  s3 = 0;
  d0 = 0;
  d1 = 0;
  d2 = 0;
  d3 = 0;
  /** Of the interface that it came by; 0: none. */
  interfaceIndex = 0;
}

export class DatagramQueue {
  readonly #pool: RingPool;
  #ring: RingBuffer | undefined;
  /** Offsets of the first record, and behind the last. */
  #head = 0;
  #tail = 0;
  /** Datagrams. */
  count = 0;
  /** What they take of the receive buffer, bytes. */
  memory = 0;
  /** Bytes of payload. */
  bytes = 0;

  constructor(pool: RingPool) {
    this.#pool = pool;
  }

  /** Copies a datagram behind the others; its payload is the `datagram.length` bytes at `offset`. */
  push(datagram: QueuedDatagram, payload: Uint8Array, offset: number): void {
    const { length, memory } = datagram;
    const needed = sizeOf(length);
    if (!this.#place(needed)) this.#grow(needed);
    const { bytes, words } = this.#ring as RingBuffer;
    const at = this.#tail >> 2;
    words[at] = length;
    words[at + 1] = memory;
    words[at + 2] = (datagram.sourcePort << 16) | (datagram.tos << 8) | datagram.ttl;
    words[at + 3] = datagram.s0;
    words[at + 4] = datagram.s1;
    words[at + 5] = datagram.s2;
    words[at + 6] = datagram.s3;
    words[at + 7] = datagram.d0;
    words[at + 8] = datagram.d1;
    words[at + 9] = datagram.d2;
    words[at + 10] = datagram.d3;
    words[at + 11] = datagram.interfaceIndex;
    if (length > 0) bytes.set(payload.subarray(offset, offset + length), this.#tail + RECORD);
    this.#tail += needed;
    this.count++;
    this.memory += memory;
    this.bytes += length;
  }

  /** Describes the first datagram. @returns false: there is none */
  first(out: QueuedDatagram): boolean {
    if (this.count === 0) return false;
    const { words } = this.#ring as RingBuffer;
    const at = this.#firstAt() >> 2;
    const mixed = words[at + 2] as number;
    out.length = words[at] as number;
    out.memory = words[at + 1] as number;
    out.sourcePort = mixed >>> 16;
    out.tos = (mixed >>> 8) & 0xff;
    out.ttl = mixed & 0xff;
    out.s0 = words[at + 3] as number;
    out.s1 = words[at + 4] as number;
    out.s2 = words[at + 5] as number;
    out.s3 = words[at + 6] as number;
    out.d0 = words[at + 7] as number;
    out.d1 = words[at + 8] as number;
    out.d2 = words[at + 9] as number;
    out.d3 = words[at + 10] as number;
    out.interfaceIndex = words[at + 11] as number;
    return true;
  }

  /** Bytes of the first datagram's payload; 0 when there is none. */
  get firstLength(): number {
    return this.count === 0 ? 0 : ((this.#ring as RingBuffer).words[this.#firstAt() >> 2] as number);
  }

  /** Copies from the first datagram's payload, `skip` bytes from its start. @returns bytes copied */
  copy(into: Uint8Array, skip: number): number {
    const { bytes } = this.#ring as RingBuffer;
    const count = Math.max(Math.min(this.firstLength - skip, into.length), 0);
    if (count === 0) return 0;
    const from = this.#firstAt() + RECORD + skip;
    into.set(bytes.subarray(from, from + count));
    return count;
  }

  /** Drops the first datagram. */
  shift(): void {
    const { words } = this.#ring as RingBuffer;
    const at = this.#firstAt();
    const length = words[at >> 2] as number;
    this.memory -= words[(at >> 2) + 1] as number;
    this.bytes -= length;
    this.#head = at + sizeOf(length);
    if (--this.count === 0) this.clear();
  }

  /** Drops all, and the memory with them. */
  clear(): void {
    if (this.#ring !== undefined) this.#pool.give(this.#ring);
    this.#ring = undefined;
    this.#head = 0;
    this.#tail = 0;
    this.count = 0;
    this.memory = 0;
    this.bytes = 0;
  }

  #firstAt(): number {
    const { words } = this.#ring as RingBuffer;
    return this.#head === words.length << 2 || words[this.#head >> 2] === WRAP ? 0 : this.#head;
  }

  /** Makes `#tail` the start of `needed` bytes that are free. @returns false: there are none in one stretch */
  #place(needed: number): boolean {
    const size = this.#ring?.bytes.length ?? 0;
    const wrapped = this.count > 0 && this.#tail <= this.#head;
    if (wrapped) return this.#head - this.#tail >= needed;
    if (size - this.#tail >= needed) return true;
    if (this.#head < needed) return false;
    if (this.#tail < size) (this.#ring as RingBuffer).words[this.#tail >> 2] = WRAP;
    this.#tail = 0;
    return true;
  }

  /** Moves what there is into a buffer that is larger by half at least. */
  #grow(needed: number): void {
    const old = this.#ring;
    const size = old?.bytes.length ?? 0;
    const ring = this.#pool.take(Math.max(size + needed, 2 * size));
    let end = 0;
    let at = this.#head;
    for (let i = 0; i < this.count; i++) {
      const { bytes, words } = old as RingBuffer;
      if (at === size || words[at >> 2] === WRAP) at = 0;
      const length = sizeOf(words[at >> 2] as number);
      ring.bytes.set(bytes.subarray(at, at + length), end);
      at += length;
      end += length;
    }
    if (old !== undefined) this.#pool.give(old);
    this.#ring = ring;
    this.#head = 0;
    this.#tail = end;
  }
}

/** Bytes that a datagram of so much payload takes in the ring: a multiple of 4. */
function sizeOf(length: number): number {
  return (RECORD + length + 3) & ~3;
}
