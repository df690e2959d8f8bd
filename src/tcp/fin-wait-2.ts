/**
 * FIN-WAIT-2 of a connection that nobody holds: it has tcp_fin_timeout (TCP_LINGER2) to hear the peer's FIN. RFC 9293 has no such limit; all
 * deployed stacks do.
 */
import { REASON_NONE } from './close-reason.ts';
import type { ControlBlock } from './control-block.ts';
import { release } from './release.ts';
import { enterFinWait2Record } from './time-wait.ts';
import { LINGER } from './timer-kinds.ts';
import { transmitReset } from './transmit.ts';

/** A peer that is slow is given so many RTOs at least (Linux). */
const LEAST_RTOS = 3.5;

/** @param more the segment that acknowledges our FIN holds more, which is to be looked at with the whole connection */
export function awaitFin(connection: ControlBlock, more: boolean, now: number): void {
  const wait = finTime(connection);
  const longest = connection.context.config.tcp_timewait_len * 1000;
  // Linux: what is beyond TIME-WAIT's own time is waited for by the connection, then by a record for as long again.
  if (wait > longest) connection.setIdleTimer(LINGER, now + wait - longest);
  else if (more) connection.setIdleTimer(LINGER, now + wait);
  else enterFinWait2Record(connection, wait, now);
}

/** That time is over. */
export function finWait2Timeout(connection: ControlBlock, now: number): void {
  const rest = finTime(connection) - connection.context.config.tcp_timewait_len * 1000;
  if (connection.settings.rare.linger2 >= 0 && rest > 0) return enterFinWait2Record(connection, rest, now);
  transmitReset(connection, now);
  release(connection, REASON_NONE, now);
}

/** ms */
function finTime({ settings, context, rtoUs }: ControlBlock): number {
  return Math.max((settings.rare.linger2 || context.config.tcp_fin_timeout) * 1000, (LEAST_RTOS * rtoUs) / 1000);
}
