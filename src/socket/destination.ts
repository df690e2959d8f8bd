/** What connect(2) makes of the address that it is given, by the rules of the socket's family. */
import { IPV4_LOOPBACK, IPV6_LOOPBACK, type IpAddress } from '../wire/address.ts';
import { AF_INET } from './constants.ts';
import { EAFNOSUPPORT, EINVAL, ENETUNREACH } from './errno.ts';
import type { Socket } from './socket.ts';

/**
 * The address to connect to, with the zone that it is meant in.
 * @param bound where the socket is bound
 * @returns it; or -EAFNOSUPPORT (IPv6 from AF_INET), -ENETUNREACH (IPv4 with IPV6_V6ONLY; multicast), -EINVAL (link-local, and
 *   nobody says on which link, or two do and differ)
 */
export function destination(socket: Socket, bound: IpAddress | undefined, given: IpAddress): IpAddress | number {
  const { rare } = socket.settings;
  if (given.family === 6 && socket.domain === AF_INET) return -EAFNOSUPPORT;
  const address = given.isUnspecified ? thisHost(given, bound) : given;
  if (address.family === 4) return rare.v6Only ? -ENETUNREACH : address;
  if (address.isMulticast) return -ENETUNREACH;
  const device = deviceOfSocket(socket, bound);
  const zoned = address.zone === 0 ? address.withZone(device) : address;
  // RFC 4007 6: without a zone nobody knows which link is meant.
  if (zoned.isLinkLocal && (zoned.zone === 0 || (device !== 0 && zoned.zone !== device))) return -EINVAL;
  return zoned;
}

/** Linux: the unspecified address is this host, in the family of the address that the socket is bound to; of IPv4 that very address. */
function thisHost(any: IpAddress, bound: IpAddress | undefined): IpAddress {
  if (any.family === 6) return bound?.family === 4 ? IPV4_LOOPBACK : IPV6_LOOPBACK;
  return bound?.family === 4 && !bound.isUnspecified ? bound : IPV4_LOOPBACK;
}

/** The interface that the socket is held to: by SO_BINDTODEVICE, or by a link-local address; 0: none. */
export function deviceOfSocket({ settings }: Socket, bound: IpAddress | undefined): number {
  return settings.rare.device || (bound?.zone ?? 0);
}
