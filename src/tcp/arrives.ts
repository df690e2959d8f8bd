/**
 * SEGMENT ARRIVES: RFC 9293 3.10.7.4, one function per step, in the RFC's order. It changes the control block and marks it dirty; what is
 * to be sent goes out after the batch, but for answers that are about this very segment.
 */
import type { Chunk } from '../link/slab.ts';
import { ACK, FIN, OPT_TIMESTAMPS, RST, SYN, type TcpSegment, URG } from '../wire/tcp.ts';
import { acknowledge } from './acknowledge.ts';
import { synSentArrives } from './arrives-syn-sent.ts';
import { challengeAck, outOfWindowAck } from './challenge-ack.ts';
import { REASON_BROKEN_PIPE, REASON_NONE, REASON_REFUSED, REASON_RESET } from './close-reason.ts';
import type { ControlBlock } from './control-block.ts';
import { enterQuickAck, MAX_QUICK_ACKS } from './delayed-ack.ts';
import { ecnArrives } from './ecn.ts';
import { thirdAckEcn } from './ecn-handshake.ts';
import { becomeEstablished, fastOpenEstablished } from './established.ts';
import { noteStrayReset } from './fast-open-blackhole.ts';
import { childArrives, completesHandshake } from './fast-open-server.ts';
import { awaitFin } from './fin-wait-2.ts';
import { release } from './release.ts';
import { replyReset, segmentLength } from './reply.ts';
import { noteDuplicate } from './sack.ts';
import { finArrives, textArrives } from './segment-text.ts';
import { after, afterOrAt, before, beforeOrAt, distance, later } from './sequence.ts';
import {
  CLOSE_WAIT,
  CLOSED,
  CLOSING,
  FIN_WAIT_1,
  FIN_WAIT_2,
  LAST_ACK,
  LISTEN,
  SYN_RECEIVED,
  SYN_SENT,
  TIME_WAIT,
} from './state.ts';
import { enterTimeWait } from './time-wait.ts';
import { urgentArrives } from './urgent.ts';

/** RFC 7323 5.5: after this long without an update TS.Recent may be stale, seconds (24 days). */
const TIMESTAMP_LIFE = 24 * 24 * 3600;

/** @param chunk where the segment's bytes lie */
export function segmentArrives(connection: ControlBlock, segment: TcpSegment, chunk: Chunk, now: number): void {
  connection.segsIn += segment.pieces;
  if (connection.state === SYN_SENT) {
    if (synSentArrives(connection, segment, chunk, now)) continueAfterSyn(connection, segment, chunk, now);
    return;
  }
  if ((connection.state & (CLOSED | LISTEN | TIME_WAIT)) !== 0) return;
  const { fastOpen } = connection;
  if (fastOpen !== undefined && connection.handshakeOpen && !childArrives(connection, fastOpen, segment, now)) return;
  if (!checkTimestamp(connection, segment, now)) return;
  if (!checkSequence(connection, segment, now)) return;
  if ((segment.flags & RST) !== 0) return checkReset(connection, segment, now);
  if ((segment.flags & SYN) !== 0 && !checkSyn(connection, segment, now)) return;
  // Fifth: "if the ACK bit is off, drop the segment and return".
  if ((segment.flags & ACK) === 0) return;
  if (connection.ecn !== undefined) ecnArrives(connection, segment);
  updateTimestamp(connection, segment, now);
  if (!checkAcknowledgment(connection, segment, now)) return;
  if ((segment.flags & URG) !== 0) urgentArrives(connection, segment);
  if (segment.payloadLength > 0 && !textArrives(connection, segment, chunk, now)) return;
  if ((segment.flags & FIN) !== 0 && !connection.released) finArrives(connection, segment, now);
}

/** 3.10.7.3: "if there are other controls or text in the segment, then continue processing at the sixth step". */
function continueAfterSyn(connection: ControlBlock, segment: TcpSegment, chunk: Chunk, now: number): void {
  // RFC 9293 3.1: the urgent pointer counts from the segment's number, which is that of its SYN.
  if ((segment.flags & URG) !== 0) urgentArrives(connection, segment);
  segment.seq = (segment.seq + 1) | 0;
  segment.flags &= ~SYN;
  if (segment.payloadLength > 0) textArrives(connection, segment, chunk, now);
  if ((segment.flags & FIN) !== 0) finArrives(connection, segment, now);
}

/** RFC 7323 5.3 R1, PAWS: before the first step. */
function checkTimestamp(connection: ControlBlock, segment: TcpSegment, now: number): boolean {
  if (!connection.timestampsOk || (segment.optionBits & OPT_TIMESTAMPS) === 0) return true;
  if (!before(segment.tsVal, connection.tsRecent)) return true;
  if (Math.floor(now / 1000) - connection.tsRecentAt >= TIMESTAMP_LIFE) return true;
  // RFC 7323 5.2: a RST is not subject to it.
  if ((segment.flags & RST) !== 0) return true;
  if ((segment.flags & SYN) !== 0) return checkSyn(connection, segment, now);
  const { counters } = connection.context;
  counters.PAWSEstab++;
  if (!outOfWindowAck(connection, segment, now)) counters.TCPACKSkippedPAWS++;
  return false;
}

/**
 * First, check the sequence number: 3.10.7.4. Linux's reading of "acceptable": a bare segment that ends at what we last acknowledged,
 * or starts at the right edge, still has an ACK field worth reading; what lies outside of the window is cut off later.
 */
function checkSequence(connection: ControlBlock, segment: TcpSegment, now: number): boolean {
  const end = (segment.seq + segmentLength(segment)) | 0;
  const edge = later(connection.rcvAdv, connection.rcvNxt);
  if (afterOrAt(end, connection.lastAckSent) && beforeOrAt(segment.seq, edge)) {
    // A FIN may lie behind the edge; so may text, when nothing is unread: the reader has all of its buffer.
    const text = (segment.seq + segment.payloadLength) | 0;
    if (!after(text, edge) || connection.receiveQueue.length === 0) return true;
    connection.context.counters.BeyondWindow++;
  } else if (after(segment.seq, edge)) {
    connection.context.counters.BeyondWindow++;
  }
  if (isSimultaneousSynAck(connection, segment)) return true;
  // "If an incoming segment is not acceptable, an acknowledgment should be sent in reply (unless the RST bit is set)".
  if ((segment.flags & RST) !== 0) return false;
  // RFC 5961 4.2: whatever its number.
  if ((segment.flags & SYN) !== 0) return checkSyn(connection, segment, now);
  if (after(end, segment.seq) && before(segment.seq, connection.rcvNxt)) {
    // RFC 2883 4.1: a duplicate, reported; what lies behind it has not been taken.
    noteDuplicate(connection, segment.seq, after(end, connection.rcvNxt) ? connection.rcvNxt : end);
    enterQuickAck(connection, MAX_QUICK_ACKS);
  }
  if (!outOfWindowAck(connection, segment, now)) connection.context.counters.TCPACKSkippedSeq++;
  return false;
}

/** Second, check the RST bit; [SHLD-2]: text in it does no harm. RFC 5961 3.2, in RFC 9293: only the exact number resets; another in the window is challenged. */
function checkReset(connection: ControlBlock, segment: TcpSegment, now: number): void {
  if (segment.seq !== connection.rcvNxt) {
    noteStrayReset(connection, now);
    return challengeAck(connection, now);
  }
  switch (connection.state) {
    case SYN_RECEIVED:
      return release(connection, REASON_REFUSED, now);
    case CLOSE_WAIT:
      return release(connection, REASON_BROKEN_PIPE, now);
    default:
      release(connection, REASON_RESET, now);
  }
}

/** Fourth, check the SYN bit. @returns whether to go on */
function checkSyn(connection: ControlBlock, segment: TcpSegment, now: number): boolean {
  if (isSimultaneousSynAck(connection, segment)) {
    // Linux acknowledges it at once, as what came twice: the peer may have missed our SYN-ACK.
    noteDuplicate(connection, connection.irs, connection.rcvNxt);
    connection.ackNow = true;
    // The SYN in it has been seen: what counts is its ACK field (and that its window is not scaled).
    segment.seq = (segment.seq + 1) | 0;
    return true;
  }
  // RFC 5961 4.2: whatever its number, a SYN in a synchronized state is challenged and dropped.
  connection.context.counters.TCPSYNChallenge++;
  // RFC 9768 3.2.2.1: what answers a SYN-ACK repeats its ECN field.
  if (connection.ecn?.accurate !== undefined) connection.ecn.accurate.reflectDue = true;
  challengeAck(connection, now);
  return false;
}

/** RFC 9293 3.5, figure 8: in a simultaneous open both sides answer a SYN that the other has seen. */
function isSimultaneousSynAck(connection: ControlBlock, segment: TcpSegment): boolean {
  return (
    connection.state === SYN_RECEIVED &&
    (segment.flags & (SYN | ACK)) === (SYN | ACK) &&
    segment.seq === connection.irs &&
    segment.ack === connection.sndNxt
  );
}

/** RFC 7323 4.3: TS.Recent follows the segments that span what we last acknowledged; RFC 5961 5.2: not what is discarded for its ACK. */
function updateTimestamp(connection: ControlBlock, segment: TcpSegment, now: number): void {
  if (!connection.timestampsOk || (segment.optionBits & OPT_TIMESTAMPS) === 0) return;
  if (after(segment.ack, connection.sndNxt)) return;
  if (after(segment.seq, connection.lastAckSent)) return;
  if (
    distance(connection.tsRecent, segment.tsVal) < 0 &&
    Math.floor(now / 1000) - connection.tsRecentAt < TIMESTAMP_LIFE
  ) {
    return;
  }
  connection.tsRecent = segment.tsVal;
  connection.tsRecentAt = Math.floor(now / 1000);
}

/** Fifth, check the ACK field. @returns whether to go on */
function checkAcknowledgment(connection: ControlBlock, segment: TcpSegment, now: number): boolean {
  if (connection.state === SYN_RECEIVED && connection.ecn?.accurate !== undefined) thirdAckEcn(connection, segment);
  if (connection.fastOpen !== undefined && connection.handshakeOpen) {
    if (!checkFastAcknowledgment(connection, segment, now)) return false;
  } else if (connection.state === SYN_RECEIVED) {
    if (!after(segment.ack, connection.sndUna) || after(segment.ack, connection.sndNxt)) {
      replyReset(connection.context, connection.path, segment, connection.signer);
      return false;
    }
    becomeEstablished(connection, segment, now);
  } else if (!acknowledge(connection, segment, now)) {
    return false;
  }
  return ourFinAcknowledged(connection, segment, now);
}

/** RFC 7413 4.2.2, server, receiving the ACK: what was sent behind the SYN-ACK may be acknowledged with it. */
function checkFastAcknowledgment(connection: ControlBlock, segment: TcpSegment, now: number): boolean {
  if (completesHandshake(connection, segment)) fastOpenEstablished(connection, segment, now);
  else if (connection.state === SYN_RECEIVED) {
    replyReset(connection.context, connection.path, segment, connection.signer);
    return false;
  }
  return acknowledge(connection, segment, now);
}

/** What an acknowledgment of our FIN does, state by state. @returns whether the connection is still there */
function ourFinAcknowledged(connection: ControlBlock, segment: TcpSegment, now: number): boolean {
  if (!connection.finSent || connection.sndUna !== connection.sndNxt) return true;
  switch (connection.state) {
    case FIN_WAIT_1:
      connection.setState(FIN_WAIT_2, now);
      // A user that waits for the close to go through (shutdown) is told.
      connection.context.markReady(connection);
      if (connection.orphan) orphanInFinWait2(connection, segment, now);
      return !connection.released;
    case CLOSING:
      enterTimeWait(connection, REASON_NONE, now);
      return false;
    case LAST_ACK:
      release(connection, REASON_NONE, now);
      return false;
    default:
      return true;
  }
}

/** The ACK of our FIN has come, and nobody holds the connection any more. */
function orphanInFinWait2(connection: ControlBlock, segment: TcpSegment, now: number): void {
  if (connection.settings.rare.linger2 >= 0) return awaitFin(connection, segmentLength(segment) > 0, now);
  // A negative TCP_LINGER2 waits for nothing; Linux tells the peer.
  connection.context.counters.TCPAbortOnData++;
  replyReset(connection.context, connection.path, segment, connection.signer);
  release(connection, REASON_NONE, now);
}
