/**
 * A connection's two directions as WHATWG streams. Nothing is read before somebody asks for it, so that the window that the peer sees follows the
 * reader; a write is done when the stack has taken its bytes. Closing the writable is a FIN, aborting it a RST; cancelling the readable is closeRead.
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
  #readEnded = false;
  #writeEnded = false;
  #cancelled = false;
  #isOver = false;
  #writer: WriteController | undefined;

  /** `conn` may still be on its way: then what is read and written waits for it. */
  constructor(conn: TCPConn | Promise<TCPConn>, options: StreamsOptions = {}) {
    this.#conn = conn;
    this.#options = options;
    this.readable = new ReadableStream(
      {
        type: 'bytes',
        pull: (controller: ReadableByteStreamController) => this.#pull(controller),
        cancel: () => this.#cancel(),
      },
      { highWaterMark: 0 },
    ) as ReadableStream<Bytes>;
    this.writable = new WritableStream<ByteSource>({
      start: (controller) => {
        this.#writer = controller as unknown as WriteController;
      },
      write: (chunk) => this.#write(chunk, (this.#writer as WriteController).signal),
      close: () => this.#finish(),
      abort: (reason) => this.#abort(reason),
    });
  }

  /** Ends both directions at once, as `conn.close()`: streams that are not over fail with `reason`. */
  close(reason?: unknown): void {
    this.#over(reason);
  }

  async #pull(controller: ReadableByteStreamController): Promise<void> {
    const request = controller.byobRequest;
    const view = request?.view;
    try {
      const conn = await this.#conn;
      const got = view ? await conn.read(bytesOf(view)) : await conn.readChunk();
      if (this.#cancelled) return;
      if (got === null) {
        controller.close();
        request?.respond(0);
        await this.#endOfStream();
      } else if (typeof got === 'number') {
        request?.respond(got);
      } else {
        controller.enqueue(got);
      }
    } catch (error) {
      if (this.#cancelled) return;
      this.#readEnded = true;
      this.#over(error);
      throw error;
    }
  }

  async #endOfStream(): Promise<void> {
    this.#readEnded = true;
    if (this.#writeEnded) return this.#over(undefined);
    if (this.#options.allowHalfOpen !== false) return;
    // What was written before still goes out, and the FIN behind it.
    const writable = this.writable as { locked: boolean };
    if (writable.locked) {
      this.#writer?.error(new TypeError('the peer has ended the connection'));
      await this.#finish();
    } else await this.writable.close();
  }

  async #cancel(): Promise<void> {
    this.#cancelled = true;
    this.#readEnded = true;
    const conn = await this.#conn;
    if (this.#isOver) return;
    conn.closeRead();
    if (this.#writeEnded) this.#over(undefined);
  }

  async #write(chunk: ByteSource, signal: AbortSignal): Promise<void> {
    const bytes = bytesOf(chunk);
    try {
      await (await this.#conn).write(bytes, { signal });
    } catch (error) {
      // An abort has cancelled it, which tells its own reason.
      if (!signal.aborted) this.#over(error);
      throw error;
    }
  }

  async #finish(): Promise<void> {
    if (this.#writeEnded) return;
    this.#writeEnded = true;
    const conn = await this.#conn;
    if (this.#isOver) return;
    conn.closeWrite();
    if (this.#readEnded) this.#over(undefined);
  }

  async #abort(reason: unknown): Promise<void> {
    this.#writeEnded = true;
    const conn = await this.#conn;
    if (this.#isOver) return;
    conn.setLinger(0);
    this.#over(reason);
  }

  /** The connection ends with its second direction, or with an error. */
  #over(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const close = (conn: TCPConn) => conn[Symbol.dispose]();
    // One that never came about has failed with its own error.
    if (this.#conn instanceof Promise) this.#conn.then(close, () => {});
    else close(this.#conn);
    if (!this.#writeEnded) this.#writer?.error(reason);
    this.#options.ended?.(reason);
  }
}

/** @throws TypeError for anything but bytes */
function bytesOf(chunk: unknown): Bytes {
  if (chunk instanceof Uint8Array) return chunk as Bytes;
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.byteLength);
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  const kind = typeof chunk === 'string' ? 'a string (encode it with TextEncoder)' : typeof chunk;
  throw new TypeError(`a chunk must be a Uint8Array, an ArrayBuffer or a view of one, got ${kind}`);
}
