/**
 * Bytes that came before the ones in front of them: disjoint runs in order of sequence number, none touching
 * RCV.NXT. What they cover is what SACK reports (RFC 2018 3).
 */
import { CHUNK_SIZE, type Chunk, type Slab } from '../link/slab.ts';
import { BY_REFERENCE, type ReceiveQueue } from './receive-queue.ts';
import { after, afterOrAt, before, beforeOrAt, distance } from './sequence.ts';

/** Runs kept; a peer that sends more holes than this has its data dropped and sent again. */
const RUN_LIMIT = 8192;

interface Run {
  seq: number;
  end: number;
  chunk: Chunk;
  /** Where `seq` lies in the chunk. */
  offset: number;
}

export class Reassembly {
  readonly #slab: Slab;
  readonly #runs: Run[] = [];
  /** Small payloads are packed into this chunk, up to `#used`. */
  #open: Chunk | undefined;
  #used = 0;
  /** Bytes held. */
  length = 0;
  /** The contiguous range that the last `insert` became part of; left edge and right edge. */
  left = 0;
  right = 0;
  /** The first part of what the last `insert` or `drainTo` brought that was there before; equal edges: none. */
  duplicateLeft = 0;
  duplicateRight = 0;

  constructor(slab: Slab) {
    this.#slab = slab;
  }

  get empty(): boolean {
    return this.#runs.length === 0;
  }

  /** Behind the last run; meant unless `empty`. */
  get end(): number {
    return this.#runs.at(-1)?.end ?? 0;
  }

  /**
   * Keeps what of `[seq, seq + count)` is not there yet, and sets `left` and `right`.
   * @returns bytes added; 0: all of it was there; -1: no room for another run
   */
  insert(seq: number, chunk: Chunk, offset: number, count: number): number {
    const runs = this.#runs;
    const end = (seq + count) | 0;
    let index = this.#firstEndingAfter(seq);
    let at = seq;
    let added = 0;
    this.#noDuplicate();
    while (before(at, end)) {
      const next = runs[index];
      if (next !== undefined && beforeOrAt(next.seq, at)) {
        // Already there up to that run's end.
        this.#noteDuplicate(at, before(next.end, end) ? next.end : end);
        at = next.end;
        index++;
        continue;
      }
      if (runs.length >= RUN_LIMIT) return added > 0 ? added : -1;
      const stop = next !== undefined && before(next.seq, end) ? next.seq : end;
      const part = distance(at, stop);
      this.#put(index, at, chunk, offset + distance(seq, at), part);
      added += part;
      at = stop;
      index = this.#firstEndingAfter(at);
    }
    this.length += added;
    this.#findRange(seq);
    return added;
  }

  /** Moves what continues `rcvNxt` to the queue. @returns the new RCV.NXT */
  drainTo(queue: ReceiveQueue, rcvNxt: number): number {
    let next = rcvNxt;
    let taken = 0;
    this.#noDuplicate();
    for (const run of this.#runs) {
      if (after(run.seq, next)) break;
      taken++;
      this.length -= distance(run.seq, run.end);
      const skip = distance(run.seq, next);
      if (skip > 0) this.#noteDuplicate(run.seq, before(next, run.end) ? next : run.end);
      const count = distance(next, run.end);
      if (count > 0) {
        queue.append(run.chunk, run.offset + skip, count);
        next = run.end;
      }
      run.chunk.release();
    }
    if (taken > 0) this.#runs.splice(0, taken);
    if (this.#runs.length === 0) this.#closeChunk();
    return next;
  }

  /** The contiguous range that holds `seq`, into `left` and `right`. @returns whether there is one */
  rangeAt(seq: number): boolean {
    const run = this.#runs[this.#firstEndingAfter(seq)];
    if (run === undefined || after(run.seq, seq)) return false;
    this.#findRange(seq);
    return true;
  }

  clear(): void {
    for (const run of this.#runs) run.chunk.release();
    this.#runs.length = 0;
    this.length = 0;
    this.#closeChunk();
  }

  #noDuplicate(): void {
    this.duplicateLeft = 0;
    this.duplicateRight = 0;
  }

  /** Only the first stretch counts; runs may touch. */
  #noteDuplicate(left: number, right: number): void {
    if (this.duplicateLeft === this.duplicateRight) this.duplicateLeft = left;
    else if (this.duplicateRight !== left) return;
    this.duplicateRight = right;
  }

  /** Index of the first run whose end lies after `seq`. */
  #firstEndingAfter(seq: number): number {
    const runs = this.#runs;
    let high = runs.length;
    // Most segments come behind everything that is here.
    if (high === 0 || beforeOrAt((runs[high - 1] as Run).end, seq)) return high;
    let low = 0;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (after((runs[middle] as Run).end, seq)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #put(index: number, seq: number, chunk: Chunk, offset: number, count: number): void {
    const end = (seq + count) | 0;
    if (count >= BY_REFERENCE) {
      chunk.retain();
      this.#runs.splice(index, 0, { seq, end, chunk, offset });
      return;
    }
    if (this.#open === undefined || CHUNK_SIZE - this.#used < count) {
      this.#closeChunk();
      this.#open = this.#slab.take();
    }
    const open = this.#open;
    open.bytes.set(chunk.bytes.subarray(offset, offset + count), this.#used);
    const previous = this.#runs[index - 1];
    const continues =
      previous !== undefined &&
      previous.chunk === open &&
      previous.end === seq &&
      previous.offset + distance(previous.seq, seq) === this.#used;
    if (continues) {
      previous.end = end;
    } else {
      open.retain();
      this.#runs.splice(index, 0, { seq, end, chunk: open, offset: this.#used });
    }
    this.#used += count;
  }

  #closeChunk(): void {
    this.#open?.release();
    this.#open = undefined;
    this.#used = 0;
  }

  #findRange(seq: number): void {
    const runs = this.#runs;
    let first = this.#firstEndingAfter(seq);
    if (first === runs.length) first--;
    let last = first;
    while (first > 0 && afterOrAt((runs[first - 1] as Run).end, (runs[first] as Run).seq)) first--;
    while (last + 1 < runs.length && afterOrAt((runs[last] as Run).end, (runs[last + 1] as Run).seq)) last++;
    this.left = (runs[first] as Run).seq;
    this.right = (runs[last] as Run).end;
  }
}
