/**
 * The stream that a peer writes, and how far a reader has come in it, when bytes that were urgent may have been left out: which of them were,
 * only what follows can tell.
 */
import { Buffer } from 'node:buffer';
import { seededRandom } from '../../src/time/random.ts';

/** A stream repeats after this many bytes: a prime, so that no segment or buffer size hides a shift. */
export const PERIOD = 65_537;

/** What `seed` writes: `PERIOD` bytes, over and over. */
export function stream(seed: string): Uint8Array {
  const random = seededRandom(seed);
  const bytes = new Uint8Array(PERIOD + 3);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at + 4 <= bytes.length; at += 4) view.setUint32(at, random.uint32());
  return bytes.subarray(0, PERIOD);
}

export class StreamCheck {
  readonly #bytes: Uint8Array;
  /** Where the reader may be. */
  #places = [0];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /**
   * @param urgent places of the bytes that may be missing, in order
   * @returns whether this is what comes next
   */
  takes(read: Uint8Array, urgent: readonly number[]): boolean {
    const places = this.#after(read, urgent);
    if (places.length > 0) this.#places = places;
    return places.length > 0;
  }

  /** The same, and the reader stays where it is. */
  shows(read: Uint8Array, urgent: readonly number[]): boolean {
    return this.#after(read, urgent).length > 0;
  }

  /** Whether that may have been all of `size` bytes. */
  endsAt(size: number, urgent: readonly number[]): boolean {
    return this.#places.some((place) => {
      while (place < size && urgent.includes(place)) place++;
      return place === size;
    });
  }

  /** The byte at a place. */
  at(place: number): number {
    return this.#bytes[place % PERIOD] as number;
  }

  #after(read: Uint8Array, urgent: readonly number[]): number[] {
    const ends = new Set<number>();
    const todo: [place: number, done: number][] = this.#places.map((place) => [place, 0]);
    const seen = new Set<string>();
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      const [place, done] = next;
      const name = `${place} ${done}`;
      if (seen.has(name)) continue;
      seen.add(name);
      if (done === read.length) ends.add(place);
      else if (urgent.length > 0 && firstFrom(urgent, place) === place) {
        todo.push([place + 1, done]);
        if (read[done] === this.at(place)) todo.push([place + 1, done + 1]);
      } else {
        const until = firstFrom(urgent, place);
        const length = Math.min(read.length - done, PERIOD - (place % PERIOD), until - place);
        const at = place % PERIOD;
        const same = Buffer.compare(read.subarray(done, done + length), this.#bytes.subarray(at, at + length)) === 0;
        if (same) todo.push([place + length, done + length]);
      }
    }
    return [...ends];
  }
}

/** The first of them that is not below `place`; Infinity: there is none. */
function firstFrom(urgent: readonly number[], place: number): number {
  let [low, high] = [0, urgent.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((urgent[middle] as number) < place) low = middle + 1;
    else high = middle;
  }
  return urgent[low] ?? Infinity;
}
