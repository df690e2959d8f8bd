/**
 * Time as a thing that is handed in: monotonic milliseconds (fractions allowed), a wall time, timers, and the end of the turn.
 * Everything under `socket/` runs on one of these; nothing there reads a clock of its own.
 */

export interface Clock {
  /** Monotonic time, ms. */
  now(): number;
  /** Wall time, ms since 1970-01-01 UTC, advancing with `now()`. */
  wallNow(): number;
  /**
   * A timer, not armed. A background timer (keepalive, TIME-WAIT) neither keeps the process alive nor keeps
   * `VirtualClock.run` going.
   */
  timer(callback: () => void, background?: boolean): Timer;
  /** Calls once, after the current turn of the event loop, in the order of the calls to `defer`. */
  defer(callback: () => void): void;
  /** Keeps the process alive (a pending accept, read, dial) until the same number of `unhold` calls. */
  hold(): void;
  unhold(): void;
}

export interface Timer {
  /** Arms, or moves, the timer: it fires once, when `now() >= at`. Timers with the same `at` fire in arming order. */
  set(at: number): void;
  clear(): void;
}
