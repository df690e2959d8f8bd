/** Short segments: Nagle, TCP_CORK, and the sender's side of silly window avoidance. RFC 9293 3.7.4, 3.8.6.2.1. */
import type { ControlBlock } from './control-block.ts';
import { after } from './sequence.ts';

/** What the last write said of those that follow. */
export const NO_MORE = 0;
/** MSG_MORE: a partial segment waits for them. */
export const MORE_AWAITED = 1;
/** An acknowledgment came meanwhile: it waits no longer, unless for other reasons (Linux). */
export const MORE_EXPECTED = 2;

/**
 * Whether the next `length` bytes, which do not end with a full segment, may go whole.
 * @param waiting bytes queued and not sent
 */
export function mayEndShort(connection: ControlBlock, length: number, waiting: number): boolean {
  if (length < waiting) {
    // The window cuts it short. What the user gathers does not follow full segments so (Linux).
    if (length > connection.sndMss && gathers(connection) && !connection.uncorked) return false;
    // RFC 9293 3.8.6.2.1 [MUST-38] (3): half of the largest window seen is worth sending.
    return 2 * length >= connection.maxSndWnd;
  }
  // The last of the data: nothing will ever be added to it.
  if (connection.finQueued) return true;
  // Urgent data does not wait (Linux).
  if (after(connection.sndUp, connection.sndUna)) return true;
  const { settings } = connection;
  // RFC 9293 3.9.1.2 [MUST-60], [MAY-16]: the user gathers what is partial; the persist timer ends that, an RTO later.
  if (gathers(connection)) return connection.uncorked;
  // RFC 9293 3.7.4 [MUST-17]: the user turned it off.
  if (settings.noDelay || connection.uncorked) return true;
  // RFC 9293 3.7.4 [SHLD-7]: Nagle. Minshall's variation, named there: only a short segment that is out holds the next one back.
  return !(after(connection.sndSml, connection.sndUna) && connection.runs.packetsOut > 0);
}

/** TCP_CORK, or MSG_MORE of the last write. */
function gathers({ settings, moreToCome }: ControlBlock): boolean {
  return settings.cork || moreToCome === MORE_AWAITED;
}
