/**
 * RACK: loss detection by time. A segment is lost when one that was sent later has been delivered and a reordering window has passed. It finds lost
 * retransmissions, and waits out reordering, where counting duplicates (RFC 6675) does neither. RFC 8985 6.
 */
import { CA_RECOVERY, type ControlBlock } from './control-block.ts';
import { LOST, RETRANSMITTED, SACKED } from './sent-runs.ts';
import { after, afterOrAt } from './sequence.ts';

/** Bit of tcp_recovery: RACK is on (Linux). */
export const TCP_RACK_LOSS_DETECTION = 1;
/** RFC 8985 6.2 step 4: recoveries that an enlarged window lasts. */
const PERSIST_RECOVERIES = 16;

/** What a connection with SACK remembers for it. */
export class Rack {
  /** RACK.xmit_ts, ms, and RACK.end_seq: of what was sent last among what was delivered; -1: nothing yet. */
  sentAt = -1;
  endSeq = 0;
  /** RACK.rtt, ms. */
  rtt = 0;
  /** RACK.reordering_seen. */
  reorderingSeen = false;
  /** RACK.reo_wnd_mult, and for how many recoveries it lasts. */
  multiplier = 1;
  persist = 0;
  /** RACK.dsack_round, meant while `inDsackRound`. */
  dsackRound = 0;
  inDsackRound = false;
}

/** Whether the connection finds losses this way. */
export function usesRack(connection: ControlBlock): boolean {
  return connection.sackOk && (connection.context.config.tcp_recovery & TCP_RACK_LOSS_DETECTION) !== 0;
}

/** RFC 8985 6.2, RACK_sent_after. */
function sentAfter(sentAt: number, end: number, otherSentAt: number, otherEnd: number): boolean {
  return sentAt > otherSentAt || (sentAt === otherSentAt && after(end, otherEnd));
}

/**
 * RFC 8985 6.2 steps 2 to 4: an acknowledgment has been taken.
 * @param duplicateReported it carried a D-SACK
 */
export function rackAcknowledged(connection: ControlBlock, duplicateReported: boolean, now: number): void {
  connection.rack ??= new Rack();
  const { runs, rack } = connection;
  if (runs.newestSentAt >= 0) {
    rack.rtt = now - runs.newestSentAt;
    if (rack.sentAt < 0 || sentAfter(runs.newestSentAt, runs.newestEnd, rack.sentAt, rack.endSeq)) {
      rack.sentAt = runs.newestSentAt;
      rack.endSeq = runs.newestEnd;
    }
  }
  if (runs.reordered) rack.reorderingSeen = true;
  if (rack.inDsackRound && afterOrAt(connection.sndUna, rack.dsackRound)) rack.inDsackRound = false;
  if (!duplicateReported || rack.inDsackRound) return;
  rack.inDsackRound = true;
  rack.dsackRound = connection.sndNxt;
  rack.multiplier++;
  rack.persist = PERSIST_RECOVERIES;
}

/** RFC 8985 6.2 step 4: a recovery has ended. */
export function rackRecovered(connection: ControlBlock): void {
  const { rack } = connection;
  if (rack === undefined || rack.multiplier === 1) return;
  if (--rack.persist <= 0) rack.multiplier = 1;
}

/** RFC 8985 6.2 step 4: RACK.reo_wnd, ms. */
function reorderingWindow(connection: ControlBlock, rack: Rack): number {
  if (!rack.reorderingSeen) {
    if (connection.caState >= CA_RECOVERY) return 0;
    if (connection.runs.sackedOut >= connection.context.config.tcp_reordering) return 0;
  }
  return Math.min((rack.multiplier * connection.minRttUs) / 4, connection.srttUs) / 1000;
}

/**
 * RFC 8985 6.2 step 5: takes for lost what has had its time.
 * @returns how long to wait until all that is in doubt has, ms; 0: nothing is in doubt
 */
export function rackDetectLosses(connection: ControlBlock, now: number): number {
  const { runs, rack } = connection;
  if (rack === undefined || rack.sentAt < 0) return 0;
  const patience = rack.rtt + reorderingWindow(connection, rack);
  let wait = 0;
  for (let run = runs.first; run !== undefined; run = run.next) {
    if ((run.marks & SACKED) !== 0 || (run.marks & (LOST | RETRANSMITTED)) === LOST) continue;
    if (!sentAfter(rack.sentAt, rack.endSeq, run.sentAt, run.end)) continue;
    const remaining = run.sentAt + patience - now;
    if (remaining <= 0) runs.markLostAgain(run);
    else if (remaining > wait) wait = remaining;
  }
  return wait;
}

/**
 * RFC 8985 6.2 step 2: what was sent again is no evidence when the acknowledgment may be for what was sent before.
 * @param echo the time that TSecr stands for, ms; Infinity: no timestamps
 * @returns retransmissions sent after this say nothing, ms
 */
export function believableUntil(connection: ControlBlock, echo: number, now: number): number {
  const minRtt = connection.minRttUs === 0x7fffffff ? 0 : connection.minRttUs / 1000;
  return Math.min(now - minRtt, echo);
}
