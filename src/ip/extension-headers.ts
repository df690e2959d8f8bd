/** IPv6 extension headers, as the node reads them that a packet is for: one after the other, in the order in which they stand. RFC 8200 4. */
import { ICMPV6_BAD_HEADER_FIELD, ICMPV6_UNKNOWN_NEXT_HEADER, ICMPV6_UNKNOWN_OPTION } from '../wire/icmpv6.ts';
import {
  DESTINATION_OPTIONS,
  FRAGMENT_HEADER,
  FRAGMENT_HEADER_LENGTH,
  HOP_BY_HOP_OPTIONS,
  NO_NEXT_HEADER,
  ROUTING_HEADER,
} from '../wire/ipv6.ts';
import {
  IPV6_BAD_EXTENSION_HEADER,
  IPV6_NO_NEXT_HEADER,
  IPV6_UNKNOWN_NEXT_HEADER,
  IPV6_UNKNOWN_OPTION,
  IPV6_UNKNOWN_ROUTING_TYPE,
  OK,
} from '../wire/reasons.ts';
import type { InboundPacket } from './inbound.ts';

const PAD1 = 0;
/** The two highest bits of an option's type say what to do with one that is not known: RFC 8200 4.2. */
const SKIP = 0;
const DISCARD = 1;
const DISCARD_AND_REPORT = 2;

/** What the sender is to be told when `readExtensions` did not return OK; one record, good until the next call. */
export class ParameterProblem {
  /** Code of ICMPv6 parameter problem; -1: nothing is said. */
  code = -1;
  /** Bytes from the start of the packet to what is at fault. */
  pointer = 0;
  /** RFC 4443 2.4 (e.3): also when the packet was for a multicast address. */
  evenMulticast = false;
}

/**
 * Passes over the extension headers that stand before what `packet.protocol` names, and makes the packet's fields say what follows them. At a Fragment
 * header of a true fragment it stops, with `packet.fragment` set: what lies behind is to be put together first, and then read on.
 * @returns OK or the reason to drop the packet, with what to tell the sender in `problem`
 */
export function readExtensions(packet: InboundPacket, problem: ParameterProblem): number {
  const { view } = packet.chunk;
  problem.code = -1;
  for (;;) {
    const { protocol: kind, payloadOffset: at, payloadLength: left } = packet;
    switch (kind) {
      case HOP_BY_HOP_OPTIONS:
        // RFC 8200 4.1: it stands first, or not at all; elsewhere the value is one that is not known.
        if (packet.protocolOffset !== packet.headerOffset + 6) return unknownNextHeader(packet, problem);
        break;
      case DESTINATION_OPTIONS:
      case ROUTING_HEADER:
      case FRAGMENT_HEADER:
        break;
      case NO_NEXT_HEADER:
        return IPV6_NO_NEXT_HEADER;
      default:
        return OK;
    }
    const length = left < FRAGMENT_HEADER_LENGTH ? left + 1 : lengthOf(view, at, kind);
    if (length > left) return IPV6_BAD_EXTENSION_HEADER;
    if (kind === FRAGMENT_HEADER) {
      // A fragment in fragments: no host makes such (Linux, IP6SKB_FRAGMENTED).
      if (packet.unfragmentableLength > 0) return reportHeader(packet, problem);
      const whole = readFragmentHeader(packet);
      if (!whole) return OK;
      continue;
    }
    const reason =
      kind === ROUTING_HEADER ? readRouting(packet, problem) : readOptions(packet, at + 2, at + length, problem);
    if (reason !== OK) return reason;
    pass(packet, length);
  }
}

/** RFC 8200 4: a Next Header value that is not known discards the packet, and the sender is told where it stands. */
function unknownNextHeader(packet: InboundPacket, problem: ParameterProblem): number {
  problem.code = ICMPV6_UNKNOWN_NEXT_HEADER;
  problem.pointer = packet.protocolOffset - packet.headerOffset;
  problem.evenMulticast = false;
  return IPV6_UNKNOWN_NEXT_HEADER;
}

function reportHeader(packet: InboundPacket, problem: ParameterProblem): number {
  problem.code = ICMPV6_BAD_HEADER_FIELD;
  problem.pointer = packet.payloadOffset - packet.headerOffset;
  problem.evenMulticast = false;
  return IPV6_BAD_EXTENSION_HEADER;
}

/** Bytes of the extension header of that kind at `at`, of which 8 are there. */
export function lengthOf(view: DataView, at: number, kind: number): number {
  return kind === FRAGMENT_HEADER ? FRAGMENT_HEADER_LENGTH : (view.getUint8(at + 1) + 1) << 3;
}

/** The packet's fields name what follows the header of `length` bytes at its payload. */
function pass(packet: InboundPacket, length: number): void {
  const next = packet.chunk.view.getUint8(packet.payloadOffset);
  // The pseudo-header has the protocol of the upper layer: RFC 8200 8.1.
  packet.pseudoSum += next - packet.protocol;
  packet.protocol = next;
  packet.protocolOffset = packet.payloadOffset;
  packet.payloadOffset += length;
  packet.payloadLength -= length;
  packet.headerLength += length;
}

/** RFC 8200 4.5. @returns whether the datagram is whole all the same: an atomic fragment (RFC 6946 4) */
function readFragmentHeader(packet: InboundPacket): boolean {
  const { view } = packet.chunk;
  const { payloadOffset: at } = packet;
  const word = view.getUint16(at + 2);
  packet.unfragmentableLength = packet.headerLength;
  packet.fragmentOffset = word & 0xfff8;
  packet.moreFragments = (word & 1) !== 0;
  packet.identification = view.getUint32(at + 4);
  packet.fragment = word >>> 3 !== 0 || packet.moreFragments;
  pass(packet, FRAGMENT_HEADER_LENGTH);
  return !packet.fragment;
}

/** RFC 8200 4.4, RFC 5095: no type is known here; one that has been served (no segments left) is passed over. */
function readRouting(packet: InboundPacket, problem: ParameterProblem): number {
  const { payloadOffset: at } = packet;
  if (packet.chunk.view.getUint8(at + 3) === 0) return OK;
  problem.code = ICMPV6_BAD_HEADER_FIELD;
  problem.pointer = at + 2 - packet.headerOffset;
  problem.evenMulticast = false;
  return IPV6_UNKNOWN_ROUTING_TYPE;
}

/** RFC 8200 4.2: the options from `at` to `end`; none but padding is known, and those that may be are passed over. */
function readOptions(packet: InboundPacket, at: number, end: number, problem: ParameterProblem): number {
  const { view } = packet.chunk;
  while (at < end) {
    const type = view.getUint8(at);
    if (type === PAD1) {
      at++;
      continue;
    }
    if (at + 2 > end) return IPV6_BAD_EXTENSION_HEADER;
    const length = 2 + view.getUint8(at + 1);
    if (at + length > end) return IPV6_BAD_EXTENSION_HEADER;
    const action = type >>> 6;
    if (action !== SKIP) {
      if (action !== DISCARD) {
        problem.code = ICMPV6_UNKNOWN_OPTION;
        problem.pointer = at - packet.headerOffset;
        problem.evenMulticast = action === DISCARD_AND_REPORT;
      }
      return IPV6_UNKNOWN_OPTION;
    }
    at += length;
  }
  return OK;
}
