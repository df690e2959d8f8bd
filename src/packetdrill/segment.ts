/** Packets as bytes, and as records with the numbers that are on the wire. */
import { checksum, fold, pseudoHeaderSum4, sum } from '../wire/checksum.ts';
import { ICMP_HEADER_LENGTH } from '../wire/icmp.ts';
import { IPV4_HEADER_LENGTH, PROTOCOL_ICMP, PROTOCOL_TCP, writeIpv4 } from '../wire/ipv4.ts';
import { setTcpChecksum, TCP_HEADER_LENGTH, writeTcpHeader } from '../wire/tcp.ts';
import { decodeOptions, encodeOptions } from './option-bytes.ts';
import type { OptionSpec } from './script.ts';

/** Who sends a packet to whom; addresses are int32. */
export interface Endpoints {
  readonly source: number;
  readonly sourcePort: number;
  readonly destination: number;
  readonly destinationPort: number;
}

export interface Segment {
  readonly tos: number;
  readonly ttl: number;
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

/** The payload is zeros, as packetdrill's. */
export function buildSegment(ends: Endpoints, segment: Segment): Uint8Array {
  const options = encodeOptions(segment.options);
  const headerLength = TCP_HEADER_LENGTH + options.length;
  const tcpLength = headerLength + segment.length;
  const bytes = new Uint8Array(IPV4_HEADER_LENGTH + tcpLength);
  const view = new DataView(bytes.buffer);
  writeIp(view, ends, bytes.length, segment.tos, segment.ttl, PROTOCOL_TCP);
  const { sourcePort, destinationPort } = ends;
  const { seq, ack, flags, win, urg } = segment;
  const at = IPV4_HEADER_LENGTH;
  writeTcpHeader(view, at, sourcePort, destinationPort, seq, ack, flags, win, urg, headerLength);
  bytes.set(options, at + TCP_HEADER_LENGTH);
  const pseudo = pseudoHeaderSum4(ends.source, ends.destination, PROTOCOL_TCP) + tcpLength;
  setTcpChecksum(view, at, checksum(sum(view, at, tcpLength, pseudo)));
  return bytes;
}

/** An ICMP message; `word` is the second half of its header, `body` what follows: the packet that it is about, or an echo's data. */
export function buildIcmp(
  source: number,
  destination: number,
  { type, code, word }: Pick<IcmpPacket, 'type' | 'code' | 'word'>,
  body: Uint8Array,
): Uint8Array {
  const at = IPV4_HEADER_LENGTH;
  const bytes = new Uint8Array(at + ICMP_HEADER_LENGTH + body.length);
  const view = new DataView(bytes.buffer);
  writeIp(view, { source, destination }, bytes.length, 0, 64, PROTOCOL_ICMP);
  view.setUint16(at, (type << 8) | code);
  view.setUint32(at + 4, word);
  bytes.set(body, at + ICMP_HEADER_LENGTH);
  view.setUint16(at + 2, checksum(sum(view, at, bytes.length - at)));
  return bytes;
}

function writeIp(
  view: DataView,
  { source, destination }: Pick<Endpoints, 'source' | 'destination'>,
  length: number,
  tos: number,
  ttl: number,
  protocol: number,
): void {
  writeIpv4(view, 0, length, tos, 0, true, ttl, protocol, source, destination);
}

/** An ICMP message as it is on the wire. */
export interface IcmpPacket {
  readonly type: number;
  readonly code: number;
  /** The second four bytes: an MTU in the lower half, or an echo's identifier and number. */
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
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const broken = (reason: string): ReadPacket => ({ kind: 'broken', reason });
  if (bytes.length < IPV4_HEADER_LENGTH || bytes[0] !== 0x45) return broken('it has no IPv4 header of 20 bytes');
  if (view.getUint16(2) !== bytes.length)
    return broken(`its IP total length is ${view.getUint16(2)}, not ${bytes.length}`);
  if (fold(sum(view, 0, IPV4_HEADER_LENGTH)) !== 0xffff) return broken('its IP checksum is wrong');
  const protocol = bytes[9] as number;
  const at = IPV4_HEADER_LENGTH;
  const length = bytes.length - at;
  if (protocol === PROTOCOL_ICMP) {
    if (length < ICMP_HEADER_LENGTH) return broken('its ICMP header is cut short');
    if (fold(sum(view, at, length)) !== 0xffff) return broken('its ICMP checksum is wrong');
    const [type, code] = [view.getUint8(at), view.getUint8(at + 1)];
    const body = bytes.subarray(at + ICMP_HEADER_LENGTH);
    return { kind: 'icmp', message: { type, code, word: view.getUint32(at + 4), body } };
  }
  if (protocol !== PROTOCOL_TCP) return { kind: 'other', protocol };
  const headerLength = length < TCP_HEADER_LENGTH ? 0 : ((bytes[at + 12] as number) >>> 4) << 2;
  if (headerLength < TCP_HEADER_LENGTH || headerLength > length) return broken('its TCP header does not fit');
  const ends = {
    source: view.getInt32(12),
    sourcePort: view.getUint16(at),
    destination: view.getInt32(16),
    destinationPort: view.getUint16(at + 2),
  };
  const pseudo = pseudoHeaderSum4(ends.source, ends.destination, PROTOCOL_TCP) + length;
  if (fold(sum(view, at, length, pseudo)) !== 0xffff) return broken('its TCP checksum is wrong');
  if (((bytes[at + 12] as number) & 0x0e) !== 0) return broken('reserved bits of its TCP header are set');
  if (bytes.subarray(at + headerLength).some((byte) => byte !== 0))
    return broken('its payload is not what was written');
  const segment: Segment = {
    tos: bytes[1] as number,
    ttl: bytes[8] as number,
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
