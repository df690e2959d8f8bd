/** TCP options between a script's words and the bytes of a header. */
import { FASTOPEN_EXID } from '../wire/tcp-options.ts';
import { ScriptFailure } from './errors.ts';
import type { OptionSpec } from './script.ts';

/** Accurate ECN, RFC 9768: the kind says which counter comes first. */
const ECN_ORDERS: Readonly<Record<number, readonly string[]>> = {
  172: ['e0b', 'ceb', 'e1b'],
  174: ['e1b', 'ceb', 'e0b'],
};

/** @throws ScriptFailure when timestamps are still names, or the options do not fill words of four bytes */
export function encodeOptions(options: readonly OptionSpec[]): number[] {
  const bytes = options.flatMap(encodeOption);
  if (bytes.length % 4 !== 0) {
    throw new ScriptFailure(`the TCP options have ${bytes.length} bytes: add nop until they fill words of 4 bytes`);
  }
  if (bytes.length > 40)
    throw new ScriptFailure(`the TCP options have ${bytes.length} bytes: a header has room for 40`);
  return bytes;
}

function encodeOption(option: OptionSpec): number[] {
  switch (option.name) {
    case 'eol':
      return [0];
    case 'nop':
      return [1];
    case 'mss':
      return [2, 4, (option.value >>> 8) & 255, option.value & 255];
    case 'wscale':
      return [3, 3, option.value & 255];
    case 'sackOK':
      return [4, 2];
    case 'sack':
      return tlv(5, option.blocks.flat().flatMap(word));
    case 'TS':
      return tlv(8, [...word(numberOf(option.val)), ...word(numberOf(option.ecr))]);
    case 'md5':
      return tlv(19, hexBytes(option.hex).concat(Array<number>(16).fill(0)).slice(0, 16));
    case 'ao':
      return tlv(29, [option.keyId, option.rnextKeyId, ...hexBytes(option.hex)]);
    case 'FO':
      return tlv(34, hexBytes(option.hex));
    case 'FOEXP':
      return tlv(254, [FASTOPEN_EXID >>> 8, FASTOPEN_EXID & 255, ...hexBytes(option.hex)]);
    case 'ECN':
      return tlv(
        option.counters[0]?.[0] === 'e1b' ? 174 : 172,
        option.counters.flatMap(([, value]) => word(value).slice(1)),
      );
    default:
      return tlv(option.kind, hexBytes(option.hex));
  }
}

/** Reads the options of a header; what comes after an option that does not fit is not shown. */
export function decodeOptions(bytes: Uint8Array): OptionSpec[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const options: OptionSpec[] = [];
  for (let at = 0; at < bytes.length; ) {
    const kind = bytes[at] as number;
    if (kind <= 1) {
      options.push({ name: kind === 0 ? 'eol' : 'nop' });
      at++;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    if (length < 2 || at + length > bytes.length) break;
    options.push(decodeOption(view, at, kind, length));
    at += length;
  }
  return options;
}

function decodeOption(view: DataView, at: number, kind: number, length: number): OptionSpec {
  const hex = hexOf(view, at + 2, at + length);
  if (kind === 2 && length === 4) return { name: 'mss', value: view.getUint16(at + 2) };
  if (kind === 3 && length === 3) return { name: 'wscale', value: view.getUint8(at + 2) };
  if (kind === 4 && length === 2) return { name: 'sackOK' };
  if (kind === 5 && length % 8 === 2) return { name: 'sack', blocks: decodeBlocks(view, at + 2, at + length) };
  if (kind === 8 && length === 10) return { name: 'TS', val: view.getUint32(at + 2), ecr: view.getUint32(at + 6) };
  if (kind === 19 && length === 18) return { name: 'md5', hex };
  if (kind === 29 && length >= 4) {
    return { name: 'ao', keyId: view.getUint8(at + 2), rnextKeyId: view.getUint8(at + 3), hex: hex.slice(4) };
  }
  if (kind === 34) return { name: 'FO', hex };
  if (kind === 254 && length >= 4 && view.getUint16(at + 2) === FASTOPEN_EXID) {
    return { name: 'FOEXP', hex: hex.slice(4) };
  }
  const order = ECN_ORDERS[kind];
  if (order !== undefined && length % 3 === 2 && length <= 11) {
    const counters = order.slice(0, (length - 2) / 3).map((which, i): [string, number] => {
      return [which, view.getUint32(at + 1 + 3 * i) & 0xffffff];
    });
    return { name: 'ECN', counters };
  }
  return { name: 'kind', kind, hex };
}

function decodeBlocks(view: DataView, from: number, end: number): [number, number][] {
  const blocks: [number, number][] = [];
  for (let at = from; at < end; at += 8) blocks.push([view.getUint32(at), view.getUint32(at + 4)]);
  return blocks;
}

/** As a script writes it. */
export function optionText(option: OptionSpec): string {
  switch (option.name) {
    case 'mss':
    case 'wscale':
      return `${option.name} ${option.value}`;
    case 'TS':
      return `TS val ${option.val} ecr ${option.ecr}`;
    case 'sack':
      return `sack ${option.blocks.map(([left, right]) => `${left}:${right}`).join(' ')}`;
    case 'FO':
    case 'FOEXP':
    case 'md5':
      return `${option.name} ${option.hex}`.trim();
    case 'ao':
      return `ao ${option.keyId} ${option.rnextKeyId} ${option.hex}`;
    case 'ECN':
      return ['ECN', ...option.counters.map(([which, value]) => `${which} ${value}`)].join(' ');
    case 'kind':
      return `kind ${option.kind} ${option.hex}`.trim();
    default:
      return option.name;
  }
}

function tlv(kind: number, value: readonly number[]): number[] {
  return [kind, 2 + value.length, ...value];
}

function word(value: number): number[] {
  return [(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

function numberOf(stamp: number | string): number {
  if (typeof stamp === 'number') return stamp;
  throw new ScriptFailure(`no packet so far says which timestamp '${stamp}' is`);
}

function hexBytes(hex: string): number[] {
  return (hex.match(/../g) ?? []).map((digits) => Number.parseInt(digits, 16));
}

function hexOf(view: DataView, from: number, end: number): string {
  let hex = '';
  for (let at = from; at < end; at++) hex += view.getUint8(at).toString(16).padStart(2, '0');
  return hex;
}
