/**
 * The timer of what is out: at one time it waits for a retransmission timeout (RFC 6298), for the end of a reordering window (RFC 8985 6.2)
 * or for a tail loss probe (RFC 8985 7.2), as each of the last two comes before the first and sets it anew.
 */
import type { ControlBlock } from './control-block.ts';
import { retransmissionTimeout } from './round-trip.ts';
import { RETRANSMISSION } from './timer-kinds.ts';

/** What it waits for: `sendingFor` of a control block. */
export const WAIT_RETRANSMISSION = 0;
export const WAIT_REORDERING = 1;
export const WAIT_PROBE = 2;

/** For the trace. */
export const waitNames: readonly string[] = ['retransmission', 'reordering', 'tail-loss-probe'];

export function armRetransmission(connection: ControlBlock, at: number): void {
  connection.sendingFor = WAIT_RETRANSMISSION;
  connection.setTimer(RETRANSMISSION, at);
}

export function armReordering(connection: ControlBlock, at: number): void {
  connection.sendingFor = WAIT_REORDERING;
  connection.setTimer(RETRANSMISSION, at);
}

export function armProbe(connection: ControlBlock, at: number): void {
  connection.sendingFor = WAIT_PROBE;
  connection.setTimer(RETRANSMISSION, at);
}

/** When the oldest segment out will have had its time, ms. */
export function timeoutDue(connection: ControlBlock): number {
  const head = connection.runs.first;
  return head === undefined ? Infinity : head.sentAt + retransmissionTimeout(connection);
}

/**
 * RFC 6298 5.1 to 5.3: from now on; or, after one of the others, from when the oldest segment was sent. Nothing is out: it stops.
 */
export function rearmRetransmission(connection: ControlBlock, now: number): void {
  // RFC 7413 4.2.2: the SYN-ACK's time runs.
  if (connection.handshakeOpen) return;
  if (connection.runs.packetsOut === 0) {
    connection.sendingFor = WAIT_RETRANSMISSION;
    return connection.clearTimer(RETRANSMISSION);
  }
  const fresh = connection.sendingFor === WAIT_RETRANSMISSION;
  const due = fresh ? now + retransmissionTimeout(connection) : Math.max(timeoutDue(connection), now + 1);
  armRetransmission(connection, due);
}
