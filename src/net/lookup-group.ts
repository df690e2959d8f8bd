/** Lookups of the same thing at the same time are one. As Go's lookupGroup: who goes away does not take it from the others. */
import { abortError } from './errors.ts';

interface Flight<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  waiting: number;
}

export class LookupGroup<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /**
   * What `start` gives, or what it gave to somebody who came with the same key a moment ago. Its signal aborts when nobody waits any more.
   * @throws CanceledError, DialTimeoutError (as rejections) when `signal` aborts
   */
  do(key: string, signal: AbortSignal | undefined, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (signal?.aborted) return Promise.reject(abortError(signal));
    const flight = this.#flights.get(key) ?? this.#start(key, start);
    flight.waiting++;
    if (signal === undefined) return flight.result;
    return new Promise((resolve, reject) => {
      const aborted = () => {
        if (--flight.waiting === 0) {
          this.#forget(key, flight);
          flight.controller.abort(signal.reason);
        }
        reject(abortError(signal));
      };
      signal.addEventListener('abort', aborted, { once: true });
      flight.result.finally(() => signal.removeEventListener('abort', aborted)).then(resolve, reject);
    });
  }

  #start(key: string, start: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const result = start(controller.signal).finally(() => this.#forget(key, flight));
    const flight: Flight<T> = { result, controller, waiting: 0 };
    this.#flights.set(key, flight);
    return flight;
  }

  #forget(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
