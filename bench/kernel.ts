/**
 * The kernel's sockets, called as a C program calls them: blocking system calls through koffi, with plain numbers. For a process
 * that does nothing else; no compiler is needed. See src/link/tun-system.ts for how memory is passed.
 */
import koffi from 'koffi';

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const O_RDONLY = 0;
const F_SETFL = 4;
const CLONE_NEWNET = 0x4000_0000;
const MSG_NOSIGNAL = 0x4000;
const SIOCOUTQ = 0x5411;
const IPPROTO_IP = 0;
const IPPROTO_TCP = 6;
const SOL_SOCKET = 1;
const IP_BIND_ADDRESS_NO_PORT = 24;
const TCP_NODELAY = 1;
const SO_LINGER = 13;
const SO_RCVTIMEO = 20;
const EINPROGRESS = 115;

export const EAGAIN = 11;
export const EINTR = 4;
export const POLLIN = 1;
export const POLLOUT = 4;

type Numbers = (...numbers: number[]) => number;

const libc = koffi.load(null);
const call = (prototype: string) => libc.func(prototype) as Numbers;
const open = libc.func('int open(const char *path, int flags)') as (path: string, flags: number) => number;
const socket = call('int socket(int family, int type, int protocol)');
const bind = call('int bind(int fd, uintptr_t address, unsigned int length)');
const connect = call('int connect(int fd, uintptr_t address, unsigned int length)');
const send = call('long send(int fd, uintptr_t buffer, size_t length, int flags)');
const recv = call('long recv(int fd, uintptr_t buffer, size_t length, int flags)');
const poll = call('int poll(uintptr_t entries, unsigned long count, int timeout)');
const setsockopt = call('int setsockopt(int fd, int level, int option, uintptr_t value, unsigned int length)');
const fcntl = call('int fcntl(int fd, int command, long argument)');
const ioctl = call('int ioctl(int fd, unsigned long request, uintptr_t argument)');
const setns = call('int setns(int fd, int type)');
const setaffinity = call('int sched_setaffinity(int pid, size_t length, uintptr_t mask)');
const closeFd = call('int close(int fd)');

/** Memory at a place that does not move; larger than what V8 keeps on its heap. */
function memory(length: number): { readonly view: DataView; readonly at: number } {
  const bytes = new Uint8Array(Math.max(length, 128));
  // The view keeps the bytes alive.
  return { view: new DataView(bytes.buffer), at: Number(koffi.address(bytes)) };
}

const LENGTH = 256 * 1024;
const buffer = memory(LENGTH);
const address = memory(16);
const word = memory(16);

/** The errno of the call before; of a call that did not fail: something else's. */
export const errno = (): number => koffi.errno();

function must(result: number, what: string): number {
  if (result >= 0) return result;
  throw new Error(`${what}: errno ${errno()}`);
}

/** Takes the calling thread into the network namespace of a process. */
export function enterNamespaceOf(pid: number): void {
  const fd = must(open(`/proc/${pid}/ns/net`, O_RDONLY), 'open the namespace');
  must(setns(fd, CLONE_NEWNET), 'setns');
  closeFd(fd);
}

/** Lets the main thread of a process (0: this one) run on these CPUs only, a bit each. */
export function pin(pid: number, cpus: number): void {
  word.view.setUint32(0, cpus >>> 0, true);
  word.view.setUint32(4, cpus / 2 ** 32, true);
  must(setaffinity(pid, 8, word.at), 'sched_setaffinity');
}

function writeAddress(host: string, port: number): void {
  address.view.setUint16(0, AF_INET, true);
  address.view.setUint16(2, port);
  for (const [i, byte] of host.split('.').entries()) address.view.setUint8(4 + i, Number(byte));
}

function option(fd: number, level: number, name: number, first: number, second?: number): void {
  word.view.setInt32(0, first, true);
  word.view.setInt32(4, second ?? 0, true);
  must(setsockopt(fd, level, name, word.at, second === undefined ? 4 : 8), `setsockopt ${name}`);
}

/** A non-blocking socket from `source` that connects to `host:port`; it is writable when it is there. */
export function dial(source: string, host: string, port: number): number {
  const fd = must(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), 'socket');
  // The port is chosen at connect, when both ends are known.
  option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  writeAddress(source, 0);
  must(bind(fd, address.at, 16), 'bind');
  writeAddress(host, port);
  if (connect(fd, address.at, 16) < 0 && errno() !== EINPROGRESS) must(-1, 'connect');
  return fd;
}

/** Sends `length` bytes of anything, at most 256 KiB. @returns how many were taken, or -1 */
export function write(fd: number, length = LENGTH): number {
  return send(fd, buffer.at, length, MSG_NOSIGNAL);
}

/** @returns bytes, 0 at the end, or -1 */
export function read(fd: number, length = LENGTH): number {
  return recv(fd, buffer.at, length, 0);
}

/** Bytes that the peer has not acknowledged. */
export function unacknowledged(fd: number): number {
  return ioctl(fd, SIOCOUTQ, word.at) < 0 ? 0 : word.view.getInt32(0, true);
}

/** Calls wait from now on, a read 5 s at most, and small writes leave at once. */
export function makeBlocking(fd: number): void {
  must(fcntl(fd, F_SETFL, 0), 'fcntl');
  option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  // struct timeval, 64 bits each: seconds, microseconds.
  word.view.setBigInt64(0, 5n, true);
  word.view.setBigInt64(8, 0n, true);
  must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, word.at, 16), 'setsockopt SO_RCVTIMEO');
}

/** With a RST: what is queued is thrown away. */
export function abort(fd: number): void {
  option(fd, SOL_SOCKET, SO_LINGER, 1, 0);
  closeFd(fd);
}

export function close(fd: number): void {
  closeFd(fd);
}

/** What poll(2) watches: a fixed number of places, each with a descriptor or none. */
export class PollSet {
  readonly size: number;
  readonly #entries: { readonly view: DataView; readonly at: number };

  constructor(size: number) {
    this.size = size;
    this.#entries = memory(8 * size);
    for (let i = 0; i < size; i++) this.set(i, -1, 0);
  }

  /** A descriptor of -1 is passed over. */
  set(place: number, fd: number, events: number): void {
    this.#entries.view.setInt32(8 * place, fd, true);
    this.#entries.view.setInt32(8 * place + 4, events, true);
  }

  fd(place: number): number {
    return this.#entries.view.getInt32(8 * place, true);
  }

  /** What is ready there, after `wait`. */
  ready(place: number): number {
    return this.#entries.view.getInt16(8 * place + 6, true);
  }

  /** Waits at most `timeout` ms. @returns how many places are ready */
  wait(timeout: number): number {
    return poll(this.#entries.at, this.size, timeout);
  }
}
