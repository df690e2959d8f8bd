/** TCPListener: hands out the connections that peers open, on promises, as Go's net.TCPListener. */
import { EAGAIN, ECONNABORTED, ECONNRESET } from '../socket/errno.ts';
import { Socket } from '../socket/socket.ts';
import { type Listener, type WaitOptions, wrongWait } from './conn.ts';
import { type Closable, Descriptor } from './descriptor.ts';
import { abortError, errClosed, errDeadlineExceeded, SyscallError } from './errors.ts';
import { type KeepAliveOptions, setUpConnection } from './keep-alive.ts';
import { OpError } from './op-error.ts';
import type { TCPAddr } from './tcp-addr.ts';
import { TCPConn } from './tcp-conn.ts';
import { monotonicDeadline, type Operation } from './wait-queue.ts';

export class TCPListener implements Listener {
  readonly #descriptor: Descriptor;
  readonly #address: TCPAddr;
  readonly #keepAlive: KeepAliveOptions;
  readonly #open: Set<Closable>;

  /** For listen alone. */
  constructor(descriptor: Descriptor, address: TCPAddr, keepAlive: KeepAliveOptions, open: Set<Closable>) {
    this.#descriptor = descriptor;
    this.#address = address;
    this.#keepAlive = keepAlive;
    this.#open = open;
  }

  /** Where it listens; known after the close too. */
  addr(): TCPAddr {
    return this.#address;
  }

  /**
   * The next connection, its handshake done. Several calls may wait: they are served in order.
   * A connection that its peer gave up while it was queued is passed over.
   * @throws OpError `accept` (as a rejection): closed, deadline, canceled, ...
   */
  accept(options?: WaitOptions): Promise<TCPConn> {
    const { reads } = this.#descriptor;
    const signal = options?.signal;
    const wrong = wrongWait('TCPListener.accept', options);
    if (wrong !== undefined) return Promise.reject(wrong);
    const refusal = this.#refusal(signal);
    if (refusal !== undefined) return Promise.reject(this.#error('accept', refusal));
    if (reads.isEmpty) {
      const result = this.#next();
      if (result instanceof TCPConn) return Promise.resolve(result);
      if (result !== undefined) return Promise.reject(result);
    }
    return new Promise((resolve, reject) => reads.add(this.#operation(resolve, reject), signal));
  }

  /**
   * Stops listening: accepts that wait fail with `use of closed network connection`, connections that nobody had accepted are reset, those that
   * somebody had stay.
   * @throws OpError `close` when it is closed already
   */
  close(): void {
    if (this.#descriptor.isClosed) throw this.#error('close', errClosed);
    const result = this.#descriptor.close();
    if (result < 0) throw this.#error('close', new SyscallError('close', -result));
  }

  /**
   * Accepts, waiting ones too, fail with `i/o timeout` once it is past, even when a connection is there.
   * `deadline`: a Date or ms since 1970-01-01 UTC on the host's `clock.wallNow()`; null: none, which is the default.
   * @throws ClosedError when it is closed
   */
  setDeadline(deadline: Date | number | null): void {
    // Go: this one error comes bare.
    if (this.#descriptor.isClosed) throw errClosed;
    const { clock, reads } = this.#descriptor;
    reads.setDeadline(monotonicDeadline(clock, deadline, 'TCPListener.setDeadline: deadline'));
  }

  /** Accepts that wait keep the process alive again. */
  ref(): this {
    this.#descriptor.reads.setReferenced(true);
    return this;
  }

  /** Accepts that wait no longer keep the process alive. */
  unref(): this {
    this.#descriptor.reads.setReferenced(false);
    return this;
  }

  /** The connections, until the listener is closed; leaving the loop does not close it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<TCPConn, void, undefined> {
    while (!this.#descriptor.isClosed) {
      let conn: TCPConn;
      try {
        conn = await this.accept();
      } catch (error) {
        if ((error as OpError).err === errClosed) return;
        throw error;
      }
      yield conn;
    }
  }

  /** Closes, if that has not been done. */
  [Symbol.dispose](): void {
    this.#descriptor.close();
  }

  /** Closes, if that has not been done. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#descriptor.close();
  }

  #refusal(signal: AbortSignal | undefined): Error | undefined {
    if (this.#descriptor.isClosed) return errClosed;
    if (this.#descriptor.reads.isExpired) return errDeadlineExceeded;
    return signal?.aborted ? abortError(signal) : undefined;
  }

  #operation(resolve: (conn: TCPConn) => void, reject: (error: Error) => void): Operation {
    return {
      attempt: () => {
        const result = this.#next();
        if (result === undefined) return false;
        if (result instanceof TCPConn) resolve(result);
        else reject(result);
        return true;
      },
      fail: (reason) => reject(this.#error('accept', reason)),
    };
  }

  /** A connection, an error, or undefined when there is nothing yet. */
  #next(): TCPConn | OpError | undefined {
    for (;;) {
      const accepted = this.#descriptor.socket.accept();
      if (accepted instanceof Socket) return this.#connection(accepted);
      if (accepted === -EAGAIN) return undefined;
      if (accepted !== -ECONNABORTED && accepted !== -ECONNRESET)
        return this.#error('accept', new SyscallError('accept4', -accepted));
    }
  }

  #connection(socket: Socket): TCPConn {
    setUpConnection(socket, this.#keepAlive);
    return new TCPConn(new Descriptor(socket, this.#descriptor.clock, this.#open));
  }

  #error(op: string, reason: Error): OpError {
    return new OpError(op, 'tcp', undefined, this.#address, reason);
  }
}
