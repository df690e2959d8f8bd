/** A virtual clock that lets somebody look at the world after everything that happens in it. */
import type { Timer } from '../../src/time/clock.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';

export class SteppedClock extends VirtualClock {
  /** Called after each timer's callback and each end of a turn; what it throws comes out of `run`. */
  afterStep: (() => void) | undefined;
  #trouble: { error: unknown } | undefined;

  override timer(callback: () => void, background = false): Timer {
    return super.timer(() => this.#step(callback), background);
  }

  /** What a deferred callback throws would come out of the event loop: it is kept for `rethrow`. */
  override defer(callback: () => void): void {
    super.defer(() => {
      try {
        this.#step(callback);
      } catch (error) {
        this.#trouble ??= { error };
      }
    });
  }

  /** Throws what a deferred callback has thrown, if any has. */
  rethrow(): void {
    if (this.#trouble !== undefined) throw this.#trouble.error;
  }

  #step(callback: () => void): void {
    this.rethrow();
    callback();
    this.afterStep?.();
  }
}
