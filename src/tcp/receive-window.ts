/**
 * RCV.WND: what we offer, never taken back, and moved only in steps worth a segment. RFC 9293 3.8.6.1 [MAY-8]: it may stay closed. Linux's rules, with its reckoning that bookkeeping
 * takes a part of a buffer (receive-memory.ts): half, as long as nothing has come, so that what a program asks for with SO_RCVBUF (which doubles it) is what it gets.
 */
import type { TcpConfig } from './config.ts';
import type { ControlBlock } from './control-block.ts';
import type { PathMetrics } from './path.ts';
import { freeWindow, wholeWindow } from './receive-memory.ts';
import { distance, later } from './sequence.ts';
import { RECEIVE_BUFFER_LOCK, type TcpSettings } from './settings.ts';

/** RFC 7323 2.3: the largest shift: 65,535 << 14 is an int32. `2 **`, a call, took a tenth of a segment's time (`bench/main.ts`, one process: bulk). */
export const MAX_WINDOW_SHIFT = 14;
/** A window grows with segments of this many bytes or more: smaller ones cost more than they bring (Linux). */
const WORTH_GROWING = 128;
/** Segments that a window grows to under memory pressure (Linux). */
const PRESSURE_SEGMENTS = 4;
/** The least TCP_WINDOW_CLAMP, bytes: half of the least SO_RCVBUF. */
const LEAST_CLAMP = 1152;

/** The shift to offer for a receive buffer that may grow to `most` bytes. RFC 7323 2.3; Linux's rule. */
export function windowShiftFor(most: number): number {
  let shift = 0;
  while (shift < MAX_WINDOW_SHIFT && most / 2 ** shift >= 65_536) shift++;
  return shift;
}

/** The shift that a socket offers: for the largest buffer that it may come to have, unless SO_RCVBUF or TCP_WINDOW_CLAMP keeps the window small. */
export function offeredShift(settings: TcpSettings, config: TcpConfig, route: PathMetrics): number {
  const locked = (settings.bufferLocks & RECEIVE_BUFFER_LOCK) !== 0;
  const most = locked ? settings.rcvBuf >> 1 : Math.max(settings.rcvBuf, config.tcp_rmem[2], config.rmem_max);
  return windowShiftFor(Math.min(most, clampOf(settings, route)));
}

/** The most to offer: the user's TCP_WINDOW_CLAMP, or else the route's window. */
function clampOf({ windowClamp }: TcpSettings, { window = Infinity }: PathMetrics): number {
  return windowClamp > 0 ? windowClamp : window;
}

/**
 * The window of a new connection, bytes: whole segments of half the buffer. The SYN can say no more of it than its field holds, unscaled
 * (RFC 7323 2.2); the first segment after it says all (Linux).
 * @param mss without the options of every segment
 */
export function initialWindow(settings: TcpSettings, mss: number, route: PathMetrics): number {
  const space = Math.min(settings.rcvBuf >> 1, clampOf(settings, route));
  const whole = space > mss ? space - (space % mss) : space;
  return Math.min(whole, (route.initrwnd ?? Infinity) * mss);
}

/** The peer's SYN says whether windows are scaled: a new connection's is no larger than the field of the segments to come can say. */
export function boundWindow(connection: ControlBlock): void {
  const sayable = 65_535 << connection.rcvWindShift;
  if (currentWindow(connection) > sayable) connection.rcvAdv = (connection.rcvNxt + sayable) | 0;
}

/** The connection is open: how far its window may grow for now. The last segment's worth of the buffer is kept back (tcp_app_win). */
export function initReceiveWindow(connection: ControlBlock): void {
  const { settings, rcvMss } = connection;
  const { tcp_app_win } = connection.context.config;
  const most = settings.rcvBuf >> 1;
  let clamp = Math.min(clampOf(settings, connection.path.metrics), 0x7fffffff);
  if (clamp >= most) {
    clamp = most;
    if (tcp_app_win > 0 && most > 4 * rcvMss) {
      clamp = Math.max(most - (tcp_app_win > 30 ? 0 : most >> tcp_app_win), 4 * rcvMss);
    }
  }
  if (tcp_app_win > 0 && clamp > 2 * rcvMss && clamp + rcvMss > most) clamp = Math.max(2 * rcvMss, most - rcvMss);
  clamp = Math.min(clamp, 65_535 << connection.rcvWindShift);
  settings.windowClamp = clamp;
  connection.rcvSsthresh = Math.min(distance(connection.rcvNxt, connection.rcvAdv), clamp);
}

/** What is left of the window that we advertised, bytes. */
export function currentWindow(connection: ControlBlock): number {
  return Math.max(distance(connection.rcvNxt, connection.rcvAdv), 0);
}

/** The window that the last acknowledgment offered, bytes. */
function toldWindow(connection: ControlBlock): number {
  return Math.max(distance(connection.lastAckSent, connection.rcvAdv), 0);
}

/** The largest window that the buffer allows now, bytes. */
function fullSpace(connection: ControlBlock): number {
  const { settings } = connection;
  const most = wholeWindow(connection);
  return settings.windowClamp > 0 && settings.windowClamp < most ? settings.windowClamp : most;
}

/**
 * The window that would be good to advertise now, bytes: whether it may be, with what was offered before, is `advertiseWindow`'s.
 *
 * RFC 9293 3.8.6.2.2 [MUST-39]: no silly windows: next to none is none, until a segment and a sixteenth of the buffer are free.
 */
export function offerableWindow(connection: ControlBlock): number {
  const { context, rcvWindShift } = connection;
  const unit = 1 << rcvWindShift;
  const allowed = wholeWindow(connection);
  const full = fullSpace(connection);
  const mss = Math.min(connection.seenMss, full);
  const shrinks = context.config.tcp_shrink_window && rcvWindShift > 0;
  let free = Math.max(freeWindow(connection), 0);
  if (shrinks) free -= free % unit;
  if (free < full >> 1) {
    // The user is behind: there is no hurry.
    connection.quickAcks = 0;
    if (context.memory.pressure) connection.rcvSsthresh = Math.min(connection.rcvSsthresh, PRESSURE_SEGMENTS * mss);
    free -= free % unit;
    if (free < allowed >> 4 || free < mss) return 0;
  }
  free = Math.min(free, connection.rcvSsthresh);
  let offer = free;
  if (rcvWindShift > 0) {
    offer = Math.ceil(free / unit) * unit;
  } else {
    const told = toldWindow(connection);
    if (mss > 0 && (told <= free - mss || told > free)) offer = free - (free % mss);
    else if (mss < full || free <= told + (full >> 1)) offer = told;
  }
  // The edge stays until it can move by a full segment or half the buffer (Linux lets it creep).
  const current = currentWindow(connection);
  const worth = Math.min(full >> 1, mss);
  // Where whole segments are offered, it is what is free that says whether it can: a window of 404 bytes, and all of 2304 free, is worth one of 1460.
  const doubles = rcvWindShift === 0 && free - current >= worth && offer >= 2 * current;
  const creeps = offer > current && offer - current < worth && !doubles;
  return creeps && connection.receiveSpace?.memory.shareMoved !== true ? current : offer;
}

/**
 * The window field of the next segment; advertises it (moves `rcvAdv`). RFC 9293 3.8.6 [SHLD-14]: the right edge never moves back, unless tcp_shrink_window lets it.
 * The field counts units of 2^shift: a window that must not shrink is rounded up, though to no more than one unit beyond the buffer:
 * or the edge would move on with every small segment, read or not. RFC 7323 2.4: then it is rounded down, and what
 * was promised before is still taken.
 */
export function advertiseWindow(connection: ControlBlock): number {
  const { rcvWindShift, context } = connection;
  const unit = 1 << rcvWindShift;
  const told = toldWindow(connection);
  const current = currentWindow(connection);
  const offer = offerableWindow(connection);
  if (connection.receiveSpace !== undefined) connection.receiveSpace.memory.shareMoved = false;
  const shrinks = offer < current && context.config.tcp_shrink_window && rcvWindShift > 0;
  const window = shrinks ? offer : Math.max(offer, current);
  if (offer === 0 && current > 0 && !shrinks) context.counters.TCPWantZeroWindowAdv++;
  // RFC 9293 3.1 [REC-1]: windows are numbers of up to 30 bits.
  let field = Math.min(Math.ceil(window / unit), 65_535);
  if (field * unit > window && field * unit > freeWindow(connection) + unit) field--;
  const edge = (connection.rcvNxt + field * unit) | 0;
  connection.rcvAdv = shrinks ? edge : later(connection.rcvAdv, edge);
  if (shrinks && readsLess(connection)) context.markReady(connection);
  if (field === 0 && told > 0) context.counters.TCPToZeroWindowAdv++;
  else if (field > 0 && told === 0) context.counters.TCPFromZeroWindowAdv++;
  return field;
}

/** The user waits for more bytes (SO_RCVLOWAT) than a window that was taken back may ever let in: what is here is to be read. */
function readsLess({ receiveQueue, settings }: ControlBlock): boolean {
  return receiveQueue.length > 0 && receiveQueue.length < settings.rcvLowat;
}

/**
 * The user has read: is the news worth a segment of its own? Linux's rule: when the window has at least doubled; a window
 * that was closed thus reopens once a segment fits.
 */
export function windowUpdateDue(connection: ControlBlock): boolean {
  const current = currentWindow(connection);
  if (2 * current > fullSpace(connection)) return false;
  const offer = offerableWindow(connection);
  return offer > 0 && offer >= 2 * current && offer > current;
}

/** More than a full segment is not acknowledged, and the window can move on: the peer may wait for that (Linux). */
export function worthAcknowledging(connection: ControlBlock): boolean {
  return offerableWindow(connection) >= toldWindow(connection);
}

/** Data has come: the window opens by two segments for each, as slow start does, up to what the buffer has room for (Linux's rcv_ssthresh). */
export function growWindow(connection: ControlBlock, length: number): void {
  if (length < WORTH_GROWING) return;
  const { windowClamp } = connection.settings;
  // Nearly always it has grown as far as it may.
  if (windowClamp > 0 && connection.rcvSsthresh >= windowClamp) return;
  const room = Math.min(fullSpace(connection), freeWindow(connection)) - connection.rcvSsthresh;
  if (room <= 0 || connection.context.memory.pressure) return;
  connection.rcvSsthresh += Math.min(room, 2 * Math.max(connection.rcvMss, length));
  // The news is worth an acknowledgment.
  connection.quickAcks |= 1;
}

/** TCP_WINDOW_CLAMP: the largest window, bytes; 0: none. What is offered already stays. */
export function setWindowClamp(settings: TcpSettings, connection: ControlBlock | undefined, value: number): void {
  if (value === 0) {
    settings.windowClamp = 0;
    return;
  }
  const before = settings.windowClamp;
  const clamp = Math.max(value, LEAST_CLAMP);
  settings.windowClamp = clamp;
  if (connection === undefined || clamp === before) return;
  if (clamp < before) connection.rcvSsthresh = Math.min(connection.rcvSsthresh, clamp);
  else connection.rcvSsthresh = Math.max(connection.rcvSsthresh, Math.min(toldWindow(connection), clamp));
}
