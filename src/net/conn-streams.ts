/**
 * A connection's two directions as WHATWG streams. Nothing is read before somebody asks for it, so that the window that the peer sees follows the
 * reader; a write is done when the stack has taken its bytes. Closing the writable is a FIN, aborting it a RST; cancelling the readable is closeRead.
 *
 * A direction that fails takes the other one with it, with the same error; but what had arrived before can still be read: an answer may lie there that
 * says why the peer took no more.
 */
import type { TCPConn } from './tcp-conn.ts';

export interface StreamsOptions {
  /** Whether the end of the peer's stream leaves the writable open. Default: true. */
  readonly allowHalfOpen?: boolean | undefined;
  /** Told when both directions have ended, and the connection with them: with the error, or undefined. */
  readonly ended?: ((reason: unknown) => void) | undefined;
}

type Bytes = Uint8Array<ArrayBuffer>;
/** What may be written. */
export type ByteSource = Uint8Array | ArrayBuffer | ArrayBufferView;

/** What is used of a WritableStreamDefaultController; Node's types lack `signal`. */
interface WriteController {
  readonly signal: AbortSignal;
  error(reason: unknown): void;
}

export class ConnStreams {
  readonly readable: ReadableStream<Bytes>;
  readonly writable: WritableStream<ByteSource>;
  readonly #conn: TCPConn | Promise<TCPConn>;
  readonly #options: StreamsOptions;
  #reader!: ReadableByteStreamController;
  #writer!: WriteController;
  /** The directions: the readable is closed or has failed, the writable has. */
  #readEnded = false;
  #writeEnded = false;
  #isOver = false;
  /** What the writable has failed with, while there is still something to be read. */
  #failure: { readonly reason: unknown } | undefined;
  /** Chunks that the writable holds: the one that is being written, and those behind it. */
  #chunks = 0;
  /** The peer has ended the stream and the writable follows: so many chunks still go out. */
  #lastChunks: number | undefined;

  /** `conn` may still be on its way: then what is read and written waits for it. */
  constructor(conn: TCPConn | Promise<TCPConn>, options: StreamsOptions = {}) {
    this.#conn = conn;
    this.#options = options;
    this.readable = new ReadableStream(
      {
        type: 'bytes',
        start: (controller: ReadableByteStreamController) => {
          this.#reader = controller;
        },
        pull: () => this.#pull(),
        cancel: () => this.#cancel(),
      },
      { highWaterMark: 0 },
    ) as ReadableStream<Bytes>;
    this.writable = new WritableStream<ByteSource>(
      {
        start: (controller) => {
          this.#writer = controller as unknown as WriteController;
        },
        write: (chunk) => this.#write(chunk),
        close: () => this.#finish(),
        abort: (reason) => this.#abort(reason),
      },
      { highWaterMark: 1, size: () => this.#counted() },
    );
  }

  /** Ends both directions at once, as `conn.close()`: the readable as if cancelled, the writable as if aborted with `reason`. */
  close(reason: unknown): void {
    if (this.#isOver) return;
    this.#endReadable();
    this.#failWritable(reason);
    this.#over(undefined);
  }

  /** Fails both directions. */
  fail(reason: unknown): void {
    this.#over(reason);
  }

  async #pull(): Promise<void> {
    try {
      const conn = await this.#conn;
      if (this.#readEnded) return;
      // A reader that has let go has no claim to what comes later: it may be for who reads from the connection itself.
      const isWanted = () => this.readable.locked;
      const view = this.#reader.byobRequest?.view;
      let got = await conn.readIf(isWanted, view ? bytesOf(view) : undefined);
      // A stream has no way to take a buffer back: what comes next is for its next reader.
      if (got === false && view) got = await conn.readChunk();
      if (this.#readEnded || got === false) return;
      if (got === null) await this.#endOfStream();
      else if (typeof got === 'number') this.#reader.byobRequest?.respond(got);
      else this.#reader.enqueue(got);
    } catch (error) {
      if (!this.#readEnded) this.#over(error);
    }
  }

  async #endOfStream(): Promise<void> {
    const { reason } = this.#failure ?? {};
    // Behind a reset there is no more either, and what came is not the whole.
    if (this.#failure !== undefined && !isBrokenPipe(reason)) return this.#over(reason);
    this.#endReadable();
    if (this.#writeEnded) return this.#over(reason);
    if (this.#options.allowHalfOpen !== false) return;
    // What was written before still goes out, and the FIN behind it.
    if (!this.writable.locked) return await this.writable.close();
    this.#lastChunks = this.#chunks;
    if (this.#chunks === 0) await this.#followFin();
  }

  /** The writable is somebody's, who learns from its error that it was closed. */
  async #followFin(): Promise<void> {
    this.#writer.error(new TypeError('the peer has ended the connection'));
    await this.#finish();
  }

  async #cancel(): Promise<void> {
    this.#readEnded = true;
    const conn = await this.#conn;
    if (this.#isOver) return;
    conn.closeRead();
    if (this.#writeEnded) this.#over(this.#failure?.reason);
  }

  #counted(): number {
    this.#chunks++;
    return 1;
  }

  async #write(chunk: ByteSource): Promise<void> {
    const { signal } = this.#writer;
    try {
      const bytes = bytesOf(chunk);
      await (await this.#conn).write(bytes, { signal });
    } catch (error) {
      // An abort has cancelled it, which tells its own reason.
      if (!signal.aborted) await this.#writeFailed(error);
      throw error;
    }
    this.#chunks--;
    if (this.#lastChunks !== undefined && --this.#lastChunks === 0) await this.#followFin();
  }

  async #writeFailed(reason: unknown): Promise<void> {
    this.#writeEnded = true;
    if (this.#isOver) return;
    const conn = await this.#conn;
    const { isOver } = conn;
    if (this.#readEnded || (isOver && conn.unread === 0)) this.#over(reason);
    // The connection is there, but what the peer got must not pass for the whole.
    else if (!isOver && !isBrokenPipe(reason)) this.#reset(conn, reason);
    else this.#failure = { reason };
  }

  async #finish(): Promise<void> {
    if (this.#writeEnded) return;
    this.#writeEnded = true;
    const conn = await this.#conn;
    if (this.#isOver) return;
    try {
      conn.closeWrite();
    } catch (error) {
      await this.#writeFailed(error);
      throw error;
    }
    if (this.#readEnded) this.#over(undefined);
  }

  async #abort(reason: unknown): Promise<void> {
    this.#writeEnded = true;
    const conn = await this.#conn;
    if (!this.#isOver) this.#reset(conn, reason);
  }

  #reset(conn: TCPConn, reason: unknown): void {
    conn.setLinger(0);
    this.#over(reason);
  }

  /** The connection ends with its second direction, or with an error: a direction that is open fails with it. */
  #over(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (!this.#readEnded) {
      this.#readEnded = true;
      this.#reader.error(reason);
    }
    this.#failWritable(reason);
    const close = (conn: TCPConn) => conn[Symbol.dispose]();
    // One that never came about has failed with its own error.
    if (this.#conn instanceof Promise) this.#conn.then(close, () => {});
    else close(this.#conn);
    this.#options.ended?.(reason);
  }

  #endReadable(): void {
    if (this.#readEnded) return;
    this.#readEnded = true;
    this.#reader.close();
    this.#reader.byobRequest?.respond(0);
  }

  #failWritable(reason: unknown): void {
    if (this.#writeEnded) return;
    this.#writeEnded = true;
    this.#writer.error(reason);
  }
}

/** The peer had ended its stream before it took no more, or this end its own. */
function isBrokenPipe(reason: unknown): boolean {
  return (reason as { readonly code?: unknown } | undefined)?.code === 'EPIPE';
}

/** @throws TypeError for anything but bytes */
function bytesOf(chunk: unknown): Bytes {
  if (chunk instanceof Uint8Array) return chunk as Bytes;
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.byteLength);
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  const kind = typeof chunk === 'string' ? 'a string (encode it with TextEncoder)' : typeof chunk;
  throw new TypeError(`a chunk must be a Uint8Array, an ArrayBuffer or a view of one, got ${kind}`);
}
