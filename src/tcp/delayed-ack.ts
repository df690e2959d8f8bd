/**
 * When to acknowledge: RFC 9293 3.8.6.3, RFC 5681 4.2, with Linux's manners: at once while a connection is young (quick ACKs),
 * at once for every second full segment when the window can move on too, when the user has read what a push brought, later while the
 * application answers (ping-pong), when the answer carries it.
 */
import { FIN, PSH, SYN, TCP_HEADER_LENGTH, type TcpSegment, URG } from '../wire/tcp.ts';
import type { ControlBlock } from './control-block.ts';
import { textTaken } from './ecn.ts';
import { segmentMemory, WHOLE, wholeWindow } from './receive-memory.ts';
import { currentWindow, growWindow, setWindowClamp, windowUpdateDue, worthAcknowledging } from './receive-window.ts';
import { distance } from './sequence.ts';
import { CLOSE_WAIT, ESTABLISHED, RECEIVING } from './state.ts';
import { DELAYED_ACK } from './timer-kinds.ts';
import { TIMESTAMPS_LENGTH } from './transmit.ts';

/** Linux's TCP_ATO_MIN: the shortest delay, ms. */
const ATO_MIN = 40;
/** Linux's TCP_MAX_QUICKACKS. */
export const MAX_QUICK_ACKS = 16;
/** The longest delay where nobody is known to wait for the acknowledgment, ms (RFC 9293 MUST-58: below 500). */
const PATIENT_DELAY = 499;
/** Linux's TCP_MSS_DEFAULT and TCP_MIN_MSS: sizes from which a segment may be a full one. */
const SURELY_FULL = 536;
const PERHAPS_FULL = 88;
/** Flags of segments that may be the rest of something. */
const REMNANT = FIN | SYN | URG | PSH;

/** Data in order has come: `payload` bytes of the segment. */
export function dataReceived(connection: ControlBlock, payload: number, segment: TcpSegment, now: number): void {
  measureSegment(connection, segment);
  adaptDelay(connection, now);
  if (connection.ecn !== undefined) textTaken(connection, segment.ecn);
  connection.lastDataReceivedAt = now;
  growWindow(connection, payload);
  scheduleAck(connection);
}

/** Something came that is to be acknowledged by and by. */
export function scheduleAck(connection: ControlBlock): void {
  // Most of a batch's segments come after the one that decided it.
  if (connection.ackNow) return connection.context.markDirty(connection);
  const unacknowledged = distance(connection.lastAckSent, connection.rcvNxt);
  const hurry = connection.ecn?.hurry === true;
  // RFC 9293 3.8.6.3 [SHLD-18], [SHLD-19]: at once for every second full segment. A user that reads slowly, or wants much at once (SO_RCVLOWAT), is waited for.
  const second =
    unacknowledged > connection.seenMss &&
    (connection.receiveQueue.length < connection.settings.rcvLowat || worthAcknowledging(connection));
  const quick = (connection.quickAcks > 0 && !inPingpong(connection)) || connection.path.metrics.quickack === true;
  if (second || hurry || quick || connection.ato === 0) connection.ackNow = true;
  else connection.ackDelayed = true;
  connection.context.markDirty(connection);
}

/** The user has read: what waited for that is acknowledged now, and a window that has opened well is told. Linux's tcp_cleanup_rbuf. */
export function acknowledgeRead(connection: ControlBlock): void {
  if (connection.ackNow || (!(connection.ackDelayed && readSettles(connection)) && !windowNews(connection))) return;
  connection.ackNow = true;
  connection.context.markDirty(connection);
}

function readSettles(connection: ControlBlock): boolean {
  if (distance(connection.lastAckSent, connection.rcvNxt) > connection.seenMss) return true;
  // The user has all that the peer pushed, and did not answer.
  const pushed = connection.pushes > 1 || (connection.pushes === 1 && !inPingpong(connection));
  return pushed && connection.receiveQueue.length === 0;
}

function windowNews(connection: ControlBlock): boolean {
  return (connection.state & RECEIVING) !== 0 && !connection.receiveShut && windowUpdateDue(connection);
}

/** Something unusual came (a duplicate, a mark): the next ACKs go at once. RFC 5681 4.2. */
export function enterQuickAck(connection: ControlBlock, most: number): void {
  connection.quickAcks = Math.max(connection.quickAcks, Math.min(quickAckCount(connection), most));
  connection.pingpong = 0;
  connection.ato = ATO_MIN;
}

/** The application answers what comes: acknowledgments wait for that. */
export function inPingpong(connection: ControlBlock): boolean {
  return connection.pingpong >= connection.context.config.tcp_pingpong_thresh;
}

export function enterPingpong(connection: ControlBlock): void {
  connection.pingpong = connection.context.config.tcp_pingpong_thresh;
}

/** Data goes out: is it an answer? Then the peer's next will be answered too, perhaps. */
export function noteAnswer(connection: ControlBlock, now: number): void {
  if (now - connection.lastDataReceivedAt < connection.ato && !inPingpong(connection)) connection.pingpong++;
}

/** TCP_QUICKACK. Not sticky: the connection finds its own way again. 2: what waits is sent, and no more. */
export function setQuickAck(connection: ControlBlock, value: number): void {
  if (value === 0) return enterPingpong(connection);
  connection.pingpong = 0;
  if ((connection.state & (ESTABLISHED | CLOSE_WAIT)) === 0 || !connection.ackDelayed) return;
  connection.pushes = Math.max(connection.pushes, 1);
  acknowledgeRead(connection);
  if ((value & 1) === 0) enterPingpong(connection);
}

/** Sets the time for the acknowledgment that waits. Linux bounds it by the round trip. */
export function armDelayedAck(connection: ControlBlock, now: number): void {
  const due = connection.timerAt(DELAYED_ACK);
  // That of a SYN-ACK waits for data of ours as long as it was told to.
  if (due !== Infinity && connection.lastAckSent === connection.rcvNxt) return;
  const delay = ackDelay(connection);
  if (now + delay < due) connection.setTimer(DELAYED_ACK, now + delay);
}

/** Milliseconds. */
function ackDelay(connection: ControlBlock): number {
  const { config } = connection.context;
  const most = Math.min(config.tcp_delack_max_ms, Math.max(config.tcp_rto_min_us / 1000, 2) - 1);
  let delay = connection.ato;
  if (delay > ATO_MIN) {
    const waitedFor = inPingpong(connection) || connection.pushes > 0;
    delay = Math.min(delay, waitedFor ? config.tcp_delack_max_ms : PATIENT_DELAY);
    if (connection.srttUs > 0) delay = Math.min(delay, Math.max(connection.srttUs / 1000, ATO_MIN));
  }
  return Math.min(delay, most);
}

/** The delayed-ACK timer fired. */
export function delayedAckTimeout(connection: ControlBlock): void {
  if (!connection.ackDelayed) return;
  connection.ackDelayed = false;
  if (inPingpong(connection)) {
    // The application did not answer in time: it is not that kind of conversation.
    connection.pingpong = 0;
    connection.ato = ATO_MIN;
  } else {
    connection.ato = Math.min(connection.ato * 2, connection.rtoUs / 1000);
  }
  connection.ackNow = true;
  connection.context.counters.DelayedACKs++;
  connection.context.markDirty(connection);
}

/**
 * What a full segment of the peer's is, by what it sends, in order or not, old or new; a shorter one is the end of something, unless two of one
 * size follow each other.
 */
export function measureSegment(connection: ControlBlock, segment: TcpSegment): void {
  const payload = Math.min(segment.payloadLength, segment.pieceSize || segment.payloadLength);
  const previous = connection.lastSegmentSize;
  if (previous !== 0) connection.lastSegmentSize = 0;
  if (payload >= connection.seenMss) {
    if (payload !== connection.seenMss) measureShare(connection, segment);
    if (payload > connection.seenMss) connection.seenMss = Math.min(payload, Math.max(connection.rcvMss, SURELY_FULL));
    // The end of a write: the peer may wait for this acknowledgment.
    if ((segment.flags & PSH) !== 0 && connection.pushes === 0) connection.pushes = 1;
    return;
  }
  const bytes = payload + segment.headerLength - TCP_HEADER_LENGTH;
  if (bytes >= SURELY_FULL || (bytes >= PERHAPS_FULL && (segment.flags & REMNANT) === 0)) {
    const size = bytes - (connection.timestampsOk ? TIMESTAMPS_LENGTH : 0);
    connection.lastSegmentSize = size;
    if (size === previous) {
      connection.seenMss = size;
      return;
    }
  }
  if (connection.pushes < 2) connection.pushes++;
}

/** Segments of another size: what part of their memory is payload; the window follows (Linux). */
function measureShare(connection: ControlBlock, segment: TcpSegment): void {
  const { receiveSpace, settings } = connection;
  if (receiveSpace === undefined) return;
  const { memory } = receiveSpace;
  const size = segmentMemory(segment, connection.path.headerLength);
  const share = Math.max(Math.floor((segment.payloadLength * WHOLE) / size), 1);
  if (share === memory.share) return;
  memory.share = share;
  memory.shareMoved = true;
  setWindowClamp(
    settings,
    connection,
    Math.max(Math.min(wholeWindow(connection), 65_535 << connection.rcvWindShift), 1),
  );
  receiveSpace.space = Math.min(receiveSpace.space, settings.windowClamp);
}

function adaptDelay(connection: ControlBlock, now: number): void {
  if (connection.ato === 0) {
    // The first data of the connection.
    connection.quickAcks = Math.max(connection.quickAcks, quickAckCount(connection));
    connection.ato = ATO_MIN;
    return;
  }
  const gap = now - connection.lastDataReceivedAt;
  if (gap <= ATO_MIN / 2) {
    connection.ato = connection.ato / 2 + ATO_MIN / 2;
  } else if (gap < connection.ato) {
    connection.ato = Math.min(connection.ato / 2 + gap, connection.rtoUs / 1000);
  } else if (gap > connection.rtoUs / 1000) {
    // The sender has been idle and starts slowly: help it.
    connection.quickAcks = Math.max(connection.quickAcks, quickAckCount(connection));
  }
}

function quickAckCount(connection: ControlBlock): number {
  const segment = Math.max(connection.seenMss, 1);
  return Math.min(Math.max(Math.floor(currentWindow(connection) / (2 * segment)), 2), MAX_QUICK_ACKS);
}
