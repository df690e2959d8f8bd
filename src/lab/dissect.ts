/**
 * The readable dissector: a packet's bytes to a plain object, and to one line of text. For people, not for the hot path
 * (docs/decisions/binary-parser.md): the headers are declared once, field by field, as the RFCs draw them.
 */
// The package's entry for `import` has no types; this, its other entry, has.
import { Parser } from 'binary-parser/dist/binary_parser.js';
import { IpAddress } from '../wire/address.ts';
import { fold, sum } from '../wire/checksum.ts';
import { isIcmpError } from '../wire/icmp.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ipv4.ts';
import { optionListText, readOptions, type TcpOption } from './dissect-options.ts';

export interface DissectedIp {
  readonly version: number;
  /** Bytes. */
  readonly headerLength: number;
  readonly tos: number;
  readonly totalLength: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** Bytes. */
  readonly fragmentOffset: number;
  readonly ttl: number;
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  /** The header checksum is right. (Transport checksums are not looked at: an offloading link leaves them to the device.) */
  readonly checksumOk: boolean;
}

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
  /** The two halves of the four bytes after the checksum: identifier and sequence of an echo; the second is the MTU of "fragmentation needed". */
  readonly high: number;
  readonly low: number;
  /** The packet that an error quotes; it is cut short, so it usually has an `error` itself. */
  readonly quoted?: Dissected;
}

export interface DissectedDns {
  readonly id: number;
  readonly response: boolean;
  readonly opcode: number;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly recursionDesired: boolean;
  readonly recursionAvailable: boolean;
  readonly rcode: number;
  readonly questions: number;
  readonly answers: number;
  readonly authorities: number;
  readonly additionals: number;
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

// RFC 1035 4.1.1
const dnsHeader = new Parser()
  .uint16('id')
  .bit1('response')
  .bit4('opcode')
  .bit1('authoritative')
  .bit1('truncated')
  .bit1('recursionDesired')
  .bit1('recursionAvailable')
  .bit3('reserved')
  .bit4('rcode')
  .uint16('questions')
  .uint16('answers')
  .uint16('authorities')
  .uint16('additionals');

/** Fields as the package reads them: flags are 0 or 1. */
type Raw<T> = { readonly [K in keyof T]: T[K] extends boolean ? number : T[K] } & { readonly reserved: number };
type RawIp = Raw<Omit<DissectedIp, 'headerLength' | 'fragmentOffset' | 'checksumOk'>> & {
  readonly headerWords: number;
  readonly fragmentUnits: number;
  readonly checksum: number;
};
type RawTcp = Raw<Omit<DissectedTcp, 'headerLength' | 'options'>> & { readonly headerWords: number };

/** Reads a packet that starts with its IPv4 header. Never throws: garbage gives `error`. */
export function dissect(bytes: Uint8Array): Dissected {
  const found: Dissected = {};
  if (bytes.length < 20) return fault(found, `IPv4 header cut short: ${bytes.length} of 20 bytes`);
  const {
    headerWords,
    fragmentUnits,
    dontFragment,
    moreFragments,
    checksum: _,
    reserved: __,
    ...plain
  } = ipv4Header.parse(bytes) as RawIp;
  const { version, totalLength, protocol } = plain;
  const headerLength = headerWords * 4;
  if (version !== 4) return fault(found, `not IPv4: version ${version}`);
  if (headerLength < 20) return fault(found, `IPv4 header length ${headerLength} is below 20`);
  if (headerLength > bytes.length)
    return fault(found, `IPv4 header cut short: ${bytes.length} of ${headerLength} bytes`);
  found.ip = {
    ...plain,
    headerLength,
    dontFragment: dontFragment === 1,
    moreFragments: moreFragments === 1,
    fragmentOffset: fragmentUnits * 8,
    checksumOk: fold(sum(new DataView(bytes.buffer, bytes.byteOffset), 0, headerLength)) === 0xffff,
  };
  if (totalLength < headerLength)
    return fault(found, `IPv4 total length ${totalLength} is below its header's ${headerLength}`);
  if (totalLength > bytes.length) fault(found, `packet cut short: ${bytes.length} of ${totalLength} bytes`);
  found.payload = bytes.subarray(headerLength, totalLength);
  if (found.ip.fragmentOffset > 0) return found;
  if (protocol === PROTOCOL_TCP) dissectTcp(found, found.payload);
  else if (protocol === PROTOCOL_UDP) dissectUdp(found, found.payload);
  else if (protocol === PROTOCOL_ICMP) dissectIcmp(found, found.payload);
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
  if (dnsPort && found.payload.length >= 12) found.dns = dissectDns(found.payload);
}

function dissectDns(bytes: Uint8Array): DissectedDns {
  const { reserved: _, ...fields } = dnsHeader.parse(bytes) as Raw<DissectedDns>;
  return {
    ...fields,
    response: fields.response === 1,
    authoritative: fields.authoritative === 1,
    truncated: fields.truncated === 1,
    recursionDesired: fields.recursionDesired === 1,
    recursionAvailable: fields.recursionAvailable === 1,
  };
}

function dissectIcmp(found: Dissected, bytes: Uint8Array): void {
  if (bytes.length < 8) {
    fault(found, `ICMP header cut short: ${bytes.length} of 8 bytes`);
    return;
  }
  const icmp = icmpHeader.parse(bytes) as DissectedIcmp;
  found.payload = bytes.subarray(8);
  // RFC 1122 3.2.2 forbids an error about an error; garbage may nest them, so what is quoted in a quote is not read.
  const quoted = isIcmpError(icmp.type) ? dissectQuoted(found.payload) : undefined;
  found.icmp = quoted === undefined ? icmp : { ...icmp, quoted };
}

function dissectQuoted(bytes: Uint8Array): Dissected {
  if (bytes.length > 9 && bytes[9] === PROTOCOL_ICMP) return { error: 'quotes an ICMP message' };
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

const UNREACHABLE = [
  'net',
  'host',
  'protocol',
  'port',
  'fragmentation needed',
  'source route failed',
  'net unknown',
  'host unknown',
  'host isolated',
  'net prohibited',
  'host prohibited',
  'net for this TOS',
  'host for this TOS',
  'admin prohibited',
  'precedence violation',
  'precedence cutoff',
];

/** One line about a packet, in the words of tcpdump. Never throws. */
export function describe(bytes: Uint8Array): string {
  const found = dissect(bytes);
  const { ip, tcp, udp } = found;
  const wrong = found.error === undefined ? '' : ` [${found.error}]`;
  if (ip === undefined) return `IP${wrong}`;
  const ports = tcp ?? udp;
  const ends =
    ports === undefined
      ? `${ip.source} > ${ip.destination}`
      : `${ip.source}.${ports.sourcePort} > ${ip.destination}.${ports.destinationPort}`;
  const checksum = ip.checksumOk ? '' : ' [bad IP checksum]';
  return `IP ${ends}: ${describePayload(found)}${checksum}${wrong}`;
}

/** What `describe` says after the addresses: protocol, its numbers, length. */
export function describePayload(found: Dissected): string {
  const { ip, tcp, udp, icmp, dns, payload } = found;
  const length = payload?.length ?? 0;
  if (ip === undefined) return found.error ?? 'nothing';
  if (tcp !== undefined) return describeTcp(tcp, length);
  if (dns !== undefined) return describeDns(dns, length);
  if (udp !== undefined) return `UDP, length ${length}`;
  if (icmp !== undefined) return `ICMP ${describeIcmp(icmp)}, length ${length + 8}`;
  if (ip.fragmentOffset > 0) return `fragment of ${ip.identification} at ${ip.fragmentOffset}, length ${length}`;
  return `protocol ${ip.protocol}, length ${length}`;
}

function describeTcp(tcp: DissectedTcp, length: number): string {
  const letters = [...'FSRP.UEWe'].filter((_, bit) => tcp.flags & (1 << bit)).join('');
  const words = [`Flags [${letters === '' ? 'none' : letters}]`];
  const end = (tcp.seq + length) >>> 0;
  // As tcpdump: the sequence number is told when the segment takes up sequence space.
  if (length > 0) words.push(`seq ${tcp.seq}:${end}`);
  else if ((tcp.flags & 0b111) !== 0) words.push(`seq ${tcp.seq}`);
  if ((tcp.flags & 0x10) !== 0) words.push(`ack ${tcp.ack}`);
  words.push(`win ${tcp.window}`);
  if ((tcp.flags & 0x20) !== 0) words.push(`urg ${tcp.urgentPointer}`);
  if (tcp.options.length > 0) words.push(`options [${optionListText(tcp.options).join(',')}]`);
  return [...words, `length ${length}`].join(', ');
}

function describeDns(dns: DissectedDns, length: number): string {
  const counts = dns.response ? `${dns.answers} answers, rcode ${dns.rcode}` : `${dns.questions} questions`;
  return `DNS ${dns.response ? 'response' : 'query'} ${dns.id}, ${counts}, length ${length}`;
}

function describeIcmp(icmp: DissectedIcmp): string {
  const { type, code, high, low } = icmp;
  const about = icmp.quoted?.ip === undefined ? '' : ` (about ${describeEnds(icmp.quoted)})`;
  if (type === 0 || type === 8) return `echo ${type === 0 ? 'reply' : 'request'}, id ${high}, seq ${low}`;
  if (type === 3) {
    const mtu = code === 4 ? `, mtu ${low}` : '';
    return `unreachable: ${UNREACHABLE[code] ?? `code ${code}`}${mtu}${about}`;
  }
  if (type === 11) return `time exceeded ${code === 0 ? 'in transit' : 'in reassembly'}${about}`;
  if (type === 12) return `parameter problem at byte ${high >>> 8}${about}`;
  return `type ${type}, code ${code}${about}`;
}

function describeEnds(found: Dissected): string {
  const ports = found.tcp ?? found.udp;
  const [from, to] = ports === undefined ? ['', ''] : [`.${ports.sourcePort}`, `.${ports.destinationPort}`];
  return `${found.ip?.source}${from} > ${found.ip?.destination}${to}`;
}
