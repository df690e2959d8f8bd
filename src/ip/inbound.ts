/** A packet as the network layer read it, in numbers that fit both families; one record serves all packets. */

import type { Packet } from '../link/packet.ts';
import type { Chunk } from '../link/slab.ts';
import { pseudoHeaderSum4 } from '../wire/checksum.ts';
import { Ipv4Header, parseIpv4 } from '../wire/ipv4.ts';
import { IP_BAD_VERSION, IP_TRUNCATED, OK } from '../wire/reasons.ts';

export class InboundPacket {
  /** Where the bytes lie. */
  chunk!: Chunk;
  /** Offset of the IP header, and its bytes. */
  headerOffset = 0;
  headerLength = 0;
  family: 4 | 6 = 4;
  /** Source and destination, as the words of IpAddress. */
  s0 = 0;
  s1 = 0;
  s2 = 0;
  s3 = 0;
  d0 = 0;
  d1 = 0;
  d2 = 0;
  d3 = 0;
  protocol = 0;
  ttl = 0;
  /** DSCP and ECN. */
  tos = 0;
  /** Only a part of a datagram. */
  fragment = false;
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

/** Reads the IP header. @returns OK or the reason to drop it */
export function readPacket(packet: Packet, out: InboundPacket): number {
  const { chunk, offset, length } = packet;
  if (length < 1) return IP_TRUNCATED;
  const version = (chunk.bytes[offset] as number) >> 4;
  if (version !== 4) return IP_BAD_VERSION;
  const reason = parseIpv4(chunk.view, offset, length, header4);
  if (reason !== OK) return reason;
  out.chunk = chunk;
  out.headerOffset = offset;
  out.headerLength = header4.headerLength;
  out.family = 4;
  out.s2 = 0xffff;
  out.s3 = header4.source;
  out.d2 = 0xffff;
  out.d3 = header4.destination;
  out.protocol = header4.protocol;
  out.ttl = header4.ttl;
  out.tos = header4.tos;
  out.fragment = header4.moreFragments || header4.fragmentOffset !== 0;
  out.payloadOffset = offset + header4.headerLength;
  out.payloadLength = header4.totalLength - header4.headerLength;
  out.pseudoSum = pseudoHeaderSum4(header4.source, header4.destination, header4.protocol);
  out.checksum = packet.checksum;
  out.segmentSize = packet.segmentSize;
  return OK;
}
