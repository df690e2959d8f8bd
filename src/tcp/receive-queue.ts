/**
 * Bytes in order that the user has not read.
 *
 * A payload of a quarter chunk or more is queued where the link put it; a smaller one is copied behind what is there, so
 * that it cannot keep a whole chunk from the slab. An empty queue holds no chunk.
 */
import { CHUNK_SIZE, type Chunk, type Slab } from '../link/slab.ts';

/** Payloads of this many bytes or more are kept by reference. */
export const BY_REFERENCE = CHUNK_SIZE >> 2;

/** A run of bytes in a chunk that its holder has retained. */
interface Piece {
  chunk: Chunk;
  offset: number;
  end: number;
}

/** Of those that hold nothing. */
const NONE: Piece[] = [];

export class ReceiveQueue {
  readonly #slab: Slab;
  /** Made with the first byte; a connection that only waits has none. */
  #pieces = NONE;
  /** The last piece's chunk is ours alone, and there is room behind it. */
  #tailOpen = false;
  /** Bytes queued. */
  length = 0;

  constructor(slab: Slab) {
    this.#slab = slab;
  }

  /** Appends `count` bytes of a chunk that belongs to somebody else. */
  append(chunk: Chunk, offset: number, count: number): void {
    this.length += count;
    if (count >= BY_REFERENCE) {
      chunk.retain();
      this.#add({ chunk, offset, end: offset + count });
      this.#tailOpen = false;
      return;
    }
    this.#copy(chunk, offset, count);
  }

  #add(piece: Piece): void {
    if (this.#pieces === NONE) this.#pieces = [];
    this.#pieces.push(piece);
  }

  #copy(chunk: Chunk, offset: number, count: number): void {
    let at = offset;
    let left = count;
    while (left > 0) {
      let tail = this.#pieces[this.#pieces.length - 1];
      if (tail === undefined || !this.#tailOpen || tail.end === CHUNK_SIZE) {
        tail = { chunk: this.#slab.take(), offset: 0, end: 0 };
        this.#add(tail);
        this.#tailOpen = true;
      }
      const part = Math.min(left, CHUNK_SIZE - tail.end);
      tail.chunk.bytes.set(chunk.bytes.subarray(at, at + part), tail.end);
      tail.end += part;
      at += part;
      left -= part;
    }
  }

  /**
   * Copies bytes from the front to `target[from, from + count)` and, unless `peek`, forgets them.
   * @param behind with `peek`: bytes at the front that are passed over
   * @returns how many
   */
  read(target: Uint8Array, from: number, count: number, peek: boolean, behind = 0): number {
    let done = 0;
    let index = 0;
    let pass = behind;
    while (done < count && index < this.#pieces.length) {
      const piece = this.#pieces[index] as Piece;
      if (pass >= piece.end - piece.offset) {
        pass -= piece.end - piece.offset;
        index++;
        continue;
      }
      const start = piece.offset + pass;
      pass = 0;
      const part = Math.min(count - done, piece.end - start);
      target.set(piece.chunk.bytes.subarray(start, start + part), from + done);
      done += part;
      if (peek) {
        index++;
        continue;
      }
      piece.offset += part;
      if (piece.offset === piece.end) {
        piece.chunk.release();
        this.#pieces.shift();
      }
    }
    if (!peek) this.length -= done;
    return done;
  }

  /** Forgets `count` bytes of the front, or what there is. @returns how many */
  skip(count: number): number {
    let done = 0;
    while (done < count && this.#pieces.length > 0) {
      const piece = this.#pieces[0] as Piece;
      const part = Math.min(count - done, piece.end - piece.offset);
      done += part;
      piece.offset += part;
      if (piece.offset < piece.end) break;
      piece.chunk.release();
      this.#pieces.shift();
    }
    this.length -= done;
    return done;
  }

  /** Packs what lies in more chunks than it needs. @returns pieces that were packed away */
  collapse(): number {
    const pieces = this.#pieces.splice(0);
    const { length } = this;
    const needed = Math.ceil(length / CHUNK_SIZE);
    if (pieces.length <= needed) {
      this.#pieces.push(...pieces);
      return 0;
    }
    this.#tailOpen = false;
    for (const { chunk, offset, end } of pieces) {
      this.#copy(chunk, offset, end - offset);
      chunk.release();
    }
    return pieces.length - this.#pieces.length;
  }

  clear(): void {
    for (const piece of this.#pieces) piece.chunk.release();
    this.#pieces.length = 0;
    this.length = 0;
  }
}
