/**
 * The host's own addresses on an Ethernet link: each is tried out before it is used, and watched for as long as it is.
 *
 * RFC 5227 for IPv4 (probes, announcements, defence), RFC 4862 5.4 for IPv6 (duplicate address detection).
 */
import type { Clock, Timer } from '../time/clock.ts';
import type { Random } from '../time/random.ts';
import type { InterfaceAddress } from './link.ts';
import { PacketQueue } from './packet-queue.ts';

/** A timer that fires so long after its time, ms, says that the process was away; how long what lies in the link is then given, and how often. */
const LATE = 5;
const TO_CATCH_UP = 50;
const MAX_WAITS = 20;
/** RFC 5227 1.1, ms. */
const PROBE_WAIT = 1000;
const PROBE_NUM = 3;
const PROBE_MIN = 1000;
const PROBE_MAX = 2000;
const ANNOUNCE_WAIT = 2000;
const ANNOUNCE_NUM = 2;
const ANNOUNCE_INTERVAL = 2000;
const MAX_CONFLICTS = 10;
const RATE_LIMIT_INTERVAL = 60_000;
const DEFEND_INTERVAL = 10_000;
/** RFC 4861 10: MAX_RTR_SOLICITATION_DELAY and RETRANS_TIMER; RFC 4862 5.1: DupAddrDetectTransmits. */
const SOLICITATION_DELAY = 1000;
const RETRANS_TIMER = 1000;
const DUP_ADDR_DETECT_TRANSMITS = 1;

/** `tentative`: it is tried out; `preferred`: in use; `duplicate`: another host has it, and it is not used. */
export type AddressState = 'tentative' | 'preferred' | 'duplicate';
/** What becomes of an address in use that another host claims: RFC 5227 2.4 (c), (b), (a). */
export type Defence = 'always' | 'once' | 'never';

export class OwnAddress {
  readonly entry: InterfaceAddress;
  state: AddressState = 'preferred';
  /** It is given up: the host says its last words from there. */
  isLeaving = false;
  /** Probes, or announcements, that were sent. */
  sent = 0;
  timer: Timer | undefined;
  /** When nobody has answered the last probe, ms; and how often that was put off because the process was late. */
  decidesAt = 0;
  waits = 0;
  /** When another host last claimed it, ms, and when that was last told. */
  conflictAt = -Infinity;
  toldAt = -Infinity;
  /** Packets from it that wait until it may be used. */
  queue: PacketQueue | undefined;

  constructor(entry: InterfaceAddress) {
    this.entry = entry;
  }

  get isIpv4(): boolean {
    return this.entry.address.family === 4;
  }

  /** Whether it is that address, as it is on the wire. */
  is(w0: number, w1: number, w2: number, w3: number): boolean {
    const { address } = this.entry;
    return address.w3 === w3 && address.w2 === w2 && address.w1 === w1 && address.bareW0 === w0;
  }

  get waiting(): PacketQueue {
    this.queue ??= new PacketQueue();
    return this.queue;
  }
}

export interface OwnAddressActions {
  /** The host is about to try an IPv6 address out, or to use it: it is in the address's group. */
  joined(own: OwnAddress): void;
  /** An ARP probe, or a neighbour solicitation from nobody: "is anybody at this address?" */
  probe(own: OwnAddress): void;
  /** An ARP announcement: "I am at this address." IPv4 only. */
  announce(own: OwnAddress): void;
  /** It may be used: what waits can go. */
  preferred(own: OwnAddress): void;
  /** It is not used, or not any more: what waits is lost. */
  lost(own: OwnAddress): void;
  /** Another host has it. `then` is to be called when the host has been told, and has said what it has to say. */
  conflict(own: OwnAddress, high: number, low: number, kept: boolean, then?: () => void): void;
}

export interface OwnAddressOptions {
  /** Whether addresses are tried out before they are used. */
  readonly detection: boolean;
  readonly defence: Defence;
}

export class OwnAddresses {
  readonly #addresses: () => readonly InterfaceAddress[];
  readonly #actions: OwnAddressActions;
  readonly #options: OwnAddressOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  #own: OwnAddress[] = [];
  /** Addresses that others had, so far; and when one was last tried out, ms. */
  #conflicts = 0;
  #triedAt = -Infinity;

  /** `addresses`: those of the host, as they are now. */
  constructor(
    addresses: () => readonly InterfaceAddress[],
    actions: OwnAddressActions,
    options: OwnAddressOptions,
    clock: Clock,
    random: Random,
  ) {
    this.#addresses = addresses;
    this.#actions = actions;
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
  }

  /** The addresses that the host has now, new ones under trial. */
  list(): readonly OwnAddress[] {
    const entries = this.#addresses();
    const own = this.#own;
    let same = own.length === entries.length;
    for (let i = 0; same && i < entries.length; i++) same = (own[i] as OwnAddress).entry === entries[i];
    if (!same) this.#follow(entries);
    return this.#own;
  }

  /** That address, as it is on the wire, when it is one of ours. No allocation. */
  find(w0: number, w1: number, w2: number, w3: number): OwnAddress | undefined {
    const own = this.list();
    for (let i = 0; i < own.length; i++) {
      const each = own[i] as OwnAddress;
      if (each.is(w0, w1, w2, w3)) return each;
    }
    return undefined;
  }

  /** Whether the IPv4 address is that of all hosts: 255.255.255.255, or the last of a network that we are on. RFC 1122 3.2.1.3. */
  isBroadcast(address: number): boolean {
    if (address === -1) return true;
    const own = this.list();
    for (let i = 0; i < own.length; i++) {
      const { isIpv4, entry } = own[i] as OwnAddress;
      // RFC 3021: a network of two addresses has none.
      if (!isIpv4 || entry.bits > 30) continue;
      if (address === (entry.address.w3 | (entry.bits === 0 ? -1 : -1 >>> entry.bits))) return true;
    }
    return false;
  }

  /** The carrier is there (again): RFC 5227 2.1: then addresses are tried out, and never merely because time went by. */
  restart(): void {
    for (const each of this.list()) this.#start(each);
  }

  close(): void {
    for (const each of this.#own) each.timer?.clear();
    this.#own = [];
  }

  /** Another host says that it uses the address; or, of a tentative one, that it is about to. */
  contested(own: OwnAddress, high: number, low: number): void {
    if (own.state === 'duplicate' || own.isLeaving) return;
    // RFC 5227 2.1.1, RFC 4862 5.4.3, 5.4.4: whoever claims it, or tries it out at the same time, ends the trial.
    if (own.state === 'tentative') return this.#giveUp(own, high, low);
    // RFC 4862 5.4.4 leaves open what to do once an address is in use: Linux says so, and goes on.
    if (!own.isIpv4) return this.#tell(own, high, low);
    const now = this.#clock.now();
    const recent = now < own.conflictAt + DEFEND_INTERVAL;
    own.conflictAt = now;
    const { defence } = this.#options;
    // RFC 5227 2.4 (a), (b): never defended, or contested twice within DEFEND_INTERVAL.
    if (defence === 'never' || (defence === 'once' && recent)) return this.#giveUp(own, high, low);
    // RFC 5227 2.4 (b), (c): one announcement in DEFEND_INTERVAL, so that two hosts do not go on for ever.
    if (!recent) this.#actions.announce(own);
    this.#tell(own, high, low);
  }

  #follow(entries: readonly InterfaceAddress[]): void {
    const before = this.#own;
    this.#own = entries.map((entry) => before.find((own) => own.entry === entry) ?? new OwnAddress(entry));
    for (const gone of before) {
      if (this.#own.includes(gone)) continue;
      this.#lose(gone);
    }
    for (const each of this.#own) if (!before.includes(each)) this.#start(each);
  }

  #start(own: OwnAddress): void {
    own.sent = 0;
    own.isLeaving = false;
    own.conflictAt = -Infinity;
    own.toldAt = -Infinity;
    own.state = this.#options.detection ? 'tentative' : 'preferred';
    if (!this.#options.detection) {
      if (!own.isIpv4) this.#actions.joined(own);
      return;
    }
    own.timer ??= this.#clock.timer(() => this.#tick(own));
    // RFC 5227 2.1.1, RFC 4862 5.4.2: hosts that were switched on together do not all ask at once.
    const most = own.isIpv4 ? PROBE_WAIT : SOLICITATION_DELAY;
    // RFC 5227 2.1.1: after many conflicts addresses are tried out no more often than once a minute.
    const now = this.#clock.now();
    const earliest = this.#conflicts < MAX_CONFLICTS ? now : Math.max(now, this.#triedAt + RATE_LIMIT_INTERVAL);
    this.#triedAt = earliest;
    own.timer.set(earliest + this.#random.float() * most);
  }

  #tick(own: OwnAddress): void {
    const now = this.#clock.now();
    if (own.state === 'preferred') return this.#announce(own, now);
    const probes = own.isIpv4 ? PROBE_NUM : DUP_ADDR_DETECT_TRANSMITS;
    if (own.sent < probes) {
      // RFC 4862 5.4.2: the group is joined before anything is asked.
      if (own.sent === 0 && !own.isIpv4) this.#actions.joined(own);
      own.sent++;
      this.#actions.probe(own);
      own.decidesAt = now + this.#afterProbe(own);
      own.waits = 0;
      own.timer?.set(own.decidesAt);
      return;
    }
    // The process was away from its event loop: an answer that came in time may lie in the link, which is read first.
    if (now - own.decidesAt > LATE && own.waits < MAX_WAITS) {
      own.waits++;
      own.decidesAt = now + TO_CATCH_UP;
      own.timer?.set(own.decidesAt);
      return;
    }
    own.state = 'preferred';
    own.sent = 0;
    // RFC 5227 2.3: the address may be used once the first announcement has gone.
    if (own.isIpv4) this.#announce(own, now);
    this.#actions.preferred(own);
  }

  #afterProbe(own: OwnAddress): number {
    if (!own.isIpv4) return RETRANS_TIMER;
    return own.sent === PROBE_NUM ? ANNOUNCE_WAIT : PROBE_MIN + this.#random.float() * (PROBE_MAX - PROBE_MIN);
  }

  #announce(own: OwnAddress, now: number): void {
    this.#actions.announce(own);
    if (++own.sent < ANNOUNCE_NUM) own.timer?.set(now + ANNOUNCE_INTERVAL);
  }

  #giveUp(own: OwnAddress, high: number, low: number): void {
    this.#conflicts++;
    const wasUsed = own.state === 'preferred';
    own.isLeaving = wasUsed;
    if (!wasUsed) this.#lose(own);
    // RFC 5227 2.4: connections over it are reset first.
    this.#actions.conflict(own, high, low, false, () => {
      if (own.isLeaving) this.#lose(own);
    });
  }

  #lose(own: OwnAddress): void {
    own.state = 'duplicate';
    own.isLeaving = false;
    own.timer?.clear();
    this.#actions.lost(own);
  }

  /** RFC 5227 2.4 (c): reports are kept to a bearable number. */
  #tell(own: OwnAddress, high: number, low: number): void {
    const now = this.#clock.now();
    if (now < own.toldAt + DEFEND_INTERVAL) return;
    own.toldAt = now;
    this.#actions.conflict(own, high, low, true);
  }
}
