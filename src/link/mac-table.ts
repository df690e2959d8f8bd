/** Which port of a switch a hardware address was last seen on: IEEE 802.1D 7.9, bounded against whoever invents addresses. */
import type { Random } from '../time/random.ts';
import { hardwareAddressText } from '../wire/ethernet.ts';
import { halfSipHash13 } from '../wire/siphash.ts';

interface Entry<Port> {
  readonly high: number;
  readonly low: number;
  port: Port;
  /** When it was last seen, ms. */
  seenAt: number;
  /** The next with the same hash. */
  next: Entry<Port> | undefined;
}

/** How often a full table is looked through for what has aged, ms. */
const SWEEP_INTERVAL = 1000;

export class MacTable<Port> {
  readonly #most: number;
  readonly #ageing: number;
  readonly #key0: number;
  readonly #key1: number;
  readonly #buckets = new Map<number, Entry<Port>>();
  #size = 0;
  #sweptAt = -Infinity;

  /** `most` addresses; what was not seen for `ageing` ms is forgotten. */
  constructor(most: number, ageing: number, random: Random) {
    this.#most = most;
    this.#ageing = ageing;
    this.#key0 = random.uint32();
    this.#key1 = random.uint32();
  }

  /** @returns whether the address is in the table now: a full one takes no more */
  learn(high: number, low: number, port: Port, now: number): boolean {
    const known = this.#find(high, low);
    if (known !== undefined) {
      known.port = port;
      known.seenAt = now;
      return true;
    }
    if (this.#size >= this.#most && now >= this.#sweptAt + SWEEP_INTERVAL) {
      this.#sweptAt = now;
      this.#forget(({ seenAt }) => now >= seenAt + this.#ageing);
    }
    if (this.#size >= this.#most) return false;
    const hash = this.#hash(high, low);
    this.#buckets.set(hash, { high, low, port, seenAt: now, next: this.#buckets.get(hash) });
    this.#size++;
    return true;
  }

  find(high: number, low: number, now: number): Port | undefined {
    const known = this.#find(high, low);
    return known === undefined || now >= known.seenAt + this.#ageing ? undefined : known.port;
  }

  /** The port is gone, or what was behind it. */
  forgetPort(port: Port): void {
    this.#forget((entry) => entry.port === port);
  }

  /** What has not aged, for people. */
  list(now: number): { readonly hardwareAddress: string; readonly port: Port; readonly age: number }[] {
    return this.#entries()
      .filter(({ seenAt }) => now < seenAt + this.#ageing)
      .map(({ high, low, port, seenAt }) => ({
        hardwareAddress: hardwareAddressText(high, low),
        port,
        age: now - seenAt,
      }));
  }

  #hash(high: number, low: number): number {
    return halfSipHash13(this.#key0, this.#key1, high, low, 0);
  }

  #find(high: number, low: number): Entry<Port> | undefined {
    let entry = this.#buckets.get(this.#hash(high, low));
    while (entry !== undefined && (entry.low !== low || entry.high !== high)) entry = entry.next;
    return entry;
  }

  #entries(): Entry<Port>[] {
    const all: Entry<Port>[] = [];
    for (const first of this.#buckets.values())
      for (let each: Entry<Port> | undefined = first; each !== undefined; each = each.next) all.push(each);
    return all;
  }

  #forget(isGone: (entry: Entry<Port>) => boolean): void {
    const kept = this.#entries().filter((entry) => !isGone(entry));
    this.#buckets.clear();
    this.#size = kept.length;
    for (const entry of kept) {
      const hash = this.#hash(entry.high, entry.low);
      entry.next = this.#buckets.get(hash);
      this.#buckets.set(hash, entry);
    }
  }
}
