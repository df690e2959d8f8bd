/** Packets as bytes, and as records with the numbers that are on the wire. */
import { checksum, fold, sum } from '../wire/checksum.ts';
import { ICMP_HEADER_LENGTH } from '../wire/icmp.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP } from '../wire/ipv4.ts';
import { PROTOCOL_ICMPV6 } from '../wire/ipv6.ts';
import { setTcpChecksum, TCP_HEADER_LENGTH, writeTcpHeader } from '../wire/tcp.ts';
import {
  type Addresses,
  headerLengthOf,
  type IpFields,
  type IpHeader,
  pseudoSum,
  readIp,
  writeIp,
} from './ip-header.ts';
import { decodeOptions, encodeOptions } from './option-bytes.ts';
import type { OptionSpec } from './script.ts';

/** Who sends a packet to whom. */
export interface Endpoints extends Addresses {
  readonly sourcePort: number;
  readonly destinationPort: number;
}

export interface Segment extends IpFields {
  /** FIN .. AE as in wire/tcp. */
  readonly flags: number;
  /** uint32, as `ack`. */
  readonly seq: number;
  readonly ack: number;
  readonly win: number;
  readonly urg: number;
  readonly options: readonly OptionSpec[];
  /** Payload bytes. */
  readonly length: number;
}

const ICMP_FIELDS: IpFields = { tos: 0, ttl: 64, flowLabel: 0 };

/** The payload is zeros, as packetdrill's. */
export function buildSegment(ends: Endpoints, segment: Segment): Uint8Array {
  const options = encodeOptions(segment.options);
  const headerLength = TCP_HEADER_LENGTH + options.length;
  const tcpLength = headerLength + segment.length;
  const at = headerLengthOf(ends.source);
  const bytes = new Uint8Array(at + tcpLength);
  const view = new DataView(bytes.buffer);
  writeIp(view, ends, bytes.length, segment, PROTOCOL_TCP);
  const { sourcePort, destinationPort } = ends;
  const { seq, ack, flags, win, urg } = segment;
  writeTcpHeader(view, at, sourcePort, destinationPort, seq, ack, flags, win, urg, headerLength);
  bytes.set(options, at + TCP_HEADER_LENGTH);
  setTcpChecksum(view, at, checksum(sum(view, at, tcpLength, pseudoSum(ends, PROTOCOL_TCP) + tcpLength)));
  return bytes;
}

/** An ICMP message; `word` is the second half of its header, `body` what follows: the packet that it is about, or an echo's data. */
export function buildIcmp(
  addresses: Addresses,
  { type, code, word }: Pick<IcmpPacket, 'type' | 'code' | 'word'>,
  body: Uint8Array,
): Uint8Array {
  const at = headerLengthOf(addresses.source);
  const bytes = new Uint8Array(at + ICMP_HEADER_LENGTH + body.length);
  const view = new DataView(bytes.buffer);
  writeIp(view, addresses, bytes.length, ICMP_FIELDS, icmpOf(addresses));
  view.setUint16(at, (type << 8) | code);
  view.setUint32(at + 4, word);
  bytes.set(body, at + ICMP_HEADER_LENGTH);
  const length = bytes.length - at;
  view.setUint16(at + 2, checksum(sum(view, at, length, icmpSum(addresses, length))));
  return bytes;
}

function icmpOf({ source }: Addresses): number {
  return source.family === 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
}

/** RFC 4443 2.3: ICMPv6's checksum covers a pseudo-header, ICMP's does not. */
function icmpSum(addresses: Addresses, length: number): number {
  return addresses.source.family === 4 ? 0 : pseudoSum(addresses, PROTOCOL_ICMPV6) + length;
}

/** An ICMP message as it is on the wire. */
export interface IcmpPacket {
  readonly family: 4 | 6;
  readonly type: number;
  readonly code: number;
  /** The second four bytes: an MTU (of 16 bits in ICMP, of 32 in ICMPv6), or an echo's identifier and number. */
  readonly word: number;
  readonly body: Uint8Array;
}

export type ReadPacket =
  | { readonly kind: 'tcp'; readonly ends: Endpoints; readonly segment: Segment }
  | { readonly kind: 'icmp'; readonly message: IcmpPacket }
  | { readonly kind: 'other'; readonly protocol: number }
  /** What no careful receiver would take. */
  | { readonly kind: 'broken'; readonly reason: string };

/** Reads a packet that the stack sent, and checks what a careful receiver checks. */
export function readPacket(bytes: Uint8Array): ReadPacket {
  const ip = readIp(bytes);
  if (typeof ip === 'string') return broken(ip);
  if (ip.protocol === icmpOf(ip)) return readMessage(bytes, ip);
  return ip.protocol === PROTOCOL_TCP ? readSegment(bytes, ip) : { kind: 'other', protocol: ip.protocol };
}

function broken(reason: string): ReadPacket {
  return { kind: 'broken', reason };
}

function readMessage(bytes: Uint8Array, ip: IpHeader): ReadPacket {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = ip.headerLength;
  const length = bytes.length - at;
  if (length < ICMP_HEADER_LENGTH) return broken('its ICMP header is cut short');
  if (fold(sum(view, at, length, icmpSum(ip, length))) !== 0xffff) return broken('its ICMP checksum is wrong');
  const [type, code] = [view.getUint8(at), view.getUint8(at + 1)];
  const body = bytes.subarray(at + ICMP_HEADER_LENGTH);
  return { kind: 'icmp', message: { family: ip.source.family, type, code, word: view.getUint32(at + 4), body } };
}

function readSegment(bytes: Uint8Array, ip: IpHeader): ReadPacket {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { source, destination, headerLength: at, tos, ttl, flowLabel } = ip;
  const length = bytes.length - at;
  const headerLength = length < TCP_HEADER_LENGTH ? 0 : ((bytes[at + 12] as number) >>> 4) << 2;
  if (headerLength < TCP_HEADER_LENGTH || headerLength > length) return broken('its TCP header does not fit');
  const ends = { source, sourcePort: view.getUint16(at), destination, destinationPort: view.getUint16(at + 2) };
  if (fold(sum(view, at, length, pseudoSum(ip, PROTOCOL_TCP) + length)) !== 0xffff)
    return broken('its TCP checksum is wrong');
  if (((bytes[at + 12] as number) & 0x0e) !== 0) return broken('reserved bits of its TCP header are set');
  if (bytes.subarray(at + headerLength).some((byte) => byte !== 0))
    return broken('its payload is not what was written');
  const segment: Segment = {
    tos,
    ttl,
    flowLabel,
    flags: view.getUint16(at + 12) & 0x1ff,
    seq: view.getUint32(at + 4),
    ack: view.getUint32(at + 8),
    win: view.getUint16(at + 14),
    urg: view.getUint16(at + 18),
    options: decodeOptions(bytes.subarray(at + TCP_HEADER_LENGTH, at + headerLength)),
    length: length - headerLength,
  };
  return { kind: 'tcp', ends, segment };
}
