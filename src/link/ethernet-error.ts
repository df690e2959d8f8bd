/**
 * What a host is told when a neighbour does not answer: an ICMP error from itself to itself, quoting the packet. RFC 1122 3.2.2.1, RFC 4861
 * 7.2.2; Linux's error_report of ARP and ND has the same end.
 */
import { checksum, sum } from '../wire/checksum.ts';
import { ICMP_HEADER_LENGTH, ICMP_HOST_UNREACHABLE, writeUnreachable } from '../wire/icmp.ts';
import { ICMPV6_ADDRESS_UNREACHABLE, ICMPV6_UNREACHABLE } from '../wire/icmpv6.ts';
import { IPV4_HEADER_LENGTH, PROTOCOL_ICMP, writeIpv4 } from '../wire/ipv4.ts';
import { IPV6_HEADER_LENGTH, IPV6_MIN_MTU, PROTOCOL_ICMPV6 } from '../wire/ipv6.ts';
import type { PacketCopier } from './linear.ts';
import type { Packet } from './packet.ts';

/** RFC 1812 4.3.2.3: the message stays within 576 bytes; RFC 4443 3.1: within the least MTU of IPv6. */
const LONGEST_4 = 576;
const TTL = 64;

/** Makes `error` the message about `packet`, which lies in one piece and came from an address of ours. `error` holds nothing. */
export function writeHostUnreachable(packet: Packet, copier: PacketCopier, error: Packet): void {
  const { chunk, offset, length } = packet;
  if ((chunk.bytes[offset] as number) >> 4 === 4) {
    const headers = IPV4_HEADER_LENGTH + ICMP_HEADER_LENGTH;
    const quoted = Math.min(length, LONGEST_4 - headers);
    const { bytes, view } = copier.place(headers + quoted, error);
    const at = error.offset;
    const own = chunk.view.getInt32(offset + 12);
    bytes.set(chunk.bytes.subarray(offset, offset + quoted), at + headers);
    writeIpv4(view, at, headers + quoted, 0, 0, true, TTL, PROTOCOL_ICMP, own, own);
    writeUnreachable(view, at + IPV4_HEADER_LENGTH, ICMP_HEADER_LENGTH + quoted, ICMP_HOST_UNREACHABLE, 0);
    return;
  }
  const headers = IPV6_HEADER_LENGTH + ICMP_HEADER_LENGTH;
  const quoted = Math.min(length, IPV6_MIN_MTU - headers);
  const { bytes, view } = copier.place(headers + quoted, error);
  const at = error.offset;
  view.setUint32(at, 0x6000_0000);
  view.setUint32(at + 4, ((ICMP_HEADER_LENGTH + quoted) << 16) | (PROTOCOL_ICMPV6 << 8) | TTL);
  bytes.set(chunk.bytes.subarray(offset + 8, offset + 24), at + 8);
  bytes.set(chunk.bytes.subarray(offset + 8, offset + 24), at + 24);
  bytes.set(chunk.bytes.subarray(offset, offset + quoted), at + headers);
  const icmp = at + IPV6_HEADER_LENGTH;
  view.setUint32(icmp, (ICMPV6_UNREACHABLE << 24) | (ICMPV6_ADDRESS_UNREACHABLE << 16));
  view.setUint32(icmp + 4, 0);
  const total = sum(view, icmp, ICMP_HEADER_LENGTH + quoted, sum(view, at + 8, 32));
  view.setUint16(icmp + 2, checksum(total + PROTOCOL_ICMPV6 + ICMP_HEADER_LENGTH + quoted));
}
