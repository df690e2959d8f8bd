/**
 * The clock of the machine: `performance.now()`, and one `setTimeout` for all its timers.
 *
 * Timers stand in a queue; the timeout is armed for the earliest of them, looks when it fires, and is armed again. So a
 * timer that moves later costs no system timer, and ties keep their order however `setTimeout` rounds.
 */
import { checkFunction } from '../arguments.ts';
import type { Clock, Timer } from './clock.ts';
import { QueuedTimer, TimerQueue } from './timer-queue.ts';
import { TurnQueue } from './turn.ts';

/** The longest wait that `setTimeout` takes, ms; longer ones are armed again on the way. */
const LONGEST_TIMEOUT = 0x7fff_ffff;

/** A timeout or interval where it can keep a process alive (Node.js); elsewhere it is a number. */
interface KeepsAlive {
  ref?(): unknown;
  unref?(): unknown;
}

export class RealClock implements Clock {
  readonly #timers = new TimerQueue(() => this.#arm());
  readonly #turn = new TurnQueue();
  readonly #fire = () => this.#timeout();
  #handle: ReturnType<typeof globalThis.setTimeout> | undefined;
  /** When the timeout fires, ms of `now()`; Infinity: there is none. */
  #armedFor = Infinity;
  #referenced = false;
  #firing = false;
  #held = 0;
  #holder: KeepsAlive | undefined;

  /** @throws Error where there is no `performance`: a clock that may be set back will not do */
  constructor() {
    if (typeof globalThis.performance?.now !== 'function')
      throw new Error('there is no performance.now() here: give a clock of your own, such as a VirtualClock');
  }

  now(): number {
    return globalThis.performance.now();
  }

  /** The wall time at the start of the process, advanced monotonically: a later step of the system's clock is not followed. */
  wallNow(): number {
    return globalThis.performance.timeOrigin + globalThis.performance.now();
  }

  /** @see Clock.timer; `set(Infinity)` is `clear()`. A timer set for a time gone by fires in a later turn, not at once. */
  timer(callback: () => void, background = false): Timer {
    checkFunction('RealClock.timer: callback', callback);
    return new QueuedTimer(this.#timers, callback, background);
  }

  defer(callback: () => void): void {
    checkFunction('RealClock.defer: callback', callback);
    this.#turn.add(callback);
  }

  hold(): void {
    if (this.#held++ > 0) return;
    this.#holder ??= globalThis.setInterval(() => {}, LONGEST_TIMEOUT) as KeepsAlive;
    this.#holder.ref?.();
  }

  /** @throws Error when there was no `hold` for it */
  unhold(): void {
    if (this.#held === 0) throw new Error('RealClock: unhold() without a hold()');
    if (--this.#held === 0) this.#holder?.unref?.();
  }

  /** Brings the timeout in step with the queue: never late, and alive for foreground timers only. */
  #arm(): void {
    if (this.#firing) return;
    const next = this.#timers.next();
    if (next < this.#armedFor) {
      if (this.#handle !== undefined) globalThis.clearTimeout(this.#handle);
      const wait = Math.min(Math.max(Math.ceil(next - this.now()), 0), LONGEST_TIMEOUT);
      this.#handle = globalThis.setTimeout(this.#fire, wait);
      this.#armedFor = next;
      this.#referenced = true;
    }
    const wanted = this.#timers.foreground > 0;
    if (this.#handle === undefined || wanted === this.#referenced) return;
    const handle: KeepsAlive | number = this.#handle;
    if (typeof handle !== 'object') return;
    if (wanted) handle.ref?.();
    else handle.unref?.();
    this.#referenced = wanted;
  }

  /** The timeout may come up to a millisecond early, or find that its timer has moved: then it is armed again. */
  #timeout(): void {
    this.#handle = undefined;
    this.#armedFor = Infinity;
    this.#firing = true;
    try {
      this.#timers.fireDue(this.now());
    } finally {
      this.#firing = false;
      this.#arm();
    }
  }
}
