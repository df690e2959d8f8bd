/** Where a datagram goes, whether it may, and that it goes. RFC 768, RFC 1122 4.1; Linux's udp_sendmsg in what it refuses. */
import { deviceOf } from '../stack/devices.ts';
import type { Interface } from '../stack/interface.ts';
import type { RoutedPath } from '../stack/routed-path.ts';
import { truesize } from '../tcp/receive-memory.ts';
import { sendDatagram } from '../udp/output.ts';
import { IPV4_LOOPBACK, IPV6_LOOPBACK, type IpAddress } from '../wire/address.ts';
import { PROTOCOL_UDP } from '../wire/ipv4.ts';
import { FRAGMENT_HEADER_LENGTH } from '../wire/ipv6.ts';
import { UDP_HEADER_LENGTH } from '../wire/udp.ts';
import { AF_INET } from './constants.ts';
import type { DatagramSocket } from './datagram-socket.ts';
import { EACCES, EAFNOSUPPORT, EAGAIN, EINVAL, EMSGSIZE, ENETUNREACH } from './errno.ts';
import { noRouteErrno } from './no-route.ts';

/** The most that a length field can say, bytes: the whole of an IPv4 packet, what follows the header of an IPv6 one. */
const MOST = 65_535;

/**
 * The address to send to, with the zone that it is meant in.
 * @returns it; or -EAFNOSUPPORT (IPv6 from AF_INET, or from an IPv4 address), -ENETUNREACH (IPv4 with IPV6_V6ONLY), -EINVAL (link-local, and
 *   nobody says on which link, or two do and differ)
 */
export function destination(socket: DatagramSocket, given: IpAddress): IpAddress | number {
  const { domain, endpoint } = socket;
  if (given.family === 6 && domain === AF_INET) return -EAFNOSUPPORT;
  const { local, device } = endpoint;
  const ofIpv4 = local.family === 4;
  const address = given.isUnspecified ? thisHost(socket, given, ofIpv4) : given;
  if (address.family === 4) return endpoint.v6Only ? -ENETUNREACH : address;
  const zoned = address.zone === 0 ? address.withZone(device) : address;
  // RFC 4007 6: without a zone nobody knows which link is meant.
  if (zoned.isLinkLocal && (zoned.zone === 0 || (device !== 0 && zoned.zone !== device))) return -EINVAL;
  if (!ofIpv4) return zoned;
  // Linux: first there must be a way.
  return socket.stack.network.pathTo(zoned, undefined, PROTOCOL_UDP) === undefined ? -ENETUNREACH : -EAFNOSUPPORT;
}

/** Linux: the unspecified address is this host, in the family of the address that the socket is bound to; 0.0.0.0, that address. */
function thisHost(socket: DatagramSocket, given: IpAddress, ofIpv4: boolean): IpAddress {
  if (given.family === 4) return socket.boundSource(given) ?? IPV4_LOOPBACK;
  return ofIpv4 ? IPV4_LOOPBACK : IPV6_LOOPBACK;
}

/** The way to an address, marked as the user wants it; the last one is kept. @returns -ENETUNREACH, what else there is instead of a way (noRouteErrno), or -EACCES (everybody, without SO_BROADCAST) */
export function pathTo(socket: DatagramSocket, to: IpAddress): RoutedPath | number {
  const { stack, settings } = socket;
  const { network } = stack;
  let { path } = socket;
  const kept = path !== undefined && socket.pathVersion === network.version && path.destination.equals(to);
  if (path === undefined || !kept || (path.egress as Interface).isClosed) {
    const source = socket.boundSource(to);
    // Linux: AF_INET6 takes what it is bound to for its source, though it be everybody.
    if (source === undefined && socket.domain !== AF_INET && isManyV4(socket)) return -EINVAL;
    // Linux: who may bind to an IPv4 address that is not the host's may not speak from it yet; IP_TRANSPARENT may.
    if (source?.family === 4 && !settings.transparent && !network.isLocal(source)) return -ENETUNREACH;
    path = network.pathTo(to, source, PROTOCOL_UDP, deviceTo(socket, to, source));
    if (path === undefined) return -noRouteErrno(stack, to, source);
    mark(socket, path);
    socket.path = path;
    socket.pathVersion = network.version;
  }
  // RFC 1122 4.1.3.5: nobody speaks to everybody by mistake.
  if (!settings.broadcast && network.isBroadcast(to)) return -EACCES;
  return path;
}

/** It is bound to what many have, of IPv4. */
function isManyV4({ endpoint: { local } }: DatagramSocket): boolean {
  return local.family === 4 && !local.isUnspecified;
}

/** The interface that it is to go over; 0: as the routes say. Linux: what goes to many goes where the address is that it comes from. */
function deviceTo({ endpoint, stack }: DatagramSocket, to: IpAddress, source: IpAddress | undefined): number {
  const toMany = to.isBroadcast || (to.family === 4 && to.isMulticast);
  return endpoint.device || (toMany && source !== undefined ? deviceOf(stack.network, source) : 0);
}

function mark({ settings, endpoint }: DatagramSocket, path: RoutedPath): void {
  const four = path.destination.family === 4;
  path.discovery = four ? endpoint.discovery : endpoint.discovery6;
  path.tos = four ? settings.tos : Math.max(settings.trafficClass, 0);
  if (four && settings.ttl > 0) path.ttl = settings.ttl;
  if (!four && settings.hops >= 0) path.ttl = settings.hops;
  path.limit = (!four && settings.mtu) || MOST;
  // RFC 1112 6.1, RFC 3493 5.2: who says nothing speaks to his neighbours only.
  if (path.destination.isMulticast) path.ttl = 1;
}

/** @returns `length`, or -errno; see `DatagramSocket.send` */
export function transmit(
  socket: DatagramSocket,
  path: RoutedPath,
  port: number,
  list: readonly Uint8Array[],
  length: number,
): number {
  const { endpoint, settings, stack } = socket;
  const { udp, network } = stack;
  const total = path.headerLength + UDP_HEADER_LENGTH + length;
  if (!fits(path, total)) return -EMSGSIZE;
  if (endpoint.sending >= settings.sndBuf) {
    network.flush();
    udp.flushed();
  }
  const { family } = path.destination;
  if (endpoint.sending >= settings.sndBuf) {
    udp.countersOf(family).SndbufErrors++;
    udp.awaitRoom(endpoint);
    return -EAGAIN;
  }
  if (family === 6) path.flowLabel = udp.table.flowLabel(path.source, endpoint.localPort, path.destination, port);
  if (!hasRoom(path, total) || !sendDatagram(path, udp.arena, endpoint.localPort, port, list, length)) {
    udp.awaitRoom(endpoint);
    return -EAGAIN;
  }
  udp.countersOf(family).OutDatagrams++;
  udp.sent(endpoint, path.egress as Interface, truesize(total));
  return length;
}

/** Whether all the fragments of a packet find a place, or as many as ever will: a part of them would be of no use to anybody. */
function hasRoom(path: RoutedPath, total: number): boolean {
  const { mtu, headerLength } = path;
  if (total <= mtu) return true;
  const egress = path.egress as Interface;
  const fragments = Math.ceil(total / (mtu - headerLength - FRAGMENT_HEADER_LENGTH));
  const fits = () => egress.waiting === 0 || egress.waiting + fragments <= egress.queueLimit;
  return fits() || egress.flush() || fits();
}

/** Whether a packet of so many bytes can go: IP can say its length, and where it is not to be fragmented it is no larger than the path takes. */
function fits(path: RoutedPath, total: number): boolean {
  if (total - (path.destination.family === 6 ? path.headerLength : 0) > MOST) return false;
  return total <= path.mtu || path.mayFragment;
}
