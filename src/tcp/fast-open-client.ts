/** The client's side of Fast Open: RFC 7413 4.1.3, 4.2. Names in brackets are of Linux's function for the same. */
import { OPT_FASTOPEN, OPT_MSS, TCP_HEADER_LENGTH, type TcpSegment } from '../wire/tcp.ts';
import { AckNews } from './ack-news.ts';
import { endBusy } from './busy-time.ts';
import type { ControlBlock } from './control-block.ts';
import { FAIL_NO_COOKIE, FAIL_NOT_ACKNOWLEDGED, FAIL_SYN_RETRANSMITTED, type FastOpen } from './fast-open.ts';
import { COOKIE_LEAST, COOKIE_MOST, COOKIE_REQUEST } from './fast-open-cookie.ts';
import { CLIENT_NO_COOKIE } from './fast-open-host.ts';
import { boundedMss } from './mss.ts';
import { distance } from './sequence.ts';
import { recoverWithoutReduction } from './simple-retransmit.ts';
import { SYN_SENT } from './state.ts';
import { Traffic } from './traffic.ts';

/** Left free in a SYN with data: the longest options, lest a box on the way that adds one makes it too long (Linux). */
const OPTION_SPACE = 40;

/**
 * Sets what the SYN will carry. RFC 7413 4.2.2, client, step 1: the cookie, when there is one (or none is needed); 4.2.1: else a request for one.
 * @returns whether data may go with it [tcp_fastopen_cookie_check]
 */
export function chooseCookie(connection: ControlBlock, state: FastOpen, now: number): boolean {
  const { context, local, remote, settings, path } = connection;
  const host = context.fastOpen;
  state.cookie = undefined;
  if (host.givenUp(now)) return false;
  state.trial = host.doubtful;
  const free = (context.config.tcp_fastopen & CLIENT_NO_COOKIE) !== 0 || settings.fastOpen?.noCookie === true;
  if (free || path.metrics.fastopenNoCookie === true) return true;
  const peer = host.peer(local, remote);
  state.cookie = peer?.cookie;
  state.experimental =
    peer !== undefined && (peer.cookie === undefined ? peer.tryExperimental === 1 : peer.experimental);
  if (state.cookie !== undefined) return true;
  state.cookie = COOKIE_REQUEST;
  state.failure = FAIL_NO_COOKIE;
  return false;
}

/**
 * Payload bytes of a SYN. RFC 7413 4.1.3: up to the MSS that the server announced last time. For one that never did, the RFC would have
 * 536, Linux our own; that happens only where no cookie is needed.
 */
export function synRoom({ context, local, remote, path, settings, rcvMss }: ControlBlock): number {
  const announced = boundedMss(context.fastOpen.peer(local, remote)?.mss || rcvMss, settings.rare.maxSegment);
  return Math.max(Math.min(path.mtu - path.headerLength - TCP_HEADER_LENGTH, announced) - OPTION_SPACE, 0);
}

/** Payload of the SYN that goes out next: only the first has any. */
export function synDataLength({ fastOpen, sendQueue, state }: ControlBlock): number {
  return fastOpen === undefined || fastOpen.synData || state !== SYN_SENT ? 0 : sendQueue.length;
}

/** A SYN or SYN-ACK has left, with so much data. RFC 7413 4.2.2, client, step 2. */
export function synSent(connection: ControlBlock, state: FastOpen, length: number, now: number): void {
  if (state.cookie !== undefined) state.offered = true;
  // RFC 7413 4.2.2: "when the SYN timer fires, the client SHOULD retransmit a SYN packet without data and Fast Open options".
  state.cookie = undefined;
  if (length === 0) return;
  state.synData = true;
  const from = connection.sndNxt;
  connection.sndNxt = (from + length) | 0;
  connection.runs.push(from, connection.sndNxt, length, 0, now);
}

const news = new AckNews();

/** The SYN is acknowledged, and perhaps data that went with it: RFC 7413 4.2.2. */
export function acknowledgeSynData(connection: ControlBlock, ack: number, now: number): void {
  const { runs, sendQueue } = connection;
  if (runs.packetsOut === 0) return;
  news.reset();
  runs.acknowledge(ack, news);
  sendQueue.acknowledge(ack);
  connection.traffic ??= new Traffic();
  connection.traffic.bytesAcked += distance(connection.iss, ack) - 1;
  endBusy(connection, now);
}

/**
 * RFC 7413 4.2.2, client, receiving SYN-ACK: the SYN is acknowledged, and what is out has been told so [tcp_rcv_fastopen_synack].
 * @param view where the segment's bytes lie
 */
export function synAckArrives(
  connection: ControlBlock,
  state: FastOpen,
  segment: TcpSegment,
  view: DataView,
  now: number,
): void {
  if (!state.offered && !state.synData) return;
  const lost = connection.runs.packetsOut > 0;
  noteAnswer(connection, state, segment, view);
  const { counters } = connection.context;
  if (lost) {
    // "The client SHOULD retransmit any unacknowledged data in the first ACK packet": at once, and cwnd stays as it is.
    state.failure = connection.totalRetrans > 0 ? FAIL_SYN_RETRANSMITTED : FAIL_NOT_ACKNOWLEDGED;
    counters.TCPFastOpenActiveFail++;
    for (let run = connection.runs.first; run !== undefined; run = run.next) connection.runs.markLost(run);
    recoverWithoutReduction(connection, now);
  } else if (state.synData) {
    state.synDataAcked = true;
    counters.TCPFastOpenActive++;
  }
}

/** RFC 7413 4.1.3: the cookie and the MSS are kept for the next time. */
function noteAnswer(connection: ControlBlock, state: FastOpen, segment: TcpSegment, view: DataView): void {
  const { context, local, remote } = connection;
  const peer = context.fastOpen.notePeer(local, remote);
  const { optionBits, fastOpenOffset: offset, fastOpenLength: length } = segment;
  if ((optionBits & OPT_MSS) !== 0) peer.mss = segment.mss;
  const answered = (optionBits & OPT_FASTOPEN) !== 0 && isCookieLength(length);
  // One that nobody asked for is not kept.
  if (!state.offered) return;
  if (answered && length > 0) {
    peer.cookie = new Uint8Array(view.buffer, view.byteOffset + offset, length).slice();
    peer.experimental = segment.fastOpenExperimental;
  } else if (!answered && connection.totalRetrans === 0 && !state.synData && peer.cookie === undefined) {
    // RFC 7413 4.1.3.1, appendix: no answer to this option; the next request tries the other.
    peer.tryExperimental = Math.max(peer.tryExperimental, state.experimental ? 2 : 1);
  }
}

/** RFC 7413 4.1.1: 0, or 4 to 16 bytes, an even number; options of other lengths are ignored. */
export function isCookieLength(length: number): boolean {
  return length === 0 || (length >= COOKIE_LEAST && length <= COOKIE_MOST && (length & 1) === 0);
}
