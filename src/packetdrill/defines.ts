/** Words of a script that stand for others: those that the call gives, and those that the runners of Linux's and packetdrill's own collections give. */
import { IpAddress } from '../wire/address.ts';
import { sipHash24 } from '../wire/siphash.ts';
import type { PacketdrillOptions } from './run.ts';

const LOCAL = '192.168.0.1';
const REMOTE = '192.0.2.1';
/** tcp_fastopen_key as defaults.sh sets it: a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4. */
const KEY = Int32Array.of(0xa1a1a1a1, 0xb2b2b2b2, 0xc3c3c3c3, 0xd4d4d4d4);
const ZERO_KEY = new Int32Array(4);

/** The script with words replaced: `-D NAME=VALUE`, and `TFO_COOKIE` and others where nobody says what they are. */
export function substitute(
  text: string,
  options: Pick<PacketdrillOptions, 'defines' | 'localIp' | 'remoteIp'>,
): string {
  let out = text;
  const given = options.defines ?? {};
  for (const [name, value] of Object.entries(given)) out = replaceWord(out, name, () => value);
  for (const [name, value] of Object.entries(standard(text, options))) out = replaceWord(out, name, value);
  return out;
}

function standard(
  text: string,
  options: Pick<PacketdrillOptions, 'localIp' | 'remoteIp'>,
): Record<string, () => string> {
  const local = options.localIp ?? optionIn(text, 'local_ip') ?? LOCAL;
  const remote = options.remoteIp ?? optionIn(text, 'remote_ip') ?? REMOTE;
  return {
    TFO_COOKIE: () => cookie(KEY, remote, local),
    TFO_COOKIE_ZERO: () => cookie(ZERO_KEY, remote, local),
    CMSG_LEVEL_IP: () => 'SOL_IP',
    CMSG_TYPE_RECVERR: () => 'IP_RECVERR',
  };
}

function replaceWord(text: string, name: string, value: () => string): string {
  return text.replace(new RegExp(`(?<![\\w])${name.replace(/\W/g, '\\$&')}(?![\\w])`, 'g'), value);
}

/** `--local_ip=10.0.0.1` at the head of the script. */
function optionIn(text: string, name: string): string | undefined {
  return new RegExp(`^--${name}[= ](\\S+)`, 'm').exec(text)?.[1];
}

/** RFC 7413 4.1.2, as Linux makes it of IPv4 addresses: SipHash-2-4 of the client's and the server's, as a little-endian machine has them. */
function cookie(key: Int32Array, client: string, server: string): string {
  const words = Int32Array.of(littleEndian(client), littleEndian(server));
  const hash = new Int32Array(2);
  sipHash24(key, words, words.length, hash);
  return [...hash].map((word) => hex(swapped(word))).join('');
}

function littleEndian(address: string): number {
  return swapped(IpAddress.parse(address)?.w3 ?? 0);
}

function swapped(word: number): number {
  return ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
