/**
 * A clock for tests and simulations: time stands still until `advance` or `run` moves it, and then it jumps from
 * deadline to deadline. An hour of keepalives takes no longer than its work, and two runs are the same.
 */
import { checkFunction, checkNames, shown } from '../arguments.ts';
import type { Clock, Timer } from './clock.ts';
import { QueuedTimer, TimerQueue } from './timer-queue.ts';
import { macrotask, TurnQueue } from './turn.ts';

/** 2026-01-01 00:00 UTC. */
const WALL_START = 1_767_225_600_000;
const DAY = 86_400_000;
/** Turns in a row without a deferred callback before time goes on: what `await`s and one `setImmediate` of a user's code need. */
const QUIET_TURNS = 2;
/** Jumps to the same instant after which timers are taken to re-arm each other forever. */
const STANDSTILL = 100_000;

export interface VirtualClockOptions {
  /** What `now()` starts at, ms; 0 by default. */
  start?: number;
  /** What `wallNow()` starts at, ms since 1970-01-01 UTC; 2026-01-01 by default. */
  wallStart?: number;
}

/** What a virtual clock has still before it. */
export interface PendingTime {
  /** Armed timers that keep `run` going. */
  readonly foreground: number;
  /** Armed timers that do not (keepalive, TIME-WAIT). */
  readonly background: number;
  /** Callbacks waiting for the end of the turn. */
  readonly deferred: number;
  /** When the earliest timer of either kind is due, ms; Infinity: none is armed. */
  readonly next: number;
  /** `hold()` calls without their `unhold()`: reads, accepts, dials that wait. */
  readonly held: number;
}

export interface RunOptions<T> {
  /** Run until this settles. */
  until?: Promise<T>;
  /** How far time may go, ms from now; 24 hours by default. */
  limit?: number;
}

export class VirtualClock implements Clock {
  readonly #timers = new TimerQueue(() => {});
  readonly #turn = new TurnQueue();
  readonly #wallOffset: number;
  #now: number;
  #held = 0;
  #moving: 'advance' | 'run' | undefined;
  #instant = -Infinity;
  #jumpsToInstant = 0;

  /** @throws RangeError when `start` or `wallStart` is not a finite number */
  constructor(options: VirtualClockOptions = {}) {
    checkNames('VirtualClock', options, ['start', 'wallStart'] satisfies (keyof VirtualClockOptions)[]);
    const { start = 0, wallStart = WALL_START } = options;
    if (!Number.isFinite(start)) throw new RangeError(`VirtualClock: start must be a time in ms, got ${shown(start)}`);
    if (!Number.isFinite(wallStart))
      throw new RangeError(`VirtualClock: wallStart must be a time in ms, got ${shown(wallStart)}`);
    this.#now = start;
    this.#wallOffset = wallStart - start;
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#now + this.#wallOffset;
  }

  /** @see Clock.timer; `set(Infinity)` is `clear()`. Fires within `advance` and `run` only. */
  timer(callback: () => void, background = false): Timer {
    checkFunction('VirtualClock.timer: callback', callback);
    return new QueuedTimer(this.#timers, callback, background);
  }

  /** @see Clock.defer; turns end while time stands still, too: nothing needs `advance` that needs no time. */
  defer(callback: () => void): void {
    checkFunction('VirtualClock.defer: callback', callback);
    this.#turn.add(callback);
  }

  hold(): void {
    this.#held++;
  }

  /** @throws Error when there was no `hold` for it */
  unhold(): void {
    if (this.#held === 0) throw new Error('VirtualClock: unhold() without a hold()');
    this.#held--;
  }

  get pending(): PendingTime {
    return {
      foreground: this.#timers.foreground,
      background: this.#timers.background,
      deferred: this.#turn.length,
      next: this.#timers.next(),
      held: this.#held,
    };
  }

  /**
   * Lets `ms` milliseconds pass: everything due on the way happens at its time, in order, and what it sets off (deferred
   * work, promise reactions) is over before time goes on. Ends exactly `ms` later. Real input and output (files, sockets of the
   * operating system) is not waited for.
   * @throws RangeError when `ms` is negative or not finite
   * @throws Error when another `advance` or `run` has not ended, or when timers re-arm for the same instant without end; what a
   *   timer's callback throws comes out here, with time standing where it happened
   */
  async advance(ms: number): Promise<void> {
    if (typeof ms !== 'number' || !(ms >= 0 && ms < Infinity))
      throw new RangeError(`VirtualClock.advance: ms must be >= 0 and finite, got ${shown(ms)}`);
    await this.#exclusively('advance', async () => {
      const target = this.#now + ms;
      for (;;) {
        await this.#settle(never);
        if (this.#timers.next() > target) break;
        this.#jump();
      }
      this.#now = target;
    });
  }

  /**
   * Lets time pass, as `advance` does, until `until` settles; without it, until only background timers are left.
   * @returns what `until` was fulfilled with; what it was rejected with is thrown
   * @throws Error when nothing is left that could settle `until`, when the limit is reached, and as `advance` does
   * @throws RangeError when `limit` is negative or not a number
   */
  run(options?: { limit?: number }): Promise<void>;
  run<T>(options: { until: Promise<T>; limit?: number }): Promise<T>;
  async run<T>(options: RunOptions<T> = {}): Promise<T | undefined> {
    checkNames('VirtualClock.run', options, ['until', 'limit'] satisfies (keyof RunOptions<T>)[]);
    const { until, limit = DAY } = options;
    if (until !== undefined && typeof until?.then !== 'function')
      throw new TypeError(`VirtualClock.run: until must be a promise, got ${shown(until)}`);
    let settled = false;
    const settle = () => {
      settled = true;
    };
    // Both ways, so that a rejection is never unhandled: it is thrown below.
    until?.then(settle, settle);
    if (typeof limit !== 'number' || !(limit >= 0))
      throw new RangeError(`VirtualClock.run: limit must be >= 0 ms, got ${shown(limit)}`);
    await this.#exclusively('run', async () => {
      const end = this.#now + limit;
      const over = () => settled;
      for (;;) {
        await this.#settle(over);
        if (settled) break;
        if (this.#timers.foreground === 0) {
          if (until !== undefined) throw new Error(this.#nothingLeft());
          break;
        }
        if (this.#timers.next() > end) {
          const next = this.#timers.next();
          throw new Error(
            `VirtualClock.run: the limit of ${limit} ms is reached at t=${this.#now} ms (the next timer is due at ${next} ms)`,
          );
        }
        this.#jump();
      }
    });
    return until;
  }

  async #exclusively(what: 'advance' | 'run', body: () => Promise<void>): Promise<void> {
    if (this.#moving !== undefined) {
      throw new Error(`VirtualClock.${what}: ${this.#moving}() has not ended yet; await it first`);
    }
    this.#moving = what;
    try {
      await body();
    } finally {
      this.#moving = undefined;
    }
  }

  /** Lets turns of the event loop pass until nothing is deferred, or `over()`. */
  async #settle(over: () => boolean): Promise<void> {
    let quiet = 0;
    while (quiet < QUIET_TURNS && !over()) {
      const busy = this.#turn.length > 0;
      await new Promise<void>(macrotask);
      quiet = busy || this.#turn.length > 0 ? 0 : quiet + 1;
    }
  }

  /** Goes to the earliest deadline and fires what is due there. */
  #jump(): void {
    this.#now = Math.max(this.#now, this.#timers.next());
    if (this.#now > this.#instant) {
      this.#instant = this.#now;
      this.#jumpsToInstant = 0;
    } else if (++this.#jumpsToInstant > STANDSTILL) {
      throw new Error(
        `VirtualClock: time stands still at t=${this.#now} ms: timers are armed for now or earlier, again and again`,
      );
    }
    this.#timers.fireDue(this.#now);
  }

  #nothingLeft(): string {
    const { background, held } = this.pending;
    const left =
      background > 0
        ? `nothing but ${background} background timer(s) (keepalive, TIME-WAIT: use advance(ms) for those)`
        : 'nothing';
    const waiting = held > 0 ? `; ${held} call(s) wait (read, accept, dial)` : '';
    return `VirtualClock.run: ${left} left to happen at t=${this.#now} ms and \`until\` has not settled${waiting}`;
  }
}

const never = () => false;
