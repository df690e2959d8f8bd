/**
 * Reductions that were not called for are undone: when the timestamps tell that what was sent first arrived (Eifel, RFC 3522 and
 * RFC 4015), or D-SACK that everything sent again had arrived before (RFC 2883 appendix, RFC 3708 in spirit).
 */
import type { AckNews } from './ack-news.ts';
import { CA_LOSS, CA_OPEN, type ControlBlock } from './control-block.ts';
import { withdrawCwr } from './ecn.ts';
import { rackLookAgain, rackRecovered, reorderingWasReal } from './rack.ts';
import { anythingSentAgain, recoveryOf } from './recovery-state.ts';
import { checkReordering } from './reordering.ts';
import { before } from './sequence.ts';

/** A reduction begins: what is needed to undo it is noted, but for cwnd and ssthresh. */
export function startUndo(connection: ControlBlock): void {
  const recovery = recoveryOf(connection);
  recovery.undoable = true;
  recovery.undoMarker = connection.sndUna;
  recovery.undoRetrans = connection.runs.retransOut;
  if (recovery.probing && recovery.probeRetransmitted) recovery.undoRetrans++;
  if (recovery.undoRetrans === 0) recovery.undoRetrans = -1;
}

/** RFC 3522 3.2: the acknowledgment echoes a timestamp from before the first retransmission: the original arrived. */
export function wasDelayed(connection: ControlBlock, news: AckNews): boolean {
  const recovery = recoveryOf(connection);
  if (recovery.retransmittedAt >= 0) return news.hasEcho && before(news.echo, recovery.retransmitStamp);
  // Nothing has been sent again yet. Without SACK, what is remembered may be gone when all of it is acknowledged.
  return connection.sackOk || before(connection.sndUna, connection.recover);
}

function mayUndo(connection: ControlBlock, news: AckNews): boolean {
  const recovery = recoveryOf(connection);
  return recovery.undoable && (recovery.undoRetrans === 0 || wasDelayed(connection, news));
}

/** RFC 4015 3.2: cwnd and ssthresh are what they were. @param found nothing is lost, either */
export function undoReduction(connection: ControlBlock, found: boolean): void {
  const recovery = recoveryOf(connection);
  if (found) connection.runs.unmarkLost();
  if (recovery.priorSsthresh > 0) {
    const { congestion, cwnd } = connection;
    connection.cwnd = Math.max(cwnd, congestion.undoWindow?.(connection) ?? recovery.priorCwnd);
    if (recovery.priorSsthresh > connection.ssthresh) {
      connection.ssthresh = recovery.priorSsthresh;
      withdrawCwr(connection);
    }
  }
  recovery.undoable = false;
  rackLookAgain(connection);
}

/** Everything is acknowledged that was out when the loss was found. @returns whether the state stays: without SACK, until more is */
export function tryUndoRecovery(connection: ControlBlock, news: AckNews): boolean {
  const { counters } = connection.context;
  if (mayUndo(connection, news)) {
    if (connection.caState === CA_LOSS) counters.TCPLossUndo++;
    else counters.TCPFullUndo++;
    undoReduction(connection, false);
  } else {
    rackRecovered(connection);
  }
  if (staysForReno(connection)) return true;
  connection.caState = CA_OPEN;
  return false;
}

/**
 * RFC 6582 3.2 step 3: without SACK, duplicates of what was sent again may still come, and look like a new loss: the state is
 * left when something behind it is acknowledged.
 */
function staysForReno(connection: ControlBlock): boolean {
  if (connection.sackOk || connection.sndUna !== connection.recover) return false;
  if (!anythingSentAgain(connection)) recoveryOf(connection).retransmittedAt = -1;
  return true;
}

/** D-SACK has reported every retransmission of this episode. */
export function tryUndoByDuplicates(connection: ControlBlock): boolean {
  const recovery = connection.recovery;
  if (recovery === undefined || !recovery.undoable || recovery.undoRetrans !== 0) return false;
  reorderingWasReal(connection);
  undoReduction(connection, false);
  connection.context.counters.TCPDSACKUndo++;
  return true;
}

/**
 * A timeout that was spurious: by F-RTO (`found`), or by timestamps and D-SACK.
 * @returns whether it was, and nothing more is to be done about this acknowledgment
 */
export function tryUndoLoss(connection: ControlBlock, news: AckNews, found: boolean): boolean {
  if (!found && !mayUndo(connection, news)) return false;
  const { counters } = connection.context;
  undoReduction(connection, true);
  counters.TCPLossUndo++;
  if (found) counters.TCPSpuriousRTOs++;
  connection.retransmits = 0;
  if (staysForReno(connection)) return true;
  if (found || connection.sackOk) connection.caState = CA_OPEN;
  return true;
}

/**
 * A hole was filled by what had only been delayed, and not by what was sent again: the reduction is undone, once no retransmission is out.
 * @returns 'wait' while some are: nothing more is taken for lost
 */
export function tryUndoPartial(connection: ControlBlock, news: AckNews): 'none' | 'wait' | 'undone' {
  const recovery = recoveryOf(connection);
  if (!recovery.undoable || !wasDelayed(connection, news)) return 'none';
  const { runs } = connection;
  checkReordering(connection, news.priorUna, runs.sackedOut > 0 ? runs.highestSacked : connection.sndUna, true);
  if (runs.retransOut > 0) return 'wait';
  if (!anythingSentAgain(connection)) recovery.retransmittedAt = -1;
  undoReduction(connection, true);
  connection.context.counters.TCPPartialUndo++;
  return 'undone';
}
