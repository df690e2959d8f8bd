/**
 * When it is better to wait for the next acknowledgment, which lets more leave at once: Linux's deferral of bursts. Fewer, larger bursts are
 * less work for everybody; and where a queue is full, losses then fall on flows as they use it, not on the one whose window just grew.
 */
import { CA_OPEN, type ControlBlock } from './control-block.ts';
import { burstSegments, pacingRate } from './pacer.ts';

/** Sending goes on when nothing was sent for this long, ms. */
const LONGEST_WAIT = 1;
/** Segments that are held back at most when tcp_tso_win_divisor is 0 (Linux). */
const MOST_DEFERRED = 3;

/**
 * @param waiting bytes to be sent; `window`: bytes that the peer has room for; `room`: segments of `size` bytes that cwnd has room for
 */
export function waitsForMore(
  connection: ControlBlock,
  waiting: number,
  window: number,
  room: number,
  size: number,
  now: number,
): boolean {
  const { runs, cwnd, sndWnd, srttUs, caState, lastDataSentAt } = connection;
  const head = runs.first;
  // Only an acknowledgment ends the wait. RFC 3042: what duplicates allow goes at once (Linux waits there, too).
  if (head === undefined || caState !== CA_OPEN || now - lastDataSentAt > LONGEST_WAIT) return false;
  // Pacing has bursts of its own.
  if (connection.pacer !== undefined) return false;
  const limit = Math.min(window, room * size);
  // All of it may go, or it is a single segment, which is no burst.
  if (limit > waiting || waiting <= size) return false;
  const divisor = connection.context.config.tcp_tso_win_divisor;
  if (divisor > 0 && limit >= Math.floor(Math.min(sndWnd, cwnd * size) / divisor)) return false;
  if (divisor === 0 && limit > MOST_DEFERRED * size) return false;
  if (limit >= burstSegments(connection, pacingRate(connection), size) * size) return false;
  // Linux: the next acknowledgment is due within half a round trip.
  return now - head.sentAt >= srttUs / 2000;
}
