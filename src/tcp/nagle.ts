/** Short segments: Nagle, TCP_CORK, and the sender's side of silly window avoidance. RFC 9293 3.7.4, 3.8.6.2.1. */
import type { ControlBlock } from './control-block.ts';
import { after } from './sequence.ts';
import { CORK } from './timer-kinds.ts';

/** How long TCP_CORK holds a partial segment back, ms (Linux). */
export const CORK_TIME = 200;

/**
 * Whether the next `length` bytes, which do not end with a full segment, may go whole.
 * @param waiting bytes queued and not sent
 */
export function mayEndShort(connection: ControlBlock, length: number, waiting: number): boolean {
  if (length < waiting) {
    // The window cuts it short. RFC 9293 3.8.6.2.1 [MUST-38] (3): half of the largest window seen is worth sending.
    return 2 * length >= connection.maxSndWnd;
  }
  // The last of the data: nothing will ever be added to it.
  if (connection.finQueued) return true;
  // Urgent data does not wait (Linux).
  if (after(connection.sndUp, connection.sndUna)) return true;
  const { settings } = connection;
  if (settings.cork || connection.moreToCome) return connection.uncorked;
  // RFC 9293 3.7.4 [MUST-17]: the user turned it off.
  if (settings.noDelay || connection.uncorked) return true;
  // RFC 9293 3.7.4 [SHLD-7]: Nagle. Minshall's variation, named there: only a short segment that is out holds the next one back.
  return !(after(connection.sndSml, connection.sndUna) && connection.runs.packetsOut > 0);
}

/** RFC 9293 3.9.1.2 [MUST-60]: the user corked and wrote: what is partial is gathered [MAY-16], and leaves after 200 ms at the latest. */
export function armCork(connection: ControlBlock, now: number): void {
  const corked = connection.settings.cork || connection.moreToCome;
  if (corked && connection.timerAt(CORK) === Infinity) connection.setTimer(CORK, now + CORK_TIME);
}
