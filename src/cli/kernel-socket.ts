/** The kernel's sockets with the calls of ours, for scripts that are played against it. They never wait. */
import { createRequire } from 'node:module';
import type { TestSocket } from '../packetdrill/target.ts';
import {
  AF_INET6,
  IPPROTO_TCP,
  MSG_OOB,
  SIOCINQ,
  SO_LINGER,
  SO_MEMINFO,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  SOL_SOCKET,
  TCP_CONGESTION,
  TCP_FASTOPEN_KEY,
  TCP_INFO,
  TCP_INQ,
  TCP_QUICKACK,
} from '../socket/constants.ts';
import type { AoAdd, Md5Signature } from '../socket/key-values.ts';
import type { Linger, Timeval } from '../socket/option-value.ts';
import type { ReceivedMessage } from '../socket/receiving.ts';
import type { SocketAddress } from '../socket/socket.ts';
import type { TcpInfo } from '../tcp/info.ts';
import { fromSockaddr, SOCKADDR_LENGTH, toSockaddr } from './kernel-address.ts';
import { aoStructure, md5Structure } from './kernel-keys.ts';
import { readTcpInfo } from './kernel-tcp-info.ts';

const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;

/** Each call returns what the C function returns; -1: look at `errno()` at once. */
interface Libc {
  errno(): number;
  socket(family: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  listen(fd: number, backlog: number): number;
  accept4(fd: number, address: null, length: null, flags: number): number;
  connect(fd: number, address: Uint8Array, length: number): number;
  send(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  sendto(
    fd: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: number,
  ): number;
  recv(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  shutdown(fd: number, how: number): number;
  close(fd: number): number;
  getsockname(fd: number, address: Uint8Array, length: Int32Array): number;
  getpeername(fd: number, address: Uint8Array, length: Int32Array): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number;
  getsockopt(fd: number, level: number, option: number, value: Uint8Array, length: Int32Array): number;
  ioctl(fd: number, request: number, value: Int32Array): number;
  poll(list: Uint8Array, count: number, timeout: number): number;
}

let loaded: Libc | undefined;

function libc(): Libc {
  loaded ??= load();
  return loaded;
}

function load(): Libc {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const lib = koffi.load(null);
  return {
    errno: koffi.errno,
    socket: lib.func('int socket(int family, int type, int protocol)'),
    bind: lib.func('int bind(int fd, void *address, uint32_t length)'),
    listen: lib.func('int listen(int fd, int backlog)'),
    accept4: lib.func('int accept4(int fd, void *address, void *length, int flags)'),
    connect: lib.func('int connect(int fd, void *address, uint32_t length)'),
    send: lib.func('int64_t send(int fd, void *bytes, size_t length, int flags)'),
    sendto: lib.func(
      'int64_t sendto(int fd, void *bytes, size_t length, int flags, void *address, uint32_t addressLength)',
    ),
    recv: lib.func('int64_t recv(int fd, _Out_ void *bytes, size_t length, int flags)'),
    shutdown: lib.func('int shutdown(int fd, int how)'),
    close: lib.func('int close(int fd)'),
    getsockname: lib.func('int getsockname(int fd, _Out_ void *address, _Inout_ int *length)'),
    getpeername: lib.func('int getpeername(int fd, _Out_ void *address, _Inout_ int *length)'),
    setsockopt: lib.func('int setsockopt(int fd, int level, int option, void *value, uint32_t length)'),
    getsockopt: lib.func('int getsockopt(int fd, int level, int option, _Out_ void *value, _Inout_ int *length)'),
    ioctl: lib.func('int ioctl(int fd, unsigned long request, _Out_ int *value)'),
    poll: lib.func('int poll(_Inout_ void *list, unsigned long count, int timeout)'),
  } as unknown as Libc;
}

/** Waits until the descriptor can be read, `timeout` ms at most. */
export function waitReadable(fd: number, timeout: number): void {
  libc().poll(pollList(fd, 1), 1, timeout);
}

function pollList(fd: number, events: number): Uint8Array {
  const list = new Uint8Array(8);
  const view = new DataView(list.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, events, true);
  return list;
}

/** socket(2). @returns a socket, or a negated errno */
export function kernelSocket(domain: number, type: number, protocol: number): KernelSocket | number {
  const fd = libc().socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  return fd < 0 ? -libc().errno() : new KernelSocket(fd, domain);
}

export class KernelSocket implements TestSocket {
  readonly #fd: number;
  /** As it was made: AF_INET6's addresses are longer. */
  readonly #domain: number;

  constructor(fd: number, domain: number) {
    this.#fd = fd;
    this.#domain = domain;
  }

  /** The descriptor, for calls that are not here. */
  get fd(): number {
    return this.#fd;
  }

  bind(at: SocketAddress): number {
    const address = toSockaddr(this.#domain, at);
    return result(libc().bind(this.#fd, address, address.length));
  }

  listen(backlog: number): number {
    return result(libc().listen(this.#fd, backlog));
  }

  accept(): KernelSocket | number {
    const fd = libc().accept4(this.#fd, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return fd < 0 ? -libc().errno() : new KernelSocket(fd, this.#domain);
  }

  disconnect(): number {
    // AF_UNSPEC.
    return result(libc().connect(this.#fd, new Uint8Array(SOCKADDR_LENGTH), SOCKADDR_LENGTH));
  }

  connect(to: SocketAddress): number {
    const address = toSockaddr(this.#domain, to);
    return result(libc().connect(this.#fd, address, address.length));
  }

  send(bytes: Uint8Array, flags = 0, to?: SocketAddress): number {
    const bits = flags | MSG_NOSIGNAL;
    if (to === undefined) return result(libc().send(this.#fd, bytes, bytes.length, bits));
    const address = toSockaddr(this.#domain, to);
    return result(libc().sendto(this.#fd, bytes, bytes.length, bits, address, address.length));
  }

  sendv(list: readonly Uint8Array[], flags = 0, to?: SocketAddress): number {
    return this.send(new Uint8Array(list.reduce((sum, each) => sum + each.length, 0)), flags, to);
  }

  /** A call that waited in the kernel would make the ACK of the SYN-ACK wait for its data; for this one TCP_QUICKACK does. */
  awaitWrite(): void {
    this.setsockopt(IPPROTO_TCP, TCP_QUICKACK, 0);
  }

  recv(into: Uint8Array, flags = 0): number {
    return result(libc().recv(this.#fd, into, into.length, flags));
  }

  /** As recvmsg would, but for the flags: what is left is asked for behind it. */
  recvmsg(list: readonly Uint8Array[], flags = 0): ReceivedMessage | number {
    const length = this.recv(new Uint8Array(list.reduce((sum, each) => sum + each.length, 0)), flags);
    if (length < 0) return length;
    const inq = this.getsockopt(IPPROTO_TCP, TCP_INQ) === 1 ? this.ioctl(SIOCINQ) : undefined;
    return { length, flags: flags & MSG_OOB, inq };
  }

  shutdown(how: number): number {
    return result(libc().shutdown(this.#fd, how));
  }

  close(): number {
    return result(libc().close(this.#fd));
  }

  getsockname(): SocketAddress | number {
    const address = new Uint8Array(SOCKADDR_LENGTH);
    return libc().getsockname(this.#fd, address, Int32Array.of(SOCKADDR_LENGTH)) < 0
      ? -libc().errno()
      : fromSockaddr(address);
  }

  getpeername(): SocketAddress | number {
    const address = new Uint8Array(SOCKADDR_LENGTH);
    return libc().getpeername(this.#fd, address, Int32Array.of(SOCKADDR_LENGTH)) < 0
      ? -libc().errno()
      : fromSockaddr(address);
  }

  setsockopt(level: number, option: number, value: KernelValue): number {
    const bytes = bytesOf(value, this.#domain === AF_INET6);
    return result(libc().setsockopt(this.#fd, level, option, bytes, bytes.length));
  }

  getsockopt(level: number, option: number): number | string | Linger | Timeval | Uint8Array | TcpInfo {
    const bytes = new Uint8Array(512);
    const length = Int32Array.of(bytes.length);
    if (libc().getsockopt(this.#fd, level, option, bytes, length) < 0) return -libc().errno();
    const view = new DataView(bytes.buffer);
    if (level === SOL_SOCKET && option === SO_MEMINFO) return bytes.slice(0, length[0]);
    if (level === IPPROTO_TCP && option === TCP_FASTOPEN_KEY) return bytes.subarray(0, length[0]);
    if (level === IPPROTO_TCP && option === TCP_INFO) return readTcpInfo(view, length[0] as number);
    if (level === IPPROTO_TCP && option === TCP_CONGESTION) return nameIn(bytes);
    const first = view.getInt32(0, true);
    if (level === SOL_SOCKET && (option === SO_RCVTIMEO || option === SO_SNDTIMEO)) {
      return { sec: Number(view.getBigInt64(0, true)), usec: Number(view.getBigInt64(8, true)) };
    }
    if (level === SOL_SOCKET && option === SO_LINGER) return { onoff: first, linger: view.getInt32(4, true) };
    return first;
  }

  ioctl(request: number): number {
    const value = new Int32Array(1);
    return libc().ioctl(this.#fd, request, value) < 0 ? -libc().errno() : (value[0] as number);
  }

  poll(): number {
    const list = pollList(this.#fd, 0x2007);
    libc().poll(list, 1, 0);
    return new DataView(list.buffer).getUint16(6, true);
  }
}

function result(value: number | bigint): number {
  return value < 0 ? -libc().errno() : Number(value);
}

/** Up to its zero byte. */
function nameIn(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}

/** What its options are set to. */
type KernelValue = number | string | Linger | Timeval | Uint8Array | Md5Signature | AoAdd;

function bytesOf(value: KernelValue, six: boolean): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return new TextEncoder().encode(value);
  if (typeof value === 'object' && 'key' in value) {
    return 'addr' in value ? aoStructure(value, six) : md5Structure(value, six);
  }
  if (typeof value === 'object' && 'usec' in value) {
    return new Uint8Array(BigInt64Array.of(BigInt(value.sec), BigInt(value.usec)).buffer);
  }
  const words = typeof value === 'number' ? Int32Array.of(value) : Int32Array.of(value.onoff, value.linger);
  return new Uint8Array(words.buffer);
}
