/**
 * pipe: two connections joined in memory, without a host and without a buffer, as Go's net.Pipe. A write is done when reads of the other end have
 * taken all its bytes, so what was written has been read.
 */
import { checkNames } from '../arguments.ts';
import type { Clock } from '../time/clock.ts';
import { RealClock } from '../time/real-clock.ts';
import { type Conn, type WaitOptions, wrongBytes, wrongWait } from './conn.ts';
import { abortError, ClosedPipeError, errDeadlineExceeded } from './errors.ts';
import { type Addr, OpError } from './op-error.ts';
import { PipeDirection, type PipeEnd, PipeRead, PipeWrite } from './pipe-direction.ts';
import { monotonicDeadline, type WaitQueue } from './wait-queue.ts';

export interface PipeConnOptions {
  /** What deadlines are on. Default: the machine's. */
  readonly clock?: Clock | undefined;
}

/** @throws TypeError when the clock is none */
export function pipe(options: PipeConnOptions = {}): [PipeConn, PipeConn] {
  checkNames('pipe', options, ['clock']);
  const { clock = new RealClock() } = options;
  if (typeof clock?.now !== 'function' || typeof clock.timer !== 'function')
    throw new TypeError('pipe: clock must be a Clock');
  const [there, back] = [new PipeDirection(clock), new PipeDirection(clock)];
  return [new PipeConn(clock, back, there), new PipeConn(clock, there, back)];
}

const ADDRESS: Addr = { network: () => 'pipe', toString: () => 'pipe' };

export class PipeConn implements Conn, PipeEnd {
  /** The clock that deadlines are on. */
  readonly clock: Clock;
  readonly #incoming: PipeDirection;
  readonly #outgoing: PipeDirection;
  #closed = false;

  /** For pipe alone. */
  constructor(clock: Clock, incoming: PipeDirection, outgoing: PipeDirection) {
    this.clock = clock;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  /** `pipe`, of the network `pipe`. */
  localAddr(): Addr {
    return ADDRESS;
  }

  /** As `localAddr`. */
  remoteAddr(): Addr {
    return ADDRESS;
  }

  /**
   * Takes bytes of a write of the other end, waiting for one.
   * @returns the number of bytes, 0 for a write without any; null: the other end is closed
   * @throws ClosedPipeError (as a rejection) when this end is closed; OpError `read`: deadline, canceled
   */
  read(into: Uint8Array, options?: WaitOptions): Promise<number | null> {
    const wrong = wrongBytes('PipeConn.read: into', into) ?? wrongWait('PipeConn.read', options);
    if (wrong !== undefined) return Promise.reject(wrong);
    return this.#read(options?.signal, (bytes) => {
      const length = Math.min(bytes.length, into.length);
      if (length > 0) into.set(bytes.subarray(0, length));
      return [length, length];
    });
  }

  /** All that is left of a write of the other end, in an array of its own; null: the other end is closed. Otherwise as `read`. */
  readChunk(options?: WaitOptions): Promise<Uint8Array<ArrayBuffer> | null> {
    const wrong = wrongWait('PipeConn.readChunk', options);
    if (wrong !== undefined) return Promise.reject(wrong);
    return this.#read(options?.signal, (bytes) => [new Uint8Array(bytes), bytes.length]);
  }

  /**
   * Waits until the other end has read all; also with no bytes it waits for a read.
   * @returns how many: all of them
   * @throws ClosedPipeError (as a rejection) when either end is closed; OpError `write`: deadline, canceled; the `bytesWritten` of
   * both says how many had been read
   */
  write(bytes: Uint8Array, options?: WaitOptions): Promise<number> {
    const wrong = wrongBytes('PipeConn.write: bytes', bytes) ?? wrongWait('PipeConn.write', options);
    if (wrong !== undefined) return Promise.reject(wrong);
    const refusal = this.#refusal(this.#outgoing.writes, options?.signal);
    if (refusal !== undefined) return Promise.reject(this.error('write', refusal));
    if (this.#outgoing.isClosed) return Promise.reject(new ClosedPipeError());
    return new Promise((resolve, reject) => {
      this.#outgoing.writes.add(new PipeWrite(this, this.#outgoing, bytes, resolve, reject), options?.signal);
      this.#outgoing.pump();
    });
  }

  /** Ends both directions: calls that wait here fail, reads of the other end see the end. Again: nothing happens (Go). */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#incoming.isClosed = true;
    this.#outgoing.isClosed = true;
    this.#incoming.reads.failAll(new ClosedPipeError());
    this.#outgoing.writes.failAll(new ClosedPipeError());
    this.#incoming.writes.failAll(new ClosedPipeError());
    this.#outgoing.reads.ready();
  }

  /** Both deadlines at once. */
  setDeadline(deadline: Date | number | null): void {
    this.#setDeadline('setDeadline', deadline, this.#incoming.reads, this.#outgoing.writes);
  }

  /**
   * Reads, waiting ones too, fail with `i/o timeout` once it is past.
   * `deadline`: a Date or ms since 1970-01-01 UTC on `clock.wallNow()`; null: none, which is the default.
   * @throws ClosedPipeError when either end is closed
   */
  setReadDeadline(deadline: Date | number | null): void {
    this.#setDeadline('setReadDeadline', deadline, this.#incoming.reads);
  }

  /** As `setReadDeadline`, for writes. */
  setWriteDeadline(deadline: Date | number | null): void {
    this.#setDeadline('setWriteDeadline', deadline, this.#outgoing.writes);
  }

  /** Calls that wait keep the process alive again. */
  ref(): this {
    return this.#setReferenced(true);
  }

  /** Calls that wait no longer keep the process alive. */
  unref(): this {
    return this.#setReferenced(false);
  }

  /** The chunks to the end; leaving the loop does not close the connection. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    for (let chunk = await this.readChunk(); chunk !== null; chunk = await this.readChunk()) yield chunk;
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** An error of this end; Go has the closed pipe bare. @internal */
  error(op: string, reason: Error, bytesWritten = 0): Error {
    if (reason instanceof ClosedPipeError) return new ClosedPipeError(bytesWritten);
    return new OpError(op, 'pipe', undefined, undefined, reason, bytesWritten);
  }

  #read<T>(
    signal: AbortSignal | undefined,
    take: (bytes: Uint8Array) => [result: T, length: number],
  ): Promise<T | null> {
    const { reads } = this.#incoming;
    if (!this.#closed && this.#incoming.isClosed) return Promise.resolve(null);
    const refusal = this.#refusal(reads, signal);
    if (refusal !== undefined) return Promise.reject(this.error('read', refusal));
    return new Promise((resolve, reject) => {
      reads.add(new PipeRead(this, this.#incoming, take, resolve, reject), signal);
      this.#incoming.pump();
    });
  }

  #refusal(queue: WaitQueue, signal: AbortSignal | undefined): Error | undefined {
    if (this.#closed) return new ClosedPipeError();
    if (queue.isExpired) return errDeadlineExceeded;
    return signal?.aborted ? abortError(signal) : undefined;
  }

  #setReferenced(referenced: boolean): this {
    this.#incoming.reads.setReferenced(referenced);
    this.#outgoing.writes.setReferenced(referenced);
    return this;
  }

  #setDeadline(name: string, deadline: Date | number | null, ...queues: WaitQueue[]): void {
    if (this.#incoming.isClosed) throw new ClosedPipeError();
    const at = monotonicDeadline(this.clock, deadline, `PipeConn.${name}: deadline`);
    for (const queue of queues) queue.setDeadline(at);
  }
}
