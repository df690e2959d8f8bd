/** What a fragment must be like, whatever else has come of its datagram. RFC 791 3.2, RFC 8200 4.5. */
import {
  ICMPV6_BAD_HEADER_FIELD,
  ICMPV6_INCOMPLETE_FIRST_FRAGMENT,
  ICMPV6_UNKNOWN_NEXT_HEADER,
} from '../wire/icmpv6.ts';
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ipv4.ts';
import {
  HOP_BY_HOP_OPTIONS,
  IPV6_HEADER_LENGTH,
  isExtensionHeader,
  NO_NEXT_HEADER,
  PROTOCOL_ICMPV6,
} from '../wire/ipv6.ts';
import { lengthOf } from './extension-headers.ts';
import type { InboundPacket } from './inbound.ts';

/** The most that an IP header can say: bytes of an IPv4 packet, bytes after the header of an IPv6 one. */
const MOST = 65_535;
/** The Authentication header: it is passed over here; nobody speaks it. */
const AUTHENTICATION = 51;
/** From the start of the IPv6 header, and of the Fragment header, bytes. */
const PAYLOAD_LENGTH = 4;
const FRAGMENT_OFFSET = 2;

export interface FragmentFault {
  readonly reason: string;
  /** Code of ICMPv6 parameter problem. */
  readonly code: number;
  /** From the start of the IPv6 header; -1: the sender is not told. */
  readonly pointer: number;
}

/** @returns undefined: none */
export function fragmentFault(packet: InboundPacket): FragmentFault | undefined {
  return packet.family === 4 ? fault4(packet) : fault6(packet);
}

function fault4(packet: InboundPacket): FragmentFault | undefined {
  const { fragmentOffset, payloadLength, moreFragments, headerLength } = packet;
  // RFC 791 3.2: fragments are cut at multiples of 8 bytes. (Linux would leave off what is too much, and lose it.)
  if (moreFragments && (payloadLength & 7) !== 0) return { reason: 'ip-fragment-uneven', code: 0, pointer: -1 };
  const isTooFar = headerLength + fragmentOffset + payloadLength > MOST;
  return isTooFar ? { reason: 'ip-fragment-too-far', code: 0, pointer: -1 } : undefined;
}

/** In Linux's order. */
function fault6(packet: InboundPacket): FragmentFault | undefined {
  const { fragmentOffset, payloadLength, moreFragments, unfragmentableLength } = packet;
  if (fragmentOffset === 0) {
    // RFC 8200 4.1: hop-by-hop options stand behind the IPv6 header, and belong to what is not fragmented.
    if (packet.protocol === HOP_BY_HOP_OPTIONS) {
      const pointer = packet.protocolOffset - packet.headerOffset;
      return { reason: 'ipv6-unknown-next-header', code: ICMPV6_UNKNOWN_NEXT_HEADER, pointer };
    }
    // RFC 8200 4.5, RFC 7112 5: a first fragment has all headers up to that of the upper layer, or is discarded and reported.
    if (!hasAllHeaders(packet)) {
      return { reason: 'ip-fragment-incomplete-first', code: ICMPV6_INCOMPLETE_FIRST_FRAGMENT, pointer: 0 };
    }
  }
  // RFC 8200 4.5: the packet would be longer than 65,535: discarded, and the sender told, with a pointer to the Fragment Offset.
  if (unfragmentableLength - IPV6_HEADER_LENGTH + fragmentOffset + payloadLength > MOST) {
    const pointer = unfragmentableLength + FRAGMENT_OFFSET;
    return { reason: 'ip-fragment-too-far', code: ICMPV6_BAD_HEADER_FIELD, pointer };
  }
  // RFC 8200 4.5: of a length that is no multiple of 8: likewise, with a pointer to the Payload Length.
  if (moreFragments && (payloadLength & 7) !== 0) {
    return { reason: 'ip-fragment-uneven', code: ICMPV6_BAD_HEADER_FIELD, pointer: PAYLOAD_LENGTH };
  }
  return undefined;
}

/** Linux, ipv6frag_thdr_truncated. */
function hasAllHeaders({ chunk: { view }, protocol, payloadOffset, payloadLength }: InboundPacket): boolean {
  const end = payloadOffset + payloadLength;
  let at = payloadOffset;
  let kind = protocol;
  while (isExtension(kind)) {
    if (at + 8 > end) return false;
    const length = kind === AUTHENTICATION ? (view.getUint8(at + 1) + 2) << 2 : lengthOf(view, at, kind);
    kind = view.getUint8(at);
    at += length;
  }
  return at + upperLength(kind) <= end;
}

function isExtension(kind: number): boolean {
  return isExtensionHeader(kind) || kind === AUTHENTICATION;
}

/** Bytes of an upper layer's header, at least. */
function upperLength(kind: number): number {
  switch (kind) {
    case PROTOCOL_TCP:
      return 20;
    case PROTOCOL_UDP:
    case PROTOCOL_ICMPV6:
      return 8;
    case NO_NEXT_HEADER:
      return 0;
    default:
      return 1;
  }
}
