/** What recv, recvmsg and their flags do on a connection. Linux's semantics; nothing waits. */

import type { ControlBlock } from '../tcp/control-block.ts';
import { receive } from '../tcp/receive.ts';
import { readUrgent } from '../tcp/urgent.ts';
import { MSG_DONTWAIT, MSG_NOSIGNAL, MSG_OOB, MSG_PEEK, MSG_TRUNC, MSG_WAITALL } from './constants.ts';
import type { DatagramError } from './datagram-message.ts';
import { EAGAIN, EBADF, EFAULT, EINVAL, ENOTCONN, EOPNOTSUPP } from './errno.ts';
import { areMemory, isMemory } from './memory.ts';
import type { Socket } from './socket.ts';
import type { SocketAddress } from './socket-address.ts';

const RECV_FLAGS = MSG_OOB | MSG_PEEK | MSG_TRUNC | MSG_WAITALL | MSG_DONTWAIT | MSG_NOSIGNAL;

/** What recvmsg tells. */
export interface ReceivedMessage {
  /** Bytes, 0 at the end of the stream. */
  readonly length: number;
  /** MSG_OOB for an urgent byte, MSG_TRUNC when there was no room for it. */
  readonly flags: number;
  /** The control message TCP_CM_INQ, when the option TCP_INQ is on: bytes that are left; 1 at the end of the stream. */
  readonly inq: number | undefined;
  /** With MSG_ERRQUEUE: the error that is told, and whom the segment was for; the bytes are what was quoted of it. */
  readonly error?: DatagramError;
  readonly from?: SocketAddress;
}

/**
 * @returns bytes copied (with MSG_TRUNC: thrown away); 0: none; -EOPNOTSUPP (flags), with MSG_OOB -EINVAL (there is no urgent byte, it was
 *   read, or SO_OOBINLINE has it in the stream) or -EAGAIN (it is not yet here)
 */
export function receiveBytes(connection: ControlBlock, into: Uint8Array, flags: number, now: number): number {
  if ((flags & ~RECV_FLAGS) !== 0) return -EOPNOTSUPP;
  if (!isMemory(into)) return -EFAULT;
  if ((flags & MSG_OOB) !== 0) return receiveUrgent(connection, into, flags);
  if (into.length === 0) return 0;
  const target = (flags & MSG_TRUNC) !== 0 ? undefined : into;
  return receive(connection, target, 0, into.length, (flags & MSG_PEEK) !== 0, now);
}

function receiveUrgent(connection: ControlBlock, into: Uint8Array, flags: number): number {
  // Linux: a reset takes it along; behind a FIN it stays.
  const isLost = connection.released && !connection.finReceived;
  const byte = readUrgent(connection, isLost || (flags & MSG_PEEK) !== 0);
  if (byte === -1) return -EINVAL;
  if (isLost) return -ENOTCONN;
  if (byte < 0) return connection.released || connection.receiveShut || connection.finReceived ? 0 : -EAGAIN;
  if (into.length === 0) return 0;
  if ((flags & MSG_TRUNC) === 0) into[0] = byte;
  return 1;
}

/** TCP_CM_INQ's number. After a FIN it is never 0: there is the end still to be read. */
function bytesLeft(connection: ControlBlock): number {
  return connection.receiveQueue.length || Number(connection.finReceived);
}

/** Into one buffer after the other. @returns what recvmsg tells, or the negated errno of the first */
export function receiveMessage(socket: Socket, list: readonly Uint8Array[], flags: number): ReceivedMessage | number {
  if (!areMemory(list)) return socket.isClosed ? -EBADF : -EFAULT;
  let length = 0;
  for (const into of list) {
    const got = socket.recv(into, flags);
    if (got < 0 && length === 0) return got;
    length += Math.max(got, 0);
    if (got < into.length || (flags & (MSG_PEEK | MSG_OOB)) !== 0) break;
  }
  const { connection, settings } = socket;
  const inq = connection !== undefined && settings.rare.inq ? bytesLeft(connection) : undefined;
  return { length, flags: flags & MSG_OOB, inq };
}
