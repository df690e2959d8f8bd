/** What recvfrom and recvmsg tell of a datagram. */
import { QueuedDatagram } from '../udp/queue.ts';
import { IpAddress } from '../wire/address.ts';
import { MSG_PEEK, MSG_TRUNC } from './constants.ts';
import type { DatagramSocket } from './datagram-socket.ts';
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
}

const datagram = new QueuedDatagram();

/** Takes the first datagram, or looks at it (MSG_PEEK); there is one. */
export function takeMessage(socket: DatagramSocket, list: readonly Uint8Array[], flags: number): DatagramMessage {
  const { queue } = socket.endpoint;
  const { receiveTtl, receiveTos, receiveTo } = socket.settings;
  queue.first(datagram);
  let copied = 0;
  for (const into of list) {
    const count = queue.copy(into, copied);
    copied += count;
    if (count < into.length) break;
  }
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
  };
}
