/**
 * What an acknowledgment does to the congestion window, and whether that is in use: it grows only then, and decays when it was not. RFC 5681
 * 4.1, RFC 2861, RFC 7661 in spirit.
 */
import type { AckNews } from './ack-news.ts';
import { CA_OPEN, type ControlBlock } from './control-block.ts';
import { currentSsthresh, inReduction, reduce } from './prr.ts';
import { retransmissionTimeout } from './round-trip.ts';
import { initialCwnd } from './route-metrics.ts';
import { afterOrAt, before } from './sequence.ts';

/** The acknowledgment has been judged: cwnd shrinks on, or grows. */
export function controlCongestion(connection: ControlBlock, news: AckNews, now: number): void {
  const { congestion } = connection;
  if (congestion.control !== undefined) return congestion.control(connection, news, now);
  if (inReduction(connection)) return reduce(connection, news);
  // A path that reorders acknowledges late: what is SACKed counts there, too (Linux).
  const reorders = connection.reordering > connection.context.config.tcp_reordering;
  const forward = news.acked > 0 || (reorders && news.sacked > 0);
  if (forward && news.delivered > 0 && windowInUse(connection)) {
    congestion.acknowledged(connection, news.delivered, now);
  }
}

/** After output: notes how much was out at most in this window of data (Linux's tcp_cwnd_validate). */
export function noteWindowUse(connection: ControlBlock, now: number): void {
  const out = connection.runs.packetsOut;
  const fresh = !before(connection.sndUna, connection.cwndUsageSeq);
  if (fresh || connection.cwndLimited || (!connection.windowWasFull && out > connection.maxPacketsOut)) {
    connection.windowWasFull = connection.cwndLimited;
    connection.maxPacketsOut = out;
    connection.cwndUsageSeq = connection.sndNxt;
  }
  if (windowInUse(connection)) {
    connection.windowUsed = 0;
    connection.windowUsedAt = now;
    return;
  }
  if (out > connection.windowUsed) connection.windowUsed = out;
  if (now - connection.windowUsedAt >= connection.rtoUs / 1000) decay(connection, now);
}

/** RFC 2861 3.2: for a round trip and more the application used less than cwnd: half of the rest is given back. */
function decay(connection: ControlBlock, now: number): void {
  const { config } = connection.context;
  if (!config.tcp_slow_start_after_idle || connection.congestion.control !== undefined) return;
  const used = Math.max(connection.windowUsed, initialCwnd(connection));
  connection.windowUsed = 0;
  connection.windowUsedAt = now;
  if (connection.caState !== CA_OPEN || connection.noSpace || used >= connection.cwnd) return;
  connection.ssthresh = currentSsthresh(connection);
  connection.cwnd = (connection.cwnd + used) >> 1;
}

/** Whether cwnd was what held the sender back, so that it may grow (Linux: in slow start, half in use is enough). */
export function windowInUse(connection: ControlBlock): boolean {
  if (connection.windowWasFull) return true;
  return connection.cwnd < connection.ssthresh && connection.cwnd < 2 * connection.maxPacketsOut;
}

/**
 * RFC 5681 4.1: after an idle RTO cwnd falls back towards the initial window; Linux halves it for each RTO idle.
 * Call when nothing is out and something is about to be.
 */
export function congestionWindowRestart(connection: ControlBlock, now: number): void {
  const { config } = connection.context;
  const rto = retransmissionTimeout(connection);
  const initial = initialCwnd(connection);
  let idle = now - connection.lastDataSentAt;
  const keeps = !config.tcp_slow_start_after_idle || connection.congestion.control !== undefined;
  if (keeps || idle <= rto || connection.cwnd <= initial) return;
  // What was reached before is remembered in ssthresh (RFC 7661, RFC 2861: three quarters of it).
  connection.ssthresh = Math.max(connection.ssthresh, (connection.cwnd >> 1) + (connection.cwnd >> 2));
  for (idle -= rto; idle > 0 && connection.cwnd > initial; idle -= rto) connection.cwnd >>= 1;
  connection.cwnd = Math.max(connection.cwnd, initial);
  connection.cwndCount = 0;
  noteResumption(connection, now);
  connection.lastDataSentAt = now;
  if (afterOrAt(connection.sndUna, connection.cwndUsageSeq)) connection.maxPacketsOut = 0;
}

/** Sending starts again: the congestion control learns how long there was nothing to send, which is no time of the network's. */
export function noteResumption(connection: ControlBlock, now: number): void {
  const idle = now - Math.max(connection.lastDataSentAt, connection.lastReceivedAt);
  if (idle > 0) connection.congestion.resumed?.(connection, idle);
}
