/**
 * Packets for others: from one link to another, for both families. RFC 1812 5.2 and 5.3, RFC 8200 3; where they leave it open, Linux's ip_forward.
 *
 * No redirects are sent (RFC 1812 5.2.7.2 asks for them; nobody here would be better off), source routes are not followed (RFC 7126), multicast is not routed.
 */
import { canBeCut, forwardFragments, forwardPacket } from '../ip/forward-output.ts';
import { InboundPacket, readPacket } from '../ip/inbound.ts';
import type { Packet } from '../link/packet.ts';
import { IpAddress } from '../wire/address.ts';
import { checksum, sum } from '../wire/checksum.ts';
import { IPV4_HEADER_LENGTH } from '../wire/ipv4.ts';
import { passOptions, SOURCE_ROUTED } from '../wire/ipv4-options.ts';
import { OK } from '../wire/reasons.ts';
import { reportParameterProblem, reportTimeExceeded, reportTooBig, reportUnreachable } from './icmp-reports.ts';
import type { Interface } from './interface.ts';
import { isRoutable } from './routable.ts';
import type { Route } from './routes.ts';
import type { Stack } from './stack.ts';

const MS_PER_DAY = 86_400_000;
const IPV4_CHECKSUM = 10;
/** The first 10 bits of fe80::/10. */
const LINK_LOCAL = 0x3fa;
/** RFC 8200 5. */
const IPV6_MIN_MTU = 1280;
/** RFC 9293 3.1. */
const TCP_DATA_OFFSET = 12;

export class Forwarding {
  readonly #stack: Stack;
  readonly #isOwn = (address: number) => this.#stack.network.isLocal(IpAddress.v4(address));

  readonly #undelivered = new InboundPacket();

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  /**
   * A packet that is not for this host.
   * @param packet the same as it came from the link
   */
  arrives(from: Interface, inbound: InboundPacket, packet: Packet, now: number): void {
    const { ipCounters, network, sysctl } = this.#stack;
    const four = inbound.family === 4;
    const on = four ? sysctl.ip_forward : sysctl.forwarding;
    if (!on || !this.#mayPass(inbound)) {
      ipCounters[four ? 'InAddrErrors' : 'Ip6InAddrErrors']++;
      this.#stack.drop('ip-not-for-us', now);
      if (on && this.#isBeyondScope(inbound)) reportUnreachable(this.#stack, from, inbound, 'scope', now);
      return;
    }
    const { d0, d1, d2, d3 } = inbound;
    const route = network.routes.find(inbound.family, d0, d1, d2, d3);
    if (route === undefined || route.rejection !== undefined) return this.#noWay(from, inbound, route, now);
    // RFC 1812 5.3.1, RFC 8200 3: that it would have reached its destination next does not save it.
    if (inbound.ttl <= 1) {
      ipCounters[four ? 'InHdrErrors' : 'Ip6InHdrErrors']++;
      this.#stack.drop('ip-ttl', now);
      return reportTimeExceeded(this.#stack, from, inbound, 0, now);
    }
    this.#send(from, inbound, packet, route, now);
  }

  /** No neighbour took a packet that was forwarded: RFC 1812 5.2.7.1, RFC 4443 3.1: its sender is told, by the way that leads there. */
  undeliverable(over: Interface, packet: Packet, now: number): void {
    const inbound = this.#undelivered;
    if (readPacket(packet, over.index, inbound) !== OK) return;
    const back = this.#stack.network.routes.find(inbound.family, inbound.s0, inbound.s1, inbound.s2, inbound.s3);
    if (back === undefined || back.rejection !== undefined) return;
    reportUnreachable(this.#stack, back.interface, inbound, 'address', now);
  }

  /** RFC 1812 5.3.7, 5.3.5, RFC 2644 3 (directed broadcasts end here), RFC 4291 2.5.2, 2.5.3, 2.5.6: from one host to one host; no address of ours comes from outside. */
  #mayPass(inbound: InboundPacket): boolean {
    const { network } = this.#stack;
    const { family, s0, s1, s2, s3 } = inbound;
    if (!isRoutable(family, s0, s1, s2, s3) || !network.isForeign(inbound)) return false;
    return !(family === 4 && network.isBroadcast4(s3)) && !network.hasAddress(s0, s1, s2, s3);
  }

  /** RFC 4443 3.1: from an address that means something on its link alone, to one that is elsewhere. */
  #isBeyondScope({ family, s0, d0, d1, d2, d3 }: InboundPacket): boolean {
    return family === 6 && s0 >>> 22 === LINK_LOCAL && isRoutable(6, d0, d1, d2, d3);
  }

  #noWay(from: Interface, inbound: InboundPacket, route: Route | undefined, now: number): void {
    const { ipCounters } = this.#stack;
    const rejection = route?.rejection;
    // Linux counts so: what is said of the host, or forbidden, is a route.
    if (rejection === undefined || inbound.family === 6)
      ipCounters[inbound.family === 4 ? 'InNoRoutes' : 'Ip6InNoRoutes']++;
    this.#stack.drop('ip-no-route', now);
    if (rejection === 'blackhole') return;
    // Linux: of IPv6 a route that says unreachable is as good as none.
    const isHost = rejection === 'unreachable' && inbound.family === 4;
    const why = rejection === 'prohibit' ? 'prohibited' : isHost ? 'address' : 'no-route';
    reportUnreachable(this.#stack, from, inbound, why, now);
  }

  #send(from: Interface, inbound: InboundPacket, packet: Packet, route: Route, now: number): void {
    const { ipCounters } = this.#stack;
    const over = route.interface;
    const mtu = Math.min(over.mtu, route.metrics?.mtu ?? over.mtu);
    const total = inbound.payloadOffset - inbound.headerOffset + inbound.payloadLength;
    let { segmentSize } = inbound;
    if (segmentSize > 0 && !canBeCut(inbound, packet)) return this.#discard(inbound, 'ip-headers-too-long', now);
    const headers = segmentSize > 0 ? headersOf(inbound, packet) : 0;
    const size = segmentSize > 0 ? headers + segmentSize : total;
    if (size > mtu && (inbound.family === 6 || inbound.dontFragment || headers >= mtu))
      return this.#tooBig(from, inbound, mtu, now);
    // A super-segment that may be fragmented is cut smaller instead.
    if (segmentSize > 0) segmentSize = Math.min(segmentSize, mtu - headers);
    if (
      inbound.headerLength > IPV4_HEADER_LENGTH &&
      inbound.family === 4 &&
      !this.#passOptions(from, inbound, over, now)
    )
      return;
    const cut = segmentSize === 0 && size > mtu;
    if (
      cut ? !this.#cut(inbound, packet, route, mtu) : !forwardPacket(over, inbound, packet, route.gateway, segmentSize)
    ) {
      // The interface's batch and the link's queue are the only queue there is, and they are full: RFC 1812 5.3.6.
      this.#discard(inbound, 'ip-queue-full', now);
    }
    ipCounters[inbound.family === 4 ? 'ForwDatagrams' : 'Ip6OutForwDatagrams']++;
  }

  #discard({ family }: InboundPacket, reason: string, now: number): void {
    this.#stack.ipCounters[family === 4 ? 'OutDiscards' : 'Ip6OutDiscards']++;
    this.#stack.drop(reason, now);
  }

  /** @returns false: the interface is full */
  #cut(inbound: InboundPacket, packet: Packet, route: Route, mtu: number): boolean {
    const { ipCounters } = this.#stack;
    const count = forwardFragments(route.interface, inbound, packet, route.gateway, mtu);
    if (count > 0) ipCounters.FragOKs++;
    else ipCounters.FragFails++;
    ipCounters.FragCreates += count;
    return count > 0;
  }

  /** RFC 1191 4, RFC 8200 5, RFC 4443 3.2. */
  #tooBig(from: Interface, inbound: InboundPacket, mtu: number, now: number): void {
    const { ipCounters } = this.#stack;
    this.#stack.drop('ip-too-big', now);
    if (inbound.family === 4) {
      ipCounters.FragFails++;
      return reportTooBig(this.#stack, from, inbound, mtu, now);
    }
    ipCounters.Ip6InTooBigErrors++;
    ipCounters.Ip6FragFails++;
    reportTooBig(this.#stack, from, inbound, Math.max(mtu, IPV6_MIN_MTU), now);
  }

  /** RFC 1812 5.3.13. @returns false: the packet goes no further */
  #passOptions(from: Interface, inbound: InboundPacket, over: Interface, now: number): boolean {
    const { chunk, headerOffset, headerLength } = inbound;
    const own = over.addresses.find(({ address }) => address.family === 4)?.address.w3 ?? 0;
    const time = Math.floor(this.#stack.clock.wallNow()) % MS_PER_DAY;
    const bad = passOptions(chunk.view, headerOffset, headerLength, own, this.#isOwn, time);
    if (bad !== -1) {
      this.#stack.ipCounters.InHdrErrors++;
      this.#stack.drop('ip-bad-options', now);
      if (bad !== SOURCE_ROUTED) reportParameterProblem(this.#stack, from, inbound, 0, bad, false, now);
      return false;
    }
    const field = headerOffset + IPV4_CHECKSUM;
    chunk.view.setUint16(field, 0);
    chunk.view.setUint16(field, checksum(sum(chunk.view, headerOffset, headerLength)));
    return true;
  }
}

/** Bytes of IP's headers and of TCP's. */
function headersOf({ chunk, headerOffset }: InboundPacket, { transportOffset }: Packet): number {
  return transportOffset + ((chunk.view.getUint8(headerOffset + transportOffset + TCP_DATA_OFFSET) >> 4) << 2);
}
