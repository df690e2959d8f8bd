/**
 * IP addresses: immutable, four 32-bit words, both families in one shape.
 *
 * An address is its 128 bits. IPv4 addresses are the ones under ::ffff:0:0/96 (RFC 4291 2.5.5.2), so the family follows from the
 * words, and code above that compares, hashes or stores four words never asks for it.
 *
 * A link-local address means something only on its link. Which one, its zone (RFC 4007 6), lies in the address while it is in a host: the index of the
 * interface, in the low half of the first word, which is zero on the wire (RFC 4291 2.5.6; KAME's way). So equal addresses are equal in zone too.
 */

const MAPPED = 0xffff;
const ZONELESS = -0x10000;

/** Whether the address with that first word means something only on its link: fe80::/10, and multicast of interface-local and link-local scope. */
export function isZoned(w0: number): boolean {
  return w0 >>> 22 === 0x3fa || (w0 >>> 24 === 0xff && ((w0 >>> 16) & 0xf) <= 2 && ((w0 >>> 16) & 0xf) !== 0);
}

export class IpAddress {
  readonly family: 4 | 6;
  /** The words in network order, as int32; an IPv4 address is 0, 0, 0xffff, address. */
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;

  private constructor(w0: number, w1: number, w2: number, w3: number) {
    this.w0 = w0 | 0;
    this.w1 = w1 | 0;
    this.w2 = w2 | 0;
    this.w3 = w3 | 0;
    this.family = this.w0 === 0 && this.w1 === 0 && this.w2 === MAPPED ? 4 : 6;
  }

  /** An IPv4 address from its 32 bits (int32 or uint32): 10.9.0.2 is 0x0a090002. */
  static v4(word: number): IpAddress {
    return new IpAddress(0, 0, MAPPED, word);
  }

  /** An address from its four words (int32 or uint32). Words of an IPv4-mapped address give an IPv4 address. */
  static v6(w0: number, w1: number, w2: number, w3: number): IpAddress {
    return new IpAddress(w0, w1, w2, w3);
  }

  /**
   * Reads `10.9.0.2`, `2001:db8::1` or `::ffff:10.9.0.2` (which is IPv4), as strictly as Go's net.ParseIP: four decimal numbers without leading zeros, or
   * the forms of RFC 4291 2.2; no zones, no spaces.
   * @returns undefined for anything else
   */
  static parse(text: string): IpAddress | undefined {
    if (typeof text !== 'string') return undefined;
    if (!text.includes(':')) {
      const word = parseDotted(text);
      return word === undefined ? undefined : IpAddress.v4(word);
    }
    const groups = parseGroups(text);
    if (groups === undefined) return undefined;
    const [a, b, c, d, e, f, g, h] = groups as [number, number, number, number, number, number, number, number];
    return new IpAddress((a << 16) | b, (c << 16) | d, (e << 16) | f, (g << 16) | h);
  }

  /** Dotted decimal, or the recommended text of RFC 5952; with a zone: `fe80::1%2`. */
  toString(): string {
    if (this.family === 4) return dotted(this.w3);
    const { zone } = this;
    const text = groupsToText([this.bareW0, this.w1, this.w2, this.w3].flatMap((word) => [word >>> 16, word & 0xffff]));
    return zone === 0 ? text : `${text}%${zone}`;
  }

  /** The index of the interface that the address is on; 0: none is named, or the address needs none. */
  get zone(): number {
    return isZoned(this.w0) ? this.w0 & 0xffff : 0;
  }

  /** The same address on the interface with that index (0..65535; 0: on any); any but a link-local one stays as it is. */
  withZone(index: number): IpAddress {
    if (!this.isLinkLocal || this.zone === index) return this;
    return new IpAddress(this.bareW0 | index, this.w1, this.w2, this.w3);
  }

  /** The first word as it is on the wire, without a zone. */
  get bareW0(): number {
    return isZoned(this.w0) ? this.w0 & ZONELESS : this.w0;
  }

  /** fe80::/10, or a multicast address that stays on its link (ff01::/16, ff02::/16): those that have zones. */
  get isLinkLocal(): boolean {
    return isZoned(this.w0);
  }

  equals(other: IpAddress): boolean {
    return this.w3 === other?.w3 && this.w2 === other.w2 && this.w1 === other.w1 && this.w0 === other.w0;
  }

  /** 0.0.0.0 or ::. */
  get isUnspecified(): boolean {
    return this.w3 === 0 && this.w0 === 0 && this.w1 === 0 && (this.w2 === 0 || this.family === 4);
  }

  /** 127.0.0.0/8 or ::1. */
  get isLoopback(): boolean {
    if (this.family === 4) return this.w3 >>> 24 === 127;
    return this.w0 === 0 && this.w1 === 0 && this.w2 === 0 && this.w3 === 1;
  }

  /** 224.0.0.0/4 or ff00::/8. */
  get isMulticast(): boolean {
    return this.family === 4 ? this.w3 >>> 28 === 0xe : this.w0 >>> 24 === 0xff;
  }

  /** 169.254.0.0/16 or fe80::/10. */
  get isLinkLocalUnicast(): boolean {
    return this.family === 4 ? this.w3 >>> 16 === 0xa9fe : this.w0 >>> 22 === 0x3fa;
  }

  /** 224.0.0.0/24, or a multicast address of IPv6 with the scope of a link. */
  get isLinkLocalMulticast(): boolean {
    return this.family === 4 ? this.w3 >>> 8 === 0xe00000 : ((this.w0 >>> 16) & 0xff0f) === 0xff02;
  }

  /** A multicast address of IPv6 with the scope of an interface. */
  get isInterfaceLocalMulticast(): boolean {
    return this.family === 6 && ((this.w0 >>> 16) & 0xff0f) === 0xff01;
  }

  /** 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 (RFC 1918 3); fc00::/7 (RFC 4193 3.1). */
  get isPrivate(): boolean {
    if (this.family === 6) return this.w0 >>> 25 === 0x7e;
    return this.w3 >>> 24 === 10 || this.w3 >>> 20 === 0xac1 || this.w3 >>> 16 === 0xc0a8;
  }

  /** Of one host, and beyond its link; private ones are among them, as in Go. */
  get isGlobalUnicast(): boolean {
    const { isUnspecified, isLoopback, isMulticast, isLinkLocalUnicast, isBroadcast } = this;
    return !(isUnspecified || isLoopback || isMulticast || isLinkLocalUnicast || isBroadcast);
  }

  /** 255.255.255.255. */
  get isBroadcast(): boolean {
    return this.family === 4 && this.w3 === -1;
  }
}

export const IPV4_ANY: IpAddress = IpAddress.v4(0);
export const IPV4_LOOPBACK: IpAddress = IpAddress.v4(0x7f000001);
export const IPV6_ANY: IpAddress = IpAddress.v6(0, 0, 0, 0);
export const IPV6_LOOPBACK: IpAddress = IpAddress.v6(0, 0, 0, 1);

export interface Prefix {
  /** The address as written, host bits kept. */
  readonly address: IpAddress;
  /** 0..32 for IPv4, 0..128 for IPv6. */
  readonly bits: number;
}

/** Reads `10.9.0.2/24` or `2001:db8::1/64`; undefined for anything else. `::ffff:10.9.0.2/120` is 10.9.0.2/24. */
export function parsePrefix(text: string): Prefix | undefined {
  if (typeof text !== 'string') return undefined;
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const address = IpAddress.parse(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (address === undefined || !/^(0|[1-9][0-9]{0,2})$/.test(digits)) return undefined;
  const mapped = address.family === 4 && text.includes(':');
  const bits = Number(digits) - (mapped ? 96 : 0);
  return bits < 0 || bits > (address.family === 4 ? 32 : 128) ? undefined : { address, bits };
}

/** Whether `address` lies in `network/bits`; never across families. `bits` is 0..32 or 0..128, as `network`'s family has it. */
export function inPrefix(address: IpAddress, network: IpAddress, bits: number): boolean {
  if (address.family !== network.family) return false;
  if (address.family === 4) return sameBits(address.w3, network.w3, bits);
  return (
    sameBits(address.w0, network.w0, bits) &&
    sameBits(address.w1, network.w1, bits - 32) &&
    sameBits(address.w2, network.w2, bits - 64) &&
    sameBits(address.w3, network.w3, bits - 96)
  );
}

/** Whether two words of addresses agree in their first `bits`; none or fewer: they do. */
export function sameBits(a: number, b: number, bits: number): boolean {
  if (bits <= 0) return true;
  return bits >= 32 ? a === b : (a ^ b) >>> (32 - bits) === 0;
}

function parseDotted(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let word = 0;
  for (const part of parts) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined;
    word = (word << 8) | Number(part);
  }
  return word;
}

/** The eight 16-bit groups of an address text with colons in it. */
function parseGroups(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseRun(halves[0] as string, halves.length === 1);
  if (halves.length === 1) return head?.length === 8 ? head : undefined;
  const tail = parseRun(halves[1] as string, true);
  if (head === undefined || tail === undefined) return undefined;
  // RFC 4291 2.2: "::" stands for one or more groups of zeros.
  const zeros = 8 - head.length - tail.length;
  return zeros < 1 ? undefined : [...head, ...new Array<number>(zeros).fill(0), ...tail];
}

/** Groups between colons; a dotted quad may stand for the last two when the run ends the text. */
function parseRun(text: string, endsText: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const word = endsText && i === parts.length - 1 ? parseDotted(part) : undefined;
    if (word === undefined) return undefined;
    groups.push(word >>> 16, word & 0xffff);
  }
  return groups;
}

function dotted(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 0xff}.${(word >>> 8) & 0xff}.${word & 0xff}`;
}

function groupsToText(groups: readonly number[]): string {
  // RFC 5952 4.2: "::" takes the longest run of two or more zero groups, the first of equals.
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > length) {
      start = i;
      length = end - i;
    }
  }
  const text = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  return start < 0 ? text(0, 8) : `${text(0, start)}::${text(start + length, 8)}`;
}
