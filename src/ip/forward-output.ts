/**
 * A packet of others on its way out: its header is copied, one hop shorter, its payload stays where it came in. RFC 1812 5.2.1.2, RFC 8200 3.
 * Nothing is allocated.
 */
import { completeChecksum } from '../link/linear.ts';
import { CHECKSUM_NONE, CHECKSUM_PARTIAL, type Packet } from '../link/packet.ts';
import type { IpAddress } from '../wire/address.ts';
import { checksum, sum, update16 } from '../wire/checksum.ts';
import { MORE_FRAGMENTS } from '../wire/ipv4.ts';
import { copyFragmentOptions } from '../wire/ipv4-options.ts';
import type { InboundPacket } from './inbound.ts';
import type { Egress } from './path.ts';

/** How far before the place for a transport header the packet starts: the longest IPv4 header fits in between. */
const BEFORE_TRANSPORT = 64;
/** Bytes that are copied at most: the headers of IP and of the transport among them, so that a super-segment can be cut and a checksum completed. */
const COPIED = BEFORE_TRANSPORT + 128;

/** RFC 9293 3.1: the longest TCP header. */
const LONGEST_TCP = 60;
/** The farthest from the IP header that a transport header may be in a packet that somebody is still to cut, or to sum, bytes. */
const FARTHEST_TRANSPORT = COPIED - LONGEST_TCP;

const IPV4_LENGTH = 2;
const IPV4_FLAGS = 6;
const IPV4_TTL = 8;
const IPV4_CHECKSUM = 10;
const IPV6_HOP_LIMIT = 7;

/** Whether a super-segment can be cut after it was forwarded: it says where its TCP header is, and that is not behind ever so many extension headers. */
export function canBeCut({ headerLength }: InboundPacket, { transportOffset }: Packet): boolean {
  return transportOffset >= headerLength && transportOffset <= FARTHEST_TRANSPORT;
}

/**
 * Puts the packet into the interface's batch.
 * @param packet as it came, with its offload state
 * @param nextHop the gateway; undefined: its destination
 * @param segmentSize of a super-segment, which may be less than it came with
 * @returns false: the interface is full
 */
export function forwardPacket(
  egress: Egress,
  inbound: InboundPacket,
  packet: Packet,
  nextHop: IpAddress | undefined,
  segmentSize: number,
): boolean {
  const out = egress.take();
  if (out === undefined) return false;
  if (packet.transportOffset > FARTHEST_TRANSPORT) completeChecksum(packet);
  const { chunk, headerOffset, headerLength, payloadLength, family } = inbound;
  const total = headerLength + payloadLength;
  const inline = Math.min(total, COPIED);
  const at = startOf(out);
  out.chunk.bytes.set(chunk.bytes.subarray(headerOffset, headerOffset + inline), at);
  out.length = inline;
  if (total > inline) out.addPart(chunk, headerOffset + inline, total - inline);
  out.checksum = packet.checksum === CHECKSUM_PARTIAL ? CHECKSUM_PARTIAL : CHECKSUM_NONE;
  out.transportOffset = packet.transportOffset;
  out.checksumOffset = packet.checksumOffset;
  out.segmentSize = segmentSize;
  out.nextHop = nextHop;
  const { view } = out.chunk;
  if (family === 6) view.setUint8(at + IPV6_HOP_LIMIT, inbound.ttl - 1);
  else shorten(view, at);
  egress.relay(out);
  return true;
}

/**
 * RFC 1812 4.2.2.7: cut in as few pieces as there can be, in order. The packet may be a fragment itself, and has no DF.
 * @returns how many there are; 0: the interface is full, and has not got all of them
 */
export function forwardFragments(
  egress: Egress,
  inbound: InboundPacket,
  packet: Packet,
  nextHop: IpAddress | undefined,
  mtu: number,
): number {
  // The checksum lies in one fragment and is of all of them.
  completeChecksum(packet);
  const { chunk, headerOffset, headerLength, payloadOffset, payloadLength } = inbound;
  let count = 0;
  for (let at = 0, length = 0; at < payloadLength; at += length, count++) {
    const out = egress.take();
    if (out === undefined) return 0;
    const header = startOf(out);
    const { view, bytes } = out.chunk;
    bytes.set(chunk.bytes.subarray(headerOffset, headerOffset + (at === 0 ? headerLength : 20)), header);
    const own = at === 0 ? headerLength : copyFragmentOptions(chunk.view, headerOffset, headerLength, view, header);
    length = payloadLength - at;
    if (own + length > mtu) length = (mtu - own) & ~7;
    out.length = own;
    out.addPart(chunk, payloadOffset + at, length);
    out.nextHop = nextHop;
    const more = inbound.moreFragments || at + length < payloadLength;
    view.setUint8(header, 0x40 | (own >> 2));
    view.setUint16(header + IPV4_LENGTH, own + length);
    view.setUint16(header + IPV4_FLAGS, ((inbound.fragmentOffset + at) >> 3) | (more ? MORE_FRAGMENTS : 0));
    view.setUint8(header + IPV4_TTL, inbound.ttl - 1);
    view.setUint16(header + IPV4_CHECKSUM, 0);
    view.setUint16(header + IPV4_CHECKSUM, checksum(sum(view, header, own)));
    egress.relay(out);
  }
  return count;
}

/** RFC 1812 5.3.1: one hop less; RFC 1624 3: and the checksum without the sum. */
function shorten(view: DataView, at: number): void {
  const before = view.getUint16(at + IPV4_TTL);
  const after = before - 0x100;
  view.setUint16(at + IPV4_TTL, after);
  view.setUint16(at + IPV4_CHECKSUM, update16(view.getUint16(at + IPV4_CHECKSUM), before, after));
}

/** Moves the packet's start to where an IP header begins. */
function startOf(out: Packet): number {
  out.offset -= BEFORE_TRANSPORT;
  return out.offset;
}
