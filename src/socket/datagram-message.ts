/** What recvfrom and recvmsg tell of a datagram. */
import type { QueuedError } from '../udp/endpoint.ts';
import { QueuedDatagram } from '../udp/queue.ts';
import { IpAddress } from '../wire/address.ts';
import { MSG_ERRQUEUE, MSG_PEEK, MSG_TRUNC } from './constants.ts';
import type { DatagramSocket } from './datagram-socket.ts';
import { errnoOf } from './reason-errno.ts';
import type { SocketAddress } from './socket-address.ts';

export interface DatagramMessage {
  /** Bytes copied; with MSG_TRUNC among the call's flags, those that the datagram has. */
  readonly length: number;
  /** MSG_TRUNC: the buffers were too small, and what did not fit is gone. */
  readonly flags: number;
  /** Who sent it. */
  readonly from: SocketAddress;
  /** The control message IP_TTL or IPV6_HOPLIMIT, when the option IP_RECVTTL or IPV6_RECVHOPLIMIT is on. */
  readonly ttl: number | undefined;
  /** IP_TOS or IPV6_TCLASS, with IP_RECVTOS or IPV6_RECVTCLASS: Diffserv field and ECN. */
  readonly tos: number | undefined;
  /** The address of IP_PKTINFO or IPV6_PKTINFO, with that option or IPV6_RECVPKTINFO: where it was sent to. RFC 1122 4.1.3.5. */
  readonly to: IpAddress | undefined;
  /** With `to`: the index of the interface that it came over. */
  readonly ifindex: number | undefined;
  /** With MSG_ERRQUEUE: the error that is told; `from` is then whom the datagram was sent to, and the bytes are what was quoted of it. */
  readonly error: DatagramError | undefined;
}

/** struct sock_extended_err: an ICMP error about a datagram that was sent. */
export interface DatagramError {
  /** Positive. */
  readonly errno: number;
  /** SO_EE_ORIGIN_ICMP (2) or SO_EE_ORIGIN_ICMP6 (3). */
  readonly origin: 2 | 3;
  readonly type: number;
  readonly code: number;
  /** The MTU of a hop that it was too large for, bytes; else 0. */
  readonly info: number;
  /** Who said so. */
  readonly offender: IpAddress;
}

const datagram = new QueuedDatagram();

/** Takes the first datagram, or looks at it (MSG_PEEK); there is one. */
export function takeMessage(socket: DatagramSocket, list: readonly Uint8Array[], flags: number): DatagramMessage {
  const { queue } = socket.endpoint;
  const { receiveTtl, receiveTos, receiveTo } = socket.settings;
  queue.first(datagram);
  const copied = scatter(list, (into, skip) => queue.copy(into, skip));
  const { length, sourcePort, tos, ttl, d0, d1, d2, d3 } = datagram;
  if ((flags & MSG_PEEK) === 0) {
    queue.shift();
    socket.stack.udp.countersOf(datagram.s0 === 0 && datagram.s1 === 0 && datagram.s2 === 0xffff ? 4 : 6).InDatagrams++;
  }
  return {
    length: (flags & MSG_TRUNC) !== 0 ? length : copied,
    flags: copied < length ? MSG_TRUNC : 0,
    from: { address: socket.sourceOf(datagram), port: sourcePort },
    ttl: receiveTtl ? ttl : undefined,
    tos: receiveTos ? tos : undefined,
    to: receiveTo ? IpAddress.v6(d0, d1, d2, d3) : undefined,
    ifindex: receiveTo ? datagram.interfaceIndex : undefined,
    error: undefined,
  };
}

/** Takes the oldest error; there is one. The next one is what the next call fails with. */
export function takeQueuedError({ endpoint }: DatagramSocket, list: readonly Uint8Array[]): DatagramMessage {
  const { family, reason, type, code, information, offender, remote, remotePort, payload } =
    endpoint.takeError() as QueuedError;
  endpoint.error = endpoint.errors[0]?.reason ?? 0;
  const length = scatter(list, (into, skip) => {
    const part = payload.subarray(skip, skip + into.length);
    into.set(part);
    return part.length;
  });
  return {
    length,
    flags: MSG_ERRQUEUE | (length < payload.length ? MSG_TRUNC : 0),
    from: { address: remote, port: remotePort },
    ttl: undefined,
    tos: undefined,
    to: undefined,
    ifindex: undefined,
    error: { errno: errnoOf(reason), origin: family === 4 ? 2 : 3, type, code, info: information, offender },
  };
}

/** Fills one buffer after the other. @param copy bytes from `skip` on; tells how many. @returns bytes */
function scatter(list: readonly Uint8Array[], copy: (into: Uint8Array, skip: number) => number): number {
  let copied = 0;
  for (const into of list) {
    const count = copy(into, copied);
    copied += count;
    if (count < into.length) break;
  }
  return copied;
}
