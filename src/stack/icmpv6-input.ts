/** ICMPv6 that comes in: RFC 4443. Neighbour discovery is the matter of links that have neighbours. */
import { sendEchoReply } from '../ip/icmp-output.ts';
import type { InboundPacket } from '../ip/inbound.ts';
import { readQuoted } from '../ip/quoted.ts';
import { IcmpMessage } from '../wire/icmp.ts';
import {
  ICMPV6_ADMIN_PROHIBITED,
  ICMPV6_ECHO_REQUEST,
  ICMPV6_PACKET_TOO_BIG,
  ICMPV6_PARAMETER_PROBLEM,
  ICMPV6_PORT_UNREACHABLE,
  ICMPV6_TIME_EXCEEDED,
  ICMPV6_UNREACHABLE,
  parseIcmpv6,
} from '../wire/icmpv6.ts';
import { IPV6_MIN_MTU } from '../wire/ipv6.ts';
import { ICMP_BAD_CHECKSUM, OK, reasonName } from '../wire/reasons.ts';
import { icmpv6ErrorOf } from './icmp-errors.ts';
import { backTo } from './icmp-reports.ts';
import type { Interface } from './interface.ts';
import { quoted, quotedError, quotedTooBig } from './quoted-packet.ts';
import type { Stack } from './stack.ts';

const message = new IcmpMessage();

export function icmpv6Arrives(stack: Stack, from: Interface, packet: InboundPacket, now: number): void {
  const { ipCounters } = stack;
  ipCounters.Icmp6InMsgs++;
  const { chunk, payloadOffset, payloadLength, pseudoSum } = packet;
  const reason = parseIcmpv6(chunk.view, payloadOffset, payloadLength, pseudoSum, message);
  if (reason !== OK) {
    ipCounters.Icmp6InErrors++;
    if (reason === ICMP_BAD_CHECKSUM) ipCounters.Icmp6InCsumErrors++;
    return stack.drop(reasonName(reason), now);
  }
  switch (message.type) {
    case ICMPV6_ECHO_REQUEST:
      ipCounters.Icmp6InEchos++;
      return answerEcho(stack, from, packet);
    case ICMPV6_UNREACHABLE:
      ipCounters.Icmp6InDestUnreachs++;
      return errorArrives(stack, from, packet, now);
    case ICMPV6_PACKET_TOO_BIG:
      ipCounters.Icmp6InPktTooBigs++;
      return errorArrives(stack, from, packet, now);
    case ICMPV6_TIME_EXCEEDED:
      ipCounters.Icmp6InTimeExcds++;
      return errorArrives(stack, from, packet, now);
    case ICMPV6_PARAMETER_PROBLEM:
      ipCounters.Icmp6InParmProblems++;
      return errorArrives(stack, from, packet, now);
    // RFC 4443 2.4 (b): an informational message of unknown type is silently discarded; (a): an error goes to the upper layer, for which it says nothing.
    default:
  }
}

/** RFC 4443 4.2: the answer to a multicast address comes from one of our own. */
function answerEcho(stack: Stack, from: Interface, packet: InboundPacket): void {
  const { network, sysctl } = stack;
  if (sysctl.icmp_echo_ignore_all) return;
  // Nobody is at an address that only `acceptAny` brings here: a reply would say otherwise.
  if (from.acceptAny && !from.echoAny && network.isForeign(packet) && !network.isOwn(packet)) return;
  const path = backTo(stack, from, packet);
  if (path === undefined || !sendEchoReply(path, packet, message)) return;
  stack.ipCounters.Icmp6OutMsgs++;
  stack.ipCounters.Icmp6OutEchoReplies++;
}

function errorArrives(stack: Stack, from: Interface, packet: InboundPacket, now: number): void {
  const { view } = packet.chunk;
  const { payloadOffset, payloadLength, type, code, mtu } = message;
  if (!readQuoted(6, view, payloadOffset, payloadLength, from.index, quoted)) return;
  quoted.reported(type, code, packet);
  if (type === ICMPV6_PACKET_TOO_BIG) {
    // RFC 8201 4: less than the least MTU of a link is not believed.
    if (mtu >= IPV6_MIN_MTU) quotedTooBig(stack, view, quoted, mtu, now);
    return;
  }
  const error = icmpv6ErrorOf(type, code);
  // RFC 5925 7.8.
  const hard = type === ICMPV6_UNREACHABLE && (code === ICMPV6_ADMIN_PROHIBITED || code === ICMPV6_PORT_UNREACHABLE);
  if (error !== undefined) quotedError(stack, view, quoted, error, hard, now);
}
