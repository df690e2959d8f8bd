/** Reads and writes of datagrams, as things that can wait in a queue. */
import { SIOCINQ } from '../socket/constants.ts';
import type { DatagramMessage } from '../socket/datagram-message.ts';
import type { DatagramSocket } from '../socket/datagram-socket.ts';
import { EAGAIN } from '../socket/errno.ts';
import type { SocketAddress } from '../socket/socket-address.ts';
import { SyscallError } from './errors.ts';
import type { OpError } from './op-error.ts';
import type { Operation, WaitQueue } from './wait-queue.ts';

/** One datagram, as far as it fits. @returns undefined: there is none yet. @throws SyscallError `syscall` */
export function receiveDatagram(
  socket: DatagramSocket,
  into: Uint8Array,
  syscall: 'read' | 'recvfrom',
): DatagramMessage | undefined {
  const got = socket.recvfrom(into);
  if (typeof got !== 'number') return got;
  if (got === -EAGAIN) return undefined;
  throw new SyscallError(syscall, -got);
}

/** One datagram, the whole of it, in memory of its own. */
export function receiveWhole(
  socket: DatagramSocket,
): { data: Uint8Array<ArrayBuffer>; message: DatagramMessage } | undefined {
  const data = new Uint8Array(Math.max(socket.ioctl(SIOCINQ), 0));
  const message = receiveDatagram(socket, data, 'recvfrom');
  return message === undefined ? undefined : { data, message };
}

/** A datagram that waits for room. */
export class DatagramWrite implements Operation {
  readonly #socket: DatagramSocket;
  readonly #bytes: Uint8Array;
  readonly #to: SocketAddress | undefined;
  /** Makes the error of the write. */
  readonly #error: (reason: Error) => OpError;
  #failure: OpError | undefined;
  #resolve: ((written: number) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;

  /** `to`: undefined on a connected socket. */
  constructor(
    socket: DatagramSocket,
    bytes: Uint8Array,
    to: SocketAddress | undefined,
    error: (reason: Error) => OpError,
  ) {
    this.#socket = socket;
    this.#bytes = bytes;
    this.#to = to;
    this.#error = error;
  }

  attempt(): boolean {
    const sent = this.#socket.send(this.#bytes, 0, this.#to);
    if (sent === -EAGAIN) return false;
    if (sent < 0) this.fail(new SyscallError(this.#to === undefined ? 'write' : 'sendto', -sent));
    else this.#resolve?.(sent);
    return true;
  }

  fail(reason: Error): void {
    this.#failure = this.#error(reason);
    this.#reject?.(this.#failure);
  }

  /** The promise of a write that is settled. */
  outcome(): Promise<number> {
    return this.#failure === undefined ? Promise.resolve(this.#bytes.length) : Promise.reject(this.#failure);
  }

  /** Stands in the queue; gives the promise of the end. */
  wait(queue: WaitQueue, signal: AbortSignal | undefined): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      queue.add(this, signal);
    });
  }
}
