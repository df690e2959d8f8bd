/** SEGMENT ARRIVES on the passive side: RFC 9293 3.10.7.2 (LISTEN), and SYN-RECEIVED until the connection is made. */
import type { Chunk } from '../link/slab.ts';
import type { IpAddress } from '../wire/address.ts';
import {
  ACK,
  FIN,
  OPT_MSS,
  OPT_SACK_PERMITTED,
  OPT_TIMESTAMPS,
  OPT_WSCALE,
  RST,
  SYN,
  type TcpSegment,
} from '../wire/tcp.ts';
import { segmentArrives } from './arrives.ts';
import { ControlBlock } from './control-block.ts';
import { acknowledgeEmbryo, answerAgain, Embryo, removeEmbryo, sendSynAck } from './embryo.ts';
import type { Listener } from './listener.ts';
import { advertisedMss, boundedMss, defaultMss, syncMss } from './mss.ts';
import type { Path } from './path.ts';
import { MAX_WINDOW_SHIFT, windowShiftFor } from './receive-window.ts';
import { replyReset, segmentLength } from './reply.ts';
import { after, before, beforeOrAt } from './sequence.ts';
import { SYN_RECEIVED } from './state.ts';
import { initialWindow } from './transmit.ts';

/** Where a segment came from, for those who must remember it. */
export interface Arrival {
  readonly local: IpAddress;
  readonly remote: IpAddress;
  /** A path of its own for a new connection; undefined when there is no way back. */
  makePath(): Path | undefined;
  /** The way back for a single answer. */
  readonly replyPath: Path;
}

/**
 * SEGMENT ARRIVES in LISTEN.
 * @param iss the initial send sequence number to use, when a TIME-WAIT record was in the way; undefined: as usual
 */
export function listenerArrives(
  listener: Listener,
  segment: TcpSegment,
  arrival: Arrival,
  iss: number | undefined,
  now: number,
): void {
  const { context } = listener;
  // First, check for a RST. Second, for an ACK: "any acknowledgment is bad if it arrives on a connection still in the LISTEN state".
  if ((segment.flags & RST) !== 0) return;
  if ((segment.flags & ACK) !== 0) return replyReset(context, arrival.replyPath, segment);
  // Third, check for a SYN. A SYN with a FIN is no way to begin (Linux drops it).
  if ((segment.flags & (SYN | FIN)) !== SYN) return;
  if (listener.full) {
    context.counters.ListenOverflows++;
    context.counters.ListenDrops++;
    return;
  }
  if (listener.embryos.size >= context.config.tcp_max_syn_backlog) {
    context.counters.TCPReqQFullDrop++;
    context.counters.ListenDrops++;
    return;
  }
  const path = arrival.makePath();
  if (path === undefined) return;
  const embryo = makeEmbryo(listener, segment, path, arrival, iss, now);
  listener.embryos.add(embryo);
  context.hooks.insert(embryo);
  sendSynAck(embryo, now);
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
  embryo.peerMss = boundedMss(peerMss, settings.maxSegment);
  embryo.sackOk = config.tcp_sack && (optionBits & OPT_SACK_PERMITTED) !== 0;
  embryo.timestampsOk = config.tcp_timestamps && (optionBits & OPT_TIMESTAMPS) !== 0;
  if (embryo.timestampsOk) embryo.tsRecent = segment.tsVal;
  embryo.tsOffset = numbers.timestampOffset(local, remote);
  embryo.windowScaleOk = config.tcp_window_scaling && (optionBits & OPT_WSCALE) !== 0;
  if (embryo.windowScaleOk) {
    // RFC 7323 2.3: more than 14 is taken for 14.
    embryo.sndWindShift = Math.min(segment.windowScale, MAX_WINDOW_SHIFT);
    embryo.rcvWindShift = windowShiftFor(Math.max(settings.rcvBuf, config.tcp_rmem[2]));
  }
  embryo.rcvMss = advertisedMss(path, settings.maxSegment, config.min_adv_mss);
  embryo.window = initialWindow(settings.rcvBuf, embryo.rcvMss);
  return embryo;
}

/**
 * SEGMENT ARRIVES in SYN-RECEIVED, for a passive open.
 */
export function embryoArrives(embryo: Embryo, segment: TcpSegment, chunk: Chunk, now: number): void {
  const { listener } = embryo;
  const { flags, seq } = segment;
  const rcvNxt = (embryo.irs + 1) | 0;
  const stamped = embryo.timestampsOk && (segment.optionBits & OPT_TIMESTAMPS) !== 0;
  const old = stamped && before(segment.tsVal, embryo.tsRecent);
  if (seq === embryo.irs && (flags & (SYN | ACK | RST)) === SYN) {
    // The SYN again: our answer was lost.
    if (!old) answerAgain(embryo, now);
    return;
  }
  // First, the sequence number; the window of a SYN-ACK is not scaled.
  const end = (seq + segmentLength(segment)) | 0;
  const outside = before(end, rcvNxt) || after(seq, (rcvNxt + embryo.window) | 0);
  if (outside || old) {
    if ((flags & RST) === 0) acknowledgeEmbryo(embryo, now);
    return;
  }
  if (stamped && beforeOrAt(seq, rcvNxt)) embryo.tsRecent = segment.tsVal;
  // Second, the RST bit: back to LISTEN. RFC 5961 3.2: only with the exact number.
  if ((flags & RST) !== 0) {
    if (seq !== rcvNxt) return acknowledgeEmbryo(embryo, now);
    listener.context.counters.AttemptFails++;
    return removeEmbryo(embryo);
  }
  // Fourth, the SYN bit: with a passive open, return to LISTEN.
  if ((flags & SYN) !== 0) {
    listener.context.counters.AttemptFails++;
    return removeEmbryo(embryo);
  }
  // Fifth, the ACK field.
  if ((flags & ACK) === 0) return;
  if (segment.ack !== ((embryo.iss + 1) | 0)) return replyReset(listener.context, embryo.path, segment);
  establish(embryo, segment, chunk, now);
}

/** The three-way handshake is done: the embryo becomes a connection in the accept queue, and the segment is its first. */
function establish(embryo: Embryo, segment: TcpSegment, chunk: Chunk, now: number): void {
  const { listener } = embryo;
  const { context } = listener;
  if (listener.full) {
    // Linux: the ACK is dropped, as if it had been lost; the SYN-ACK goes again, and perhaps there is room then.
    context.counters.ListenOverflows++;
    context.counters.ListenDrops++;
    if (!context.config.tcp_abort_on_overflow) return;
    replyReset(context, embryo.path, segment);
    return removeEmbryo(embryo);
  }
  const connection = hatch(embryo, now);
  removeEmbryo(embryo);
  context.hooks.insert(connection);
  context.counters.PassiveOpens++;
  segmentArrives(connection, segment, chunk, now);
  listener.enqueue(connection);
}

function hatch(embryo: Embryo, now: number): ControlBlock {
  const { listener, path, local, localPort, remote, remotePort, iss, irs } = embryo;
  const settings = listener.settings.clone();
  const connection = new ControlBlock(listener.context, path, local, localPort, remote, remotePort, settings);
  connection.iss = iss;
  connection.sndUna = iss;
  connection.sndNxt = (iss + 1) | 0;
  connection.sndUp = iss;
  connection.sendQueue.base = (iss + 1) | 0;
  connection.irs = irs;
  connection.rcvNxt = (irs + 1) | 0;
  connection.rcvUp = connection.rcvNxt;
  connection.rcvAdv = (connection.rcvNxt + embryo.window) | 0;
  connection.lastAckSent = connection.rcvNxt;
  connection.peerMss = embryo.peerMss;
  connection.rcvMss = embryo.rcvMss;
  connection.sackOk = embryo.sackOk;
  connection.timestampsOk = embryo.timestampsOk;
  connection.windowScaleOk = embryo.windowScaleOk;
  connection.sndWindShift = embryo.sndWindShift;
  connection.rcvWindShift = embryo.rcvWindShift;
  connection.tsRecent = embryo.tsRecent;
  connection.tsRecentAt = Math.floor(now / 1000);
  connection.tsOffset = embryo.tsOffset;
  connection.openedAt = embryo.openedAt;
  connection.retransmits = embryo.retransmits;
  connection.lastReceivedAt = now;
  syncMss(connection);
  connection.setState(SYN_RECEIVED, now);
  return connection;
}
