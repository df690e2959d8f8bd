/** TIME-WAIT as a record: a few numbers stand in the connection's place for 2 MSL. RFC 9293 3.6.1, 3.10.7.4; RFC 1337, RFC 6191. */
import type { IpAddress } from '../wire/address.ts';
import { ACK, FIN, OPT_TIMESTAMPS, RST, SYN, type TcpSegment } from '../wire/tcp.ts';
import type { TcpContext } from './context.ts';
import { type ControlBlock, KIND_TIME_WAIT } from './control-block.ts';
import type { Path } from './path.ts';
import { currentWindow } from './receive-window.ts';
import { release } from './release.ts';
import { replySegment, segmentLength } from './reply.ts';
import { after, afterOrAt, before, beforeOrAt, distance } from './sequence.ts';
import { TIME_WAIT } from './state.ts';
import { LINGER } from './timer-kinds.ts';

export class TimeWaitRecord {
  readonly kind = KIND_TIME_WAIT;
  readonly context: TcpContext;
  readonly path: Path;
  readonly local: IpAddress;
  readonly localPort: number;
  readonly remote: IpAddress;
  readonly remotePort: number;
  readonly sndNxt: number;
  readonly rcvNxt: number;
  readonly window: number;
  readonly windowShift: number;
  readonly timestampsOk: boolean;
  readonly tsOffset: number;
  tsRecent: number;
  readonly timerRow: number;
  ackedAt = -Infinity;

  constructor(connection: ControlBlock) {
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
    this.timerRow = this.context.idleTimers.allocate();
    this.context.idleTimerOwners[this.timerRow] = this;
  }
}

/** RFC 9293 3.6.1 [MUST-13]: both FINs are exchanged and ours was first: the connection becomes a record. */
export function enterTimeWait(connection: ControlBlock, reason: number, now: number): void {
  const { context } = connection;
  connection.setState(TIME_WAIT, now);
  const record = new TimeWaitRecord(connection);
  restart(record, now);
  release(connection, reason, now);
  context.hooks.insert(record);
}

/** 2 MSL are over. */
export function expireTimeWait(record: TimeWaitRecord): void {
  record.context.counters.TW++;
  removeTimeWait(record);
}

export function removeTimeWait(record: TimeWaitRecord): void {
  const { context } = record;
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
  const { context } = record;
  const { flags, seq } = segment;
  const stamped = record.timestampsOk && (segment.optionBits & OPT_TIMESTAMPS) !== 0;
  const old = stamped && before(segment.tsVal, record.tsRecent);
  if (listened && isNewIncarnation(record, segment, stamped)) {
    context.counters.TWRecycled++;
    removeTimeWait(record);
    return true;
  }
  const end = (seq + segmentLength(segment)) | 0;
  const acceptable = afterOrAt(end, record.rcvNxt) && beforeOrAt(seq, (record.rcvNxt + record.window) | 0);
  if ((flags & RST) !== 0) {
    // RFC 1337 3, fix F1: a RST does not end TIME-WAIT; Linux follows only when told to.
    if (!old && acceptable && seq === record.rcvNxt && !context.config.tcp_rfc1337) removeTimeWait(record);
    return false;
  }
  if (!old && acceptable && (flags & FIN) !== 0 && (flags & SYN) === 0) {
    // RFC 9293 3.10.7.4: a retransmission of the remote FIN: acknowledge it, and restart the 2 MSL timeout.
    restart(record, now);
    acknowledge(record, now);
    return false;
  }
  if (!old && acceptable && stamped) record.tsRecent = segment.tsVal;
  if (segmentLength(segment) > 0 || !acceptable || old) limitedAcknowledge(record, now);
  return false;
}

/**
 * RFC 9293 3.6.1 [MAY-2]: a SYN beyond the old connection's numbers. [SHLD-4], RFC 6191 2: or with a later timestamp.
 */
function isNewIncarnation(record: TimeWaitRecord, segment: TcpSegment, stamped: boolean): boolean {
  if ((segment.flags & (SYN | RST | ACK)) !== SYN) return false;
  if (stamped && distance(record.tsRecent, segment.tsVal) > 0) return true;
  if (stamped && before(segment.tsVal, record.tsRecent)) return false;
  return after(segment.seq, record.rcvNxt);
}

/** The first number that a new connection in the record's place may start from (Linux: beyond any window of the old one). */
export function issAfter(record: TimeWaitRecord): number {
  return (record.sndNxt + 65_535 + 2) | 0;
}

function restart(record: TimeWaitRecord, now: number): void {
  const { context } = record;
  context.idleTimers.set(record.timerRow, LINGER, now + context.config.tcp_timewait_len * 1000);
}

function limitedAcknowledge(record: TimeWaitRecord, now: number): void {
  if (now - record.ackedAt < record.context.config.tcp_invalid_ratelimit) {
    record.context.counters.TCPACKSkippedTimeWait++;
    return;
  }
  record.ackedAt = now;
  acknowledge(record, now);
}

function acknowledge(record: TimeWaitRecord, now: number): void {
  const { context, path, localPort, remotePort, sndNxt, rcvNxt, timestampsOk, tsRecent } = record;
  const window = Math.min(Math.floor(record.window / 2 ** record.windowShift), 65_535);
  const tsVal = (Math.floor(now) + record.tsOffset) | 0;
  replySegment(context, path, localPort, remotePort, sndNxt, rcvNxt, ACK, window, timestampsOk, tsVal, tsRecent);
}
