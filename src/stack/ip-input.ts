/** From a packet to the protocol that it is for: RFC 791, RFC 1122 3.2.1; RFC 8200 4. */
import { countEcn } from '../ip/counters.ts';
import { ParameterProblem, readExtensions } from '../ip/extension-headers.ts';
import { InboundPacket, readPacket } from '../ip/inbound.ts';
import type { Packet } from '../link/packet.ts';
import { IPV4_HEADER_LENGTH, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ipv4.ts';
import { findBadOption } from '../wire/ipv4-options.ts';
import { PROTOCOL_ICMPV6 } from '../wire/ipv6.ts';
import { IP_TRUNCATED, IPV6_BAD_ADDRESS, IPV6_NO_NEXT_HEADER, OK, reasonName } from '../wire/reasons.ts';
import { Forwarding } from './forwarding.ts';
import { icmpArrives } from './icmp-input.ts';
import { reportParameterProblem, reportUnknownProtocol } from './icmp-reports.ts';
import { icmpv6Arrives } from './icmpv6-input.ts';
import type { Interface } from './interface.ts';
import type { Stack } from './stack.ts';
import { TcpInput } from './tcp-input.ts';

export class IpInput {
  readonly #stack: Stack;
  readonly #tcp: TcpInput;
  readonly #forwarding: Forwarding;
  readonly #inbound = new InboundPacket();
  readonly #problem = new ParameterProblem();

  constructor(stack: Stack) {
    this.#stack = stack;
    this.#tcp = new TcpInput(stack);
    this.#forwarding = new Forwarding(stack);
  }

  arrives(from: Interface, packet: Packet, now: number): void {
    const inbound = this.#inbound;
    const { ipCounters } = this.#stack;
    const reason = readPacket(packet, from.index, inbound);
    // What is not IPv6 is counted with IPv4.
    const six = packet.length > 0 && (packet.chunk.bytes[packet.offset] as number) >> 4 === 6;
    if (six) ipCounters.Ip6InReceives++;
    else ipCounters.InReceives++;
    if (reason === OK) {
      countEcn(ipCounters, inbound);
      if (this.#stack.sysctl.rp_filter !== 0 && this.#isUnbelievable(from, inbound)) {
        ipCounters.IPReversePathFilter++;
        return this.#stack.drop('ip-reverse-path', now);
      }
      // RFC 1122 3.2.1.3, RFC 1812 5.2.3: what is not for this host may be for another.
      if (this.#stack.network.isForUs(from, inbound) || this.#isForEverybody(inbound))
        return this.#received(from, inbound, now);
      return this.#forwarding.arrives(from, inbound, packet, now);
    }
    if (!six) ipCounters.InHdrErrors++;
    else if (reason === IP_TRUNCATED) ipCounters.Ip6InTruncatedPkts++;
    else if (reason === IPV6_BAD_ADDRESS) ipCounters.Ip6InAddrErrors++;
    else ipCounters.Ip6InHdrErrors++;
    this.#stack.drop(reasonName(reason), now);
  }

  /** rp_filter; who has no address yet, and the host itself, are believed. */
  #isUnbelievable(from: Interface, inbound: InboundPacket): boolean {
    const { network, sysctl } = this.#stack;
    if (inbound.family === 6 || inbound.s3 === 0 || network.isLoopback(from)) return false;
    return !network.hasWayBack(from, inbound, sysctl.rp_filter === 1);
  }

  /** What was to be forwarded over an interface, and found no neighbour there. */
  undeliverable(over: Interface, packet: Packet, now: number): void {
    this.#forwarding.undeliverable(over, packet, now);
  }

  #received(from: Interface, packet: InboundPacket, now: number): void {
    const { ipCounters } = this.#stack;
    if (packet.family === 6) {
      if (packet.d0 >>> 24 === 0xff) ipCounters.Ip6InMcastPkts++;
      if (!this.#readExtensions(from, packet, now)) return;
    } else if (packet.headerLength > IPV4_HEADER_LENGTH && !this.#mayHaveOptions(from, packet, now)) {
      return;
    }
    if (packet.fragment) return this.#fragmentArrives(from, packet, now);
    this.#deliver(from, packet, now);
  }

  /** RFC 1122 3.2.1.8, 3.2.2.5: options that are known and malformed are reported, the others passed over. @returns whether the packet goes on */
  #mayHaveOptions(from: Interface, packet: InboundPacket, now: number): boolean {
    const { chunk, headerOffset, headerLength } = packet;
    const pointer = findBadOption(chunk.view, headerOffset, headerLength);
    if (pointer < 0) return true;
    this.#stack.ipCounters.InHdrErrors++;
    this.#stack.drop('ip-bad-options', now);
    reportParameterProblem(this.#stack, from, packet, 0, pointer, false, now);
    return false;
  }

  /** RFC 1122 3.3.6: what is sent to all hosts of a network; of the transports only UDP has a use for it. */
  #isForEverybody({ family, protocol, d3 }: InboundPacket): boolean {
    return family === 4 && protocol === PROTOCOL_UDP && this.#stack.network.isBroadcast4(d3);
  }

  #fragmentArrives(from: Interface, packet: InboundPacket, now: number): void {
    const { reassembly } = this.#stack;
    if (!reassembly.arrives(from, packet, now)) return;
    // What came behind the Fragment header has not been looked at yet.
    if (packet.family === 4 || this.#readExtensions(from, packet, now)) this.#deliver(from, packet, now);
    reassembly.done();
  }

  /** @returns whether the packet goes on */
  #readExtensions(from: Interface, packet: InboundPacket, now: number): boolean {
    const problem = this.#problem;
    const reason = readExtensions(packet, problem);
    if (reason === OK) return true;
    const { ipCounters } = this.#stack;
    if (reason !== IPV6_NO_NEXT_HEADER) ipCounters.Ip6InHdrErrors++;
    this.#stack.drop(reasonName(reason), now);
    if (problem.code >= 0) {
      reportParameterProblem(this.#stack, from, packet, problem.code, problem.pointer, problem.evenMulticast, now);
    }
    return false;
  }

  #deliver(from: Interface, packet: InboundPacket, now: number): void {
    const { ipCounters } = this.#stack;
    const four = packet.family === 4;
    switch (packet.protocol) {
      case PROTOCOL_TCP:
        ipCounters[four ? 'InDelivers' : 'Ip6InDelivers']++;
        return this.#tcp.arrives(from, packet, now);
      case PROTOCOL_ICMP:
        if (!four) break;
        ipCounters.InDelivers++;
        return icmpArrives(this.#stack, from, packet, now);
      case PROTOCOL_ICMPV6:
        if (four) break;
        ipCounters.Ip6InDelivers++;
        return icmpv6Arrives(this.#stack, from, packet, now);
      case PROTOCOL_UDP:
        ipCounters[four ? 'InDelivers' : 'Ip6InDelivers']++;
        return this.#stack.udp.arrives(from, packet, now);
      default:
    }
    ipCounters[four ? 'InUnknownProtos' : 'Ip6InUnknownProtos']++;
    this.#stack.drop('ip-unknown-protocol', now);
    reportUnknownProtocol(this.#stack, from, packet, now);
  }
}
