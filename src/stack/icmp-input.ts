/** ICMP that comes in: RFC 792, RFC 1122 3.2.2. */
import { sendEchoReply } from '../ip/icmp-output.ts';
import type { InboundPacket } from '../ip/inbound.ts';
import { type QuotedPacket, readQuoted } from '../ip/quoted.ts';
import {
  ICMP_ECHO_REQUEST,
  ICMP_FRAGMENTATION_NEEDED,
  ICMP_PARAMETER_PROBLEM,
  ICMP_PORT_UNREACHABLE,
  ICMP_PROTOCOL_UNREACHABLE,
  ICMP_TIME_EXCEEDED,
  ICMP_UNREACHABLE,
  IcmpMessage,
  parseIcmp,
} from '../wire/icmp.ts';
import { ICMP_BAD_CHECKSUM, OK, reasonName } from '../wire/reasons.ts';
import { icmpErrorOf } from './icmp-errors.ts';
import { backTo } from './icmp-reports.ts';
import type { Interface } from './interface.ts';
import { quoted, quotedError, quotedTooBig } from './quoted-packet.ts';
import type { Stack } from './stack.ts';

const message = new IcmpMessage();

export function icmpArrives(stack: Stack, from: Interface, packet: InboundPacket, now: number): void {
  const { ipCounters } = stack;
  ipCounters.IcmpInMsgs++;
  const reason = parseIcmp(packet.chunk.view, packet.payloadOffset, packet.payloadLength, message);
  if (reason !== OK) {
    ipCounters.IcmpInErrors++;
    if (reason === ICMP_BAD_CHECKSUM) ipCounters.IcmpInCsumErrors++;
    return stack.drop(reasonName(reason), now);
  }
  switch (message.type) {
    case ICMP_ECHO_REQUEST:
      ipCounters.IcmpInEchos++;
      return answerEcho(stack, from, packet);
    case ICMP_UNREACHABLE:
      ipCounters.IcmpInDestUnreachs++;
      return errorArrives(stack, from, packet, now);
    case ICMP_TIME_EXCEEDED:
      ipCounters.IcmpInTimeExcds++;
      return errorArrives(stack, from, packet, now);
    case ICMP_PARAMETER_PROBLEM:
      ipCounters.IcmpInParmProbs++;
      return errorArrives(stack, from, packet, now);
    // RFC 9293 3.9.2.2 [MUST-55]: source quench is discarded silently. Redirects are not followed.
    default:
  }
}

function answerEcho(stack: Stack, from: Interface, packet: InboundPacket): void {
  if (stack.sysctl.icmp_echo_ignore_all) return;
  // Nobody is at an address that only `acceptAny` brings here: a reply would say otherwise.
  if (from.acceptAny && !from.echoAny && !stack.network.isOwn(packet)) return;
  const path = backTo(stack, from, packet);
  if (path === undefined || !sendEchoReply(path, packet, message)) return;
  stack.ipCounters.IcmpOutMsgs++;
  stack.ipCounters.IcmpOutEchoReps++;
}

/** An error about a packet of ours: it quotes our IP header and at least 8 bytes, ports and sequence number among them. */
function errorArrives(stack: Stack, from: Interface, packet: InboundPacket, now: number): void {
  const { view } = packet.chunk;
  const { payloadOffset, payloadLength, type, code } = message;
  const about: QuotedPacket = quoted;
  if (!readQuoted(4, view, payloadOffset, payloadLength, from.index, about)) return;
  about.reported(type, code, packet);
  if (type === ICMP_UNREACHABLE && code === ICMP_FRAGMENTATION_NEEDED) {
    // Linux: 2 is deaf to it; with 1 the MTU is not believed, only that it is small.
    const { ip_no_pmtu_disc: mode } = stack.sysctl;
    if (mode !== 2) quotedTooBig(stack, view, about, mode === 1 ? 0 : message.mtu, now);
    return;
  }
  const error = icmpErrorOf(type, code);
  // RFC 5925 7.8.
  const hard = type === ICMP_UNREACHABLE && (code === ICMP_PROTOCOL_UNREACHABLE || code === ICMP_PORT_UNREACHABLE);
  if (error !== undefined) quotedError(stack, view, about, error, hard, now);
}
