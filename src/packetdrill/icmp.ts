/** ICMP messages: the script's, about the connection under test or echo requests, and what the host answers. */
import { PROTOCOL_UDP } from '../wire/ipv4.ts';
import { ScriptFailure, UnsupportedFeature } from './errors.ts';
import type { Flow } from './flow.ts';
import { icmpTypes } from './icmp-types.ts';
import { type Addresses, headerLengthOf } from './ip-header.ts';
import type { IcmpSpec, QuotedSpec } from './script.ts';
import { buildIcmp, buildSegment, type IcmpPacket } from './segment.ts';

/** What an error quotes of a packet behind its IP header: eight bytes, RFC 792; ICMPv6 may quote more, and packetdrill does not. */
const QUOTED = 8;
/** Where the protocol's number stands in a header. */
const PROTOCOL_AT = { 4: 9, 6: 6 } as const;

/**
 * @param flow what the message is about; an echo is about nothing
 * @param addresses who says so to whom
 * @throws UnsupportedFeature, ScriptFailure
 */
export function icmpPacket(spec: IcmpSpec, flow: Flow | undefined, { source, destination }: Addresses): Uint8Array {
  const { family } = source;
  const { type, code, quotes } = numbersOf(spec, family);
  if (!quotes) return buildIcmp({ source, destination }, { type, code, word: (spec.id ?? 0) << 16 }, new Uint8Array(8));
  const body = quotation(spec.quoted, flow);
  return buildIcmp({ source, destination: flow?.ends.local ?? destination }, { type, code, word: spec.mtu ?? 0 }, body);
}

/** @returns what is wrong with a message of the host's; undefined: nothing */
export function icmpMismatch(spec: IcmpSpec, message: IcmpPacket, flow: Flow | undefined): string | undefined {
  const { family, body } = message;
  const { type, code } = numbersOf(spec, family);
  if (message.type !== type) return `its type is ${message.type}, not ${type}`;
  if (message.code !== code) return `its code is ${message.code}, not ${code}`;
  const mtu = family === 4 ? message.word & 0xffff : message.word;
  const id = message.word >>> 16;
  if (spec.mtu !== undefined && mtu !== spec.mtu) return `its MTU is ${mtu}, not ${spec.mtu}`;
  if (spec.id !== undefined && id !== spec.id) return `its identifier is ${id}, not ${spec.id}`;
  if (spec.quoted?.protocol !== 'tcp') return undefined;
  const at = family === 4 ? 20 : 40;
  if (body.length < at + QUOTED) return 'it quotes less than the header and eight bytes';
  const seq = flow?.quotedByHost(new DataView(body.buffer, body.byteOffset).getUint32(at + 4));
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
  const known = Object.entries(icmpTypes(message.family)).find(([, { type }]) => type === message.type);
  const code = Object.entries(known?.[1].codes ?? {}).find(([, number]) => number === message.code);
  return `> icmp ${known?.[0] ?? message.type} ${code?.[0] ?? message.code}`;
}

function numbersOf({ type: name, code }: IcmpSpec, family: 4 | 6): { type: number; code: number; quotes: boolean } {
  const types = icmpTypes(family);
  const known = types[name] ?? Object.values(types).find(({ type }) => String(type) === name);
  const type = known?.type ?? Number(name);
  const words = family === 4 ? 'ICMP' : 'ICMPv6';
  if (!Number.isInteger(type) || type > 255) throw noSuch(`type ${name}`, family);
  const number = code === undefined ? 0 : (known?.codes?.[code] ?? Number(code));
  if (!Number.isInteger(number) || number > 255) throw new ScriptFailure(`${words} ${name} has no code ${code}`);
  return { type, code: number, quotes: known?.quotes === true };
}

/** What the other family has is unsupported here, so that a script of one is not failed by the other. */
function noSuch(what: string, family: 4 | 6): Error {
  const known = icmpTypes(family === 4 ? 6 : 4)[what.slice('type '.length)] !== undefined;
  if (known) return new UnsupportedFeature(`ICMP ${what} over IPv${family}`);
  return new ScriptFailure(`there is no ICMP ${what}`);
}

/** What an error quotes; without a word of the script's the SYN while that is all there is, then the first byte. */
function quotation(quoted: QuotedSpec | undefined, flow: Flow | undefined): Uint8Array {
  if (flow === undefined) throw new ScriptFailure('there is no connection yet that ICMP could speak of');
  const { local, remote } = flow.ends;
  const ends = { source: local, sourcePort: flow.localPort, destination: remote, destinationPort: flow.remotePort };
  const length = quoted?.length ?? 0;
  const segment = { tos: 0, ttl: 64, flowLabel: 0, flags: 0, ack: 0, win: 0, urg: 0, options: [], length };
  const relative = quoted?.protocol === 'tcp' ? quoted.seq : flow.opening ? 0 : 1;
  const end = headerLengthOf(local) + QUOTED;
  const bytes = buildSegment(ends, { ...segment, seq: flow.quotedSeq(relative) }).subarray(0, end);
  // The protocol's number is part of the header, whose checksum nobody can trust in a quotation.
  if (quoted !== undefined && quoted.protocol !== 'tcp')
    bytes[PROTOCOL_AT[local.family]] = quoted.protocol === 'udp' ? PROTOCOL_UDP : 255;
  return bytes;
}
