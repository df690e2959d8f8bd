/** What bind(2) makes of an address: the port is held, or chosen. */

import { deviceName, deviceOf } from '../stack/devices.ts';
import type { Binding } from '../stack/ports.ts';
import type { IpAddress } from '../wire/address.ts';
import { AF_INET, AF_INET6 } from './constants.ts';
import { EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EFAULT, EINVAL, ENETDOWN, ENODEV } from './errno.ts';
import { isAddress } from './memory.ts';
import type { Socket } from './socket.ts';
import { isPort, type SocketAddress } from './socket-address.ts';

export type OwnBinding = { -readonly [K in keyof Binding]: Binding[K] };

/**
 * @param listens it is to be listened on: IP_BIND_ADDRESS_NO_PORT does not count
 * @returns what is to be added to the ports, or -EINVAL (it is bound already; also: IPv4 with IPV6_V6ONLY, a link-local address without a zone, multicast), -EAFNOSUPPORT
 *   (IPv6 for AF_INET), -ENODEV (no such zone), -EADDRNOTAVAIL (not an address of the host, without IP_FREEBIND or IP_TRANSPARENT), -EADDRINUSE, -ENETDOWN (the host is closed)
 */
export function makeBinding(socket: Socket, at: SocketAddress, listens = false): OwnBinding | number {
  const { stack, settings, reuseAddress } = socket;
  const { rare } = settings;
  if (!isAddress(at)) return -EFAULT;
  if (!isPort(at.port)) return -EINVAL;
  if (stack.closed) return -ENETDOWN;
  // Linux looks at an address of IPv4 first, of IPv6 later.
  if (socket.isBound && socket.domain === AF_INET6) return -EINVAL;
  const address = localAddress(socket, at.address);
  if (typeof address === 'number') return address;
  if (socket.isBound) return -EINVAL;
  const { ports } = stack;
  const { reusePort, device } = rare;
  // Linux: with an address of IPv6 the socket is one of IPv6 alone.
  const v6Only = rare.v6Only || (address.family === 6 && !address.isUnspecified);
  const claim = { address, v6Only, device, reuseAddress, reusePort };
  const later = at.port === 0 && rare.bindNoPort && !listens;
  const port = at.port === 0 && !later ? ports.ephemeral(claim, rare) : at.port;
  if (!later && (port === 0 || ports.conflicts(claim, port))) return -EADDRINUSE;
  if (v6Only) settings.rarely.v6Only = true;
  return { ...claim, port, listening: false, connectedAt: undefined };
}

/** What the options say now counts for those who come. */
export function bindingChanged({ settings, reuseAddress }: Socket, binding: OwnBinding): void {
  const { device, reusePort } = settings.rare;
  Object.assign(binding, { device, reuseAddress, reusePort });
}

/** The address, with the zone that it is meant in. @returns it, or why it cannot be bound */
function localAddress(socket: Socket, given: IpAddress): IpAddress | number {
  const { network } = socket.stack;
  const { rare } = socket.settings;
  if (given.family === 6) {
    if (socket.domain === AF_INET) return -EAFNOSUPPORT;
    if (given.isMulticast) return -EINVAL;
  } else if (rare.v6Only) return -EINVAL;
  const address = given.zone === 0 ? given.withZone(rare.device) : given;
  // RFC 4007 6: without a zone nobody knows which link is meant.
  if (address.isLinkLocal && address.zone === 0) return -EINVAL;
  if (address.zone !== 0 && deviceName(network, address.zone) === undefined) return -ENODEV;
  if (address.isUnspecified || rare.freeBind || rare.transparent) return address;
  // Linux: of IPv4 the addresses of many can be bound, though nobody connects to them.
  if (address.family === 4 && (address.isMulticast || network.isBroadcast(address))) return address;
  // Linux: an address that is another interface's own business is not this one's.
  const ofOne = address.family === 6 && (address.isLoopback || address.isLinkLocal);
  const elsewhere = ofOne && rare.device !== 0 && deviceOf(network, address) !== rare.device;
  return network.isLocal(address) && !elsewhere ? address : -EADDRNOTAVAIL;
}
