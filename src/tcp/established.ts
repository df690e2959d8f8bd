/** The connection is open: from SYN-SENT or SYN-RECEIVED to ESTABLISHED. */
import { OPT_TIMESTAMPS, SYN, type TcpSegment } from '../wire/tcp.ts';
import { beginControl } from './congestion-choice.ts';
import type { ControlBlock } from './control-block.ts';
import { acknowledgeSynData } from './fast-open-client.ts';
import { leaveQueue } from './fast-open-server.ts';
import { armKeepalive } from './keepalive.ts';
import { syncMss } from './mss.ts';
import { startProbing } from './mtu-probing.ts';
import { currentWindow, initReceiveWindow } from './receive-window.ts';
import { endTimeouts } from './recovery-state.ts';
import { sampleRoundTrip } from './round-trip.ts';
import { expandSendBuffer } from './send-buffer.ts';
import { distance } from './sequence.ts';
import { ESTABLISHED, FIN_WAIT_1 } from './state.ts';
import { RETRANSMISSION } from './timer-kinds.ts';
import { timestampNow } from './transmit.ts';

/** RFC 6298 5.7: when the SYN had to be sent again and nothing was measured, the first RTO for data is this, microseconds. */
export const RTO_AFTER_SYN_LOSS_US = 3_000_000;

/** The segment acknowledges our SYN. */
export function becomeEstablished(connection: ControlBlock, segment: TcpSegment, now: number): void {
  connection.sndUna = segment.ack;
  // RFC 9293 3.10.7.4: SND.WND <- SEG.WND, SND.WL1 <- SEG.SEQ, SND.WL2 <- SEG.ACK. RFC 7323 2.2: that of a SYN is not scaled.
  const scaled = (segment.flags & SYN) === 0;
  connection.sndWnd = scaled ? segment.window << connection.sndWindShift : segment.window;
  connection.maxSndWnd = connection.sndWnd;
  syncMss(connection);
  // Linux: a passive connection sends what it may until the window grows, or the first probe tells.
  if (connection.mtuProbing === undefined) startProbing(connection, now);
  connection.sndWl1 = segment.seq;
  connection.sndWl2 = segment.ack;
  connection.sndSml = segment.ack;
  connection.cwndUsageSeq = segment.ack;
  connection.recover = segment.ack;
  measureHandshake(connection, segment, now);
  // RFC 5681 3.1: after a lost SYN the window starts at one segment; RFC 6928 2: but not for a single retransmission, which may
  // only say that the round trip is longer than a second.
  if (connection.retransmits > 1) connection.cwnd = 1;
  if (connection.fastOpen !== undefined) acknowledgeSynData(connection, segment.ack, now);
  // In a simultaneous open the peer's SYN and SYN,ACK may come before ours has gone: an ACK takes its place.
  if (connection.synDue) connection.ackNow = true;
  handshakeDone(connection, now);
}

/** As `becomeEstablished`, for a connection that was opened fast: what it has sent since stays out, and is acknowledged after this. */
export function fastOpenEstablished(connection: ControlBlock, segment: TcpSegment, now: number): void {
  const { fastOpen } = connection;
  if (fastOpen !== undefined) leaveQueue(fastOpen);
  connection.sndWnd = segment.window << connection.sndWindShift;
  connection.maxSndWnd = Math.max(connection.sndWnd, connection.maxSndWnd);
  // What was sent since is a fresher measure.
  if (segment.ack === connection.sndUna) measureHandshake(connection, segment, now);
  handshakeDone(connection, now);
}

function handshakeDone(connection: ControlBlock, now: number): void {
  connection.lastReceivedAt = now;
  // Until data comes, since when there could have been some (Linux); Fast Open may have brought it.
  connection.lastDataReceivedAt ||= now;
  connection.clearTimer(RETRANSMISSION);
  connection.retransmits = 0;
  connection.retransmitsSince = -1;
  connection.backoff = 0;
  connection.probesOut = 0;
  connection.synDue = false;
  if (connection.recovery !== undefined) endTimeouts(connection.recovery, now);
  // Linux counts our SYN, or SYN-ACK, as delivered; what a SYN carried is not told apart from it.
  connection.runs.delivered++;
  connection.seenMss = guessedSegment(connection);
  // A connection that a SYN opened fast has had it since.
  if (connection.fastOpen?.child !== true) initReceiveWindow(connection);
  expandSendBuffer(connection);
  connection.setState(connection.finQueued ? FIN_WAIT_1 : ESTABLISHED, now);
  beginControl(connection, now);
  if (connection.settings.keepalive) armKeepalive(connection, now);
  connection.context.markDirty(connection);
  connection.context.markReady(connection);
}

/** What a full segment of the peer's may be, until one comes: no more than the default MSS, lest it never be met (Linux). */
export function guessedSegment(connection: ControlBlock): number {
  const { rcvMss, sndMss } = connection;
  return Math.max(Math.min(rcvMss, sndMss, currentWindow(connection) >> 1, 536), 88);
}

function measureHandshake(connection: ControlBlock, segment: TcpSegment, now: number): void {
  if (connection.retransmits === 0 && connection.openedAt >= 0) {
    sampleRoundTrip(connection, (now - connection.openedAt) * 1000, now);
  } else if (connection.timestampsOk && (segment.optionBits & OPT_TIMESTAMPS) !== 0 && segment.tsEcr !== 0) {
    sampleRoundTrip(connection, distance(segment.tsEcr, timestampNow(connection, now)) * 1000, now);
  } else if (connection.retransmits > 0) {
    connection.rtoUs = RTO_AFTER_SYN_LOSS_US;
  }
}
