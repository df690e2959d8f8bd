/** A packet as the network layer read it, in numbers that fit both families; one record serves all packets. */

import type { Packet } from '../link/packet.ts';
import type { Chunk } from '../link/slab.ts';
import { isZoned } from '../wire/address.ts';
import { pseudoHeaderSum4, pseudoHeaderSum6 } from '../wire/checksum.ts';
import { Ipv4Header, parseIpv4 } from '../wire/ipv4.ts';
import { IPV6_HEADER_LENGTH, Ipv6Header, parseIpv6 } from '../wire/ipv6.ts';
import { IP_BAD_VERSION, IP_TRUNCATED, IPV6_BAD_ADDRESS, OK } from '../wire/reasons.ts';

const MAPPED = 0xffff;
/** Where IPv4 says the protocol. */
const IPV4_PROTOCOL = 9;

export class InboundPacket {
  /** Where the bytes lie. */
  chunk!: Chunk;
  /** Offset of the IP header; and its bytes, with options, or with the extension headers that have been read. */
  headerOffset = 0;
  headerLength = 0;
  family: 4 | 6 = 4;
  /** Source and destination, as the words of IpAddress: with their zone. */
  s0 = 0;
  s1 = 0;
  s2 = 0;
  s3 = 0;
  d0 = 0;
  d1 = 0;
  d2 = 0;
  d3 = 0;
  /** Of what follows the headers: until `readExtensions` has passed, that may be an extension header. */
  protocol = 0;
  /** Where that is said, in the chunk: the field Next Header, or Protocol. */
  protocolOffset = 0;
  ttl = 0;
  /** DSCP and ECN. */
  tos = 0;
  flowLabel = 0;
  /** Only a part of a datagram; then these are meant too. */
  fragment = false;
  moreFragments = false;
  /** Bytes. */
  fragmentOffset = 0;
  identification = 0;
  /** IPv4: it may not be fragmented. */
  dontFragment = false;
  /** IPv6, of a fragment, and of what was put together of fragments: bytes of the headers before its Fragment header; 0: it has none. */
  unfragmentableLength = 0;
  payloadOffset = 0;
  payloadLength = 0;
  /** Of the pseudo-header, without the transport length. */
  pseudoSum = 0;
  /** CHECKSUM_NONE, CHECKSUM_PARTIAL, CHECKSUM_VALIDATED of the packet. */
  checksum = 0;
  /** As the packet's. */
  segmentSize = 0;
}

const header4 = new Ipv4Header();
const header6 = new Ipv6Header();

/**
 * Reads the IP header.
 * @param zone the index of the interface that it came in on
 * @returns OK or the reason to drop it
 */
export function readPacket(packet: Packet, zone: number, out: InboundPacket): number {
  const { chunk, offset, length } = packet;
  if (length < 1) return IP_TRUNCATED;
  const version = (chunk.bytes[offset] as number) >> 4;
  out.chunk = chunk;
  out.headerOffset = offset;
  out.checksum = packet.checksum;
  out.segmentSize = packet.segmentSize;
  if (version === 4) return read4(chunk, offset, length, out);
  return version === 6 ? read6(chunk, offset, length, zone, out) : IP_BAD_VERSION;
}

function read4(chunk: Chunk, offset: number, length: number, out: InboundPacket): number {
  const reason = parseIpv4(chunk.view, offset, length, header4);
  if (reason !== OK) return reason;
  out.headerLength = header4.headerLength;
  out.family = 4;
  out.s0 = 0;
  out.s1 = 0;
  out.s2 = MAPPED;
  out.s3 = header4.source;
  out.d0 = 0;
  out.d1 = 0;
  out.d2 = MAPPED;
  out.d3 = header4.destination;
  out.protocol = header4.protocol;
  out.protocolOffset = offset + IPV4_PROTOCOL;
  out.ttl = header4.ttl;
  out.tos = header4.tos;
  out.moreFragments = header4.moreFragments;
  out.fragmentOffset = header4.fragmentOffset;
  out.fragment = header4.moreFragments || header4.fragmentOffset !== 0;
  out.dontFragment = header4.dontFragment;
  out.identification = header4.identification;
  out.payloadOffset = offset + header4.headerLength;
  out.payloadLength = header4.totalLength - header4.headerLength;
  out.pseudoSum = pseudoHeaderSum4(header4.source, header4.destination, header4.protocol);
  return OK;
}

function read6(chunk: Chunk, offset: number, length: number, zone: number, out: InboundPacket): number {
  const reason = parseIpv6(chunk.view, offset, length, header6);
  if (reason !== OK) return reason;
  const { s0, s1, s2, s3, d0, d1, d2, d3 } = header6;
  if (!isPlain(s0, s1, s2) || !isPlain(d0, d1, d2)) return IPV6_BAD_ADDRESS;
  // RFC 4291 2.7: no multicast address is a source.
  if (s0 >>> 24 === 0xff) return IPV6_BAD_ADDRESS;
  out.headerLength = IPV6_HEADER_LENGTH;
  out.family = 6;
  out.s0 = isZoned(s0) ? s0 | zone : s0;
  out.s1 = s1;
  out.s2 = s2;
  out.s3 = s3;
  out.d0 = isZoned(d0) ? d0 | zone : d0;
  out.d1 = d1;
  out.d2 = d2;
  out.d3 = d3;
  out.protocol = header6.nextHeader;
  out.protocolOffset = header6.nextHeaderOffset;
  out.ttl = header6.hopLimit;
  out.tos = header6.trafficClass;
  out.flowLabel = header6.flowLabel;
  out.fragment = false;
  out.fragmentOffset = 0;
  out.moreFragments = false;
  out.dontFragment = true;
  out.unfragmentableLength = 0;
  out.payloadOffset = offset + IPV6_HEADER_LENGTH;
  out.payloadLength = header6.payloadLength;
  out.pseudoSum = pseudoHeaderSum6(s0, s1, s2, s3, d0, d1, d2, d3, header6.nextHeader);
  return OK;
}

/**
 * Whether an IPv6 address on the wire, with those first words, is the same within the host: not ::ffff:0:0/96, which is IPv4 here, so that nobody may pass for one
 * (Linux; draft-itojun-v6ops-v4mapped-harmful); and with zeros (RFC 4291 2.5.6) where a zone lies.
 */
export function isPlain(w0: number, w1: number, w2: number): boolean {
  if (w2 === MAPPED && w0 === 0 && w1 === 0) return false;
  return (w0 & 0xffff) === 0 || !isZoned(w0);
}
