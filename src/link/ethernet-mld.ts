/**
 * Telling routers and snooping switches which groups the host is in: the solicited-node groups of its addresses (RFC 4861 7.2.1, RFC 3810 6).
 * Without that a switch that listens would keep the questions of neighbours from us.
 */
import type { Clock, Timer } from '../time/clock.ts';
import type { Random } from '../time/random.ts';
import { IPV6_ANY, IpAddress } from '../wire/address.ts';
import { ETHERTYPE_IPV6, IPV6_GROUP_HIGH } from '../wire/ethernet.ts';
import {
  CHANGE_TO_EXCLUDE,
  MldQuery,
  MODE_IS_EXCLUDE,
  parseMldQuery,
  writeMldReport,
  writeMldV1Report,
} from '../wire/multicast-listener.ts';
import { solicitedNodeWord } from '../wire/neighbour-discovery.ts';
import type { OwnAddress } from './ethernet-own.ts';
import type { Station } from './ethernet-station.ts';

/** RFC 3810 9.11, 9.1: a change is told twice, the second time within a second. */
const UNSOLICITED_REPORT_INTERVAL = 1000;
/** RFC 3810 9.12: how long a querier of version 1 is taken to be there, ms: two queries of 125 s and their answer. */
const OLDER_VERSION_QUERIER_PRESENT = 260_000;
/** Bytes of a report without its groups (IPv6 header, router alert, message), and of each of these. RFC 3810 5.2. */
const REPORT = 56;
const RECORD = 20;
/** Groups that are told of at most. */
const MOST_GROUPS = 60;
/** What ff02::16 ends in. */
const REPORTS_TO = 0x16;

export class ListenerReports {
  readonly #station: Station;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #query = new MldQuery();
  /** The second telling of a change, and the answer to a question; nobody waits for either. */
  readonly #again: Timer;
  readonly #answer: Timer;
  #answerAt = Infinity;
  /** Until then reports are of version 1. */
  #olderUntil = -Infinity;

  constructor(station: Station, clock: Clock, random: Random) {
    this.#station = station;
    this.#clock = clock;
    this.#random = random;
    this.#again = clock.timer(() => this.#report(CHANGE_TO_EXCLUDE, this.#groups()), true);
    this.#answer = clock.timer(() => {
      this.#answerAt = Infinity;
      this.#report(MODE_IS_EXCLUDE, this.#groups());
    }, true);
  }

  /** The host has a new address, and is in its group. */
  joined(own: OwnAddress): void {
    this.#report(CHANGE_TO_EXCLUDE, [groupOf(own)]);
    this.#again.set(this.#clock.now() + this.#random.float() * UNSOLICITED_REPORT_INTERVAL);
  }

  /** A router asks who is in which group. RFC 3810 6.2: the answer comes after a random time; one answer tells of all groups. */
  asked(view: DataView, ip: number, offset: number, length: number, now: number): void {
    const query = this.#query;
    if (!parseMldQuery(view, ip, offset, length, query)) return this.#station.statistics.drop('mld-malformed');
    if (query.version === 1) this.#olderUntil = now + OLDER_VERSION_QUERIER_PRESENT;
    const at = now + this.#random.float() * query.maxDelay;
    if (at >= this.#answerAt) return;
    this.#answerAt = at;
    this.#answer.set(at);
  }

  close(): void {
    this.#again.clear();
    this.#answer.clear();
  }

  #groups(): IpAddress[] {
    const groups = this.#station.own
      .list()
      .filter(({ isIpv4 }) => !isIpv4)
      .map(groupOf);
    // Addresses with the same end share a group.
    return groups.filter((group, i) => groups.findIndex((other) => other.equals(group)) === i).slice(0, MOST_GROUPS);
  }

  #report(kind: number, groups: readonly IpAddress[]): void {
    if (groups.length === 0) return;
    const { frames, own } = this.#station;
    const { view, offset } = frames.message;
    // RFC 3810 5.2.13: from the link-local address, or from nobody while there is none.
    const local = own
      .list()
      .find(({ entry, isIpv4, state }) => !isIpv4 && state === 'preferred' && entry.address.isLinkLocal);
    const source = local?.entry.address ?? IPV6_ANY;
    if (this.#clock.now() >= this.#olderUntil) {
      const most = Math.max(Math.floor((frames.mtu - REPORT) / RECORD), 1);
      for (let at = 0; at < groups.length; at += most) {
        const length = writeMldReport(view, offset, source, kind, groups.slice(at, at + most));
        frames.sendMessage(length, IPV6_GROUP_HIGH, REPORTS_TO, ETHERTYPE_IPV6);
      }
      return;
    }
    for (const group of groups) {
      const length = writeMldV1Report(view, offset, source, group);
      frames.sendMessage(length, IPV6_GROUP_HIGH, group.w3, ETHERTYPE_IPV6);
    }
  }
}

/** RFC 4291 2.7.1. */
function groupOf({ entry: { address } }: OwnAddress): IpAddress {
  return IpAddress.v6(0xff02_0000, 0, 1, solicitedNodeWord(address.w3));
}
