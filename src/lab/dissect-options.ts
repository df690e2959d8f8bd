/** TCP options for the readable dissector: a list of plain objects, and their words. */
import { Parser } from 'binary-parser/dist/binary_parser.js';

/** An option as read. `other`: a kind that is not known here, or one with a length that is not its own. */
export type TcpOption =
  | { readonly name: 'end' | 'nop' | 'sackOK' | 'broken' }
  | { readonly name: 'mss'; readonly mss: number }
  | { readonly name: 'wscale'; readonly shift: number }
  | { readonly name: 'sack'; readonly blocks: readonly { readonly left: number; readonly right: number }[] }
  | { readonly name: 'timestamps'; readonly tsVal: number; readonly tsEcr: number }
  | { readonly name: 'user-timeout'; readonly inMinutes: boolean; readonly timeout: number }
  | { readonly name: 'fast-open'; readonly cookie: Uint8Array; readonly experimental: boolean }
  | { readonly name: 'md5'; readonly digest: Uint8Array }
  | { readonly name: 'ao'; readonly keyId: number; readonly rnextKeyId: number; readonly mac: Uint8Array }
  | { readonly name: 'accecn'; readonly order: 0 | 1; readonly counters: readonly number[] }
  | { readonly name: 'other'; readonly kind: number; readonly body: Uint8Array };

interface RawOption {
  readonly kind: number;
  /** Absent for the two kinds of one byte. */
  readonly length?: number;
  readonly body?: Uint8Array;
}

// RFC 9293 3.1: kinds 0 and 1 are single bytes, all others kind, length (of the whole option), body.
const singleByte = new Parser();
const lengthAndBody = new Parser().uint8('length').buffer('body', {
  length(this: RawOption) {
    return Math.max(0, (this.length ?? 0) - 2);
  },
});
const optionList = new Parser().array('options', {
  type: new Parser()
    .uint8('kind')
    .choice({ tag: 'kind', choices: { 0: singleByte, 1: singleByte }, defaultChoice: lengthAndBody }),
  readUntil: (item: RawOption, rest: Uint8Array) => item.kind === 0 || (item.length ?? 2) < 2 || rest.length <= 1,
});

const mssBody = new Parser().uint16('mss');
const wscaleBody = new Parser().uint8('shift');
const sackBody = new Parser().array('blocks', { type: new Parser().uint32('left').uint32('right'), readUntil: 'eof' });
const timestampsBody = new Parser().uint32('tsVal').uint32('tsEcr');
const userTimeoutBody = new Parser().bit1('inMinutes').bit15('timeout');
const fastOpenBody = new Parser().buffer('cookie', { readUntil: 'eof' });
const experimentBody = new Parser().uint16('id').buffer('cookie', { readUntil: 'eof' });
const md5Body = new Parser().buffer('digest', { length: 16 });
const aoBody = new Parser().uint8('keyId').uint8('rnextKeyId').buffer('mac', { readUntil: 'eof' });
const accEcnBody = new Parser().array('counters', { type: new Parser().bit24('count'), readUntil: 'eof' });

/** Reads the bytes between the fixed header and the payload. Never throws. */
export function readOptions(bytes: Uint8Array): TcpOption[] {
  if (bytes.length === 0) return [];
  // A zero after the end stands for the length of a kind that comes last: too short, so broken.
  const padded = new Uint8Array(bytes.length + 1);
  padded.set(bytes);
  const { options } = optionList.parse(padded) as { options: RawOption[] };
  let left = bytes.length;
  return options.map((option) => {
    const length = option.length ?? 1;
    left -= length;
    const broken = left < 0 || (option.length !== undefined && length < 2);
    return broken ? { name: 'broken' } : readOption(option.kind, option.body ?? new Uint8Array(0));
  });
}

function readOption(kind: number, body: Uint8Array): TcpOption {
  const length = body.length;
  if (kind === 0) return { name: 'end' };
  if (kind === 1) return { name: 'nop' };
  if (kind === 2 && length === 2) return { name: 'mss', ...mssBody.parse(body) };
  if (kind === 3 && length === 1) return { name: 'wscale', ...wscaleBody.parse(body) };
  if (kind === 4 && length === 0) return { name: 'sackOK' };
  if (kind === 5 && length > 0 && length % 8 === 0) return { name: 'sack', ...sackBody.parse(body) };
  if (kind === 8 && length === 8) return { name: 'timestamps', ...timestampsBody.parse(body) };
  if (kind === 19 && length === 16) return { name: 'md5', ...md5Body.parse(body) };
  if (kind === 28 && length === 2) {
    const { inMinutes, timeout } = userTimeoutBody.parse(body) as { inMinutes: number; timeout: number };
    return { name: 'user-timeout', inMinutes: inMinutes === 1, timeout };
  }
  if (kind === 29 && length >= 2) return { name: 'ao', ...aoBody.parse(body) };
  return readNewer(kind, body);
}

/** Fast Open (RFC 7413, with its experimental form) and Accurate ECN. */
function readNewer(kind: number, body: Uint8Array): TcpOption {
  if (kind === 34) return { name: 'fast-open', experimental: false, ...fastOpenBody.parse(body) };
  if (kind === 254 && body.length >= 2) {
    const { id, cookie } = experimentBody.parse(body) as { id: number; cookie: Uint8Array };
    if (id === 0xf989) return { name: 'fast-open', experimental: true, cookie };
  }
  if ((kind === 172 || kind === 174) && body.length % 3 === 0) {
    const order = kind === 172 ? 0 : 1;
    if (body.length === 0) return { name: 'accecn', order, counters: [] };
    const { counters } = accEcnBody.parse(body) as { counters: { count: number }[] };
    return { name: 'accecn', order, counters: counters.map(({ count }) => count) };
  }
  return { name: 'other', kind, body };
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** An option in tcpdump's words: `mss 1460`, `TS val 1 ecr 0`, `sack 1 {1:1449}`. */
export function optionText(option: TcpOption): string {
  switch (option.name) {
    case 'mss':
      return `mss ${option.mss}`;
    case 'wscale':
      return `wscale ${option.shift}`;
    case 'sack':
      return `sack ${option.blocks.length} ${option.blocks.map(({ left, right }) => `{${left}:${right}}`).join('')}`;
    case 'timestamps':
      return `TS val ${option.tsVal} ecr ${option.tsEcr}`;
    case 'user-timeout':
      return `user-timeout ${option.timeout} ${option.inMinutes ? 'min' : 's'}`;
    case 'fast-open':
      return `${option.experimental ? 'exp-' : ''}tfo ${option.cookie.length === 0 ? 'cookiereq' : `cookie ${hex(option.cookie)}`}`;
    case 'md5':
      return 'md5';
    case 'ao':
      return `ao keyid ${option.keyId} rnext ${option.rnextKeyId} mac ${hex(option.mac)}`;
    case 'accecn':
      return `accecn${option.order} ${option.counters.join('/')}`.trimEnd();
    case 'other':
      return `opt-${option.kind}${option.body.length === 0 ? '' : `:${hex(option.body)}`}`;
    default:
      return option.name === 'end' ? 'eol' : option.name;
  }
}

export function optionListText(options: readonly TcpOption[]): string[] {
  return options.map(optionText);
}
