/** ICMP messages that the stack sends, of both families: RFC 792, RFC 1122 3.2.2; RFC 4443. */

import { checksum, fold, sum } from '../wire/checksum.ts';
import { ICMP_ECHO_REPLY, ICMP_HEADER_LENGTH, type IcmpMessage } from '../wire/icmp.ts';
import { ICMPV6_ECHO_REPLY } from '../wire/icmpv6.ts';
import { IPV6_HEADER_LENGTH, IPV6_MIN_MTU } from '../wire/ipv6.ts';
import type { InboundPacket } from './inbound.ts';
import type { IpPath } from './path.ts';

/** RFC 1812 4.3.2.3: as much of the offending packet is quoted as fits into 576 bytes; RFC 4443 2.4 (c): into the least MTU. */
const QUOTE_LIMIT_4 = 576 - 20 - ICMP_HEADER_LENGTH;
const QUOTE_LIMIT_6 = IPV6_MIN_MTU - IPV6_HEADER_LENGTH - ICMP_HEADER_LENGTH;
/** What fits into a packet's own header area. */
const INLINE_LIMIT = 64;

/** RFC 1122 3.2.2.6, RFC 4443 4.2: an echo reply with the data of the request, all of it. @returns whether it went */
export function sendEchoReply(path: IpPath, inbound: InboundPacket, request: IcmpMessage): boolean {
  const packet = path.take();
  if (packet === undefined) return false;
  // RFC 1812 4.3.2.5: type of service and precedence of the request (Linux takes the ECN field along with them).
  path.tos = inbound.tos;
  const { view } = packet.chunk;
  const at = packet.offset;
  view.setUint16(at, (path.source.family === 4 ? ICMP_ECHO_REPLY : ICMPV6_ECHO_REPLY) << 8);
  view.setUint16(at + 2, 0);
  view.setUint16(at + 4, request.identifier);
  view.setUint16(at + 6, request.sequence);
  packet.length = ICMP_HEADER_LENGTH;
  const dataLength = inbound.payloadLength - ICMP_HEADER_LENGTH;
  const dataOffset = inbound.payloadOffset + ICMP_HEADER_LENGTH;
  if (dataLength > 0) packet.addPart(inbound.chunk, dataOffset, dataLength);
  const data = fold(sum(inbound.chunk.view, dataOffset, dataLength));
  view.setUint16(at + 2, checksum(sum(view, at, ICMP_HEADER_LENGTH) + data + pseudoSum(path, inbound.payloadLength)));
  return path.send(packet);
}

/**
 * An error about a packet that came: it quotes as much of it as it may.
 * @param parameter the 32 bits after the checksum: an MTU, a pointer; else 0
 * @returns whether it went
 */
export function sendError(
  path: IpPath,
  inbound: InboundPacket,
  type: number,
  code: number,
  parameter: number,
): boolean {
  const packet = path.take();
  if (packet === undefined) return false;
  const { view, bytes } = packet.chunk;
  const at = packet.offset;
  const limit = path.source.family === 4 ? QUOTE_LIMIT_4 : QUOTE_LIMIT_6;
  const quoted = Math.min(inbound.headerLength + inbound.payloadLength, limit);
  const inline = Math.min(quoted, INLINE_LIMIT);
  const from = inbound.headerOffset;
  view.setUint16(at, (type << 8) | code);
  view.setUint16(at + 2, 0);
  view.setUint32(at + 4, parameter);
  bytes.set(inbound.chunk.bytes.subarray(from, from + inline), at + ICMP_HEADER_LENGTH);
  packet.length = ICMP_HEADER_LENGTH + inline;
  let total = sum(view, at, packet.length) + pseudoSum(path, ICMP_HEADER_LENGTH + quoted);
  if (quoted > inline) {
    packet.addPart(inbound.chunk, from + inline, quoted - inline);
    total += fold(sum(inbound.chunk.view, from + inline, quoted - inline));
  }
  view.setUint16(at + 2, checksum(total));
  return path.send(packet);
}

/** RFC 4443 2.3: ICMPv6 is summed with a pseudo-header, ICMP without. */
function pseudoSum(path: IpPath, length: number): number {
  return path.source.family === 4 ? 0 : path.pseudoSum + length;
}
