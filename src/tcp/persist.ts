/** A closed window is probed until it opens: RFC 9293 3.8.6.1. */
import { ACK, FIN, PSH } from '../wire/tcp.ts';
import type { ControlBlock } from './control-block.ts';
import { noteAnswer } from './delayed-ack.ts';
import { currentMss } from './mss.ts';
import { MORE_AWAITED, MORE_EXPECTED } from './nagle.ts';
import { stampSent } from './rate-sample.ts';
import { retransmissionTimeout } from './round-trip.ts';
import type { SentRun } from './sent-runs.ts';
import { before, distance } from './sequence.ts';
import { PERSIST } from './timer-kinds.ts';
import { transmit } from './transmit.ts';

/** ms (Linux), whatever tcp_rto_min_us says. */
const LEAST_INTERVAL = 200;
/** How soon what our own interface had no room for is tried again, ms (Linux's TCP_RESOURCE_PROBE_INTERVAL): that tells nothing of the peer. */
const RESOURCE_INTERVAL = 500;
/** Linux's answer to tcp_orphan_retries = 0. */
const ORPHAN_RETRIES = 8;

/**
 * RFC 9293 3.8.6.1 [MUST-36], [MUST-35]: when nothing is out and the window (or silly window avoidance, or the user with TCP_CORK: 3.9.1.2
 * [MUST-60]) holds back what is queued: look again in an RTO. So it is when the interface has no room: or nobody would notice that
 * TCP_USER_TIMEOUT has passed.
 */
export function armPersist(connection: ControlBlock, now: number): void {
  if (!held(connection)) {
    endPersist(connection);
    return;
  }
  if (connection.timerAt(PERSIST) !== Infinity) return;
  connection.setTimer(PERSIST, now + probeInterval(connection));
}

/** The window has room, or there is nothing to wait for. */
export function endPersist(connection: ControlBlock): void {
  if (connection.timerAt(PERSIST) === Infinity) return;
  connection.clearTimer(PERSIST);
  endProbing(connection);
}

/** What is held back next is probed anew: its back-off, and the user's timeout, begin with it (Linux). */
function endProbing(connection: ControlBlock): void {
  connection.probesSince = -1;
  connection.probeBackoff = 0;
}

/** Something is queued and not sent. */
export function held(connection: ControlBlock): boolean {
  return distance(connection.sndNxt, connection.sendEnd) > 0;
}

/**
 * An acknowledgment has come (Linux): what MSG_MORE held back waits no longer; and the timer starts anew, with its back-off, unless the
 * window has room for what is next.
 */
export function sendingMayGoOn(connection: ControlBlock, outstanding: boolean, now: number): void {
  if (connection.moreToCome === MORE_AWAITED) {
    connection.moreToCome = MORE_EXPECTED;
    connection.context.markDirty(connection);
  }
  if (outstanding || connection.timerAt(PERSIST) === Infinity) return;
  const next = Math.min(distance(connection.sndNxt, connection.sendEnd), connection.sndMss);
  const edge = (connection.sndUna + connection.sndWnd) | 0;
  if (before(edge, (connection.sndNxt + next) | 0)) {
    connection.setTimer(PERSIST, boundedByUserTimeout(connection, now + probeInterval(connection), now));
    return;
  }
  endPersist(connection);
  connection.context.markDirty(connection);
}

/** [SHLD-29], [SHLD-30]: the first probe after an RTO, then at twice the interval each time, answered or not; bounded as the RTO is. */
function probeInterval(connection: ControlBlock): number {
  const base = Math.max(retransmissionTimeout(connection), LEAST_INTERVAL);
  return Math.min(base * 2 ** connection.probeBackoff, connection.settings.rtoMax);
}

/** Retransmissions, or probes, without an answer after which the connection is given up: tcp_retries2, or tcp_orphan_retries when nobody owns it any more. */
export function retriesOf({ orphan, context }: ControlBlock): number {
  const { tcp_retries2, tcp_orphan_retries } = context.config;
  return orphan ? tcp_orphan_retries || ORPHAN_RETRIES : tcp_retries2;
}

/**
 * The persist timer fired: sends what fits in the window, overriding silly window avoidance (3.8.6.2.1 (4)); or,
 * when it is closed, a segment just before it that asks for an acknowledgment (Linux's probe: no data, SEQ = SND.UNA - 1).
 */
export function probe(connection: ControlBlock, now: number): void {
  const window = distance(connection.sndNxt, (connection.sndUna + connection.sndWnd) | 0);
  const waiting = distance(connection.sndNxt, connection.sendQueue.end);
  if (connection.probesSince < 0) connection.probesSince = now;
  let gone = false;
  if (window > 0) {
    const record = distance(connection.sndNxt, connection.sendQueue.recordEnd(connection.sndNxt));
    if (sendFitting(connection, Math.min(window, record, waiting, currentMss(connection)), window, now)) return;
  } else {
    connection.context.counters.TCPWinProbe++;
    gone = transmit(connection, (connection.sndUna - 1) | 0, 0, ACK, 1, now);
  }
  // That the interface is full ends nothing but what TCP_USER_TIMEOUT ends.
  if (gone || connection.probesOut < retriesOf(connection) - 1) connection.probesOut++;
  if (gone && connection.probeBackoff < 30) connection.probeBackoff++;
  const interval = gone ? probeInterval(connection) : RESOURCE_INTERVAL;
  connection.setTimer(PERSIST, boundedByUserTimeout(connection, now + interval, now));
}

/** TCP_USER_TIMEOUT bounds how long the window may stay closed, whether probes are answered or not (Linux), and is met on time. */
function boundedByUserTimeout(connection: ControlBlock, due: number, now: number): number {
  const { userTimeout } = connection.settings.rare;
  if (userTimeout <= 0 || connection.probesSince < 0) return due;
  return Math.max(Math.min(due, connection.probesSince + userTimeout), now + 1);
}

/** @returns false when the interface was full */
function sendFitting(connection: ControlBlock, length: number, window: number, now: number): boolean {
  const seq = connection.sndNxt;
  const fin = connection.finQueued && ((seq + length) | 0) === connection.sendQueue.end && length < window ? 1 : 0;
  const end = (seq + length + fin) | 0;
  const flags = ACK | (length > 0 ? PSH : 0) | (fin === 1 ? FIN : 0);
  if (!transmit(connection, seq, length, flags, connection.sndMss, now)) return false;
  connection.sndNxt = end;
  connection.runs.push(seq, end, connection.sndMss, fin, now);
  stampSent(connection, connection.runs.last as SentRun, false, now);
  if (fin === 1) connection.finSent = true;
  if (length > 0) {
    connection.lastDataSentAt = now;
    noteAnswer(connection, now);
  }
  connection.probesOut = 0;
  // The timer that led here has fired: there is none to end.
  endProbing(connection);
  connection.context.markDirty(connection);
  return true;
}
