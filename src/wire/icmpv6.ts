/** ICMPv6. RFC 4443. Its messages are read into the same record as ICMP's. Nothing is allocated here. */
import { fold, sum } from './checksum.ts';
import { ICMP_HEADER_LENGTH, type IcmpMessage } from './icmp.ts';
import { ICMP_BAD_CHECKSUM, ICMP_TRUNCATED, OK } from './reasons.ts';

export const ICMPV6_UNREACHABLE = 1;
export const ICMPV6_PACKET_TOO_BIG = 2;
export const ICMPV6_TIME_EXCEEDED = 3;
export const ICMPV6_PARAMETER_PROBLEM = 4;
export const ICMPV6_ECHO_REQUEST = 128;
export const ICMPV6_ECHO_REPLY = 129;
/** Neighbour discovery, RFC 4861 4: router solicitation to redirect. */
export const ICMPV6_ROUTER_SOLICITATION = 133;
export const ICMPV6_REDIRECT = 137;

/** Codes of ICMPV6_UNREACHABLE. RFC 4443 3.1. */
export const ICMPV6_NO_ROUTE = 0;
export const ICMPV6_ADMIN_PROHIBITED = 1;
export const ICMPV6_BEYOND_SCOPE = 2;
export const ICMPV6_ADDRESS_UNREACHABLE = 3;
export const ICMPV6_PORT_UNREACHABLE = 4;
export const ICMPV6_POLICY_FAILED = 5;
export const ICMPV6_REJECT_ROUTE = 6;

/** Codes of ICMPV6_PARAMETER_PROBLEM. RFC 4443 3.4, RFC 7112 5. */
export const ICMPV6_BAD_HEADER_FIELD = 0;
export const ICMPV6_UNKNOWN_NEXT_HEADER = 1;
export const ICMPV6_UNKNOWN_OPTION = 2;
export const ICMPV6_INCOMPLETE_FIRST_FRAGMENT = 3;

/**
 * Reads the message that fills the `length` bytes at `offset`, which lie within the view, and verifies its checksum.
 * @param pseudoSum from `pseudoHeaderSum6`, without the length, which is added here
 * @returns OK, ICMP_TRUNCATED or ICMP_BAD_CHECKSUM
 */
export function parseIcmpv6(
  view: DataView,
  offset: number,
  length: number,
  pseudoSum: number,
  out: IcmpMessage,
): number {
  if (length < ICMP_HEADER_LENGTH) return ICMP_TRUNCATED;
  if (fold(sum(view, offset, length, pseudoSum + length)) !== 0xffff) return ICMP_BAD_CHECKSUM;
  out.type = view.getUint8(offset);
  out.code = view.getUint8(offset + 1);
  out.identifier = view.getUint16(offset + 4);
  out.sequence = view.getUint16(offset + 6);
  // RFC 4443 3.2, 3.4: of 32 bits here.
  out.mtu = view.getUint32(offset + 4);
  out.pointer = out.mtu;
  out.payloadOffset = offset + ICMP_HEADER_LENGTH;
  out.payloadLength = length - ICMP_HEADER_LENGTH;
  return OK;
}

/** RFC 4443 2.1: error messages have a type below 128. A redirect is answered by no error either (2.4 (e)). */
export function isIcmpv6Error(type: number): boolean {
  return type < ICMPV6_ECHO_REQUEST || type === ICMPV6_REDIRECT;
}
