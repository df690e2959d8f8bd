/** Fifth step, ESTABLISHED and later: the ACK field, SACK, and the send window. RFC 9293 3.10.7.4. */
import { FIN, OPT_TIMESTAMPS, SYN, type TcpSegment } from '../wire/tcp.ts';
import { AckNews } from './ack-news.ts';
import { endBusy } from './busy-time.ts';
import { challengeAck } from './challenge-ack.ts';
import { controlCongestion } from './congestion-use.ts';
import { CA_CWR, CA_OPEN, type ControlBlock } from './control-block.ts';
import { duplicateArrives, reportsDuplicate } from './d-sack.ts';
import { congestionReported, takeCwr } from './ecn.ts';
import { syncMss } from './mss.ts';
import { mtuProbeAcknowledged } from './mtu-probing.ts';
import { removeDuplicates } from './new-reno.ts';
import { sendingMayGoOn } from './persist.ts';
import { believableUntil, rackAdvance, rackUpdateWindow, usesRack } from './rack.ts';
import { finishSample } from './rate-sample.ts';
import { updateRecovery } from './recovery.ts';
import { checkReordering } from './reordering.ts';
import { sampleRoundTrip } from './round-trip.ts';
import { rearmRetransmission } from './sending-timer.ts';
import { SACKED } from './sent-runs.ts';
import { after, before, beforeOrAt, distance } from './sequence.ts';
import { probeAcknowledged, scheduleProbe } from './tail-loss-probe.ts';
import { timestampNow } from './transmit.ts';

const news = new AckNews();

/** @returns whether to go on with the segment */
export function acknowledge(connection: ControlBlock, segment: TcpSegment, now: number): boolean {
  const { ack } = segment;
  connection.lastReceivedAt = now;
  if (after(ack, connection.sndNxt)) {
    // "If the ACK acks something not yet sent, then send an ACK, drop the segment, and return."
    challengeAck(connection, now);
    return false;
  }
  if (before(ack, connection.sndUna)) {
    // RFC 5961 5.2: older than any window that we were ever offered, or than our first number: nobody honest sends it.
    if (before(ack, (connection.sndUna - Math.min(connection.maxSndWnd, acknowledgedYet(connection))) | 0)) {
      challengeAck(connection, now);
      return false;
    }
    // A duplicate from the past; what it SACKs may still be news.
    if (connection.sackOk && segment.sackCount > 0) takeOld(connection, segment, now);
    return true;
  }
  connection.probesOut = 0;
  const { sndWnd } = connection;
  const advanced = after(ack, connection.sndUna);
  const windowMoved = updateSendWindow(connection, segment);
  if (connection.ecn !== undefined) takeCwr(connection, segment);
  const reports = connection.sackOk && segment.sackCount > 0;
  // With nothing out an acknowledgment may still be the answer to a tail loss probe.
  const outstanding = connection.runs.packetsOut > 0 || reports || connection.recovery?.probing === true;
  if (outstanding) acknowledgeOutstanding(connection, segment, windowMoved, now);
  else if (windowMoved) connection.context.markDirty(connection);
  // Nothing is out, but acknowledgments of ours may have been marked.
  if (!outstanding && connection.ecn !== undefined) congestionReported(connection, segment, 0, 0, false);
  // Linux's fast path for data does not look at what it does not acknowledge.
  if (segment.payloadLength === 0 || advanced || connection.sndWnd !== sndWnd)
    sendingMayGoOn(connection, outstanding, now);
  return true;
}

/** Bytes that the peer has acknowledged, and SYN and FIN. */
function acknowledgedYet({ traffic }: ControlBlock): number {
  return (traffic?.bytesAcked ?? 0) + 2;
}

/**
 * "If SND.WL1 < SEG.SEQ or (SND.WL1 = SEG.SEQ and SND.WL2 =< SEG.ACK), set SND.WND".
 * @returns whether that is news: a duplicate acknowledgment does not move the window (RFC 5681 2); one that only takes some of it back, as data lies
 *   unread or out of order, may be one (Linux)
 */
function updateSendWindow(connection: ControlBlock, segment: TcpSegment): boolean {
  const { seq, ack } = segment;
  const window = segment.window << connection.sndWindShift;
  const newer =
    before(connection.sndWl1, seq) ||
    (connection.sndWl1 === seq && beforeOrAt(connection.sndWl2, ack)) ||
    after(ack, connection.sndUna);
  if (!newer) return false;
  const moved = connection.sndWl1 !== seq || window > connection.sndWnd || (window === 0 && connection.sndWnd > 0);
  connection.sndWl1 = seq;
  connection.sndWl2 = ack;
  if (window === connection.sndWnd) return moved;
  connection.sndWnd = window;
  if (window > connection.maxSndWnd) {
    connection.maxSndWnd = window;
    syncMss(connection);
  }
  // Less room may change what is next, too.
  connection.context.markDirty(connection);
  return moved;
}

/** The record for this acknowledgment, with what the segment itself says. */
function read(connection: ControlBlock, segment: TcpSegment, windowMoved: boolean, now: number): void {
  const { runs, sndUna } = connection;
  news.reset();
  news.priorUna = sndUna;
  news.priorForward = runs.sackedOut > 0 ? runs.highestSacked : sndUna;
  news.rate.priorInFlight = runs.inFlight();
  news.highSeq = connection.recover;
  news.text = segment.payloadLength > 0 || (segment.flags & (SYN | FIN)) !== 0;
  news.windowMoved = windowMoved;
  news.advanced = after(segment.ack, sndUna);
  news.hasEcho = connection.timestampsOk && (segment.optionBits & OPT_TIMESTAMPS) !== 0 && segment.tsEcr !== 0;
  news.echo = segment.tsEcr;
  if (usesRack(connection)) news.believableUntil = believableUntil(connection, echoedAt(connection, now), now);
}

function acknowledgeOutstanding(
  connection: ControlBlock,
  segment: TcpSegment,
  windowMoved: boolean,
  now: number,
): void {
  const { runs } = connection;
  read(connection, segment, windowMoved, now);
  const out = runs.packetsOut;
  const lost = runs.lostTotal;
  // What a D-SACK reports may be among what it acknowledges, and is known only until then.
  if (connection.sackOk && segment.sackCount > 0) takeDuplicate(connection, segment);
  runs.acknowledge(segment.ack, news);
  news.acked = out - runs.packetsOut;
  if (news.advanced) advance(connection, segment.ack, now);
  if (connection.mtuProbing !== undefined) mtuProbeAcknowledged(connection);
  if (connection.sackOk && segment.sackCount > 0) takeSacks(connection, segment);
  if (connection.sackOk) noteOrder(connection);
  else takePlain(connection);
  const measured = measure(connection, now);
  if (connection.sackOk) {
    rackAdvance(connection, news, now);
    rackUpdateWindow(connection);
    news.delivered += news.newlyAcked;
  }
  if (connection.ecn !== undefined) {
    const progress = news.acked > 0 || news.sacked > 0;
    news.ece = congestionReported(connection, segment, news.delivered, news.deliveredBytes, progress);
  }
  judge(connection, segment, now);
  runs.delivered += news.delivered;
  news.lost = runs.lostTotal - lost;
  if (!news.timerSet && (news.acked > 0 || (measured && headIsOlder(connection)))) rearm(connection, now);
  finishSample(connection, news, now);
  if (out > 0) controlCongestion(connection, news, now);
  connection.context.markDirty(connection);
}

/** Without SACK. */
function takePlain(connection: ControlBlock): void {
  removeDuplicates(connection, news.acked, news);
  // Among what it acknowledges only SACK could tell whether the original arrived, or what was sent again.
  if (news.ackedAgain) news.originalDelivered = false;
}

/** What is unusual about it changes the state of loss recovery. */
function judge(connection: ControlBlock, segment: TcpSegment, now: number): void {
  const fresh = news.text || news.windowMoved || news.acked > 0;
  probeAcknowledged(connection, segment.ack, news);
  if (fresh && news.sacked === 0 && !news.ece && !news.duplicateReported && connection.caState === CA_OPEN) return;
  // RFC 5681 2: a duplicate acknowledgment; of nothing it could only be a reply to a probe.
  news.duplicate = !fresh && !news.advanced && !news.duplicateReported && connection.runs.packetsOut > 0;
  updateRecovery(connection, news, now);
}

/** An acknowledgment older than others that came before it: only what it SACKs may be news. */
function takeOld(connection: ControlBlock, segment: TcpSegment, now: number): void {
  const { runs } = connection;
  read(connection, segment, false, now);
  news.advanced = false;
  takeDuplicate(connection, segment);
  takeSacks(connection, segment);
  noteOrder(connection);
  rackAdvance(connection, news, now);
  news.delivered += news.newlyAcked;
  runs.delivered += news.delivered;
  if (runs.packetsOut === 0 && !news.duplicateReported) return;
  updateRecovery(connection, news, now);
  connection.context.markDirty(connection);
}

/** When what TSecr echoes was stamped, ms: the end of that millisecond; Infinity: nothing is echoed. */
function echoedAt(connection: ControlBlock, now: number): number {
  if (!news.hasEcho) return Infinity;
  return Math.floor(now) - distance(news.echo, timestampNow(connection, now)) + 1;
}

/** What was delivered out of order, and whether the receiver has thought again of what it SACKed. */
function noteOrder(connection: ControlBlock): void {
  const { runs } = connection;
  if (news.reordered) checkReordering(connection, news.reorderedSeq, news.priorForward, false);
  news.reneged = news.acked > 0 && runs.first !== undefined && (runs.first.marks & SACKED) !== 0;
}

function advance(connection: ControlBlock, ack: number, now: number): void {
  const { traffic } = connection;
  if (traffic !== undefined) traffic.bytesAcked += distance(connection.sndUna, ack);
  connection.sndUna = ack;
  if (before(connection.sndUp, ack)) connection.sndUp = ack;
  connection.sendQueue.acknowledge(ack);
  connection.retransmits = 0;
  connection.retransmitsSince = -1;
  connection.softReason = 0;
  endBusy(connection, now);
}

/** RFC 6298 3 (Karn; RFC 9293 3.8.1 [MUST-18]), RFC 7323 4.1 (RTTM). @returns whether there was a sample */
function measure(connection: ControlBlock, now: number): boolean {
  const recentAt = Math.max(news.sackedLastAt, news.ackedLastAt);
  let sample: number;
  let recent = now - recentAt;
  if (news.ackedFirstAt >= 0 && !news.ackedAgain) {
    sample = now - news.ackedFirstAt;
  } else if (news.sackedFirstAt >= 0) {
    sample = now - news.sackedFirstAt;
  } else if (news.acked > 0 && news.hasEcho) {
    // Of what was sent twice only the timestamp knows which one was acknowledged.
    const elapsed = distance(news.echo, timestampNow(connection, now));
    if (elapsed < 0) return false;
    sample = Math.max(elapsed, 1);
    recent = sample;
  } else {
    return false;
  }
  news.rate.rtt = recent;
  sampleRoundTrip(connection, sample * 1000, now, recent * 1000, maybeDelayed(connection));
  connection.congestion.measured?.(connection, Math.round(recent * 1000), now);
  // RFC 6298 5.7: the back-off lasts until there is a sample.
  connection.backoff = 0;
  return true;
}

/** One small segment, and nothing else was delivered during its round trip: its acknowledgment was most likely put off (Linux; with SACK). */
function maybeDelayed({ runs, sackOk, sndUna, sndMss }: ControlBlock): boolean {
  if (!sackOk || news.acked !== 1 || news.newlyAcked !== 1 || distance(news.priorUna, sndUna) >= sndMss) return false;
  if (news.sacked > 0 || runs.sackedOut > 0 || news.duplicateReported || news.ackedAgain) return false;
  return news.rate.priorAt >= 0 && news.rate.priorDelivered === runs.delivered;
}

/** What was SACKed was sent before the oldest segment out was sent last: the timer may start anew. */
function headIsOlder({ runs }: ControlBlock): boolean {
  return runs.first !== undefined && news.sackedFirstAt >= 0 && news.sackedFirstAt < runs.first.sentAt;
}

/** RFC 6298 5.2, 5.3: the timer starts anew, or that of a tail loss probe. */
function rearm(connection: ControlBlock, now: number): void {
  const { caState } = connection;
  if ((caState === CA_OPEN || caState === CA_CWR) && scheduleProbe(connection, true, now)) return;
  rearmRetransmission(connection, now);
}

/** RFC 2883 4: the first block may report a duplicate. */
function takeDuplicate(connection: ControlBlock, segment: TcpSegment): void {
  const { sackBlocks } = segment;
  if (!reportsDuplicate(segment)) return;
  duplicateArrives(connection, sackBlocks[0] as number, sackBlocks[1] as number, news);
}

/** RFC 6675 4, Update(): blocks that make sense are marked, but for the one that reports a duplicate. */
function takeSacks(connection: ControlBlock, segment: TcpSegment): void {
  const { sackBlocks, sackCount } = segment;
  for (let i = reportsDuplicate(segment) ? 1 : 0; i < sackCount; i++) {
    const left = sackBlocks[2 * i] as number;
    const right = sackBlocks[2 * i + 1] as number;
    if (!after(right, left) || !after(left, connection.sndUna) || after(right, connection.sndNxt)) {
      // What was overtaken by another acknowledgment is no error.
      if (after(right, connection.sndUna)) connection.context.counters.TCPSACKDiscard++;
      continue;
    }
    news.sacked += connection.runs.sack(left, right, news);
  }
}
