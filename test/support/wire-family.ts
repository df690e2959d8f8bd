/**
 * The families of wire-peer.ts. Its segments are IPv4's; a device under test with an IPv6 address gets them translated, and what it sends is translated
 * back, as a translator between the two would do it (RFC 7915): a test reads the same bytes in either family. Each IPv4 address is the
 * end of one of fd00::/96, and the link takes 20 bytes more, so that segments are of one size.
 *
 *     TUNSTACK_FAMILY=6 npx mocha 'dist/test/{rfc,tcp}/**' plays the clauses over IPv6, =mapped with sockets of AF_INET6 over IPv4
 */
import {
  AF_INET,
  AF_INET6,
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_TCLASS,
  IPV6_UNICAST_HOPS,
} from '../../src/socket/constants.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { checksum, fold, sum, update16 } from '../../src/wire/checksum.ts';

/** `mapped`: IPv4 through sockets of AF_INET6. */
export type Family = '4' | '6' | 'mapped';

/** What tests are played with unless they say otherwise. */
export const FAMILY: Family = readFamily(process.env['TUNSTACK_FAMILY'] ?? '4');

function readFamily(text: string): Family {
  if (text === '4' || text === '6' || text === 'mapped') return text;
  throw new Error(`TUNSTACK_FAMILY is 4, 6 or mapped, not ${text}`);
}

export function domainOf(family: Family): number {
  return family === '4' ? AF_INET : AF_INET6;
}

/** The address that stands for an IPv4 one in that family. */
export function inFamily(text: string, family: Family = FAMILY): IpAddress {
  const address = IpAddress.parse(text) as IpAddress;
  return family === '6' && address.family === 4 ? IpAddress.v6(PREFIX, 0, 0, address.w3) : address;
}

/** For a suite about what IPv4 alone has. */
export function describeIpv4(title: string, body: (this: Mocha.Suite) => void): void {
  if (FAMILY === '6') describe.skip(`${title} [pending: IPv4 only]`, body);
  else describe(title, body);
}

/** For a test likewise. */
export function itIpv4(title: string, body: Mocha.Func | Mocha.AsyncFunc): void {
  if (FAMILY === '6') it.skip(`${title} [pending: IPv4 only]`, body);
  else it(title, body);
}

/** Levels and options of the family: what packets ask for, and how far they go. */
export const SERVICE_CLASS: readonly [number, number] =
  FAMILY === '6' ? [IPPROTO_IPV6, IPV6_TCLASS] : [IPPROTO_IP, IP_TOS];
export const HOP_LIMIT: readonly [number, number] =
  FAMILY === '6' ? [IPPROTO_IPV6, IPV6_UNICAST_HOPS] : [IPPROTO_IP, IP_TTL];

/** More bytes that an IP header of the family has than IPv4's. */
export const MORE_HEADER: number = FAMILY === '6' ? 20 : 0;

/** More bits that a prefix of the family has. */
export const MORE_PREFIX: number = FAMILY === '6' ? 96 : 0;

/** The first word of fd00::/96. */
const PREFIX = 0xfd000000 | 0;
const PREFIX_WORD = 0xfd00;
const HEADER4 = 20;
const HEADER6 = 40;
const ICMP = 1;
const TCP = 6;
const UDP = 17;
const ICMPV6 = 58;
const CHECKSUM_AT: Readonly<Record<number, number>> = { [TCP]: 16, [UDP]: 6 };

/** Types and codes that mean the same; a code of -1: any, which stays. RFC 7915 4.2, 5.2; errors that only IPv4 has become one that nobody knows. */
const MESSAGES: readonly (readonly [type4: number, code4: number, type6: number, code6: number])[] = [
  [8, -1, 128, -1],
  [0, -1, 129, -1],
  [3, 0, 1, 0],
  [3, 1, 1, 3],
  [3, 2, 4, 1],
  [3, 3, 1, 4],
  [3, 4, 2, 0],
  [3, 13, 1, 1],
  [3, 10, 1, 1],
  [11, -1, 3, -1],
  [12, -1, 4, 0],
  [4, -1, 100, -1],
];
const TOO_BIG = 2;
const UNKNOWN = [100, 0] as const;

/** The packet as a device with an IPv6 address gets it; what is no IPv4 packet stays as it is. @param partial its checksum is the pseudo-header's sum */
export function toIpv6(bytes: Uint8Array, partial = false): Uint8Array {
  const from = viewOf(bytes);
  if (bytes.length < HEADER4 || bytes[0] !== 0x45) return bytes;
  const protocol = from.getUint8(9);
  const payload = bytes.slice(HEADER4);
  const message = protocol === ICMP ? messageToIpv6(payload) : payload;
  const out = new Uint8Array(HEADER6 + message.length);
  const view = viewOf(out);
  view.setUint32(0, 0x60000000 | (from.getUint8(1) << 20));
  view.setUint16(4, from.getUint16(2) - HEADER4 + message.length - payload.length);
  view.setUint8(6, protocol === ICMP ? ICMPV6 : protocol);
  view.setUint8(7, from.getUint8(8));
  putAddress(view, 8, from.getInt32(12));
  putAddress(view, 24, from.getInt32(16));
  out.set(message, HEADER6);
  if (protocol === ICMP) finishMessage(out, fold(sum(viewOf(payload), 0, payload.length)) === 0xffff);
  else shiftChecksum(view, HEADER6, protocol, PREFIX_WORD, partial);
  return out;
}

/** The way back. */
export function toIpv4(bytes: Uint8Array, partial = false): Uint8Array {
  const from = viewOf(bytes);
  if (bytes.length < HEADER6 || bytes[0] === undefined || bytes[0] >> 4 !== 6) return bytes;
  const next = from.getUint8(6);
  const payload = bytes.slice(HEADER6);
  if (next === ICMPV6 && !messageHolds(bytes)) throw new Error('wrong ICMPv6 checksum');
  const message = next === ICMPV6 ? messageToIpv4(payload) : payload;
  const out = new Uint8Array(HEADER4 + message.length);
  const view = viewOf(out);
  view.setUint16(0, 0x4500 | ((from.getUint16(0) >> 4) & 0xff));
  view.setUint16(2, HEADER4 + from.getUint16(4) + message.length - payload.length);
  // DF: nobody on its way cuts an IPv6 packet.
  view.setUint16(6, 0x4000);
  view.setUint8(8, from.getUint8(7));
  view.setUint8(9, next === ICMPV6 ? ICMP : next);
  view.setInt32(12, from.getInt32(20));
  view.setInt32(16, from.getInt32(36));
  view.setUint16(10, checksum(sum(view, 0, HEADER4)));
  out.set(message, HEADER4);
  if (next === ICMPV6) view.setUint16(HEADER4 + 2, checksum(sum(view, HEADER4, message.length)));
  else shiftChecksum(view, HEADER4, next, ~PREFIX_WORD & 0xffff, partial);
  return out;
}

/** What RFC 2385 and RFC 5925 sign of an IPv4 packet's header, as the device sees it: source and destination. */
export function signedAddresses(packet: Uint8Array, family: Family): Uint8Array {
  if (family !== '6') return packet.subarray(12, 20);
  return toIpv6(packet.subarray(0, HEADER4)).slice(8, 40);
}

function messageToIpv6(payload: Uint8Array): Uint8Array {
  const [type = 0, code = 0] = payload;
  const found = MESSAGES.find(([type4, code4]) => type4 === type && (code4 === -1 || code4 === code));
  const [, , type6, code6] = found ?? [type, code, ...UNKNOWN];
  const isError = ![0, 8].includes(type);
  const head = payload.slice(0, 8);
  head[0] = type6;
  head[1] = code6 === -1 ? code : code6;
  const view = viewOf(head);
  if (type6 === TOO_BIG) view.setUint32(4, view.getUint16(6) === 0 ? 0 : view.getUint16(6) + HEADER6 - HEADER4);
  return joined(head, isError ? toIpv6(payload.slice(8)) : payload.slice(8));
}

function messageToIpv4(payload: Uint8Array): Uint8Array {
  const [type = 0, code = 0] = payload;
  const found = MESSAGES.find(([, , type6, code6]) => type6 === type && (code6 === -1 || code6 === code));
  if (found === undefined) throw new Error(`no message of IPv4 is like ICMPv6 ${type} ${code}`);
  const head = payload.slice(0, 8);
  head[0] = found[0];
  head[1] = found[1] === -1 ? code : found[1];
  return joined(head, type < 128 ? toIpv4(payload.slice(8)) : payload.slice(8));
}

/** RFC 4443 2.3: the checksum has a pseudo-header. @param good otherwise it is to be wrong, as it was */
function finishMessage(packet: Uint8Array, good: boolean): void {
  const view = viewOf(packet);
  view.setUint16(HEADER6 + 2, 0);
  view.setUint16(HEADER6 + 2, checksum(messageSum(packet)) ^ (good ? 0 : 1));
}

function messageHolds(packet: Uint8Array): boolean {
  return fold(messageSum(packet)) === 0xffff;
}

function messageSum(packet: Uint8Array): number {
  const length = packet.length - HEADER6;
  return sum(viewOf(packet), 8, packet.length - 8) + ICMPV6 + length;
}

/** The pseudo-header's two addresses have the prefix more, or less; a checksum that was wrong stays wrong. */
function shiftChecksum(view: DataView, transport: number, protocol: number, word: number, partial: boolean): void {
  const offset = CHECKSUM_AT[protocol];
  const at = transport + (offset ?? 0);
  if (offset === undefined || at + 2 > view.byteLength) return;
  const field = view.getUint16(at);
  view.setUint16(at, partial ? fold(field + 2 * word) : update16(update16(field, 0, word), 0, word));
}

function putAddress(view: DataView, at: number, word: number): void {
  view.setInt32(at, PREFIX);
  view.setInt32(at + 12, word);
}

function joined(head: Uint8Array, rest: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.length + rest.length);
  whole.set(head);
  whole.set(rest, head.length);
  return whole;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
