/** socket(2). */
import type { Stack } from '../stack/stack.ts';
import { AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP, SOCK_DGRAM, SOCK_STREAM } from './constants.ts';
import { DatagramSocket } from './datagram-socket.ts';
import { EAFNOSUPPORT, ENETDOWN, EPROTONOSUPPORT, ESOCKTNOSUPPORT } from './errno.ts';
import { Socket } from './socket.ts';

/** What a type of socket is: of TCP (SOCK_STREAM) or of UDP (SOCK_DGRAM). */
export type SocketOf<Type extends number> = Type extends typeof SOCK_STREAM
  ? Socket
  : Type extends typeof SOCK_DGRAM
    ? DatagramSocket
    : Socket | DatagramSocket;

/**
 * socket(2).
 * @returns a socket, or -EAFNOSUPPORT, -ESOCKTNOSUPPORT, -EPROTONOSUPPORT, -ENETDOWN (the host is closed)
 */
export function createSocket<Type extends number>(
  stack: Stack,
  domain: number,
  type: Type,
  protocol: number,
): SocketOf<Type> | number {
  if (domain !== AF_INET && domain !== AF_INET6) return -EAFNOSUPPORT;
  if (type !== SOCK_STREAM && type !== SOCK_DGRAM) return -ESOCKTNOSUPPORT;
  if (protocol !== 0 && protocol !== (type === SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP)) return -EPROTONOSUPPORT;
  if (stack.closed) return -ENETDOWN;
  const socket = type === SOCK_STREAM ? makeStream(stack, domain) : makeDatagram(stack, domain);
  return socket as SocketOf<Type>;
}

function makeStream(stack: Stack, domain: number): Socket {
  const socket = new Socket(stack, domain);
  if (domain === AF_INET6 && stack.sysctl.bindv6only) socket.settings.rarely.v6Only = true;
  return socket;
}

function makeDatagram(stack: Stack, domain: number): DatagramSocket {
  const socket = new DatagramSocket(stack, domain);
  socket.endpoint.v6Only = domain === AF_INET6 && stack.sysctl.bindv6only;
  return socket;
}
