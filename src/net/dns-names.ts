/** Domain names as texts: which are ones, which to ask for, and the names of addresses. */
import type { IpAddress } from '../wire/address.ts';

/** RFC 1035 2.3.4: 255 bytes on the wire, which are 253 characters, and a dot for the root. */
const LONGEST_NAME = 254;
const LONGEST_LABEL = 63;

/**
 * Whether a text can be a domain name: labels of letters, digits, `-` and `_` (which RFC 1035 2.3.1 does not know and the world uses), no `-` at
 * either end of one, and not digits alone, which would be an IPv4 address with a slip in it. As Go's isDomainName.
 */
export function isDomainName(text: string): boolean {
  if (text === '.') return true;
  if (text === '' || isTooLong(text)) return false;
  if (!/[a-zA-Z_-]/.test(text)) return false;
  const labels = (text.endsWith('.') ? text.slice(0, -1) : text).split('.');
  return labels.every(
    (label) => label.length <= LONGEST_LABEL && /^[a-zA-Z0-9_]([a-zA-Z0-9_-]*[a-zA-Z0-9_])?$/.test(label),
  );
}

function isTooLong(name: string): boolean {
  return name.length > LONGEST_NAME || (name.length === LONGEST_NAME && !name.endsWith('.'));
}

/** The name with the dot of the root. */
export function rooted(name: string): string {
  return name.endsWith('.') ? name : `${name}.`;
}

/** A name with a dot in it, rooted; a bare one stays bare, since it may be anybody's. As Go's absDomainName. */
export function absoluteName(name: string): string {
  return name.includes('.') ? rooted(name) : name;
}

/** RFC 4343 3: ASCII letters of either case are the same, and nothing else is. */
export function equalNames(a: string, b: string): boolean {
  return a.length === b.length && lowerCase(a) === lowerCase(b);
}

/** ASCII only. */
export function lowerCase(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/**
 * The rooted names to ask for, in order (RFC 1123 6.1.4.3; resolv.conf(5)): a rooted name as it is; a name with `ndots` dots or more first as it is and then with
 * each suffix, any other with the suffixes first.
 * @returns none when the name is too long, or is one that no server may be asked for
 */
export function nameList(name: string, search: readonly string[], ndots: number): string[] {
  if (isTooLong(name)) return [];
  if (name.endsWith('.')) return isPrivate(name) ? [] : [name];
  const bare = `${name}.`;
  const suffixed = search.map((suffix) => bare + suffix).filter((full) => full.length <= LONGEST_NAME);
  const hasDots = name.split('.').length - 1 >= ndots;
  return (hasDots ? [bare, ...suffixed] : [...suffixed, bare]).filter((full) => !isPrivate(full));
}

/** RFC 7686 2: names under onion. must not leak to DNS. */
function isPrivate(name: string): boolean {
  return /\.onion\.?$/i.test(name);
}

/** RFC 6761 6.3: `localhost`, and what is under it. */
export function isLocalhost(name: string): boolean {
  return /^(.*\.)?localhost\.?$/i.test(name);
}

/** The name under which the names of an address are kept: `1.0.9.10.in-addr.arpa.` (RFC 1035 3.5), `...ip6.arpa.` (RFC 3596 2.5). */
export function reverseName(address: IpAddress): string {
  const { w0, w1, w2, w3 } = address;
  if (address.family === 4) {
    return `${[w3 & 0xff, (w3 >>> 8) & 0xff, (w3 >>> 16) & 0xff, w3 >>> 24].join('.')}.in-addr.arpa.`;
  }
  const digits = [w0, w1, w2, w3].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  return `${[...digits].reverse().join('.')}.ip6.arpa.`;
}
