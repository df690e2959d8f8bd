/**
 * When to acknowledge: RFC 9293 3.8.6.3, RFC 5681 4.2, with Linux's manners: at once while a connection is young (quick ACKs),
 * at once for every second full segment, later while the application answers (ping-pong), when the answer carries it.
 */
import type { ControlBlock } from './control-block.ts';
import { textTaken } from './ecn.ts';
import { currentWindow, offerableWindow } from './receive-window.ts';
import { distance } from './sequence.ts';

/** Linux's TCP_ATO_MIN: the shortest delay, ms. */
const ATO_MIN = 40;
/** Linux's TCP_MAX_QUICKACKS. */
const MAX_QUICK_ACKS = 16;

/** Data in order has come: `payload` bytes, the largest piece `piece` bytes, in a packet with that ECN field. */
export function dataReceived(
  connection: ControlBlock,
  payload: number,
  piece: number,
  field: number,
  now: number,
): void {
  measureSegment(connection, Math.min(payload, piece));
  adaptDelay(connection, now);
  if (connection.ecn !== undefined) textTaken(connection, field);
  connection.lastDataReceivedAt = now;
  scheduleAck(connection);
}

/** Something came that is to be acknowledged by and by. RFC 9293 3.8.6.3 [SHLD-18], [SHLD-19]: at once for every second full segment. */
export function scheduleAck(connection: ControlBlock): void {
  const unacknowledged = distance(connection.lastAckSent, connection.rcvNxt);
  const hurry = connection.ecn?.hurry === true;
  const second = unacknowledged > connection.seenMss && offerableWindow(connection) >= currentWindow(connection);
  const quick = (connection.quickAcks > 0 && !connection.pingpong) || connection.path.metrics.quickack === true;
  if (second || hurry || quick || connection.ato === 0) connection.ackNow = true;
  else connection.ackDelayed = true;
  connection.context.markDirty(connection);
}

/** Something unusual came (a hole, a duplicate): the next ACKs go at once. RFC 5681 4.2. */
export function enterQuickAck(connection: ControlBlock, most: number): void {
  connection.quickAcks = Math.max(connection.quickAcks, Math.min(quickAckCount(connection), most));
  connection.pingpong = false;
  connection.ato = ATO_MIN;
}

/** The delayed-ACK timer fired. */
export function delayedAckTimeout(connection: ControlBlock): void {
  if (!connection.ackDelayed) return;
  connection.ackDelayed = false;
  if (connection.pingpong) {
    // The application did not answer in time: it is not that kind of conversation.
    connection.pingpong = false;
    connection.ato = ATO_MIN;
  } else {
    connection.ato = Math.min(connection.ato * 2, connection.context.config.tcp_delack_max_ms);
  }
  connection.ackNow = true;
  connection.context.counters.DelayedACKs++;
  connection.context.markDirty(connection);
}

/** What a full segment of the peer's is, by what it sends. Short ones lower nothing: the rule is about full segments. */
function measureSegment(connection: ControlBlock, payload: number): void {
  if (payload > connection.seenMss) connection.seenMss = Math.min(payload, Math.max(connection.rcvMss, 536));
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
    connection.ato = Math.min(connection.ato / 2 + gap, connection.context.config.tcp_delack_max_ms);
  } else if (gap > connection.rtoUs / 1000) {
    // The sender has been idle and starts slowly: help it.
    connection.quickAcks = Math.max(connection.quickAcks, quickAckCount(connection));
  }
}

function quickAckCount(connection: ControlBlock): number {
  const segment = Math.max(connection.seenMss, 1);
  return Math.min(Math.max(Math.floor(currentWindow(connection) / (2 * segment)), 2), MAX_QUICK_ACKS);
}
