/** What a seed decides, draw by draw. */
import { type Random, seededRandom } from '../../src/time/random.ts';

export class Draw {
  readonly #random: Random;

  constructor(seed: string) {
    this.#random = seededRandom(seed);
  }

  chance(probability: number): boolean {
    return this.#random.float() < probability;
  }

  /** An integer of low..high. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.#random.float() * (high - low + 1));
  }

  /** Between low and high, small ones as often as large ones. */
  logarithmic(low: number, high: number): number {
    return Math.round(Math.exp(Math.log(low) + this.#random.float() * (Math.log(high) - Math.log(low))));
  }

  /** A probability of 0..most, with 4 digits. */
  upTo(most: number): number {
    return Math.round(this.#random.float() * most * 10_000) / 10_000;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.integer(0, list.length - 1)] as T;
  }
}
