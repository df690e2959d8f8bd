/** System calls on paper: memory is found again by its address, and a test says what the kernel answers. */
import { EAGAIN } from '../../src/link/tun-error.ts';
import type { PollCallback, PollHandle, TunSystem } from '../../src/link/tun-system.ts';

/** What was written by one writev: each vector's bytes, copied. */
export type Written = Uint8Array[];

export class PaperSystem implements TunSystem {
  #errno = 0;
  readonly #buffers: { readonly base: number; readonly bytes: Uint8Array }[] = [];
  /** Above 2^32, as addresses are. */
  #next = 0x7f12_3456_7000;
  readonly written: Written[] = [];
  readonly closed: number[] = [];
  /** What `read` has to give, and the errno when there is nothing. */
  readonly inbound: Uint8Array[] = [];
  emptyErrno: number = EAGAIN;
  /** An errno for each coming writev; 0, or none left: it is taken. */
  writeErrnos: number[] = [];
  openErrno = 0;
  /** By request number. */
  readonly ioctlErrnos = new Map<number, number>();
  watching: { readable: boolean; writable: boolean } | undefined;
  ready: PollCallback | undefined;
  referenced = true;

  errno(): number {
    return this.#errno;
  }
  open(): number {
    return this.#answer(this.openErrno, 9);
  }
  close(fd: number): number {
    this.closed.push(fd);
    return 0;
  }
  read(_fd: number, address: number, length: number): number {
    const bytes = this.inbound.shift();
    if (bytes === undefined) return this.#answer(this.emptyErrno, 0);
    this.bytesAt(address, Math.min(length, bytes.length)).set(bytes.subarray(0, length));
    return Math.min(length, bytes.length);
  }
  writev(_fd: number, vectors: number, count: number): number {
    const errno = this.writeErrnos.shift() ?? 0;
    if (errno !== 0) return this.#answer(errno, 0);
    const table = this.bytesAt(vectors, 16 * count);
    const view = new DataView(table.buffer, table.byteOffset, table.length);
    const pieces = Array.from({ length: count }, (_, i) =>
      this.bytesAt(Number(view.getBigUint64(16 * i, true)), Number(view.getBigUint64(16 * i + 8, true))).slice(),
    );
    this.written.push(pieces);
    return pieces.reduce((total, piece) => total + piece.length, 0);
  }
  ioctl(_fd: number, request: number): number {
    return this.#answer(this.ioctlErrnos.get(request) ?? 0, 0);
  }
  socket(): number {
    return 10;
  }
  send(): number {
    return 0;
  }
  recv(): number {
    return 0;
  }
  fcntl(): number {
    return 0;
  }
  unshare(): number {
    return 0;
  }
  execvp(): number {
    return -1;
  }
  addressOf(bytes: Uint8Array): number {
    const known = this.#buffers.find((one) => one.bytes.buffer === bytes.buffer);
    if (known !== undefined) return known.base + bytes.byteOffset;
    const base = this.#next;
    this.#next += bytes.buffer.byteLength + 4096;
    this.#buffers.push({ base, bytes: new Uint8Array(bytes.buffer) });
    return base + bytes.byteOffset;
  }
  poll(): PollHandle {
    return {
      start: (events, callback) => {
        this.watching = { ...events };
        this.ready = callback;
      },
      stop: () => (this.watching = undefined),
      close: () => (this.watching = undefined),
      unref: () => (this.referenced = false),
    };
  }

  /** @throws Error when not all of it lies in one buffer that an address was asked for */
  bytesAt(address: number, length: number): Uint8Array {
    const found = this.#buffers.find(({ base, bytes }) => address >= base && address + length <= base + bytes.length);
    if (found === undefined) throw new Error(`no buffer has ${length} bytes at ${address}`);
    return found.bytes.subarray(address - found.base, address - found.base + length);
  }

  #answer(errno: number, value: number): number {
    this.#errno = errno;
    return errno === 0 ? value : -1;
  }
}
