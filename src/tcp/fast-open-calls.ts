/** User calls of a client that opens fast: RFC 7413 appendix A.1. */
import { startBusy } from './busy-time.ts';
import { sendSyn } from './calls.ts';
import type { ControlBlock } from './control-block.ts';
import { FastOpen } from './fast-open.ts';
import { chooseCookie, synRoom } from './fast-open-client.ts';

/**
 * Sends the SYN of an active OPEN. With TCP_FASTOPEN_CONNECT and a cookie it waits for the first write; without a cookie it asks for one.
 * @returns whether it goes out, with the next flush
 */
export function openByConnect(connection: ControlBlock, now: number): boolean {
  if (connection.settings.fastOpen?.connect === true) {
    const state = new FastOpen();
    connection.fastOpen = state;
    state.deferred = chooseCookie(connection, state, now);
    if (state.deferred) return false;
  }
  sendSyn(connection, now);
  return true;
}

/**
 * OPEN and SEND in one (RFC 7413 4.2.2, client): the SYN goes out with the next flush, with as many of the bytes as it may carry; without a
 * cookie, with none, and asks for one.
 * @returns bytes taken
 */
export function openWithData(connection: ControlBlock, buffers: readonly Uint8Array[], now: number): number {
  connection.fastOpen ??= new FastOpen();
  const state = connection.fastOpen;
  state.deferred = false;
  sendSyn(connection, now);
  if (!chooseCookie(connection, state, now)) return 0;
  let room = synRoom(connection);
  let taken = 0;
  for (const bytes of buffers) {
    const part = Math.min(bytes.length, room);
    if (part > 0) connection.sendQueue.append(bytes, 0, part);
    room -= part;
    taken += part;
  }
  if (taken > 0) startBusy(connection, now);
  return taken;
}
