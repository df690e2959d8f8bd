/** The errors that the stack sends about packets that came: which, to whom, how often. RFC 1122 3.2.2, RFC 1812 4.3.2, RFC 4443 2.4. */
import { sendError } from '../ip/icmp-output.ts';
import type { InboundPacket } from '../ip/inbound.ts';
import { QuotedPacket, readQuoted } from '../ip/quoted.ts';
import { PMTUDISC_DONT } from '../tcp/path.ts';
import { IpAddress } from '../wire/address.ts';
import {
  ICMP_ADMIN_PROHIBITED,
  ICMP_FRAGMENTATION_NEEDED,
  ICMP_HOST_UNREACHABLE,
  ICMP_NET_UNREACHABLE,
  ICMP_PARAMETER_PROBLEM,
  ICMP_PORT_UNREACHABLE,
  ICMP_PROTOCOL_UNREACHABLE,
  ICMP_TIME_EXCEEDED,
  ICMP_UNREACHABLE,
  isIcmpError,
} from '../wire/icmp.ts';
import {
  ICMPV6_ADDRESS_UNREACHABLE,
  ICMPV6_ADMIN_PROHIBITED,
  ICMPV6_BEYOND_SCOPE,
  ICMPV6_NO_ROUTE,
  ICMPV6_PACKET_TOO_BIG,
  ICMPV6_PARAMETER_PROBLEM,
  ICMPV6_PORT_UNREACHABLE,
  ICMPV6_TIME_EXCEEDED,
  ICMPV6_UNREACHABLE,
  isIcmpv6Error,
} from '../wire/icmpv6.ts';
import { PROTOCOL_ICMP } from '../wire/ipv4.ts';
import { PROTOCOL_ICMPV6 } from '../wire/ipv6.ts';
import type { Interface } from './interface.ts';
import type { RoutedPath } from './routed-path.ts';
import type { Stack } from './stack.ts';

const whole = new QuotedPacket();

/** RFC 791 3.1: the type of service, as far as Linux still knows it, and a precedence. */
const TOS = 0x1e;
const INTERNETWORK_CONTROL = 0xc0;

/** Why a packet could not be delivered: the codes of both families for it. */
const UNREACHABLE = {
  'no-route': [ICMP_NET_UNREACHABLE, ICMPV6_NO_ROUTE],
  address: [ICMP_HOST_UNREACHABLE, ICMPV6_ADDRESS_UNREACHABLE],
  port: [ICMP_PORT_UNREACHABLE, ICMPV6_PORT_UNREACHABLE],
  prohibited: [ICMP_ADMIN_PROHIBITED, ICMPV6_ADMIN_PROHIBITED],
  scope: [ICMP_HOST_UNREACHABLE, ICMPV6_BEYOND_SCOPE],
} as const;

export type Unreachable = keyof typeof UNREACHABLE;

/** The packet could not be delivered, here or further on. */
export function reportUnreachable(
  stack: Stack,
  from: Interface,
  packet: InboundPacket,
  why: Unreachable,
  now: number,
): void {
  const [code4, code6] = UNREACHABLE[why];
  if (packet.family === 4) report(stack, from, packet, ICMP_UNREACHABLE, code4, 0, now);
  else report(stack, from, packet, ICMPV6_UNREACHABLE, code6, 0, now);
}

/** RFC 1122 3.2.2.1: IPv4 names a protocol that nobody here speaks; for IPv6 it is a parameter problem (RFC 8200 4). */
export function reportUnknownProtocol(stack: Stack, from: Interface, packet: InboundPacket, now: number): void {
  if (packet.family === 4) report(stack, from, packet, ICMP_UNREACHABLE, ICMP_PROTOCOL_UNREACHABLE, 0, now);
  else reportParameterProblem(stack, from, packet, 1, packet.protocolOffset - packet.headerOffset, false, now);
}

/** It lived too long: on its way (code 0), or its fragments here (1). */
export function reportTimeExceeded(
  stack: Stack,
  from: Interface,
  packet: InboundPacket,
  code: 0 | 1,
  now: number,
): void {
  report(stack, from, packet, packet.family === 4 ? ICMP_TIME_EXCEEDED : ICMPV6_TIME_EXCEEDED, code, 0, now);
}

/** @param mtu of the next hop, bytes. RFC 1191 4, RFC 4443 3.2 */
export function reportTooBig(stack: Stack, from: Interface, packet: InboundPacket, mtu: number, now: number): void {
  if (packet.family === 4) report(stack, from, packet, ICMP_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED, mtu, now);
  // RFC 4443 2.4 (e.3): also about multicast packets.
  else report(stack, from, packet, ICMPV6_PACKET_TOO_BIG, 0, mtu, now, true);
}

/**
 * @param code as the family has it
 * @param pointer bytes from the start of the packet to what is at fault
 * @param evenMulticast it may be about a packet for a multicast address (RFC 4443 2.4 (e.3))
 */
export function reportParameterProblem(
  stack: Stack,
  from: Interface,
  packet: InboundPacket,
  code: number,
  pointer: number,
  evenMulticast: boolean,
  now: number,
): void {
  if (packet.family === 4) report(stack, from, packet, ICMP_PARAMETER_PROBLEM, code, pointer << 24, now);
  else report(stack, from, packet, ICMPV6_PARAMETER_PROBLEM, code, pointer, now, evenMulticast);
}

function report(
  stack: Stack,
  from: Interface,
  packet: InboundPacket,
  type: number,
  code: number,
  parameter: number,
  now: number,
  evenMulticast = false,
): void {
  if (!mayReport(stack, packet, evenMulticast)) return;
  const path = backTo(stack, from, packet);
  if (path === undefined) return;
  const { sysctl, ipCounters, icmpLimit } = stack;
  // One bucket for a network of 64 bits: its hosts can call themselves anything.
  const destination = packet.family === 4 ? packet.s3 : packet.s0 ^ Math.imul(packet.s1, 0x9e3779b1);
  // Linux: a host may tell itself as much as it likes; and path MTUs are not found out by those who are not told.
  const free = stack.network.isLoopback(from) || isTooBig(packet.family, type, code);
  if (!free && !icmpLimit.allow(destination, sysctl.icmp_ratelimit, sysctl.icmp_msgs_per_sec, now)) {
    ipCounters[packet.family === 4 ? 'IcmpOutRateLimitHost' : 'Icmp6OutRateLimitHost']++;
    return;
  }
  // RFC 1812 4.3.2.5: the TOS of what it is about, with the precedence of internetwork control.
  if (packet.family === 4) path.tos = (packet.tos & TOS) | INTERNETWORK_CONTROL;
  if (!sendError(path, packet, type, code, parameter)) return;
  if (packet.family === 4) {
    ipCounters.IcmpOutMsgs++;
    if (type === ICMP_UNREACHABLE) ipCounters.IcmpOutDestUnreachs++;
    else if (type === ICMP_TIME_EXCEEDED) ipCounters.IcmpOutTimeExcds++;
    else ipCounters.IcmpOutParmProbs++;
  } else {
    ipCounters.Icmp6OutMsgs++;
    if (type === ICMPV6_UNREACHABLE) ipCounters.Icmp6OutDestUnreachs++;
    else if (type === ICMPV6_PACKET_TOO_BIG) ipCounters.Icmp6OutPktTooBigs++;
    else if (type === ICMPV6_TIME_EXCEEDED) ipCounters.Icmp6OutTimeExcds++;
    else ipCounters.Icmp6OutParmProblems++;
  }
}

function isTooBig(family: 4 | 6, type: number, code: number): boolean {
  if (family === 6) return type === ICMPV6_PACKET_TOO_BIG;
  return type === ICMP_UNREACHABLE && code === ICMP_FRAGMENTATION_NEEDED;
}

/** RFC 1122 3.2.2, RFC 4443 2.4 (e): no error about an error, about what went to many, or about a fragment that is not the first. */
function mayReport({ network }: Stack, packet: InboundPacket, evenMulticast: boolean): boolean {
  const { chunk, payloadOffset, payloadLength, protocol } = packet;
  if (packet.family === 4) {
    if (packet.fragmentOffset !== 0) return false;
    if (protocol === PROTOCOL_ICMP && payloadLength > 0 && isIcmpError(chunk.view.getUint8(payloadOffset)))
      return false;
    const destination = IpAddress.v4(packet.d3);
    return !destination.isMulticast && !network.isBroadcast(destination);
  }
  // What is at fault may stand before the upper layer's header.
  const { headerOffset, headerLength } = packet;
  const found = readQuoted(6, chunk.view, headerOffset, headerLength + payloadLength, 0, whole);
  const isMessage = found && whole.protocol === PROTOCOL_ICMPV6 && whole.length > 0;
  if (isMessage && isIcmpv6Error(chunk.view.getUint8(whole.offset))) return false;
  return evenMulticast || packet.d0 >>> 24 !== 0xff;
}

/** The way back to the sender, when it may be answered at all: RFC 1122 3.2.2: no error about a source that is not one host. */
export function backTo(stack: Stack, from: Interface, packet: InboundPacket): RoutedPath | undefined {
  const { network } = stack;
  const remote = IpAddress.v6(packet.s0, packet.s1, packet.s2, packet.s3);
  // RFC 1122 3.2.1.3: an address of our own as the source of what came from outside is a lie.
  if (!network.isLoopback(from) && network.isLocal(remote)) return undefined;
  if (remote.isMulticast || remote.isUnspecified || network.isBroadcast(remote)) return undefined;
  const protocol = packet.family === 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
  const asked = IpAddress.v6(packet.d0, packet.d1, packet.d2, packet.d3);
  const isOurs = network.isLocal(asked) || (from.acceptAny && network.isForeign(packet));
  const local = isOurs ? asked : network.addressTowards(from, remote);
  if (local === undefined) return undefined;
  const path = network.pathBack(from, local, remote, protocol);
  // An answer that is too large for the way goes in fragments, and may be cut up further on (Linux's icmp_sk_init).
  path.discovery = PMTUDISC_DONT;
  return path;
}
