/** Ethernet frames for tests: made from a few words, and told in one line. */
import { IpAddress } from '../../src/wire/address.ts';
import { ARP_REPLY, ARP_REQUEST, ArpPacket, parseArp, writeArp } from '../../src/wire/arp.ts';
import { checksum, fold, sum } from '../../src/wire/checksum.ts';
import { hardwareAddressText, parseHardwareAddress, writeEthernet } from '../../src/wire/ethernet.ts';
import { OK } from '../../src/wire/reasons.ts';

export const US = '02:00:00:00:00:01';
export const PEER = '02:00:00:00:00:02';
export const OTHER = '02:00:00:00:00:03';
export const ALL = 'ff:ff:ff:ff:ff:ff';
const NAMES: Readonly<Record<string, string>> = { [US]: 'us', [PEER]: 'peer', [OTHER]: 'other', [ALL]: 'all' };

function mac(text: string): [high: number, low: number] {
  const view = new DataView((parseHardwareAddress(text) as Uint8Array<ArrayBuffer>).buffer);
  return [view.getUint16(0), view.getInt32(2)];
}

/** 02:00:5e:00:00:00 and so on: as many stations as one likes. */
export function station(n: number): string {
  return hardwareAddressText(0x0200, 0x5e00_0000 + n);
}

function words(text: string): [number, number, number, number] {
  const { bareW0, w1, w2, w3 } = IpAddress.parse(text) as IpAddress;
  return [bareW0, w1, w2, w3];
}

export function frame(from: string, to: string, type: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(14 + payload.length);
  writeEthernet(new DataView(bytes.buffer), 0, ...mac(to), ...mac(from), type);
  bytes.set(payload, 14);
  return bytes;
}

export interface ArpSpec {
  readonly op?: 'request' | 'reply';
  /** The station that sends, and the one that it names as sender; the peer, and the same. */
  readonly from?: string;
  readonly hardware?: string;
  readonly sender: string;
  readonly target: string;
  readonly to?: string;
}

/** A request goes to all, a reply to us, unless `to` says otherwise. */
export function arpFrame({ op = 'request', from = PEER, hardware = from, sender, target, to }: ArpSpec): Uint8Array {
  const bytes = new Uint8Array(28);
  const operation = op === 'request' ? ARP_REQUEST : ARP_REPLY;
  writeArp(new DataView(bytes.buffer), 0, operation, ...mac(hardware), words(sender)[3], 0, 0, words(target)[3]);
  return frame(from, to ?? (op === 'request' ? ALL : US), 0x0806, bytes);
}

/** An IPv4 or IPv6 packet of protocol 253 whose payload is `mark` and zeros. */
export function ipPacket(source: string, destination: string, mark: number, length = 8): Uint8Array {
  const ipv4 = !source.includes(':');
  const header = ipv4 ? 20 : 40;
  const bytes = new Uint8Array(header + length);
  const view = new DataView(bytes.buffer);
  if (ipv4) {
    view.setUint32(0, 0x4500_0000 | bytes.length);
    view.setUint16(8, 0x40fd);
    view.setInt32(12, words(source)[3]);
    view.setInt32(16, words(destination)[3]);
    view.setUint16(10, checksum(sum(view, 0, 20)));
  } else writeIpv6(view, source, destination, 253, 64, length);
  bytes[header] = mark;
  return bytes;
}

function writeIpv6(
  view: DataView,
  source: string,
  destination: string,
  next: number,
  hops: number,
  length: number,
): void {
  view.setUint32(0, 0x6000_0000);
  view.setUint16(4, length);
  view.setUint8(6, next);
  view.setUint8(7, hops);
  for (const [i, word] of [...words(source), ...words(destination)].entries()) view.setInt32(8 + 4 * i, word);
}

export interface NdSpec {
  readonly type: 'rs' | 'ra' | 'ns' | 'na' | 'redirect';
  readonly source: string;
  readonly destination: string;
  readonly target?: string;
  /** The destination that a redirect is about. */
  readonly about?: string;
  /** `R`, `S`, `O`, in any order. */
  readonly flags?: string;
  /** Type of the option, 1 (source) or 2 (target), and the hardware address in it. */
  readonly option?: readonly [type: number, address: string];
  /** Raw bytes behind everything else. */
  readonly more?: readonly number[];
  readonly hops?: number;
  readonly code?: number;
  readonly badChecksum?: boolean;
  /** Bytes of the message that are left. */
  readonly cut?: number;
  readonly from?: string;
  readonly to?: string;
}

const ND_TYPES = ['rs', 'ra', 'ns', 'na', 'redirect'] as const;

/** `mld2 4 ff02::1:ff00:1`: a report of version 2, its records with their kinds; or `mld1 ff02::1:ff00:1`. */
function toldMld(view: DataView, address: (offset: number) => string): string {
  const length = view.getUint16(18) - 8;
  const alert = view.getUint32(54) === 0x3a00_0502 && view.getUint8(21) === 1 ? '' : ' no alert';
  const right = fold(sum(view, 62, length) + sum(view, 22, 32) + 58 + length) === 0xffff ? '' : ' checksum';
  if (view.getUint8(62) === 131) return `mld1 ${address(70)}${alert}${right}`;
  const records = Array.from(
    { length: view.getUint16(68) },
    (_, i) => `${view.getUint8(70 + 20 * i)} ${address(74 + 20 * i)}`,
  );
  return `mld2 ${records.join(', ')}${alert}${right}`;
}

/** A router's question who is in which group; of version 1 when it has 24 bytes. */
export function mldQuery({
  source = 'fe80::2',
  delay = 1000,
  length = 28,
  hops = 1,
  alert = true,
  badChecksum = false,
} = {}): Uint8Array {
  const bytes = new Uint8Array(48 + length);
  const view = new DataView(bytes.buffer);
  writeIpv6(view, source, 'ff02::1', 0, hops, 8 + length);
  bytes.set(alert ? [58, 0, 5, 2, 0, 0, 1, 0] : [58, 0, 1, 4, 0, 0, 0, 0], 40);
  view.setUint8(48, 130);
  view.setUint16(52, delay);
  view.setUint16(50, checksum(sum(view, 48, length) + sum(view, 8, 32) + 58 + length) ^ (badChecksum ? 1 : 0));
  return frame(PEER, stationOf('ff02::1'), 0x86dd, bytes);
}

/** The station of a group: RFC 2464 7; of anything else: us. */
function stationOf(destination: string): string {
  const [w0, , , w3] = words(destination);
  return w0 >>> 24 === 0xff ? hardwareAddressText(0x3333, w3) : US;
}

export function ndFrame(spec: NdSpec): Uint8Array {
  const { type, source, destination, target, flags = '', option, more = [], hops = 255, code = 0 } = spec;
  const fixed = { rs: 8, ra: 16, ns: 24, na: 24, redirect: 40 }[type];
  const bytes = new Uint8Array(40 + fixed + (option === undefined ? 0 : 8) + more.length);
  const view = new DataView(bytes.buffer);
  const length = Math.min(spec.cut ?? Infinity, bytes.length - 40);
  writeIpv6(view, source, destination, 58, hops, length);
  view.setUint8(40, 133 + ND_TYPES.indexOf(type));
  view.setUint8(41, code);
  view.setUint8(
    44,
    (flags.includes('R') ? 0x80 : 0) | (flags.includes('S') ? 0x40 : 0) | (flags.includes('O') ? 0x20 : 0),
  );
  if (target !== undefined) for (const [i, word] of words(target).entries()) view.setInt32(48 + 4 * i, word);
  if (spec.about !== undefined) for (const [i, word] of words(spec.about).entries()) view.setInt32(64 + 4 * i, word);
  if (option !== undefined) {
    bytes.set([option[0], 1, ...(parseHardwareAddress(option[1]) as Uint8Array)], 40 + fixed);
  }
  bytes.set(more, bytes.length - more.length);
  view.setUint16(42, checksum(sum(view, 40, length) + sum(view, 8, 32) + 58 + length));
  if (spec.badChecksum === true) view.setUint16(42, view.getUint16(42) ^ 1);
  return frame(spec.from ?? PEER, spec.to ?? stationOf(destination), 0x86dd, bytes.subarray(0, 40 + length));
}

function name(address: string): string {
  return NAMES[address] ?? address;
}

/**
 * A frame in one line: `us>all arp who-has 10.0.0.2 tell 10.0.0.1`, `us>peer ip 10.0.0.1>10.0.0.2 #7`, `us>33:33:ff:00:00:02 ns fd00::2 fd00::1>ff02::1:ff00:2 us`.
 * Wrong checksums are told.
 */
export function told(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const at = (offset: number) => name(hardwareAddressText(view.getUint16(offset), view.getInt32(offset + 2)));
  const way = `${at(6)}>${at(0)}`;
  const type = view.getUint16(12);
  if (type === 0x0806) return `${way} ${toldArp(view)}`;
  if (type === 0x0800) {
    const address = (offset: number) => IpAddress.v4(view.getInt32(14 + offset)).toString();
    return `${way} ip ${address(12)}>${address(16)} #${bytes[34]}`;
  }
  return type === 0x86dd ? `${way} ${toldIpv6(view)}` : `${way} type ${type.toString(16)}`;
}

function toldArp(view: DataView): string {
  const arp = new ArpPacket();
  if (parseArp(view, 14, view.byteLength - 14, arp) !== OK) return 'arp, malformed';
  const sender = IpAddress.v4(arp.senderAddress).toString();
  const target = IpAddress.v4(arp.targetAddress).toString();
  const station = name(hardwareAddressText(arp.senderHigh, arp.senderLow));
  return arp.operation === ARP_REQUEST
    ? `arp who-has ${target} tell ${sender}`
    : `arp ${sender} is-at ${station} for ${target}`;
}

function toldIpv6(view: DataView): string {
  const address = (offset: number) =>
    IpAddress.v6(
      ...([0, 4, 8, 12].map((i) => view.getInt32(offset + i)) as [number, number, number, number]),
    ).toString();
  const way = `${address(22)}>${address(38)}`;
  if (view.getUint8(20) === 0) return `${toldMld(view, address)} ${way}`;
  const type = ND_TYPES[view.getUint8(54) - 133];
  if (view.getUint8(20) !== 58 || type === undefined) return `ip ${way} #${view.getUint8(54)}`;
  const length = view.getUint16(18);
  const right = fold(sum(view, 54, length) + sum(view, 22, 32) + 58 + length) === 0xffff;
  const bits = view.getUint8(58);
  const flags = [...'RSO'].filter((_, i) => (bits & (0x80 >> i)) !== 0).join('');
  const option = length >= 32 ? ` ${name(hardwareAddressText(view.getUint16(80), view.getInt32(82)))}` : '';
  const words = `${type} ${address(62)} ${way}${flags === '' ? '' : ` ${flags}`}${option}`;
  return `${words}${view.getUint8(21) === 255 ? '' : ' hop limit'}${right ? '' : ' checksum'}`;
}
