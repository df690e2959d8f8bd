/** IP headers of either family, as scripts have them: without options, and without extension headers. */
import { IpAddress } from '../wire/address.ts';
import { fold, pseudoHeaderSum4, pseudoHeaderSum6, sum } from '../wire/checksum.ts';
import { IPV4_HEADER_LENGTH, writeIpv4 } from '../wire/ipv4.ts';
import { IPV6_HEADER_LENGTH, Ipv6Header, parseIpv6, writeIpv6 } from '../wire/ipv6.ts';
import { OK } from '../wire/reasons.ts';

/** Whose packet it is, and who gets it; of one family. */
export interface Addresses {
  readonly source: IpAddress;
  readonly destination: IpAddress;
}

export interface IpFields {
  /** Diffserv and ECN. */
  readonly tos: number;
  readonly ttl: number;
  /** Of IPv6. */
  readonly flowLabel: number;
}

export interface IpHeader extends Addresses, IpFields {
  readonly protocol: number;
  /** Bytes. */
  readonly headerLength: number;
}

export function headerLengthOf(address: IpAddress): number {
  return address.family === 4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
}

/** Writes the header of a packet of `length` bytes in all. */
export function writeIp(
  view: DataView,
  { source, destination }: Addresses,
  length: number,
  { tos, ttl, flowLabel }: IpFields,
  protocol: number,
): void {
  if (source.family === 4) return writeIpv4(view, 0, length, tos, 0, true, ttl, protocol, source.w3, destination.w3);
  writeIpv6(view, 0, length - IPV6_HEADER_LENGTH, tos, flowLabel, protocol, ttl, source, destination);
}

/** Of the pseudo-header, but for the length: `pseudoHeaderSum4`, `pseudoHeaderSum6`. */
export function pseudoSum({ source: s, destination: d }: Addresses, protocol: number): number {
  if (s.family === 4) return pseudoHeaderSum4(s.w3, d.w3, protocol);
  return pseudoHeaderSum6(s.bareW0, s.w1, s.w2, s.w3, d.bareW0, d.w1, d.w2, d.w3, protocol);
}

/** @returns the header of a packet that fills `bytes`, or what no careful receiver would take */
export function readIp(bytes: Uint8Array): IpHeader | string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes.length > 0 && view.getUint8(0) >>> 4 === 6 ? readSix(view) : readFour(view);
}

function readFour(view: DataView): IpHeader | string {
  const length = view.byteLength;
  if (length < IPV4_HEADER_LENGTH || view.getUint8(0) !== 0x45) return 'it has no IPv4 header of 20 bytes';
  if (view.getUint16(2) !== length) return `its IP total length is ${view.getUint16(2)}, not ${length}`;
  if (fold(sum(view, 0, IPV4_HEADER_LENGTH)) !== 0xffff) return 'its IP checksum is wrong';
  return {
    source: IpAddress.v4(view.getInt32(12)),
    destination: IpAddress.v4(view.getInt32(16)),
    tos: view.getUint8(1),
    ttl: view.getUint8(8),
    flowLabel: 0,
    protocol: view.getUint8(9),
    headerLength: IPV4_HEADER_LENGTH,
  };
}

function readSix(view: DataView): IpHeader | string {
  const header = new Ipv6Header();
  if (parseIpv6(view, 0, view.byteLength, header) !== OK) return 'it has no IPv6 header of 40 bytes';
  const length = IPV6_HEADER_LENGTH + header.payloadLength;
  if (length !== view.byteLength) return `its IPv6 payload ends at ${length}, not at ${view.byteLength}`;
  const { s0, s1, s2, s3, d0, d1, d2, d3 } = header;
  return {
    source: IpAddress.v6(s0, s1, s2, s3),
    destination: IpAddress.v6(d0, d1, d2, d3),
    tos: header.trafficClass,
    ttl: header.hopLimit,
    flowLabel: header.flowLabel,
    protocol: header.nextHeader,
    headerLength: IPV6_HEADER_LENGTH,
  };
}
