/**
 * What the send buffer holds and when it is full, as Linux counts: payload, and a charge for each of the kernel's buffers that it would lie in.
 *
 * A buffer takes a write's bytes up to a size worth sending as one super-segment. The bound is looked at only where a new one begins, so a
 * write may go beyond it by one buffer. What was sent of a buffer is cut off from what was not, which goes on being filled.
 */
import { noteBufferLimit } from './busy-time.ts';
import type { ControlBlock } from './control-block.ts';
import { currentMss } from './mss.ts';
import { distance, later } from './sequence.ts';
import { SEND_BUFFER_LOCK } from './settings.ts';

/** The largest super-segment of a device on Linux, less room for headers. */
const LARGEST_BUFFER = 65_215;
/** Below this the peer's window says nothing about what it would rather have (Linux's TCP_MSS_DEFAULT). */
const SMALL_WINDOW = 536;
/** Headers and bookkeeping of one segment, before it is rounded up to a power of two, and the record beside it (Linux). */
const SEGMENT_HEADROOM = 640;
const SEGMENT_RECORD = 256;
/** Linux's SOCK_MIN_SNDBUF. */
export const MIN_SNDBUF = 4608;

/**
 * Queues a copy of as many of `count` bytes as the buffer has room for.
 * @param record the last of them ends a record (MSG_EOR)
 * @returns how many
 */
export function fillSendBuffer(
  connection: ControlBlock,
  bytes: Uint8Array,
  from: number,
  count: number,
  record: boolean,
): number {
  const { sendQueue } = connection;
  const size = bufferSize(connection);
  let sent = connection.sndNxt;
  let taken = 0;
  while (taken < count) {
    let room = sendQueue.tailRoom(sent, size);
    if (room === 0) {
      if (!hasRoom(connection)) break;
      sendQueue.openBuffer();
      room = size;
    }
    const part = Math.min(room, count - taken);
    sendQueue.append(bytes, from + taken, part);
    taken += part;
    // Linux sends a buffer that is full at once; here it goes with the flush, but counts as gone.
    if (part === room) sent = later(sent, sendableEnd(connection));
  }
  if (record && taken === count) sendQueue.endRecord();
  if (taken < count) connection.noSpace = true;
  return taken;
}

/** A new buffer may be begun; also when memory is used up, where nothing is queued whose acknowledgment would wake the writer (Linux). */
export function hasRoom(connection: ControlBlock): boolean {
  const { sendQueue, settings, context } = connection;
  return (
    sendQueue.charge < settings.sndBuf &&
    unsent(connection) < unsentLimit(connection) &&
    (sendQueue.length === 0 || !context.memory.exhausted)
  );
}

/** Linux's rule for POLLOUT: a third of the send buffer is free, and what is not sent is half of TCP_NOTSENT_LOWAT at most. */
export function writable(connection: ControlBlock): boolean {
  const { charge } = connection.sendQueue;
  const { sndBuf } = connection.settings;
  const roomy = sndBuf - charge >= charge >> 1 && charge < sndBuf;
  return roomy && 2 * unsent(connection) < unsentLimit(connection);
}

/** Somebody waits for room: is there some? Called when output has done what it could. */
export function checkSpace(connection: ControlBlock, now: number): void {
  if (mayExpand(connection)) expandSendBuffer(connection);
  if (!writable(connection)) return;
  connection.noSpace = false;
  noteBufferLimit(connection, false, now);
  connection.context.markReady(connection);
}

/** The buffer holds two windows of full segments (more where the congestion control says so), ten segments each at least. */
export function expandSendBuffer(connection: ControlBlock): void {
  const { settings, context, congestion } = connection;
  if ((settings.bufferLocks & SEND_BUFFER_LOCK) !== 0) return;
  const mss = Math.max(connection.peerMss, connection.sndMss);
  const segment = (1 << (32 - Math.clz32(mss + SEGMENT_HEADROOM - 1))) + SEGMENT_RECORD;
  const count = Math.max(connection.cwnd, context.config.tcp_init_cwnd, context.config.tcp_reordering + 1);
  const size = (congestion.sendBufferFactor ?? 2) * count * segment;
  if (size > settings.sndBuf) settings.sndBuf = Math.min(size, Math.max(context.config.tcp_wmem[2], settings.sndBuf));
}

/** While cwnd is full more room would only be queued longer; when memory is short there is none. */
function mayExpand(connection: ControlBlock): boolean {
  const { runs, context } = connection;
  if (context.memory.pressure || context.memory.busy) return false;
  return runs.inFlight() < connection.cwnd;
}

/** Bytes that one of Linux's buffers takes: whole segments, no more than half the largest window that the peer ever offered. */
function bufferSize(connection: ControlBlock): number {
  const mss = currentMss(connection);
  const { maxSndWnd } = connection;
  const cutoff = maxSndWnd > SMALL_WINDOW ? maxSndWnd >> 1 : maxSndWnd;
  const most = cutoff > 0 ? Math.min(LARGEST_BUFFER, cutoff) : LARGEST_BUFFER;
  return Math.max(Math.floor(most / mss), 1) * mss;
}

/** Where the windows let full segments go now. */
function sendableEnd(connection: ControlBlock): number {
  const { runs, sndNxt } = connection;
  const mss = currentMss(connection);
  const window = distance(sndNxt, (connection.sndUna + connection.sndWnd) | 0);
  const most = Math.min(window, Math.max(connection.cwnd - runs.inFlight(), 0) * mss);
  const queued = distance(sndNxt, connection.sendQueue.end);
  const reach = Math.max(Math.min(most, queued), 0);
  return (sndNxt + reach - (reach % mss)) | 0;
}

/** Bytes queued and not sent. */
function unsent(connection: ControlBlock): number {
  return Math.max(distance(connection.sndNxt, connection.sendQueue.end), 0);
}

/** TCP_NOTSENT_LOWAT, or tcp_notsent_lowat. */
function unsentLimit(connection: ControlBlock): number {
  return connection.settings.rare.notsentLowat >>> 0 || connection.context.config.tcp_notsent_lowat >>> 0;
}
