/**
 * Loss recovery without SACK: RFC 5681 3.2, RFC 6582. Each duplicate acknowledgment says that a segment has left the network, though not
 * which one; those presumed received are counted in `sackedOut`.
 */
import type { AckNews } from './ack-news.ts';
import { CA_RECOVERY, type ControlBlock } from './control-block.ts';
import { recoveryOf } from './recovery-state.ts';
import { limitDuplicates } from './reordering.ts';
import { LOST } from './sent-runs.ts';

/** RFC 5681 3.2 steps 1 and 4, RFC 3042: a duplicate acknowledgment. */
export function addDuplicate(connection: ControlBlock, news: AckNews): void {
  const { runs } = connection;
  const before = runs.sackedOut;
  runs.sackedOut++;
  noteReordering(connection, 0);
  news.delivered += Math.max(runs.sackedOut - before, 0);
}

/** New data was acknowledged: one of its segments was the hole, the others had been counted. */
export function removeDuplicates(connection: ControlBlock, acked: number, news: AckNews): void {
  if (acked <= 0) return;
  const { runs } = connection;
  news.delivered += Math.max(acked - runs.sackedOut, 1);
  runs.sackedOut = Math.max(runs.sackedOut - (acked - 1), 0);
  noteReordering(connection, acked);
}

export function forgetDuplicates({ runs }: ControlBlock): void {
  runs.sackedOut = 0;
}

/** RFC 6582 3.2 steps 2 and 3: the third duplicate, or a partial acknowledgment: the first segment out is lost. */
export function markHeadLost(connection: ControlBlock, advanced: boolean): void {
  const { runs, caState } = connection;
  const third = caState < CA_RECOVERY && runs.sackedOut >= connection.reordering;
  const partial = caState === CA_RECOVERY && advanced;
  const head = runs.first;
  if (!(third || partial) || head === undefined || (head.marks & LOST) !== 0) return;
  runs.cutBehind(head, 1);
  runs.markLost(head);
}

function noteReordering(connection: ControlBlock, acked: number): void {
  if (!limitDuplicates(connection)) return;
  const { config, counters } = connection.context;
  connection.reordering = Math.min(connection.runs.packetsOut + acked, config.tcp_max_reordering);
  recoveryOf(connection).reorderings++;
  counters.TCPRenoReorder++;
}
