/** Where a socket is, and where its peer is. */
import type { ControlBlock } from '../tcp/control-block.ts';
import { CLOSED, SYN_SENT, TIME_WAIT } from '../tcp/state.ts';
import { IPV4_ANY, IPV6_ANY, type IpAddress } from '../wire/address.ts';
import { AF_INET6 } from './constants.ts';
import { ENOTCONN } from './errno.ts';

/** struct sockaddr: an address of either family (IPv4's, on a socket of AF_INET6, are the mapped ones) with its zone, and a port (0..65535; 0 in bind: any). */
export interface SocketAddress {
  readonly address: IpAddress;
  readonly port: number;
}

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65_535;
}

/** What a socket of that domain is bound to when it is bound to nothing. */
export function anyAddress(domain: number): IpAddress {
  return domain === AF_INET6 ? IPV6_ANY : IPV4_ANY;
}

/** Bits of an address that a socket's peer may have: 32 or 128; 0: no peer of that socket has one. */
export function addressBits({ domain }: { readonly domain: number }, address: IpAddress): number {
  return address.family === 4 ? 32 : domain === AF_INET6 ? 128 : 0;
}

/** getsockname(2). @param bound where the socket was bound @param disconnected from the connection */
export function localName(
  domain: number,
  connection: ControlBlock | undefined,
  bound: SocketAddress | undefined,
  disconnected: boolean,
): SocketAddress {
  if (connection !== undefined && !disconnected) return { address: connection.local, port: connection.localPort };
  // Linux: the port of what was disconnected still shows.
  if (connection !== undefined && (bound === undefined || bound.port === 0))
    return { address: bound?.address ?? anyAddress(domain), port: connection.localPort };
  if (bound !== undefined) return { address: bound.address, port: bound.port };
  return { address: anyAddress(domain), port: 0 };
}

/** getpeername(2). @returns it, or -ENOTCONN */
export function peerName(connection: ControlBlock | undefined): SocketAddress | number {
  if (connection === undefined || (connection.state & (SYN_SENT | CLOSED | TIME_WAIT)) !== 0) return -ENOTCONN;
  return { address: connection.remote, port: connection.remotePort };
}
