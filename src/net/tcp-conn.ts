/**
 * TCPConn: a connection, on promises, as Go's net.TCPConn.
 *
 * Reads are served in the order of the calls, and so are writes, each independent of the other; a write keeps its turn until all its bytes
 * are with the stack. What can be done at once is done in the call and costs one promise.
 */

import { checkFlag, shown } from '../arguments.ts';
import {
  AF_INET6,
  IPPROTO_TCP,
  POLLHUP,
  SHUT_RD,
  SHUT_WR,
  SIOCINQ,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_RCVBUF,
  SO_SNDBUF,
  SOL_SOCKET,
  TCP_INFO,
  TCP_NODELAY,
} from '../socket/constants.ts';
import { EAGAIN } from '../socket/errno.ts';
import type { Socket, SocketAddress } from '../socket/socket.ts';
import type { TcpInfo } from '../tcp/info.ts';
import type { Clock } from '../time/clock.ts';
import { type Conn, type WaitOptions, wrongBytes, wrongWait } from './conn.ts';
import { type ByteSource, ConnStreams } from './conn-streams.ts';
import { type ByteSinks, type ByteSources, CopyFailure, copy, isByteSink, isByteSource } from './copy.ts';
import type { Descriptor } from './descriptor.ts';
import { abortError, errClosed, errDeadlineExceeded, SyscallError } from './errors.ts';
import {
  applyKeepAlive,
  applyKeepAliveIdle,
  checkKeepAliveConfig,
  checkMs,
  type KeepAliveConfig,
} from './keep-alive.ts';
import { asError } from './net.ts';
import { OpError } from './op-error.ts';
import { ReadOperation, receiveChunk, receiveInto, WriteOperation } from './operations.ts';
import { TCPAddr } from './tcp-addr.ts';
import { monotonicDeadline, type WaitQueue } from './wait-queue.ts';
import { tcpAddr } from './zones.ts';

export class TCPConn implements Conn {
  readonly #descriptor: Descriptor;
  readonly #local: TCPAddr;
  readonly #remote: TCPAddr;
  /** Made when somebody asks. */
  #streams: ConnStreams | undefined;

  /** For dial and accept alone. */
  constructor(descriptor: Descriptor) {
    this.#descriptor = descriptor;
    this.#local = addressOf(descriptor.socket, descriptor.socket.getsockname());
    const peer = descriptor.socket.getpeername();
    // One that was reset before it was accepted is nobody's peer any more, and still came from somewhere.
    this.#remote = addressOf(descriptor.socket, typeof peer === 'number' ? descriptor.socket.peer : peer);
  }

  /** The clock that deadlines are on. */
  get clock(): Clock {
    return this.#descriptor.clock;
  }

  /** Of its socket: one of 6 may speak IPv4. */
  get socketFamily(): 4 | 6 {
    return this.#descriptor.socket.domain === AF_INET6 ? 6 : 4;
  }

  /** This end; known after the close too. */
  localAddr(): TCPAddr {
    return this.#local;
  }

  /** The other end; known after the close too. */
  remoteAddr(): TCPAddr {
    return this.#remote;
  }

  /**
   * Fills `into` from its start with what has arrived, as soon as that is one byte.
   * @returns the number of bytes; null at the end of the stream; 0 only when `into` has no room
   * @throws OpError `read` (as a rejection): closed, deadline, canceled, connection reset by peer, connection timed out, ...
   */
  read(into: Uint8Array, options?: WaitOptions): Promise<number | null> {
    const wrong = wrongBytes('TCPConn.read: into', into) ?? wrongWait('TCPConn.read', options);
    if (wrong !== undefined) return Promise.reject(wrong);
    if (into.length === 0)
      return this.#descriptor.isClosed ? Promise.reject(this.error('read', errClosed)) : Promise.resolve(0);
    return this.#read(options?.signal, (socket) => receiveInto(socket, into));
  }

  /**
   * What has arrived, as soon as that is one byte, in an array of its own of at most 64 KiB; null at the end of the stream.
   * Unlike `read`, waiting holds no buffer.
   * @throws OpError `read` (as a rejection), as `read` does
   */
  readChunk(options?: WaitOptions): Promise<Uint8Array<ArrayBuffer> | null> {
    const wrong = wrongWait('TCPConn.readChunk', options);
    return wrong === undefined ? this.#read(options?.signal, receiveChunk) : Promise.reject(wrong);
  }

  /**
   * Hands bytes to the stack, waiting for room as long as it takes; `bytes` is the caller's again when the promise settles.
   * @returns how many: all of them
   * @throws OpError `write` (as a rejection): closed, deadline, canceled, broken pipe, connection reset by peer, ...; its
   * `bytesWritten` says how many went out before
   */
  write(bytes: Uint8Array, options?: WaitOptions): Promise<number> {
    return this.#write('write', [bytes], options);
  }

  /** `write` of several pieces, as one: nothing of another write comes between them. Errors are of the op `writev` (Go: Buffers). */
  writev(list: readonly Uint8Array[], options?: WaitOptions): Promise<number> {
    if (!Array.isArray(list))
      return Promise.reject(new TypeError(`TCPConn.writev: list must be an array, got ${shown(list)}`));
    return this.#write('writev', list, options);
  }

  /**
   * Writes all that `source` gives, to its end: another connection, a stream, a generator, a list. Nothing is closed.
   * @returns the number of bytes
   * @throws OpError `readfrom` (as a rejection), around what failed: `readfrom tcp L->R: write tcp L->R: write: broken pipe`; its
   * `bytesWritten` says how many went out before
   */
  readFrom(source: ByteSources, options: WaitOptions = {}): Promise<number> {
    if (!isByteSource(source))
      return Promise.reject(new TypeError(`TCPConn.readFrom: source must give bytes, got ${shown(source)}`));
    return this.#copy('readfrom', source, this, options);
  }

  /** Writes all that arrives, to the end of the stream, to `sink`: another connection, or a stream. Errors are of the op `writeto`; otherwise as `readFrom`. */
  writeTo(sink: ByteSinks, options: WaitOptions = {}): Promise<number> {
    if (!isByteSink(sink))
      return Promise.reject(new TypeError(`TCPConn.writeTo: sink must take bytes, got ${shown(sink)}`));
    return this.#copy('writeto', this, sink, options);
  }

  /**
   * Ends both directions: what was written is still delivered, then the peer sees the end of the stream; bytes that had arrived and
   * were not read make it a reset (RFC 2525 2.17). Calls that wait fail with `use of closed network connection`.
   * @throws OpError `close` when it is closed already
   */
  close(): void {
    if (this.#descriptor.isClosed) throw this.error('close', errClosed);
    this.#check('close', 'close', this.#descriptor.close());
  }

  /** Ends reading: reads, waiting ones too, see the end of the stream. @throws OpError `close` */
  closeRead(): void {
    this.#shutdown(SHUT_RD);
  }

  /** Ends writing: the peer sees the end of the stream after the last byte; a write that waits fails with `broken pipe`. @throws OpError `close` */
  closeWrite(): void {
    this.#shutdown(SHUT_WR);
  }

  /** Both deadlines at once. */
  setDeadline(deadline: Date | number | null): void {
    this.#setDeadline('setDeadline', deadline, this.#descriptor.reads, this.#descriptor.writes);
  }

  /**
   * Reads, waiting ones too, fail with `i/o timeout` once it is past, data or not; the connection is not harmed.
   * `deadline`: a Date or ms since 1970-01-01 UTC on `clock.wallNow()`; null: none, which is the default.
   * @throws OpError `set` when the connection is closed
   */
  setReadDeadline(deadline: Date | number | null): void {
    this.#setDeadline('setReadDeadline', deadline, this.#descriptor.reads);
  }

  /** As `setReadDeadline`, for writes. */
  setWriteDeadline(deadline: Date | number | null): void {
    this.#setDeadline('setWriteDeadline', deadline, this.#descriptor.writes);
  }

  /** Whether small segments are sent without waiting for acknowledgments (no Nagle). Default: true. */
  setNoDelay(noDelay = true): void {
    checkFlag('TCPConn.setNoDelay: noDelay', noDelay);
    this.#set(IPPROTO_TCP, TCP_NODELAY, noDelay ? 1 : 0);
  }

  setKeepAlive(enable: boolean): void {
    checkFlag('TCPConn.setKeepAlive: enable', enable);
    this.#set(SOL_SOCKET, SO_KEEPALIVE, enable ? 1 : 0);
  }

  /** Silence before the first probe, ms, rounded up to whole seconds; 0: 15 s; negative: left as it is. @throws OpError `set` beyond 32,767 s */
  setKeepAlivePeriod(ms: number): void {
    checkMs('TCPConn.setKeepAlivePeriod: ms', ms);
    this.#apply((socket) => applyKeepAliveIdle(socket, ms));
  }

  /** @throws OpError `set` when a value is out of range: times to 32,767 s, count to 127 */
  setKeepAliveConfig(config: KeepAliveConfig): void {
    checkKeepAliveConfig('TCPConn.setKeepAliveConfig', config);
    this.#apply((socket) => applyKeepAlive(socket, config));
  }

  /**
   * What `close` does with bytes that are not delivered yet. Negative, the default: they are sent in the background; 0: they are dropped
   * and the peer gets a reset; more: seconds, after which what is left is dropped. `close` never waits.
   */
  setLinger(seconds: number): void {
    if (!Number.isInteger(seconds))
      throw new TypeError(`TCPConn.setLinger: seconds must be an integer, got ${shown(seconds)}`);
    const value = seconds < 0 ? { onoff: 0, linger: 0 } : { onoff: 1, linger: seconds };
    this.#apply((socket) => socket.setsockopt(SOL_SOCKET, SO_LINGER, value));
  }

  /** A hint for the size of the receive buffer, bytes; the stack keeps it within its limits. */
  setReadBuffer(bytes: number): void {
    this.#setBuffer('setReadBuffer', SO_RCVBUF, bytes);
  }

  /** A hint for the size of the send buffer, bytes; the stack keeps it within its limits. */
  setWriteBuffer(bytes: number): void {
    this.#setBuffer('setWriteBuffer', SO_SNDBUF, bytes);
  }

  /** What the stack knows of the connection now, as Linux's TCP_INFO tells it (RFC 9293 3.10.6, STATUS). @throws OpError `get` when it is closed */
  tcpInfo(): TcpInfo {
    if (this.#descriptor.isClosed) throw this.error('get', errClosed);
    const info = this.#descriptor.socket.getsockopt(IPPROTO_TCP, TCP_INFO);
    if (typeof info === 'number') throw this.error('get', new SyscallError('getsockopt', -info));
    return info as TcpInfo;
  }

  /** Calls that wait keep the process alive again. */
  ref(): this {
    return this.#setReferenced(true);
  }

  /** Calls that wait no longer keep the process alive. */
  unref(): this {
    return this.#setReferenced(false);
  }

  /**
   * What arrives, as a WHATWG stream of bytes (with BYOB readers): nothing is read before somebody asks for it. Its end is the peer's FIN;
   * `cancel` is `closeRead`. When the writable has ended too, the connection is closed.
   */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.#streams ??= new ConnStreams(this);
    return this.#streams.readable;
  }

  /** Takes bytes: `close` is `closeWrite`, `abort` closes the connection with a reset. When the readable has ended too, the connection is closed. */
  get writable(): WritableStream<ByteSource> {
    this.#streams ??= new ConnStreams(this);
    return this.#streams.writable;
  }

  /** The chunks of the stream to its end; leaving the loop does not close the connection. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    for (let chunk = await this.readChunk(); chunk !== null; chunk = await this.readChunk()) yield chunk;
  }

  /** Closes, if that has not been done. */
  [Symbol.dispose](): void {
    this.#descriptor.close();
  }

  /** Closes, if that has not been done. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#descriptor.close();
  }

  /** Both directions are over: closed, reset, or each ended by its side. @internal */
  get isOver(): boolean {
    return this.#descriptor.isClosed || (this.#descriptor.socket.poll() & POLLHUP) !== 0;
  }

  /** Bytes that have arrived and can still be read. @internal */
  get unread(): number {
    return Math.max(this.#descriptor.socket.ioctl(SIOCINQ), 0);
  }

  /** As `read`, or `readChunk` without `into`; false: when bytes came, nobody wanted them any more, and they are still there. @internal */
  readIf(isWanted: () => boolean, into?: Uint8Array): Promise<Uint8Array<ArrayBuffer> | number | null | false> {
    const receive = into === undefined ? receiveChunk : (socket: Socket) => receiveInto(socket, into);
    return this.#read(undefined, (socket) => isWanted() && receive(socket));
  }

  /** An error of this connection. @internal */
  error(op: string, reason: Error, bytesWritten = 0): OpError {
    return new OpError(op, 'tcp', this.#local, this.#remote, reason, bytesWritten);
  }

  /** `receive` gives a result, or undefined when it would have to wait; it throws a SyscallError. */
  #read<T>(signal: AbortSignal | undefined, receive: (socket: Socket) => T | undefined): Promise<T> {
    const { reads, socket } = this.#descriptor;
    const refusal = this.#refusal(reads, signal);
    if (refusal !== undefined) return Promise.reject(this.error('read', refusal));
    if (reads.isEmpty) {
      try {
        const result = receive(socket);
        if (result !== undefined) return Promise.resolve(result);
      } catch (error) {
        return Promise.reject(this.error('read', error as Error));
      }
    }
    return new Promise((resolve, reject) => {
      reads.add(new ReadOperation(this, socket, receive, resolve, reject), signal);
    });
  }

  #write(op: 'write' | 'writev', list: readonly Uint8Array[], options: WaitOptions | undefined): Promise<number> {
    let wrong = wrongWait(`TCPConn.${op}`, options);
    for (let i = 0; i < list.length; i++) wrong ??= wrongBytes(`TCPConn.${op}: bytes`, list[i]);
    if (wrong !== undefined) return Promise.reject(wrong);
    const signal = options?.signal;
    const { writes, socket } = this.#descriptor;
    const refusal = this.#refusal(writes, signal);
    if (refusal !== undefined) return Promise.reject(this.error(op, refusal));
    const operation = new WriteOperation(this, socket, op, list);
    if (writes.isEmpty && operation.attempt()) return operation.outcome();
    return operation.wait(writes, signal);
  }

  async #copy(op: 'readfrom' | 'writeto', source: ByteSources, sink: ByteSinks, options: WaitOptions): Promise<number> {
    const wrong = wrongWait(op === 'readfrom' ? 'TCPConn.readFrom' : 'TCPConn.writeTo', options);
    if (wrong !== undefined) throw wrong;
    try {
      return await copy(source, sink, options);
    } catch (failure) {
      if (!(failure instanceof CopyFailure)) throw failure;
      throw this.error(op, asError(failure.cause), failure.copied);
    }
  }

  /** Why a call must not even be tried. */
  #refusal(queue: WaitQueue, signal: AbortSignal | undefined): Error | undefined {
    if (this.#descriptor.isClosed) return errClosed;
    if (queue.isExpired) return errDeadlineExceeded;
    return signal?.aborted ? abortError(signal) : undefined;
  }

  #shutdown(how: number): void {
    if (this.#descriptor.isClosed) throw this.error('close', errClosed);
    this.#check('close', 'shutdown', this.#descriptor.socket.shutdown(how));
  }

  #setDeadline(name: string, deadline: Date | number | null, ...queues: WaitQueue[]): void {
    // Go: deadlines and buffers name this end alone.
    if (this.#descriptor.isClosed) throw new OpError('set', 'tcp', undefined, this.#local, errClosed);
    const at = monotonicDeadline(this.clock, deadline, `TCPConn.${name}: deadline`);
    for (const queue of queues) queue.setDeadline(at);
  }

  #setBuffer(name: string, option: number, bytes: number): void {
    if (!Number.isInteger(bytes)) throw new TypeError(`TCPConn.${name}: bytes must be an integer, got ${shown(bytes)}`);
    if (this.#descriptor.isClosed) throw new OpError('set', 'tcp', undefined, this.#local, errClosed);
    const result = this.#descriptor.socket.setsockopt(SOL_SOCKET, option, Math.min(Math.max(bytes, 0), 0x7fff_ffff));
    if (result < 0) throw new OpError('set', 'tcp', undefined, this.#local, new SyscallError('setsockopt', -result));
  }

  #set(level: number, option: number, value: number): void {
    this.#apply((socket) => socket.setsockopt(level, option, value));
  }

  #apply(change: (socket: Socket) => number): void {
    if (this.#descriptor.isClosed) throw this.error('set', errClosed);
    this.#check('set', 'setsockopt', change(this.#descriptor.socket));
  }

  #check(op: string, syscall: string, result: number): void {
    if (result < 0 && result !== -EAGAIN) throw this.error(op, new SyscallError(syscall, -result));
  }

  #setReferenced(referenced: boolean): this {
    this.#descriptor.reads.setReferenced(referenced);
    this.#descriptor.writes.setReferenced(referenced);
    return this;
  }
}

function addressOf({ stack }: Socket, address: SocketAddress | number | undefined): TCPAddr {
  return typeof address !== 'object' ? new TCPAddr(undefined, 0) : tcpAddr(stack.network, address);
}
