/** Keys in a script: `{tcpm_addr=inet_addr("192.0.2.1"), tcpm_key="secret"}`, and struct tcp_ao_add by the names of its fields. */
import { TCP_AO_ADD_KEY, TCP_MD5SIG, TCP_MD5SIG_EXT } from '../socket/constants.ts';
import type { AoAdd, Md5Signature } from '../socket/key-values.ts';
import { addressOf, field, numberOf } from './arguments.ts';
import { ScriptFailure } from './errors.ts';
import type { Expression } from './script.ts';

/** @returns undefined for another option */
export function keyValue(option: number, structure: Expression): Md5Signature | AoAdd | undefined {
  if (option === TCP_MD5SIG || option === TCP_MD5SIG_EXT) return md5Value(structure);
  return option === TCP_AO_ADD_KEY ? aoValue(structure) : undefined;
}

function md5Value(structure: Expression): Md5Signature {
  const prefixlen = field(structure, 'tcpm_prefixlen');
  return {
    address: addressOf(needed(structure, 'tcpm_addr')),
    key: bytesOf(needed(structure, 'tcpm_key')),
    ...(prefixlen !== undefined && { prefixlen: numberOf(prefixlen) }),
  };
}

function aoValue(structure: Expression): AoAdd {
  const number = (name: string) => numberOf(needed(structure, name));
  const given = (name: string) => field(structure, name) !== undefined;
  const algorithm = needed(structure, 'alg_name');
  return {
    addr: addressOf(needed(structure, 'addr')),
    prefix: number('prefix'),
    alg_name: (algorithm.kind === 'string' ? algorithm.value : '') as AoAdd['alg_name'],
    sndid: number('sndid'),
    rcvid: number('rcvid'),
    key: bytesOf(needed(structure, 'key')),
    ...(given('maclen') && { maclen: number('maclen') }),
    ...(given('keyflags') && { keyflags: number('keyflags') }),
    ...(given('set_current') && { set_current: number('set_current') !== 0 }),
    ...(given('set_rnext') && { set_rnext: number('set_rnext') !== 0 }),
  };
}

function needed(structure: Expression, name: string): Expression {
  const value = field(structure, name);
  if (value === undefined) throw new ScriptFailure(`a key has a ${name}`);
  return value;
}

/** A character is a byte. */
function bytesOf(text: Expression): Uint8Array {
  if (text.kind !== 'string') throw new ScriptFailure('a key is written as a string: "secret"');
  return Uint8Array.from(text.value, (letter) => letter.charCodeAt(0));
}
