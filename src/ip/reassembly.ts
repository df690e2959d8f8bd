/**
 * Fragments put together: RFC 791 3.2, RFC 815, RFC 1122 3.3.2, RFC 8200 4.5, RFC 5722, RFC 6946; limits and counters as Linux's inet_fragment.
 *
 * What waits is bounded by what it takes in memory (`ipfrag_high_thresh`, `ip6frag_high_thresh`), and by time (`ipfrag_time`,
 * `ip6frag_time`). Above the limit nothing is taken, what is here waits for its time. One timer serves all.
 */
import { CHECKSUM_NONE, Packet } from '../link/packet.ts';
import type { Chunk, Slab } from '../link/slab.ts';
import type { Clock, Timer } from '../time/clock.ts';
import { Deadlines } from '../time/deadlines.ts';
import type { Random } from '../time/random.ts';
import { OK } from '../wire/reasons.ts';
import { halfSipHashWords } from '../wire/siphash.ts';
import type { IpCounters } from './counters.ts';
import { FragmentPages } from './fragment-pages.ts';
import { fragmentFault } from './fragment-rules.ts';
import { FragmentSources } from './fragment-sources.ts';
import { InboundPacket, readPacket } from './inbound.ts';
import { KeyedTable } from './keyed-table.ts';
import { DUPLICATE, OVERLAP, PartialDatagram, TAKEN } from './partial-datagram.ts';
import { combinedEcn, IMPOSSIBLE_ECN, writeFirst, writeWhole } from './whole-datagram.ts';

/** Under Linux's names. */
export interface ReassemblySettings {
  /** Bytes. */
  readonly ipfrag_high_thresh: number;
  readonly ip6frag_high_thresh: number;
  /** Seconds. */
  readonly ipfrag_time: number;
  readonly ip6frag_time: number;
  /** Fragments. */
  readonly ipfrag_max_dist: number;
}

/** What it needs of its stack; `From` is what packets come from. */
export interface ReassemblyOwner<From> {
  readonly slab: Slab;
  readonly clock: Clock;
  readonly random: Random;
  readonly sysctl: ReassemblySettings;
  readonly ipCounters: IpCounters;
  drop(reason: string, now: number): void;
  /** RFC 792, RFC 4443 3.3: time exceeded, code 1, about a datagram whose first fragment is `first`. To be sent soon: this is no batch. */
  reassemblyTimedOut(from: From, first: InboundPacket, now: number): void;
  /** RFC 4443 3.4, about a fragment. `pointer`: from the start of its IPv6 header. */
  fragmentAtFault(from: From, fragment: InboundPacket, code: number, pointer: number, now: number): void;
}

const COUNTERS = {
  4: { requests: 'ReasmReqds', successes: 'ReasmOKs', failures: 'ReasmFails', timeouts: 'ReasmTimeout' },
  6: { requests: 'Ip6ReasmReqds', successes: 'Ip6ReasmOKs', failures: 'Ip6ReasmFails', timeouts: 'Ip6ReasmTimeout' },
} as const;

const words = new Int32Array(10);

export class Reassembly<From> {
  readonly #owner: ReassemblyOwner<From>;
  readonly #key0: number;
  readonly #key1: number;
  readonly #table = new KeyedTable<PartialDatagram<From>>();
  readonly #sources: FragmentSources;
  readonly #pages: FragmentPages;
  readonly #deadlines = new Deadlines(1);
  readonly #byRow: (PartialDatagram<From> | undefined)[] = [];
  readonly #timer: Timer;
  /** Bytes, by family. */
  readonly #memory = { 4: 0, 6: 0 };
  /** The datagram that `arrives` made whole, until `done`. */
  #whole: Chunk | undefined;
  readonly #packet: Packet;
  readonly #first = new InboundPacket();

  constructor(owner: ReassemblyOwner<From>) {
    this.#owner = owner;
    const { random, slab, clock } = owner;
    this.#key0 = random.uint32() | 0;
    this.#key1 = random.uint32() | 0;
    this.#sources = new FragmentSources(random.uint32() | 0, random.uint32() | 0);
    this.#pages = new FragmentPages(slab);
    this.#packet = new Packet(undefined as unknown as Chunk, 0);
    this.#timer = clock.timer(() => this.#expire(), true);
  }

  /** Datagrams that are not whole. */
  get size(): number {
    return this.#table.size;
  }

  /** IPv4 hosts that they are from. */
  get sources(): number {
    return this.#sources.size;
  }

  /** Bytes that they take. */
  memory(family: 4 | 6): number {
    return this.#memory[family];
  }

  /**
   * A fragment for this host has come from `from`.
   * @returns whether a datagram is whole now: then `packet` is that, with nothing read but its first header, and holds until `done()`
   */
  arrives(from: From, packet: InboundPacket, now: number): boolean {
    const { family } = packet;
    this.#count(family, 'requests');
    const fault = fragmentFault(packet);
    if (fault !== undefined) {
      if (family === 6) this.#owner.ipCounters.Ip6InHdrErrors++;
      if (fault.pointer >= 0) this.#owner.fragmentAtFault(from, packet, fault.code, fault.pointer, now);
      return this.#drop(fault.reason, now);
    }
    const { ipfrag_high_thresh, ip6frag_high_thresh } = this.#owner.sysctl;
    const limit = family === 4 ? ipfrag_high_thresh : ip6frag_high_thresh;
    // Linux, inet_frag_find: above the limit nothing is taken, not even for what is here.
    if (this.#memory[family] > limit || limit === 0) return this.#fail(family, 'ip-fragments-too-many', now);
    const datagram = this.#find(packet) ?? this.#begin(from, packet, now);
    this.#startAgainIfFar(datagram, now);
    // RFC 5722 4: what comes after an overlap was found is dropped, too.
    if (datagram.isSpoiled) return this.#drop('ip-fragment-of-spoiled', now);
    const result = datagram.take(packet, this.#pages);
    // RFC 8200 4.5: networks duplicate packets. A fragment that brings nothing is no overlap.
    if (result === DUPLICATE) return this.#drop('ip-fragment-duplicate', now);
    if (result !== TAKEN) return this.#spoil(datagram, result, now);
    datagram.ecnSeen |= 1 << (packet.tos & 3);
    if (packet.fragmentOffset === 0) datagram.takeHeader(packet, from);
    this.#charge(datagram);
    return datagram.isWhole && this.#complete(datagram, packet, now);
  }

  /** Whoever got the whole datagram has looked at it. */
  done(): void {
    this.#whole?.release();
    this.#whole = undefined;
  }

  /** Forgets everything, silently. */
  clear(): void {
    for (const datagram of this.#byRow) if (datagram !== undefined) this.#end(datagram);
    this.#timer.clear();
  }

  #find(packet: InboundPacket): PartialDatagram<From> | undefined {
    const hash = this.#hashOf(packet);
    let datagram = this.#table.first(hash);
    while (datagram !== undefined && !(datagram.hash === hash && datagram.isOf(packet))) datagram = datagram.chained;
    return datagram;
  }

  #hashOf(packet: InboundPacket): number {
    words[0] = packet.s0;
    words[1] = packet.s1;
    words[2] = packet.s2;
    words[3] = packet.s3;
    words[4] = packet.d0;
    words[5] = packet.d1;
    words[6] = packet.d2;
    words[7] = packet.d3;
    words[8] = packet.identification;
    return halfSipHashWords(this.#key0, this.#key1, words, 9);
  }

  #begin(from: From, packet: InboundPacket, now: number): PartialDatagram<From> {
    const row = this.#deadlines.allocate();
    const datagram = new PartialDatagram(packet, from, row);
    datagram.hash = this.#hashOf(packet);
    this.#byRow[row] = datagram;
    this.#table.add(datagram);
    if (packet.family === 4) {
      datagram.source = this.#sources.join(packet.s3);
      datagram.sourceCount = datagram.source.count;
    }
    this.#charge(datagram);
    this.#startTimer(datagram, now);
    return datagram;
  }

  // RFC 1122 3.3.2: the time runs from the first fragment that came, and does not start again with others.
  #startTimer({ family, row }: PartialDatagram<From>, now: number): void {
    const { ipfrag_time, ip6frag_time } = this.#owner.sysctl;
    this.#deadlines.set(row, 0, now + (family === 4 ? ipfrag_time : ip6frag_time) * 1000);
    this.#timer.set(this.#deadlines.next());
  }

  /**
   * Linux, ip_frag_too_far: when so many other fragments came from the sender since the last one of this datagram, the identification has
   * probably come round, and what was kept is of an older one. RFC 6864 3.2 tells of that.
   */
  #startAgainIfFar(datagram: PartialDatagram<From>, now: number): void {
    const { source, sourceCount } = datagram;
    const { ipfrag_max_dist } = this.#owner.sysctl;
    if (source === undefined) return;
    datagram.sourceCount = ++source.count;
    if (ipfrag_max_dist === 0 || source.count - sourceCount <= ipfrag_max_dist || datagram.isEmpty) return;
    this.#fail(datagram.family, 'ip-fragments-too-far-apart', now);
    datagram.forget(this.#pages);
    this.#charge(datagram);
    this.#startTimer(datagram, now);
  }

  /**
   * RFC 5722 4, RFC 8200 4.5: when fragments overlap the whole datagram is dropped, and the sender is not told; IPv4 likewise, as Linux has it. What remains here
   * until the time is over keeps the fragments that are still to come from beginning another.
   */
  #spoil(datagram: PartialDatagram<From>, result: number, now: number): boolean {
    datagram.forget(this.#pages);
    datagram.isSpoiled = true;
    this.#charge(datagram);
    if (result === OVERLAP && datagram.family === 4) this.#owner.ipCounters.ReasmOverlaps++;
    return this.#fail(datagram.family, result === OVERLAP ? 'ip-fragment-overlap' : 'ip-fragment-misfit', now);
  }

  #complete(datagram: PartialDatagram<From>, packet: InboundPacket, now: number): boolean {
    const { family } = datagram;
    const ecn = combinedEcn(datagram.ecnSeen);
    const chunk = this.#owner.slab.take();
    const length = ecn === IMPOSSIBLE_ECN ? 0 : writeWhole(datagram, chunk, ecn);
    this.#end(datagram);
    if (length === 0 || !this.#read(chunk, length, datagram, packet)) {
      chunk.release();
      return this.#fail(family, ecn === IMPOSSIBLE_ECN ? 'ip-fragments-ecn' : 'ip-fragments-too-long', now);
    }
    this.#whole = chunk;
    this.#count(family, 'successes');
    return true;
  }

  #expire(): void {
    const { clock } = this.#owner;
    const now = clock.now();
    for (let row = this.#deadlines.popDue(now); row >= 0; row = this.#deadlines.popDue(now)) {
      const datagram = this.#byRow[row];
      if (datagram !== undefined) this.#timeOut(datagram, now);
    }
    const next = this.#deadlines.next();
    if (next !== Infinity) this.#timer.set(next);
  }

  #timeOut(datagram: PartialDatagram<From>, now: number): void {
    const { family, from, isSpoiled, header } = datagram;
    const chunk = header === undefined ? undefined : this.#owner.slab.take();
    const length = chunk === undefined ? 0 : writeFirst(datagram, chunk);
    this.#end(datagram);
    if (isSpoiled) return;
    this.#count(family, 'timeouts');
    this.#fail(family, 'ip-fragments-timeout', now);
    if (chunk === undefined) return;
    const first = this.#first;
    // RFC 792, RFC 8200 4.5: the sender is told, if the first fragment is there to be quoted.
    if (this.#read(chunk, length, datagram, first)) this.#owner.reassemblyTimedOut(from, first, now);
    chunk.release();
  }

  /** Reads the packet, or the first fragment, of that datagram at the start of a chunk. */
  #read(chunk: Chunk, length: number, datagram: PartialDatagram<From>, out: InboundPacket): boolean {
    const packet = this.#packet;
    packet.chunk = chunk;
    packet.length = length;
    packet.checksum = CHECKSUM_NONE;
    if (readPacket(packet, 0, out) !== OK) return false;
    // The bytes say nothing of zones.
    out.s0 = datagram.s0;
    out.d0 = datagram.d0;
    // Nor that there was a Fragment header, after which there is to be no other.
    out.unfragmentableLength = datagram.unfragmentableLength;
    return true;
  }

  #end(datagram: PartialDatagram<From>): void {
    const { row } = datagram;
    datagram.forget(this.#pages);
    this.#memory[datagram.family] -= datagram.charged;
    this.#table.remove(datagram);
    this.#sources.leave(datagram.source);
    this.#deadlines.free(row);
    this.#byRow[row] = undefined;
    if (this.#table.size === 0) this.#timer.clear();
  }

  #charge(datagram: PartialDatagram<From>): void {
    const { cost, charged } = datagram;
    this.#memory[datagram.family] += cost - charged;
    datagram.charged = cost;
  }

  #count(family: 4 | 6, what: keyof (typeof COUNTERS)[4]): void {
    this.#owner.ipCounters[COUNTERS[family][what]]++;
  }

  #fail(family: 4 | 6, reason: string, now: number): boolean {
    this.#count(family, 'failures');
    return this.#drop(reason, now);
  }

  #drop(reason: string, now: number): boolean {
    this.#owner.drop(reason, now);
    return false;
  }
}
