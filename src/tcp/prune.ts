/** When the memory of all connections is used up: what a connection can do without goes first. Linux's tcp_prune_queue and tcp_check_oom. */
import type { ControlBlock } from './control-block.ts';
import { MIN_SNDBUF } from './send-buffer.ts';

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
    reassembly.clear();
    connection.sackReport?.recent.fill(connection.rcvNxt);
    counters.OfoPruned++;
    if (!memory.exhausted) return true;
  }
  if (inOrder && connection.receiveQueue.length === 0) return true;
  counters.RcvPruned++;
  return false;
}

/** A connection that nobody holds, with much still to send, is not kept when memory is exhausted. */
export function outOfMemory(connection: ControlBlock): boolean {
  const { memory, counters } = connection.context;
  if (!memory.exhausted || connection.sendQueue.charge <= MIN_SNDBUF) return false;
  counters.TCPAbortOnMemory++;
  return true;
}
