/** The readable dissector's network layer: IPv4, and IPv6 with its extension headers. */
import { Parser } from 'binary-parser/dist/binary_parser.js';
import { IpAddress } from '../wire/address.ts';
import { fold, sum } from '../wire/checksum.ts';
import { FRAGMENT_HEADER, IPV6_HEADER_LENGTH, isExtensionHeader } from '../wire/ipv6.ts';

export interface DissectedIp {
  readonly version: 4 | 6;
  /** Bytes; of IPv6 with the extension headers. */
  readonly headerLength: number;
  /** IPv6: the traffic class. */
  readonly tos: number;
  /** Bytes, header and payload. */
  readonly totalLength: number;
  /** IPv6: only fragments have one; else 0. */
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** Bytes. */
  readonly fragmentOffset: number;
  /** IPv6: the hop limit. */
  readonly ttl: number;
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  /** The header checksum is right; IPv6 has none. (Transport checksums are not looked at: an offloading link leaves them to the device.) */
  readonly checksumOk: boolean;
  /** IPv6. */
  readonly flowLabel?: number;
  /** IPv6: the kinds of extension headers, in their order. */
  readonly extensions?: readonly number[];
}

export interface ReadIp {
  readonly ip?: DissectedIp;
  readonly payload?: Uint8Array;
  /** What is wrong; with it, what stands before the fault is there. */
  readonly error?: string;
}

const toAddress = (word: number): string => String(IpAddress.v4(word));

// RFC 791 3.1
const ipv4Header = new Parser()
  .bit4('version')
  .bit4('headerWords')
  .uint8('tos')
  .uint16('totalLength')
  .uint16('identification')
  .bit1('reserved')
  .bit1('dontFragment')
  .bit1('moreFragments')
  .bit13('fragmentUnits')
  .uint8('ttl')
  .uint8('protocol')
  .uint16('checksum')
  .uint32('source', { formatter: toAddress })
  .uint32('destination', { formatter: toAddress });

// RFC 8200 3
const ipv6Header = new Parser()
  .bit4('version')
  .bit8('trafficClass')
  .bit20('flowLabel')
  .uint16('payloadLength')
  .uint8('nextHeader')
  .uint8('hopLimit')
  .array('source', { type: 'uint32be', length: 4 })
  .array('destination', { type: 'uint32be', length: 4 });

// RFC 8200 4.5
const fragmentHeader = new Parser()
  .uint8('nextHeader')
  .uint8('reserved')
  .bit13('units')
  .bit2('spare')
  .bit1('more')
  .uint32('identification');

interface Raw4 {
  readonly version: number;
  readonly headerWords: number;
  readonly tos: number;
  readonly totalLength: number;
  readonly identification: number;
  readonly dontFragment: number;
  readonly moreFragments: number;
  readonly fragmentUnits: number;
  readonly ttl: number;
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
}

interface Raw6 {
  readonly trafficClass: number;
  readonly flowLabel: number;
  readonly payloadLength: number;
  readonly nextHeader: number;
  readonly hopLimit: number;
  readonly source: readonly number[];
  readonly destination: readonly number[];
}

interface RawFragment {
  readonly units: number;
  readonly more: number;
  readonly identification: number;
}

/** Reads the IP header of a packet. Never throws. */
export function readIp(bytes: Uint8Array): ReadIp {
  const version = (bytes[0] ?? 0x40) >>> 4;
  if (version === 6) return readIpv6(bytes);
  if (bytes.length < 20) return { error: `IPv4 header cut short: ${bytes.length} of 20 bytes` };
  return version === 4 ? readIpv4(bytes) : { error: `not IP: version ${version}` };
}

function readIpv4(bytes: Uint8Array): ReadIp {
  const raw = ipv4Header.parse(bytes) as Raw4;
  const headerLength = raw.headerWords * 4;
  if (headerLength < 20) return { error: `IPv4 header length ${headerLength} is below 20` };
  if (headerLength > bytes.length) return { error: `IPv4 header cut short: ${bytes.length} of ${headerLength} bytes` };
  const { tos, totalLength, identification, ttl, protocol, source, destination } = raw;
  const ip: DissectedIp = {
    version: 4,
    headerLength,
    tos,
    totalLength,
    identification,
    dontFragment: raw.dontFragment === 1,
    moreFragments: raw.moreFragments === 1,
    fragmentOffset: raw.fragmentUnits * 8,
    ttl,
    protocol,
    source,
    destination,
    checksumOk: fold(sum(new DataView(bytes.buffer, bytes.byteOffset), 0, headerLength)) === 0xffff,
  };
  if (totalLength < headerLength)
    return { ip, error: `IPv4 total length ${totalLength} is below its header's ${headerLength}` };
  return { ip, payload: bytes.subarray(headerLength, totalLength), ...cutShort(bytes, totalLength) };
}

function readIpv6(bytes: Uint8Array): ReadIp {
  if (bytes.length < IPV6_HEADER_LENGTH) return { error: `IPv6 header cut short: ${bytes.length} of 40 bytes` };
  const raw = ipv6Header.parse(bytes) as Raw6;
  const totalLength = IPV6_HEADER_LENGTH + raw.payloadLength;
  const walk = walkExtensions(bytes.subarray(0, totalLength), raw.nextHeader);
  const ip: DissectedIp = {
    version: 6,
    headerLength: walk.end,
    tos: raw.trafficClass,
    totalLength,
    identification: walk.fragment?.identification ?? 0,
    dontFragment: true,
    moreFragments: walk.fragment?.more === 1,
    fragmentOffset: (walk.fragment?.units ?? 0) * 8,
    ttl: raw.hopLimit,
    protocol: walk.protocol,
    source: textOf(raw.source),
    destination: textOf(raw.destination),
    checksumOk: true,
    flowLabel: raw.flowLabel,
    extensions: walk.kinds,
  };
  if (walk.error !== undefined) return { ip, error: walk.error };
  return { ip, payload: bytes.subarray(walk.end, totalLength), ...cutShort(bytes, totalLength) };
}

function cutShort(bytes: Uint8Array, totalLength: number): { error?: string } {
  return totalLength > bytes.length ? { error: `packet cut short: ${bytes.length} of ${totalLength} bytes` } : {};
}

interface Walk {
  readonly kinds: number[];
  protocol: number;
  end: number;
  fragment?: RawFragment;
  error?: string;
}

function walkExtensions(bytes: Uint8Array, first: number): Walk {
  const walk: Walk = { kinds: [], protocol: first, end: IPV6_HEADER_LENGTH };
  while (isExtensionHeader(walk.protocol)) {
    const left = bytes.length - walk.end;
    const kind = walk.protocol;
    const length = kind === FRAGMENT_HEADER ? 8 : ((bytes[walk.end + 1] ?? 0) + 1) * 8;
    if (left < 8 || left < length) {
      walk.error = `extension header ${kind} cut short: ${left} of ${Math.max(length, 8)} bytes`;
      return walk;
    }
    walk.kinds.push(kind);
    if (kind === FRAGMENT_HEADER) walk.fragment = fragmentHeader.parse(bytes.subarray(walk.end)) as RawFragment;
    walk.protocol = bytes[walk.end] as number;
    walk.end += length;
    // Behind the header of a later fragment comes the middle of something.
    if ((walk.fragment?.units ?? 0) > 0) return walk;
  }
  return walk;
}

function textOf(words: readonly number[]): string {
  const [a = 0, b = 0, c = 0, d = 0] = words;
  // An address of the wire, mapped ones too, is told as it stands there.
  const address = IpAddress.v6(a, b, c, d);
  return address.family === 4 ? `::ffff:${address}` : String(address.withZone(0));
}
