/**
 * The system calls that a TUN link makes, on koffi: no native code of our own, nothing to compile.
 *
 * Memory is passed as an address (a number): asking for the address of a buffer costs a BigInt, so it is asked
 * once per buffer, and a call then takes plain numbers only. The buffers are not copied: who passes an address keeps the buffer
 * reachable until the call returns.
 */
import { createRequire } from 'node:module';
import { TunError } from './tun-error.ts';

export const O_RDWR = 0o2;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;

/** What a poll handle reports: a libuv status (0, or a negative errno when the descriptor failed), and what is ready. */
export type PollCallback = (status: number, ready: { readonly readable: boolean; readonly writable: boolean }) => void;

export interface PollHandle {
  /** Watches for this from now on, instead of what it watched for. */
  start(events: { readable: boolean; writable: boolean }, callback: PollCallback): void;
  stop(): void;
  /** Stops, and gives the handle back; before the descriptor is closed. */
  close(): void;
  /** Lets the process end while the handle is active. */
  unref(): void;
}

/** Each call returns what the C function returns; -1: look at `errno()` at once. */
export interface TunSystem {
  errno(): number;
  open(path: string, flags: number): number;
  close(fd: number): number;
  read(fd: number, address: number, length: number): number;
  /** `vectors`: the address of `count` pairs of address and length, 64 bits each. */
  writev(fd: number, vectors: number, count: number): number;
  /** `argument` is a number or an address, as the request has it. */
  ioctl(fd: number, request: number, argument: number): number;
  socket(family: number, type: number, protocol: number): number;
  send(fd: number, address: number, length: number, flags: number): number;
  recv(fd: number, address: number, length: number, flags: number): number;
  fcntl(fd: number, command: number, argument: number): number;
  /** For the calling thread: Node's main thread, when called there. */
  unshare(flags: number): number;
  /** Replaces the process by a program of PATH; returns only when that failed. */
  execvp(program: string, argv: readonly string[]): number;
  /** Where the buffer lies. It does not move: buffers of more than 64 bytes lie outside of V8's heap. */
  addressOf(bytes: Uint8Array): number;
  /** A poll handle on Node's event loop that watches nothing yet. */
  poll(fd: number): PollHandle;
}

/** Where the numbers in these files (ioctl requests, struct layouts) hold: 64 bits, little endian, the generic ioctl encoding. */
const ARCHITECTURES = ['x64', 'arm64', 'riscv64', 'loong64'];

let loaded: TunSystem | undefined;

/**
 * The calls of this machine; they are loaded on first use.
 * @throws TunError ENOSYS not Linux, or an architecture that nothing is known about; ERR_DLOPEN_FAILED koffi cannot be loaded
 */
export function tunSystem(): TunSystem {
  loaded ??= load();
  return loaded;
}

function load(): TunSystem {
  if (process.platform !== 'linux' || !ARCHITECTURES.includes(process.arch)) {
    throw new TunError(
      'ENOSYS',
      `TUN devices are for Linux on ${ARCHITECTURES.join(', ')}, not ${process.platform} on ${process.arch}`,
      {
        advice: 'use a pipe between two hosts (createPipe), or linkFromDuplex with a TUN stream of your own',
      },
    );
  }
  try {
    return bind(createRequire(import.meta.url)('koffi') as typeof import('koffi'));
  } catch (cause) {
    throw new TunError(
      'ERR_DLOPEN_FAILED',
      `cannot load koffi, which makes the system calls: ${(cause as Error).message}`,
      {
        advice: 'install it with its prebuilt library for this machine (npm install koffi, without --omit=optional)',
        cause,
      },
    );
  }
}

function bind(koffi: typeof import('koffi')): TunSystem {
  const libc = koffi.load(null);
  const callPoll = koffi.node.poll as unknown as (fd: number, events: object, callback: PollCallback) => PollHandle;
  return {
    errno: koffi.errno,
    open: libc.func('int open(const char *path, int flags)'),
    close: libc.func('int close(int fd)'),
    read: libc.func('int read(int fd, uintptr_t address, size_t length)'),
    writev: libc.func('int writev(int fd, uintptr_t vectors, int count)'),
    ioctl: libc.func('int ioctl(int fd, unsigned long request, uintptr_t argument)'),
    socket: libc.func('int socket(int family, int type, int protocol)'),
    send: libc.func('int send(int fd, uintptr_t address, size_t length, int flags)'),
    recv: libc.func('int recv(int fd, uintptr_t address, size_t length, int flags)'),
    fcntl: libc.func('int fcntl(int fd, int command, long argument)'),
    unshare: libc.func('int unshare(int flags)'),
    execvp: execvp(libc),
    addressOf: (bytes) => Number(koffi.address(bytes)),
    // koffi 3.3.4 hands the callback (status, events), where its index.d.ts has (events) only. It makes the handle active at once.
    poll: (fd) => {
      const handle = callPoll(fd, { readable: true, writable: false }, () => {});
      handle.stop();
      return handle;
    },
  };
}

function execvp(libc: ReturnType<typeof import('koffi').load>): TunSystem['execvp'] {
  const call = libc.func('int execvp(const char *program, const char **argv)') as (
    program: string,
    argv: (string | null)[],
  ) => number;
  return (program, argv) => call(program, [...argv, null]);
}
