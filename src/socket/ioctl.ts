/** ioctl(2) on a socket: how much is queued. Linux's requests, tcp(7). */

import type { ControlBlock } from '../tcp/control-block.ts';
import { distance } from '../tcp/sequence.ts';
import { LISTEN, SYN_RECEIVED, SYN_SENT } from '../tcp/state.ts';
import { atMark, bytesToMark } from '../tcp/urgent.ts';
import { SIOCATMARK, SIOCINQ, SIOCOUTQ, SIOCOUTQNSD } from './constants.ts';
import { EINVAL } from './errno.ts';
import type { Socket } from './socket.ts';

/** @returns bytes (SIOCATMARK: 0 or 1), or -EINVAL (a request that there is not, or a listener) */
export function ioctl(socket: Socket, request: number): number {
  const { connection, listening } = socket;
  if (request === SIOCATMARK) return Number(connection !== undefined && atMark(connection));
  if (request !== SIOCINQ && request !== SIOCOUTQ && request !== SIOCOUTQNSD) return -EINVAL;
  if (listening) return -EINVAL;
  if (connection === undefined || (connection.state & (LISTEN | SYN_SENT | SYN_RECEIVED)) !== 0) return 0;
  if (request === SIOCINQ) return readableBytes(connection);
  // Both count the FIN, as Linux does: what is not acknowledged, and what is not sent.
  const from = request === SIOCOUTQ ? connection.sndUna : connection.sndNxt;
  return Math.max(distance(from, connection.sendEnd), 0);
}

/** Up to the urgent byte, where the next read stops: none at the mark (Linux). */
function readableBytes(connection: ControlBlock): number {
  const { length } = connection.receiveQueue;
  return connection.settings.rare.oobInline ? length : Math.min(length, bytesToMark(connection));
}
