/** Buffers: several pieces to be written as one, as Go's net.Buffers. */
import { shown } from '../arguments.ts';
import { type WaitOptions, type Writer, wrongBytes, wrongWait } from './conn.ts';

/** A writer that takes a list at once, as TCPConn does. */
interface VectorWriter extends Writer {
  writev(list: readonly Uint8Array[], options?: WaitOptions): Promise<number>;
}

export class Buffers {
  /** What is left, in order; the arrays are the caller's and are not written to. */
  list: Uint8Array[];

  /** @throws TypeError when a piece is no Uint8Array */
  constructor(list: Iterable<Uint8Array> = []) {
    if (typeof (list as Iterable<unknown> | null)?.[Symbol.iterator] !== 'function' || list instanceof Uint8Array)
      throw new TypeError(`Buffers: list must be a list of Uint8Arrays, got ${shown(list)}`);
    this.list = [...list];
    if (this.list.some((piece) => !(piece instanceof Uint8Array)))
      throw new TypeError('Buffers: every piece must be a Uint8Array');
  }

  /** Bytes that are left. */
  get byteLength(): number {
    return this.list.reduce((sum, { length }) => sum + length, 0);
  }

  /**
   * Writes all to a connection, as one write where it has `writev`. What went out is taken off the list, also when it fails on its way.
   * @returns the number of bytes
   * @throws what the connection fails with; its `bytesWritten` says how many of the bytes of that call went out
   */
  async writeTo(sink: Writer, options?: WaitOptions): Promise<number> {
    if (typeof (sink as Writer | null)?.write !== 'function')
      throw new TypeError(`Buffers.writeTo: sink must have write(bytes), got ${shown(sink)}`);
    const wrong = wrongWait('Buffers.writeTo', options);
    if (wrong !== undefined) throw wrong;
    const { writev } = sink as Partial<VectorWriter>;
    if (typeof writev === 'function') return this.#written(writev.call(sink, [...this.list], options));
    let total = 0;
    while (this.list.length > 0) total += await this.#written(sink.write(this.list[0] as Uint8Array, options));
    return total;
  }

  /** Fills `into` from the front of the list, and takes that off. @returns the number of bytes; null when nothing was left */
  async read(into: Uint8Array): Promise<number | null> {
    const wrong = wrongBytes('Buffers.read: into', into);
    if (wrong !== undefined) throw wrong;
    let have = 0;
    while (have < into.length && this.list.length > 0) {
      const piece = (this.list[0] as Uint8Array).subarray(0, into.length - have);
      into.set(piece, have);
      have += piece.length;
      this.consume(piece.length);
    }
    return have === 0 && this.list.length === 0 ? null : have;
  }

  /** Takes `count` bytes off the front, and empty pieces with them. @throws RangeError when it is no number of bytes */
  consume(count: number): void {
    if (!Number.isInteger(count) || count < 0)
      throw new RangeError(`Buffers.consume: count must be an integer >= 0, got ${shown(count)}`);
    let first = 0;
    while (first < this.list.length && (this.list[first] as Uint8Array).length <= count)
      count -= (this.list[first++] as Uint8Array).length;
    this.list.splice(0, first);
    if (count > 0 && this.list.length > 0) this.list[0] = (this.list[0] as Uint8Array).subarray(count);
  }

  async #written(write: Promise<number>): Promise<number> {
    try {
      const count = await write;
      this.consume(count);
      return count;
    } catch (error) {
      this.consume((error as { bytesWritten?: number }).bytesWritten ?? 0);
      throw error;
    }
  }
}
