/** Zones: names of interfaces for people, their numbers in the addresses that sockets take. RFC 4007 11. */

import type { SocketAddress } from '../socket/socket-address.ts';
import { deviceIndex, deviceName } from '../stack/devices.ts';
import type { Network } from '../stack/network.ts';
import type { IpAddress } from '../wire/address.ts';
import { TCPAddr } from './tcp-addr.ts';

/** The address with the interface that its zone names, or numbers, in it. A zone that is none of the host's is none (Go). */
export function withZone(network: Network, address: IpAddress, zone: string): IpAddress {
  if (zone === '' || address.family === 4) return address;
  const index = deviceIndex(network, zone) || (/^[0-9]{1,5}$/.test(zone) ? Number(zone) : 0);
  return address.withZone(index);
}

/** Where a socket is, as people have it. */
export function tcpAddr(network: Network, { address, port }: SocketAddress): TCPAddr {
  const { ip, zone } = splitZone(network, address);
  return new TCPAddr(ip, port, zone);
}

/** An address as people have it: without the number of its interface, which is told by name. */
export function splitZone(network: Network, address: IpAddress): { ip: IpAddress; zone: string } {
  const index = address.zone;
  if (index === 0) return { ip: address, zone: '' };
  return { ip: address.withZone(0), zone: deviceName(network, index) ?? String(index) };
}
