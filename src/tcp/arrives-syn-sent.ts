/** SEGMENT ARRIVES in SYN-SENT: RFC 9293 3.10.7.3. */
import type { Chunk } from '../link/slab.ts';
import {
  ACK,
  OPT_MSS,
  OPT_SACK_PERMITTED,
  OPT_TIMESTAMPS,
  OPT_WSCALE,
  RST,
  SYN,
  type TcpSegment,
} from '../wire/tcp.ts';
import { REASON_REFUSED } from './close-reason.ts';
import type { ControlBlock } from './control-block.ts';
import { enterQuickAck, inPingpong, MAX_QUICK_ACKS } from './delayed-ack.ts';
import { takeSynAckEcn, takeSynEcn } from './ecn-handshake.ts';
import { becomeEstablished } from './established.ts';
import { synAckArrives } from './fast-open-client.ts';
import { boundedMss, defaultMss, syncMss } from './mss.ts';
import { startProbing } from './mtu-probing.ts';
import { boundWindow, MAX_WINDOW_SHIFT } from './receive-window.ts';
import { release } from './release.ts';
import { replyReset } from './reply.ts';
import { after, beforeOrAt, distance } from './sequence.ts';
import { SYN_RECEIVED } from './state.ts';
import { DELAYED_ACK, RETRANSMISSION, TIMEOUT_MIN } from './timer-kinds.ts';
import { timestampNow } from './transmit.ts';

/** @returns whether the connection is open now, and the segment may hold more than its SYN */
export function synSentArrives(connection: ControlBlock, segment: TcpSegment, chunk: Chunk, now: number): boolean {
  const { flags } = segment;
  const hasAck = (flags & ACK) !== 0;
  // First, check the ACK bit: SEG.ACK =< ISS or SEG.ACK > SND.NXT: a reset, unless it is one.
  if (hasAck && (beforeOrAt(segment.ack, connection.iss) || after(segment.ack, connection.sndNxt))) {
    replyReset(connection.context, connection.path, segment, connection.signer);
    // The reset may have ended what was in the way (a TIME-WAIT, for one): Linux tries again at once, the first time.
    if (connection.retransmits === 0) connection.setTimer(RETRANSMISSION, now + TIMEOUT_MIN);
    return false;
  }
  if (hasAck && !echoesOurSyn(connection, segment, now)) {
    connection.context.counters.PAWSActive++;
    replyReset(connection.context, connection.path, segment, connection.signer);
    return false;
  }
  // Second, check the RST bit. Without an acceptable ACK it may be anyone's (RFC 5961 3): dropped.
  if ((flags & RST) !== 0) {
    if (hasAck) release(connection, REASON_REFUSED, now);
    return false;
  }
  // Fourth, check the SYN bit.
  if ((flags & SYN) === 0) return false;
  connection.irs = segment.seq;
  const offered = distance(connection.rcvNxt, connection.rcvAdv);
  connection.rcvNxt = (segment.seq + 1) | 0;
  connection.rcvAdv = (connection.rcvNxt + offered) | 0;
  connection.lastAckSent = connection.rcvNxt;
  connection.signer?.peerStartsAt(segment.seq);
  takeOptions(connection, segment, now);
  if (hasAck) {
    takeSynAckEcn(connection, segment);
    becomeEstablished(connection, segment, now);
    const { fastOpen } = connection;
    if (fastOpen !== undefined) synAckArrives(connection, fastOpen, segment, chunk.view, now);
    // "Data or controls that were queued for transmission MAY be included" in the acknowledgment.
    if (!waitForData(connection, now)) connection.ackNow = true;
    connection.context.markDirty(connection);
    return true;
  }
  // RFC 9293 3.5 [MUST-10]: a simultaneous open: enter SYN-RECEIVED and answer with SYN,ACK.
  connection.setState(SYN_RECEIVED, now);
  // "Set the variables": without SND.WND, SND.NXT would seem to lie beyond the peer's window.
  connection.sndWnd = segment.window;
  connection.sndWl1 = segment.seq;
  connection.sndWl2 = segment.ack;
  connection.lastReceivedAt = now;
  takeSynEcn(connection, segment);
  connection.synDue = true;
  connection.context.markDirty(connection);
  return false;
}

/** A SYN of ours had that timestamp (Linux, as for PAWS): what echoes another is of an older connection. */
function echoesOurSyn(connection: ControlBlock, segment: TcpSegment, now: number): boolean {
  if (!connection.timestampsOk || (segment.optionBits & OPT_TIMESTAMPS) === 0 || segment.tsEcr === 0) return true;
  const first = timestampNow(connection, connection.openedAt);
  return distance(first, segment.tsEcr) >= 0 && distance(segment.tsEcr, timestampNow(connection, now)) >= 0;
}

/**
 * Somebody waits to write, or would rather not be quick (TCP_QUICKACK 0, TCP_DEFER_ACCEPT): the data carries the acknowledgment, unless it takes too long (Linux).
 * @returns whether it may wait
 */
function waitForData(connection: ControlBlock, now: number): boolean {
  const expectsToWrite = inPingpong(connection) || connection.settings.rare.deferAccept > 0;
  if (!expectsToWrite || connection.runs.packetsOut > 0) return false;
  enterQuickAck(connection, MAX_QUICK_ACKS);
  connection.ackDelayed = true;
  connection.setTimer(DELAYED_ACK, now + connection.context.config.tcp_delack_max_ms);
  return true;
}

/** The peer's options, as answers to ours: what it did not repeat is off. */
function takeOptions(connection: ControlBlock, segment: TcpSegment, now: number): void {
  const { optionBits } = segment;
  const peerMss = (optionBits & OPT_MSS) !== 0 ? segment.mss : defaultMss(connection.path.headerLength);
  connection.peerMss = boundedMss(peerMss, connection.settings.rare.maxSegment);
  connection.sackOk = connection.sackOk && (optionBits & OPT_SACK_PERMITTED) !== 0;
  connection.timestampsOk = connection.timestampsOk && (optionBits & OPT_TIMESTAMPS) !== 0;
  if (connection.timestampsOk) {
    connection.tsRecent = segment.tsVal;
    connection.tsRecentAt = Math.floor(now / 1000);
  }
  connection.windowScaleOk = connection.windowScaleOk && (optionBits & OPT_WSCALE) !== 0;
  connection.sndWindShift = connection.windowScaleOk ? Math.min(segment.windowScale, MAX_WINDOW_SHIFT) : 0;
  if (!connection.windowScaleOk) connection.rcvWindShift = 0;
  boundWindow(connection);
  startProbing(connection, now);
  syncMss(connection);
}
