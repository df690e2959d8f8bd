/** What keeps the process alive while something is awaited, unless it was told not to. */
import type { Clock } from '../../time/clock.ts';

export class Hold {
  readonly #clock: Clock;
  #wanted = false;
  #referenced = true;
  #held = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something is awaited, or nothing is any more. */
  set(wanted: boolean): void {
    this.#wanted = wanted;
    this.#settle();
  }

  /** `ref` and `unref`. */
  set referenced(referenced: boolean) {
    this.#referenced = referenced;
    this.#settle();
  }

  #settle(): void {
    const hold = this.#wanted && this.#referenced;
    if (hold === this.#held) return;
    this.#held = hold;
    if (hold) this.#clock.hold();
    else this.#clock.unhold();
  }
}
