/** Neighbour discovery at work: RFC 4861 7, and the messages of duplicate address detection (RFC 4862 5.4). */
import { IPV6_ANY, IpAddress, sameBits } from '../wire/address.ts';
import { ETHERTYPE_IPV6, IPV6_GROUP_HIGH } from '../wire/ethernet.ts';
import { ICMPV6_REDIRECT } from '../wire/icmpv6.ts';
import { type AddressWords, IPV6_HEADER_LENGTH, PROTOCOL_ICMPV6, writeIpv6 } from '../wire/ipv6.ts';
import {
  ND_HOP_LIMIT,
  ND_NEIGHBOUR_ADVERTISEMENT,
  ND_NEIGHBOUR_LENGTH,
  ND_NEIGHBOUR_SOLICITATION,
  ND_ROUTER_ADVERTISEMENT,
  ND_WITH_ADDRESS,
  NdMessage,
  type NeighbourMessage,
  parseNd,
  solicitedNodeWord,
  writeNeighbourMessage,
} from '../wire/neighbour-discovery.ts';
import { OK, reasonName } from '../wire/reasons.ts';
import type { OwnAddress } from './ethernet-own.ts';
import type { Station } from './ethernet-station.ts';
import { NEIGHBOUR_FAILED, NEIGHBOUR_INCOMPLETE, type Neighbour } from './neighbour.ts';
import { Packet } from './packet.ts';

const LINK_LOCAL = 0x3fa;
/** ff02::1. */
const ALL_NODES = IpAddress.v6(0xff02_0000, 0, 0, 1);

const message = new NdMessage();

export class NeighbourDiscovery {
  readonly #station: Station;

  constructor(station: Station) {
    this.#station = station;
  }

  /** A message of `length` bytes at `offset`, behind the IPv6 header at `ip`; the frame came from that hardware address. */
  arrives(view: DataView, ip: number, offset: number, length: number, high: number, low: number, now: number): void {
    const { statistics } = this.#station;
    const reason = parseNd(view, ip, offset, length, message);
    if (reason !== OK) return statistics.drop(reasonName(reason));
    switch (message.type) {
      case ND_NEIGHBOUR_SOLICITATION:
        statistics.solicitationsReceived++;
        return this.#solicited(high, low, now);
      case ND_NEIGHBOUR_ADVERTISEMENT:
        statistics.advertisementsReceived++;
        return this.#advertised(high, low, now);
      case ND_ROUTER_ADVERTISEMENT:
        statistics.routerAdvertisements++;
        return this.#heardRouter(now);
      case ICMPV6_REDIRECT:
        statistics.redirects++;
        return;
      default:
        // RFC 4861 6.1.1: a host discards router solicitations.
        return statistics.drop('router-solicitation');
    }
  }

  /** RFC 4861 7.2.2: asks at the solicited-node address, or, when the neighbour had a hardware address, there. */
  solicit(neighbour: Neighbour, unicast: boolean): void {
    const source = this.#sourceFor(neighbour);
    if (source === undefined) return;
    const target = IpAddress.v6(neighbour.w0, neighbour.w1, neighbour.w2, neighbour.w3);
    const { high, low } = unicast ? neighbour : { high: IPV6_GROUP_HIGH, low: solicitedNodeWord(neighbour.w3) };
    this.#solicitation(source, unicast ? target : solicitedNode(neighbour.w3), target, high, low);
  }

  /** RFC 4862 5.4.2: from nobody, and without our hardware address. */
  probe({ entry: { address } }: OwnAddress): void {
    const { w3 } = address;
    this.#solicitation(IPV6_ANY, solicitedNode(w3), address, IPV6_GROUP_HIGH, solicitedNodeWord(w3));
  }

  /** RFC 4861 7.2.3, RFC 4862 5.4.3. */
  #solicited(high: number, low: number, now: number): void {
    const { own, statistics } = this.#station;
    const { t0, t1, t2, t3, fromUnspecified } = message;
    const asked = own.find(t0, t1, t2, t3);
    if (asked === undefined || asked.state === 'duplicate') return;
    if (asked.state === 'tentative') {
      // Who asks from an address of its own only looks for whoever is there; who asks from none tries the address out, as we do.
      if (!fromUnspecified) return;
      statistics.conflicts++;
      return own.contested(asked, high, low);
    }
    const { s0, s1, s2, s3 } = message;
    // Nobody else asks from an address of ours.
    if (own.find(s0, s1, s2, s3) !== undefined) return;
    if (!fromUnspecified && message.hasAddress && this.#isOnLink(s0, s1, s2, s3)) {
      const { neighbours6 } = this.#station;
      const asking = neighbours6.find(s0, s1, s2, s3) ?? neighbours6.create(s0, s1, s2, s3, now);
      if (asking !== undefined)
        neighbours6.update(asking, message.addressHigh, message.addressLow, false, { override: true }, now);
    }
    this.#answer(IpAddress.v6(t0, t1, t2, t3));
  }

  /** RFC 4861 7.2.4. */
  #answer(target: IpAddress): void {
    const { s0, s1, s2, s3, fromUnspecified, hasAddress, addressHigh, addressLow } = message;
    const { frames, statistics, high, low, isRouter: router } = this.#station;
    const solicited = !fromUnspecified;
    const to = solicited ? IpAddress.v6(s0, s1, s2, s3) : ALL_NODES;
    const type = ND_NEIGHBOUR_ADVERTISEMENT;
    const length = this.#write(target, to, { type, target, router, solicited, override: true, address: [high, low] });
    statistics.advertisementsSent++;
    if (fromUnspecified) return frames.sendMessage(length, IPV6_GROUP_HIGH, ALL_NODES.w3, ETHERTYPE_IPV6);
    if (hasAddress) return frames.sendMessage(length, addressHigh, addressLow, ETHERTYPE_IPV6);
    // A unicast solicitation need not say where the answer is to go: it goes as any packet to that neighbour.
    const packet = new Packet(frames.message.chunk, frames.message.offset);
    packet.length = length;
    this.#station.output(packet);
  }

  /** RFC 4861 7.2.5, RFC 4862 5.4.4. */
  #advertised(high: number, low: number, now: number): void {
    const { own, statistics, neighbours6 } = this.#station;
    const { t0, t1, t2, t3, hasAddress, addressHigh, addressLow } = message;
    const contested = own.find(t0, t1, t2, t3);
    if (contested !== undefined) {
      statistics.conflicts++;
      return own.contested(contested, hasAddress ? addressHigh : high, hasAddress ? addressLow : low);
    }
    const known = neighbours6.find(t0, t1, t2, t3);
    // What nobody asked for makes no entry.
    if (known === undefined || known.state === NEIGHBOUR_FAILED) return;
    if (known.state === NEIGHBOUR_INCOMPLETE && !hasAddress) return;
    const atHigh = hasAddress ? addressHigh : known.high;
    const atLow = hasAddress ? addressLow : known.low;
    const rules = { override: message.override, doubt: true };
    const { solicited, router } = message;
    if (neighbours6.update(known, atHigh, atLow, solicited, rules, now)) known.isRouter = router;
  }

  /** RFC 4861 6.3.4: of a router's advertisement, where the router is. Its prefixes, lifetimes and MTU are left: routes and addresses are set by hand here. */
  #heardRouter(now: number): void {
    const { neighbours6, own } = this.#station;
    const { s0, s1, s2, s3, hasAddress, addressHigh, addressLow } = message;
    if (!hasAddress || own.find(s0, s1, s2, s3) !== undefined) return;
    const router = neighbours6.find(s0, s1, s2, s3) ?? neighbours6.create(s0, s1, s2, s3, now);
    if (router === undefined) return;
    neighbours6.update(router, addressHigh, addressLow, false, { override: true }, now);
    router.isRouter = true;
  }

  /** RFC 4861 7.2.2: the source of the packet that made us ask, or else any of ours, a link-local one before others. */
  #sourceFor({ s0, s1, s2, s3 }: Neighbour): IpAddress | undefined {
    const { own } = this.#station;
    const asking = own.find(s0, s1, s2, s3);
    if (asking?.state === 'preferred') return asking.entry.address;
    const usable = own.list().filter((each) => !each.isIpv4 && each.state === 'preferred');
    return (usable.find(({ entry }) => entry.address.isLinkLocal) ?? usable[0])?.entry.address;
  }

  #isOnLink(w0: number, w1: number, w2: number, w3: number): boolean {
    if (w0 >>> 22 === LINK_LOCAL) return true;
    return this.#station.own.list().some(({ isIpv4, entry: { address, bits } }) => {
      if (isIpv4) return false;
      const { bareW0, w1: own1, w2: own2, w3: own3 } = address;
      return (
        sameBits(w0, bareW0, bits) &&
        sameBits(w1, own1, bits - 32) &&
        sameBits(w2, own2, bits - 64) &&
        sameBits(w3, own3, bits - 96)
      );
    });
  }

  #solicitation(source: IpAddress, destination: IpAddress, target: IpAddress, toHigh: number, toLow: number): void {
    const { frames, statistics, high, low } = this.#station;
    const type = ND_NEIGHBOUR_SOLICITATION;
    const told: NeighbourMessage = source.isUnspecified ? { type, target } : { type, target, address: [high, low] };
    const length = this.#write(source, destination, told);
    frames.sendMessage(length, toHigh, toLow, ETHERTYPE_IPV6);
    statistics.solicitationsSent++;
  }

  /** Writes a packet into the place for messages; returns its bytes. */
  #write(source: AddressWords, destination: AddressWords, told: NeighbourMessage): number {
    const { view, offset } = this.#station.frames.message;
    const length = told.address === undefined ? ND_NEIGHBOUR_LENGTH : ND_WITH_ADDRESS;
    writeIpv6(view, offset, length, 0, 0, PROTOCOL_ICMPV6, ND_HOP_LIMIT, source, destination);
    writeNeighbourMessage(view, offset, told);
    return IPV6_HEADER_LENGTH + length;
  }
}

/** RFC 4291 2.7.1. */
function solicitedNode(w3: number): IpAddress {
  return IpAddress.v6(0xff02_0000, 0, 1, solicitedNodeWord(w3));
}
