/**
 * Segments as small readable objects, for wire-peer.ts: `{ seq: 1, ack: 1, flags: 'PA', length: 1460 }` to packets, and back.
 * It has its own way of building and reading (bytes, not the stack's records), with the checks of a careful receiver.
 */
import { checksum, fold, pseudoHeaderSum4, sum } from '../../src/wire/checksum.ts';
import { type Signature, signatureOption, signPacket } from './wire-signature.ts';

/** Options of a segment, as they read in packetdrill. */
export interface SegmentOptions {
  readonly mss?: number;
  readonly wscale?: number;
  readonly sackOk?: boolean;
  /** [TSval, TSecr] */
  readonly ts?: readonly [number, number];
  /** [left, right] edges in the numbers of what the other side sends. */
  readonly sack?: readonly (readonly [number, number])[];
  /** The digest in hexadecimal, of what the DUT sends. */
  readonly md5?: string;
  /** A Fast Open cookie in hexadecimal, empty for a request: of RFC 7413's kind 34, and of the experimental kind. */
  readonly fo?: string;
  readonly foexp?: string;
  readonly ao?: { readonly keyId: number; readonly rnextKeyId: number; readonly mac: string };
  /** Accurate ECN's, of kind 174, when it is read: ECT(1), CE and ECT(0), as far as they are there. To send one: `raw`. */
  readonly accEcn?: readonly number[];
  /** Options that have no name here, as bytes. */
  readonly raw?: readonly number[];
}

/** Absolute numbers; wire-peer.ts makes them relative. */
export interface WireSegment {
  source: number;
  destination: number;
  sourcePort: number;
  destinationPort: number;
  seq: number;
  ack: number;
  /** Letters of FLAGS, in that order. */
  flags: string;
  /** The field, not scaled. */
  win: number;
  urg: number;
  /** The ECN field of the IP header; 0 unless said. */
  ecn?: number;
  data: Uint8Array;
  options: SegmentOptions;
  /** Comes first of the options. */
  signature?: Signature | undefined;
}

/** FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, and N for AE. */
const FLAGS = 'FSRPAUECN';

export function flagBits(flags: string): number {
  let bits = 0;
  for (const letter of flags) {
    const bit = FLAGS.indexOf(letter);
    if (bit < 0) throw new Error(`no flag is called ${letter} (${FLAGS})`);
    bits |= 1 << bit;
  }
  return bits;
}

export function flagLetters(bits: number): string {
  return [...FLAGS].filter((_, bit) => (bits & (1 << bit)) !== 0).join('');
}

/** The bytes of the IP packet. `spoil`: one bit of the TCP checksum is flipped. */
export function buildSegment(segment: WireSegment, spoil = false): Uint8Array {
  const { signature } = segment;
  const options = [...(signature === undefined ? [] : signatureOption(signature)), ...buildOptions(segment.options)];
  const headerLength = 20 + options.length;
  const tcpLength = headerLength + segment.data.length;
  const bytes = buildIp(segment.source, segment.destination, 6, tcpLength, segment.ecn);
  const view = new DataView(bytes.buffer);
  view.setUint16(20, segment.sourcePort);
  view.setUint16(22, segment.destinationPort);
  view.setInt32(24, segment.seq);
  view.setInt32(28, segment.ack);
  view.setUint16(32, (headerLength << 10) | flagBits(segment.flags));
  view.setUint16(34, segment.win);
  view.setUint16(38, segment.urg);
  bytes.set(options, 40);
  bytes.set(segment.data, 20 + headerLength);
  if (signature !== undefined) signPacket(bytes, signature);
  const pseudo = pseudoHeaderSum4(segment.source, segment.destination, 6) + tcpLength;
  view.setUint16(36, checksum(sum(view, 20, tcpLength, pseudo)) ^ (spoil ? 1 : 0));
  return bytes;
}

/** An ICMP message: `rest` is the 4 bytes behind the checksum. */
export function buildIcmp(
  source: number,
  destination: number,
  type: number,
  code: number,
  rest: number,
  body: Uint8Array,
): Uint8Array {
  const bytes = buildIp(source, destination, 1, 8 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(20, (type << 8) | code);
  view.setInt32(24, rest);
  bytes.set(body, 28);
  view.setUint16(22, checksum(sum(view, 20, 8 + body.length)));
  return bytes;
}

/** An IPv4 packet with room for `length` bytes after its header. */
export function buildIp(source: number, destination: number, protocol: number, length: number, ecn = 0): Uint8Array {
  const bytes = new Uint8Array(20 + length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x4500 | ecn);
  view.setUint16(2, bytes.length);
  view.setUint16(6, 0x4000);
  view.setUint16(8, (64 << 8) | protocol);
  view.setInt32(12, source);
  view.setInt32(16, destination);
  view.setUint16(10, checksum(sum(view, 0, 20)));
  return bytes;
}

function buildOptions(options: SegmentOptions): number[] {
  const word = (value: number) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
  const out: number[] = [];
  if (options.mss !== undefined) out.push(2, 4, options.mss >>> 8, options.mss & 255);
  if (options.sackOk === true) out.push(4, 2);
  if (options.ts !== undefined) out.push(8, 10, ...word(options.ts[0]), ...word(options.ts[1]));
  if (options.wscale !== undefined) out.push(3, 3, options.wscale);
  if (options.sack !== undefined) out.push(5, 2 + 8 * options.sack.length, ...options.sack.flat().flatMap(word));
  if (options.fo !== undefined) out.push(34, 2 + options.fo.length / 2, ...Buffer.from(options.fo, 'hex'));
  if (options.foexp !== undefined)
    out.push(254, 4 + options.foexp.length / 2, 0xf9, 0x89, ...Buffer.from(options.foexp, 'hex'));
  out.push(...(options.raw ?? []));
  while (out.length % 4 !== 0) out.push(1);
  return out;
}

/** What an IP packet of the stack's is; throws what is wrong with it. */
export function readIp(bytes: Uint8Array): { protocol: number; source: number; destination: number; ttl: number } {
  const view = viewOf(bytes);
  ensure(bytes.length >= 20 && view.getUint8(0) === 0x45, 'not an IPv4 packet with a 20-byte header');
  ensure(
    view.getUint16(2) === bytes.length,
    `total length ${view.getUint16(2)}, but the packet has ${bytes.length} bytes`,
  );
  ensure(fold(sum(view, 0, 20)) === 0xffff, 'wrong IP checksum');
  return {
    protocol: view.getUint8(9),
    source: view.getInt32(12),
    destination: view.getInt32(16),
    ttl: view.getUint8(8),
  };
}

/** Whether the ICMP message in a packet with a 20-byte IP header has the right checksum. */
export function icmpChecksumOk(bytes: Uint8Array): boolean {
  return fold(sum(viewOf(bytes), 20, bytes.length - 20)) === 0xffff;
}

/** Reads a segment that the stack sent; throws what is wrong with it. `partial`: its checksum is the pseudo-header's sum. */
export function readSegment(bytes: Uint8Array, partial = false): WireSegment {
  const { source, destination } = readIp(bytes);
  const view = viewOf(bytes);
  const length = bytes.length - 20;
  ensure(length >= 20, 'TCP header cut short');
  const pseudo = pseudoHeaderSum4(source, destination, 6) + length;
  if (partial) ensure(view.getUint16(36) === fold(pseudo), 'wrong partial checksum');
  else ensure(fold(sum(view, 20, length, pseudo)) === 0xffff, 'wrong TCP checksum');
  const headerLength = (view.getUint8(32) >>> 4) << 2;
  ensure(
    headerLength >= 20 && headerLength <= length,
    `data offset of ${headerLength} bytes in a segment of ${length}`,
  );
  // RFC 9293 3.1: the reserved bits are 0.
  ensure((view.getUint8(32) & 0x0e) === 0, 'reserved bits are set');
  return {
    source,
    destination,
    sourcePort: view.getUint16(20),
    destinationPort: view.getUint16(22),
    seq: view.getInt32(24),
    ack: view.getInt32(28),
    flags: flagLetters(view.getUint16(32) & 0x1ff),
    win: view.getUint16(34),
    urg: view.getUint16(38),
    ecn: view.getUint8(1) & 3,
    data: bytes.slice(20 + headerLength),
    options: readOptions(view, 40, 20 + headerLength),
  };
}

function readCounters(view: DataView, from: number, end: number): number[] {
  const counters: number[] = [];
  for (let at = from; at < end; at += 3) counters.push(view.getUint32(at - 1) & 0xffffff);
  return counters;
}

function readOptions(view: DataView, from: number, end: number): SegmentOptions {
  const out: { -readonly [K in keyof SegmentOptions]: SegmentOptions[K] } = {};
  for (let at = from; at < end; ) {
    const kind = view.getUint8(at);
    if (kind === 0) {
      // RFC 9293 3.1 [MUST-69]: what is behind the end of the options is zero.
      for (let rest = at; rest < end; rest++) ensure(view.getUint8(rest) === 0, 'padding that is not zero');
      break;
    }
    if (kind === 1) {
      at++;
      continue;
    }
    const length = at + 1 < end ? view.getUint8(at + 1) : 0;
    ensure(length >= 2 && at + length <= end, `option ${kind} of ${length} bytes does not fit`);
    if (kind === 2 && length === 4) out.mss = view.getUint16(at + 2);
    else if (kind === 3 && length === 3) out.wscale = view.getUint8(at + 2);
    else if (kind === 4 && length === 2) out.sackOk = true;
    else if (kind === 8 && length === 10) out.ts = [view.getInt32(at + 2), view.getInt32(at + 6)];
    else if (kind === 174 && length % 3 === 2) out.accEcn = readCounters(view, at + 2, at + length);
    else if (kind === 5 && length > 2 && length % 8 === 2) out.sack = readBlocks(view, at + 2, at + length);
    else if (kind === 19 && length === 18) out.md5 = hexOf(view, at + 2, at + length);
    else if (kind === 34) out.fo = hexOf(view, at + 2, at + length);
    else if (kind === 254 && view.getUint16(at + 2) === 0xf989) out.foexp = hexOf(view, at + 4, at + length);
    else if (kind === 29 && length > 4) out.ao = readAo(view, at, length);
    else throw new Error(`option ${kind} of ${length} bytes, which nobody should send`);
    at += length;
  }
  return out;
}

function readAo(view: DataView, at: number, length: number): NonNullable<SegmentOptions['ao']> {
  const mac = hexOf(view, at + 4, at + length);
  return { keyId: view.getUint8(at + 2), rnextKeyId: view.getUint8(at + 3), mac };
}

function hexOf(view: DataView, from: number, end: number): string {
  return Buffer.from(view.buffer, view.byteOffset + from, end - from).toString('hex');
}

function readBlocks(view: DataView, from: number, end: number): [number, number][] {
  const blocks: [number, number][] = [];
  for (let at = from; at < end; at += 8) blocks.push([view.getInt32(at), view.getInt32(at + 4)]);
  return blocks;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function ensure(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
