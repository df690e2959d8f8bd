/**
 * Bytes that the user wrote and the peer has not acknowledged: a run of chunks, addressed by sequence number.
 *
 * A write is copied once; output points packets at the bytes where they lie. All chunks but the last are full, so the chunk of a
 * byte is a division. An empty queue holds no chunk.
 */
import type { Packet } from '../link/packet.ts';
import { CHUNK_SIZE, type Chunk, type Slab } from '../link/slab.ts';

/** What Linux charges for a buffer beside its payload, bytes. */
export const BUFFER_CHARGE = 832;

/** Starts of buffers that are kept beyond their use before they are dropped together. */
const FORGOTTEN_BUFFERS = 64;

/** Of those that hold nothing. */
const NONE: Chunk[] = [];

export class SendQueue {
  readonly #slab: Slab;
  /** Made with the first byte; a connection that only waits has none. */
  #chunks = NONE;
  /** Where the first queued byte lies in the first chunk. */
  #head = 0;
  /** Bytes queued. */
  length = 0;
  /** Sequence number of the first queued byte. */
  base: number;
  /** How many buffers Linux would have made of what is queued, and where all but the first of them begin, from `#firstStart` on. */
  #bufferCount = 0;
  #starts: number[] | undefined;
  #firstStart = 0;
  /** Sequence numbers where records end (MSG_EOR); undefined: nobody sends records. */
  #records: number[] | undefined;

  constructor(slab: Slab, base: number) {
    this.#slab = slab;
    this.base = base;
  }

  /** Sequence number after the last queued byte. */
  get end(): number {
    return (this.base + this.length) | 0;
  }

  /** Bytes as SO_SNDBUF counts them: with what Linux charges for its buffers. */
  get charge(): number {
    return this.length + BUFFER_CHARGE * this.#bufferCount;
  }

  /**
   * Bytes that the last buffer takes before it has `size`; 0: a new one is to be opened. Of one that was sent in part (up to `sent`) what is left
   * becomes one by itself.
   */
  tailRoom(sent: number, size: number): number {
    const { end } = this;
    if (this.#bufferCount === 0 || ((end - sent) | 0) <= 0 || this.#records?.at(-1) === end) return 0;
    let start = this.#bufferCount === 1 ? this.base : (this.#starts?.at(-1) as number);
    if (((sent - start) | 0) > 0) {
      this.#openAt(sent);
      start = sent;
    }
    return Math.max(size - ((end - start) | 0), 0);
  }

  /** What is appended next lies in a buffer of its own. */
  openBuffer(): void {
    this.#openAt(this.end);
  }

  #openAt(start: number): void {
    if (this.#bufferCount++ === 0) return;
    if (this.#starts === undefined) this.#starts = [start];
    else this.#starts.push(start);
  }

  /** MSG_EOR: no segment holds bytes of both sides of here. */
  endRecord(): void {
    this.#records ??= [];
    if (this.#records.at(-1) !== this.end) this.#records.push(this.end);
  }

  /** The end of the record that the byte at `seq` belongs to; the end of the queue, when none is marked. */
  recordEnd(seq: number): number {
    if (this.#records === undefined) return this.end;
    for (const end of this.#records) if (((end - seq) | 0) > 0) return end;
    return this.end;
  }

  /** Whether what is queued, or a record of it, ends there. */
  endsRecord(seq: number): boolean {
    return seq === this.end || this.#records?.includes(seq) === true;
  }

  /** Buffers and records that are acknowledged as a whole. */
  #forget(): void {
    const { base } = this;
    const starts = this.#starts;
    if (starts !== undefined && this.#bufferCount > 1) {
      let first = this.#firstStart;
      while (first < starts.length && (((starts[first] as number) - base) | 0) <= 0) first++;
      this.#bufferCount -= first - this.#firstStart;
      this.#firstStart = first;
      if (first > FORGOTTEN_BUFFERS) {
        starts.splice(0, first);
        this.#firstStart = 0;
      }
    }
    const records = this.#records;
    while (records !== undefined && records.length > 0 && (((records[0] as number) - base) | 0) <= 0) records.shift();
  }

  /** Appends a copy of `bytes[from, from + count)`. */
  append(bytes: Uint8Array, from: number, count: number): void {
    let at = from;
    let left = count;
    while (left > 0) {
      const used = (this.#head + this.length) % CHUNK_SIZE;
      if (used === 0 && this.#head + this.length === this.#chunks.length * CHUNK_SIZE) this.#open();
      const chunk = this.#chunks[this.#chunks.length - 1] as Chunk;
      const part = Math.min(left, CHUNK_SIZE - used);
      chunk.bytes.set(at === 0 && part === bytes.length ? bytes : bytes.subarray(at, at + part), used);
      this.length += part;
      at += part;
      left -= part;
    }
  }

  #open(): void {
    if (this.#chunks === NONE) this.#chunks = [];
    this.#chunks.push(this.#slab.take());
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
    else this.#forget();
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
    this.#bufferCount = 0;
    if (this.#starts !== undefined && this.#starts.length > 0) this.#starts.length = 0;
    this.#firstStart = 0;
    if (this.#records !== undefined) this.#records.length = 0;
  }
}
