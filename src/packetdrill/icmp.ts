/** ICMP messages: the script's, about the connection under test or echo requests, and what the host answers. */
import {
  ICMP_ADMIN_PROHIBITED,
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMP_FRAGMENTATION_NEEDED,
  ICMP_HOST_ISOLATED,
  ICMP_HOST_PROHIBITED,
  ICMP_HOST_TOS,
  ICMP_HOST_UNKNOWN,
  ICMP_HOST_UNREACHABLE,
  ICMP_NET_PROHIBITED,
  ICMP_NET_TOS,
  ICMP_NET_UNKNOWN,
  ICMP_NET_UNREACHABLE,
  ICMP_PARAMETER_PROBLEM,
  ICMP_PORT_UNREACHABLE,
  ICMP_PRECEDENCE_CUTOFF,
  ICMP_PRECEDENCE_VIOLATION,
  ICMP_PROTOCOL_UNREACHABLE,
  ICMP_REDIRECT,
  ICMP_SOURCE_QUENCH,
  ICMP_SOURCE_ROUTE_FAILED,
  ICMP_TIME_EXCEEDED,
  ICMP_UNREACHABLE,
} from '../wire/icmp.ts';
import { IPV4_HEADER_LENGTH, PROTOCOL_UDP } from '../wire/ipv4.ts';
import { ScriptFailure, UnsupportedFeature } from './errors.ts';
import type { Flow } from './flow.ts';
import type { IcmpSpec, QuotedSpec } from './script.ts';
import { buildIcmp, buildSegment, type IcmpPacket } from './segment.ts';

interface IcmpType {
  readonly type: number;
  readonly codes?: Readonly<Record<string, number>>;
}

/** As packetdrill names types, and the codes of those that have several. */
const TYPES: Readonly<Record<string, IcmpType>> = {
  echo_reply: { type: ICMP_ECHO_REPLY },
  unreachable: {
    type: ICMP_UNREACHABLE,
    codes: {
      net_unreachable: ICMP_NET_UNREACHABLE,
      host_unreachable: ICMP_HOST_UNREACHABLE,
      protocol_unreachable: ICMP_PROTOCOL_UNREACHABLE,
      port_unreachable: ICMP_PORT_UNREACHABLE,
      frag_needed: ICMP_FRAGMENTATION_NEEDED,
      source_route_failed: ICMP_SOURCE_ROUTE_FAILED,
      net_unknown: ICMP_NET_UNKNOWN,
      host_unknown: ICMP_HOST_UNKNOWN,
      host_isolated: ICMP_HOST_ISOLATED,
      source_host_isolated: ICMP_HOST_ISOLATED,
      net_prohibited: ICMP_NET_PROHIBITED,
      host_prohibited: ICMP_HOST_PROHIBITED,
      net_unreachable_for_tos: ICMP_NET_TOS,
      host_unreachable_for_tos: ICMP_HOST_TOS,
      packet_filtered: ICMP_ADMIN_PROHIBITED,
      precedence_violation: ICMP_PRECEDENCE_VIOLATION,
      precedence_cutoff: ICMP_PRECEDENCE_CUTOFF,
    },
  },
  source_quench: { type: ICMP_SOURCE_QUENCH },
  redirect: {
    type: ICMP_REDIRECT,
    codes: { net_redirect: 0, host_redirect: 1, net_redirect_for_tos: 2, host_redirect_for_tos: 3 },
  },
  echo_request: { type: ICMP_ECHO_REQUEST },
  time_exceeded: { type: ICMP_TIME_EXCEEDED, codes: { ttl_exceeded: 0, reassembly_time_exceeded: 1 } },
  parameter_problem: { type: ICMP_PARAMETER_PROBLEM },
  timestamp_request: { type: 13 },
  timestamp_reply: { type: 14 },
  info_request: { type: 15 },
  info_reply: { type: 16 },
  address_mask_request: { type: 17 },
  address_mask_reply: { type: 18 },
};

/** Those that quote the packet that they are about. */
const ERRORS = [ICMP_UNREACHABLE, ICMP_SOURCE_QUENCH, ICMP_REDIRECT, ICMP_TIME_EXCEEDED, ICMP_PARAMETER_PROBLEM];
/** What an error quotes of a packet: the IP header and eight bytes, RFC 792. */
const QUOTED = IPV4_HEADER_LENGTH + 8;

/**
 * @param flow what the message is about; an echo is about nothing
 * @param from who says so to whom, int32
 * @throws UnsupportedFeature, ScriptFailure
 */
export function icmpPacket(spec: IcmpSpec, flow: Flow | undefined, from: number, to: number): Uint8Array {
  const { type, code } = numbersOf(spec);
  if (!ERRORS.includes(type)) return buildIcmp(from, to, { type, code, word: (spec.id ?? 0) << 16 }, new Uint8Array(8));
  const body = quotation(spec.quoted, flow);
  return buildIcmp(from, flow?.ends.local ?? to, { type, code, word: spec.mtu ?? 0 }, body);
}

/** @returns what is wrong with a message of the host's; undefined: nothing */
export function icmpMismatch(spec: IcmpSpec, message: IcmpPacket, flow: Flow | undefined): string | undefined {
  const { type, code } = numbersOf(spec);
  if (message.type !== type) return `its type is ${message.type}, not ${type}`;
  if (message.code !== code) return `its code is ${message.code}, not ${code}`;
  const [high, low] = [message.word >>> 16, message.word & 0xffff];
  if (spec.mtu !== undefined && low !== spec.mtu) return `its MTU is ${low}, not ${spec.mtu}`;
  if (spec.id !== undefined && high !== spec.id) return `its identifier is ${high}, not ${spec.id}`;
  if (spec.quoted?.protocol !== 'tcp') return undefined;
  const { body } = message;
  if (body.length < QUOTED) return 'it quotes less than the header and eight bytes';
  const seq = flow?.quotedByHost(new DataView(body.buffer, body.byteOffset).getUint32(IPV4_HEADER_LENGTH + 4));
  return seq === spec.quoted.seq ? undefined : `it quotes sequence number ${seq}, not ${spec.quoted.seq}`;
}

/** As a script writes it. */
export function icmpText(direction: 'in' | 'out', { type, code, mtu, id }: IcmpSpec): string {
  const words = [direction === 'in' ? '<' : '>', 'icmp', type, code ?? ''];
  if (mtu !== undefined) words.push(`mtu ${mtu}`);
  if (id !== undefined) words.push(`id ${id}`);
  return words.filter((word) => word !== '').join(' ');
}

/** A message of the host's, likewise. */
export function icmpMessageText(message: IcmpPacket): string {
  const known = Object.entries(TYPES).find(([, { type }]) => type === message.type);
  const code = Object.entries(known?.[1].codes ?? {}).find(([, number]) => number === message.code);
  return `> icmp ${known?.[0] ?? message.type} ${code?.[0] ?? message.code}`;
}

function numbersOf({ type: name, code }: IcmpSpec): { type: number; code: number } {
  if (name === 'packet_too_big') throw new UnsupportedFeature('IPv6');
  const known = TYPES[name];
  const type = known?.type ?? Number(name);
  if (!Number.isInteger(type) || type > 255) throw new ScriptFailure(`there is no ICMP type ${name}`);
  const number = code === undefined ? 0 : (known?.codes?.[code] ?? Number(code));
  if (!Number.isInteger(number) || number > 255) throw new ScriptFailure(`ICMP ${name} has no code ${code}`);
  return { type, code: number };
}

/** What an error quotes; without a word of the script's the SYN while that is all there is, then the first byte. */
function quotation(quoted: QuotedSpec | undefined, flow: Flow | undefined): Uint8Array {
  if (flow === undefined) throw new ScriptFailure('there is no connection yet that ICMP could speak of');
  const { local, remote } = flow.ends;
  const ends = { source: local, sourcePort: flow.localPort, destination: remote, destinationPort: flow.remotePort };
  const segment = { tos: 0, ttl: 64, flags: 0, ack: 0, win: 0, urg: 0, options: [], length: quoted?.length ?? 0 };
  const relative = quoted?.protocol === 'tcp' ? quoted.seq : flow.opening ? 0 : 1;
  const bytes = buildSegment(ends, { ...segment, seq: flow.quotedSeq(relative) }).subarray(0, QUOTED);
  // The protocol's number is part of the header, whose checksum nobody can trust in a quotation.
  if (quoted !== undefined && quoted.protocol !== 'tcp') bytes[9] = quoted.protocol === 'udp' ? PROTOCOL_UDP : 255;
  return bytes;
}
