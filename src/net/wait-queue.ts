/**
 * The calls of one kind (reads, writes, accepts) that wait on one socket: served first come, first served, and failed by a deadline, an
 * abort or the close.
 *
 * There is no lock and no loop: a call that cannot finish at once stands in the queue; readiness tries the first, and the next when
 * that is settled. A socket without waiting calls costs one object here.
 */
import { shown } from '../arguments.ts';
import type { Clock, Timer } from '../time/clock.ts';
import { abortError, errDeadlineExceeded } from './errors.ts';

/** One waiting call. */
export interface Operation {
  /** Goes on as far as it can without waiting; true: it is settled. Must not throw. */
  attempt(): boolean;
  /** Settles it with the reason that it must not go on. Must not throw. */
  fail(reason: Error): void;
}

interface Waiting {
  readonly operation: Operation;
  /** Stops listening to the signal. */
  readonly forget: (() => void) | undefined;
  /** Who came after. */
  next: Waiting | undefined;
}

/** When calls fail, and what sees to it. */
interface Deadline {
  /** On the monotonic clock, ms. */
  at: number;
  timer: Timer | undefined;
  timerIsBackground: boolean;
}

export class WaitQueue {
  readonly #clock: Clock;
  /** A list and not an array: a connection that has once waited keeps nothing of it. */
  #first: Waiting | undefined;
  #last: Waiting | undefined;
  /** undefined: none. */
  #deadline: Deadline | undefined;
  #referenced = true;
  #holding = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  /** A deadline of this very moment has passed. */
  get isExpired(): boolean {
    const at = this.#deadline?.at;
    return at !== undefined && at <= this.#clock.now();
  }

  /** Puts a call that could not finish at once behind the others. */
  add(operation: Operation, signal?: AbortSignal): void {
    const forget = signal === undefined ? undefined : this.#listen(operation, signal);
    const waiting: Waiting = { operation, forget, next: undefined };
    if (this.#last === undefined) this.#first = waiting;
    else this.#last.next = waiting;
    this.#last = waiting;
    this.#arm();
  }

  /** Something may be possible now. */
  ready(): void {
    if (this.#first === undefined) return;
    while (this.#first?.operation.attempt()) {
      this.#first.forget?.();
      this.#first = this.#first.next;
    }
    if (this.#first !== undefined) return;
    this.#last = undefined;
    this.#arm();
  }

  failAll(reason: Error): void {
    let waiting = this.#first;
    this.#first = undefined;
    this.#last = undefined;
    for (; waiting !== undefined; waiting = waiting.next) {
      waiting.forget?.();
      waiting.operation.fail(reason);
    }
    this.#arm();
  }

  /** `at`: on the monotonic clock, ms; undefined clears. Calls that wait are failed when it has passed. */
  setDeadline(at: number | undefined): void {
    if (at === undefined) {
      this.#deadline?.timer?.clear();
      this.#deadline = undefined;
      return;
    }
    if (this.#deadline === undefined) this.#deadline = { at, timer: undefined, timerIsBackground: false };
    else this.#deadline.at = at;
    if (this.isExpired) this.failAll(errDeadlineExceeded);
    else this.#arm();
  }

  /** Whether calls that wait keep the process alive: yes, unless told otherwise. */
  setReferenced(referenced: boolean): void {
    this.#referenced = referenced;
    this.#arm();
  }

  #listen(operation: Operation, signal: AbortSignal): () => void {
    const aborted = () => this.#abort(operation, signal);
    signal.addEventListener('abort', aborted, { once: true });
    return () => signal.removeEventListener('abort', aborted);
  }

  #abort(operation: Operation, signal: AbortSignal): void {
    let before: Waiting | undefined;
    let at = this.#first;
    for (; at !== undefined && at.operation !== operation; at = at.next) before = at;
    if (at === undefined) return;
    if (before === undefined) this.#first = at.next;
    else before.next = at.next;
    if (this.#last === at) this.#last = before;
    operation.fail(abortError(signal));
    // Those behind it were not tried while it stood before them.
    this.ready();
    this.#arm();
  }

  /** Brings the hold on the process and the timer in step with what waits. */
  #arm(): void {
    const waits = !this.isEmpty;
    const hold = waits && this.#referenced;
    if (hold !== this.#holding) {
      this.#holding = hold;
      if (hold) this.#clock.hold();
      else this.#clock.unhold();
    }
    const deadline = this.#deadline;
    if (deadline === undefined) return;
    if (!waits) deadline.timer?.clear();
    else this.#timerFor(deadline, !this.#referenced).set(deadline.at);
  }

  #timerFor(deadline: Deadline, background: boolean): Timer {
    if (deadline.timer === undefined || deadline.timerIsBackground !== background) {
      deadline.timer?.clear();
      deadline.timer = this.#clock.timer(() => this.failAll(errDeadlineExceeded), background);
      deadline.timerIsBackground = background;
    }
    return deadline.timer;
  }
}

/**
 * A deadline as users give it (a Date, ms since 1970-01-01 UTC, or null for none) on the monotonic clock; undefined: none.
 * @throws TypeError for anything else
 */
export function monotonicDeadline(clock: Clock, deadline: Date | number | null, name: string): number | undefined {
  if (deadline === null) return undefined;
  const at = deadline instanceof Date ? deadline.getTime() : deadline;
  if (typeof at !== 'number' || Number.isNaN(at)) {
    throw new TypeError(
      `${name} must be a Date, a number of ms since 1970-01-01 UTC, or null for none; got ${shown(deadline)}`,
    );
  }
  return at === Infinity ? undefined : clock.now() + (at - clock.wallNow());
}
