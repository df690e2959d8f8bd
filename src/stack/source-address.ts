/** Which of the host's addresses to speak from: for IPv4 RFC 1122 3.3.4.3, for IPv6 RFC 6724 5. */
import { type IpAddress, inPrefix, parsePrefix } from '../wire/address.ts';
import type { Interface } from './interface.ts';
import type { Route } from './routes.ts';

/**
 * @param interfaces all of the host's
 * @returns undefined when there is no address of the destination's family
 */
export function sourceAddress(
  route: Route,
  destination: IpAddress,
  interfaces: readonly Interface[],
): IpAddress | undefined {
  const { source } = route;
  // RFC 5227 2.4, RFC 4862 5.4.5: what turned out to be another host's is not spoken from.
  if (source !== undefined && !interfaces.some((one) => one.hasLost(source))) return source;
  return destination.family === 4 ? sourceAddress4(route, destination) : sourceAddress6(route, destination, interfaces);
}

/** The one in the narrowest network with the destination (or the gateway), or else the interface's first. */
function sourceAddress4(route: Route, destination: IpAddress): IpAddress | undefined {
  const target = route.gateway ?? destination;
  const candidates = route.interface.sources.filter(({ address }) => address.family === 4);
  let best = candidates[0];
  let narrowest = -1;
  for (const candidate of candidates) {
    if (candidate.bits <= narrowest || !inPrefix(target, candidate.address, candidate.bits)) continue;
    best = candidate;
    narrowest = candidate.bits;
  }
  return best?.address;
}

interface Candidate {
  readonly address: IpAddress;
  readonly bits: number;
  readonly over: Interface;
}

function sourceAddress6(route: Route, destination: IpAddress, interfaces: readonly Interface[]): IpAddress | undefined {
  // RFC 6724 4: the addresses of the outgoing interface; like Linux those of others too, unless they mean nothing there.
  let best: Candidate | undefined;
  for (const over of interfaces) {
    for (const { address, bits } of over.sources) {
      if (address.family !== 6 || (address.isLinkLocal && over !== route.interface)) continue;
      const candidate = { address, bits, over };
      if (best === undefined || isBetter(candidate, best, destination, route.interface)) best = candidate;
    }
  }
  return best?.address;
}

/** RFC 6724 5: the rules in their order; those about deprecated, home and temporary addresses have nothing to say here. */
function isBetter(a: Candidate, b: Candidate, destination: IpAddress, over: Interface): boolean {
  // Rule 1: the destination itself.
  if (a.address.equals(destination) || b.address.equals(destination)) return a.address.equals(destination);
  // Rule 2: the smallest scope that reaches; if none does, the largest.
  const [scopeA, scopeB, scope] = [scopeOf(a.address), scopeOf(b.address), scopeOf(destination)];
  if (scopeA !== scopeB) return scopeA < scopeB ? scopeA >= scope : scopeB < scope;
  // Rule 5: of the outgoing interface.
  if ((a.over === over) !== (b.over === over)) return a.over === over;
  // Rule 6: with the destination's label.
  const label = policyOf(destination).label;
  const [labelA, labelB] = [policyOf(a.address).label === label, policyOf(b.address).label === label];
  if (labelA !== labelB) return labelA;
  // Rule 8: the longest prefix in common, no longer than the network's own (2.2).
  const commonA = Math.min(commonPrefix(a.address, destination), a.bits);
  return commonA > Math.min(commonPrefix(b.address, destination), b.bits);
}

/** RFC 6724 3.1, 3.2: values as in multicast addresses. 2: link-local, 5: site-local, 14: global. */
export function scopeOf(address: IpAddress): number {
  if (address.family === 4) {
    // RFC 6724 3.2: 169.254/16 and 127/8 are link-local.
    return address.isLoopback || address.w3 >>> 16 === 0xa9fe ? 2 : 14;
  }
  if (address.isMulticast) return (address.w0 >>> 16) & 0xf;
  if (address.isLinkLocal || address.isLoopback) return 2;
  return address.w0 >>> 22 === 0x3fb ? 5 : 14;
}

export interface Policy {
  readonly precedence: number;
  readonly label: number;
}

/** RFC 6724 2.1, the default policy table; the longest prefixes first. */
const POLICIES: readonly (readonly [IpAddress, number, Policy])[] = (
  [
    ['::1/128', 50, 0],
    ['::/96', 1, 3],
    ['2001::/32', 5, 5],
    ['2002::/16', 30, 2],
    ['3ffe::/16', 1, 12],
    ['fec0::/10', 1, 11],
    ['fc00::/7', 3, 13],
  ] as const
).map(([text, precedence, label]) => {
  const prefix = parsePrefix(text) as { address: IpAddress; bits: number };
  return [prefix.address, prefix.bits, { precedence, label }];
});
const IPV4_POLICY: Policy = { precedence: 35, label: 4 };
const ANY_POLICY: Policy = { precedence: 40, label: 1 };

export function policyOf(address: IpAddress): Policy {
  if (address.family === 4) return IPV4_POLICY;
  return POLICIES.find(([network, bits]) => inPrefix(address, network, bits))?.[2] ?? ANY_POLICY;
}

/** RFC 6724 2.2: how many leading bits two addresses have in common; of IPv6 no more than the 64 of the network. */
export function commonPrefix(a: IpAddress, b: IpAddress): number {
  if (a.family === 4 && b.family === 4) return Math.clz32(a.w3 ^ b.w3);
  if (a.bareW0 !== b.bareW0) return Math.clz32(a.bareW0 ^ b.bareW0);
  return 32 + Math.clz32(a.w1 ^ b.w1);
}
