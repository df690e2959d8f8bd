/**
 * SYN cookies: a listener whose queue is full answers SYNs and remembers nothing; the ACK of the handshake brings back what it needs.
 * RFC 4987 3.6, D. J. Bernstein's construction as Linux has it: the ISN holds a minute's count, one of four MSS and a keyed hash of
 * the endpoints; what else the SYN offered comes back in the low bits of the timestamp, or is given up when there is none.
 */
import type { Random } from '../time/random.ts';
import type { IpAddress } from '../wire/address.ts';
import { sipHash24 } from '../wire/siphash.ts';

/** What a peer's MSS is rounded down to, by the address family: the sizes that are met most (RFC 4987 3.6: there is room for two bits). */
const MSS_TABLES = { 4: [536, 1300, 1440, 1460], 6: [1220, 1420, 1440, 8940] } as const;
/** How long the count in a cookie stands still, ms; and how many counts a cookie lives. */
const PERIOD = 60_000;
const MAX_AGE = 2;
const COUNT_SHIFT = 24;
const LOW_BITS = (1 << COUNT_SHIFT) - 1;

/** How long after a cookie went out an ACK may be one's answer, ms. */
export const COOKIE_VALID = MAX_AGE * PERIOD;

/** The timestamp's low bits: the peer's window shift (15: none), SACK, ECN; their number. */
const SHIFT_MASK = 0xf;
const SACK_BIT = 0x10;
const ECN_BIT = 0x20;
const OPTION_BITS = 6;

/** Both ends of the connection that a cookie is for. */
export interface CookieEnds {
  readonly local: IpAddress;
  readonly localPort: number;
  readonly remote: IpAddress;
  readonly remotePort: number;
}

export class SynCookies {
  readonly #keys: readonly [Int32Array, Int32Array];
  readonly #words = new Int32Array(10);
  readonly #out = new Int32Array(2);

  constructor(random: Random) {
    const key = () => Int32Array.from({ length: 4 }, () => random.uint32() | 0);
    this.#keys = [key(), key()];
  }

  /**
   * The initial sequence number for a SYN-ACK of which nothing is kept.
   * @param irs the SYN's sequence number
   * @param mss what the peer's SYN says
   */
  make(ends: CookieEnds, irs: number, mss: number, now: number): number {
    const count = countAt(now);
    const table = MSS_TABLES[ends.local.family];
    let index = table.length - 1;
    while (index > 0 && (table[index] as number) > mss) index--;
    const hidden = (this.#hash(1, ends, count) + index) & LOW_BITS;
    return (this.#hash(0, ends, 0) + irs + (count << COUNT_SHIFT) + hidden) | 0;
  }

  /**
   * What an ACK's number, less one, says.
   * @returns the MSS, or 0: it is no cookie of ours, or too old a one
   */
  check(ends: CookieEnds, irs: number, cookie: number, now: number): number {
    const rest = (cookie - this.#hash(0, ends, 0) - irs) | 0;
    const count = countAt(now);
    const age = (count - (rest >>> COUNT_SHIFT)) & (0xffffffff >>> COUNT_SHIFT);
    if (age >= MAX_AGE) return 0;
    return MSS_TABLES[ends.local.family][(rest - this.#hash(1, ends, count - age)) & LOW_BITS] ?? 0;
  }

  #hash(key: 0 | 1, { local, localPort, remote, remotePort }: CookieEnds, count: number): number {
    const words = this.#words;
    words[0] = remote.w0;
    words[1] = remote.w1;
    words[2] = remote.w2;
    words[3] = remote.w3;
    words[4] = local.w0;
    words[5] = local.w1;
    words[6] = local.w2;
    words[7] = local.w3;
    words[8] = (remotePort << 16) | localPort;
    words[9] = count;
    sipHash24(this.#keys[key], words, 10, this.#out);
    return this.#out[0] as number;
  }
}

function countAt(now: number): number {
  return Math.floor(now / PERIOD) | 0;
}

/**
 * TSval of a SYN-ACK with a cookie, without the connection's offset: the latest that is not later than `now` and says in its low bits what
 * the SYN offered.
 * @param windowShift the peer's; -1: not offered
 */
export function cookieTimestamp(windowShift: number, sack: boolean, ecn: boolean, now: number): number {
  const options = (windowShift < 0 ? SHIFT_MASK : windowShift) | (sack ? SACK_BIT : 0) | (ecn ? ECN_BIT : 0);
  const stamp = Math.floor(now) | 0;
  const low = stamp & ((1 << OPTION_BITS) - 1);
  return (stamp - low + options - (options > low ? 1 << OPTION_BITS : 0)) | 0;
}

/** The peer's window shift as `cookieTimestamp` hid it; -1: not offered. */
export function cookieWindowShift(stamp: number): number {
  const shift = stamp & SHIFT_MASK;
  return shift === SHIFT_MASK ? -1 : shift;
}

/** Whether the SYN offered SACK. */
export function cookieSack(stamp: number): boolean {
  return (stamp & SACK_BIT) !== 0;
}

/** Whether ECN was granted. */
export function cookieEcn(stamp: number): boolean {
  return (stamp & ECN_BIT) !== 0;
}
