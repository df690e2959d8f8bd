/** The timeout of a socket: what is called after a time without traffic. It does not keep the process alive. */
import { AsyncResource } from 'node:async_hooks';
import type { Clock, Timer } from '../../time/clock.ts';

export class Silence {
  readonly #clock: Clock;
  readonly #over: () => void;
  /** Made when there is a timeout: most sockets never have one. */
  #timer: Timer | undefined;
  #ms = 0;
  /** Of who set the time. */
  #context: AsyncResource | undefined;

  constructor(clock: Clock, over: () => void) {
    this.#clock = clock;
    this.#over = over;
  }

  /** ms; 0: never. */
  set(ms: number): void {
    this.#ms = ms;
    if (ms > 0) this.#context = new AsyncResource('Timeout');
    this.touch();
  }

  /** There was traffic: the time starts anew. */
  touch(): void {
    if (this.#ms === 0) return this.#timer?.clear();
    this.#timer ??= this.#clock.timer(() => this.#context?.runInAsyncScope(this.#over), true);
    this.#timer.set(this.#clock.now() + this.#ms);
  }

  clear(): void {
    this.#ms = 0;
    this.#timer?.clear();
  }
}
