/** What bind(2) makes of an address: the port is held, or chosen. */
import type { Binding } from '../stack/ports.ts';
import { EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL } from './errno.ts';
import type { Socket } from './socket.ts';
import { isPort, type SocketAddress } from './socket-address.ts';

export type OwnBinding = Binding & { listening: boolean; reuseAddress: boolean };

/** @returns what is to be added to the ports, or -EINVAL, -EAFNOSUPPORT, -EADDRNOTAVAIL (not an address of the host, without IP_FREEBIND), -EADDRINUSE */
export function makeBinding(socket: Socket, at: SocketAddress): OwnBinding | number {
  const { stack, settings, reuseAddress } = socket;
  const { rare } = settings;
  const { address } = at;
  if (!isPort(at.port)) return -EINVAL;
  if (address.family !== 4) return -EAFNOSUPPORT;
  const foreign = !address.isUnspecified && !stack.network.isLocal(address);
  if (foreign && !rare.freeBind) return -EADDRNOTAVAIL;
  const { ports } = stack;
  const { reusePort } = rare;
  const port = at.port === 0 ? ports.ephemeral(address, reuseAddress, rare) : at.port;
  if (port === 0 || ports.conflicts(address, port, reuseAddress, undefined, reusePort)) return -EADDRINUSE;
  return { address, port, reuseAddress, reusePort, listening: false };
}
