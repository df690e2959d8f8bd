/**
 * Loss recovery: what an acknowledgment, or the lack of one, says about the network, and in which state it puts the sender. The states are Linux's
 * (tcpi_ca_state): Open, Disorder, CWR, Recovery (RFC 5681 3.2, RFC 6675) and Loss (RFC 6298 5.4-5.6). Losses are found by time (rack.ts), by
 * what is SACKed (RFC 6675 4) or by duplicate acknowledgments (new-reno.ts); prr.ts says how cwnd gets smaller, undo.ts when it
 * should not have.
 */
import type { AckNews } from './ack-news.ts';
import { CA_CWR, CA_DISORDER, CA_LOSS, CA_OPEN, CA_RECOVERY, type ControlBlock } from './control-block.ts';
import { queueCwr } from './ecn.ts';
import { processLoss } from './f-rto.ts';
import { mtuProbeLost } from './mtu-probing.ts';
import { addDuplicate, forgetDuplicates, markHeadLost } from './new-reno.ts';
import { currentSsthresh, endReduction, inReduction, reduce, startReduction } from './prr.ts';
import { rackDetectLosses, rackTimeLeft, usesRack } from './rack.ts';
import { anythingSentAgain, endTimeouts, recoveryOf } from './recovery-state.ts';
import { retransmissionTimeout } from './round-trip.ts';
import { armReordering, armRetransmission, rearmRetransmission } from './sending-timer.ts';
import { LOST, SACKED, type SentRun } from './sent-runs.ts';
import { after, afterOrAt, before } from './sequence.ts';
import { TIMEOUT_MIN } from './timer-kinds.ts';
import { startUndo, tryUndoByDuplicates, tryUndoPartial, tryUndoRecovery } from './undo.ts';

const stateNames = ['open', 'disorder', 'cwr', 'recovery', 'loss'];
/** The shortest wait for a receiver that dropped what it had SACKed to say more, ms (Linux). */
const RENEGING_WAIT = 10;

/** An acknowledgment has been taken that is not simply what was hoped for. */
export function updateRecovery(connection: ControlBlock, news: AckNews, now: number): void {
  const { runs, recovery } = connection;
  const before = connection.caState;
  if (runs.packetsOut === 0) runs.sackedOut = 0;
  if (recovery !== undefined) recovery.holding = false;
  // RFC 4015 3: what was reduced for reported congestion is not undone.
  if (news.ece && recovery !== undefined) recovery.priorSsthresh = 0;
  if (waitForReneger(connection, news, now)) return;
  if (!leaveState(connection, news)) advanceState(connection, news, now);
  if (recovery !== undefined && connection.caState !== CA_LOSS) endTimeouts(recovery, now);
  if (connection.caState !== before) traceCongestion(connection, now);
}

/** RFC 2018 8: the receiver may have dropped what it SACKed: if it does not think again soon, everything is sent again (Linux). */
function waitForReneger(connection: ControlBlock, news: AckNews, now: number): boolean {
  if (!news.reneged || !news.advanced) return false;
  armRetransmission(connection, now + Math.max(connection.srttUs / 2000, RENEGING_WAIT));
  news.timerSet = true;
  return true;
}

/** States that end when everything is acknowledged that was out when they began. @returns whether nothing else is to be done */
function leaveState(connection: ControlBlock, news: AckNews): boolean {
  const { caState, runs } = connection;
  if (caState === CA_OPEN) {
    if (connection.recovery !== undefined && runs.retransOut === 0) connection.recovery.retransmittedAt = -1;
  } else if (afterOrAt(connection.sndUna, connection.recover)) {
    if (caState === CA_CWR && connection.sndUna !== connection.recover) {
      endReduction(connection);
      connection.caState = CA_OPEN;
    } else if (caState === CA_RECOVERY) {
      if (!connection.sackOk) forgetDuplicates(connection);
      if (tryUndoRecovery(connection, news)) return true;
      endReduction(connection);
    }
  }
  return false;
}

function advanceState(connection: ControlBlock, news: AckNews, now: number): void {
  const { caState } = connection;
  if (caState === CA_RECOVERY) {
    inRecovery(connection, news, now);
  } else if (caState !== CA_LOSS || inLoss(connection, news, now)) {
    inOther(connection, news, now);
  }
}

function inRecovery(connection: ControlBlock, news: AckNews, now: number): void {
  if (!news.advanced) {
    if (!connection.sackOk && news.duplicate) addDuplicate(connection, news);
  } else {
    const undone = tryUndoPartial(connection, news);
    if (undone === 'wait') {
      recoveryOf(connection).holding = true;
      return;
    }
    if (undone === 'undone') keepOpen(connection);
  }
  if (tryUndoByDuplicates(connection)) toOpen(connection, news, now);
  identifyLosses(connection, news, now);
  if (connection.caState === CA_RECOVERY || connection.runs.lostOut === 0) return;
  // The undoing has ended the recovery, and yet something is lost: another begins.
  enterRecovery(connection, news.ece);
}

/** @returns whether to go on as if there were no loss, or a new one */
function inLoss(connection: ControlBlock, news: AckNews, now: number): boolean {
  processLoss(connection, news);
  identifyLosses(connection, news, now);
  return connection.caState === CA_OPEN || (connection.caState === CA_LOSS && news.lostAgain);
}

function inOther(connection: ControlBlock, news: AckNews, now: number): void {
  if (!connection.sackOk) {
    if (news.advanced) forgetDuplicates(connection);
    if (news.duplicate) addDuplicate(connection, news);
  }
  if (connection.caState <= CA_DISORDER) tryUndoByDuplicates(connection);
  identifyLosses(connection, news, now);
  if (connection.runs.lostOut === 0) toOpen(connection, news, now);
  else if (!mtuProbeLost(connection, now)) enterRecovery(connection, news.ece);
}

/** Nothing is lost: Open, if nothing is in doubt either. RFC 3168 6.1.2: or less is sent, as the peer saw congestion. */
function toOpen(connection: ControlBlock, news: AckNews, now: number): void {
  if (connection.recovery !== undefined && !anythingSentAgain(connection)) connection.recovery.retransmittedAt = -1;
  if (news.ece) enterCwr(connection, now);
  if (connection.caState !== CA_CWR) keepOpen(connection);
}

export function keepOpen(connection: ControlBlock): void {
  const { runs } = connection;
  const inDoubt = runs.sackedOut + runs.lostOut > 0 || anythingSentAgain(connection);
  const state = inDoubt ? CA_DISORDER : CA_OPEN;
  if (connection.caState === state) return;
  connection.caState = state;
  connection.recover = connection.sndNxt;
}

function identifyLosses(connection: ControlBlock, news: AckNews, now: number): void {
  const { runs, rack, context } = connection;
  if (runs.packetsOut === 0) return;
  if (!connection.sackOk) return markHeadLost(connection, news.advanced);
  if (!usesRack(connection)) return markLostBySack(connection);
  if (rack === undefined || !rack.advanced) return;
  const { retransOut } = runs;
  const wait = rackDetectLosses(connection, now);
  if (wait > 0) {
    armReordering(connection, now + wait + TIMEOUT_MIN);
    news.timerSet = true;
  }
  if (runs.retransOut >= retransOut) return;
  news.lostAgain = true;
  context.counters.TCPLostRetransmit += retransOut - runs.retransOut;
}

/** RFC 6675 4, IsLost: DupThresh segments SACKed above it. */
function markLostBySack(connection: ControlBlock): void {
  const { runs } = connection;
  if (runs.sackedOut === 0) return;
  let above = 0;
  let run: SentRun | undefined = runs.last;
  // Behind the highest SACKed there is nothing to judge.
  while (run !== undefined && (run.marks & SACKED) === 0 && !before(run.seq, runs.highestSacked)) run = run.previous;
  for (; run !== undefined; run = run.previous) {
    if ((run.marks & SACKED) !== 0) above += run.pieces();
    else if (above >= connection.reordering && (run.marks & LOST) === 0) runs.markLost(run);
  }
}

/** RFC 8985 6.3: the reordering window has passed, and no acknowledgment came to say otherwise. */
export function reorderingTimeout(connection: ControlBlock, news: AckNews, now: number): void {
  const { runs } = connection;
  const [before, lost] = [runs.inFlight(), runs.lostTotal];
  rackDetectLosses(connection, now);
  if (runs.inFlight() !== before) {
    if (connection.caState !== CA_RECOVERY) {
      enterRecovery(connection, false);
      traceCongestion(connection, now);
      news.reset();
      news.delivered = 1;
      news.lost = runs.lostTotal - lost;
      if (connection.congestion.control === undefined) reduce(connection, news);
    }
    connection.context.markDirty(connection);
    // The oldest goes out again now.
    armRetransmission(connection, now + retransmissionTimeout(connection));
  } else {
    rearmRetransmission(connection, now);
  }
}

/** RFC 6298 5.4-5.6, RFC 5681 3.1: the retransmission timer fired. */
export function enterLoss(connection: ControlBlock, now: number): void {
  const { runs, context, caState } = connection;
  const recovery = recoveryOf(connection);
  markTimedOut(connection, now);
  // RFC 5681 3.1: ssthresh is reduced once per window of data, not again for a segment that timed out before.
  const again = caState === CA_LOSS && connection.retransmits > 0;
  const within = caState > CA_DISORDER && after(connection.recover, connection.sndUna);
  if (caState <= CA_DISORDER || !within || (caState === CA_LOSS && !again)) {
    recovery.priorSsthresh = currentSsthresh(connection);
    recovery.priorCwnd = connection.cwnd;
    connection.ssthresh = connection.congestion.ssthresh(connection);
    connection.congestion.timedOut?.(connection);
    startUndo(connection);
  }
  connection.cwnd = runs.inFlight() + 1;
  connection.cwndCount = 0;
  // So many duplicates and yet a timeout: it does not reorder as far as it seemed (Linux).
  if (caState <= CA_DISORDER && runs.sackedOut >= connection.reordering) {
    connection.reordering = Math.min(connection.reordering, context.config.tcp_reordering);
  }
  connection.caState = CA_LOSS;
  connection.recover = connection.sndNxt;
  recovery.probing = false;
  queueCwr(connection);
  // RFC 5682 2.1 step 1: a timeout within another recovery says nothing new.
  recovery.frto = context.config.tcp_frto > 0 && (caState < CA_RECOVERY || connection.retransmits > 0);
  recovery.newDataFirst = false;
  traceCongestion(connection, now);
}

/** What the timeout says about what is out: the oldest is lost, and with it all that RACK would not give more time. */
function markTimedOut(connection: ControlBlock, now: number): void {
  const { runs, context } = connection;
  const head = runs.first;
  // RFC 2018 8: the oldest is SACKed and yet not acknowledged: the receiver has dropped it, and perhaps more.
  const reneged = head !== undefined && (head.marks & SACKED) !== 0;
  if (reneged) {
    context.counters.TCPSACKReneging++;
    runs.forgetSacks();
  } else if (!connection.sackOk) {
    forgetDuplicates(connection);
  }
  const byTime = !reneged && usesRack(connection);
  for (let run = head; run !== undefined; run = run.next) {
    if (byTime && run !== head && rackTimeLeft(connection, run, 0, now) > 0) continue;
    runs.markLost(run);
  }
}

function enterRecovery(connection: ControlBlock, ece: boolean): void {
  const { counters } = connection.context;
  const recovery = recoveryOf(connection);
  if (!anythingSentAgain(connection)) recovery.retransmittedAt = -1;
  if (connection.sackOk) counters.TCPSackRecovery++;
  else counters.TCPRenoRecovery++;
  recovery.priorSsthresh = 0;
  startUndo(connection);
  if (!inReduction(connection)) {
    if (!ece) recovery.priorSsthresh = currentSsthresh(connection);
    startReduction(connection, false);
  } else if (connection.congestion.needsEcn === true) {
    // RFC 8257 3.5: what was given up for marks is no answer to a loss.
    connection.ssthresh = connection.congestion.ssthresh(connection);
  }
  connection.caState = CA_RECOVERY;
}

/** RFC 3168 6.1.2: congestion without loss: cwnd is reduced once in a window of data. */
export function enterCwr(connection: ControlBlock, now: number): void {
  if (connection.caState >= CA_CWR) return;
  const recovery = recoveryOf(connection);
  recovery.priorSsthresh = 0;
  recovery.undoable = false;
  startReduction(connection, connection.ecn !== undefined);
  connection.caState = CA_CWR;
  traceCongestion(connection, now);
}

function traceCongestion(connection: ControlBlock, now: number): void {
  if (connection.context.trace === undefined) return;
  const { cwnd, ssthresh } = connection;
  const state = stateNames[connection.caState] as string;
  connection.trace({ type: 'congestion', at: now, flow: connection.flow(), state, cwnd, ssthresh });
}
