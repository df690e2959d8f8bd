/** From `network` and `host:port` to addresses, by Go's rules. */
import { IPV4_ANY, IpAddress } from '../wire/address.ts';
import { AddrError, DNSError, UnknownNetworkError } from './errors.ts';
import { splitHostPort } from './host-port.ts';
import { lookupPort } from './ports.ts';
import { localResolver, type Resolver } from './resolver.ts';
import { TCPAddr } from './tcp-addr.ts';

export interface ResolveOptions {
  /** Who is asked for names. Default: one that knows `localhost` alone. */
  resolver?: Resolver | undefined;
  /** Ends a lookup that nobody waits for. */
  signal?: AbortSignal | undefined;
}

export const NO_SUITABLE_ADDRESS = 'no suitable address found';

/** @throws UnknownNetworkError for anything but tcp, tcp4, tcp6 */
export function checkNetwork(network: string): void {
  if (network !== 'tcp' && network !== 'tcp4' && network !== 'tcp6') throw new UnknownNetworkError(network);
}

/**
 * The address of one end (Go: net.ResolveTCPAddr). `network` is tcp, tcp4, tcp6 or '' (tcp); the host is a literal, a name or empty, the
 * port a number, a service name or empty. Of a name's addresses it gives the first of IPv4, or of IPv6 when the host was in brackets.
 * @throws UnknownNetworkError, AddrError, DNSError (as rejections)
 */
export async function resolveTCPAddr(network: string, address: string, options: ResolveOptions = {}): Promise<TCPAddr> {
  const known = network === '' ? 'tcp' : network;
  checkNetwork(known);
  const list = await resolveList(known, address, options);
  return preferred(list, known === 'tcp' && address.includes('[') ? 6 : 4);
}

/** The first address of a family, else the first of all; an address without IP counts as IPv6, as in Go. */
export function preferred(list: readonly TCPAddr[], family: 4 | 6): TCPAddr {
  return list.find(({ ip }) => (ip?.family ?? 6) === family) ?? (list[0] as TCPAddr);
}

/**
 * All addresses that `address` stands for on a known network, in the resolver's order; at least one.
 * @throws AddrError, DNSError (as rejections)
 */
export async function resolveList(network: string, address: string, options: ResolveOptions): Promise<TCPAddr[]> {
  if (address === '') return [new TCPAddr(undefined, 0)];
  const { host, port } = splitHostPort(address);
  const number = lookupPort(network, port);
  if (host === '') return [new TCPAddr(undefined, number)];
  const literal = parseZoned(host);
  const found = literal === undefined ? await lookup(host, options) : [literal];
  // Go: a lone :: is any address, of either family.
  const all = found.length === 1 && `${found[0]?.ip}` === '::' ? [...found, { ip: IPV4_ANY, zone: '' }] : found;
  const family = network === 'tcp' ? undefined : network === 'tcp4' ? 4 : 6;
  const suitable = all.filter(({ ip }) => family === undefined || ip.family === family);
  if (suitable.length === 0) throw new AddrError(NO_SUITABLE_ADDRESS, host);
  return suitable.map(({ ip, zone }) => new TCPAddr(ip, number, zone));
}

interface ZonedAddress {
  readonly ip: IpAddress;
  readonly zone: string;
}

/** Reads a literal; only IPv6 has zones, and an empty one is none. */
function parseZoned(text: string): ZonedAddress | undefined {
  const percent = text.indexOf('%');
  const ip = IpAddress.parse(percent < 0 ? text : text.slice(0, percent));
  if (ip === undefined) return undefined;
  if (percent < 0) return { ip, zone: '' };
  const zone = text.slice(percent + 1);
  return ip.family === 4 || zone === '' ? undefined : { ip, zone };
}

async function lookup(host: string, { resolver = localResolver, signal }: ResolveOptions): Promise<ZonedAddress[]> {
  let found: readonly IpAddress[];
  try {
    found = await resolver.lookupHost(host, { signal });
  } catch (cause) {
    if (cause instanceof DNSError) throw cause;
    throw new DNSError(cause instanceof Error ? cause.message : String(cause), host, { cause });
  }
  if (found.length === 0) throw new DNSError('no such host', host, { isNotFound: true });
  return found.map((ip) => ({ ip, zone: '' }));
}
