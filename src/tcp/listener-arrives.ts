/** SEGMENT ARRIVES on the passive side: RFC 9293 3.10.7.2 (LISTEN), and SYN-RECEIVED until the connection is made. */
import type { Chunk } from '../link/slab.ts';
import type { IpAddress } from '../wire/address.ts';
import {
  ACK,
  FIN,
  OPT_AO,
  OPT_MD5,
  OPT_MSS,
  OPT_SACK_PERMITTED,
  OPT_TIMESTAMPS,
  OPT_WSCALE,
  RST,
  SYN,
  type TcpSegment,
} from '../wire/tcp.ts';
import type { Endpoints } from './ao.ts';
import { segmentArrives } from './arrives.ts';
import { ControlBlock } from './control-block.ts';
import { grantEcn, hatchEcn, regrantEcn, repeatedSynEcn } from './ecn-handshake.ts';
import {
  acknowledgeEmbryo,
  answerAgain,
  Embryo,
  queueEmbryo,
  removeEmbryo,
  sendSynAck,
  synAckWindow,
  transmitSynAck,
} from './embryo.ts';
import type { FastOpenQueue } from './fast-open-queue.ts';
import { type FastOpenAnswer, judgeSyn, openFast } from './fast-open-server.ts';
import type { Listener } from './listener.ts';
import { advertisedMss, boundedMss, defaultMss, syncMss } from './mss.ts';
import type { Path } from './path.ts';
import { boundWindow, initialWindow, MAX_WINDOW_SHIFT, offeredShift } from './receive-window.ts';
import { recoveryOf } from './recovery-state.ts';
import { replyReset, segmentLength } from './reply.ts';
import { inheritKeys, keysAreLeft, signerForStray, signerForSyn } from './segment-keys.ts';
import { before, beforeOrAt, distance, isWithin } from './sequence.ts';
import { SYN_RECEIVED } from './state.ts';
import { COOKIE_VALID, cookieEcn, cookieSack, cookieTimestamp, cookieWindowShift } from './syn-cookies.ts';
import { TIMESTAMPS_LENGTH } from './transmit.ts';

/** Where a segment came from, for those who must remember it. */
export interface Arrival {
  readonly local: IpAddress;
  readonly remote: IpAddress;
  /** A path of its own for a new connection; undefined when there is no way back. */
  makePath(): Path | undefined;
  /** A copy of the segment's headers, IP's and TCP's. */
  headers(segment: TcpSegment): Uint8Array;
  /** The way back for a single answer. */
  readonly replyPath: Path;
}

/**
 * SEGMENT ARRIVES in LISTEN.
 * @param chunk where the segment's bytes lie
 * @param iss the initial send sequence number to use, when a TIME-WAIT record was in the way; undefined: as usual
 */
export function listenerArrives(
  listener: Listener,
  segment: TcpSegment,
  chunk: Chunk,
  arrival: Arrival,
  iss: number | undefined,
  now: number,
): void {
  const { context } = listener;
  // First, check for a RST. Second, for an ACK: "any acknowledgment is bad if it arrives on a connection still in the LISTEN state".
  if ((segment.flags & RST) !== 0) return;
  // RFC 4987 3.6: unless it acknowledges a cookie.
  if ((segment.flags & ACK) !== 0) {
    if (!cookieArrives(listener, segment, chunk, arrival, now)) resetStray(listener, segment, arrival);
    return;
  }
  // Third, check for a SYN. A SYN with a FIN is no way to begin (Linux drops it).
  if ((segment.flags & (SYN | FIN)) !== SYN) return;
  // After a TIME-WAIT the peer is evidently there: it needs no cookie (Linux).
  const cookie = iss === undefined && needsCookie(listener);
  if (drops(listener, cookie, iss)) {
    context.counters.ListenDrops++;
    return;
  }
  const path = arrival.makePath();
  if (path === undefined) return;
  const embryo = makeEmbryo(listener, segment, path, arrival, iss, now);
  if (listener.settings.rare.saveSyn !== 0) embryo.savedSyn = arrival.headers(segment);
  leaveRoom(embryo, segment, cookie);
  if (cookie) return sendCookie(embryo, segment, now);
  if (!signAs(embryo, segment)) return;
  const fast = judgeSyn(embryo, segment, chunk.view, now);
  if (fast.opens) return openAtOnce(embryo, fast, segment, chunk, now);
  queueEmbryo(embryo);
  sendSynAck(embryo, now, fast);
}

/** RFC 7413 4.2.2, server, steps 4 to 6: the connection goes into the accept queue before its handshake is over. */
function openAtOnce(embryo: Embryo, answer: FastOpenAnswer, segment: TcpSegment, chunk: Chunk, now: number): void {
  const { listener } = embryo;
  const { context } = listener;
  const connection = hatch(embryo, now);
  context.hooks.insert(connection);
  context.counters.PassiveOpens++;
  openFast(connection, listener.fastOpen as FastOpenQueue, answer, segment, chunk, now);
  listener.enqueue(connection);
}

/** The SYN queue is full, or has none: the SYN is answered with a cookie, or not at all. */
function needsCookie(listener: Listener): boolean {
  if (listener.single) return false;
  return listener.context.config.tcp_syncookies === 2 || listener.synQueueFull;
}

/** Whether there is no room for the SYN. */
function drops(listener: Listener, cookie: boolean, iss: number | undefined): boolean {
  const { config, counters } = listener.context;
  if (cookie) {
    if (config.tcp_syncookies === 0) {
      counters.TCPReqQFullDrop++;
      return true;
    }
    counters.TCPReqQFullDoCookies++;
  }
  if (listener.full) {
    counters.ListenOverflows++;
    return true;
  }
  // Linux: without cookies the last quarter is for peers that are known; here none is.
  const most = config.tcp_max_syn_backlog;
  return config.tcp_syncookies === 0 && iss === undefined && most - listener.embryos.size < most >> 2;
}

/** RFC 4987 3.6: the SYN-ACK takes all that there is to remember with it. */
function sendCookie(embryo: Embryo, segment: TcpSegment, now: number): void {
  const { listener, irs, peerMss } = embryo;
  const { cookies, counters } = listener.context;
  if (!embryo.timestampsOk) {
    // There is nowhere to put them.
    embryo.sackOk = false;
    embryo.windowScaleOk = false;
    embryo.ecnMode = 0;
  }
  embryo.iss = cookies.make(embryo, irs, peerMss, now);
  if (!signAs(embryo, segment)) return;
  listener.cookieSentAt = now;
  counters.SyncookiesSent++;
  const shift = embryo.windowScaleOk ? embryo.sndWindShift : -1;
  transmitSynAck(embryo, (cookieTimestamp(shift, embryo.sackOk, embryo.ecnMode !== 0, now) + embryo.tsOffset) | 0);
}

/**
 * An ACK that no connection waits for: perhaps it brings a cookie back.
 * @returns false: it does not
 */
function cookieArrives(listener: Listener, segment: TcpSegment, chunk: Chunk, arrival: Arrival, now: number): boolean {
  const { context } = listener;
  if ((segment.flags & SYN) !== 0 || context.config.tcp_syncookies === 0) return false;
  if (now - listener.cookieSentAt > COOKIE_VALID) return false;
  const ends = endsOf(segment, arrival);
  const [iss, irs] = [(segment.ack - 1) | 0, (segment.seq - 1) | 0];
  const mss = context.cookies.check(ends, irs, iss, now);
  if (mss === 0) {
    context.counters.SyncookiesFailed++;
    return false;
  }
  context.counters.SyncookiesRecv++;
  const path = arrival.makePath();
  if (path === undefined) return true;
  const embryo = makeEmbryo(listener, segment, path, arrival, iss, now);
  embryo.irs = irs;
  embryo.peerMss = mss;
  embryo.openedAt = -1;
  const signer = signerForStray(context, listener.settings.keys, segment, ends);
  if (signer === 'none') return true;
  embryo.signer = signer;
  // What is off by now cannot have been offered: it is no cookie of ours after all; dropped, as on Linux.
  if (takeCookieOptions(embryo, segment)) establish(embryo, segment, chunk, now);
  return true;
}

/** What the timestamp says that the SYN offered. @returns false when we would not have taken it up */
function takeCookieOptions(embryo: Embryo, segment: TcpSegment): boolean {
  const { config } = embryo.listener.context;
  const stamped = (segment.optionBits & OPT_TIMESTAMPS) !== 0;
  if (stamped && !config.tcp_timestamps) return false;
  const stamp = (segment.tsEcr - embryo.tsOffset) | 0;
  const shift = stamped ? cookieWindowShift(stamp) : -1;
  embryo.sackOk = stamped && cookieSack(stamp);
  regrantEcn(embryo, segment, stamped && cookieEcn(stamp));
  embryo.windowScaleOk = shift >= 0;
  embryo.sndWindShift = Math.max(shift, 0);
  if (!embryo.windowScaleOk) embryo.rcvWindShift = 0;
  else embryo.rcvWindShift = offeredShift(embryo.listener.settings, config, embryo.path.metrics);
  return (!embryo.sackOk || config.tcp_sack) && (!embryo.windowScaleOk || config.tcp_window_scaling);
}

/** Both ends of a segment that has no connection. */
function endsOf({ destinationPort, sourcePort }: TcpSegment, { local, remote }: Arrival): Endpoints {
  return { local, localPort: destinationPort, remote, remotePort: sourcePort };
}

/** The reset for a segment that a listener cannot use; none, when it would have to be signed and cannot be. */
function resetStray({ context, settings }: Listener, segment: TcpSegment, arrival: Arrival): void {
  const signer = signerForStray(context, settings.keys, segment, endsOf(segment, arrival));
  if (signer !== 'none') replyReset(context, arrival.replyPath, segment, signer);
}

/** Linux: SACK is worth more than timestamps where a signature leaves no room for both; but a cookie is lost without them. */
function leaveRoom(embryo: Embryo, { optionBits }: TcpSegment, cookie: boolean): void {
  if (embryo.listener.context.hasher === undefined) return;
  const crowding = cookie ? OPT_AO : OPT_AO | OPT_MD5;
  if ((optionBits & crowding) !== 0 && embryo.sackOk) embryo.timestampsOk = false;
}

/** As the SYN was signed, or not. @returns false when it asks for a key that there is not */
function signAs(embryo: Embryo, segment: TcpSegment): boolean {
  const { listener, iss } = embryo;
  const signer = signerForSyn(listener.context, listener.settings.keys, segment, embryo, iss);
  if (signer === 'none') return false;
  embryo.signer = signer;
  return true;
}

function makeEmbryo(
  listener: Listener,
  segment: TcpSegment,
  path: Path,
  arrival: Arrival,
  iss: number | undefined,
  now: number,
): Embryo {
  const { config, numbers } = listener.context;
  const { settings } = listener;
  const { local, remote } = arrival;
  const { destinationPort, sourcePort, optionBits } = segment;
  const embryo = new Embryo(listener, path, local, destinationPort, remote, sourcePort);
  embryo.openedAt = now;
  embryo.irs = segment.seq;
  embryo.iss = iss ?? numbers.isn(local, destinationPort, remote, sourcePort, now);
  const peerMss = (optionBits & OPT_MSS) !== 0 ? segment.mss : defaultMss(path.headerLength);
  embryo.peerMss = boundedMss(peerMss, settings.rare.maxSegment);
  embryo.sackOk = config.tcp_sack && (optionBits & OPT_SACK_PERMITTED) !== 0;
  embryo.timestampsOk = config.tcp_timestamps && (optionBits & OPT_TIMESTAMPS) !== 0;
  if (embryo.timestampsOk) embryo.tsRecent = segment.tsVal;
  embryo.tsOffset = numbers.timestampOffset(local, remote);
  embryo.windowScaleOk = config.tcp_window_scaling && (optionBits & OPT_WSCALE) !== 0;
  if (embryo.windowScaleOk) {
    // RFC 7323 2.3: more than 14 is taken for 14.
    embryo.sndWindShift = Math.min(segment.windowScale, MAX_WINDOW_SHIFT);
    embryo.rcvWindShift = offeredShift(settings, config, path.metrics);
  }
  grantEcn(embryo, segment);
  embryo.rcvMss = advertisedMss(path, settings.rare.maxSegment, config.min_adv_mss);
  // Of segments as they will be, with timestamps.
  const segmentSize = embryo.rcvMss - (embryo.timestampsOk ? TIMESTAMPS_LENGTH : 0);
  embryo.window = initialWindow(settings, segmentSize, path.metrics);
  return embryo;
}

/**
 * SEGMENT ARRIVES in SYN-RECEIVED, for a passive open.
 */
export function embryoArrives(embryo: Embryo, segment: TcpSegment, chunk: Chunk, now: number): void {
  const { listener, irs } = embryo;
  const { counters } = listener.context;
  const { flags, seq } = segment;
  const rcvNxt = (irs + 1) | 0;
  const stamped = embryo.timestampsOk && (segment.optionBits & OPT_TIMESTAMPS) !== 0;
  const old = stamped && before(segment.tsVal, embryo.tsRecent);
  // The SYN again: our answer was lost.
  if (seq === irs && (flags & (SYN | ACK | RST)) === SYN && !old) {
    repeatedSynEcn(embryo, segment);
    return answerAgain(embryo, now);
  }
  // The ACK field, which is the fifth check, comes first, as on Linux: what acknowledges something else is not of this handshake. But a RST is one.
  if ((flags & (ACK | RST)) === ACK && segment.ack !== ((embryo.iss + 1) | 0)) {
    return replyReset(listener.context, embryo.path, segment, embryo.signer);
  }
  // First, the sequence number; the window of a SYN-ACK is not scaled.
  const end = (seq + segmentLength(segment)) | 0;
  const foreign = stamped && segment.tsEcr !== 0 && !echoes(embryo, segment.tsEcr);
  if (old || foreign || !isWithin(seq, end, rcvNxt, (rcvNxt + synAckWindow(embryo)) | 0)) {
    if ((flags & RST) === 0) acknowledgeEmbryo(embryo, now);
    if (old) counters.PAWSEstab++;
    else if (foreign) counters.TSEcrRejected++;
    return;
  }
  if (stamped && beforeOrAt(seq, rcvNxt)) embryo.tsRecent = segment.tsVal;
  // Second, the RST bit: back to LISTEN. RFC 5961 3.2: only with the exact number.
  if ((flags & RST) !== 0) {
    if (seq !== rcvNxt) return acknowledgeEmbryo(embryo, now);
    return resetEmbryo(embryo);
  }
  // Fourth, the SYN bit: with a passive open, return to LISTEN.
  if ((flags & SYN) !== 0 && seq !== irs) return resetEmbryo(embryo);
  // Fifth, the ACK field.
  if ((flags & ACK) === 0) return;
  if (end === rcvNxt && embryo.timeouts < listener.settings.rare.deferAccept) {
    // TCP_DEFER_ACCEPT: the connection is made when data comes.
    embryo.acknowledged = true;
    counters.TCPDeferAcceptDrop++;
    return;
  }
  establish(embryo, segment, chunk, now);
}

/** Whether a SYN-ACK of ours had that timestamp, or one between the first and the last (Linux, since 6.15). */
function echoes(embryo: Embryo, tsEcr: number): boolean {
  return distance(embryo.firstStamp, tsEcr) >= 0 && distance(tsEcr, embryo.lastStamp) >= 0;
}

function resetEmbryo(embryo: Embryo): void {
  const { counters } = embryo.listener.context;
  counters.AttemptFails++;
  counters.EmbryonicRsts++;
  removeEmbryo(embryo);
}

/** The three-way handshake is done: the embryo becomes a connection in the accept queue, and the segment is its first. */
function establish(embryo: Embryo, segment: TcpSegment, chunk: Chunk, now: number): void {
  const { listener } = embryo;
  const { context } = listener;
  if (listener.full) {
    // Linux: the ACK is dropped, as if it had been lost; the SYN-ACK goes again, and perhaps there is room then.
    context.counters.ListenOverflows++;
    context.counters.ListenDrops++;
    embryo.acknowledged = true;
    // Of a cookie nothing is left that could be reset.
    if (!context.config.tcp_abort_on_overflow || embryo.timerRow < 0) return;
    replyReset(context, embryo.path, segment, embryo.signer);
    return removeEmbryo(embryo);
  }
  // RFC 5925 7.5: what began signed does not go on unsigned.
  if (!keysAreLeft(listener.settings.keys, embryo)) return;
  const connection = hatch(embryo, now);
  removeEmbryo(embryo);
  context.hooks.insert(connection);
  context.counters.PassiveOpens++;
  segmentArrives(connection, segment, chunk, now);
  listener.enqueue(connection);
}

/** The timer of the SYN-ACK is the connection's, for TCP_INFO; as on Linux its time is from the first SYN. */
function noteTimeouts(connection: ControlBlock, { timeouts, openedAt }: Embryo, now: number): void {
  const recovery = recoveryOf(connection);
  recovery.timeouts = timeouts;
  recovery.timeoutRows = 1;
  recovery.timeoutTime = now - openedAt;
}

function hatch(embryo: Embryo, now: number): ControlBlock {
  const { listener, path, local, localPort, remote, remotePort, iss, irs } = embryo;
  const settings = listener.settings.clone();
  if (settings.rare.deferAccept > 0) settings.rarely.deferAccept = 0;
  if (embryo.savedSyn !== undefined) settings.rarely.savedSyn = embryo.savedSyn;
  const connection = new ControlBlock(listener.context, path, local, localPort, remote, remotePort, settings);
  connection.iss = iss;
  connection.sndUna = iss;
  connection.sndNxt = (iss + 1) | 0;
  connection.sndUp = iss;
  connection.sendQueue.base = (iss + 1) | 0;
  connection.irs = irs;
  connection.rcvNxt = (irs + 1) | 0;
  connection.rcvAdv = (connection.rcvNxt + embryo.window) | 0;
  connection.lastAckSent = connection.rcvNxt;
  connection.peerMss = embryo.peerMss;
  connection.rcvMss = embryo.rcvMss;
  connection.sackOk = embryo.sackOk;
  connection.timestampsOk = embryo.timestampsOk;
  connection.windowScaleOk = embryo.windowScaleOk;
  connection.sndWindShift = embryo.sndWindShift;
  connection.rcvWindShift = embryo.rcvWindShift;
  boundWindow(connection);
  connection.tsRecent = embryo.tsRecent;
  connection.tsRecentAt = Math.floor(now / 1000);
  connection.tsOffset = embryo.tsOffset;
  connection.openedAt = embryo.openedAt;
  connection.retransmits = embryo.retransmits;
  // The SYN.
  connection.segsIn = 1;
  if (embryo.timeouts > 0) noteTimeouts(connection, embryo, now);
  connection.lastReceivedAt = now;
  inheritKeys(connection, listener.settings.keys, embryo.signer);
  hatchEcn(embryo, connection);
  syncMss(connection);
  connection.setState(SYN_RECEIVED, now);
  return connection;
}
