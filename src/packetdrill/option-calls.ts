/** setsockopt and getsockopt. */
import { IPPROTO_TCP, SO_LINGER, SOL_SOCKET, TCP_CONGESTION, TCP_FASTOPEN_KEY } from '../socket/constants.ts';
import { ENOPROTOOPT } from '../socket/errno.ts';
import type { AoAdd, Md5Signature } from '../socket/key-values.ts';
import type { Linger, Timeval } from '../socket/option-value.ts';
import { type Arguments, field, numberOf } from './arguments.ts';
import { expectsErrno, onSocket } from './call-support.ts';
import type { SocketDescriptor } from './descriptors.ts';
import { ScriptFailure, UnsupportedFeature } from './errors.ts';
import { keyValue } from './key-arguments.ts';
import type { CallAction, Expression } from './script.ts';

export function setOptionCall(descriptor: SocketDescriptor | number, call: CallAction, args: Arguments): number {
  return onSocket(descriptor, ({ socket }) => {
    const result = socket.setsockopt(args.number(1), args.number(2), optionValue(call, args));
    if (result === -ENOPROTOOPT && !expectsErrno(call, 'ENOPROTOOPT'))
      throw new UnsupportedFeature(`setsockopt() of ${nameOf(args.at(2))}`);
    return result;
  });
}

export function getOptionCall(descriptor: SocketDescriptor | number, call: CallAction, args: Arguments): number {
  return onSocket(descriptor, ({ socket }) => {
    const [level, option] = [args.number(1), args.number(2)];
    const value = socket.getsockopt(level, option);
    if (value === -ENOPROTOOPT && !expectsErrno(call, 'ENOPROTOOPT'))
      throw new UnsupportedFeature(`getsockopt() of ${nameOf(args.at(2))}`);
    if (typeof value === 'number' && value < 0) return value;
    if (value instanceof Uint8Array) return sameBytes(args.at(3), value);
    const expected = args.at(3);
    if (expected.kind !== 'ellipsis') compareValue(expected, value);
    if (args.count > 4) compareLength(args.boxed(4), value);
    return 0;
  });
}

/** TCP_FASTOPEN_KEY. */
function sameBytes(expected: Expression, bytes: Uint8Array): number {
  const text = hexText(bytes);
  if (expected.kind === 'string' && hexText(bytesOf(expected.value)) !== text) {
    throw new ScriptFailure(`getsockopt() gives the bytes ${text}`);
  }
  return 0;
}

/** A string's characters are its bytes. */
function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** `[1460]`, `"cubic"`, `{onoff=1, linger=5}`, `{tcpi_state=1, tcpi_snd_cwnd=10}`: what is named is compared. */
function compareValue(expected: Expression, value: number | string | object): void {
  if (typeof value === 'object') {
    for (const { name, value: wanted } of fieldsOf(expected)) {
      const found = fieldIn(value as Readonly<Record<string, unknown>>, name);
      if (wanted.kind !== 'ellipsis' && found !== numberOf(wanted)) {
        throw new ScriptFailure(`getsockopt() gives ${name}=${found}, not ${numberOf(wanted)}`);
      }
    }
    return;
  }
  const single = expected.kind === 'list' ? expected.items[0] : expected;
  if (single === undefined || single.kind === 'ellipsis') return;
  const wanted = single.kind === 'string' ? single.value.replace(/\0+$/, '') : numberOf(single);
  if (wanted !== value) throw new ScriptFailure(`getsockopt() gives [${value}], not [${wanted}]`);
}

/** An integer has four bytes, a linger structure eight; names and TCP_INFO have as many as there is room for. */
function compareLength(expected: number | undefined, value: number | string | object): void {
  const length = typeof value === 'number' ? 4 : typeof value === 'object' && 'linger' in value ? 8 : undefined;
  if (expected === undefined || length === undefined || expected === length) return;
  throw new ScriptFailure(`getsockopt() gives a length of [${length}], not [${expected}]`);
}

function fieldsOf(expected: Expression): { name: string; value: Expression }[] {
  const structure = expected.kind === 'list' ? expected.items[0] : expected;
  if (structure?.kind !== 'struct') throw new ScriptFailure('getsockopt() gives a structure: {name=value, ...}');
  return structure.fields.map(({ name, value }) => {
    if (name === undefined) throw new ScriptFailure('a field of a structure has no name');
    return { name, value };
  });
}

/** @throws UnsupportedFeature for a field that the stack does not have */
function fieldIn(structure: Readonly<Record<string, unknown>>, name: string): unknown {
  const found = structure[name] ?? structure[name.replace(/^[a-z]+_/, '')] ?? structure[`tcpi_${name}`];
  if (found === undefined) throw new UnsupportedFeature(`${name} of getsockopt()`);
  return found;
}

/** `{tv_sec=1, tv_usec=500000}`. */
function timevalOf(value: Expression): Timeval {
  const part = (name: string) => numberOf(field(value, name) ?? { kind: 'number', value: 0 });
  return { sec: part('tv_sec'), usec: part('tv_usec') };
}

function optionValue(
  call: CallAction,
  args: Arguments,
): number | string | Timeval | Linger | Uint8Array | Md5Signature | AoAdd {
  const given = args.at(3);
  const value = given.kind === 'list' && given.items.length === 1 ? (given.items[0] as Expression) : given;
  if (value.kind === 'struct' && field(value, 'tv_sec') !== undefined) return timevalOf(value);
  if (value.kind === 'string' && args.number(2) === TCP_CONGESTION && args.number(1) === IPPROTO_TCP)
    return value.value;
  if (value.kind === 'string' && args.number(1) === IPPROTO_TCP && args.number(2) === TCP_FASTOPEN_KEY) {
    const bytes = bytesOf(value.value);
    return bytes.subarray(0, args.count > 4 ? args.number(4) : bytes.length);
  }
  if (value.kind === 'struct' && args.number(1) === SOL_SOCKET && args.number(2) === SO_LINGER) {
    return { onoff: numberIn(value, 'onoff'), linger: numberIn(value, 'linger') };
  }
  const key = value.kind === 'struct' && args.number(1) === IPPROTO_TCP ? keyValue(args.number(2), value) : undefined;
  if (key !== undefined) return key;
  const number = value.kind === 'string' || value.kind === 'struct' ? undefined : args.boxed(3);
  if (number === undefined) throw new UnsupportedFeature(`${call.name}() of ${nameOf(args.at(2))} with such a value`);
  return number;
}

function numberIn(structure: Expression, name: string): number {
  const value = field(structure, name) ?? field(structure, `l_${name}`);
  if (value === undefined) throw new ScriptFailure('a linger structure is written {onoff=1, linger=0}');
  return numberOf(value);
}

function nameOf(expression: Expression): string {
  return expression.kind === 'name' ? expression.name : `option ${numberOf(expression)}`;
}
