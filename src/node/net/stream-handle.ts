/**
 * One connection under a stream: what libuv's handle is to Node's net. It stands on a socket of the host, whose readiness it turns into
 * calls of its owner; never from inside the stack, but in a tick of their own.
 */
import { AsyncResource } from 'node:async_hooks';
import {
  AF_INET6,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_TCLASS,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  SHUT_WR,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_REUSEADDR,
  SOL_SOCKET,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
} from '../../socket/constants.ts';
import { EAGAIN, EBADF, EINPROGRESS, EINVAL, ENOTCONN } from '../../socket/errno.ts';
import type { Watcher } from '../../socket/poll.ts';
import type { Socket } from '../../socket/socket.ts';
import type { SocketAddress } from '../../socket/socket-address.ts';
import type { ConnectionHandle, Done, KeepAlive, StreamOwner } from './connection-handle.ts';
import { contextOfNobody, inContext } from './context.ts';
import { type AddressInfo, endName, parseEnd } from './end-name.ts';
import { Hold } from './hold.ts';
import type { Place } from './place.ts';
import { receiveChunk } from './receive-chunk.ts';

const READABLE = POLLIN | POLLRDHUP | POLLHUP | POLLERR;
const WRITABLE = POLLOUT | POLLHUP | POLLERR;
/** Reads in a row before others have their turn. */
const READS = 16;
/** libuv's: seconds between probes, and how many. */
const PROBE_INTERVAL = 1;
const PROBES = 10;
/** What a call is told whose handle is closed meanwhile. */
export const ECANCELED = 125;

interface PendingWrite {
  list: readonly Uint8Array[];
  left: number;
  readonly done: Done;
}

export class StreamHandle implements ConnectionHandle, Watcher {
  owner: StreamOwner | undefined;
  bytesRead = 0;
  bytesWritten = 0;
  readonly #place: Place;
  readonly #hold: Hold;
  readonly #context: AsyncResource;
  #socket: Socket | undefined;
  #connecting: Done | undefined;
  #write: PendingWrite | undefined;
  #reading = false;
  #ended = false;
  #closed = false;
  #due = false;

  /** @param socket one that was accepted */
  constructor(place: Place, socket?: Socket) {
    this.#place = place;
    this.#hold = new Hold(place.clock);
    // AsyncLocalStorage: events come in the context of who connected; of what is accepted in nobody's, as in Node.
    this.#context = socket === undefined ? new AsyncResource('TCPWRAP') : contextOfNobody('TCPWRAP');
    if (socket !== undefined) this.#watch(socket);
  }

  get reading(): boolean {
    return this.#reading;
  }

  get writeQueueSize(): number {
    return this.#write?.left ?? 0;
  }

  /** bind(2) to an address of a family, as text. @returns 0 or -errno */
  bind(address: string, port: number, family: number): number {
    const socket = this.#open(family);
    if (typeof socket === 'number') return socket;
    const local = parseEnd(socket.stack.network, address, family);
    if (local === undefined) return -EINVAL;
    socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
    return socket.bind({ address: local, port });
  }

  /** @returns 0: `done` will be told the outcome; or -errno, and it will not */
  connect(address: string, port: number, family: number, done: Done): number {
    const socket = this.#open(family);
    if (typeof socket === 'number') return socket;
    const to = parseEnd(socket.stack.network, address, family);
    if (to === undefined) return -EINVAL;
    const result = socket.connect({ address: to, port });
    if (result !== -EINPROGRESS && result !== 0) return result;
    this.#connecting = done;
    this.#soon();
    this.#keepAlive();
    return 0;
  }

  readStart(): void {
    this.#reading = true;
    this.#soon();
    this.#keepAlive();
  }

  readStop(): void {
    this.#reading = false;
    this.#keepAlive();
  }

  write(list: readonly Uint8Array[], bytes: number, done: Done): number {
    const socket = this.#socket;
    if (socket === undefined || this.#closed) return -EBADF;
    const taken = socket.sendv(list);
    if (taken < 0 && taken !== -EAGAIN) return taken;
    this.bytesWritten += bytes;
    const count = Math.max(taken, 0);
    if (count === bytes) return bytes;
    this.#write = { list: behind(list, count), left: bytes - count, done: inContext('WRITEWRAP', done) };
    this.#keepAlive();
    return count;
  }

  shutdown(): number {
    return this.#socket?.shutdown(SHUT_WR) ?? -ENOTCONN;
  }

  close(done?: () => void): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reading = false;
    this.#socket?.close();
    this.#hold.set(false);
    this.#later(() => {
      const [connecting, write] = [this.#connecting, this.#write];
      this.#connecting = undefined;
      this.#write = undefined;
      connecting?.(-ECANCELED);
      write?.done(-ECANCELED);
      done?.();
    });
  }

  reset(done?: () => void): void {
    this.#socket?.setsockopt(SOL_SOCKET, SO_LINGER, { onoff: 1, linger: 0 });
    this.close(done);
  }

  setNoDelay(on: boolean): void {
    this.#socket?.setsockopt(IPPROTO_TCP, TCP_NODELAY, Number(on));
  }

  setKeepAlive({ enable, delay, interval = PROBE_INTERVAL, count = PROBES }: KeepAlive): void {
    const socket = this.#socket;
    socket?.setsockopt(SOL_SOCKET, SO_KEEPALIVE, Number(enable));
    if (!enable || delay <= 0) return;
    socket?.setsockopt(IPPROTO_TCP, TCP_KEEPIDLE, delay);
    socket?.setsockopt(IPPROTO_TCP, TCP_KEEPINTVL, interval);
    socket?.setsockopt(IPPROTO_TCP, TCP_KEEPCNT, count);
  }

  setTypeOfService(tos: number): void {
    if (this.#socket?.domain === AF_INET6) this.#socket?.setsockopt(IPPROTO_IPV6, IPV6_TCLASS, tos);
    // On a socket of both families the peer may be of this one.
    this.#socket?.setsockopt(IPPROTO_IP, IP_TOS, tos);
  }

  typeOfService(): number | undefined {
    const tos = this.#socket?.getsockopt(IPPROTO_IP, IP_TOS);
    return typeof tos === 'number' && tos >= 0 ? tos : undefined;
  }

  ref(): void {
    this.#hold.referenced = true;
  }

  unref(): void {
    this.#hold.referenced = false;
  }

  localName(): AddressInfo | undefined {
    return this.#name(this.#socket?.getsockname());
  }

  peerName(): AddressInfo | undefined {
    return this.#name(this.#socket?.getpeername());
  }

  #name(name: SocketAddress | number | undefined): AddressInfo | undefined {
    const socket = this.#socket;
    if (socket === undefined || name === undefined || typeof name === 'number') return undefined;
    return endName(socket.stack.network, name, socket.domain);
  }

  /** For the socket. */
  onReady(): void {
    this.#soon();
  }

  #open(family: number): Socket | number {
    if (this.#socket !== undefined) return this.#socket;
    const socket = this.#place.open(family);
    if (typeof socket !== 'number') this.#watch(socket);
    return socket;
  }

  #watch(socket: Socket): void {
    this.#socket = socket;
    socket.watcher = this;
  }

  /** Looks at what is ready as soon as nothing else runs; at a new connection when its other end, if that is on this host, was accepted: so the kernel has it. */
  #soon(): void {
    if (this.#due || this.#closed) return;
    this.#due = true;
    if (this.#connecting === undefined) process.nextTick(act, this);
    else this.#place.clock.defer(() => process.nextTick(act, this));
  }

  #later(call: () => void): void {
    this.#place.clock.defer(() => this.#context.runInAsyncScope(call));
  }

  /** For `act` alone. What the owner throws is nobody's here; what is left to do is done all the same. */
  act(): void {
    this.#due = false;
    let done = false;
    try {
      this.#context.runInAsyncScope(this.#serve, this);
      done = true;
    } finally {
      if (!done) this.#soon();
    }
  }

  #serve(): void {
    const socket = this.#socket;
    if (this.#closed || socket === undefined) return;
    const mask = socket.poll();
    if (this.#connecting !== undefined) {
      if ((mask & WRITABLE) !== 0) this.#connected(socket);
      return;
    }
    if (this.#reading && !this.#ended && (mask & READABLE) !== 0) this.#read(socket);
    if (this.#write !== undefined && !this.#closed && (mask & WRITABLE) !== 0) this.#goOn(socket, this.#write);
  }

  #connected(socket: Socket): void {
    const done = this.#connecting as Done;
    this.#connecting = undefined;
    this.#keepAlive();
    done(-(socket.getsockopt(SOL_SOCKET, SO_ERROR) as number));
  }

  #read(socket: Socket): void {
    for (let reads = 0; this.#reading && !this.#closed; reads++) {
      if (reads === READS) return this.#place.clock.defer(() => this.act());
      const { owner } = this;
      const into = owner?.readBuffer;
      const chunk = into ?? receiveChunk(socket);
      const count = typeof chunk === 'number' ? chunk : into === undefined ? chunk.length : socket.recv(into);
      if (count === -EAGAIN) return;
      // What the bytes before it set off is over when the end is told of: libuv has a callback for each.
      if (count === 0 && reads > 0) return this.#place.clock.defer(() => this.act());
      if (count <= 0) return this.#over(count);
      this.bytesRead += count;
      if (owner?.received(chunk as Uint8Array, count) === false) this.readStop();
    }
  }

  /** The end of the stream, or its failure: nothing more is read. */
  #over(status: number): void {
    this.#ended = true;
    this.#keepAlive();
    if (status === 0) this.owner?.ended();
    else this.owner?.failed(status);
  }

  #goOn(socket: Socket, write: PendingWrite): void {
    const taken = socket.sendv(write.list);
    if (taken === -EAGAIN) return;
    if (taken >= 0) {
      write.left -= taken;
      write.list = behind(write.list, taken);
      if (write.left > 0) return;
    }
    this.#write = undefined;
    this.#keepAlive();
    write.done(Math.min(taken, 0));
  }

  /** As long as something is awaited here the process lives. */
  #keepAlive(): void {
    const waits = (this.#reading && !this.#ended) || this.#connecting !== undefined || this.#write !== undefined;
    this.#hold.set(waits && !this.#closed);
  }
}

function act(handle: StreamHandle): void {
  handle.act();
}

/** What is left of the list when the first `count` bytes are gone. */
function behind(list: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let first = 0;
  let rest = count;
  while (first < list.length && rest >= (list[first] as Uint8Array).length)
    rest -= (list[first++] as Uint8Array).length;
  if (first === 0 && rest === 0) return list;
  const left = list.slice(first);
  if (left.length > 0) left[0] = (left[0] as Uint8Array).subarray(rest);
  return left;
}
