/** One direction of a pipe: the writes of one end meet the reads of the other. */
import type { Clock } from '../time/clock.ts';
import { type Operation, WaitQueue } from './wait-queue.ts';

/** Who makes the error of an operation. */
export interface PipeEnd {
  error(op: string, reason: Error, bytesWritten?: number): Error;
}

export class PipeDirection {
  /** Of the end that reads. */
  readonly reads: WaitQueue;
  /** Of the end that writes. */
  readonly writes: WaitQueue;
  /** Either end is closed. */
  isClosed = false;
  /** The write whose turn it is. */
  offer: PipeWrite | undefined;
  /** A read has taken something since `pump` looked. */
  moved = false;
  #isPumping = false;

  constructor(clock: Clock) {
    this.reads = new WaitQueue(clock);
    this.writes = new WaitQueue(clock);
  }

  /** Lets writes and reads meet as long as there are both. */
  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    do {
      this.moved = false;
      this.writes.ready();
      this.reads.ready();
    } while (this.moved);
    this.#isPumping = false;
  }
}

export class PipeWrite implements Operation {
  readonly #end: PipeEnd;
  readonly #direction: PipeDirection;
  readonly #resolve: (written: number) => void;
  readonly #reject: (error: Error) => void;
  readonly #total: number;
  /** What nobody has read yet. */
  rest: Uint8Array;
  /** Also a write of no bytes meets a read. */
  isTaken = false;

  constructor(
    end: PipeEnd,
    direction: PipeDirection,
    bytes: Uint8Array,
    resolve: (written: number) => void,
    reject: (error: Error) => void,
  ) {
    this.#end = end;
    this.#direction = direction;
    this.#total = bytes.length;
    this.rest = bytes;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get isDone(): boolean {
    return this.isTaken && this.rest.length === 0;
  }

  attempt(): boolean {
    this.#direction.offer = this.isDone ? undefined : this;
    if (this.isDone) this.#resolve(this.#total);
    return this.isDone;
  }

  fail(reason: Error): void {
    if (this.#direction.offer === this) this.#direction.offer = undefined;
    this.#reject(this.#end.error('write', reason, this.#total - this.rest.length));
  }
}

export class PipeRead<T> implements Operation {
  readonly #end: PipeEnd;
  readonly #direction: PipeDirection;
  readonly #take: (bytes: Uint8Array) => [result: T, length: number];
  readonly #resolve: (result: T | null) => void;
  readonly #reject: (error: Error) => void;

  /** `take` gives the result, and how many bytes it took. */
  constructor(
    end: PipeEnd,
    direction: PipeDirection,
    take: (bytes: Uint8Array) => [result: T, length: number],
    resolve: (result: T | null) => void,
    reject: (error: Error) => void,
  ) {
    this.#end = end;
    this.#direction = direction;
    this.#take = take;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  attempt(): boolean {
    const { offer, isClosed } = this.#direction;
    if (offer !== undefined && !offer.isDone) {
      const [result, length] = this.#take(offer.rest);
      offer.isTaken = true;
      offer.rest = offer.rest.subarray(length);
      this.#direction.moved = true;
      this.#resolve(result);
      return true;
    }
    if (isClosed) this.#resolve(null);
    return isClosed;
  }

  fail(reason: Error): void {
    this.#reject(this.#end.error('read', reason));
  }
}
