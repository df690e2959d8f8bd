/** IP datagrams of both families as small readable objects, with UDP in them unless something else is said: for routers, which look at headers. */
import { IpAddress } from '../../src/wire/address.ts';
import { checksum, fold, pseudoHeaderSum4, pseudoHeaderSum6, sum } from '../../src/wire/checksum.ts';

export interface Datagram {
  readonly from: string;
  readonly to: string;
  /** Time to live, or hop limit; 64. */
  readonly ttl?: number;
  /** Bytes after the IP header; 32. */
  readonly length?: number;
  /** 17. */
  readonly protocol?: number;
  readonly tos?: number;
  // IPv4 alone:
  readonly dontFragment?: boolean;
  readonly moreFragments?: boolean;
  /** Bytes. */
  readonly offset?: number;
  readonly id?: number;
  /** Of the header; padded. */
  readonly options?: readonly number[];
  /** What follows the IP header, in place of UDP. */
  readonly payload?: Uint8Array;
}

export function address(text: string): IpAddress {
  const parsed = IpAddress.parse(text);
  if (parsed === undefined) throw new Error(`${text} is no address`);
  return parsed;
}

export function buildDatagram(datagram: Datagram): Uint8Array {
  const { protocol = 17, length = 32 } = datagram;
  const [from, to] = [address(datagram.from), address(datagram.to)];
  const payload = datagram.payload ?? (protocol === 17 ? udp(from, to, length) : filled(length));
  return from.family === 4
    ? build4(datagram, from, to, protocol, payload)
    : build6(datagram, from, to, protocol, payload);
}

function build4(datagram: Datagram, from: IpAddress, to: IpAddress, protocol: number, payload: Uint8Array): Uint8Array {
  const { ttl = 64, tos = 0, id = 0x1234, offset = 0, options = [] } = datagram;
  const header = 20 + ((options.length + 3) & ~3);
  const bytes = new Uint8Array(header + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x40 | (header >> 2));
  view.setUint8(1, tos);
  view.setUint16(2, bytes.length);
  view.setUint16(4, id);
  const flags = (datagram.dontFragment === true ? 0x4000 : 0) | (datagram.moreFragments === true ? 0x2000 : 0);
  view.setUint16(6, flags | (offset >> 3));
  view.setUint8(8, ttl);
  view.setUint8(9, protocol);
  view.setInt32(12, from.w3);
  view.setInt32(16, to.w3);
  bytes.set(options, 20);
  view.setUint16(10, checksum(sum(view, 0, header)));
  bytes.set(payload, header);
  return bytes;
}

function build6(datagram: Datagram, from: IpAddress, to: IpAddress, protocol: number, payload: Uint8Array): Uint8Array {
  const { ttl = 64, tos = 0 } = datagram;
  const bytes = new Uint8Array(40 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x60000000 | (tos << 20));
  view.setUint16(4, payload.length);
  view.setUint8(6, protocol);
  view.setUint8(7, ttl);
  for (const [at, { w0, w1, w2, w3 }] of [
    [8, from],
    [24, to],
  ] as const) {
    for (const [i, word] of [w0, w1, w2, w3].entries()) view.setInt32(at + 4 * i, word);
  }
  bytes.set(payload, 40);
  return bytes;
}

function udp(from: IpAddress, to: IpAddress, length: number): Uint8Array {
  const bytes = filled(length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 4000);
  view.setUint16(2, 5000);
  view.setUint16(4, length);
  view.setUint16(6, 0);
  view.setUint16(6, checksum(pseudoSum(from, to, 17) + length + sum(view, 0, length)));
  return bytes;
}

function filled(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7) & 0xff);
}

export function pseudoSum(from: IpAddress, to: IpAddress, protocol: number): number {
  if (from.family === 4) return pseudoHeaderSum4(from.w3, to.w3, protocol);
  return pseudoHeaderSum6(from.w0, from.w1, from.w2, from.w3, to.w0, to.w1, to.w2, to.w3, protocol);
}

export interface SeenDatagram {
  readonly family: 4 | 6;
  readonly from: string;
  readonly to: string;
  readonly ttl: number;
  readonly tos: number;
  readonly protocol: number;
  /** Bytes of the whole packet. */
  readonly size: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  readonly offset: number;
  readonly id: number;
  readonly options: readonly number[];
  readonly payload: Uint8Array;
}

/** @throws Error when the header's checksum, or its length, is wrong */
export function readDatagram(bytes: Uint8Array): SeenDatagram {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes[0] === undefined) throw new Error('an empty packet');
  if (view.getUint8(0) >> 4 === 6) return read6(bytes, view);
  const header = (view.getUint8(0) & 0xf) << 2;
  if (fold(sum(view, 0, header)) !== 0xffff) throw new Error('the checksum of the IPv4 header is wrong');
  if (view.getUint16(2) !== bytes.length) throw new Error(`length ${view.getUint16(2)} in a packet of ${bytes.length}`);
  const flags = view.getUint16(6);
  return {
    family: 4,
    from: `${IpAddress.v4(view.getInt32(12))}`,
    to: `${IpAddress.v4(view.getInt32(16))}`,
    ttl: view.getUint8(8),
    tos: view.getUint8(1),
    protocol: view.getUint8(9),
    size: bytes.length,
    dontFragment: (flags & 0x4000) !== 0,
    moreFragments: (flags & 0x2000) !== 0,
    offset: (flags & 0x1fff) << 3,
    id: view.getUint16(4),
    options: [...bytes.subarray(20, header)],
    payload: bytes.slice(header),
  };
}

function read6(bytes: Uint8Array, view: DataView): SeenDatagram {
  if (view.getUint16(4) + 40 !== bytes.length)
    throw new Error(`length ${view.getUint16(4)} in a packet of ${bytes.length}`);
  const words = (at: number) =>
    `${IpAddress.v6(view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8), view.getInt32(at + 12))}`;
  return {
    family: 6,
    from: words(8),
    to: words(24),
    ttl: view.getUint8(7),
    tos: (view.getUint16(0) >> 4) & 0xff,
    protocol: view.getUint8(6),
    size: bytes.length,
    dontFragment: true,
    moreFragments: false,
    offset: 0,
    id: 0,
    options: [],
    payload: bytes.slice(40),
  };
}

export interface SeenError {
  readonly from: string;
  readonly to: string;
  readonly type: number;
  readonly code: number;
  /** What follows the checksum: an MTU, a pointer. */
  readonly parameter: number;
  /** The packet that it is about, as far as it is there. */
  readonly quoted: Uint8Array;
}

/** An ICMP or ICMPv6 error. @throws Error when it is none, or its checksum is wrong */
export function readError(bytes: Uint8Array): SeenError {
  const { family, protocol, from, to, payload } = readDatagram(bytes);
  if (protocol !== (family === 4 ? 1 : 58)) throw new Error(`protocol ${protocol} is not ICMP`);
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const pseudo = family === 4 ? 0 : pseudoSum(address(from), address(to), 58) + payload.length;
  if (fold(pseudo + sum(view, 0, payload.length)) !== 0xffff)
    throw new Error('the checksum of the ICMP message is wrong');
  const [type, code, parameter] = [view.getUint8(0), view.getUint8(1), view.getUint32(4)];
  return { from, to, type, code, parameter, quoted: payload.slice(8) };
}
