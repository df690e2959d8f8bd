/**
 * What goes out next, and when next: RFC 9293 3.8 in one place. The stack calls `output` for each connection that is dirty;
 * everything that the windows, Nagle and SWS avoidance allow leaves at once, in super-segments, and the timers say when to look again.
 */
import { ACK, FIN, PSH, SYN } from '../wire/tcp.ts';
import { checkBeacon } from './accurate-ecn-option.ts';
import { noteBufferLimit, noteWindowLimit } from './busy-time.ts';
import { congestionWindowRestart, noteResumption, noteWindowUse } from './congestion-use.ts';
import { CA_LOSS, type ControlBlock } from './control-block.ts';
import { waitsForMore } from './deferral.ts';
import { armDelayedAck, noteAnswer } from './delayed-ack.ts';
import { synEcnFlags } from './ecn-handshake.ts';
import { synDataLength, synSent } from './fast-open-client.ts';
import { currentMss } from './mss.ts';
import { maybeMtuProbe, mtuProbeInconclusive, PROBE_WAITS } from './mtu-probing.ts';
import { mayEndShort, NO_MORE } from './nagle.ts';
import { burstSegments, isPaced, pacingRate } from './pacer.ts';
import { armPersist, endPersist } from './persist.ts';
import { inReduction } from './prr.ts';
import { stampSent } from './rate-sample.ts';
import { type RecoveryState, recoveryOf } from './recovery-state.ts';
import { retransmissionTimeout } from './round-trip.ts';
import { checkSpace } from './send-buffer.ts';
import {
  armRetransmission,
  rearmRetransmission,
  WAIT_PROBE,
  WAIT_REORDERING,
  WAIT_RETRANSMISSION,
} from './sending-timer.ts';
import { LOST, SACKED, type SentRun } from './sent-runs.ts';
import { after, before, distance } from './sequence.ts';
import { CLOSED, LISTEN, SYN_RECEIVED, SYN_SENT, TIME_WAIT } from './state.ts';
import { probeSent, scheduleProbe } from './tail-loss-probe.ts';
import { PACING, RETRANSMISSION } from './timer-kinds.ts';
import { superSegmentLimit, timestampNow, transmit, transmitAck } from './transmit.ts';

/** @returns false when the interface was full, or busy: the stack calls again when there is room, or in the next flush */
export function output(connection: ControlBlock, now: number): boolean {
  if (connection.released) return true;
  const { state } = connection;
  if ((state & (CLOSED | LISTEN | TIME_WAIT)) !== 0) return true;
  if (connection.fastOpen !== undefined && connection.handshakeOpen) return outputWhileOpening(connection, now);
  if ((state & (SYN_SENT | SYN_RECEIVED)) !== 0) return outputSyn(connection, now);
  if (connection.ecn?.accurate !== undefined) checkBeacon(connection, now);
  const { sndNxt, probeDue } = connection;
  const done = sendData(connection, now) && sendAcknowledgment(connection, now);
  if (connection.sndNxt !== sndNxt || connection.cwndLimited) noteWindowUse(connection, now);
  const waits = connection.timerAt(PACING) !== Infinity;
  if (!waits) connection.pacer?.rest();
  if (connection.noSpace) checkSpace(connection, now);
  if (connection.runs.packetsOut > 0) {
    // One probe for a tail: the next is the retransmission timer's.
    if (connection.sndNxt !== sndNxt && !probeDue) scheduleProbe(connection, false, now);
    // RFC 6298 5.1: a timer runs while anything is out.
    if (connection.timerAt(RETRANSMISSION) === Infinity) rearmRetransmission(connection, now);
  } else if (!waits) {
    armPersist(connection, now);
  }
  return done;
}

/** Our SYN, or SYN-ACK, when it is due. */
function sendSyn(connection: ControlBlock, now: number): boolean {
  if (!connection.synDue) return true;
  const flags = (connection.state === SYN_SENT ? SYN : SYN | ACK) | synEcnFlags(connection);
  const length = synDataLength(connection);
  if (!transmit(connection, connection.iss, length, flags, Math.max(length, 1), now)) return false;
  connection.synDue = false;
  connection.lastDataSentAt = now;
  if (connection.fastOpen !== undefined) synSent(connection, connection.fastOpen, length, now);
  return true;
}

function outputSyn(connection: ControlBlock, now: number): boolean {
  if (!sendSyn(connection, now)) return false;
  if (connection.ackNow && connection.state === SYN_RECEIVED) return transmitAck(connection, now);
  return true;
}

function sendData(connection: ControlBlock, now: number): boolean {
  const { recovery } = connection;
  if (connection.probeDue && !sendProbe(connection, now)) return false;
  if (recovery?.newDataFirst === true) return sendNewFirst(connection, recovery, now);
  return sendLost(connection, now) && sendNew(connection, now);
}

/** RFC 5682 2.1 step 2b: new data goes out before anything is sent again; when none can, it is a loss like any other. */
function sendNewFirst(connection: ControlBlock, recovery: RecoveryState, now: number): boolean {
  connection.uncorked = true;
  if (!sendNew(connection, now)) return false;
  recovery.newDataFirst = false;
  if (after(connection.sndNxt, connection.recover)) return true;
  recovery.frto = false;
  return sendLost(connection, now);
}

/** RFC 8985 7.3, TLP_send_probe: a segment of new data, though cwnd be full; when there is none, the last segment again. */
function sendProbe(connection: ControlBlock, now: number): boolean {
  const { runs, sendQueue } = connection;
  const size = currentMss(connection);
  const waiting = distance(connection.sndNxt, sendQueue.end);
  const window = distance(connection.sndNxt, (connection.sndUna + connection.sndWnd) | 0);
  const length = Math.min(distance(connection.sndNxt, sendQueue.recordEnd(connection.sndNxt)), waiting, size);
  if (runs.packetsOut === 0) {
    connection.probeDue = false;
    return true;
  }
  if (length > 0 && length <= window) {
    const fin = connection.finQueued && length === waiting && length < window ? 1 : 0;
    if (!sendSegment(connection, length, fin, size, now)) return false;
    probeSent(connection, false);
  } else {
    const last = runs.lastPiece() as SentRun;
    if ((last.marks & (LOST | SACKED)) === 0) {
      if (!sendAgain(connection, last, now)) return false;
      probeSent(connection, true);
    }
  }
  connection.probeDue = false;
  // The next waits for a retransmission timeout from now.
  connection.sendingFor = WAIT_RETRANSMISSION;
  rearmRetransmission(connection, now);
  return true;
}

/** RFC 7413 4.2.2: the SYN-ACK, and data behind it; nothing is sent again but the SYN-ACK, whose timer it is that runs. */
function outputWhileOpening(connection: ControlBlock, now: number): boolean {
  return sendSyn(connection, now) && sendNew(connection, now) && sendAcknowledgment(connection, now);
}

/** Lost segments first, as many as cwnd has room for (RFC 6675 5 (C), RFC 5681 3.2, RFC 6298 5.4). */
function sendLost(connection: ControlBlock, now: number): boolean {
  const { runs, recovery } = connection;
  // RFC 5682 2.1: until it is known whether the timeout was spurious.
  if (recovery?.frto === true && after(connection.sndNxt, connection.recover)) return true;
  if (recovery?.holding === true) return true;
  for (let run = runs.nextLost(); run !== undefined; run = runs.nextLost()) {
    let quota = connection.cwnd - runs.inFlight();
    if (quota <= 0) return true;
    if (connection.pacer !== undefined) {
      // What a timeout sends again first does not wait (Linux).
      const first = connection.caState === CA_LOSS && runs.retransOut === 0;
      if (!first && isPaced(connection, now)) return true;
      quota = Math.min(quota, burstSegments(connection, pacingRate(connection), run.size));
    }
    // The peer took back window: RFC 9293 3.8.6 [SHLD-16] resends nothing beyond it but the oldest.
    const edge = (connection.sndUna + connection.sndWnd) | 0;
    if (!before(run.seq, edge) && run.seq !== connection.sndUna) return true;
    const within = Math.max(Math.floor(distance(run.seq, edge) / run.size), 1);
    if (connection.path.busy) return false;
    cutToSend(connection, run, Math.min(quota, within));
    const isHead = run === runs.first;
    if (!sendAgain(connection, run, now)) return false;
    countRetransmission(connection, run, now);
    // RFC 6298 5.3 in spirit (Linux): the oldest has just been sent.
    if (isHead && connection.sendingFor !== WAIT_REORDERING && connection.backoff === 0) {
      armRetransmission(connection, now + retransmissionTimeout(connection));
    }
  }
  return true;
}

/** The first pieces of a run, as many as may go, in a run of their own. */
function cutToSend(connection: ControlBlock, run: SentRun, quota: number): void {
  const { runs } = connection;
  const size = currentMss(connection);
  if (run.size > size) runs.resize(run, size);
  const limit = Math.floor(superSegmentLimit(connection, run.size) / run.size);
  runs.cutBehind(run, Math.max(Math.min(quota, limit), 1));
}

/** Sends a run again. */
function sendAgain(connection: ControlBlock, run: SentRun, now: number): boolean {
  const { runs, sendQueue, context } = connection;
  const length = distance(run.seq, run.end) - run.fin;
  let flags = ACK;
  if (run.fin === 1) flags |= FIN;
  if (length > 0 && sendQueue.endsRecord((run.seq + length) | 0)) flags |= PSH;
  if (!transmit(connection, run.seq, length, flags, run.size, now)) return false;
  mtuProbeInconclusive(connection);
  const pieces = run.pieces();
  const recovery = recoveryOf(connection);
  if (recovery.retransmittedAt < 0) {
    recovery.retransmittedAt = now;
    recovery.retransmitStamp = timestampNow(connection, now);
  }
  recovery.undoRetrans = Math.max(recovery.undoRetrans, 0) + pieces;
  runs.markRetransmitted(run, now);
  stampSent(connection, run, true, now);
  if (connection.pacer !== undefined) pace(connection, length, run.size, now);
  connection.totalRetrans += pieces;
  if (connection.traffic !== undefined) connection.traffic.bytesRetrans += length;
  context.counters.RetransSegs += pieces;
  if (context.trace !== undefined) {
    const seq = distance(connection.iss, run.seq);
    context.trace({ type: 'retransmit', at: now, flow: connection.flow(), seq, length });
  }
  return true;
}

/** As Linux sorts them: in recovery; after a timeout, but for the first, which counts as the timeout. */
function countRetransmission(connection: ControlBlock, run: SentRun, now: number): void {
  const { counters } = connection.context;
  const pieces = run.pieces();
  if (inReduction(connection)) recoveryOf(connection).prrOut += pieces;
  if (connection.caState !== CA_LOSS) counters.TCPFastRetrans += pieces;
  else if (connection.retransmits === 0 || connection.retransmitsSince !== now) counters.TCPSlowStartRetrans += pieces;
}

/** New data, then our FIN, as far as both windows reach. */
function sendNew(connection: ControlBlock, now: number): boolean {
  const { runs, sendQueue, path } = connection;
  connection.cwndLimited = false;
  // "Queue for processing after entering ESTABLISHED state" (RFC 9293 3.10.4): RFC 7413 lets data go before.
  const finDue = connection.finQueued && connection.state !== SYN_RECEIVED;
  if (connection.mtuProbing !== undefined && maybeMtuProbe(connection, now) === PROBE_WAITS) return true;
  for (;;) {
    const waiting = distance(connection.sndNxt, sendQueue.end);
    if (waiting < 0 || (waiting === 0 && (!finDue || connection.finSent))) break;
    if (runs.packetsOut === 0) congestionWindowRestart(connection, now);
    let quota = connection.cwnd - runs.inFlight();
    if (quota <= 0) {
      connection.cwndLimited = true;
      break;
    }
    const window = distance(connection.sndNxt, (connection.sndUna + connection.sndWnd) | 0);
    const size = currentMss(connection);
    if (connection.pacer !== undefined && isPaced(connection, now)) break;
    if (waitsForMore(connection, waiting, window, quota, size, now)) {
      connection.cwndLimited = quota * size < window;
      break;
    }
    if (connection.pacer !== undefined) {
      quota = Math.min(quota, burstSegments(connection, pacingRate(connection), size));
    }
    const length = nextLength(connection, waiting, window, quota, size);
    if (length < 0) break;
    // RFC 9293 3.8.6: the FIN takes a sequence number and needs room in the window, as data does.
    const fin = finDue && length === waiting && length < window ? 1 : 0;
    if (length === 0 && fin === 0) break;
    if (path.busy || !sendSegment(connection, length, fin, size, now)) return false;
  }
  noteLimits(connection, now);
  // cwnd is in use when it is full, whether there is more to send or not (Linux).
  if (runs.inFlight() >= connection.cwnd) connection.cwndLimited = true;
  // What the windows hold back is still to leave as it is, once they open.
  if (distance(connection.sndNxt, sendQueue.end) <= 0) connection.uncorked = false;
  return true;
}

/** What keeps the sender from sending more, for TCP_INFO. */
function noteLimits(connection: ControlBlock, now: number): void {
  const waiting = distance(connection.sndNxt, connection.sendQueue.end);
  const window = distance(connection.sndNxt, (connection.sndUna + connection.sndWnd) | 0);
  const full = waiting > 0 && !connection.cwndLimited && window < Math.min(waiting, connection.sndMss);
  noteWindowLimit(connection, full, now);
  if (waiting <= 0 && connection.noSpace && !connection.finQueued) noteBufferLimit(connection, true, now);
}

/** How many of the `waiting` bytes may go in the next segment or super-segment; -1: none for now. */
function nextLength(connection: ControlBlock, waiting: number, window: number, quota: number, size: number): number {
  if (waiting === 0) return window > 0 ? 0 : -1;
  // MSG_EOR: no segment goes on beyond the end of a record; one that is not the last goes, however short (Linux).
  const record = Math.min(distance(connection.sndNxt, connection.sendQueue.recordEnd(connection.sndNxt)), waiting);
  const length = Math.min(record, window, quota * size, superSegmentLimit(connection, size));
  // RFC 9293 3.8.6 [SHLD-15]: nothing new into a window that shrank to before what is out.
  if (length <= 0) return -1;
  const short = length % size;
  if (short === 0) return length;
  if (length === record && record < waiting) return length;
  if (mayEndShort(connection, length, record)) return length;
  return length > short ? length - short : -1;
}

function sendSegment(connection: ControlBlock, length: number, fin: number, size: number, now: number): boolean {
  const seq = connection.sndNxt;
  const end = (seq + length + fin) | 0;
  let flags = ACK;
  if (fin === 1) flags |= FIN;
  // RFC 9293 3.9.1.2 [MUST-61]: PSH on the last of the data that is queued; [SHLD-27]: whatever the writes were.
  // 3.9.1.2 [MAY-15]: but MSG_MORE says that what follows shall push it.
  if (length > 0 && pushes(connection, (seq + length) | 0)) flags |= PSH;
  if (!transmit(connection, seq, length, flags, size, now)) return false;
  if (connection.runs.packetsOut === 0) noteResumption(connection, now);
  const { runs } = connection;
  const out = runs.packetsOut;
  connection.sndNxt = end;
  runs.push(seq, end, size, fin, now);
  stampSent(connection, runs.last as SentRun, false, now);
  if (connection.pacer !== undefined) pace(connection, length, size, now);
  if (inReduction(connection)) recoveryOf(connection).prrOut += runs.packetsOut - out;
  // RFC 6298 5.1; a tail loss probe would now be another segment.
  if (out === 0 || connection.sendingFor === WAIT_PROBE) rearmRetransmission(connection, now);
  if (fin === 1) connection.finSent = true;
  if (length > 0) {
    if (length % size !== 0) connection.sndSml = end;
    connection.lastDataSentAt = now;
    // Data that answers data: the peer's next will be answered too, so its acknowledgment can wait for that (Linux's ping-pong mode).
    noteAnswer(connection, now);
  }
  endPersist(connection);
  return true;
}

/** Data until there ends with a push: it is the last that is queued, unless MSG_MORE announced more, or ends a record. */
function pushes(connection: ControlBlock, end: number): boolean {
  if (connection.moreToCome !== NO_MORE && !connection.finQueued && end === connection.sendQueue.end) return false;
  return connection.sendQueue.endsRecord(end);
}

function pace(connection: ControlBlock, length: number, size: number, now: number): void {
  connection.pacer?.sent(length, Math.ceil(length / size), pacingRate(connection), now);
}

/** What no segment carried. RFC 9293 3.8.6.3. */
function sendAcknowledgment(connection: ControlBlock, now: number): boolean {
  if (connection.ackNow) return transmitAck(connection, now);
  if (connection.ackDelayed) armDelayedAck(connection, now);
  return true;
}
