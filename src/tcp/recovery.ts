/**
 * Loss recovery: which segments are lost, and what that does to cwnd. Fast retransmit and recovery by duplicate
 * acknowledgments (RFC 5681 3.2, RFC 6582), by SACK (RFC 6675) or by time (rack.ts), and recovery from a timeout (RFC 6298 5.4-5.6).
 *
 * cwnd stays at ssthresh during recovery, and what has left the network is counted out of what is in flight; that is the
 * inflation and deflation of RFC 5681 and 6582 by another name.
 */
import { CA_DISORDER, CA_LOSS, CA_OPEN, CA_RECOVERY, type ControlBlock } from './control-block.ts';
import { rackDetectLosses, rackRecovered, usesRack } from './rack.ts';
import { LOST, RETRANSMITTED, SACKED, type SentRun } from './sent-runs.ts';
import { after, afterOrAt, before } from './sequence.ts';
import { REORDERING, TIMEOUT_MIN } from './timer-kinds.ts';

const stateNames = ['open', 'disorder', 'cwr', 'recovery', 'loss'];

/**
 * After an acknowledgment has been taken.
 * @param acked pieces that it acknowledged cumulatively
 * @param duplicate it is a duplicate acknowledgment (RFC 5681 2), or, with SACK, reports something new
 */
export function updateRecovery(connection: ControlBlock, acked: number, duplicate: boolean, now: number): void {
  const { runs } = connection;
  if (connection.caState >= CA_RECOVERY && afterOrAt(connection.sndUna, connection.recover)) {
    leaveRecovery(connection, now);
  }
  if (!connection.sackOk) countDuplicates(connection, acked, duplicate);
  if (connection.caState === CA_LOSS) {
    if (connection.sackOk) detectLosses(connection, now);
    return;
  }
  if (connection.caState === CA_RECOVERY) {
    if (connection.sackOk) detectLosses(connection, now);
    // RFC 6582 3.2 step 3, partial acknowledgment: the next hole is lost too, and goes out at once.
    else if (acked > 0) markHeadLost(connection);
    return;
  }
  if (connection.sackOk) detectLosses(connection, now);
  else if (connection.dupAcks >= connection.context.config.tcp_reordering && mayStartRecovery(connection)) {
    markHeadLost(connection);
  }
  if (runs.lostOut > 0) enterRecovery(connection, now);
  else connection.caState = runs.sackedOut > 0 ? CA_DISORDER : CA_OPEN;
}

/** What is lost, of what SACK tells: by RACK or by RFC 6675. */
function detectLosses(connection: ControlBlock, now: number): void {
  if (!usesRack(connection)) return markLostBySack(connection);
  armReordering(connection, rackDetectLosses(connection, now), now);
}

function armReordering(connection: ControlBlock, wait: number, now: number): void {
  if (wait > 0) connection.setTimer(REORDERING, now + wait + TIMEOUT_MIN);
  else if (connection.timerAt(REORDERING) !== Infinity) connection.clearTimer(REORDERING);
}

/** RFC 8985 6.2 step 5: the reordering window has passed, and no acknowledgment came to say otherwise. */
export function reorderingTimeout(connection: ControlBlock, now: number): void {
  armReordering(connection, rackDetectLosses(connection, now), now);
  if (connection.runs.nextLost() === undefined) return;
  if (connection.caState < CA_RECOVERY) enterRecovery(connection, now);
  connection.context.markDirty(connection);
}

/** RFC 6298 5.4-5.6, RFC 5681 3.1: the retransmission timer fired. */
export function enterLoss(connection: ControlBlock, now: number): void {
  const { runs, context } = connection;
  // RFC 5681 3.1: ssthresh is reduced once per window of data, not again for a segment that timed out before.
  if (connection.caState !== CA_LOSS || afterOrAt(connection.sndUna, connection.recover)) {
    if (connection.caState !== CA_RECOVERY) connection.ssthresh = connection.congestion.ssthresh(connection);
  }
  if (connection.caState === CA_RECOVERY) {
    if (connection.sackOk) context.counters.TCPSackFailures++;
    else context.counters.TCPRenoFailures++;
  }
  // RFC 2018 8: the oldest is SACKed and yet not acknowledged: the receiver has dropped it, and perhaps more.
  if (runs.first !== undefined && (runs.first.marks & SACKED) !== 0) {
    context.counters.TCPSACKReneging++;
    runs.forgetSacks();
  }
  if (!connection.sackOk) runs.sackedOut = 0;
  connection.dupAcks = 0;
  connection.congestion.timedOut?.(connection);
  connection.cwnd = 1;
  connection.cwndCount = 0;
  connection.caState = CA_LOSS;
  // RFC 6582 4: the highest sequence number sent, so that late duplicates do not start a fast retransmit.
  connection.recover = connection.sndNxt;
  connection.everRecovered = true;
  connection.clearTimer(REORDERING);
  runs.markAllLost();
  connection.retransmitDue = true;
  traceCongestion(connection, now);
}

function enterRecovery(connection: ControlBlock, now: number): void {
  const { counters } = connection.context;
  connection.ssthresh = connection.congestion.ssthresh(connection);
  connection.cwnd = connection.ssthresh;
  connection.cwndCount = 0;
  connection.recover = connection.sndNxt;
  connection.everRecovered = true;
  connection.caState = CA_RECOVERY;
  connection.retransmitDue = true;
  if (connection.sackOk) counters.TCPSackRecovery++;
  else counters.TCPRenoRecovery++;
  traceCongestion(connection, now);
}

function leaveRecovery(connection: ControlBlock, now: number): void {
  if (connection.caState === CA_RECOVERY) connection.cwnd = Math.min(connection.cwnd, connection.ssthresh);
  if (!connection.sackOk) connection.runs.sackedOut = 0;
  rackRecovered(connection);
  connection.dupAcks = 0;
  connection.caState = CA_OPEN;
  connection.retransmitDue = false;
  traceCongestion(connection, now);
}

/**
 * Without SACK each duplicate says that a segment has left the network, though not which: RFC 5681 3.2 steps 1 and 4, RFC 3042.
 * The first segment out is not one of them, or there would be no duplicates.
 */
function countDuplicates(connection: ControlBlock, acked: number, duplicate: boolean): void {
  const { runs } = connection;
  if (duplicate) {
    connection.dupAcks++;
    if (runs.sackedOut + runs.lostOut < runs.packetsOut) runs.sackedOut++;
    return;
  }
  if (acked === 0) return;
  connection.dupAcks = 0;
  if (connection.caState === CA_RECOVERY) {
    // One of what was acknowledged was the hole; the others had been counted.
    runs.sackedOut = Math.max(runs.sackedOut - (acked - 1), 0);
  } else {
    runs.sackedOut = 0;
  }
  runs.sackedOut = Math.min(runs.sackedOut, Math.max(runs.packetsOut - runs.lostOut, 0));
}

/** RFC 6582 3.2 step 2: only when the acknowledgment covers more than the last recovery. */
function mayStartRecovery(connection: ControlBlock): boolean {
  return !connection.everRecovered || after(connection.sndUna, connection.recover);
}

function markHeadLost(connection: ControlBlock): void {
  const { runs } = connection;
  const head = runs.first;
  if (head === undefined || (head.marks & RETRANSMITTED) !== 0) return;
  runs.cutBehind(head, 1);
  runs.markLost(head);
  runs.sackedOut = Math.min(runs.sackedOut, Math.max(runs.packetsOut - runs.lostOut, 0));
  connection.retransmitDue = true;
}

/**
 * RFC 6675 4, IsLost: DupThresh segments SACKed above it.
 */
function markLostBySack(connection: ControlBlock): void {
  const { runs } = connection;
  if (runs.sackedOut === 0) return;
  const threshold = connection.context.config.tcp_reordering;
  let above = 0;
  let run: SentRun | undefined = runs.last;
  // Behind the highest SACKed there is nothing to judge.
  while (run !== undefined && (run.marks & SACKED) === 0 && !before(run.seq, runs.highestSacked)) run = run.previous;
  for (; run !== undefined; run = run.previous) {
    if ((run.marks & SACKED) !== 0) above += run.pieces();
    else if (above >= threshold && (run.marks & LOST) === 0) runs.markLost(run);
  }
}

function traceCongestion(connection: ControlBlock, now: number): void {
  if (connection.context.trace === undefined) return;
  const { cwnd, ssthresh } = connection;
  const state = stateNames[connection.caState] as string;
  connection.trace({ type: 'congestion', at: now, flow: connection.flow(), state, cwnd, ssthresh });
}
