/** Datagrams of UDP as they are on the wire, of both families: made for tests, and read. */
import type { IpAddress } from '../../src/wire/address.ts';
import { checksum, pseudoHeaderSum4, pseudoHeaderSum6, sum } from '../../src/wire/checksum.ts';
import { PROTOCOL_UDP, writeIpv4 } from '../../src/wire/ipv4.ts';
import { writeIpv6 } from '../../src/wire/ipv6.ts';
import { setUdpChecksum, writeUdpHeader } from '../../src/wire/udp.ts';

export interface DatagramSpec {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** Default: 40,000 and 53. */
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly data?: Uint8Array;
  /** In place of what is right. */
  readonly length?: number;
  readonly checksum?: number;
  readonly tos?: number;
  readonly ttl?: number;
}

/** The IP packet of a datagram. */
export function buildUdp(spec: DatagramSpec): Uint8Array<ArrayBuffer> {
  const { source, destination, sourcePort = 40_000, destinationPort = 53, data = new Uint8Array(), tos = 0 } = spec;
  const { ttl = 64 } = spec;
  const four = source.family === 4;
  const header = four ? 20 : 40;
  const total = 8 + data.length;
  const bytes = new Uint8Array(header + total);
  const view = new DataView(bytes.buffer);
  if (four) writeIpv4(view, 0, header + total, tos, 0, true, ttl, PROTOCOL_UDP, source.w3, destination.w3);
  else writeIpv6(view, 0, total, tos, 0, PROTOCOL_UDP, ttl, source, destination);
  writeUdpHeader(view, header, sourcePort, destinationPort, spec.length ?? total);
  bytes.set(data, header + 8);
  if (spec.checksum === undefined) {
    setUdpChecksum(view, header, checksum(sum(view, header, total, pseudoSum(source, destination) + total)));
  } else {
    view.setUint16(header + 6, spec.checksum);
  }
  return bytes;
}

/** What a datagram on the wire says; its checksum as it is, and whether that is right. */
export function readUdp(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const four = bytes[0] as number;
  const header = four >> 4 === 4 ? (four & 0xf) << 2 : 40;
  const total = bytes.length - header;
  let words = PROTOCOL_UDP + total;
  if (header === 40) words += sum(view, 8, 32);
  else words += sum(view, 12, 8);
  return {
    sourcePort: view.getUint16(header),
    destinationPort: view.getUint16(header + 2),
    length: view.getUint16(header + 4),
    checksum: view.getUint16(header + 6),
    isRight: checksum(sum(view, header, total, words)) === 0,
    dontFragment: header !== 40 && (view.getUint16(6) & 0x4000) !== 0,
    tos: header === 40 ? (view.getUint16(0) >> 4) & 0xff : view.getUint8(1),
    ttl: view.getUint8(header === 40 ? 7 : 8),
    data: bytes.slice(header + 8),
  };
}

function pseudoSum(source: IpAddress, destination: IpAddress): number {
  if (source.family === 4) return pseudoHeaderSum4(source.w3, destination.w3, PROTOCOL_UDP);
  const { bareW0: s0, w1: s1, w2: s2, w3: s3 } = source;
  const { bareW0: d0, w1: d1, w2: d2, w3: d3 } = destination;
  return pseudoHeaderSum6(s0, s1, s2, s3, d0, d1, d2, d3, PROTOCOL_UDP);
}
