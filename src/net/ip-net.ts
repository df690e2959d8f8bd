/** Networks and masks, as Go's net.IPNet and net.IPMask. */
import { shown } from '../arguments.ts';
import { IpAddress } from '../wire/address.ts';
import { ParseError } from './errors.ts';

/** A mask for addresses: 4 bytes for IPv4, or 16; not necessarily a prefix. */
export class IPMask {
  readonly bytes: Uint8Array;

  /** @throws TypeError, RangeError unless there are 4 or 16 bytes */
  constructor(bytes: Iterable<number>) {
    const list: unknown =
      typeof (bytes as Iterable<number> | null)?.[Symbol.iterator] === 'function' ? [...bytes] : [NaN];
    if (
      !(list as unknown[]).every((byte) => Number.isInteger(byte) && (byte as number) >= 0 && (byte as number) <= 255)
    )
      throw new TypeError(`IPMask: bytes must be a list of bytes, got ${shown(bytes)}`);
    this.bytes = Uint8Array.from(list as number[]);
    if (this.bytes.length !== 4 && this.bytes.length !== 16)
      throw new RangeError(`IPMask: there must be 4 or 16 bytes, got ${this.bytes.length}`);
  }

  /** Leading ones, and the number of all bits; both are 0 when other ones follow a zero, and it is no prefix. */
  size(): { ones: number; bits: number } {
    const digits = Array.from(this.bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
    const ones = digits.indexOf('0') < 0 ? digits.length : digits.indexOf('0');
    return digits.includes('1', ones) ? { ones: 0, bits: 0 } : { ones, bits: digits.length };
  }

  /** The address with zeros where the mask has them (Go: IP.Mask); to 16 bytes an IPv4 address is its mapped one. undefined: 4 bytes are no mask for IPv6. */
  apply(ip: IpAddress): IpAddress | undefined {
    return this.bytes.length === 4 && ip.family === 6 ? undefined : masked(ip, this);
  }

  /** `ffffff00` */
  toString(): string {
    return Array.from(this.bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }
}

/** `ones` ones and then zeros, `bits` (32 or 128) in all. @throws RangeError */
export function cidrMask(ones: number, bits: number): IPMask {
  if ((bits !== 32 && bits !== 128) || !Number.isInteger(ones) || ones < 0 || ones > bits)
    throw new RangeError(`cidrMask: there are no masks of ${shown(ones)} ones in ${shown(bits)} bits`);
  return new IPMask(
    Array.from({ length: bits / 8 }, (_, i) => 0xff & ~(0xff >> Math.min(Math.max(ones - 8 * i, 0), 8))),
  );
}

/** A network: the addresses that are the same as `ip` where the mask has ones. */
export class IPNet {
  readonly ip: IpAddress;
  readonly mask: IPMask;

  /** @throws TypeError when they are something else; RangeError for an IPv6 address with a mask of 4 bytes */
  constructor(ip: IpAddress, mask: IPMask) {
    if (!(ip instanceof IpAddress)) throw new TypeError(`IPNet: ip must be an IpAddress, got ${shown(ip)}`);
    if (!(mask instanceof IPMask)) throw new TypeError(`IPNet: mask must be an IPMask, got ${shown(mask)}`);
    if (ip.family === 6 && mask.bytes.length === 4)
      throw new RangeError('IPNet: an IPv6 address needs a mask of 16 bytes');
    this.ip = ip;
    this.mask = mask;
  }

  /** `ip+net` */
  network(): string {
    return 'ip+net';
  }

  /** Never across families. @throws TypeError when it is no IpAddress */
  contains(ip: IpAddress): boolean {
    if (!(ip instanceof IpAddress)) throw new TypeError(`IPNet.contains: ip must be an IpAddress, got ${shown(ip)}`);
    if (ip.family !== this.ip.family) return false;
    const { bytes } = this.#ownMask;
    const [here, there] = [bytesOf(this.ip), bytesOf(ip)];
    return bytes.every((mask, i) => (((here[i] as number) ^ (there[i] as number)) & mask) === 0);
  }

  /** `10.9.0.0/24`; with a mask that is no prefix `10.9.0.0/ff00ff00`. */
  toString(): string {
    const mask = this.#ownMask;
    const { ones, bits } = mask.size();
    return `${this.ip}/${bits === 0 ? mask : ones}`;
  }

  /** The part of the mask that is about the address: of 16 bytes the last 4 for IPv4. */
  get #ownMask(): IPMask {
    const { bytes } = this.mask;
    return this.ip.family === 4 && bytes.length === 16 ? new IPMask(bytes.subarray(12)) : this.mask;
  }
}

/** Reads `10.9.0.2`, `2001:db8::1`, `::ffff:10.9.0.2` (which is IPv4), as Go's net.ParseIP: no zones; undefined for anything else. */
export function parseIP(text: string): IpAddress | undefined {
  return typeof text === 'string' ? IpAddress.parse(text) : undefined;
}

/**
 * Reads `10.9.0.2/24` or `2001:db8::1/64`: the address, and the network that it is in, 10.9.0.0/24.
 * @throws ParseError `invalid CIDR address: ...`
 */
export function parseCIDR(text: string): { ip: IpAddress; net: IPNet } {
  const [, address = '', digits = ''] = /^([^/]*)\/([0-9]+)$/.exec(typeof text === 'string' ? text : '') ?? [];
  const ip = IpAddress.parse(address);
  const bits = address.includes(':') ? 128 : 32;
  if (ip === undefined || Number(digits) > bits) throw new ParseError('CIDR address', shown(text));
  const mask = cidrMask(Number(digits), bits);
  return { ip, net: new IPNet(masked(ip, mask), mask) };
}

/** The address with zeros where the mask has them. */
function masked(ip: IpAddress, { bytes }: IPMask): IpAddress {
  if (bytes.length === 4) return IpAddress.v4(word(bytesOf(ip), bytes, 0));
  const all = [ip.w0, ip.w1, ip.w2, ip.w3].flatMap(bytesOfWord);
  return IpAddress.v6(word(all, bytes, 0), word(all, bytes, 4), word(all, bytes, 8), word(all, bytes, 12));
}

function word(bytes: readonly number[], mask: Uint8Array, at: number): number {
  let value = 0;
  for (let i = at; i < at + 4; i++) value = (value << 8) | ((bytes[i] as number) & (mask[i] as number));
  return value;
}

/** 4 bytes for IPv4, else 16. */
function bytesOf(ip: IpAddress): number[] {
  return (ip.family === 4 ? [ip.w3] : [ip.w0, ip.w1, ip.w2, ip.w3]).flatMap(bytesOfWord);
}

function bytesOfWord(word: number): number[] {
  return [word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff];
}
