/** In which order the addresses of a name are tried: RFC 6724 6, as Go's sortByRFC6724 has it. */
import { commonPrefix, policyOf, scopeOf } from '../stack/source-address.ts';
import type { IpAddress } from '../wire/address.ts';
import type { IPAddr } from './ip-addr.ts';

/** A destination with what the rules look at. */
interface Candidate {
  readonly address: IPAddr;
  /** There is a way there. */
  readonly isUsable: boolean;
  readonly hasSameScope: boolean;
  readonly hasSameLabel: boolean;
  readonly precedence: number;
  readonly scope: number;
  /** Bits in common with our address. */
  readonly prefix: number;
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
  const { ip } = address;
  const { precedence, label } = policyOf(ip);
  const scope = scopeOf(ip);
  return {
    address,
    isUsable: source !== undefined,
    hasSameScope: source !== undefined && scopeOf(source) === scope,
    hasSameLabel: source !== undefined && policyOf(source).label === label,
    precedence,
    scope,
    // Go: of IPv4 a prefix in common says nothing about the way, and servers' own order is for spreading the load.
    prefix: source === undefined || ip.family === 4 ? 0 : commonPrefix(ip, source),
  };
}

/** Negative: `a` goes first. Rules 3, 4 and 7 are about addresses that we do not have: deprecated, home, tunnelled. */
function compare(a: Candidate, b: Candidate): number {
  // RFC 6724 6, rule 1: avoid unusable destinations.
  if (!a.isUsable || !b.isUsable) return prefer(a.isUsable, b.isUsable);
  return (
    // Rule 2: prefer matching scope.
    prefer(a.hasSameScope, b.hasSameScope) ||
    // Rule 5: prefer matching label.
    prefer(a.hasSameLabel, b.hasSameLabel) ||
    // Rule 6: prefer higher precedence.
    b.precedence - a.precedence ||
    // Rule 8: prefer smaller scope.
    a.scope - b.scope ||
    // Rule 9: use longest matching prefix. Rule 10: otherwise, leave the order unchanged.
    b.prefix - a.prefix
  );
}

function prefer(a: boolean, b: boolean): number {
  return Number(b) - Number(a);
}
