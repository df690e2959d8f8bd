/** From `network` and `host:port` to addresses, by Go's rules. */

import { checkFunction, checkNames, shown } from '../arguments.ts';
import { IPV4_ANY, IpAddress } from '../wire/address.ts';
import { wrongSignal } from './conn.ts';
import type { EndAddr } from './end-addr.ts';
import { AddrError, abortError, DNSError, ParseError, UnknownNetworkError } from './errors.ts';
import { checkText, splitHostPort } from './host-port.ts';
import { IPAddr, parseIPAddr } from './ip-addr.ts';
import { unresolved } from './limits.ts';
import { OpError } from './op-error.ts';
import { lookupPort } from './ports.ts';
import { type LookupOptions, localResolver, type Resolver } from './resolver.ts';
import type { Services } from './services-file.ts';
import { TCPAddr } from './tcp-addr.ts';

export interface ResolveOptions {
  /** Who is asked for names. Default: one that knows `localhost` alone. */
  resolver?: Resolver | undefined;
  /** Ends a lookup that nobody waits for. */
  signal?: AbortSignal | undefined;
  /** Names of ports beyond those that are built in. */
  services?: (() => Services) | undefined;
}

export const NO_SUITABLE_ADDRESS = 'no suitable address found';

/** @throws UnknownNetworkError for anything but tcp, tcp4, tcp6 */
export function checkNetwork(network: string): void {
  if (!isTcpNetwork(network)) throw new UnknownNetworkError(network);
}

export function isTcpNetwork(network: string): boolean {
  return network === 'tcp' || network === 'tcp4' || network === 'tcp6';
}

/**
 * The address of one end (Go: net.ResolveTCPAddr). `network` is tcp, tcp4, tcp6 or '' (tcp); the host is a literal, a name or empty, the
 * port a number, a service name or empty. Of a name's addresses it gives the first of IPv4, or of IPv6 when the host was in brackets.
 * @throws UnknownNetworkError, AddrError, DNSError (as rejections)
 */
export async function resolveTCPAddr(network: string, address: string, options: ResolveOptions = {}): Promise<TCPAddr> {
  checkText('resolveTCPAddr: network', network);
  checkText('resolveTCPAddr: address', address);
  checkResolve('resolveTCPAddr', options);
  const known = network === '' ? 'tcp' : network;
  checkNetwork(known);
  const list = await resolveList(known, address, options);
  return preferred(list, known === 'tcp' && address.includes('[') ? 6 : 4);
}

/** @throws TypeError naming what is wrong with options */
export function checkResolve(caller: string, options: ResolveOptions): void {
  checkNames(caller, options, ['resolver', 'signal', 'services'] satisfies (keyof ResolveOptions)[]);
  const { resolver, signal, services } = options;
  if (resolver !== undefined && typeof resolver?.lookupHost !== 'function')
    throw new TypeError(`${caller}: resolver must be an object with lookupHost(name, options)`);
  if (services !== undefined) checkFunction(`${caller}: services`, services);
  const wrong = wrongSignal(caller, signal);
  if (wrong !== undefined) throw wrong;
}

/** The first address of a family, else the first of all; an address without IP counts as IPv6, as in Go. */
export function preferred<A extends EndAddr>(list: readonly A[], family: 4 | 6): A {
  return list.find(({ ip }) => (ip?.family ?? 6) === family) ?? (list[0] as A);
}

/**
 * All addresses that `address` stands for on a known network, in the resolver's order; at least one.
 * @throws AddrError, DNSError (as rejections)
 */
export function resolveList(network: string, address: string, options: ResolveOptions): Promise<TCPAddr[]> {
  return resolveAs(TCPAddr, network, address, options);
}

/** `resolveList` for any transport: `Kind` makes its addresses, `network` names it, with a 4 or a 6 at its end for one family. */
export async function resolveAs<A>(
  Kind: new (ip: IpAddress | undefined, port: number, zone?: string) => A,
  network: string,
  address: string,
  options: ResolveOptions,
): Promise<A[]> {
  if (address === '') return [new Kind(undefined, 0)];
  const { host, port } = splitHostPort(address);
  const number = lookupPort(network, port, options.services);
  if (host === '') return [new Kind(undefined, number)];
  const family = network.endsWith('4') ? 4 : network.endsWith('6') ? 6 : undefined;
  const found = await lookupAddresses(host, { ...options, network: family === undefined ? 'ip' : `ip${family}` });
  // Go: a lone :: is any address, of either family, whatever its zone.
  const all = found.length === 1 && `${found[0]?.ip}` === '::' ? [...found, new IPAddr(IPV4_ANY)] : found;
  const suitable = all.filter(({ ip }) => family === undefined || ip.family === family);
  if (suitable.length === 0) throw new AddrError(NO_SUITABLE_ADDRESS, host);
  return suitable.map(({ ip, zone }) => new Kind(ip, number, zone));
}

/** The error of a listen on a network that is one, but of the other transport: Go resolves its address first. */
export async function unexpectedType(
  { resolver, services }: { resolver: Resolver; services: () => Services },
  Kind: new (ip: IpAddress | undefined, port: number, zone?: string) => EndAddr,
  network: string,
  address: string,
  signal: AbortSignal | undefined,
): Promise<OpError> {
  try {
    const local = preferred(await resolveAs(Kind, network, address, { resolver, services, signal }), 4);
    return new OpError('listen', network, undefined, local, new AddrError('unexpected address type', address));
  } catch (error) {
    return new OpError('listen', network, undefined, undefined, error as Error);
  }
}

/** The addresses of a host: of a literal its own, of a name what the resolver says; at least one. @throws DNSError (as a rejection) */
export async function lookupAddresses(
  host: string,
  { resolver = localResolver, signal, network }: LookupOptions & Pick<ResolveOptions, 'resolver'>,
): Promise<IPAddr[]> {
  const literal = parseIPAddr(host);
  if (literal !== undefined) return [literal];
  if (signal?.aborted) throw unresolved(host, abortError(signal));
  try {
    const found = (await resolver.lookupHost(host, { signal, network })).map(asIPAddr);
    if (found.length > 0) return found;
  } catch (cause) {
    if (cause instanceof DNSError) throw cause;
    throw new DNSError(cause instanceof Error ? cause.message : String(cause), host, { cause });
  }
  throw new DNSError('no such host', host, { isNotFound: true });
}

/** @throws ParseError when a resolver gave something else than an address */
function asIPAddr(address: IpAddress | string): IPAddr {
  const known = address instanceof IpAddress ? new IPAddr(address) : parseIPAddr(shown(address));
  if (known === undefined) throw new ParseError('IP address', shown(address));
  return known;
}
