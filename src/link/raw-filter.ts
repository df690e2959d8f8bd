/**
 * What a raw socket is given to read: only packets for one address and its ports. A raw socket gets a copy of every packet of its
 * protocol that is for this machine; so the kernel is handed a program (classic BPF, SO_ATTACH_FILTER) that looks before it copies.
 *
 * Over IPv4 a raw socket's packets begin at the IP header, over IPv6 behind it; the header itself is reached from there
 * by negative offsets (Linux Documentation/networking/filter.rst, SKF_NET_OFF).
 */
import type { IpAddress } from '../wire/address.ts';
import { ICMP_HEADER_LENGTH, ICMP_PARAMETER_PROBLEM, ICMP_TIME_EXCEEDED, ICMP_UNREACHABLE } from '../wire/icmp.ts';
import type { PortRange } from './raw-ports.ts';

/** Instructions: load a word, a half word, a byte at a fixed offset or behind X; X from an IPv4 header's length; jumps; return. */
const LD_W = 0x20;
const LD_H = 0x28;
const LD_B = 0x30;
const LD_W_X = 0x40;
const LD_H_X = 0x48;
const LD_B_X = 0x50;
const LDX_HEADER = 0xb1;
const AND = 0x54;
const SHIFT_LEFT = 0x64;
const ADD_X = 0x0c;
const TO_X = 0x07;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER = 0x25;
const JUMP_GREATER_EQUAL = 0x35;
const RETURN = 0x06;

const SKF_NET_OFF = -0x100000;
const WHOLE = 0xffff_ffff;
const ICMP_HEADER = ICMP_HEADER_LENGTH;
const TCP = 6;
const UDP = 17;
const IPV6_HEADER = 40;
const BYTES = 8;

/** Where a jump goes: so many instructions further than the next, or to one of the ends. */
type Target = number | 'accept' | 'reject';
interface Instruction {
  readonly code: number;
  readonly k: number;
  readonly ifTrue?: Target;
  readonly ifFalse?: Target;
}

const load = (code: number, k: number): Instruction => ({ code, k });
const mustEqual = (k: number): Instruction => ({ code: JUMP_EQUAL, k, ifTrue: 0, ifFalse: 'reject' });

/** TCP or UDP to the address and to one of its ports. */
export function portFilter(address: IpAddress, ports: readonly PortRange[]): Uint8Array<ArrayBuffer> {
  const port = address.family === 4 ? [load(LDX_HEADER, 0), load(LD_H_X, 2)] : [load(LD_H, 2)];
  return assemble([...destinationIs(address), ...port, ...oneOf(ports)]);
}

/** ICMP errors to the address about TCP or UDP packets from one of its ports. */
export function errorFilter(address: IpAddress, ports: readonly PortRange[]): Uint8Array<ArrayBuffer> {
  const quoted = address.family === 4 ? quoted4(address) : quoted6(address);
  return assemble([...destinationIs(address), ...quoted, ...oneOf(ports)]);
}

function quoted4(address: IpAddress): Instruction[] {
  return [
    load(LDX_HEADER, 0),
    load(LD_B_X, 0),
    ...anyOf([ICMP_UNREACHABLE, ICMP_TIME_EXCEEDED, ICMP_PARAMETER_PROBLEM]),
    load(LD_B_X, ICMP_HEADER + 9),
    ...anyOf([TCP, UDP]),
    load(LD_W_X, ICMP_HEADER + 12),
    mustEqual(address.w3),
    // The length of the quoted header, added to that of the packet's own.
    load(LD_B_X, ICMP_HEADER),
    load(AND, 0xf),
    load(SHIFT_LEFT, 2),
    load(ADD_X, 0),
    load(TO_X, 0),
    load(LD_H_X, ICMP_HEADER),
  ];
}

function quoted6(address: IpAddress): Instruction[] {
  return [
    load(LD_B, 0),
    // RFC 4443 2.1: errors are the types up to 127; those that exist are 1 to 4.
    { code: JUMP_GREATER, k: 4, ifTrue: 'reject', ifFalse: 0 },
    load(LD_B, ICMP_HEADER + 6),
    ...anyOf([TCP, UDP]),
    ...words(address).flatMap((word, i) => [load(LD_W, ICMP_HEADER + 8 + 4 * i), mustEqual(word)]),
    load(LD_H, ICMP_HEADER + IPV6_HEADER),
  ];
}

function destinationIs(address: IpAddress): Instruction[] {
  if (address.family === 4) return [load(LD_W, 16), mustEqual(address.w3)];
  return words(address).flatMap((word, i) => [load(LD_W, SKF_NET_OFF + 24 + 4 * i), mustEqual(word)]);
}

function words({ w0, w1, w2, w3 }: IpAddress): number[] {
  return [w0, w1, w2, w3];
}

/** Goes on when the accumulator is one of the values. */
function anyOf(values: readonly number[]): Instruction[] {
  const after = (i: number) => values.length - 1 - i;
  return values.map((k, i) => ({ code: JUMP_EQUAL, k, ifTrue: after(i), ifFalse: after(i) === 0 ? 'reject' : 0 }));
}

/** Accepts when the accumulator lies in one of the ranges, which are in ascending order; rejects otherwise. */
function oneOf(ports: readonly PortRange[]): Instruction[] {
  return ports.flatMap(({ first, last }): Instruction[] => [
    { code: JUMP_GREATER_EQUAL, k: first, ifTrue: 0, ifFalse: 'reject' },
    { code: JUMP_GREATER, k: last, ifTrue: 0, ifFalse: 'accept' },
  ]);
}

/** `struct sock_filter` one after the other. The ends follow: whoever falls through is rejected. */
function assemble(program: readonly Instruction[]): Uint8Array<ArrayBuffer> {
  const ends = { reject: program.length, accept: program.length + 1 };
  const whole = [...program, load(RETURN, 0), load(RETURN, WHOLE)];
  const bytes = new Uint8Array(BYTES * whole.length);
  const view = new DataView(bytes.buffer);
  for (const [i, { code, k, ifTrue = 0, ifFalse = 0 }] of whole.entries()) {
    const distance = (target: Target) => (typeof target === 'number' ? target : ends[target] - i - 1);
    view.setUint16(BYTES * i, code, true);
    view.setUint8(BYTES * i + 2, distance(ifTrue));
    view.setUint8(BYTES * i + 3, distance(ifFalse));
    view.setUint32(BYTES * i + 4, k, true);
  }
  return bytes;
}
