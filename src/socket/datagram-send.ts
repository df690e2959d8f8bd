/** Where a datagram goes, whether it may, and that it goes. RFC 768, RFC 1122 4.1; Linux's udp_sendmsg in what it refuses. */
import type { Interface } from '../stack/interface.ts';
import type { RoutedPath } from '../stack/routed-path.ts';
import { truesize } from '../tcp/receive-memory.ts';
import { sendDatagram } from '../udp/output.ts';
import { IPV4_LOOPBACK, IPV6_LOOPBACK, type IpAddress } from '../wire/address.ts';
import { PROTOCOL_UDP } from '../wire/ipv4.ts';
import { UDP_HEADER_LENGTH } from '../wire/udp.ts';
import { AF_INET, IP_PMTUDISC_DO, IP_PMTUDISC_OMIT } from './constants.ts';
import type { DatagramSocket } from './datagram-socket.ts';
import { EACCES, EAFNOSUPPORT, EAGAIN, EINVAL, EMSGSIZE, ENETUNREACH } from './errno.ts';
import { isPort, type SocketAddress } from './socket-address.ts';

/** The most that a length field can say, bytes: the whole of an IPv4 packet, what follows the header of an IPv6 one. */
const MOST = 65_535;

/** @returns 0, -EINVAL, -EAFNOSUPPORT (the socket is of IPv4), -ENETUNREACH (it is of IPv6 alone) */
export function checkDestination({ domain, endpoint }: DatagramSocket, { address, port }: SocketAddress): number {
  if (!isPort(port)) return -EINVAL;
  if (domain === AF_INET) return address.family === 4 ? 0 : -EAFNOSUPPORT;
  if (address.family === 4 && endpoint.v6Only) return -ENETUNREACH;
  return isZoneless(address) ? -EINVAL : 0;
}

/** RFC 4007 6: an address that is of one link only means nothing without that link. */
export function isZoneless(address: IpAddress): boolean {
  return address.isLinkLocal && address.zone === 0;
}

/** Linux: the unspecified address is this host. */
export function actual(address: IpAddress): IpAddress {
  if (!address.isUnspecified) return address;
  return address.family === 4 ? IPV4_LOOPBACK : IPV6_LOOPBACK;
}

/** The way to an address, marked as the user wants it; the last one is kept. @returns -ENETUNREACH, or -EACCES (everybody, without SO_BROADCAST) */
export function pathTo(socket: DatagramSocket, destination: IpAddress): RoutedPath | number {
  const { stack, settings } = socket;
  const { network } = stack;
  let { path } = socket;
  const kept = path !== undefined && socket.pathVersion === network.version && path.destination.equals(destination);
  if (path === undefined || !kept || (path.egress as Interface).isClosed) {
    path = network.pathTo(destination, socket.boundSource(), PROTOCOL_UDP);
    if (path === undefined) return -ENETUNREACH;
    mark(socket, path);
    socket.path = path;
    socket.pathVersion = network.version;
  }
  // RFC 1122 4.1.3.5: nobody speaks to everybody by mistake.
  if (!settings.broadcast && network.isBroadcast(destination)) return -EACCES;
  return path;
}

function mark({ settings, endpoint }: DatagramSocket, path: RoutedPath): void {
  const { family, isMulticast } = path.destination;
  path.discovery = endpoint.discovery;
  if (family === 4) {
    path.tos = settings.tos;
    if (settings.ttl > 0) path.ttl = settings.ttl;
  } else {
    path.tos = Math.max(settings.trafficClass, 0);
    if (settings.hops >= 0) path.ttl = settings.hops;
  }
  // RFC 1112 6.1: who says nothing speaks to his neighbours only.
  if (isMulticast) path.ttl = 1;
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
  if (!fits(socket, path, total)) return -EMSGSIZE;
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
  if (!sendDatagram(path, udp.arena, endpoint.localPort, port, list, length)) {
    udp.awaitRoom(endpoint);
    return -EAGAIN;
  }
  udp.countersOf(family).OutDatagrams++;
  udp.sent(endpoint, truesize(total));
  return length;
}

/** Whether a packet of so many bytes can go: IP can say its length, and where it is not to be fragmented it is no larger than the path takes. */
function fits({ endpoint }: DatagramSocket, path: RoutedPath, total: number): boolean {
  if (total - (path.destination.family === 6 ? path.headerLength : 0) > MOST) return false;
  if (total <= path.mtu) return true;
  const { discovery } = endpoint;
  return discovery < IP_PMTUDISC_DO || discovery === IP_PMTUDISC_OMIT;
}
