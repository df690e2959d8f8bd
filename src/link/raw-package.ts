/**
 * The npm package `raw-socket`, as far as a raw link uses it: one socket, read and written synchronously. The package's own reading and
 * writing serves one packet for each turn of the event loop; its lower half (`wrap`), which that stands on, does without.
 *
 * It is an optional dependency: it is loaded when the first link is opened (docs/decisions/raw-socket.md).
 */
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { codeOf, PRIVILEGE_ADVICE, RawError } from './raw-error.ts';
import type { TunSystem } from './tun-system.ts';

/** `SocketWrap` of the package's native half. Calls throw an Error whose message is strerror(3)'s. */
interface SocketWrap {
  on(event: 'recvReady' | 'sendReady', listener: () => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  removeAllListeners(): void;
  recv(buffer: Buffer, callback: (buffer: Buffer, bytes: number, source: string) => void): void;
  send(buffer: Buffer, offset: number, length: number, address: string, callback: (bytes: number) => void): void;
  setOption(level: number, option: number, value: number): void;
  setOption(level: number, option: number, value: Buffer, length: number): void;
  getOption(level: number, option: number, value: Buffer, length: number): number;
  /** What the event loop waits for no longer. */
  pause(reading: boolean, writing: boolean): void;
  close(): void;
}

interface RawPackage {
  readonly createSocket: (options: { protocol: number; addressFamily: number }) => { readonly wrap: SocketWrap };
}

const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const SO_MEMINFO = 55;
/** Of the nine words of SO_MEMINFO. */
const SK_MEMINFO_DROPS = 8;
/** The package's numbers of the families. */
const IPV4 = 1;
const IPV6 = 2;

let loaded: RawPackage | undefined;

/**
 * @throws RawError ERR_DLOPEN_FAILED it is not installed, or was not built for this Node.js; ENOTSUP in a worker: the package watches its sockets
 *   on the main thread's event loop, wherever it was called
 */
export function rawPackage(): RawPackage {
  if (!isMainThread) throw new RawError('ENOTSUP', 'raw links are for the main thread, not for workers');
  try {
    loaded ??= createRequire(import.meta.url)('raw-socket') as RawPackage;
    return loaded;
  } catch (cause) {
    throw new RawError('ERR_DLOPEN_FAILED', `cannot load raw-socket: ${(cause as Error).message.split('\n', 1)[0]}`, {
      advice:
        "install it where there is a compiler (npm install raw-socket), and after a change of Node.js 'npm rebuild raw-socket'",
      cause,
    });
  }
}

export interface RawSocketEvents {
  readonly readable: () => void;
  readonly writable: () => void;
  readonly failed: (error: Error) => void;
}

/** One raw socket of a protocol. `receive` and `send` leave what went wrong in `error`. */
export class RawSocket {
  readonly protocol: number;
  /** The errno's name of the last call that failed. */
  error = '';
  /** Where the packet that was received last came from, as text. */
  source = '';
  readonly #wrap: SocketWrap;
  #bytes = 0;
  readonly #took = (_buffer: Buffer, bytes: number, source: string): void => {
    this.#bytes = bytes;
    this.source = source;
  };

  /** @throws RawError EPERM; EAFNOSUPPORT where there is no IPv6 */
  constructor(family: 4 | 6, protocol: number) {
    const { createSocket } = rawPackage();
    this.protocol = protocol;
    try {
      this.#wrap = createSocket({ protocol, addressFamily: family === 4 ? IPV4 : IPV6 }).wrap;
    } catch (cause) {
      const code = codeOf(cause);
      throw new RawError(code, `cannot open a raw socket: ${(cause as Error).message} (${code})`, {
        advice: code === 'EPERM' ? PRIVILEGE_ADVICE : undefined,
        cause,
      });
    }
    this.#wrap.removeAllListeners();
    this.#wrap.pause(true, true);
  }

  /** Tells from now on when there is something to read. */
  watch({ readable, writable, failed }: RawSocketEvents): void {
    this.#wrap.on('recvReady', readable);
    this.#wrap.on('sendReady', writable);
    this.#wrap.on('error', failed);
    this.wantsRoom(false);
  }

  /** Whether it is to tell when there is room for another packet. */
  wantsRoom(wanted: boolean): void {
    this.#wrap.pause(false, !wanted);
  }

  /** @throws RawError what the kernel answered */
  set(level: number, option: number, value: number): void {
    try {
      this.#wrap.setOption(level, option, value);
    } catch (cause) {
      const code = codeOf(cause);
      throw new RawError(code, `cannot set option ${option} of a raw socket (${code})`, { cause });
    }
  }

  /** @throws RawError what the kernel answered, ENODEV for an interface that is not there */
  setText(level: number, option: number, value: string): void {
    this.#setBytes(level, option, Buffer.from(`${value}\0`));
  }

  /** Lets in what the program accepts, and forgets what came before. @param program `struct sock_filter` one after the other */
  filter(system: TunSystem, program: Uint8Array): void {
    const fprog = Buffer.alloc(16);
    fprog.writeUInt16LE(program.length / 8, 0);
    // A buffer of less than 64 bytes may lie in V8's heap, and move.
    const kept = new Uint8Array(Math.max(program.length, 128));
    kept.set(program);
    fprog.writeBigUInt64LE(BigInt(system.addressOf(kept)), 8);
    this.#setBytes(SOL_SOCKET, SO_ATTACH_FILTER, fprog);
    const scrap = Buffer.alloc(64);
    while (this.receive(scrap) >= 0 || this.error === 'EINTR');
  }

  /** Packets that found the receive buffer full. */
  get drops(): number {
    const words = Buffer.alloc(36);
    const bytes = this.#wrap.getOption(SOL_SOCKET, SO_MEMINFO, words, words.length);
    return bytes < words.length ? 0 : words.readUInt32LE(4 * SK_MEMINFO_DROPS);
  }

  /** @returns bytes of the next packet, which lies at the buffer's start; -1: see `error` (EAGAIN: there is none) */
  receive(buffer: Buffer): number {
    try {
      this.#wrap.recv(buffer, this.#took);
      return this.#bytes;
    } catch (error) {
      this.error = codeOf(error);
      return -1;
    }
  }

  /** @returns whether the kernel took it; see `error` */
  send(buffer: Buffer, length: number, address: string): boolean {
    try {
      this.#wrap.send(buffer, 0, length, address, ignore);
      return true;
    } catch (error) {
      this.error = codeOf(error);
      return false;
    }
  }

  close(): void {
    this.#wrap.removeAllListeners();
    this.#wrap.close();
  }

  #setBytes(level: number, option: number, value: Buffer): void {
    try {
      this.#wrap.setOption(level, option, value, value.length);
    } catch (cause) {
      const code = codeOf(cause);
      throw new RawError(code, `cannot set option ${option} of a raw socket (${code})`, { cause });
    }
  }
}

function ignore(): void {}
