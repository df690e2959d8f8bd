/**
 * UDPConn: a socket of UDP, on promises, as Go's net.UDPConn: a packet connection (`listenPacket`), or one with a peer (`dial`).
 *
 * Reads are served in the order of the calls, and so are writes, each independent of the other. What can be done at once is done in the
 * call and costs one promise.
 */
import { shown } from '../arguments.ts';
import { AF_INET, SO_RCVBUF, SO_SNDBUF, SOL_SOCKET } from '../socket/constants.ts';
import type { DatagramMessage } from '../socket/datagram-message.ts';
import type { DatagramSocket } from '../socket/datagram-socket.ts';
import type { SocketAddress } from '../socket/socket-address.ts';
import type { Clock } from '../time/clock.ts';
import { type WaitOptions, wrongBytes, wrongWait } from './conn.ts';
import type { Descriptor } from './descriptor.ts';
import {
  type AddrError,
  abortError,
  errClosed,
  errDeadlineExceeded,
  errWriteToConnected,
  SyscallError,
} from './errors.ts';
import { socketAddress } from './family.ts';
import { OpError } from './op-error.ts';
import { ReadOperation } from './operations.ts';
import { UDPAddr } from './udp-addr.ts';
import { DatagramWrite, receiveDatagram, receiveWhole } from './udp-operations.ts';
import { monotonicDeadline, type WaitQueue } from './wait-queue.ts';
import { splitZone } from './zones.ts';

/** What `readFrom` gives. */
export interface ReadFrom {
  /** Bytes in the buffer; what did not fit is gone. */
  readonly n: number;
  /** Who sent it. */
  readonly addr: UDPAddr;
}

/** What `readDatagram` gives. */
export interface ReceivedDatagram {
  /** The whole payload. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** Who sent it. */
  readonly addr: UDPAddr;
}

export class UDPConn {
  readonly #descriptor: Descriptor<DatagramSocket>;
  /** As the caller named it. */
  readonly #net: string;
  readonly #local: UDPAddr;
  readonly #remote: UDPAddr | undefined;

  /** For dial and listenPacket alone. `network`: as errors name it; `remote`: what was dialled. */
  constructor(descriptor: Descriptor<DatagramSocket>, network: string, remote?: UDPAddr) {
    this.#descriptor = descriptor;
    this.#net = network;
    const { socket } = descriptor;
    this.#local = this.#named(socket.getsockname()) ?? new UDPAddr(undefined, 0);
    // Linux: a socket that is connected to port 0 has no peer to tell of.
    this.#remote = this.#named(socket.getpeername()) ?? remote;
  }

  /** The clock that deadlines are on. */
  get clock(): Clock {
    return this.#descriptor.clock;
  }

  /** This end; known after the close too. */
  localAddr(): UDPAddr {
    return this.#local;
  }

  /** The peer of a connection that was dialled; undefined: there is none. */
  remoteAddr(): UDPAddr | undefined {
    return this.#remote;
  }

  /**
   * Fills `into` from its start with the next datagram; what does not fit of it is gone.
   * @returns the number of bytes; 0 for a datagram without any
   * @throws OpError `read` (as a rejection): closed, deadline, canceled, connection refused (a dialled one: nobody listens there), ...
   */
  read(into: Uint8Array, options?: WaitOptions): Promise<number> {
    const wrong = wrongBytes('UDPConn.read: into', into) ?? wrongWait('UDPConn.read', options);
    if (wrong !== undefined) return Promise.reject(wrong);
    return this.#read(options?.signal, (socket) => receiveDatagram(socket, into, 'read')?.length);
  }

  /** As `read`, and who sent it. */
  readFrom(into: Uint8Array, options?: WaitOptions): Promise<ReadFrom> {
    const wrong = wrongBytes('UDPConn.readFrom: into', into) ?? wrongWait('UDPConn.readFrom', options);
    if (wrong !== undefined) return Promise.reject(wrong);
    return this.#read(options?.signal, (socket) => {
      const message = receiveDatagram(socket, into, 'recvfrom');
      return message && { n: message.length, addr: this.#sender(message) };
    });
  }

  /** The next datagram, the whole of it in an array of its own, and who sent it. Unlike `readFrom`, waiting holds no buffer. */
  readDatagram(options?: WaitOptions): Promise<ReceivedDatagram> {
    const wrong = wrongWait('UDPConn.readDatagram', options);
    if (wrong !== undefined) return Promise.reject(wrong);
    return this.#read(options?.signal, (socket) => {
      const got = receiveWhole(socket);
      return got && { data: got.data, addr: this.#sender(got.message) };
    });
  }

  /**
   * Sends one datagram to the peer of a dialled connection, waiting for room if need be; `bytes` is the caller's again when the promise
   * settles.
   * @returns how many: all of them
   * @throws OpError `write` (as a rejection): closed, deadline, canceled, message too long, destination address required (there is no
   *   peer: `writeTo`), connection refused (about a datagram before), ...
   */
  write(bytes: Uint8Array, options?: WaitOptions): Promise<number> {
    return this.#write('write', bytes, undefined, this.#remote, options);
  }

  /**
   * Sends one datagram to `addr`; everybody on a network is somebody, too. Otherwise as `write`.
   * @throws OpError `write` (as a rejection): use of WriteTo with pre-connected connection, network is unreachable, ...
   */
  writeTo(bytes: Uint8Array, addr: UDPAddr, options?: WaitOptions): Promise<number> {
    if (!(addr instanceof UDPAddr))
      return Promise.reject(
        new TypeError(
          `UDPConn.writeTo: addr must be a UDPAddr, got ${typeof addr === 'string' ? 'a string' : shown(addr)}`,
        ),
      );
    const failed = (reason: Error) => Promise.reject(this.#error('write', addr, reason));
    if (this.#descriptor.isClosed) return failed(errClosed);
    if (this.#remote !== undefined) return failed(errWriteToConnected);
    const { domain, stack } = this.#descriptor.socket;
    let to: SocketAddress;
    try {
      to = socketAddress(stack.network, domain === AF_INET ? 4 : 6, addr);
    } catch (error) {
      return failed(error as AddrError);
    }
    return this.#write('writeTo', bytes, to, addr, options);
  }

  /** Closes: calls that wait fail with `use of closed network connection`, unread datagrams are lost. @throws OpError `close` when it is closed already */
  close(): void {
    if (this.#descriptor.isClosed) throw this.error('close', errClosed);
    const result = this.#descriptor.close();
    if (result < 0) throw this.error('close', new SyscallError('close', -result));
  }

  /** Both deadlines at once. */
  setDeadline(deadline: Date | number | null): void {
    this.#setDeadline('setDeadline', deadline, this.#descriptor.reads, this.#descriptor.writes);
  }

  /**
   * Reads, waiting ones too, fail with `i/o timeout` once it is past, datagram or not.
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

  /** A hint for the size of the receive buffer, bytes; the stack keeps it within its limits. */
  setReadBuffer(bytes: number): void {
    this.#setBuffer('setReadBuffer', SO_RCVBUF, bytes);
  }

  /** A hint for the size of the send buffer, bytes; the stack keeps it within its limits. */
  setWriteBuffer(bytes: number): void {
    this.#setBuffer('setWriteBuffer', SO_SNDBUF, bytes);
  }

  /** Calls that wait keep the process alive again. */
  ref(): this {
    return this.#setReferenced(true);
  }

  /** Calls that wait no longer keep the process alive. */
  unref(): this {
    return this.#setReferenced(false);
  }

  /** The datagrams, until it is closed; leaving the loop does not close it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ReceivedDatagram, void, undefined> {
    while (!this.#descriptor.isClosed) {
      let datagram: ReceivedDatagram;
      try {
        datagram = await this.readDatagram();
      } catch (error) {
        if ((error as OpError).err === errClosed) return;
        throw error;
      }
      yield datagram;
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

  /** An error of this connection. @internal */
  error(op: string, reason: Error): OpError {
    return this.#error(op, this.#remote, reason);
  }

  #error(op: string, addr: UDPAddr | undefined, reason: Error): OpError {
    return new OpError(op, this.#net, this.#local, addr, reason);
  }

  /** `receive` gives a result, or undefined when it would have to wait; it throws a SyscallError. */
  #read<T>(signal: AbortSignal | undefined, receive: (socket: DatagramSocket) => T | undefined): Promise<T> {
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

  #write(
    name: string,
    bytes: Uint8Array,
    to: SocketAddress | undefined,
    addr: UDPAddr | undefined,
    options: WaitOptions | undefined,
  ): Promise<number> {
    const wrong = wrongBytes(`UDPConn.${name}: bytes`, bytes) ?? wrongWait(`UDPConn.${name}`, options);
    if (wrong !== undefined) return Promise.reject(wrong);
    const signal = options?.signal;
    const { writes, socket } = this.#descriptor;
    const failed = (reason: Error) => this.#error('write', addr, reason);
    const refusal = this.#refusal(writes, signal);
    if (refusal !== undefined) return Promise.reject(failed(refusal));
    const operation = new DatagramWrite(socket, bytes, to, failed);
    if (writes.isEmpty && operation.attempt()) return operation.outcome();
    return operation.wait(writes, signal);
  }

  /** Why a call must not even be tried. */
  #refusal(queue: WaitQueue, signal: AbortSignal | undefined): Error | undefined {
    if (this.#descriptor.isClosed) return errClosed;
    if (queue.isExpired) return errDeadlineExceeded;
    return signal?.aborted ? abortError(signal) : undefined;
  }

  #sender({ from }: DatagramMessage): UDPAddr {
    return this.#named(from) as UDPAddr;
  }

  /** undefined for what is an error number. */
  #named(address: SocketAddress | number): UDPAddr | undefined {
    if (typeof address === 'number') return undefined;
    const { ip, zone } = splitZone(this.#descriptor.socket.stack.network, address.address);
    return new UDPAddr(ip, address.port, zone);
  }

  #setDeadline(name: string, deadline: Date | number | null, ...queues: WaitQueue[]): void {
    // Go: deadlines and buffers name this end alone.
    if (this.#descriptor.isClosed) throw new OpError('set', this.#net, undefined, this.#local, errClosed);
    const at = monotonicDeadline(this.clock, deadline, `UDPConn.${name}: deadline`);
    for (const queue of queues) queue.setDeadline(at);
  }

  #setBuffer(name: string, option: number, bytes: number): void {
    if (!Number.isInteger(bytes)) throw new TypeError(`UDPConn.${name}: bytes must be an integer, got ${shown(bytes)}`);
    if (this.#descriptor.isClosed) throw new OpError('set', this.#net, undefined, this.#local, errClosed);
    this.#descriptor.socket.setsockopt(SOL_SOCKET, option, Math.min(Math.max(bytes, 0), 0x7fff_ffff));
  }

  #setReferenced(referenced: boolean): this {
    this.#descriptor.reads.setReferenced(referenced);
    this.#descriptor.writes.setReferenced(referenced);
    return this;
  }
}
