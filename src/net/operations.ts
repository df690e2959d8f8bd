/** Reads and writes as things that can wait in a queue. */
import { EAGAIN } from '../socket/errno.ts';
import type { Socket } from '../socket/socket.ts';
import { SyscallError } from './errors.ts';
import type { OpError } from './op-error.ts';
import type { Operation, WaitQueue } from './wait-queue.ts';

/** Who makes the error of an operation: the connection, which knows its ends. */
interface Owner {
  error(op: string, reason: Error, bytesWritten?: number): OpError;
}

/** Receives what is there: a number of bytes, null at the end, undefined when there is nothing yet. @throws SyscallError */
export function receiveInto(socket: Socket, into: Uint8Array): number | null | undefined {
  // A read that waits has had room: without it the end of the stream would seem to be here.
  if (into.length === 0) throw new TypeError('the buffer was transferred or emptied while the read waited');
  const count = socket.recv(into);
  if (count > 0) return count;
  if (count === 0) return null;
  if (count === -EAGAIN) return undefined;
  throw new SyscallError('read', -count);
}

const CHUNK = 65_536;
/** Chunks of up to this size are copied out; larger ones are given away with the memory they were received in. */
const COPIED = 16_384;
let scratch = new Uint8Array(CHUNK);

/** As `receiveInto`, into memory taken when the bytes are there: an array that is the caller's alone. */
export function receiveChunk(socket: Socket): Uint8Array<ArrayBuffer> | null | undefined {
  const count = receiveInto(socket, scratch);
  if (count === null || count === undefined) return count;
  if (count <= COPIED) return scratch.slice(0, count);
  const chunk = scratch.subarray(0, count);
  scratch = new Uint8Array(CHUNK);
  return chunk;
}

export class ReadOperation<T, S = Socket> implements Operation {
  readonly #owner: Owner;
  readonly #socket: S;
  readonly #receive: (socket: S) => T | undefined;
  readonly #resolve: (result: T) => void;
  readonly #reject: (error: Error) => void;

  constructor(
    owner: Owner,
    socket: S,
    receive: (socket: S) => T | undefined,
    resolve: (result: T) => void,
    reject: (error: Error) => void,
  ) {
    this.#owner = owner;
    this.#socket = socket;
    this.#receive = receive;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  attempt(): boolean {
    try {
      const result = this.#receive(this.#socket);
      if (result === undefined) return false;
      this.#resolve(result);
    } catch (error) {
      this.fail(error as Error);
    }
    return true;
  }

  fail(reason: Error): void {
    this.#reject(this.#owner.error('read', reason));
  }
}

export class WriteOperation implements Operation {
  readonly #owner: Owner;
  readonly #socket: Socket;
  readonly #op: 'write' | 'writev';
  /** What is left to hand over. */
  #list: readonly Uint8Array[];
  readonly #total: number;
  #written = 0;
  #failure: OpError | undefined;
  #resolve: ((written: number) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;

  constructor(owner: Owner, socket: Socket, op: 'write' | 'writev', list: readonly Uint8Array[]) {
    this.#owner = owner;
    this.#socket = socket;
    this.#op = op;
    this.#list = list;
    this.#total = lengthOf(list);
  }

  attempt(): boolean {
    if (this.#resolve !== undefined && lengthOf(this.#list) !== this.#total - this.#written) {
      this.fail(new TypeError('the bytes were transferred or resized while the write waited'));
      return true;
    }
    do {
      const taken =
        this.#list.length === 1 ? this.#socket.send(this.#list[0] as Uint8Array) : this.#socket.sendv(this.#list);
      // No bytes need no room: such a write only asks whether the connection still takes any.
      if (taken === -EAGAIN && this.#total > 0) return false;
      if (taken < 0 && taken !== -EAGAIN) {
        this.fail(new SyscallError(this.#op, -taken));
        return true;
      }
      this.#advance(Math.max(taken, 0));
    } while (this.#written < this.#total);
    this.#resolve?.(this.#total);
    return true;
  }

  fail(reason: Error): void {
    this.#failure = this.#owner.error(this.#op, reason, this.#written);
    this.#reject?.(this.#failure);
  }

  /** The promise of a write that is settled. */
  outcome(): Promise<number> {
    return this.#failure === undefined ? Promise.resolve(this.#total) : Promise.reject(this.#failure);
  }

  /** Stands in the queue; gives the promise of the end. */
  wait(queue: WaitQueue, signal: AbortSignal | undefined): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      queue.add(this, signal);
    });
  }

  /** Takes `count` bytes off the front of the list. */
  #advance(count: number): void {
    this.#written += count;
    if (this.#written === this.#total) return;
    let first = 0;
    let rest = count;
    while (rest >= (this.#list[first] as Uint8Array).length) rest -= (this.#list[first++] as Uint8Array).length;
    if (first === 0 && rest === 0) return;
    const left = this.#list.slice(first);
    left[0] = (left[0] as Uint8Array).subarray(rest);
    this.#list = left;
  }
}

function lengthOf(list: readonly Uint8Array[]): number {
  return list.reduce((sum, bytes) => sum + bytes.length, 0);
}
