/** Words of a script that stand for others: those that the call gives, and those that the runners of Linux's and packetdrill's own collections give. */
import { IPV4_ANY, IpAddress } from '../wire/address.ts';
import { sipHash24 } from '../wire/siphash.ts';
import { IP_VERSIONS, ipVersion } from './ip-version.ts';
import type { PacketdrillOptions } from './run.ts';

/** tcp_fastopen_key as defaults.sh sets it: a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4. */
const KEY = Int32Array.of(0xa1a1a1a1, 0xb2b2b2b2, 0xc3c3c3c3, 0xd4d4d4d4);
const ZERO_KEY = new Int32Array(4);

/** The script with words replaced: `-D NAME=VALUE`, and `TFO_COOKIE` and others where nobody says what they are. */
export function substitute(
  text: string,
  options: Pick<PacketdrillOptions, 'defines' | 'ipVersion' | 'localIp' | 'remoteIp'>,
): string {
  let out = text;
  const given = options.defines ?? {};
  for (const [name, value] of Object.entries(given)) out = replaceWord(out, name, () => value);
  for (const [name, value] of Object.entries(standard(text, options))) out = replaceWord(out, name, value);
  return out;
}

function standard(
  text: string,
  options: Pick<PacketdrillOptions, 'ipVersion' | 'localIp' | 'remoteIp'>,
): Record<string, () => string> {
  const version = ipVersion(options.ipVersion ?? optionIn(text, 'ip_version') ?? 'ipv4') ?? IP_VERSIONS.ipv4;
  const local = options.localIp ?? optionIn(text, 'local_ip') ?? version.local;
  const remote = options.remoteIp ?? optionIn(text, 'remote_ip') ?? version.remote;
  const six = version.family === 6;
  return {
    TFO_COOKIE: () => cookie(KEY, remote, local),
    TFO_COOKIE_ZERO: () => cookie(ZERO_KEY, remote, local),
    CMSG_LEVEL_IP: () => (six ? 'SOL_IPV6' : 'SOL_IP'),
    CMSG_TYPE_RECVERR: () => (six ? 'IPV6_RECVERR' : 'IP_RECVERR'),
  };
}

function replaceWord(text: string, name: string, value: () => string): string {
  return text.replace(new RegExp(`(?<![\\w])${name.replace(/\W/g, '\\$&')}(?![\\w])`, 'g'), value);
}

/** `--local_ip=10.0.0.1` at the head of the script. */
function optionIn(text: string, name: string): string | undefined {
  return new RegExp(`^--${name}[= ](\\S+)`, 'm').exec(text)?.[1];
}

/** RFC 7413 4.1.2, as Linux makes it: SipHash-2-4 of the client's and the server's, as a little-endian machine has them. */
function cookie(key: Int32Array, client: string, server: string): string {
  const words = Int32Array.from([...littleEndian(client), ...littleEndian(server)]);
  const hash = new Int32Array(2);
  sipHash24(key, words, words.length, hash);
  return [...hash].map((word) => hex(swapped(word))).join('');
}

function littleEndian(text: string): number[] {
  const address = IpAddress.parse(text) ?? IPV4_ANY;
  const { w0, w1, w2, w3 } = address;
  return (address.family === 4 ? [w3] : [w0, w1, w2, w3]).map(swapped);
}

function swapped(word: number): number {
  return ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
