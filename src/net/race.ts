/** Two ways to the same end, the second a moment after the first, or when the first has failed: whichever comes first. As Go's dialParallel. */
import type { Clock } from '../time/clock.ts';

export interface Race<T> {
  readonly clock: Clock;
  /** How long the second waits for the first, ms. */
  readonly delay: number;
  /** Aborts both. */
  readonly signal: AbortSignal | undefined;
  readonly first: (signal: AbortSignal) => Promise<T>;
  readonly second: (signal: AbortSignal) => Promise<T>;
  /** RFC 6555 4.4: what is done with a result that came too late: it is not kept. */
  readonly discard: (late: T) => void;
}

/** @returns what the first to succeed gives; the other is aborted. @throws what `first` was rejected with, when both are */
export function race<T>({ clock, delay, signal, first, second, discard }: Race<T>): Promise<T> {
  const losers = new AbortController();
  const aborted = () => losers.abort(signal?.reason);
  return new Promise((resolve, reject) => {
    let isOver = false;
    let running = 1;
    let firstError: unknown;
    const timer = clock.timer(() => follow());
    const end = () => {
      isOver = true;
      timer.clear();
      signal?.removeEventListener('abort', aborted);
      clock.unhold();
    };
    const run = (start: typeof first, failed: (error: unknown) => void) =>
      start(losers.signal).then(
        (result) => {
          if (isOver) return discard(result);
          end();
          resolve(result);
          losers.abort();
        },
        (error: unknown) => {
          if (isOver) return;
          failed(error);
          if (--running > 0) return;
          end();
          reject(firstError);
        },
      );
    let followed = false;
    const follow = () => {
      if (followed) return;
      followed = true;
      timer.clear();
      running++;
      void run(second, () => {});
    };
    clock.hold();
    if (signal?.aborted) aborted();
    else signal?.addEventListener('abort', aborted, { once: true });
    timer.set(clock.now() + delay);
    void run(first, (error) => {
      firstError = error;
      follow();
    });
  });
}
