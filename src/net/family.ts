/** Of which family a socket is, and what an address is to it: as Go's favoriteAddrFamily and ipToSockaddr. */
import type { SocketAddress } from '../socket/socket-address.ts';
import type { Network } from '../stack/network.ts';
import { IPV4_ANY, IPV6_ANY } from '../wire/address.ts';
import type { EndAddr } from './end-addr.ts';
import { AddrError } from './errors.ts';
import { withZone } from './zones.ts';

/** Of a socket that dials: a network that names its family is taken by its word; else IPv4 when neither end is of IPv6. */
export function familyOfDial(network: string, local: EndAddr | undefined, remote: EndAddr): 4 | 6 {
  return named(network) ?? (local?.ip?.family === 6 || remote.ip?.family === 6 ? 6 : 4);
}

/** Of a socket that listens: without an address, or with the unspecified one of either family, it is both families that IPv6 stands for. */
export function familyOfListen(network: string, local: EndAddr): 4 | 6 {
  return named(network) ?? (local.isWildcard ? 6 : (local.ip?.family ?? 4));
}

function named(network: string): 4 | 6 | undefined {
  return network.endsWith('4') ? 4 : network.endsWith('6') ? 6 : undefined;
}

/**
 * What a socket of that family takes for an address. To one of IPv6 an IPv4 address is one of the mapped ones; what becomes of that is the socket's business.
 * @throws AddrError when the family has no such address
 */
export function socketAddress(network: Network, family: 4 | 6, { ip, port, zone }: EndAddr): SocketAddress {
  if (family === 4) {
    if (ip?.family === 6) throw new AddrError('non-IPv4 address', ip.toString());
    return { address: ip ?? IPV4_ANY, port };
  }
  const isAny = ip === undefined || ip.equals(IPV4_ANY);
  return { address: isAny ? IPV6_ANY : withZone(network, ip, zone), port };
}
