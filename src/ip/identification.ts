/**
 * The identification of datagrams that are sent in fragments, or may be fragmented on their way: one that differs from those of the datagrams before,
 * and that nobody can foresee. RFC 7739 5.3, RFC 6864 4.3, RFC 6274 3.5.2.
 */
import type { Random } from '../time/random.ts';
import type { IpAddress } from '../wire/address.ts';
import { sipHash24 } from '../wire/siphash.ts';

/** Counters, each for the flows that a hash gives it (Linux has as many at least). */
const COUNTERS = 2048;

const words = new Int32Array(9);
const hash = new Int32Array(2);

export class Identifications {
  readonly #key: Int32Array;
  /** Made when the first is needed: most hosts need none. */
  #counters: Int32Array | undefined;

  constructor(random: Random) {
    this.#key = Int32Array.from({ length: 4 }, () => random.uint32());
  }

  /**
   * The first of `count` identifications, which follow each other; int32, of which IPv4 sends 16 bits.
   *
   * RFC 7739 5.3: a hash of both ends, under a key, says where the flow's numbers start and which of the counters they go on by. So to one
   * host they come round as late as can be, and say nothing to another.
   */
  next(source: IpAddress, destination: IpAddress, protocol: number, count: number): number {
    words[0] = source.w0;
    words[1] = source.w1;
    words[2] = source.w2;
    words[3] = source.w3;
    words[4] = destination.w0;
    words[5] = destination.w1;
    words[6] = destination.w2;
    words[7] = destination.w3;
    // RFC 791 3.2: to be unique for source, destination and protocol; RFC 8200 4.5: for source and destination.
    words[8] = source.family === 4 ? protocol : 0;
    sipHash24(this.#key, words, words.length, hash);
    this.#counters ??= new Int32Array(COUNTERS);
    const start = hash[0] as number;
    const index = (hash[1] as number) & (COUNTERS - 1);
    const counter = this.#counters[index] as number;
    this.#counters[index] = counter + count;
    return (start + counter) | 0;
  }
}
