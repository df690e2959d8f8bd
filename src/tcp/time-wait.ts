/**
 * TIME-WAIT as a record: a few numbers stand in the connection's place for 2 MSL. RFC 9293 3.6.1, 3.10.7.4; RFC 1337, RFC 6191. FIN-WAIT-2
 * without a user is one, too, as on Linux: all that can still come is the peer's FIN.
 */
import type { IpAddress } from '../wire/address.ts';
import { ACK, FIN, OPT_TIMESTAMPS, RST, SYN, type TcpSegment } from '../wire/tcp.ts';
import { REASON_NONE } from './close-reason.ts';
import type { TcpContext } from './context.ts';
import { type ControlBlock, KIND_TIME_WAIT } from './control-block.ts';
import type { Path } from './path.ts';
import { currentWindow } from './receive-window.ts';
import { release } from './release.ts';
import { replyReset, replySegment, segmentLength } from './reply.ts';
import { after, before, beforeOrAt, distance, isWithin } from './sequence.ts';
import type { Signer } from './signer.ts';
import { TIME_WAIT } from './state.ts';
import { LINGER } from './timer-kinds.ts';

/** Linux counts records that stay no longer, ms, as killed. */
const SHORT = 4000;

export class TimeWaitRecord {
  readonly kind = KIND_TIME_WAIT;
  readonly context: TcpContext;
  readonly path: Path;
  readonly local: IpAddress;
  readonly localPort: number;
  readonly remote: IpAddress;
  readonly remotePort: number;
  readonly sndNxt: number;
  rcvNxt: number;
  readonly window: number;
  readonly windowShift: number;
  readonly timestampsOk: boolean;
  readonly tsOffset: number;
  tsRecent: number;
  readonly signer: Signer | undefined;
  readonly timerRow: number;
  /** The peer's FIN is still to come. */
  finWait2: boolean;
  /** ms. */
  readonly enteredAt: number;
  ackedAt = -Infinity;

  constructor(connection: ControlBlock, finWait2: boolean, now: number) {
    this.finWait2 = finWait2;
    this.enteredAt = now;
    this.context = connection.context;
    this.path = connection.path;
    this.local = connection.local;
    this.localPort = connection.localPort;
    this.remote = connection.remote;
    this.remotePort = connection.remotePort;
    this.sndNxt = connection.sndNxt;
    this.rcvNxt = connection.rcvNxt;
    this.window = currentWindow(connection);
    this.windowShift = connection.rcvWindShift;
    this.timestampsOk = connection.timestampsOk;
    this.tsOffset = connection.tsOffset;
    this.tsRecent = connection.tsRecent;
    this.signer = connection.signer;
    this.signer?.outlives(connection.sndNxt, connection.rcvNxt);
    this.timerRow = this.context.idleTimers.allocate();
    this.context.idleTimerOwners[this.timerRow] = this;
  }
}

/** RFC 9293 3.6.1 [MUST-13]: both FINs are exchanged and ours was first: the connection becomes a record. */
export function enterTimeWait(connection: ControlBlock, reason: number, now: number): void {
  connection.setState(TIME_WAIT, now);
  becomeRecord(connection, reason, false, connection.context.config.tcp_timewait_len * 1000, now);
}

/** Nobody will read what the peer still sends, and our FIN is acknowledged: for `wait` ms a record waits for the peer's. */
export function enterFinWait2Record(connection: ControlBlock, wait: number, now: number): void {
  becomeRecord(connection, REASON_NONE, true, wait, now);
}

function becomeRecord(connection: ControlBlock, reason: number, finWait2: boolean, wait: number, now: number): void {
  const { context } = connection;
  if (context.timeWaits >= context.config.tcp_max_tw_buckets) {
    context.counters.TCPTimeWaitOverflow++;
    return release(connection, reason, now);
  }
  const record = new TimeWaitRecord(connection, finWait2, now);
  context.timeWaits++;
  if (wait <= SHORT) context.counters.TWKilled++;
  else context.counters.TW++;
  context.idleTimers.set(record.timerRow, LINGER, now + wait);
  release(connection, reason, now);
  context.hooks.insert(record);
}

/** 2 MSL are over. */
export function expireTimeWait(record: TimeWaitRecord): void {
  removeTimeWait(record);
}

export function removeTimeWait(record: TimeWaitRecord): void {
  const { context } = record;
  context.timeWaits--;
  context.idleTimers.free(record.timerRow);
  context.idleTimerOwners[record.timerRow] = undefined;
  context.hooks.remove(record);
}

/**
 * A segment for a connection in TIME-WAIT.
 * @param listened somebody listens there; a SYN that nobody waits for is no reason to end it
 * @returns whether it is a SYN that opens a new connection in its place: the record is gone then, and a listener may have it
 */
export function timeWaitArrives(record: TimeWaitRecord, segment: TcpSegment, listened: boolean, now: number): boolean {
  const { context, rcvNxt } = record;
  const { flags, seq } = segment;
  const stamped = record.timestampsOk && (segment.optionBits & OPT_TIMESTAMPS) !== 0;
  const old = stamped && before(segment.tsVal, record.tsRecent);
  const end = (seq + segmentLength(segment)) | 0;
  if (record.finWait2) {
    finWait2Arrives(record, segment, end, stamped, old, now);
    return false;
  }
  if (!old && seq === rcvNxt && (seq === end || (flags & RST) !== 0)) {
    if (stamped) record.tsRecent = segment.tsVal;
    if ((flags & RST) === 0) restart(record, now);
    // RFC 1337 3, fix F1: a RST does not end TIME-WAIT; Linux follows only when told to.
    else if (!context.config.tcp_rfc1337) removeTimeWait(record);
    return false;
  }
  if (listened && !old && isNewIncarnation(record, segment, stamped)) {
    removeTimeWait(record);
    return true;
  }
  if (old) context.counters.PAWSTimewait++;
  if ((flags & RST) !== 0) return false;
  // RFC 9293 3.10.7.4: a retransmission of the remote FIN: acknowledge it, and restart the 2 MSL timeout. Linux does so for whatever
  // may come from the old connection's other end: but a SYN may be a new one's.
  if (old || (flags & ACK) !== 0) restart(record, now);
  limitedAcknowledge(record, segment, seq === end, now);
  return false;
}

/** FIN-WAIT-2 (3.10.7.4): the FIN makes it TIME-WAIT; new data finds nobody who would read it. */
function finWait2Arrives(
  record: TimeWaitRecord,
  segment: TcpSegment,
  end: number,
  stamped: boolean,
  old: boolean,
  now: number,
): void {
  const { context, rcvNxt } = record;
  const { flags, seq } = segment;
  const within = isWithin(seq, end, rcvNxt, (rcvNxt + record.window) | 0);
  if ((flags & RST) !== 0 && (!within || seq === rcvNxt)) {
    // RFC 5961 3.2: only the exact number ends it; another in the window is challenged.
    if (seq === rcvNxt) removeTimeWait(record);
    return;
  }
  // RFC 5961 4.2: so is any SYN.
  if (old || !within || (flags & (RST | SYN)) !== 0) return limitedAcknowledge(record, segment, seq === end, now);
  if ((flags & ACK) === 0 || beforeOrAt(end, rcvNxt) || end === seq) return;
  if ((flags & FIN) === 0 || end !== ((rcvNxt + 1) | 0)) {
    replyReset(context, record.path, segment, record.signer);
    return removeTimeWait(record);
  }
  record.rcvNxt = end;
  record.finWait2 = false;
  if (stamped) record.tsRecent = segment.tsVal;
  restart(record, now);
  acknowledge(record, now);
}

/**
 * RFC 9293 3.6.1 [MAY-2]: a SYN beyond the old connection's numbers. [SHLD-4], RFC 6191 2: or with a later timestamp.
 */
function isNewIncarnation(record: TimeWaitRecord, segment: TcpSegment, stamped: boolean): boolean {
  if ((segment.flags & (SYN | RST | ACK)) !== SYN) return false;
  if (stamped && distance(record.tsRecent, segment.tsVal) > 0) return true;
  return after(segment.seq, record.rcvNxt);
}

/**
 * Whether a connection that we open may take the record's place: RFC 6191's reasoning from the other side: with timestamps that have
 * moved on, nothing of the old connection can be taken for the new one's. Linux's tcp_tw_reuse.
 * @param chosen the user chose the port: then timestamps are enough, at any time
 */
export function mayReuse(record: TimeWaitRecord, chosen: boolean, now: number): boolean {
  const { tcp_tw_reuse: mode, tcp_tw_reuse_delay: delay } = record.context.config;
  if (!record.timestampsOk) return false;
  if (chosen) return true;
  if (record.finWait2 || mode === 0) return false;
  if (mode === 2 && !record.local.isLoopback && !record.remote.isLoopback) return false;
  return now - record.enteredAt > delay;
}

/** The first number that a new connection in the record's place may start from (Linux: beyond any window of the old one). */
export function issAfter(record: TimeWaitRecord): number {
  return (record.sndNxt + 65_535 + 2) | 0;
}

function restart(record: TimeWaitRecord, now: number): void {
  const { context } = record;
  context.idleTimers.set(record.timerRow, LINGER, now + context.config.tcp_timewait_len * 1000);
}

/** What has a length (unless it is a SYN) is always answered: it cannot be part of a loop of ACKs (Linux). */
function limitedAcknowledge(record: TimeWaitRecord, segment: TcpSegment, empty: boolean, now: number): void {
  const { config, counters } = record.context;
  if (empty || (segment.flags & SYN) !== 0) {
    if (now - record.ackedAt < config.tcp_invalid_ratelimit) {
      if (record.finWait2) counters.TCPACKSkippedFinWait2++;
      else counters.TCPACKSkippedTimeWait++;
      return;
    }
    record.ackedAt = now;
  }
  acknowledge(record, now);
}

function acknowledge(record: TimeWaitRecord, now: number): void {
  const { context, path, localPort, remotePort, sndNxt, rcvNxt, timestampsOk, tsRecent, signer } = record;
  const window = Math.min(Math.floor(record.window / 2 ** record.windowShift), 65_535);
  const tsVal = (Math.floor(now) + record.tsOffset) | 0;
  replySegment(
    context,
    path,
    localPort,
    remotePort,
    sndNxt,
    rcvNxt,
    ACK,
    window,
    timestampsOk,
    tsVal,
    tsRecent,
    signer,
  );
}
