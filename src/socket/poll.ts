/** poll(2) of a connection: what is ready, by Linux's rules. */
import type { ControlBlock } from '../tcp/control-block.ts';
import type { Listener } from '../tcp/listener.ts';
import { currentWindow } from '../tcp/receive-window.ts';
import { atMark } from '../tcp/urgent.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDHUP } from './constants.ts';

/** Who is told what has become possible on a socket. */
export interface Watcher {
  /** As `Socket.onReady`. */
  onReady(mask: number): void;
}

/**
 * A caller that finds no room to write will be told when there is some.
 * @param failed it has an error that nobody has been told
 */
export function pollConnection(connection: ControlBlock, failed: boolean): number {
  // TCP_FASTOPEN_CONNECT: the SYN waits for a write.
  if (connection.opening) return connection.fastOpen?.deferred === true ? POLLOUT : 0;
  const readShut = connection.receiveShut || connection.finReceived || connection.released;
  const writeShut = connection.finQueued || connection.released;
  let mask = 0;
  if (readShut || readable(connection)) mask |= POLLIN;
  if (readShut) mask |= POLLRDHUP;
  if (writeShut || connection.writable()) mask |= POLLOUT;
  else connection.noSpace = true;
  if (readShut && writeShut) mask |= POLLHUP;
  if (failed) mask |= POLLERR;
  // RFC 9293 3.8.5 [MUST-33]: urgent data is still to come, or to be read up to where it ends. Linux sends SIGURG for the first.
  if (connection.urgent?.unread === true) mask |= POLLPRI;
  return mask;
}

/** accept would not have to wait: for a connection, or because the host is closed. */
export function pollListener(listener: Listener): number {
  if (listener.closed) return POLLIN | POLLHUP;
  return listener.waiting > 0 ? POLLIN : 0;
}

/** SO_RCVLOWAT bytes are there, beside the urgent one; or as many as ever will be, since the window has no room for more. */
function readable(connection: ControlBlock): boolean {
  const { length } = connection.receiveQueue;
  if (length === 0) return false;
  const { rcvLowat, rare } = connection.settings;
  const target = connection.urgent !== undefined && !rare.oobInline && atMark(connection) ? rcvLowat + 1 : rcvLowat;
  if (length >= target) return true;
  return connection.context.memory.pressure || (target > 2 && currentWindow(connection) <= connection.seenMss);
}
