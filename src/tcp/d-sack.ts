/** D-SACK as the sender of data: the receiver tells what came twice. RFC 2883 4. */
import type { TcpSegment } from '../wire/tcp.ts';
import type { AckNews } from './ack-news.ts';
import type { ControlBlock } from './control-block.ts';
import { rackDuplicate } from './rack.ts';
import { recoveryOf } from './recovery-state.ts';
import { after, afterOrAt, before, beforeOrAt, distance } from './sequence.ts';

/** Whether the first block reports a duplicate: it lies below the acknowledgment, or within the second. */
export function reportsDuplicate({ sackBlocks, sackCount, ack }: TcpSegment): boolean {
  const left = sackBlocks[0] as number;
  const right = sackBlocks[1] as number;
  if (before(left, ack)) return after(right, left);
  return sackCount > 1 && afterOrAt(left, sackBlocks[2] as number) && beforeOrAt(right, sackBlocks[3] as number);
}

/** A segment came twice. It may be that a retransmission was not needed, or that the network copies. */
export function duplicateArrives(connection: ControlBlock, left: number, right: number, news: AckNews): void {
  const { context, sndMss } = connection;
  const { counters } = context;
  const recovery = recoveryOf(connection);
  if (before(left, news.priorUna)) counters.TCPDSACKRecv++;
  else counters.TCPDSACKOfoRecv++;
  const length = distance(left, right);
  const pieces = Math.max(Math.ceil(length / sndMss), 1);
  if (length <= connection.maxSndWnd) recovery.duplicates += pieces;
  // More than a window, or than was ever sent again: the network made them, or they are made up.
  if (length > connection.maxSndWnd || recovery.duplicates > connection.totalRetrans) {
    counters.TCPDSACKIgnoredDubious++;
    return;
  }
  news.duplicateReported = true;
  if (recovery.probing && recovery.probeRetransmitted && recovery.probeEnd === right) news.probeDuplicated = true;
  else rackDuplicate(connection);
  news.delivered += pieces;
  duplicateCounts(connection, left, right, pieces, news);
}

/** What undo counts: a retransmission was not needed. @param pieces how many segments `[left, right)` was */
function duplicateCounts(connection: ControlBlock, left: number, right: number, pieces: number, news: AckNews): void {
  const { recovery, runs, context } = connection;
  if (recovery === undefined || !recovery.undoable) {
    context.counters.TCPDSACKIgnoredNoUndo++;
    return;
  }
  if (recovery.undoRetrans <= 0) return;
  // What is acknowledged is forgotten: it can only be counted. What is still out is known.
  let count = 0;
  if (beforeOrAt(right, news.priorUna)) count = before(recovery.undoMarker, right) ? pieces : 0;
  else count = runs.sentAgainWithin(left, right, recovery.undoMarker);
  recovery.undoRetrans = Math.max(recovery.undoRetrans - count, 0);
}
