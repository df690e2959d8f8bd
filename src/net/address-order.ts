/** In which order the addresses of a name are tried: RFC 6724 section 6, as Go's sortByRFC6724 has it. */
import { type IpAddress, inPrefix, parsePrefix } from '../wire/address.ts';
import type { IPAddr } from './ip-addr.ts';

interface Policy {
  readonly precedence: number;
  readonly label: number;
}

/** RFC 6724 2.1: the default policy table, the longest prefix first. */
const POLICIES = (
  [
    ['::1/128', 50, 0],
    ['::ffff:0:0/96', 35, 4],
    ['::/96', 1, 3],
    ['2001::/32', 5, 5],
    ['2002::/16', 30, 2],
    ['3ffe::/16', 1, 12],
    ['fec0::/10', 1, 11],
    ['fc00::/7', 3, 13],
    ['::/0', 40, 1],
  ] as const
).map(([text, precedence, label]) => ({ prefix: parsePrefix(text), policy: { precedence, label } }));

function policyOf(address: IpAddress): Policy {
  const found = POLICIES.find(({ prefix }) => prefix !== undefined && inPrefix(address, prefix.address, prefix.bits));
  return (found ?? (POLICIES.at(-1) as (typeof POLICIES)[number])).policy;
}

// RFC 6724 3.1; RFC 4291 2.7.
const LINK_LOCAL = 0x2;
const SITE_LOCAL = 0x5;
const GLOBAL = 0xe;

function scopeOf(address: IpAddress): number {
  if (address.isLoopback) return LINK_LOCAL;
  // RFC 6724 3.2: 169.254.0.0/16 has link-local scope, all else of IPv4 but loopback is global.
  if (address.family === 4) return address.w3 >>> 16 === 0xa9fe ? LINK_LOCAL : GLOBAL;
  if (address.isMulticast) return (address.w0 >>> 16) & 0xf;
  const top = (address.w0 >>> 22) & 0x3ff;
  if (top === 0xfe80 >>> 6) return LINK_LOCAL;
  return top === 0xfec0 >>> 6 ? SITE_LOCAL : GLOBAL;
}

/** A destination with what the rules look at. */
interface Candidate {
  readonly address: IPAddr;
  /** The address of ours that packets to it would come from; undefined: there is no way there. */
  readonly source: IpAddress | undefined;
  readonly sameScope: boolean;
  readonly sameLabel: boolean;
  readonly precedence: number;
  readonly scope: number;
}

/** `sourceOf`: the address of ours for a destination; undefined: there is no way there. Addresses that the rules hold equal keep their order. */
export function sortAddresses(
  addresses: readonly IPAddr[],
  sourceOf: (destination: IPAddr) => IpAddress | undefined,
): IPAddr[] {
  if (addresses.length < 2) return [...addresses];
  const candidates = addresses.map((address) => candidateOf(address, sourceOf(address)));
  return candidates.sort(compare).map(({ address }) => address);
}

function candidateOf(address: IPAddr, source: IpAddress | undefined): Candidate {
  const { precedence, label } = policyOf(address.ip);
  const scope = scopeOf(address.ip);
  return {
    address,
    source,
    sameScope: source !== undefined && scopeOf(source) === scope,
    sameLabel: source !== undefined && policyOf(source).label === label,
    precedence,
    scope,
  };
}

/** Negative: `a` goes first. Rules 3, 4 and 7 are about addresses that we do not have: deprecated, home, tunnelled. */
function compare(a: Candidate, b: Candidate): number {
  // RFC 6724 6, rule 1: avoid unusable destinations.
  if (a.source === undefined || b.source === undefined) return prefer(a.source !== undefined, b.source !== undefined);
  return (
    // Rule 2: prefer matching scope.
    prefer(a.sameScope, b.sameScope) ||
    // Rule 5: prefer matching label.
    prefer(a.sameLabel, b.sameLabel) ||
    // Rule 6: prefer higher precedence.
    b.precedence - a.precedence ||
    // Rule 8: prefer smaller scope.
    a.scope - b.scope ||
    // Rule 9: use longest matching prefix; Go: for IPv6 alone, where a prefix says more about the way than for IPv4.
    commonPrefix(b) - commonPrefix(a)
    // Rule 10: otherwise, leave the order unchanged.
  );
}

function prefer(a: boolean, b: boolean): number {
  return Number(b) - Number(a);
}

/** RFC 6724 2.2: the leading bits that source and destination share, of the 64 of the network. */
function commonPrefix({ address: { ip }, source }: Candidate): number {
  if (ip.family === 4 || source === undefined) return 0;
  const first = Math.clz32(ip.w0 ^ source.w0);
  return first < 32 ? first : 32 + Math.clz32(ip.w1 ^ source.w1);
}
