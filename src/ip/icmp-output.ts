/** ICMP messages that the stack sends: RFC 792, RFC 1122 3.2.2. */

import { checksum, fold, sum } from '../wire/checksum.ts';
import type { IcmpMessage } from '../wire/icmp.ts';
import { ICMP_ECHO_REPLY, ICMP_HEADER_LENGTH, writeUnreachable } from '../wire/icmp.ts';
import type { InboundPacket } from './inbound.ts';
import type { IpPath } from './path.ts';

/** Bytes of the offending packet that an error quotes: header and 8 bytes are the least; the whole message stays within 576 (RFC 1812 4.3.2.3). */
const QUOTE_LIMIT = 576 - 20 - ICMP_HEADER_LENGTH;
/** What fits into a packet's own header area. */
const INLINE_LIMIT = 64;

/** RFC 1122 3.2.2.6: an echo reply with the data of the request, all of it. @returns whether it went */
export function sendEchoReply(path: IpPath, inbound: InboundPacket, request: IcmpMessage): boolean {
  const dataLength = inbound.payloadLength - ICMP_HEADER_LENGTH;
  if (path.headerLength + inbound.payloadLength > path.mtu) return false;
  const packet = path.take();
  if (packet === undefined) return false;
  const { view } = packet.chunk;
  const at = packet.offset;
  view.setUint16(at, ICMP_ECHO_REPLY << 8);
  view.setUint16(at + 2, 0);
  view.setUint16(at + 4, request.identifier);
  view.setUint16(at + 6, request.sequence);
  packet.length = ICMP_HEADER_LENGTH;
  const dataOffset = inbound.payloadOffset + ICMP_HEADER_LENGTH;
  if (dataLength > 0) packet.addPart(inbound.chunk, dataOffset, dataLength);
  const data = fold(sum(inbound.chunk.view, dataOffset, dataLength));
  view.setUint16(at + 2, checksum(sum(view, at, ICMP_HEADER_LENGTH) + data));
  path.send(packet);
  return true;
}

/** RFC 1122 3.2.2.1: destination unreachable, quoting the packet that could not be delivered. @returns whether it went */
export function sendUnreachable(path: IpPath, inbound: InboundPacket, code: number): boolean {
  const packet = path.take();
  if (packet === undefined) return false;
  const { view, bytes } = packet.chunk;
  const at = packet.offset;
  const quoted = Math.min(inbound.headerLength + inbound.payloadLength, QUOTE_LIMIT);
  const inline = Math.min(quoted, INLINE_LIMIT);
  const from = inbound.headerOffset;
  bytes.set(inbound.chunk.bytes.subarray(from, from + inline), at + ICMP_HEADER_LENGTH);
  writeUnreachable(view, at, ICMP_HEADER_LENGTH + inline, code, 0);
  packet.length = ICMP_HEADER_LENGTH + inline;
  if (quoted > inline) {
    packet.addPart(inbound.chunk, from + inline, quoted - inline);
    const total = ~view.getUint16(at + 2) & 0xffff;
    view.setUint16(at + 2, checksum(total + fold(sum(inbound.chunk.view, from + inline, quoted - inline))));
  }
  path.send(packet);
  return true;
}
