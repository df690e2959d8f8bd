/** The IPv4 header. RFC 791 3.1, with RFC 6864's view of the identification. Nothing is allocated here. */
import { fold, sum, sum20 } from './checksum.ts';
import {
  IP_BAD_CHECKSUM,
  IP_BAD_HEADER_LENGTH,
  IP_BAD_TOTAL_LENGTH,
  IP_BAD_VERSION,
  IP_TRUNCATED,
  OK,
} from './reasons.ts';

/** Bytes of a header without options. */
export const IPV4_HEADER_LENGTH = 20;

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;

/** Flag bits of the 16-bit word that holds flags and fragment offset. */
export const DONT_FRAGMENT = 0x4000;
export const MORE_FRAGMENTS = 0x2000;

/** A header as read; one record is used for all packets. After a reason code other than OK its fields mean nothing. */
export class Ipv4Header {
  /** Bytes, with options: 20..60. */
  headerLength = 0;
  /** Bytes of the packet, header and payload. */
  totalLength = 0;
  /** DSCP (upper six bits) and ECN (lower two). */
  tos = 0;
  identification = 0;
  dontFragment = false;
  moreFragments = false;
  /** Bytes. */
  fragmentOffset = 0;
  ttl = 0;
  protocol = 0;
  /** int32. */
  source = 0;
  destination = 0;
}

/**
 * Reads the header of the packet in the `length` bytes at `offset`, which lie within the view. Bytes after the packet's
 * total length are not part of it.
 * @returns OK or an IP_ reason
 */
export function parseIpv4(view: DataView, offset: number, length: number, out: Ipv4Header): number {
  const reason = parseQuotedIpv4(view, offset, length, out);
  if (reason !== OK) return reason;
  if (out.totalLength < out.headerLength) return IP_BAD_TOTAL_LENGTH;
  if (out.totalLength > length) return IP_TRUNCATED;
  // RFC 1122 3.2.1.2: a host verifies the header checksum of every datagram and silently discards the bad ones.
  // RFC 9293 3.9.2 [MUST-50]: options are passed over.
  const plain = out.headerLength === IPV4_HEADER_LENGTH;
  const total = plain ? sum20(view, offset) : sum(view, offset, out.headerLength);
  return fold(total) === 0xffff ? OK : IP_BAD_CHECKSUM;
}

/**
 * Reads the header of a packet quoted in an ICMP error: as `parseIpv4`, but the packet is cut short (RFC 792: header and 8 bytes), and what
 * routers changed on its way (TTL, checksum, total length) is not checked.
 */
export function parseQuotedIpv4(view: DataView, offset: number, length: number, out: Ipv4Header): number {
  if (length < IPV4_HEADER_LENGTH) return IP_TRUNCATED;
  const first = view.getUint8(offset);
  if (first >>> 4 !== 4) return IP_BAD_VERSION;
  const headerLength = (first & 0xf) << 2;
  if (headerLength < IPV4_HEADER_LENGTH) return IP_BAD_HEADER_LENGTH;
  if (headerLength > length) return IP_TRUNCATED;
  const fragment = view.getUint16(offset + 6);
  out.headerLength = headerLength;
  out.totalLength = view.getUint16(offset + 2);
  out.tos = view.getUint8(offset + 1);
  out.identification = view.getUint16(offset + 4);
  out.dontFragment = (fragment & DONT_FRAGMENT) !== 0;
  out.moreFragments = (fragment & MORE_FRAGMENTS) !== 0;
  out.fragmentOffset = (fragment & 0x1fff) << 3;
  out.ttl = view.getUint8(offset + 8);
  out.protocol = view.getUint8(offset + 9);
  out.source = view.getInt32(offset + 12);
  out.destination = view.getInt32(offset + 16);
  return OK;
}

/**
 * Writes a header of 20 bytes with its checksum.
 * @param totalLength bytes of header and payload; a super-segment longer than 65,535 cannot be said and is written modulo 2^16
 * @param fragment for a fragment: MORE_FRAGMENTS unless it is the last, and its offset in units of 8 bytes; 0: not one
 */
export function writeIpv4(
  view: DataView,
  offset: number,
  totalLength: number,
  tos: number,
  identification: number,
  dontFragment: boolean,
  ttl: number,
  protocol: number,
  source: number,
  destination: number,
  fragment = 0,
): void {
  const first = 0x4500 | tos;
  const flags = (dontFragment ? DONT_FRAGMENT : 0) | fragment;
  const lifetime = (ttl << 8) | protocol;
  const total =
    first +
    (totalLength & 0xffff) +
    (identification & 0xffff) +
    flags +
    lifetime +
    (source >>> 0) +
    (destination >>> 0);
  view.setUint16(offset, first);
  view.setUint16(offset + 2, totalLength);
  view.setUint16(offset + 4, identification);
  view.setUint16(offset + 6, flags);
  view.setUint16(offset + 8, lifetime);
  view.setUint16(offset + 10, ~fold(total));
  view.setInt32(offset + 12, source);
  view.setInt32(offset + 16, destination);
}
