/** The IPv6 header and its extension headers. RFC 8200 3, 4; RFC 6437. Nothing is allocated here. */
import { IP_BAD_VERSION, IP_TRUNCATED, OK } from './reasons.ts';

export const IPV6_HEADER_LENGTH = 40;
/** RFC 8200 5: every link carries at least this much, bytes. */
export const IPV6_MIN_MTU = 1280;

/** Values of Next Header that are no upper layer. RFC 8200 4. */
export const HOP_BY_HOP_OPTIONS = 0;
export const ROUTING_HEADER = 43;
export const FRAGMENT_HEADER = 44;
export const NO_NEXT_HEADER = 59;
export const DESTINATION_OPTIONS = 60;
export const PROTOCOL_ICMPV6 = 58;

export const FRAGMENT_HEADER_LENGTH = 8;

/** From the start of the IPv6 header, bytes. */
const NEXT_HEADER = 6;
const SOURCE = 8;
const DESTINATION = 24;

/** Of the extension headers of RFC 8200 4, those that are passed over here. */
export function isExtensionHeader(kind: number): boolean {
  return (
    kind === HOP_BY_HOP_OPTIONS || kind === ROUTING_HEADER || kind === FRAGMENT_HEADER || kind === DESTINATION_OPTIONS
  );
}

/** A header as read; one record is used for all packets. After a reason code other than OK its fields mean nothing. */
export class Ipv6Header {
  /** Diffserv field (upper six bits) and ECN (lower two). */
  trafficClass = 0;
  /** 20 bits. */
  flowLabel = 0;
  /** Bytes after the header, extension headers among them. */
  payloadLength = 0;
  nextHeader = 0;
  /** Where it was said: the offset of the Next Header field in the view. */
  nextHeaderOffset = 0;
  hopLimit = 0;
  /** int32. */
  s0 = 0;
  s1 = 0;
  s2 = 0;
  s3 = 0;
  d0 = 0;
  d1 = 0;
  d2 = 0;
  d3 = 0;
}

/**
 * Reads the header of the packet in the `length` bytes at `offset`, which lie within the view. Bytes after the payload length are not part of it.
 * @returns OK or an IP_ reason
 */
export function parseIpv6(view: DataView, offset: number, length: number, out: Ipv6Header): number {
  const reason = parseQuotedIpv6(view, offset, length, out);
  if (reason !== OK) return reason;
  return IPV6_HEADER_LENGTH + out.payloadLength > length ? IP_TRUNCATED : OK;
}

/** As `parseIpv6`, of a packet that an ICMPv6 error quotes: it is cut short. */
export function parseQuotedIpv6(view: DataView, offset: number, length: number, out: Ipv6Header): number {
  if (length < IPV6_HEADER_LENGTH) return IP_TRUNCATED;
  const first = view.getUint32(offset);
  if (first >>> 28 !== 6) return IP_BAD_VERSION;
  out.trafficClass = (first >>> 20) & 0xff;
  out.flowLabel = first & 0xfffff;
  out.payloadLength = view.getUint16(offset + 4);
  out.nextHeader = view.getUint8(offset + NEXT_HEADER);
  out.nextHeaderOffset = offset + NEXT_HEADER;
  out.hopLimit = view.getUint8(offset + 7);
  out.s0 = view.getInt32(offset + SOURCE);
  out.s1 = view.getInt32(offset + SOURCE + 4);
  out.s2 = view.getInt32(offset + SOURCE + 8);
  out.s3 = view.getInt32(offset + SOURCE + 12);
  out.d0 = view.getInt32(offset + DESTINATION);
  out.d1 = view.getInt32(offset + DESTINATION + 4);
  out.d2 = view.getInt32(offset + DESTINATION + 8);
  out.d3 = view.getInt32(offset + DESTINATION + 12);
  return OK;
}

/** An address, as its words are on the wire. */
export interface AddressWords {
  readonly bareW0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
}

/**
 * Writes a header of 40 bytes.
 * @param payloadLength bytes after it; that of a super-segment longer than 65,535 cannot be said and is written modulo 2^16
 */
export function writeIpv6(
  view: DataView,
  offset: number,
  payloadLength: number,
  trafficClass: number,
  flowLabel: number,
  nextHeader: number,
  hopLimit: number,
  source: AddressWords,
  destination: AddressWords,
): void {
  view.setUint32(offset, 0x60000000 | (trafficClass << 20) | flowLabel);
  view.setUint32(offset + 4, (payloadLength << 16) | (nextHeader << 8) | hopLimit);
  view.setInt32(offset + SOURCE, source.bareW0);
  view.setInt32(offset + SOURCE + 4, source.w1);
  view.setInt32(offset + SOURCE + 8, source.w2);
  view.setInt32(offset + SOURCE + 12, source.w3);
  view.setInt32(offset + DESTINATION, destination.bareW0);
  view.setInt32(offset + DESTINATION + 4, destination.w1);
  view.setInt32(offset + DESTINATION + 8, destination.w2);
  view.setInt32(offset + DESTINATION + 12, destination.w3);
}
