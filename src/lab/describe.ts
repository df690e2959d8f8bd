/** One line of text about a packet, in the words of tcpdump. */
import { type Dissected, type DissectedDns, type DissectedIcmp, type DissectedTcp, dissect } from './dissect.ts';
import { optionListText } from './dissect-options.ts';

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
  const name = ip.version === 6 ? 'IP6' : 'IP';
  const ports = tcp ?? udp;
  const ends =
    ports === undefined
      ? `${ip.source} > ${ip.destination}`
      : `${ip.source}.${ports.sourcePort} > ${ip.destination}.${ports.destinationPort}`;
  const checksum = ip.checksumOk ? '' : ' [bad IP checksum]';
  return `${name} ${ends}: ${describePayload(found)}${checksum}${wrong}`;
}

/** What `describe` says after the addresses: protocol, its numbers, length. */
export function describePayload(found: Dissected): string {
  const { ip, tcp, udp, icmp, dns, payload } = found;
  const length = payload?.length ?? 0;
  if (ip === undefined) return found.error ?? 'nothing';
  if (tcp !== undefined) return describeTcp(tcp, length);
  if (dns !== undefined) return describeDns(dns, length);
  if (udp !== undefined) return `UDP, length ${length}`;
  if (icmp !== undefined && ip.version === 6) return `ICMPv6 ${describeIcmp6(icmp)}, length ${length + 8}`;
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
  const { questions, answers, rcode } = dns;
  const asked = questions.join(', ');
  if (!dns.response) return `DNS query ${dns.id}: ${asked}, length ${length}`;
  const said = rcode === 'NOERROR' ? answers.join(', ') || 'no answer' : rcode;
  return `DNS response ${dns.id}: ${asked}: ${said}${dns.truncated ? ', truncated' : ''}, length ${length}`;
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

const UNREACHABLE6 = ['no route', 'prohibited', 'beyond scope', 'address', 'port', 'policy failed', 'reject route'];
const PROBLEM6 = ['header field', 'next header', 'option', 'incomplete first fragment'];
/** RFC 4861 4: neighbour discovery. */
const DISCOVERY = [
  'router solicitation',
  'router advertisement',
  'neighbour solicitation',
  'neighbour advertisement',
  'redirect',
];

function describeIcmp6(icmp: DissectedIcmp): string {
  const { type, code, high, low } = icmp;
  const about = icmp.quoted?.ip === undefined ? '' : ` (about ${describeEnds(icmp.quoted)})`;
  const parameter = high * 65_536 + low;
  if (type === 128 || type === 129) return `echo ${type === 129 ? 'reply' : 'request'}, id ${high}, seq ${low}`;
  if (type === 1) return `unreachable: ${UNREACHABLE6[code] ?? `code ${code}`}${about}`;
  if (type === 2) return `packet too big, mtu ${parameter}${about}`;
  if (type === 3) return `time exceeded ${code === 0 ? 'in transit' : 'in reassembly'}${about}`;
  if (type === 4) return `parameter problem: ${PROBLEM6[code] ?? `code ${code}`} at byte ${parameter}${about}`;
  return `${DISCOVERY[type - 133] ?? `type ${type}, code ${code}`}${about}`;
}

function describeEnds(found: Dissected): string {
  const ports = found.tcp ?? found.udp;
  const [from, to] = ports === undefined ? ['', ''] : [`.${ports.sourcePort}`, `.${ports.destinationPort}`];
  return `${found.ip?.source}${from} > ${found.ip?.destination}${to}`;
}
