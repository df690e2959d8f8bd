/** Fifth step, ESTABLISHED and later: the ACK field, SACK, and the send window. RFC 9293 3.10.7.4. */
import { FIN, OPT_TIMESTAMPS, SYN, type TcpSegment } from '../wire/tcp.ts';
import { challengeAck } from './challenge-ack.ts';
import { windowInUse } from './congestion-use.ts';
import { CA_CWR, CA_RECOVERY, type ControlBlock } from './control-block.ts';
import { takeCwr } from './ecn.ts';
import { endPersist } from './persist.ts';
import { believableUntil, rackAcknowledged, usesRack } from './rack.ts';
import { updateRecovery } from './recovery.ts';
import { retransmissionTimeout, sampleRoundTrip } from './round-trip.ts';
import { after, afterOrAt, before, beforeOrAt, distance } from './sequence.ts';
import { PERSIST, RETRANSMISSION } from './timer-kinds.ts';
import { timestampNow } from './transmit.ts';

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
    // RFC 5961 5.2: older than any window that we were ever offered: nobody honest sends it.
    if (before(ack, (connection.sndUna - connection.maxSndWnd) | 0)) {
      challengeAck(connection, now);
      return false;
    }
    // A duplicate from the past; what it SACKs may still be news.
    if (connection.sackOk && segment.sackCount > 0) takeSacks(connection, segment);
    return true;
  }
  connection.probesOut = 0;
  const windowMoved = updateSendWindow(connection, segment);
  if (connection.ecn !== undefined) takeCwr(connection, segment);
  if (connection.runs.packetsOut > 0) acknowledgeOutstanding(connection, segment, windowMoved, now);
  else if (windowMoved) connection.context.markDirty(connection);
  if (connection.sndWnd > 0 && connection.timerAt(PERSIST) !== Infinity) reopenWindow(connection, ack);
  return true;
}

/** "If SND.WL1 < SEG.SEQ or (SND.WL1 = SEG.SEQ and SND.WL2 =< SEG.ACK), set SND.WND". @returns whether it changed */
function updateSendWindow(connection: ControlBlock, segment: TcpSegment): boolean {
  const { seq, ack } = segment;
  const window = segment.window << connection.sndWindShift;
  const newer =
    before(connection.sndWl1, seq) ||
    (connection.sndWl1 === seq && beforeOrAt(connection.sndWl2, ack)) ||
    after(ack, connection.sndUna);
  if (!newer) return false;
  connection.sndWl1 = seq;
  connection.sndWl2 = ack;
  if (window === connection.sndWnd) return false;
  connection.sndWnd = window;
  if (window > connection.maxSndWnd) connection.maxSndWnd = window;
  return true;
}

/** The window has room again for what persist waited with. */
function reopenWindow(connection: ControlBlock, ack: number): void {
  if (!after((ack + connection.sndWnd) | 0, connection.sndNxt)) return;
  endPersist(connection);
  connection.context.markDirty(connection);
}

function acknowledgeOutstanding(
  connection: ControlBlock,
  segment: TcpSegment,
  windowMoved: boolean,
  now: number,
): void {
  const { runs } = connection;
  const { ack } = segment;
  const advanced = after(ack, connection.sndUna);
  const before = runs.packetsOut;
  const inUse = windowInUse(connection);
  const rack = usesRack(connection);
  if (rack) runs.acknowledge(ack, believableUntil(connection, echoedAt(connection, segment, now), now));
  else runs.acknowledge(ack);
  const acked = before - runs.packetsOut;
  if (advanced) advance(connection, ack, now);
  const sacked = connection.sackOk && segment.sackCount > 0 ? takeSacks(connection, segment) : 0;
  measure(connection, segment, advanced, now);
  if (rack) rackAcknowledged(connection, reportsDuplicate(segment), now);
  // RFC 5681 2: a duplicate acknowledgment. With SACK, what it newly reports makes it one (RFC 6675 2).
  const plain = segment.payloadLength === 0 && (segment.flags & (SYN | FIN)) === 0;
  const duplicate = connection.sackOk ? sacked > 0 : !advanced && plain && !windowMoved && runs.packetsOut > 0;
  // RFC 5681 3.2 step 6, RFC 6582 3.2 step 3: what ends recovery leaves cwnd at ssthresh.
  const recovering = connection.caState === CA_RECOVERY;
  updateRecovery(connection, acked, duplicate, now);
  const reducing = recovering || connection.caState === CA_RECOVERY || connection.caState === CA_CWR;
  if (runs.newlyAcked > 0 && advanced && inUse && !reducing) {
    connection.congestion.acknowledged(connection, runs.newlyAcked, now);
  }
  if (runs.packetsOut === 0) connection.clearTimer(RETRANSMISSION);
  // RFC 6298 5.3: new data was acknowledged: the timer starts anew.
  else if (advanced) connection.setTimer(RETRANSMISSION, now + retransmissionTimeout(connection));
  connection.context.markDirty(connection);
}

/** When what TSecr echoes was stamped, ms: the end of that millisecond; Infinity: nothing is echoed. */
function echoedAt(connection: ControlBlock, segment: TcpSegment, now: number): number {
  if (!connection.timestampsOk || (segment.optionBits & OPT_TIMESTAMPS) === 0 || segment.tsEcr === 0) return Infinity;
  return Math.floor(now) - distance(segment.tsEcr, timestampNow(connection, now)) + 1;
}

/** RFC 2883 4: the first block lies below the acknowledgment, or within the second. */
function reportsDuplicate({ sackBlocks, sackCount, ack }: TcpSegment): boolean {
  if (sackCount === 0) return false;
  const [left, right] = [sackBlocks[0] as number, sackBlocks[1] as number];
  return after(right, left) && (beforeOrAt(right, ack) || (sackCount > 1 && within(sackBlocks, left, right)));
}

function advance(connection: ControlBlock, ack: number, now: number): void {
  const writableBefore = connection.writable();
  connection.sndUna = ack;
  if (before(connection.sndUp, ack)) connection.sndUp = ack;
  connection.sendQueue.acknowledge(ack);
  connection.retransmits = 0;
  // What is out now has waited since then at the most.
  connection.retransmitsSince = connection.runs.packetsOut > 0 ? now : -1;
  connection.softReason = 0;
  if (!writableBefore && connection.writable()) connection.context.markReady(connection);
}

/** RFC 6298 3 (Karn), RFC 7323 4.1 (RTTM). */
function measure(connection: ControlBlock, segment: TcpSegment, advanced: boolean, now: number): void {
  const { runs } = connection;
  if (runs.oldestSentAt >= 0 && !runs.ackedRetransmission) {
    const sample = (now - runs.oldestSentAt) * 1000;
    sampleRoundTrip(connection, sample);
    connection.congestion.measured?.(connection, sample, now);
  } else if (
    advanced &&
    connection.timestampsOk &&
    (segment.optionBits & OPT_TIMESTAMPS) !== 0 &&
    segment.tsEcr !== 0
  ) {
    // Of what was sent twice only the timestamp knows which one was acknowledged.
    const elapsed = distance(segment.tsEcr, timestampNow(connection, now));
    if (elapsed < 0) return;
    sampleRoundTrip(connection, elapsed * 1000);
  } else {
    return;
  }
  // RFC 6298 5.7: the back-off lasts until there is a sample.
  connection.backoff = 0;
}

/** RFC 6675 4, Update(): blocks that make sense are marked. @returns pieces newly SACKed */
function takeSacks(connection: ControlBlock, segment: TcpSegment): number {
  const { sackBlocks, sackCount, ack } = segment;
  let marked = 0;
  for (let i = 0; i < sackCount; i++) {
    const left = sackBlocks[2 * i] as number;
    const right = sackBlocks[2 * i + 1] as number;
    // RFC 2883 4: a first block below the acknowledgment reports a duplicate.
    if (
      !after(right, left) ||
      before(left, connection.sndUna) ||
      after(right, connection.sndNxt) ||
      beforeOrAt(right, ack)
    ) {
      connection.context.counters.TCPSACKDiscard++;
      continue;
    }
    // RFC 2883 4: so does one that lies within the second.
    if (i === 0 && sackCount > 1 && within(sackBlocks, left, right)) continue;
    marked += connection.runs.sack(left, right);
  }
  return marked;
}

function within(blocks: Int32Array, left: number, right: number): boolean {
  return afterOrAt(left, blocks[2] as number) && beforeOrAt(right, blocks[3] as number);
}
