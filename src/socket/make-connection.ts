/** The connection of an active open, but for its SYN: where to, from where, by which way. */

import type { Network } from '../stack/network.ts';
import { beginOpen } from '../tcp/calls.ts';
import { ControlBlock, KIND_TIME_WAIT } from '../tcp/control-block.ts';
import type { IpAddress } from '../wire/address.ts';
import { PROTOCOL_TCP } from '../wire/ipv4.ts';
import { destination, deviceOfSocket } from './destination.ts';
import { EADDRNOTAVAIL, EAFNOSUPPORT, EFAULT, EINVAL, ENETDOWN, ENETUNREACH } from './errno.ts';
import { checkKeys } from './key-options.ts';
import type { OwnBinding } from './make-binding.ts';
import { isAddress } from './memory.ts';
import { noRouteErrno } from './no-route.ts';
import type { Socket } from './socket.ts';
import { isPort, type SocketAddress } from './socket-address.ts';

/**
 * @param bound where the socket is bound
 * @returns it, which is the socket's now; or -EAFNOSUPPORT, -EINVAL, -ENETUNREACH, -EADDRNOTAVAIL (no port left, or the pair is taken), -ENETDOWN (the host is closed)
 */
export function makeConnection(
  socket: Socket,
  bound: OwnBinding | undefined,
  to: SocketAddress,
): ControlBlock | number {
  if (!isAddress(to)) return -EFAULT;
  if (!isPort(to.port)) return -EINVAL;
  const { stack, settings } = socket;
  if (stack.closed) return -ENETDOWN;
  const remote = destination(socket, bound?.address, to.address);
  if (typeof remote === 'number') return remote;
  // RFC 9293 3.9.1.1 [MUST-46].
  if (remote.isMulticast || stack.network.isBroadcast(remote)) return -ENETUNREACH;
  const rejected = checkKeys(settings, remote);
  if (rejected < 0) return rejected;
  const source = bound === undefined || isNobody(stack.network, bound.address) ? undefined : bound.address;
  // RFC 9293 3.9.1.1 [MUST-44], [MUST-45]: without an address of the user's the route chooses one, for the whole connection.
  // Linux: who may bind to an IPv4 address that is not the host's may not speak from it yet; IP_TRANSPARENT may.
  if (source?.family === 4 && !settings.rare.transparent && !stack.network.isLocal(source)) return -ENETUNREACH;
  const crosses = bound?.address.family === 4 && remote.family === 6;
  const from = crosses ? undefined : source;
  const path = stack.network.pathTo(remote, from, PROTOCOL_TCP, deviceOfSocket(socket, source));
  if (path === undefined) return -noRouteErrno(stack, remote, source);
  if (crosses) return -EAFNOSUPPORT;
  const local = path.source;
  const now = stack.clock.now();
  const chosen = bound?.port ?? 0;
  const port = chosen || stack.ports.ephemeralFor(local, remote, to.port, now, settings.rare);
  const old = stack.demux.get(local, port, remote, to.port);
  if (port === 0 || !stack.ports.isFree(old, chosen !== 0, now)) return -EADDRNOTAVAIL;
  const connection = new ControlBlock(stack.tcp, path, local, port, remote, to.port, settings);
  connection.user = socket;
  socket.connection = connection;
  if (bound !== undefined) bound.connectedAt = local;
  beginOpen(connection, old?.kind === KIND_TIME_WAIT ? old : undefined, now);
  return connection;
}

/** What a packet cannot come from: no address, and those of many. */
function isNobody(network: Network, address: IpAddress): boolean {
  return address.isUnspecified || (address.family === 4 && (address.isMulticast || network.isBroadcast(address)));
}
