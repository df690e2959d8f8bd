/**
 * The readable dissector: a packet's bytes to a plain object (and from there to a line of text: describe.ts). For people, not for the hot path
 * (docs/decisions/binary-parser.md): the headers are declared once, field by field, as the RFCs draw them.
 */
// The package's entry for `import` has no types; this, its other entry, has.
import { Parser } from 'binary-parser/dist/binary_parser.js';
import { isIcmpError } from '../wire/icmp.ts';
import { isIcmpv6Error } from '../wire/icmpv6.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ipv4.ts';
import { PROTOCOL_ICMPV6 } from '../wire/ipv6.ts';
import { type DissectedDns, dissectDns } from './dissect-dns.ts';
import { type DissectedIp, readIp } from './dissect-ip.ts';
import { readOptions, type TcpOption } from './dissect-options.ts';

export type { DissectedDns, DissectedIp };

export interface DissectedTcp {
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** uint32, as in print. */
  readonly seq: number;
  readonly ack: number;
  /** Bytes. */
  readonly headerLength: number;
  /** FIN .. AE as in wire/tcp. */
  readonly flags: number;
  /** As on the wire, not scaled. */
  readonly window: number;
  readonly checksum: number;
  readonly urgentPointer: number;
  readonly options: readonly TcpOption[];
}

export interface DissectedUdp {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly length: number;
  readonly checksum: number;
}

export interface DissectedIcmp {
  readonly type: number;
  readonly code: number;
  readonly checksum: number;
  /** The two halves of the four bytes after the checksum: identifier and sequence of an echo; an error's MTU or pointer is in the second, in both for IPv6. */
  readonly high: number;
  readonly low: number;
  /** The packet that an error quotes; it is cut short, so it usually has an `error` itself. */
  readonly quoted?: Dissected;
}

/** What could be read, from the outside in. With an `error`, the headers before the fault are there. */
export interface Dissected {
  ip?: DissectedIp;
  tcp?: DissectedTcp;
  udp?: DissectedUdp;
  icmp?: DissectedIcmp;
  dns?: DissectedDns;
  /** What the innermost header that was read carries; a view of the bytes given. */
  payload?: Uint8Array;
  /** What is wrong with the packet. */
  error?: string;
}

// RFC 9293 3.1
const tcpHeader = new Parser()
  .uint16('sourcePort')
  .uint16('destinationPort')
  .uint32('seq')
  .uint32('ack')
  .bit4('headerWords')
  .bit3('reserved')
  .bit9('flags')
  .uint16('window')
  .uint16('checksum')
  .uint16('urgentPointer');

// RFC 768
const udpHeader = new Parser().uint16('sourcePort').uint16('destinationPort').uint16('length').uint16('checksum');

// RFC 792
const icmpHeader = new Parser().uint8('type').uint8('code').uint16('checksum').uint16('high').uint16('low');

/** Fields as the package reads them: flags are 0 or 1. */
type Raw<T> = { readonly [K in keyof T]: T[K] extends boolean ? number : T[K] } & { readonly reserved: number };
type RawTcp = Raw<Omit<DissectedTcp, 'headerLength' | 'options'>> & { readonly headerWords: number };

/** Reads a packet that starts with its IP header. Never throws: garbage gives `error`. */
export function dissect(bytes: Uint8Array): Dissected {
  const found: Dissected = {};
  const { ip, payload, error } = readIp(bytes);
  if (error !== undefined) fault(found, error);
  if (ip === undefined) return found;
  found.ip = ip;
  if (payload === undefined) return found;
  found.payload = payload;
  if (ip.fragmentOffset > 0) return found;
  if (ip.protocol === PROTOCOL_TCP) dissectTcp(found, payload);
  else if (ip.protocol === PROTOCOL_UDP) dissectUdp(found, payload);
  else if (ip.protocol === PROTOCOL_ICMP && ip.version === 4) dissectIcmp(found, payload);
  else if (ip.protocol === PROTOCOL_ICMPV6 && ip.version === 6) dissectIcmp(found, payload);
  return found;
}

/** Notes what is wrong; the first fault stays. */
function fault(found: Dissected, error: string): Dissected {
  found.error ??= error;
  return found;
}

function dissectTcp(found: Dissected, bytes: Uint8Array): void {
  if (bytes.length < 20) {
    fault(found, `TCP header cut short: ${bytes.length} of 20 bytes`);
    return;
  }
  const { headerWords, reserved: _, ...plain } = tcpHeader.parse(bytes) as RawTcp;
  const headerLength = headerWords * 4;
  const end = Math.min(Math.max(headerLength, 20), bytes.length);
  if (headerLength < 20) fault(found, `TCP header length ${headerLength} is below 20`);
  if (headerLength > bytes.length) fault(found, `TCP header cut short: ${bytes.length} of ${headerLength} bytes`);
  found.tcp = { ...plain, headerLength, options: readOptions(bytes.subarray(20, end)) };
  found.payload = bytes.subarray(end);
}

function dissectUdp(found: Dissected, bytes: Uint8Array): void {
  if (bytes.length < 8) {
    fault(found, `UDP header cut short: ${bytes.length} of 8 bytes`);
    return;
  }
  const udp = udpHeader.parse(bytes) as DissectedUdp;
  found.udp = udp;
  if (udp.length < 8) fault(found, `UDP length ${udp.length} is below its header's 8`);
  if (udp.length > bytes.length) fault(found, `UDP datagram cut short: ${bytes.length} of ${udp.length} bytes`);
  found.payload = bytes.subarray(8, udp.length);
  const dnsPort = udp.sourcePort === 53 || udp.destinationPort === 53;
  const dns = dnsPort ? dissectDns(found.payload) : undefined;
  if (dns !== undefined) found.dns = dns;
}

function dissectIcmp(found: Dissected, bytes: Uint8Array): void {
  if (bytes.length < 8) {
    fault(found, `ICMP header cut short: ${bytes.length} of 8 bytes`);
    return;
  }
  const icmp = icmpHeader.parse(bytes) as DissectedIcmp;
  found.payload = bytes.subarray(8);
  // RFC 1122 3.2.2 forbids an error about an error; garbage may nest them, so what is quoted in a quote is not read.
  const isError = found.ip?.version === 6 ? isIcmpv6Error(icmp.type) : isIcmpError(icmp.type);
  const quoted = isError ? dissectQuoted(found.payload) : undefined;
  found.icmp = quoted === undefined ? icmp : { ...icmp, quoted };
}

function dissectQuoted(bytes: Uint8Array): Dissected {
  const { ip: outer } = readIp(bytes);
  if (outer?.protocol === PROTOCOL_ICMP || outer?.protocol === PROTOCOL_ICMPV6)
    return { ip: outer, error: 'quotes an ICMP message' };
  const found = dissect(bytes);
  if (found.ip !== undefined && found.tcp === undefined && found.payload !== undefined && found.payload.length >= 8) {
    // RFC 792: 8 bytes of the transport header are all that need be quoted: ports and sequence number.
    const { payload, ip } = found;
    if (ip.protocol === PROTOCOL_TCP && ip.fragmentOffset === 0) {
      const padded = new Uint8Array(20);
      padded.set(payload.subarray(0, 20));
      padded[12] = 0x50;
      dissectTcp(found, padded);
    }
  }
  return found;
}
