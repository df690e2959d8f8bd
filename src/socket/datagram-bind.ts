/** What bind(2) makes of an address for UDP, and which port it gives. */

import { deviceName, deviceOf } from '../stack/devices.ts';
import type { IpAddress } from '../wire/address.ts';
import { AF_INET } from './constants.ts';
import type { DatagramSocket } from './datagram-socket.ts';
import { EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EFAULT, EINVAL, ENETDOWN, ENODEV } from './errno.ts';
import { isAddress } from './memory.ts';
import { isPort, type SocketAddress } from './socket-address.ts';

/** Gives the socket's endpoint an address and a port, and enters it in the table. @returns 0, or as `DatagramSocket.bind` */
export function bindEndpoint(socket: DatagramSocket, at: SocketAddress): number {
  const { endpoint, stack, settings } = socket;
  const bound = endpoint.localPort !== 0;
  if (!isAddress(at)) return -EFAULT;
  // Linux: AF_INET6 looks at itself first, AF_INET at the address.
  if (!isPort(at.port) || (bound && socket.domain !== AF_INET)) return -EINVAL;
  if (stack.closed) return -ENETDOWN;
  const address = localAddress(socket, at.address);
  if (typeof address === 'number') return address;
  if (bound) return -EINVAL;
  // Linux: with an address of IPv6 the socket is one of IPv6 alone, and with a link-local one, of one link.
  const { v6Only } = endpoint;
  if (address.family === 6 && !address.isUnspecified) endpoint.v6Only = true;
  const { table } = stack.udp;
  const port = at.port || table.ephemeral(endpoint, address, settings);
  if (port === 0 || table.conflicts(endpoint, address, port)) {
    // Linux: then the address that a disconnect left is gone, too.
    endpoint.local = socket.any;
    endpoint.v6Only = v6Only;
    return -EADDRINUSE;
  }
  if (address.zone !== 0) endpoint.device = address.zone;
  endpoint.local = address;
  endpoint.localPort = port;
  table.add(endpoint);
  return 0;
}

/** The address, with the zone that it is meant in. @returns it, or why it cannot be bound */
function localAddress({ domain, endpoint, stack, settings }: DatagramSocket, given: IpAddress): IpAddress | number {
  const { network } = stack;
  if (given.family === 6 && domain === AF_INET) return -EAFNOSUPPORT;
  if (given.family === 4 && endpoint.v6Only) return -EINVAL;
  const address = given.zone === 0 ? given.withZone(endpoint.device) : given;
  // RFC 4007 6: without a zone nobody knows which link is meant.
  if (address.isLinkLocal && address.zone === 0) return -EINVAL;
  if (address.zone !== 0 && deviceName(network, address.zone) === undefined) return -ENODEV;
  if (address.isUnspecified || settings.freeBind || settings.transparent) return address;
  // What is sent to many may be listened to alone.
  if (address.isMulticast || network.isBroadcast(address)) return address;
  const ofOne = address.family === 6 && (address.isLoopback || address.isLinkLocal);
  const elsewhere = ofOne && endpoint.device !== 0 && deviceOf(network, address) !== endpoint.device;
  return network.isLocal(address) && !elsewhere ? address : -EADDRNOTAVAIL;
}
