/** The name of one end of a connection, as Node gives it. */
import { AF_INET6 } from '../../socket/constants.ts';
import type { SocketAddress } from '../../socket/socket-address.ts';

/** What `address()` gives. */
export interface AddressInfo {
  address: string;
  family: 'IPv4' | 'IPv6';
  port: number;
}

/** On a socket of IPv6 the addresses of IPv4 have the form `::ffff:10.9.0.1`. */
export function endName({ address, port }: SocketAddress, domain: number): AddressInfo {
  const mapped = domain === AF_INET6 && address.family === 4;
  return {
    address: mapped ? `::ffff:${address}` : `${address}`,
    family: domain === AF_INET6 ? 'IPv6' : 'IPv4',
    port,
  };
}
