/**
 * The neighbours of one link in one family: their states, in time, and a bound on their number.
 *
 * The machine is RFC 4861 7.3's for both families, as Linux runs it; ARP and ND differ in what they send and whom they believe. It is
 * bounded against whoever can put frames on the link: a flood of claims, or a scan of a large network through this host, pushes out
 * what nobody uses, and in the end is not remembered at all.
 */
import type { Clock, Timer } from '../time/clock.ts';
import { Deadlines } from '../time/deadlines.ts';
import type { Random } from '../time/random.ts';
import { halfSipHashWords } from '../wire/siphash.ts';
import {
  NEIGHBOUR_DELAY,
  NEIGHBOUR_FAILED,
  NEIGHBOUR_INCOMPLETE,
  NEIGHBOUR_PROBE,
  NEIGHBOUR_REACHABLE,
  NEIGHBOUR_STALE,
  Neighbour,
  QUIET,
  WAITING,
} from './neighbour.ts';
import type { NeighbourSettings } from './neighbour-settings.ts';

/** How the table speaks, and to whom it tells what came of it. */
export interface NeighbourActions {
  /** Asks the neighbour for its hardware address: itself, when one is known, else all. */
  solicit(neighbour: Neighbour, unicast: boolean): void;
  /** What waits for the neighbour can go. */
  resolved(neighbour: Neighbour): void;
  /** Nobody answered: what waits for the neighbour cannot be delivered. */
  failed(neighbour: Neighbour): void;
}

/** Linux's names of /proc/net/stat/arp_cache. */
export interface NeighbourStatistics {
  /** Entries that could not be made. */
  table_fulls: number;
  /** Neighbours that did not answer. */
  res_failed: number;
  /** How often a table that was nearly full was looked through for room. */
  forced_gc_runs: number;
}

/** What `update` may do with an entry that has another hardware address. RFC 4861 7.2.5. */
export interface UpdateRules {
  /** The new one takes the place of the old. */
  readonly override: boolean;
  /** Without `override`, a REACHABLE entry becomes STALE. */
  readonly doubt?: boolean;
}

/** Linux: how long an entry is safe from a table that is more than half full, ms. */
const YOUNG = 5000;
/** How long a table that is full of neighbours that are needed is taken to stay so, ms: to look at each costs. */
const FULL = 100;
/** Linux: how often a new random reachable time is drawn, ms. RFC 4861 6.3.2. */
const NEW_REACHABLE_TIME = 300_000;

export class NeighbourTable {
  readonly #actions: NeighbourActions;
  readonly #settings: NeighbourSettings;
  readonly #statistics: NeighbourStatistics;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #key0: number;
  readonly #key1: number;
  readonly #words = new Int32Array(4);
  /** By keyed hash of the address; those with the same are a chain. */
  readonly #buckets = new Map<number, Neighbour>();
  #size = 0;
  /** By kind: WAITING, QUIET. */
  readonly #deadlines = [new Deadlines(1), new Deadlines(1)] as const;
  readonly #byRow: readonly (Neighbour | undefined)[][] = [[], []];
  readonly #timers: readonly [Timer, Timer];
  #ticking = false;
  #reachableTime = 0;
  #reachableUntil = -Infinity;
  #collectedAt = -Infinity;
  /** Until then a table full of what is needed is not looked through again. */
  #fullUntil = -Infinity;

  constructor(
    actions: NeighbourActions,
    settings: NeighbourSettings,
    statistics: NeighbourStatistics,
    clock: Clock,
    random: Random,
  ) {
    this.#actions = actions;
    this.#statistics = statistics;
    this.#settings = settings;
    this.#clock = clock;
    this.#random = random;
    this.#key0 = random.uint32();
    this.#key1 = random.uint32();
    this.#timers = [clock.timer(() => this.#tick(WAITING)), clock.timer(() => this.#tick(QUIET), true)];
  }

  /** All, in no order. */
  list(): Neighbour[] {
    const all: Neighbour[] = [];
    for (const first of this.#buckets.values())
      for (let each: Neighbour | undefined = first; each !== undefined; each = each.next) all.push(each);
    return all;
  }

  find(w0: number, w1: number, w2: number, w3: number): Neighbour | undefined {
    let each = this.#buckets.get(this.#hash(w0, w1, w2, w3));
    while (each !== undefined && !each.is(w0, w1, w2, w3)) each = each.next;
    return each;
  }

  /** A new neighbour that nothing is known of; undefined: the table is full of neighbours that are needed. */
  create(w0: number, w1: number, w2: number, w3: number, now: number): Neighbour | undefined {
    if (!this.#makeRoom(now)) {
      this.#statistics.table_fulls++;
      return undefined;
    }
    const hash = this.#hash(w0, w1, w2, w3);
    const made = new Neighbour(w0, w1, w2, w3, hash, now);
    made.next = this.#buckets.get(hash);
    this.#buckets.set(hash, made);
    this.#size++;
    return made;
  }

  /**
   * A packet is to go to the neighbour.
   * @returns whether it can go at once; otherwise it waits, and the neighbour is asked
   */
  use(neighbour: Neighbour, now: number): boolean {
    neighbour.used = now;
    if (neighbour.state === NEIGHBOUR_REACHABLE) {
      if (now < neighbour.confirmed + this.#reachable(now)) return true;
      neighbour.state = NEIGHBOUR_STALE;
    }
    if (neighbour.state === NEIGHBOUR_STALE) {
      // RFC 4861 7.3.3: the first packet to a stale neighbour goes, and leaves an answer of an upper layer's time to come first.
      this.#enter(neighbour, NEIGHBOUR_DELAY, now);
      this.#setDue(neighbour, QUIET, now + this.#settings.delay_first_probe_time * 1000);
    }
    return neighbour.state !== NEIGHBOUR_INCOMPLETE && neighbour.state !== NEIGHBOUR_FAILED;
  }

  /** Starts to ask for a neighbour that is FAILED. RFC 4861 7.2.2. What waits for it is in its queue by then. */
  resolve(neighbour: Neighbour, now: number): void {
    if (neighbour.state !== NEIGHBOUR_FAILED) return;
    this.#enter(neighbour, NEIGHBOUR_INCOMPLETE, now);
    this.#probe(neighbour, now);
  }

  /**
   * Somebody says that the neighbour is at a hardware address.
   * @param confirmed the neighbour answered a question of ours: REACHABLE; otherwise STALE, unless nothing changes
   * @returns whether the entry follows
   */
  update(
    neighbour: Neighbour,
    high: number,
    low: number,
    confirmed: boolean,
    rules: UpdateRules,
    now: number,
  ): boolean {
    const { isValid: wasValid } = neighbour;
    const same = wasValid && neighbour.high === high && neighbour.low === low;
    if (wasValid && !same && !rules.override) {
      if (rules.doubt === true && neighbour.state === NEIGHBOUR_REACHABLE) this.#enter(neighbour, NEIGHBOUR_STALE, now);
      return false;
    }
    const { updated } = neighbour;
    const unchanged = same && confirmed && neighbour.state === NEIGHBOUR_REACHABLE;
    if (confirmed) neighbour.confirmed = now;
    if (confirmed) this.#enter(neighbour, NEIGHBOUR_REACHABLE, now);
    else if (!same) this.#enter(neighbour, NEIGHBOUR_STALE, now);
    // Linux: what changes nothing does not move `locktime` either.
    if (unchanged) neighbour.updated = updated;
    neighbour.high = high;
    neighbour.low = low;
    if (!wasValid) this.#actions.resolved(neighbour);
    return true;
  }

  /** The carrier is gone: whoever is there when it comes back may be somebody else. Nobody is told. */
  clear(): void {
    for (const each of this.list()) this.#remove(each);
  }

  close(): void {
    this.clear();
    for (const timer of this.#timers) timer.clear();
  }

  #hash(w0: number, w1: number, w2: number, w3: number): number {
    const words = this.#words;
    words[0] = w0;
    words[1] = w1;
    words[2] = w2;
    words[3] = w3;
    return halfSipHashWords(this.#key0, this.#key1, words, 4);
  }

  /** RFC 4861 6.3.2: base_reachable_time times MIN_RANDOM_FACTOR to MAX_RANDOM_FACTOR, drawn anew now and then. */
  #reachable(now: number): number {
    if (now >= this.#reachableUntil) {
      this.#reachableUntil = now + NEW_REACHABLE_TIME;
      this.#reachableTime = this.#settings.base_reachable_time_ms * (0.5 + this.#random.float());
    }
    return this.#reachableTime;
  }

  /** A new state, with no deadline yet. */
  #enter(neighbour: Neighbour, state: number, now: number): void {
    if (neighbour.row >= 0) {
      const kind = neighbour.rowKind;
      this.#deadlines[kind as 0 | 1].free(neighbour.row);
      (this.#byRow[kind] as (Neighbour | undefined)[])[neighbour.row] = undefined;
      neighbour.row = -1;
      this.#arm(kind);
    }
    neighbour.state = state;
    neighbour.probes = 0;
    neighbour.updated = now;
  }

  #setDue(neighbour: Neighbour, kind: 0 | 1, at: number): void {
    if (neighbour.row < 0) {
      neighbour.row = this.#deadlines[kind].allocate();
      neighbour.rowKind = kind;
      (this.#byRow[kind] as (Neighbour | undefined)[])[neighbour.row] = neighbour;
    }
    this.#deadlines[kind].set(neighbour.row, 0, at);
    this.#arm(kind);
  }

  #arm(kind: number): void {
    if (this.#ticking) return;
    const next = this.#deadlines[kind as 0 | 1].next();
    const timer = this.#timers[kind as 0 | 1];
    if (next === Infinity) timer.clear();
    else timer.set(next);
  }

  #tick(kind: 0 | 1): void {
    const now = this.#clock.now();
    const deadlines = this.#deadlines[kind];
    this.#ticking = true;
    for (let row = deadlines.popDue(now); row >= 0; row = deadlines.popDue(now)) {
      deadlines.clear(row, 0);
      const neighbour = (this.#byRow[kind] as (Neighbour | undefined)[])[row];
      if (neighbour !== undefined) this.#due(neighbour, now);
    }
    this.#ticking = false;
    this.#arm(WAITING);
    this.#arm(QUIET);
  }

  #due(neighbour: Neighbour, now: number): void {
    if (neighbour.state === NEIGHBOUR_DELAY) {
      this.#enter(neighbour, NEIGHBOUR_PROBE, now);
      this.#probe(neighbour, now);
      return;
    }
    const { ucast_solicit, mcast_solicit } = this.#settings;
    const most = neighbour.state === NEIGHBOUR_PROBE ? ucast_solicit : mcast_solicit;
    if (neighbour.probes < most) return this.#probe(neighbour, now);
    // RFC 4861 7.2.2, 7.3.3: nobody answered.
    this.#statistics.res_failed++;
    this.#enter(neighbour, NEIGHBOUR_FAILED, now);
    this.#actions.failed(neighbour);
  }

  /** RFC 1122 2.3.2.1, RFC 4861 7.2.2: one question per neighbour and second. */
  #probe(neighbour: Neighbour, now: number): void {
    neighbour.probes++;
    const unicast = neighbour.state === NEIGHBOUR_PROBE;
    this.#setDue(neighbour, unicast ? QUIET : WAITING, now + this.#settings.retrans_time_ms);
    this.#actions.solicit(neighbour, unicast);
  }

  /** Room for one more: Linux's gc_thresh1 to gc_thresh3. @returns whether there is */
  #makeRoom(now: number): boolean {
    const { gc_thresh1, gc_thresh2, gc_thresh3, gc_stale_time, base_reachable_time_ms } = this.#settings;
    const size = this.#size;
    if (size >= gc_thresh3 && now < this.#fullUntil) return false;
    if (size >= gc_thresh3 || (size >= gc_thresh2 && now >= this.#collectedAt + YOUNG)) {
      this.#statistics.forced_gc_runs++;
      this.#collect(now - YOUNG, size - gc_thresh2 + 1, now);
    } else if (size >= gc_thresh1 && now >= this.#collectedAt + base_reachable_time_ms / 2) {
      this.#collect(now - gc_stale_time * 1000, size, now);
    }
    // A table full of what came within 5 s: what we never sent anything to gives way before what we need.
    if (this.#size >= gc_thresh3) this.#collectUnused(size - gc_thresh2 + 1);
    if (this.#size < gc_thresh3) return true;
    this.#fullUntil = now + FULL;
    return false;
  }

  /** Forgets up to `most` neighbours that failed, or that nobody has used or heard of since `before`. */
  #collect(before: number, most: number, now: number): void {
    this.#collectedAt = now;
    let left = most;
    for (const each of this.list()) {
      const idle = each.state === NEIGHBOUR_STALE || each.state === NEIGHBOUR_REACHABLE;
      const old = idle && each.used < before && each.updated < before;
      if ((each.state !== NEIGHBOUR_FAILED && !old) || isWaitedFor(each)) continue;
      this.#remove(each);
      if (--left <= 0) return;
    }
  }

  #collectUnused(most: number): void {
    let left = most;
    for (const each of this.list()) {
      if (each.state !== NEIGHBOUR_STALE || each.used !== -Infinity || isWaitedFor(each)) continue;
      this.#remove(each);
      if (--left <= 0) return;
    }
  }

  /** What waits for it must have gone. */
  #remove(neighbour: Neighbour): void {
    this.#enter(neighbour, NEIGHBOUR_FAILED, neighbour.updated);
    neighbour.dead = true;
    this.#size--;
    const first = this.#buckets.get(neighbour.hash);
    if (first === neighbour) {
      if (neighbour.next === undefined) this.#buckets.delete(neighbour.hash);
      else this.#buckets.set(neighbour.hash, neighbour.next);
      return;
    }
    let before = first;
    while (before !== undefined && before.next !== neighbour) before = before.next;
    if (before !== undefined) before.next = neighbour.next;
  }
}

/** Packets that can go stand in its queue, because the link beneath is full. */
function isWaitedFor({ queue }: Neighbour): boolean {
  return queue !== undefined && queue.length > 0;
}
