/**
 * RACK: loss detection by time. A segment is lost when one that was sent later has been delivered and a reordering window has passed. It finds lost
 * retransmissions, and waits out reordering, where counting duplicates (RFC 6675) does neither. RFC 8985 6.
 */
import type { AckNews } from './ack-news.ts';
import { CA_RECOVERY, type ControlBlock, UNKNOWN_RTT } from './control-block.ts';
import { LOST, RETRANSMITTED, SACKED, type SentRun } from './sent-runs.ts';
import { after, afterOrAt } from './sequence.ts';

/** Bit of tcp_recovery: RACK is on (Linux). */
export const TCP_RACK_LOSS_DETECTION = 1;
/** Bit of tcp_recovery: the reordering window does not adapt. */
const TCP_RACK_STATIC_REO_WND = 2;
/** Bit of tcp_recovery: DupThresh segments SACKed are no reason not to wait. */
const TCP_RACK_NO_DUPTHRESH = 4;
/** RFC 8985 6.2 step 4: recoveries that an enlarged window lasts. */
const PERSIST_RECOVERIES = 16;
const MAX_MULTIPLIER = 255;

/** What a connection with SACK remembers for it. */
export class Rack {
  /** RACK.xmit_ts, ms, and RACK.end_seq: of what was sent last among what was delivered; -1: nothing yet. */
  sentAt = -1;
  endSeq = 0;
  /** RACK.rtt, ms. */
  rtt = 0;
  /** Something was delivered since losses were looked for. */
  advanced = false;
  /** RACK.reo_wnd_mult, and for how many recoveries it lasts. */
  multiplier = 1;
  persist = 0;
  /** RACK.dsack_round, meant while `inDsackRound`; and a D-SACK has come since it was looked at. */
  dsackRound = 0;
  inDsackRound = false;
  dsackSeen = false;
}

/** Whether the connection finds losses this way. */
export function usesRack(connection: ControlBlock): boolean {
  return connection.sackOk && (connection.context.config.tcp_recovery & TCP_RACK_LOSS_DETECTION) !== 0;
}

/** RFC 8985 6.2, RACK_sent_after. */
function sentAfter(sentAt: number, end: number, otherSentAt: number, otherEnd: number): boolean {
  return sentAt > otherSentAt || (sentAt === otherSentAt && after(end, otherEnd));
}

/** RFC 8985 6.2 step 2: what was sent last of what is delivered. */
export function rackAdvance(connection: ControlBlock, news: AckNews, now: number): void {
  if (news.newestSentAt < 0) return;
  connection.rack ??= new Rack();
  const { rack } = connection;
  // Where the RFC takes what was sent last, Linux takes the last in the order of sequence numbers: with what was sent once among
  // what was sent again that is the longer time, and fewer are taken for lost.
  rack.rtt = now - (news.lastAckedAt >= 0 ? news.lastAckedAt : news.lastSackedAt);
  rack.advanced = true;
  if (rack.sentAt >= 0 && !sentAfter(news.newestSentAt, news.newestEnd, rack.sentAt, rack.endSeq)) return;
  rack.sentAt = news.newestSentAt;
  rack.endSeq = news.newestEnd;
}

/** A D-SACK that a reordering window too short may be to blame for. */
export function rackDuplicate(connection: ControlBlock): void {
  connection.rack ??= new Rack();
  connection.rack.dsackSeen = true;
}

/** RFC 8985 6.2 step 4, RACK_update_reo_wnd: once a round trip, D-SACKs widen the window. */
export function rackUpdateWindow(connection: ControlBlock): void {
  const { rack, context } = connection;
  if (rack === undefined || (context.config.tcp_recovery & TCP_RACK_STATIC_REO_WND) !== 0) return;
  if (rack.inDsackRound) {
    if (!afterOrAt(connection.sndUna, rack.dsackRound)) rack.dsackSeen = false;
    else rack.inDsackRound = false;
  }
  if (rack.dsackSeen) {
    rack.dsackSeen = false;
    rack.inDsackRound = true;
    rack.dsackRound = connection.sndNxt;
    rack.multiplier = Math.min(rack.multiplier + 1, MAX_MULTIPLIER);
    rack.persist = PERSIST_RECOVERIES;
  } else if (rack.persist === 0) {
    rack.multiplier = 1;
  }
}

/** RFC 8985 6.2 step 4: a recovery has ended that was called for. */
export function rackRecovered({ rack }: ControlBlock): void {
  if (rack !== undefined && rack.persist > 0) rack.persist--;
}

/** A recovery was not called for: what widened the window lasts longer (Linux). */
export function reorderingWasReal({ rack }: ControlBlock): void {
  if (rack !== undefined) rack.persist = Math.min(rack.persist + 1, PERSIST_RECOVERIES);
}

/** What was taken for lost is no more: losses are looked for anew. */
export function rackLookAgain({ rack }: ControlBlock): void {
  if (rack !== undefined) rack.advanced = true;
}

/** RFC 8985 6.2 step 4: RACK.reo_wnd, ms. */
function reorderingWindow(connection: ControlBlock, rack: Rack): number {
  if ((connection.recovery?.reorderings ?? 0) === 0) {
    if (connection.caState >= CA_RECOVERY) return 0;
    const counts = (connection.context.config.tcp_recovery & TCP_RACK_NO_DUPTHRESH) === 0;
    if (counts && connection.runs.sackedOut >= connection.reordering) return 0;
  }
  return Math.min((rack.multiplier * connection.minRttUs) / 4, connection.srttUs) / 1000;
}

/** How long the run has, ms, until it counts as lost; 0 or less: it does. @param window of reordering, ms */
export function rackTimeLeft(connection: ControlBlock, run: SentRun, window: number, now: number): number {
  const rtt = connection.rack?.rtt ?? 0;
  return run.sentAt + rtt + window - now;
}

/**
 * RFC 8985 6.2 step 5, RACK_detect_loss: takes for lost what has had its time.
 * @returns how long to wait until all that is in doubt has, ms; 0: nothing is in doubt
 */
export function rackDetectLosses(connection: ControlBlock, now: number): number {
  const { runs, rack } = connection;
  if (rack === undefined || rack.sentAt < 0) return 0;
  rack.advanced = false;
  const window = reorderingWindow(connection, rack);
  let wait = 0;
  for (let run = runs.first; run !== undefined; run = run.next) {
    if ((run.marks & SACKED) !== 0 || (run.marks & (LOST | RETRANSMITTED)) === LOST) continue;
    if (!sentAfter(rack.sentAt, rack.endSeq, run.sentAt, run.end)) continue;
    const left = rackTimeLeft(connection, run, window, now);
    if (left <= 0) runs.markLost(run);
    else if (left > wait) wait = left;
  }
  return wait;
}

/**
 * RFC 8985 6.2 step 2: what was sent again is no evidence when the acknowledgment may be for what was sent before.
 * @param echo the time that TSecr stands for, ms; Infinity: no timestamps
 * @returns retransmissions sent after this say nothing, ms
 */
export function believableUntil(connection: ControlBlock, echo: number, now: number): number {
  const minRtt = connection.minRttUs === UNKNOWN_RTT ? 0 : connection.minRttUs / 1000;
  return Math.min(now - minRtt, echo);
}
