/** What a fragment must be like, whatever else has come of its datagram. RFC 791 3.2, RFC 8200 4.5. */
import { ICMPV6_BAD_HEADER_FIELD, ICMPV6_INCOMPLETE_FIRST_FRAGMENT } from '../wire/icmpv6.ts';
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ipv4.ts';
import {
  DESTINATION_OPTIONS,
  FRAGMENT_HEADER,
  HOP_BY_HOP_OPTIONS,
  IPV6_HEADER_LENGTH,
  NO_NEXT_HEADER,
  PROTOCOL_ICMPV6,
  ROUTING_HEADER,
} from '../wire/ipv6.ts';
import { lengthOf } from './extension-headers.ts';
import type { InboundPacket } from './inbound.ts';

/** The most that an IP header can say: bytes of an IPv4 packet, bytes after the header of an IPv6 one. */
const MOST = 65_535;
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
  const { family, fragmentOffset, payloadLength, moreFragments, headerLength, unfragmentableLength } = packet;
  const end = fragmentOffset + payloadLength;
  if (family === 4) {
    // RFC 791 3.2: fragments are cut at multiples of 8 bytes. (Linux would leave off what is too much, and lose it.)
    if (moreFragments && (payloadLength & 7) !== 0) return { reason: 'ip-fragment-uneven', code: 0, pointer: -1 };
    return headerLength + end > MOST ? { reason: 'ip-fragment-too-far', code: 0, pointer: -1 } : undefined;
  }
  // RFC 8200 4.5: of a length that is no multiple of 8: discarded, and the sender told, with a pointer to the Payload Length.
  if (moreFragments && (payloadLength & 7) !== 0) {
    return { reason: 'ip-fragment-uneven', code: ICMPV6_BAD_HEADER_FIELD, pointer: PAYLOAD_LENGTH };
  }
  // RFC 8200 4.5: the packet would be longer than 65,535: likewise, with a pointer to the Fragment Offset.
  if (unfragmentableLength - IPV6_HEADER_LENGTH + end > MOST) {
    const pointer = unfragmentableLength + FRAGMENT_OFFSET;
    return { reason: 'ip-fragment-too-far', code: ICMPV6_BAD_HEADER_FIELD, pointer };
  }
  // RFC 8200 4.5, RFC 7112 5: a first fragment has all headers up to that of the upper layer, or is discarded and reported.
  if (fragmentOffset === 0 && !hasAllHeaders(packet)) {
    return { reason: 'ip-fragment-incomplete-first', code: ICMPV6_INCOMPLETE_FIRST_FRAGMENT, pointer: 0 };
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
    const length = lengthOf(view, at, kind);
    kind = view.getUint8(at);
    at += length;
  }
  return at + upperLength(kind) <= end;
}

function isExtension(kind: number): boolean {
  return (
    kind === HOP_BY_HOP_OPTIONS || kind === ROUTING_HEADER || kind === DESTINATION_OPTIONS || kind === FRAGMENT_HEADER
  );
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
