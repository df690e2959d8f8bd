/** ARP at work: questions, answers, and what is learned from those of others. RFC 826, RFC 1122 2.3.2, RFC 5227. */
import { ARP_LENGTH, ARP_REPLY, ARP_REQUEST, ArpPacket, parseArp, writeArp } from '../wire/arp.ts';
import { ETHERTYPE_ARP } from '../wire/ethernet.ts';
import { OK, reasonName } from '../wire/reasons.ts';
import type { OwnAddress } from './ethernet-own.ts';
import type { Station } from './ethernet-station.ts';
import { NEIGHBOUR_FAILED, type Neighbour } from './neighbour.ts';

/** ff:ff:ff:ff:ff:ff. */
const ALL_HIGH = 0xffff;
const ALL_LOW = -1;
/** The words before an IPv4 address in an IpAddress. */
const MAPPED = 0xffff;

const arp = new ArpPacket();

export class Arp {
  readonly #station: Station;

  constructor(station: Station) {
    this.#station = station;
  }

  /** `toUs`: the frame came to our hardware address alone. */
  arrives(view: DataView, offset: number, length: number, toUs: boolean, now: number): void {
    const { own, statistics, high, low } = this.#station;
    const reason = parseArp(view, offset, length, arp);
    if (reason !== OK) return statistics.drop(reasonName(reason));
    if (arp.operation === ARP_REQUEST) statistics.arpRequestsReceived++;
    else statistics.arpRepliesReceived++;
    // RFC 5227 2.1.1: a repeater may give us our own words back.
    if (arp.senderHigh === high && arp.senderLow === low) return;
    const { senderAddress: sender, targetAddress: target } = arp;
    const contested = sender === 0 ? undefined : own.find(0, 0, MAPPED, sender);
    if (contested !== undefined) {
      // RFC 5227 2.4: whoever speaks as an address of ours is no neighbour at that address.
      statistics.conflicts++;
      return own.contested(contested, arp.senderHigh, arp.senderLow);
    }
    const asked = own.find(0, 0, MAPPED, target);
    if (asked !== undefined && asked.state === 'tentative') this.#probed(asked);
    const isForUs = asked?.state === 'preferred';
    if (isForUs && arp.operation === ARP_REQUEST) this.#answer(target);
    this.#learn(isForUs, toUs, now);
  }

  /** Asks for the neighbour: everybody, or, when it had a hardware address, there. */
  solicit(neighbour: Neighbour, unicast: boolean): void {
    const source = this.#sourceFor(neighbour);
    if (source === undefined) return;
    const { high, low } = unicast ? neighbour : { high: ALL_HIGH, low: ALL_LOW };
    this.#request(source, neighbour.w3, high, low);
  }

  /** RFC 5227 2.1.1: from 0.0.0.0, so that nobody's cache is spoiled when the address turns out to be another's. */
  probe(own: OwnAddress): void {
    this.#request(0, own.entry.address.w3, ALL_HIGH, ALL_LOW);
  }

  /** RFC 5227 2.3: sender and target are both the address. */
  announce(own: OwnAddress): void {
    const { w3 } = own.entry.address;
    this.#request(w3, w3, ALL_HIGH, ALL_LOW);
  }

  /** RFC 5227 2.1.1: another host tries the same address out at the same time. */
  #probed(own: OwnAddress): void {
    if (arp.operation !== ARP_REQUEST || arp.senderAddress !== 0) return;
    this.#station.statistics.conflicts++;
    this.#station.own.contested(own, arp.senderHigh, arp.senderLow);
  }

  /** RFC 826: the reply goes to who asked, a prober among them. */
  #answer(address: number): void {
    const { frames, statistics, high, low } = this.#station;
    const { senderHigh, senderLow, senderAddress } = arp;
    const { view, offset } = frames.message;
    writeArp(view, offset, ARP_REPLY, high, low, address, senderHigh, senderLow, senderAddress);
    frames.sendMessage(ARP_LENGTH, senderHigh, senderLow, ETHERTYPE_ARP);
    statistics.arpRepliesSent++;
  }

  /** RFC 826 "Packet Reception", in Linux's reading: who asks us becomes a neighbour; of others only those follow that are known. */
  #learn(isForUs: boolean, toUs: boolean, now: number): void {
    const { neighbours4, settings } = this.#station;
    const { senderAddress: sender, senderHigh, senderLow, operation } = arp;
    if (sender === 0) return;
    const known = neighbours4.find(0, 0, MAPPED, sender);
    if (isForUs && operation === ARP_REQUEST) {
      if (!this.#isOnLink(sender)) return;
      const asking = known ?? neighbours4.create(0, 0, MAPPED, sender, now);
      if (asking !== undefined) neighbours4.update(asking, senderHigh, senderLow, false, { override: true }, now);
      return;
    }
    // What nobody asked for makes no entry, nor does it bring one back.
    if (known === undefined || known.state === NEIGHBOUR_FAILED) return;
    const announcement = sender === arp.targetAddress;
    const confirmed = operation === ARP_REPLY && toUs && !announcement;
    // Linux: of several answers in a short time the first counts, unless it is an announcement.
    const override = announcement || now >= known.updated + settings.locktime;
    neighbours4.update(known, senderHigh, senderLow, confirmed, { override }, now);
  }

  /** Linux, arp_announce 0: the source of the packet that made us ask, or one of ours on the neighbour's network, or any. */
  #sourceFor(neighbour: Neighbour): number | undefined {
    const { own } = this.#station;
    if (own.find(0, 0, MAPPED, neighbour.s3)?.state === 'preferred') return neighbour.s3;
    let source: number | undefined;
    for (const each of own.list()) {
      if (!each.isIpv4 || each.state !== 'preferred') continue;
      if (isSameNetwork(neighbour.w3, each)) return each.entry.address.w3;
      source ??= each.entry.address.w3;
    }
    return source;
  }

  #isOnLink(address: number): boolean {
    return this.#station.own.list().some((own) => own.isIpv4 && isSameNetwork(address, own));
  }

  #request(source: number, target: number, toHigh: number, toLow: number): void {
    const { frames, statistics, high, low } = this.#station;
    const { view, offset } = frames.message;
    // RFC 5227 2.1.1: the hardware address that is asked for is all zeros.
    writeArp(view, offset, ARP_REQUEST, high, low, source, 0, 0, target);
    frames.sendMessage(ARP_LENGTH, toHigh, toLow, ETHERTYPE_ARP);
    statistics.arpRequestsSent++;
  }
}

function isSameNetwork(address: number, { entry }: OwnAddress): boolean {
  return entry.bits === 0 || (address ^ entry.address.w3) >>> (32 - entry.bits) === 0;
}
