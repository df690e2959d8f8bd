/** ICMP about a segment of ours: RFC 9293 3.9.2.2 [MUST-54], with the checks of RFC 5927. */
import { REASON_HOST_UNREACHABLE, REASON_NET_UNREACHABLE, REASON_REFUSED } from './close-reason.ts';
import type { ControlBlock } from './control-block.ts';
import { release } from './release.ts';
import { before, beforeOrAt } from './sequence.ts';
import { SYN_RECEIVED, SYN_SENT } from './state.ts';

/** What an ICMP unreachable says, as RFC 1122 3.2.2.1 sorts its codes. */
export const UNREACHABLE_NET = 0;
export const UNREACHABLE_HOST = 1;
/** Protocol or port: "hard" errors. */
export const UNREACHABLE_PORT = 2;
/** It did not get there (time exceeded, parameter problem): soft in every state, as the next may. */
export const LOST_ON_THE_WAY = 3;

/**
 * @param seq the sequence number that the error quotes
 */
export function unreachableArrives(connection: ControlBlock, kind: number, seq: number, now: number): void {
  // RFC 5927 4.1: an error about something that is not out comes from somebody who guesses.
  if (before(seq, connection.sndUna) || !beforeOrAt(seq, connection.sndNxt)) {
    connection.context.counters.OutOfWindowIcmps++;
    return;
  }
  const reason =
    kind === UNREACHABLE_PORT
      ? REASON_REFUSED
      : kind === UNREACHABLE_NET
        ? REASON_NET_UNREACHABLE
        : REASON_HOST_UNREACHABLE;
  if ((connection.state & (SYN_SENT | SYN_RECEIVED)) !== 0 && kind !== LOST_ON_THE_WAY) {
    // Linux: while connecting, the user is told at once.
    release(connection, reason, now);
    return;
  }
  // [MUST-56], [SHLD-25]: soft errors must not end it, and are the reason if it fails. RFC 5927 5.2: nor hard ones [SHLD-26], once it is synchronized.
  connection.softReason = reason;
}
