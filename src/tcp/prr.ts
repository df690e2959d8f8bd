/**
 * Reductions of cwnd, spread over the acknowledgments of a round trip: proportional rate reduction, RFC 6937 (9937), for recovery as
 * for ECN's congestion window reduced.
 */

import type { AckNews } from './ack-news.ts';
import { CA_CWR, CA_RECOVERY, type ControlBlock, INFINITE_SSTHRESH } from './control-block.ts';
import { queueCwr } from './ecn.ts';
import { recoveryOf } from './recovery-state.ts';

export function inReduction({ caState }: ControlBlock): boolean {
  return caState === CA_CWR || caState === CA_RECOVERY;
}

/** ssthresh as it would be if nothing were being reduced: three quarters of cwnd at least (RFC 2861, RFC 7661). */
export function currentSsthresh(connection: ControlBlock): number {
  const { cwnd, ssthresh } = connection;
  return inReduction(connection) ? ssthresh : Math.max(ssthresh, (cwnd >> 1) + (cwnd >> 2));
}

/**
 * RFC 6937 3.1, on entering recovery.
 * @param marked for a mark, not for a loss
 */
export function startReduction(connection: ControlBlock, marked: boolean): void {
  const recovery = recoveryOf(connection);
  connection.recover = connection.sndNxt;
  recovery.probing = false;
  connection.cwndCount = 0;
  recovery.priorCwnd = connection.cwnd;
  recovery.prrDelivered = 0;
  recovery.prrOut = 0;
  connection.ssthresh = marked ? markedSsthresh(connection) : connection.congestion.ssthresh(connection);
  queueCwr(connection);
}

/** RFC 8511 3: less is given up for a mark than for a loss, if tcp_abe says so; what lives on marks (DCTCP) has an answer of its own. */
function markedSsthresh(connection: ControlBlock): number {
  const { congestion, context, cwnd, ssthresh } = connection;
  // RFC 8511 4: not in slow start, which has overshot by more.
  const own = congestion.needsEcn === true || (context.config.tcp_abe && cwnd > ssthresh);
  return (own ? congestion.markedSsthresh?.(connection) : undefined) ?? congestion.ssthresh(connection);
}

/** RFC 6937 3.1, on every acknowledgment: what may be sent now, as cwnd. */
export function reduce(connection: ControlBlock, news: AckNews): void {
  const recovery = recoveryOf(connection);
  const { delivered } = news;
  if (delivered <= 0 || recovery.priorCwnd === 0) return;
  const pipe = connection.runs.inFlight();
  const room = connection.ssthresh - pipe;
  recovery.prrDelivered += delivered;
  let count: number;
  if (room < 0) {
    count = Math.ceil((recovery.prrDelivered * connection.ssthresh) / recovery.priorCwnd) - recovery.prrOut;
  } else {
    // PRR-SSRB, while the acknowledgment moves on and tells of no loss (RFC 9937 6.2); PRR-CRB otherwise.
    count = Math.max(recovery.prrDelivered - recovery.prrOut, delivered);
    if (news.advanced && news.lost === 0) count++;
    count = Math.min(room, count);
  }
  // The first retransmission goes out whatever the window says (RFC 9937 6.2).
  connection.cwnd = pipe + Math.max(count, recovery.prrOut > 0 ? 0 : 1);
}

/** RFC 6937 3.1, at the end of recovery: cwnd is ssthresh, unless the reduction was undone. */
export function endReduction(connection: ControlBlock): void {
  if (connection.congestion.control !== undefined || connection.ssthresh === INFINITE_SSTHRESH) return;
  if (connection.caState === CA_CWR || connection.recovery?.undoable === true) connection.cwnd = connection.ssthresh;
}
