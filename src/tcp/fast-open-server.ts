/**
 * The server's side of Fast Open: RFC 7413 4.1.2, 4.2. A SYN with a valid cookie opens the connection at once: the data is read, and
 * answered, while the handshake goes on. Names in brackets are of Linux's function for the same.
 */
import type { Chunk } from '../link/slab.ts';
import { ACK, FIN, OPT_FASTOPEN, OPT_TIMESTAMPS, RST, SYN, type TcpSegment } from '../wire/tcp.ts';
import { answersTooOften, outOfWindowAck } from './challenge-ack.ts';
import { REASON_RESET } from './close-reason.ts';
import type { ControlBlock } from './control-block.ts';
import type { Embryo } from './embryo.ts';
import { guessedSegment, RTO_AFTER_SYN_LOSS_US } from './established.ts';
import { FastOpen } from './fast-open.ts';
import { isCookieLength } from './fast-open-client.ts';
import { cookieFor, isCookie } from './fast-open-cookie.ts';
import { SERVER_COOKIE_NOT_REQUIRED, SERVER_ENABLE } from './fast-open-host.ts';
import type { FastOpenQueue } from './fast-open-queue.ts';
import { initReceiveWindow } from './receive-window.ts';
import { release } from './release.ts';
import { repeatSyn } from './repeat-syn.ts';
import { replyReset, segmentLength } from './reply.ts';
import { armRetransmission } from './sending-timer.ts';
import { after, afterOrAt, before } from './sequence.ts';
import { Traffic } from './traffic.ts';

/** The first SYN-ACK's time, ms; doubled for each that follows. RFC 6298 2.1. */
const SYN_ACK_TIME = 1000;

/** What a SYN comes to: whether it opens the connection, and what the SYN-ACK carries. */
export interface FastOpenAnswer {
  readonly opens: boolean;
  /** Undefined: no option. */
  readonly cookie: Uint8Array | undefined;
  readonly experimental: boolean;
}

const NOTHING: FastOpenAnswer = { opens: false, cookie: undefined, experimental: false };

/**
 * RFC 7413 4.2.2, server, receiving the SYN, steps 1 to 3 [tcp_try_fastopen].
 * @param view where the segment's bytes lie
 */
export function judgeSyn(embryo: Embryo, segment: TcpSegment, view: DataView, now: number): FastOpenAnswer {
  const { listener } = embryo;
  const { counters, config } = listener.context;
  // RFC 7413 4.1.1: "options with invalid Length values ... MUST be ignored".
  const asked = (segment.optionBits & OPT_FASTOPEN) !== 0 && isCookieLength(segment.fastOpenLength);
  if (!asked && segment.payloadLength === 0) return NOTHING;
  if (asked && segment.fastOpenLength === 0) counters.TCPFastOpenCookieReqd++;
  if ((config.tcp_fastopen & SERVER_ENABLE) === 0 || !hasRoom(listener.fastOpen, embryo, now)) return NOTHING;
  const free = (config.tcp_fastopen & SERVER_COOKIE_NOT_REQUIRED) !== 0;
  const { fastopenNoCookie } = embryo.path.metrics;
  if (free || listener.settings.fastOpen?.noCookie === true || fastopenNoCookie === true) {
    return { ...NOTHING, opens: true };
  }
  return asked ? judgeCookie(embryo, segment, view) : NOTHING;
}

/** RFC 7413 4.2: FastOpenEnabled, and PendingFastOpenRequests below the limit [tcp_fastopen_queue_check]. */
function hasRoom(queue: FastOpenQueue | undefined, { listener }: Embryo, now: number): boolean {
  if (queue === undefined || queue.most === 0) return false;
  if (queue.admits(now)) return true;
  listener.context.counters.TCPFastOpenListenOverflow++;
  return false;
}

/** RFC 7413 4.1.2: IsCookieValid, and GetCookie for who has none, or one of the old key. */
function judgeCookie(embryo: Embryo, segment: TcpSegment, view: DataView): FastOpenAnswer {
  const { listener, remote, local } = embryo;
  const { counters } = listener.context;
  const { fastOpenOffset: offset, fastOpenLength: length, fastOpenExperimental: experimental } = segment;
  const { primary, backup } = listener.settings.fastOpen?.keys ?? listener.context.fastOpen.keys;
  const cookie = cookieFor(primary, remote, local);
  if (length === 0) return { opens: false, cookie, experimental };
  if (isCookie(view, offset, length, cookie)) return { opens: true, cookie: undefined, experimental };
  if (backup !== undefined && isCookie(view, offset, length, cookieFor(backup, remote, local))) {
    counters.TCPFastOpenPassiveAltKey++;
    return { opens: true, cookie, experimental };
  }
  counters.TCPFastOpenPassiveFail++;
  return { opens: false, cookie, experimental };
}

/**
 * Step 4: buffers the data, and makes of a connection that has just hatched one that is open before its handshake is over; the SYN-ACK goes out
 * with the next flush [tcp_fastopen_create_child].
 */
export function openFast(
  connection: ControlBlock,
  queue: FastOpenQueue,
  { cookie, experimental }: FastOpenAnswer,
  segment: TcpSegment,
  chunk: Chunk,
  now: number,
): void {
  const { context } = connection;
  const state = new FastOpen();
  Object.assign(state, { child: true, queue, cookie, experimental });
  connection.fastOpen = state;
  queue.enter();
  context.counters.TCPFastOpenPassive++;
  // What the user writes follows the SYN-ACK; the SYN's window is not scaled (RFC 7323 2.2).
  connection.sndUna = connection.sndNxt;
  connection.sndWnd = segment.window;
  connection.maxSndWnd = segment.window;
  connection.sndWl1 = segment.seq;
  connection.sndWl2 = connection.sndUna;
  connection.sndSml = connection.sndUna;
  connection.cwndUsageSeq = connection.sndUna;
  connection.recover = connection.sndUna;
  connection.rtoUs = RTO_AFTER_SYN_LOSS_US;
  connection.seenMss = guessedSegment(connection);
  initReceiveWindow(connection);
  takeData(connection, state, segment, chunk, now);
  connection.synDue = true;
  armRetransmission(connection, now + SYN_ACK_TIME);
  context.markDirty(connection);
}

function takeData(connection: ControlBlock, state: FastOpen, segment: TcpSegment, chunk: Chunk, now: number): void {
  const { payloadOffset, payloadLength } = segment;
  if (payloadLength === 0) return;
  connection.receiveQueue.append(chunk, payloadOffset, payloadLength);
  connection.rcvNxt = (connection.rcvNxt + payloadLength) | 0;
  connection.rcvAdv = (connection.rcvAdv + payloadLength) | 0;
  connection.lastAckSent = connection.rcvNxt;
  connection.lastDataReceivedAt = now;
  connection.traffic = new Traffic();
  connection.traffic.dataSegsIn = 1;
  connection.traffic.bytesReceived = payloadLength;
  state.synDataAcked = true;
}

/**
 * SEGMENT ARRIVES while the handshake of such a connection goes on, before the steps of RFC 9293 3.10.7.4 [tcp_check_req].
 * @returns whether they are to be taken
 */
export function childArrives(connection: ControlBlock, state: FastOpen, segment: TcpSegment, now: number): boolean {
  const { flags, seq } = segment;
  const stamped = connection.timestampsOk && (segment.optionBits & OPT_TIMESTAMPS) !== 0;
  const old = stamped && before(segment.tsVal, connection.tsRecent);
  if (seq === connection.irs && (flags & (SYN | ACK | RST | FIN)) === SYN && !old) {
    answerAgain(connection, now);
    return false;
  }
  if (old || !inWindow(connection, segment)) {
    if ((flags & RST) === 0) outOfWindowAck(connection, segment, now);
    return false;
  }
  if ((flags & RST) !== 0) {
    // RFC 5961 3.2: only the exact number resets.
    if (seq !== connection.rcvNxt) {
      outOfWindowAck(connection, segment, now);
      return false;
    }
    // RFC 7413 5.1: its place stays taken for a while.
    if (state.accepted && state.queue !== undefined && !state.queue.closed) {
      state.queue.leaveReset(now);
      state.queue = undefined;
    }
    release(connection, REASON_RESET, now);
    return false;
  }
  if ((flags & SYN) !== 0 && seq !== connection.irs) {
    // The peer knows nothing of the connection; whoever forges this does not end it (Linux).
    connection.context.counters.AttemptFails++;
    replyReset(connection.context, connection.path, segment, connection.signer);
    return false;
  }
  return (flags & ACK) !== 0;
}

function inWindow(connection: ControlBlock, segment: TcpSegment): boolean {
  const { rcvNxt, rcvAdv } = connection;
  const end = (segment.seq + segmentLength(segment)) | 0;
  if (segment.seq === rcvNxt) return true;
  if (after(end, rcvNxt) && before(segment.seq, rcvAdv)) return true;
  return segment.seq === rcvAdv && end === rcvAdv;
}

/** The peer repeats its SYN. */
function answerAgain(connection: ControlBlock, now: number): void {
  if (answersTooOften(connection, now)) connection.context.counters.TCPACKSkippedSynRecv++;
  else repeatSyn(connection);
}

/**
 * The SYN-ACK's time is over: RFC 7413 4.2.2, "the server SHOULD retransmit a SYN-ACK segment with neither data nor Fast Open options"; nothing else
 * is sent again before it is answered. One more than tcp_synack_retries [tcp_fastopen_synack_timer].
 * @returns false: there have been enough
 */
export function synAckTimeout(connection: ControlBlock, now: number): boolean {
  const { context, settings } = connection;
  const { config, counters } = context;
  counters.TCPTimeouts++;
  const most = settings.rare.synCount || config.tcp_synack_retries + 1;
  if (connection.retransmits >= most) return false;
  connection.retransmits++;
  repeatSyn(connection);
  armRetransmission(connection, now + SYN_ACK_TIME * 2 ** connection.retransmits);
  return true;
}

/** RFC 7413 4.2.2, server, receiving the ACK: whether it acknowledges the SYN-ACK, and perhaps what was sent behind it. */
export function completesHandshake({ sndUna, sndNxt }: ControlBlock, { ack }: TcpSegment): boolean {
  return afterOrAt(ack, sndUna) && !after(ack, sndNxt);
}

/** PendingFastOpenRequests goes down: the handshake is over, or the connection is. */
export function leaveQueue(state: FastOpen): void {
  state.queue?.leave();
  state.queue = undefined;
}
