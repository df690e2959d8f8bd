/** ICMP for IPv4. RFC 792, RFC 1122 3.2.2, RFC 1191 4. Nothing is allocated here. */
import { checksum, fold, sum } from './checksum.ts';
import { ICMP_BAD_CHECKSUM, ICMP_TRUNCATED, OK } from './reasons.ts';

export const ICMP_HEADER_LENGTH = 8;

export const ICMP_ECHO_REPLY = 0;
export const ICMP_UNREACHABLE = 3;
export const ICMP_SOURCE_QUENCH = 4;
export const ICMP_REDIRECT = 5;
export const ICMP_ECHO_REQUEST = 8;
export const ICMP_TIME_EXCEEDED = 11;
export const ICMP_PARAMETER_PROBLEM = 12;

/** Codes of ICMP_UNREACHABLE. RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7.1. */
export const ICMP_NET_UNREACHABLE = 0;
export const ICMP_HOST_UNREACHABLE = 1;
export const ICMP_PROTOCOL_UNREACHABLE = 2;
export const ICMP_PORT_UNREACHABLE = 3;
export const ICMP_FRAGMENTATION_NEEDED = 4;
export const ICMP_SOURCE_ROUTE_FAILED = 5;
export const ICMP_NET_UNKNOWN = 6;
export const ICMP_HOST_UNKNOWN = 7;
export const ICMP_HOST_ISOLATED = 8;
export const ICMP_NET_PROHIBITED = 9;
export const ICMP_HOST_PROHIBITED = 10;
export const ICMP_NET_TOS = 11;
export const ICMP_HOST_TOS = 12;
export const ICMP_ADMIN_PROHIBITED = 13;
export const ICMP_PRECEDENCE_VIOLATION = 14;
export const ICMP_PRECEDENCE_CUTOFF = 15;

/** Codes of ICMP_TIME_EXCEEDED. */
export const ICMP_TTL_EXCEEDED = 0;

/** A message as read; one record is used for all. After a reason code other than OK its fields mean nothing. */
export class IcmpMessage {
  type = 0;
  code = 0;
  /** Echo request and reply. */
  identifier = 0;
  sequence = 0;
  /** ICMP_FRAGMENTATION_NEEDED: the next hop's MTU, bytes; 0 from a router older than RFC 1191. */
  mtu = 0;
  /** ICMP_PARAMETER_PROBLEM: the byte of the quoted packet that is at fault. */
  pointer = 0;
  /** What follows the 8 bytes: echo data, or the packet that an error quotes (see `parseQuotedIpv4`). Absolute in the view. */
  payloadOffset = 0;
  payloadLength = 0;
}

/**
 * Reads the message that fills the `length` bytes at `offset`, which lie within the view, and verifies its checksum.
 * @returns OK, ICMP_TRUNCATED or ICMP_BAD_CHECKSUM
 */
export function parseIcmp(view: DataView, offset: number, length: number, out: IcmpMessage): number {
  if (length < ICMP_HEADER_LENGTH) return ICMP_TRUNCATED;
  if (fold(sum(view, offset, length)) !== 0xffff) return ICMP_BAD_CHECKSUM;
  out.type = view.getUint8(offset);
  out.code = view.getUint8(offset + 1);
  out.pointer = view.getUint8(offset + 4);
  out.identifier = view.getUint16(offset + 4);
  // RFC 1191 4: the MTU lies in the low half of what RFC 792 leaves unused, which is where an echo has its sequence number.
  out.sequence = view.getUint16(offset + 6);
  out.mtu = out.sequence;
  out.payloadOffset = offset + ICMP_HEADER_LENGTH;
  out.payloadLength = length - ICMP_HEADER_LENGTH;
  return OK;
}

/** Whether a message of this type reports an error about a packet: RFC 1122 3.2.2 allows no error in answer to one. */
export function isIcmpError(type: number): boolean {
  switch (type) {
    case ICMP_UNREACHABLE:
    case ICMP_SOURCE_QUENCH:
    case ICMP_REDIRECT:
    case ICMP_TIME_EXCEEDED:
    case ICMP_PARAMETER_PROBLEM:
      return true;
    default:
      return false;
  }
}

// The writers: what follows the 8 bytes (echo data, quoted packet) already lies at `offset + 8`, since the checksum covers it.
// `length` is the whole message, bytes.

export function writeEchoRequest(
  view: DataView,
  offset: number,
  length: number,
  identifier: number,
  sequence: number,
): void {
  writeMessage(view, offset, length, ICMP_ECHO_REQUEST, 0, identifier, sequence);
}

export function writeEchoReply(
  view: DataView,
  offset: number,
  length: number,
  identifier: number,
  sequence: number,
): void {
  writeMessage(view, offset, length, ICMP_ECHO_REPLY, 0, identifier, sequence);
}

/** @param mtu bytes, for ICMP_FRAGMENTATION_NEEDED; 0 with every other code */
export function writeUnreachable(view: DataView, offset: number, length: number, code: number, mtu: number): void {
  writeMessage(view, offset, length, ICMP_UNREACHABLE, code, 0, mtu);
}

export function writeTimeExceeded(view: DataView, offset: number, length: number, code: number): void {
  writeMessage(view, offset, length, ICMP_TIME_EXCEEDED, code, 0, 0);
}

/** @param pointer the byte of the quoted packet that is at fault */
export function writeParameterProblem(view: DataView, offset: number, length: number, pointer: number): void {
  writeMessage(view, offset, length, ICMP_PARAMETER_PROBLEM, 0, pointer << 8, 0);
}

function writeMessage(
  view: DataView,
  offset: number,
  length: number,
  type: number,
  code: number,
  high: number,
  low: number,
): void {
  view.setUint16(offset, (type << 8) | code);
  view.setUint16(offset + 2, 0);
  view.setUint16(offset + 4, high);
  view.setUint16(offset + 6, low);
  view.setUint16(offset + 2, checksum(sum(view, offset, length)));
}
