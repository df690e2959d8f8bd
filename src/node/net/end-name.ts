/** The ends of a connection as Node has them: addresses as texts, link-local ones with their zone. */
import { splitZone, withZone } from '../../net/zones.ts';
import { AF_INET6 } from '../../socket/constants.ts';
import type { SocketAddress } from '../../socket/socket-address.ts';
import type { Network } from '../../stack/network.ts';
import { IpAddress } from '../../wire/address.ts';

/** What `address()` gives. */
export interface AddressInfo {
  address: string;
  family: 'IPv4' | 'IPv6';
  port: number;
}

/** On a socket of IPv6 the addresses of IPv4 have the form `::ffff:10.9.0.1`; a zone is the name of an interface. */
export function endName(network: Network, { address, port }: SocketAddress, domain: number): AddressInfo {
  const { ip, zone } = splitZone(network, address);
  const text = zone === '' ? `${ip}` : `${ip}%${zone}`;
  const mapped = domain === AF_INET6 && ip.family === 4;
  return { address: mapped ? `::ffff:${text}` : text, family: domain === AF_INET6 ? 'IPv6' : 'IPv4', port };
}

/** Reads an address for a socket of a family, 4 or 6. @returns undefined when it is none, or is of IPv6 and the socket is not */
export function parseEnd(network: Network, text: string, family: number): IpAddress | undefined {
  const [literal = '', zone = ''] = text.split('%', 2);
  const address = IpAddress.parse(literal);
  if (address === undefined || (address.family === 6 && family === 4)) return undefined;
  return withZone(network, address, zone);
}
