/** dgram.Socket over a host's UDP: Node's calls, events and errors. */
import { EventEmitter } from 'node:events';
import type { Host } from '../../host.ts';
import type { Closable } from '../../net/descriptor.ts';
import { parseIPAddr } from '../../net/ip-addr.ts';
import { splitZone, withZone } from '../../net/zones.ts';
import {
  AF_INET,
  AF_INET6,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_UNICAST_HOPS,
  IPV6_V6ONLY,
  POLLERR,
  POLLIN,
  POLLOUT,
  SO_BROADCAST,
  SO_RCVBUF,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_SNDBUF,
  SOCK_DGRAM,
  SOL_SOCKET,
} from '../../socket/constants.ts';
import type { DatagramMessage } from '../../socket/datagram-message.ts';
import type { DatagramSocket } from '../../socket/datagram-socket.ts';
import { EAGAIN, EBADF } from '../../socket/errno.ts';
import type { SocketAddress } from '../../socket/socket-address.ts';
import type { AddressInfo } from '../duplex.ts';
import { Hold } from '../net/hold.ts';
import { codedError, invalidArgType } from '../net/node-errors.ts';
import { addressError, callError, lookupError } from '../net/system-errors.ts';
import { type Message, portOf, type SendCallback, sendArguments } from './arguments.ts';

export interface DgramOptions {
  readonly type: 'udp4' | 'udp6';
  readonly reuseAddr?: boolean | undefined;
  readonly reusePort?: boolean | undefined;
  readonly ipv6Only?: boolean | undefined;
  readonly recvBufferSize?: number | undefined;
  readonly sendBufferSize?: number | undefined;
  /** Closes the socket. */
  readonly signal?: AbortSignal | undefined;
}

export interface DgramBindOptions {
  readonly port?: number | undefined;
  readonly address?: string | undefined;
}

/** Who sent a message. */
export interface RemoteInfo extends AddressInfo {
  readonly family: 'IPv4' | 'IPv6';
  /** Bytes. */
  readonly size: number;
}

/** A datagram that waits to be sent. */
interface Waiting {
  readonly list: readonly Uint8Array[];
  readonly to: SocketAddress | undefined;
  readonly name: string | undefined;
  readonly callback: SendCallback | undefined;
}

/** Messages of one turn of the event loop. */
const BURST = 64;
const LARGEST = 65_535;

export class DgramSocket extends EventEmitter {
  readonly type: 'udp4' | 'udp6';
  readonly #host: Host;
  readonly #socket: DatagramSocket;
  readonly #waiting: Waiting[] = [];
  #state: 'unbound' | 'binding' | 'bound' | 'closed' = 'unbound';
  #peer: 'none' | 'connecting' | 'connected' = 'none';
  readonly #hold: Hold;
  #reading = false;
  /** What was asked for before it was bound. */
  #later: (() => void)[] = [];
  /** By this the host closes it, and a signal. */
  readonly #end: Closable;
  readonly #signal: AbortSignal | undefined;

  /** For `createDgram` alone. */
  constructor(host: Host, options: DgramOptions) {
    super();
    const { type, reuseAddr, reusePort, ipv6Only, recvBufferSize, sendBufferSize, signal } = options;
    if (type !== 'udp4' && type !== 'udp6')
      throw codedError(TypeError, 'ERR_SOCKET_BAD_TYPE', 'Bad socket type specified. Valid types are: udp4, udp6');
    this.type = type;
    this.#host = host;
    this.#hold = new Hold(host.clock);
    this.#socket = host.socket(type === 'udp4' ? AF_INET : AF_INET6, SOCK_DGRAM);
    if (reuseAddr === true) this.#set(SOL_SOCKET, SO_REUSEADDR, 1);
    if (reusePort === true) this.#set(SOL_SOCKET, SO_REUSEPORT, 1);
    if (type === 'udp6' && ipv6Only === true) this.#set(IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (recvBufferSize !== undefined) this.#set(SOL_SOCKET, SO_RCVBUF, recvBufferSize);
    if (sendBufferSize !== undefined) this.#set(SOL_SOCKET, SO_SNDBUF, sendBufferSize);
    this.#socket.onReady = (mask) => this.#ready(mask);
    this.#end = { isClosed: false, close: () => this.#closeOnce() };
    host.open.add(this.#end);
    this.#signal = signal;
    signal?.addEventListener('abort', this.#end.close, { once: true });
    if (signal?.aborted === true) process.nextTick(this.#end.close);
  }

  /** Takes a port, a free one for none or 0, on an address, all for none; then `listening` is emitted. */
  bind(port?: number | DgramBindOptions | (() => void), address?: string | (() => void), callback?: () => void): this {
    this.#check();
    if (this.#state !== 'unbound') throw codedError(Error, 'ERR_SOCKET_ALREADY_BOUND', 'Socket is already bound');
    const done = [port, address, callback].find((one): one is () => void => typeof one === 'function');
    const options = typeof port === 'object' && port !== null ? port : {};
    const given: unknown = typeof port === 'object' || typeof port === 'function' ? options.port : port;
    const number = portOf(given ?? 0, true);
    const name = (typeof address === 'string' ? address : options.address) || (this.type === 'udp4' ? '0.0.0.0' : '::');
    if (done !== undefined) this.once('listening', done);
    this.#state = 'binding';
    this.#resolve(name, (error, found) => {
      if (this.#state === 'closed') return;
      const result = found === undefined ? 0 : this.#socket.bind({ address: found, port: number });
      if (found !== undefined && result === 0) return this.#bound();
      this.#state = 'unbound';
      this.#later = [];
      if (done !== undefined) this.off('listening', done);
      this.emit('error', error ?? addressError(result, 'bind', name, number));
    });
    return this;
  }

  /** Whom to send to, and from whom to receive; then `connect` is emitted. */
  connect(port: number, address?: string | (() => void), callback?: () => void): void {
    this.#check();
    const number = portOf(port, false);
    const done = typeof address === 'function' ? address : callback;
    const name = typeof address === 'string' && address !== '' ? address : this.#here();
    if (this.#peer !== 'none') throw codedError(Error, 'ERR_SOCKET_DGRAM_IS_CONNECTED', 'Already connected');
    this.#peer = 'connecting';
    if (done !== undefined) this.once('connect', done);
    this.#whenBound(() =>
      this.#resolve(name, (error, found) => {
        if (this.#state === 'closed') return;
        const result = found === undefined ? 0 : this.#socket.connect({ address: found, port: number });
        this.#peer = found === undefined || result < 0 ? 'none' : 'connected';
        if (this.#peer === 'connected') {
          this.emit('connect');
          return;
        }
        if (done !== undefined) this.off('connect', done);
        this.emit('error', error ?? addressError(result, 'connect', name, number));
      }),
    );
  }

  /** @throws Error ERR_SOCKET_DGRAM_NOT_CONNECTED */
  disconnect(): void {
    this.#checkPeer();
    this.#socket.disconnect();
    this.#peer = 'none';
    // Linux lets a port go that bind did not name; a socket of Node's is bound all the same.
    if ((this.#socket.getsockname() as SocketAddress).port === 0)
      this.#socket.bind({ address: this.#socket.any, port: 0 });
  }

  /**
   * One datagram: `send(msg[, offset, length][, port][, address][, callback])`; a socket that is not bound takes a port.
   * The callback is told of what went wrong; without one nobody is, but for names that are not found: `error`.
   */
  send(message: Message | readonly Message[], ...rest: unknown[]): void {
    this.#check();
    const connected = this.#peer === 'connected';
    const { list, port, address, callback } = sendArguments([message, ...rest], connected);
    if (this.#state === 'unbound') this.bind(0);
    // The caller may write on in his buffers.
    const copies = list.map((bytes) => bytes.slice());
    this.#whenBound(() => {
      if (port === undefined) return this.#queue({ list: copies, to: undefined, name: undefined, callback });
      const name = address ?? this.#here();
      this.#resolve(name, (error, found) => {
        if (found === undefined && callback === undefined) return void this.emit('error', error);
        if (found === undefined) return this.#told(callback, error, 0);
        this.#queue({ list: copies, to: { address: found, port }, name, callback });
      });
    });
  }

  /** Ends it: what was sent still goes; then `close` is emitted. */
  close(callback?: () => void): this {
    if (callback !== undefined) this.once('close', callback);
    if (this.#state === 'closed') throw codedError(Error, 'ERR_SOCKET_DGRAM_NOT_RUNNING', 'Not running');
    this.#closeOnce();
    return this;
  }

  /** @throws Error ERR_SOCKET_DGRAM_NOT_RUNNING; `getsockname EBADF` before it is bound */
  address(): AddressInfo {
    this.#check();
    return this.#info(this.#socket.getsockname(), 'getsockname');
  }

  /** @throws Error ERR_SOCKET_DGRAM_NOT_CONNECTED */
  remoteAddress(): AddressInfo {
    this.#checkPeer();
    return this.#info(this.#socket.getpeername(), 'getpeername');
  }

  setBroadcast(flag: boolean): void {
    this.#apply('setBroadcast', SOL_SOCKET, SO_BROADCAST, flag ? 1 : 0);
  }

  /** Hops that datagrams to one host may take, 1 to 255. */
  setTTL(ttl: number): number {
    if (typeof ttl !== 'number') throw invalidArgType('ttl', 'of type number', ttl);
    if (this.type === 'udp6') this.#apply('setTTL', IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl);
    this.#apply('setTTL', IPPROTO_IP, IP_TTL, ttl);
    return ttl;
  }

  /** Bytes; the stack doubles them, as Linux does, and keeps them within its limits. */
  setRecvBufferSize(size: number): void {
    this.#apply('setRecvBufferSize', SOL_SOCKET, SO_RCVBUF, size);
  }

  setSendBufferSize(size: number): void {
    this.#apply('setSendBufferSize', SOL_SOCKET, SO_SNDBUF, size);
  }

  getRecvBufferSize(): number {
    this.#check();
    return this.#socket.getsockopt(SOL_SOCKET, SO_RCVBUF) as number;
  }

  getSendBufferSize(): number {
    this.#check();
    return this.#socket.getsockopt(SOL_SOCKET, SO_SNDBUF) as number;
  }

  /** Bytes that wait for room. */
  getSendQueueSize(): number {
    return this.#waiting.reduce((sum, { list }) => sum + list.reduce((bytes, { length }) => bytes + length, 0), 0);
  }

  /** Datagrams that wait for room. */
  getSendQueueCount(): number {
    return this.#waiting.length;
  }

  /** A bound socket keeps the process alive: again. */
  ref(): this {
    this.#hold.referenced = true;
    return this;
  }

  /** It no longer keeps the process alive. */
  unref(): this {
    this.#hold.referenced = false;
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === 'closed') return;
    const closed = new Promise((resolve) => this.once('close', resolve));
    this.#closeOnce();
    await closed;
  }

  #bound(): void {
    this.#state = 'bound';
    this.#hold.set(true);
    this.emit('listening');
    for (const call of this.#later.splice(0)) call();
    this.#read();
  }

  #whenBound(call: () => void): void {
    if (this.#state === 'bound') return call();
    this.#later.push(call);
    if (this.#state === 'unbound') this.bind(0);
  }

  #queue(datagram: Waiting): void {
    this.#waiting.push(datagram);
    if (this.#waiting.length === 1) this.#flush();
  }

  #flush(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#state === 'bound'; next = this.#waiting[0]) {
      const result = this.#socket.sendv(next.list, 0, next.to);
      if (result === -EAGAIN) return;
      this.#waiting.shift();
      const { to, name, callback } = next;
      if (result >= 0) this.#told(callback, null, result);
      else this.#told(callback, addressError(result, 'send', name, to?.port), 0);
    }
  }

  /** Later: whoever sends is not called back while he does. */
  #told(callback: SendCallback | undefined, error: Error | null, bytes: number): void {
    if (callback !== undefined) process.nextTick(callback, error, bytes);
  }

  /** From inside the stack's loop: users are called later. */
  #ready(mask: number): void {
    if ((mask & POLLOUT) !== 0) this.#flush();
    if ((mask & (POLLIN | POLLERR)) === 0 || this.#reading) return;
    this.#reading = true;
    queueMicrotask(() => {
      this.#reading = false;
      this.#read();
    });
  }

  #read(): void {
    if (this.#state !== 'bound' || this.#reading) return;
    const buffer = scratch;
    for (let i = 0; i < BURST && (this.#state as string) === 'bound'; i++) {
      const got = this.#socket.recvfrom(buffer);
      if (got === -EAGAIN) return;
      if (typeof got === 'number') this.#failed(-got);
      else this.emit('message', Buffer.from(buffer.subarray(0, got.length)), this.#sender(got));
    }
    if (this.#state !== 'bound') return;
    this.#reading = true;
    setImmediate(() => {
      this.#reading = false;
      this.#read();
    });
  }

  #failed(errno: number): void {
    this.emit('error', callError(-errno, 'recvmsg'));
  }

  #sender({ from, length }: DatagramMessage): RemoteInfo {
    return { ...this.#info(from, ''), size: length } as RemoteInfo;
  }

  #info(at: SocketAddress | number, syscall: string): AddressInfo {
    if (typeof at === 'number') throw callError(at, syscall);
    if (at.port === 0) throw callError(-EBADF, syscall);
    const { ip, zone } = splitZone(this.#socket.stack.network, at.address);
    // Node shows IPv4 in a socket of IPv6 as the kernel has it there.
    const text = this.type === 'udp6' && ip.family === 4 ? `::ffff:${ip}` : `${ip}`;
    const family = this.type === 'udp6' ? 'IPv6' : 'IPv4';
    return { address: zone === '' ? text : `${text}%${zone}`, family, port: at.port };
  }

  /** Names and literals. */
  #resolve(name: string, done: (error: Error | null, found?: SocketAddress['address']) => void): void {
    const literal = parseIPAddr(name);
    const { network } = this.#socket.stack;
    if (literal !== undefined && (this.type === 'udp6' || literal.ip.family === 4))
      return process.nextTick(done, null, withZone(network, literal.ip, literal.zone));
    const family = this.type === 'udp4' ? 4 : 6;
    this.#host.lookupHost(name, { network: `ip${family}` }).then(
      (list) => {
        const fitting = list.map(parseIPAddr).find((one) => one?.ip.family === family);
        if (fitting === undefined) done(lookupError(name));
        else done(null, withZone(network, fitting.ip, fitting.zone));
      },
      () => done(lookupError(name)),
    );
  }

  #here(): string {
    return this.type === 'udp4' ? '127.0.0.1' : '::1';
  }

  #apply(name: string, level: number, option: number, value: number): void {
    this.#check();
    const result = this.#socket.setsockopt(level, option, value);
    if (result < 0) throw callError(result, name);
  }

  #set(level: number, option: number, value: number): void {
    this.#socket.setsockopt(level, option, value);
  }

  #check(): void {
    if (this.#state === 'closed') throw codedError(Error, 'ERR_SOCKET_DGRAM_NOT_RUNNING', 'Not running');
  }

  #checkPeer(): void {
    this.#check();
    if (this.#peer !== 'connected') throw codedError(Error, 'ERR_SOCKET_DGRAM_NOT_CONNECTED', 'Not connected');
  }

  #closeOnce(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#hold.set(false);
    this.#socket.close();
    this.#host.open.delete(this.#end);
    this.#signal?.removeEventListener('abort', this.#end.close);
    this.#waiting.length = 0;
    process.nextTick(() => this.emit('close'));
  }
}

/** One for all: a message is copied out of it. */
const scratch = new Uint8Array(LARGEST);
