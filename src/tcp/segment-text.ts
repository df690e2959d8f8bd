/** Seventh and eighth step: the segment's text and the FIN. RFC 9293 3.10.7.4. */
import type { Chunk } from '../link/slab.ts';
import { FIN, OPT_TIMESTAMPS, type TcpSegment } from '../wire/tcp.ts';
import { duplicateAgain } from './accurate-ecn-option.ts';
import { REASON_ABORTED, REASON_NONE, REASON_RESET } from './close-reason.ts';
import type { ControlBlock } from './control-block.ts';
import {
  dataReceived,
  enterPingpong,
  enterQuickAck,
  MAX_QUICK_ACKS,
  measureSegment,
  scheduleAck,
} from './delayed-ack.ts';
import { beforeText, textTaken } from './ecn.ts';
import { makeRoom, mayQueue, reopen } from './prune.ts';
import { Reassembly } from './reassembly.ts';
import { ReceiveSpace } from './receive-space.ts';
import { currentWindow, growWindow } from './receive-window.ts';
import { release } from './release.ts';
import { replyReset } from './reply.ts';
import { noteDuplicate, noteRange } from './sack.ts';
import { after, afterOrAt, before, distance } from './sequence.ts';
import { CLOSE_WAIT, CLOSING, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, RECEIVING } from './state.ts';
import { enterTimeWait } from './time-wait.ts';
import { Traffic } from './traffic.ts';
import { transmitAck } from './transmit.ts';
import { takeUrgentByte } from './urgent.ts';

/** Seventh, process the segment text. @returns whether the connection is still there */
export function textArrives(connection: ControlBlock, segment: TcpSegment, chunk: Chunk, now: number): boolean {
  if ((connection.state & RECEIVING) === 0) return textBehindFin(connection, segment, now);
  connection.traffic ??= new Traffic();
  connection.traffic.dataSegsIn += segment.pieces;
  if (connection.urgent !== undefined) takeUrgentByte(connection, segment, chunk);
  let { seq, payloadLength: length, payloadOffset: offset } = segment;
  const end = (seq + length) | 0;
  if (nobodyReads(connection) && after(end, connection.rcvNxt)) return refuse(connection, segment, now);
  const old = distance(seq, connection.rcvNxt);
  if (old > 0) {
    if (old >= length) return endsWithFin(connection, segment) || duplicateText(connection, seq, end, now);
    noteDuplicate(connection, seq, connection.rcvNxt);
    seq = connection.rcvNxt;
    offset += old;
    length -= old;
  }
  if (currentWindow(connection) === 0 && seq === connection.rcvNxt) {
    connection.context.counters.TCPZeroWindowDrop++;
    reopen(connection);
    enterQuickAck(connection, MAX_QUICK_ACKS);
    answer(connection, now);
    return true;
  }
  if (connection.ecn !== undefined) beforeText(connection, segment.ecn, now);
  if (seq === connection.rcvNxt) inOrder(connection, chunk, offset, length, segment, now);
  else outOfOrder(connection, segment, chunk, seq, offset, length, now);
  return true;
}

/**
 * "This should not occur since a FIN has been received from the remote side. Ignore the segment text." What was here before is no
 * such thing, and is answered as any duplicate.
 */
function textBehindFin(connection: ControlBlock, segment: TcpSegment, now: number): boolean {
  const end = (segment.seq + segment.payloadLength) | 0;
  if (after(end, connection.rcvNxt) || endsWithFin(connection, segment)) return true;
  return duplicateText(connection, segment.seq, end, now);
}

/** The FIN behind the text is the peer's, and it is this that decides how to answer. */
function endsWithFin({ finReceived, rcvNxt }: ControlBlock, { flags, seq, payloadLength }: TcpSegment): boolean {
  return (flags & FIN) !== 0 && (finReceived || ((seq + payloadLength) | 0) === rcvNxt);
}

/** The user has closed, or shut down both sides (Linux). */
function nobodyReads(connection: ControlBlock): boolean {
  return connection.orphan || (connection.receiveShut && (connection.state & (FIN_WAIT_1 | FIN_WAIT_2)) !== 0);
}

/**
 * RFC 9293 3.10.4 (RFC 1122 4.2.2.13): nobody will read this: the peer is to know. Linux answers the segment itself:
 * <SEQ=SEG.ACK><CTL=RST> is where the peer expects our next number.
 */
function refuse(connection: ControlBlock, segment: TcpSegment, now: number): false {
  connection.context.counters.TCPAbortOnData++;
  replyReset(connection.context, connection.path, segment, connection.signer);
  release(connection, connection.orphan ? REASON_ABORTED : REASON_RESET, now);
  return false;
}

/** All of it was here before: RFC 9293 3.10.7.4 acknowledges it at once; RFC 2883 4.1 says which it was. */
function duplicateText(connection: ControlBlock, seq: number, end: number, now: number): boolean {
  if (connection.ecn !== undefined) duplicateAgain(connection, seq);
  noteDuplicate(connection, seq, end);
  enterQuickAck(connection, MAX_QUICK_ACKS);
  answer(connection, now);
  return true;
}

function inOrder(
  connection: ControlBlock,
  chunk: Chunk,
  offset: number,
  length: number,
  segment: TcpSegment,
  now: number,
): void {
  const { reassembly, rcvNxt, traffic } = connection;
  if (connection.context.memory.exhausted && !mayQueue(connection, true)) return dropForMemory(connection, now);
  makeRoom(connection, length);
  connection.receiveSpace ??= new ReceiveSpace(connection, now);
  const { memory } = connection.receiveSpace;
  measureEcho(connection, connection.receiveSpace, segment, now);
  memory.take(segment, length);
  connection.receiveQueue.append(chunk, offset, length);
  connection.rcvNxt = (rcvNxt + length) | 0;
  const filled = reassembly !== undefined && !reassembly.empty;
  if (filled) {
    connection.rcvNxt = reassembly.drainTo(connection.receiveQueue, connection.rcvNxt);
    memory.settle(distance(rcvNxt, connection.rcvNxt) - length, reassembly.length);
  }
  if (traffic !== undefined) traffic.bytesReceived += distance(rcvNxt, connection.rcvNxt);
  connection.receiveSpace.measureWindow(connection, now);
  const due = connection.ackNow;
  dataReceived(connection, length, segment, now);
  // With a FIN behind it, it is the FIN that decides when to acknowledge (Linux).
  const last = (segment.flags & FIN) !== 0 && ((segment.seq + segment.payloadLength) | 0) === connection.rcvNxt;
  if (last && !due && connection.state === ESTABLISHED) connection.ackNow = false;
  // RFC 5681 4.2: a segment that fills a hole is acknowledged at once; behind a FIN there are none.
  if (filled && !last) {
    connection.ackNow = true;
    noteOverlap(connection);
  }
  if (!last) takeWaitingFin(connection, now);
  if (isEnough(connection)) connection.context.markReady(connection);
}

/** As many bytes wait as SO_RCVLOWAT says, or as ever will, since the window has no room for more (Linux: fewer wake nobody). */
function isEnough(connection: ControlBlock): boolean {
  const { receiveQueue, settings, context } = connection;
  if (receiveQueue.length >= settings.rcvLowat) return true;
  return context.memory.pressure || currentWindow(connection) <= connection.seenMss;
}

/** RFC 9293 3.10.7.4 [SHLD-31], [MAY-13], RFC 5681 4.2: out of order: it is kept, with a duplicate acknowledgment at once, one for each, as the sender counts them. */
function outOfOrder(
  connection: ControlBlock,
  segment: TcpSegment,
  chunk: Chunk,
  seq: number,
  offset: number,
  length: number,
  now: number,
): void {
  const { counters } = connection.context;
  if (connection.ecn !== undefined) textTaken(connection, segment.ecn);
  connection.reassembly ??= new Reassembly(connection.context.slab);
  connection.receiveSpace ??= new ReceiveSpace(connection, now);
  makeRoom(connection, length);
  if (connection.context.memory.exhausted && !mayQueue(connection, false)) {
    counters.TCPOFODrop++;
    return answer(connection, now);
  }
  measureSegment(connection, segment);
  const { reassembly } = connection;
  const added = reassembly.insert(seq, chunk, offset, length);
  if (added < 0) {
    counters.TCPOFODrop++;
  } else {
    if (added < length) noteOverlap(connection);
    if ((segment.flags & FIN) !== 0) noteFinAgain(connection, seq, (seq + length) | 0);
    counters.TCPOFOQueue++;
    (connection.traffic as Traffic).outOfOrder += segment.pieces;
    if (added > 0) chargeStray(connection, segment, length);
    noteRange(connection, seq, reassembly.left, reassembly.right);
  }
  if ((segment.flags & FIN) !== 0) rememberFin(connection, (segment.seq + segment.payloadLength) | 0);
  answer(connection, now);
}

/** What waits behind a hole takes memory, lets the window grow, and the buffer, once the user has the socket (Linux). */
function chargeStray(connection: ControlBlock, segment: TcpSegment, length: number): void {
  const space = connection.receiveSpace as ReceiveSpace;
  // RFC 5681 2: without SACK, it is by looking alike that acknowledgments are duplicates.
  if (connection.sackOk) growWindow(connection, length);
  space.memory.takeStray(segment);
  if (connection.user !== undefined) space.reordered(connection);
}

/** Memory is used up: the peer sends it again, and the reader, who may free some, is woken. */
function dropForMemory(connection: ControlBlock, now: number): void {
  connection.context.counters.TCPRcvQDrop++;
  connection.context.markReady(connection);
  answer(connection, now);
}

/** The round trip as a receiver sees it, by the echo of a timestamp: before the segment is queued, as a user that is behind spoils the sample. */
function measureEcho(connection: ControlBlock, space: ReceiveSpace, segment: TcpSegment, now: number): void {
  if (!connection.timestampsOk || (segment.optionBits & OPT_TIMESTAMPS) === 0 || segment.tsEcr === 0) return;
  if (segment.payloadLength < connection.seenMss) return;
  space.measureEcho(connection, segment.tsEcr, now);
}

/** RFC 2883 4.2: the first part of it that was here before, out of order, unless its front was a duplicate too. */
function noteOverlap(connection: ControlBlock): void {
  const { reassembly } = connection;
  if (reassembly === undefined || reassembly.duplicateLeft === reassembly.duplicateRight) return;
  connection.context.counters.TCPOFOMerge++;
  if (connection.sackReport?.hasDuplicate === true) return;
  noteDuplicate(connection, reassembly.duplicateLeft, reassembly.duplicateRight);
}

/** RFC 2883 4.1: text and FIN are both here already: the duplicate ends with the FIN. */
function noteFinAgain(connection: ControlBlock, seq: number, fin: number): void {
  const { finSeqKnown, finSeq, sackReport } = connection;
  if (!finSeqKnown || finSeq !== fin || sackReport?.duplicateLeft !== seq) return;
  if (sackReport.duplicateRight === fin) sackReport.duplicateRight = (fin + 1) | 0;
}

function answer(connection: ControlBlock, now: number): void {
  connection.ackNow = true;
  if (!transmitAck(connection, now)) connection.context.markDirty(connection);
}

/** Eighth, check the FIN bit. */
export function finArrives(connection: ControlBlock, segment: TcpSegment, now: number): void {
  const fin = (segment.seq + segment.payloadLength) | 0;
  if (connection.finReceived) {
    // The peer's FIN again: its acknowledgment was lost.
    if (before(fin, connection.rcvNxt)) noteDuplicate(connection, segment.seq, (fin + 1) | 0);
    enterQuickAck(connection, MAX_QUICK_ACKS);
    answer(connection, now);
    return;
  }
  if (before(fin, connection.rcvNxt)) {
    // Where there was text before: not acceptable.
    if (segment.payloadLength === 0) duplicateText(connection, fin, (fin + 1) | 0, now);
    return;
  }
  // Its text was not taken.
  if (segment.payloadLength > 0 && after(fin, connection.rcvNxt) && currentWindow(connection) === 0) return;
  if (fin === connection.rcvNxt) {
    rememberFin(connection, fin);
    takeWaitingFin(connection, now);
    // One that comes for a buffer that is full is taken, and acknowledged at once (Linux).
    if (segment.payloadLength === 0 && !makeRoom(connection, 0)) answer(connection, now);
    return;
  }
  if (segment.payloadLength > 0) return;
  if (nobodyReads(connection)) {
    refuse(connection, segment, now);
    return;
  }
  // Beyond a hole: SACKed as what it is, a number (Linux).
  if (connection.finSeqKnown) noteDuplicate(connection, fin, (fin + 1) | 0);
  else connection.context.counters.TCPOFOQueue++;
  rememberFin(connection, fin);
  noteRange(connection, fin, fin, fin);
  answer(connection, now);
}

function rememberFin(connection: ControlBlock, fin: number): void {
  connection.finSeq = fin;
  connection.finSeqKnown = true;
}

/** The FIN is next: RCV.NXT passes it, and the state changes. */
function takeWaitingFin(connection: ControlBlock, now: number): void {
  if (!connection.finSeqKnown || connection.finReceived || connection.finSeq !== connection.rcvNxt) return;
  connection.finReceived = true;
  connection.rcvNxt = (connection.rcvNxt + 1) | 0;
  if (!afterOrAt(connection.rcvAdv, connection.rcvNxt)) connection.rcvAdv = connection.rcvNxt;
  connection.reassembly?.clear();
  // Nor is anything left to report (Linux).
  connection.sackReport = undefined;
  connection.context.markReady(connection);
  switch (connection.state) {
    case ESTABLISHED:
      connection.setState(CLOSE_WAIT, now);
      // Linux: the answer to a FIN is mostly a FIN, and carries the acknowledgment.
      enterPingpong(connection);
      scheduleAck(connection);
      return;
    case FIN_WAIT_1:
      connection.setState(CLOSING, now);
      answer(connection, now);
      return;
    case FIN_WAIT_2:
      answer(connection, now);
      enterTimeWait(connection, REASON_NONE, now);
  }
}
