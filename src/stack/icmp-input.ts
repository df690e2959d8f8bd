/** ICMP that comes in, and the errors that go out. RFC 792, RFC 1122 3.2.2. */
import { sendEchoReply, sendUnreachable } from '../ip/icmp-output.ts';
import type { InboundPacket } from '../ip/inbound.ts';
import { KIND_EMBRYO, KIND_TIME_WAIT } from '../tcp/control-block.ts';
import { embryoErrorArrives, fragmentationNeeded, errorArrives as tcpErrorArrives } from '../tcp/icmp-error.ts';
import { ignoresUnreachable } from '../tcp/inbound-signature.ts';
import { IpAddress } from '../wire/address.ts';
import {
  ICMP_ECHO_REQUEST,
  ICMP_FRAGMENTATION_NEEDED,
  ICMP_PARAMETER_PROBLEM,
  ICMP_PORT_UNREACHABLE,
  ICMP_TIME_EXCEEDED,
  ICMP_UNREACHABLE,
  IcmpMessage,
  parseIcmp,
} from '../wire/icmp.ts';
import { Ipv4Header, PROTOCOL_ICMP, PROTOCOL_TCP, parseQuotedIpv4 } from '../wire/ipv4.ts';
import { ICMP_BAD_CHECKSUM, OK, reasonName } from '../wire/reasons.ts';
import { icmpErrorOf } from './icmp-errors.ts';
import type { Interface } from './interface.ts';
import type { Stack } from './stack.ts';
import { addressOf } from './tcp-input.ts';

const message = new IcmpMessage();
const quoted = new Ipv4Header();

export function icmpArrives(stack: Stack, from: Interface, packet: InboundPacket, now: number): void {
  const { ipCounters } = stack;
  ipCounters.IcmpInMsgs++;
  const reason = parseIcmp(packet.chunk.view, packet.payloadOffset, packet.payloadLength, message);
  if (reason !== OK) {
    ipCounters.IcmpInErrors++;
    if (reason === ICMP_BAD_CHECKSUM) ipCounters.IcmpInCsumErrors++;
    return stack.drop(reasonName(reason), now);
  }
  if (message.type === ICMP_ECHO_REQUEST) {
    ipCounters.IcmpInEchos++;
    answerEcho(stack, from, packet);
  } else if (message.type === ICMP_UNREACHABLE) {
    ipCounters.IcmpInDestUnreachs++;
    errorArrives(stack, packet, now);
  } else if (message.type === ICMP_TIME_EXCEEDED || message.type === ICMP_PARAMETER_PROBLEM) {
    errorArrives(stack, packet, now);
  }
  // RFC 9293 3.9.2.2 [MUST-55]: source quench is discarded silently, as is everything that is not for TCP.
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

/** An error about a segment of ours: it quotes our IP header and at least 8 bytes, ports and sequence number among them. */
function errorArrives(stack: Stack, packet: InboundPacket, now: number): void {
  const { view } = packet.chunk;
  const { payloadOffset, payloadLength, type, code } = message;
  if (parseQuotedIpv4(view, payloadOffset, payloadLength, quoted) !== OK) return;
  if (quoted.protocol !== PROTOCOL_TCP || payloadLength < quoted.headerLength + 8) return;
  const at = payloadOffset + quoted.headerLength;
  const [local, remote] = [IpAddress.v4(quoted.source), IpAddress.v4(quoted.destination)];
  const entry = stack.demux.get(local, view.getUint16(at), remote, view.getUint16(at + 2));
  if (entry === undefined) return;
  if (type === ICMP_UNREACHABLE && ignoresUnreachable(stack.tcp, entry, code)) return stack.drop('tcp-ao-icmp', now);
  if (entry.kind === KIND_TIME_WAIT) return;
  const seq = view.getInt32(at + 4);
  if (type === ICMP_UNREACHABLE && code === ICMP_FRAGMENTATION_NEEDED) {
    // A SYN-ACK fits through everything: nothing of an embryo's can have been too large (Linux).
    if (entry.kind === KIND_EMBRYO) return;
    // Linux: 2 is deaf to it; with 1 the MTU is not believed, only that it is small.
    const { ip_no_pmtu_disc: mode } = stack.sysctl;
    if (mode !== 2) fragmentationNeeded(entry, mode === 1 ? 0 : message.mtu, seq, now);
    return;
  }
  const error = icmpErrorOf(type, code);
  if (error === undefined) return;
  if (entry.kind === KIND_EMBRYO) embryoErrorArrives(entry, error, seq);
  else tcpErrorArrives(entry, error, seq, now);
}

/** Tells the sender that its packet could not be delivered here, as often as the limits allow. */
export function reportUnreachable(
  stack: Stack,
  from: Interface,
  packet: InboundPacket,
  code: number,
  now: number,
): void {
  const { sysctl, ipCounters } = stack;
  stack.drop(code === ICMP_PORT_UNREACHABLE ? 'udp-no-socket' : 'ip-unknown-protocol', now);
  const path = backTo(stack, from, packet);
  if (path === undefined) return;
  if (!stack.icmpLimit.allow(packet.s3, sysctl.icmp_ratelimit, sysctl.icmp_msgs_per_sec, now)) {
    ipCounters.IcmpOutRateLimitHost++;
    return;
  }
  if (!sendUnreachable(path, packet, code)) return;
  ipCounters.IcmpOutMsgs++;
  ipCounters.IcmpOutDestUnreachs++;
}

/** The way back to the sender, when it may be answered at all: RFC 1122 3.2.2: no error about a source that is not one host. */
function backTo(stack: Stack, from: Interface, packet: InboundPacket) {
  const remote = addressOf(packet.family, packet.s0, packet.s1, packet.s2, packet.s3);
  // RFC 1122 3.2.1.3: an address of our own as the source of what came from outside is a lie.
  if (!stack.network.isLoopback(from) && stack.network.isLocal(remote)) return undefined;
  if (remote.isMulticast || remote.isUnspecified || stack.network.isBroadcast(remote)) return undefined;
  const local = addressOf(packet.family, packet.d0, packet.d1, packet.d2, packet.d3);
  return stack.network.pathBack(from, local, remote, PROTOCOL_ICMP);
}
