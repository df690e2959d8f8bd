/** send(2), sendmsg(2): what their flags say of the bytes. */
import { send } from '../tcp/calls.ts';
import type { ControlBlock } from '../tcp/control-block.ts';
import { MORE_AWAITED, NO_MORE } from '../tcp/nagle.ts';
import { MSG_DONTWAIT, MSG_EOR, MSG_FASTOPEN, MSG_MORE, MSG_NOSIGNAL, MSG_OOB } from './constants.ts';
import { EAGAIN } from './errno.ts';

/** Those that there are; calls never wait, and no signal is sent in any case. */
export const SEND_FLAGS = MSG_OOB | MSG_EOR | MSG_MORE | MSG_DONTWAIT | MSG_NOSIGNAL | MSG_FASTOPEN;

/** What is said of the last byte of a message. */
const LAST_ONLY = MSG_OOB | MSG_EOR;

/** @returns how many bytes were taken */
export function sendBytes(connection: ControlBlock, bytes: Uint8Array, flags: number, now: number): number {
  const taken = send(connection, bytes, 0, bytes.length, (flags & MSG_OOB) !== 0, (flags & MSG_EOR) !== 0, now);
  // A write that took nothing says nothing (Linux).
  if (taken > 0) connection.moreToCome = (flags & MSG_MORE) !== 0 ? MORE_AWAITED : NO_MORE;
  return taken;
}

/** One after the other. @returns how many bytes were taken, or -EAGAIN */
export function sendList(connection: ControlBlock, list: readonly Uint8Array[], flags: number, now: number): number {
  // The end of a record, or an urgent byte, is the last one of all.
  const last = list.findLastIndex(({ length }) => length > 0);
  let total = 0;
  for (const [i, bytes] of list.entries()) {
    const taken = bytes.length === 0 ? 0 : sendBytes(connection, bytes, i === last ? flags : flags & ~LAST_ONLY, now);
    total += taken;
    if (taken < bytes.length) break;
  }
  return total || (last >= 0 ? -EAGAIN : 0);
}
