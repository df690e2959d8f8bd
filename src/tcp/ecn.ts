/**
 * Explicit Congestion Notification: RFC 3168, RFC 9293 3.8.2 [SHLD-8], and what it shares with Accurate ECN (accurate-ecn.ts): which packets say that they are
 * ECN-capable, and what is done about those that come back marked. A connection without ECN has no such record, and pays nothing.
 */
import { CE, ECT0, NOT_ECT } from '../wire/ecn.ts';
import { ACK, CWR, ECE, OPT_TIMESTAMPS, SYN, type TcpSegment } from '../wire/tcp.ts';
import { aceFlags, countArrival, mayMark, processAce } from './accurate-ecn.ts';
import type { ControlBlock } from './control-block.ts';
import { enterQuickAck } from './delayed-ack.ts';
import { ECN_ACCURATE, ECN_CLASSIC, type Ecn } from './ecn-state.ts';
import { before, distance } from './sequence.ts';

/** Acknowledgments that are not delayed after a mark (Linux). */
const QUICK_ACKS = 2;

/**
 * Of a segment that is about to go: sets the ECN field of its packet, and tells the flags that it carries besides.
 * @param length bytes of payload
 * @returns AE, CWR, ECE
 */
export function ecnFlags(connection: ControlBlock, seq: number, length: number, flags: number): number {
  const ecn = connection.ecn as Ecn;
  const { path, congestion } = connection;
  // A SYN says what handshake.ts decided; congestion control that lives on marks wants them on all packets (Linux, DCTCP).
  const always = congestion.needsEcn === true ? ECT0 : NOT_ECT;
  if ((flags & SYN) !== 0) {
    path.ecn = always;
    return 0;
  }
  if (ecn.mode === ECN_ACCURATE) {
    // RFC 9768 does without the exceptions of RFC 3168 6.1.4 and 6.1.5: acknowledgments and retransmissions are counted too (Linux).
    path.ecn = mayMark(connection) ? ECT0 : NOT_ECT;
    if ((flags & ACK) !== 0) ecn.hurry = false;
    return aceFlags(connection, length, flags);
  }
  let bits = ecn.echoing ? ECE : 0;
  // RFC 3168 6.1.4, 6.1.5, 6.1.6: ECT on new data only: not on pure acknowledgments, retransmissions and window probes.
  const fresh = length > 0 && !before(seq, connection.sndNxt);
  path.ecn = fresh ? ECT0 : always;
  if (fresh && ecn.cwrDue) {
    // RFC 3168 6.1.2: CWR on the first new data packet sent after the window was reduced.
    ecn.cwrDue = false;
    bits |= CWR;
  }
  if ((flags & ACK) !== 0) ecn.hurry = false;
  return bits;
}

/** A segment came that has passed the checks of its sequence number: its ECN field is counted. Before TS.Recent is moved on. */
export function ecnArrives(connection: ControlBlock, segment: TcpSegment): void {
  const ecn = connection.ecn as Ecn;
  ecn.timestampMoved =
    connection.timestampsOk &&
    (segment.optionBits & OPT_TIMESTAMPS) !== 0 &&
    !before(connection.lastAckSent, segment.seq) &&
    distance(connection.tsRecent, segment.tsVal) > 0;
  if (segment.ecn !== NOT_ECT) {
    if (ecn.mode !== ECN_CLASSIC) ecn.seen = true;
    if (segment.ecn === CE) ecn.receivedCe += segment.pieces;
    if (segment.payloadLength > 0) countBytes(ecn, segment.ecn, segment.payloadLength);
  }
  if (ecn.mode === ECN_ACCURATE) countArrival(connection, segment);
}

function countBytes(ecn: Ecn, field: number, length: number): void {
  if (field === CE) ecn.receivedCeBytes += length;
  else if (field === ECT0) ecn.receivedEct0Bytes += length;
  else ecn.receivedEct1Bytes += length;
}

/** Payload is about to be taken, in order or not: a congestion control that reports marks itself is told. RFC 8257 3.2. */
export function beforeText(connection: ControlBlock, field: number, now: number): void {
  if (field !== NOT_ECT) connection.congestion.markArrived?.(connection, field === CE, now);
}

/** Payload has been taken: RFC 3168 6.1.3. */
export function textTaken(connection: ControlBlock, field: number): void {
  const ecn = connection.ecn as Ecn;
  if (field === NOT_ECT) {
    // Linux: the peer's data was ECN-capable, this is not: it is probably a retransmission.
    if (ecn.seen) enterQuickAck(connection, QUICK_ACKS);
    return;
  }
  if (ecn.mode !== ECN_CLASSIC) return;
  if (field === CE && !ecn.echoing) {
    // The sender's window may be very small: it is told at once.
    enterQuickAck(connection, QUICK_ACKS);
    // RFC 3168 6.1.3: ECE in this acknowledgment and all that follow, until CWR comes.
    ecn.echoing = true;
  }
  ecn.seen = true;
}

/**
 * Reads what the acknowledgment says about congestion.
 * @param delivered segments of which it is the first to tell, `bytes` of payload in them
 * @param progress it acknowledges or SACKs something
 * @returns whether it reports congestion
 */
export function congestionReported(
  connection: ControlBlock,
  segment: TcpSegment,
  delivered: number,
  bytes: number,
  progress: boolean,
): boolean {
  const ecn = connection.ecn as Ecn;
  let marked = 0;
  let reported = false;
  if (ecn.mode === ECN_ACCURATE) {
    marked = processAce(connection, segment, delivered, bytes, progress);
    reported = marked > 0;
  } else if (ecn.mode === ECN_CLASSIC && (segment.flags & (ECE | SYN)) === ECE) {
    // ECE does not tell how many: all that it acknowledges (Linux).
    marked = delivered;
    reported = true;
  }
  ecn.deliveredCe += marked;
  connection.context.counters.TCPDeliveredCE += marked;
  connection.congestion.delivered?.(connection, delivered, marked);
  return reported;
}

/** RFC 3168 6.1.3: the peer has reduced its window. Linux takes its word on pure acknowledgments too. */
export function takeCwr(connection: ControlBlock, segment: TcpSegment): void {
  const ecn = connection.ecn as Ecn;
  if (ecn.mode !== ECN_CLASSIC || (segment.flags & CWR) === 0) return;
  ecn.echoing = false;
  // The sender's window may be a single segment.
  if (segment.payloadLength > 0) ecn.hurry = true;
}

/** RFC 3168 6.1.2: cwnd was reduced, for whatever reason: the peer is told. */
export function queueCwr(connection: ControlBlock): void {
  const { ecn } = connection;
  if (ecn !== undefined && ecn.mode === ECN_CLASSIC) ecn.cwrDue = true;
}

/** The reduction was undone. */
export function withdrawCwr(connection: ControlBlock): void {
  if (connection.ecn !== undefined) connection.ecn.cwrDue = false;
}
