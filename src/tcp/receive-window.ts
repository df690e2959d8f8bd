/** RCV.WND: what we offer, never taken back, and moved only in steps worth a segment. RFC 9293 3.8.6.1 [MAY-8]: it may stay closed. */
import type { ControlBlock } from './control-block.ts';
import { distance, later } from './sequence.ts';

/** RFC 7323 2.3: the largest shift: 65,535 << 14 is an int32. `2 **`, a call, took a tenth of a segment's time (`bench/main.ts`, one process: bulk). */
export const MAX_WINDOW_SHIFT = 14;

/** The shift to offer for a receive buffer that may grow to `most` bytes. RFC 7323 2.3; Linux's rule. */
export function windowShiftFor(most: number): number {
  let shift = 0;
  while (shift < MAX_WINDOW_SHIFT && most / 2 ** shift >= 65_536) shift++;
  return shift;
}

/** What is left of the window that we advertised, bytes. */
export function currentWindow(connection: ControlBlock): number {
  return Math.max(distance(connection.rcvNxt, connection.rcvAdv), 0);
}

/**
 * The window to advertise now, bytes.
 *
 * RFC 9293 3.8.6.2.2 [MUST-39]: the right edge stays where it is until it can move by a full segment or half the buffer; 3.8.6
 * [SHLD-14]: it never moves back.
 */
export function offerableWindow(connection: ControlBlock): number {
  const current = currentWindow(connection);
  const buffer = connection.settings.rcvBuf;
  const free = Math.max(buffer - connection.receiveQueue.length, 0);
  // RFC 9293 3.1 [REC-1]: windows are numbers of up to 30 bits.
  const limit = Math.min(free, 65_535 << connection.rcvWindShift);
  if (limit - current < Math.min(buffer >> 1, connection.rcvMss)) return current;
  return limit;
}

/**
 * The window field of the next segment; advertises it (moves `rcvAdv`).
 * The field counts units of 2^shift: a window that must not shrink is rounded up, though to no more than one unit beyond the buffer:
 * or the edge would move on with every small segment, read or not. RFC 7323 2.4: then it is rounded down, and what
 * was promised before is still taken.
 */
export function advertiseWindow(connection: ControlBlock): number {
  const unit = 1 << connection.rcvWindShift;
  const window = offerableWindow(connection);
  let field = Math.min(Math.ceil(window / unit), 65_535);
  const { rcvBuf } = connection.settings;
  if (field * unit > window && connection.receiveQueue.length + field * unit > rcvBuf + unit) field--;
  connection.rcvAdv = later(connection.rcvAdv, (connection.rcvNxt + field * unit) | 0);
  return field;
}

/**
 * The user has read: is the news worth a segment of its own? Linux's rule: when the window has at least doubled; a window
 * that was closed thus reopens once a segment fits.
 */
export function windowUpdateDue(connection: ControlBlock): boolean {
  const current = currentWindow(connection);
  if (2 * current > connection.settings.rcvBuf) return false;
  const offer = offerableWindow(connection);
  return offer > 0 && offer >= 2 * current && offer > current;
}
