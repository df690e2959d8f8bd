/** When the memory of all connections is used up: what a connection can do without goes first. Linux's tcp_prune_queue and tcp_check_oom. */
import type { ControlBlock } from './control-block.ts';
import type { Reassembly } from './reassembly.ts';
import { MIN_SNDBUF } from './send-buffer.ts';
import { RECEIVE_BUFFER_LOCK } from './settings.ts';

/**
 * Whether a segment may be queued: as a rule; when memory is exhausted, only if there is room once this connection's queues were packed and
 * what came out of order was thrown away (its sender will send it again: RFC 2018 8), or if the reader has nothing at all to go on with.
 */
export function mayQueue(connection: ControlBlock, inOrder: boolean): boolean {
  const { memory, counters } = connection.context;
  if (!memory.exhausted) return true;
  counters.PruneCalled++;
  counters.TCPRcvCollapsed += connection.receiveQueue.collapse();
  if (!memory.exhausted) return true;
  const { reassembly } = connection;
  if (reassembly !== undefined && !reassembly.empty) {
    dropStrays(connection, reassembly);
    if (!memory.exhausted) return true;
  }
  if (inOrder && connection.receiveQueue.length === 0) return true;
  counters.RcvPruned++;
  return false;
}

/**
 * More has come than the buffer has room for: it grows, where the user lets it, or what is there is packed (Linux's tcp_prune_queue). What a window
 * offered is taken in any case.
 * @returns whether there is room now
 */
export function makeRoom(connection: ControlBlock, length: number): boolean {
  const { receiveSpace, receiveQueue, reassembly, settings, context } = connection;
  if (receiveSpace === undefined) return true;
  const { memory } = receiveSpace;
  if (memory.used === 0 || memory.used + length <= settings.rcvBuf) return true;
  context.counters.PruneCalled++;
  connection.quickAcks = 0;
  if ((settings.bufferLocks & RECEIVE_BUFFER_LOCK) === 0 && !context.memory.pressure) {
    settings.rcvBuf = Math.max(settings.rcvBuf, Math.min(memory.used, context.config.tcp_rmem[2]));
  }
  if (memory.used > settings.rcvBuf) connection.rcvSsthresh = Math.min(settings.windowClamp, 2 * connection.rcvMss);
  if (memory.used + length <= settings.rcvBuf) return true;
  memory.collapse(receiveQueue.length, reassembly?.length ?? 0);
  return memory.used + length <= settings.rcvBuf;
}

/**
 * The window is closed, and the user has read everything: what came out of order fills a buffer whose window was taken back (tcp_shrink_window). It
 * is given up, as what is missing before it could never come.
 */
export function reopen(connection: ControlBlock): void {
  const { reassembly, receiveQueue } = connection;
  if (receiveQueue.length === 0 && reassembly !== undefined && !reassembly.empty) dropStrays(connection, reassembly);
}

/** RFC 2018 8: its sender will send it again. */
function dropStrays(connection: ControlBlock, reassembly: Reassembly): void {
  reassembly.clear();
  connection.receiveSpace?.memory.dropStrays();
  connection.sackReport?.recent.fill(connection.rcvNxt);
  connection.context.counters.OfoPruned++;
}

/** A connection that nobody holds, with much still to send, is not kept when memory is exhausted. */
export function outOfMemory(connection: ControlBlock): boolean {
  const { memory, counters } = connection.context;
  if (!memory.exhausted || connection.sendQueue.charge <= MIN_SNDBUF) return false;
  counters.TCPAbortOnMemory++;
  return true;
}
