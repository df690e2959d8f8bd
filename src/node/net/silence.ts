/** The timeout of a socket: what is called after a time without traffic. It does not keep the process alive. */
import type { Clock, Timer } from '../../time/clock.ts';

export class Silence {
  readonly #clock: Clock;
  readonly #timer: Timer;
  #ms = 0;

  constructor(clock: Clock, over: () => void) {
    this.#clock = clock;
    this.#timer = clock.timer(over, true);
  }

  /** ms; 0: never. */
  set(ms: number): void {
    this.#ms = ms;
    this.touch();
  }

  /** There was traffic: the time starts anew. */
  touch(): void {
    if (this.#ms > 0) this.#timer.set(this.#clock.now() + this.#ms);
    else this.#timer.clear();
  }

  clear(): void {
    this.#ms = 0;
    this.#timer.clear();
  }
}
