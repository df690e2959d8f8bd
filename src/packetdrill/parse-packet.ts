/** Packets: `< [ect0] P. 1:1001(1000) ack 1 win 257 <nop,nop,TS val 100 ecr 200>`, UDP, and ICMP. */
import { flagsOfAce } from '../wire/ecn.ts';
import { ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG } from '../wire/tcp.ts';
import { parseOptions } from './parse-options.ts';
import type { Scanner } from './scanner.ts';
import type { IcmpSpec, IpSpec, PacketAction, PacketSpec, QuotedSpec, TcpSpec } from './script.ts';

export const FLAG_LETTERS: readonly (readonly [letter: string, bit: number])[] = [
  ['F', FIN],
  ['S', SYN],
  ['R', RST],
  ['P', PSH],
  ['U', URG],
  ['E', ECE],
  ['W', CWR],
  ['A', AE],
  ['.', ACK],
];

const ECN_NAMES: Record<string, number | 'ect'> = { noecn: 0, ect1: 1, ect0: 2, ce: 3, ect01: 'ect' };
const WORD = /[A-Za-z_]\w*/y;
const UNSIGNED = /0[xX][0-9a-fA-F]+|\d+/y;
/** A digit is Accurate ECN's ACE field: `.5` is `EA.`. */
const FLAGS = /[FSRPUEWA.0-7]+|-|\*/y;

export function parsePacket(scanner: Scanner): PacketAction {
  const direction = scanner.takes('<') ? 'in' : 'out';
  if (direction === 'out') scanner.must('>');
  return { kind: 'packet', direction, packet: parseContents(scanner) };
}

function parseContents(scanner: Scanner): PacketSpec {
  const outer = scanner.take(/(?:ipv4|ipv6|gre|mpls|UDP)\b[^\n]*/y);
  if (outer !== undefined) return { protocol: 'other', what: `a packet in ${outer.split(/\W/, 1)[0]}` };
  const ip = parseIpInfo(scanner);
  if (scanner.take(/udp\b/y) !== undefined) {
    scanner.must('(');
    const length = unsigned(scanner, 'a payload length');
    scanner.must(')');
    return { protocol: 'udp', ip, length };
  }
  if (scanner.take(/icmp(?:v4|v6)?\b/y) !== undefined) return parseIcmp(scanner, ip);
  return parseTcp(scanner, ip);
}

/** `[ect0]`, `(tos 0x10, ttl 64)`. */
function parseIpInfo(scanner: Scanner): IpSpec {
  const end = scanner.takes('[') ? ']' : scanner.takes('(') ? ')' : undefined;
  if (end === undefined) return {};
  let ip: IpSpec = {};
  do {
    const word = scanner.mustTake(WORD, 'noecn, ect0, ect1, ect01, ce, tos, ttl or flowlabel');
    const ecn = ECN_NAMES[word];
    if (ecn !== undefined) ip = { ...ip, ecn };
    else if (word === 'tos') ip = { ...ip, tos: unsigned(scanner, 'a type of service') };
    else if (word === 'ttl') ip = { ...ip, ttl: unsigned(scanner, 'a time to live') };
    else if (word === 'flowlabel') ip = { ...ip, flowLabel: unsigned(scanner, 'a flow label') };
    else throw scanner.error(`\`${word}\` is nothing that an IP header has`);
  } while (scanner.takes(','));
  scanner.must(end);
  return ip;
}

function parseTcp(scanner: Scanner, ip: IpSpec): TcpSpec {
  const flags = parseFlags(scanner);
  const place = scanner.place;
  const seq = unsigned(scanner, 'a sequence number');
  scanner.must(':');
  const end = unsigned(scanner, 'the end of the sequence numbers');
  scanner.must('(');
  const length = unsigned(scanner, 'the payload length');
  scanner.must(')');
  if ((seq + length) >>> 0 !== end >>> 0) throw scanner.error(`${seq} and ${length} bytes do not end at ${end}`, place);
  const ack = scanner.take(/ack\b/y) === undefined ? undefined : unsigned(scanner, 'an acknowledgment number');
  const win = scanner.take(/win\b/y) === undefined ? undefined : unsigned(scanner, 'a window');
  const urg = scanner.take(/urg\b/y) === undefined ? undefined : unsigned(scanner, 'an urgent pointer');
  return { protocol: 'tcp', ip, flags, seq, length, ack, win, urg, options: parseOptions(scanner) };
}

function parseFlags(scanner: Scanner): number | 'any' {
  const place = scanner.place;
  const letters = scanner.mustTake(FLAGS, 'TCP flags such as `S.`, `P.`, `-` (none) or `*` (any)');
  if (letters === '*') return 'any';
  let flags = 0;
  for (const [letter, bit] of FLAG_LETTERS) if (letters.includes(letter)) flags |= bit;
  const ace = /[0-7]/.exec(letters);
  if (ace !== null) {
    if (/[EWA]/.test(letters)) throw scanner.error('the ACE field stands there as a digit, and as E, W or A', place);
    flags |= flagsOfAce(Number(ace[0]));
  }
  if (new Set(letters).size !== letters.length) throw scanner.error('a flag stands there twice', place);
  return flags;
}

/** `unreachable frag_needed mtu 1400 [1:1461(1460)]`, `echo_request id 7`. */
function parseIcmp(scanner: Scanner, ip: IpSpec): IcmpSpec {
  const type = scanner.mustTake(/\w+/y, 'an ICMP type');
  // On the same line: what follows on the next one is the next event.
  const code = scanner.takeHere(/[ \t]+(?!(?:mtu|id)\b)\w+/y)?.trim();
  const mtu = scanner.take(/mtu\b/y) === undefined ? undefined : unsigned(scanner, 'an MTU');
  const id = scanner.take(/id\b/y) === undefined ? undefined : unsigned(scanner, 'the identifier of an echo');
  const quoted = scanner.takes('[') ? parseQuoted(scanner) : undefined;
  return { protocol: 'icmp', ip, type, code, mtu, id, quoted };
}

function parseQuoted(scanner: Scanner): QuotedSpec {
  const protocol = scanner.take(/(?:udp|raw)\b/y) as 'udp' | 'raw' | undefined;
  let quoted: QuotedSpec;
  if (protocol === undefined) {
    const seq = unsigned(scanner, 'a sequence number');
    scanner.must(':');
    unsigned(scanner, 'the end of the sequence numbers');
    scanner.must('(');
    quoted = { protocol: 'tcp', seq, length: unsigned(scanner, 'the payload length') };
  } else {
    scanner.must('(');
    quoted = { protocol, length: unsigned(scanner, 'the payload length') };
  }
  scanner.must(')');
  scanner.must(']');
  return quoted;
}

function unsigned(scanner: Scanner, what: string): number {
  return Number(scanner.mustTake(UNSIGNED, what));
}
