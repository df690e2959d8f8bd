/** The end of a connection: RFC 9293 "delete the TCB". */
import { closeReasonName } from './close-reason.ts';
import type { ControlBlock } from './control-block.ts';
import { noteEnd } from './fast-open-blackhole.ts';
import { leaveQueue } from './fast-open-server.ts';
import {
  CLOSE_WAIT,
  CLOSED,
  CLOSING,
  ESTABLISHED,
  LAST_ACK,
  LISTEN,
  SYN_RECEIVED,
  SYN_SENT,
  TIME_WAIT,
} from './state.ts';
import { transmitReset } from './transmit.ts';

/**
 * Takes the connection out of the tables and frees what it holds, but for bytes that its user may still read. RFC 9293 3.6 [MUST-12]:
 * the user is told, and the reason says how it ended.
 * @param reason REASON_..., kept for the user
 */
export function release(connection: ControlBlock, reason: number, now: number): void {
  if (connection.released) return;
  const { context } = connection;
  connection.released = true;
  if (connection.reason === 0) connection.reason = reason;
  if (connection.orphan) context.orphans--;
  countEnd(connection);
  if (connection.fastOpen !== undefined) {
    leaveQueue(connection.fastOpen);
    noteEnd(connection, now);
  }
  if (connection.state !== TIME_WAIT) connection.setState(CLOSED, now);
  context.trace?.({ type: 'closed', at: now, flow: connection.flow(), reason: closeReasonName(connection.reason) });
  connection.freeTimers();
  connection.sendQueue.clear();
  connection.runs.clear();
  connection.reassembly?.clear();
  if (connection.orphan) connection.receiveQueue.clear();
  context.hooks.remove(connection);
  context.markReady(connection);
}

/** RFC 9293 3.10.5, ABORT: tells the peer with a RST where it knows of the connection, and deletes the TCB. */
export function abort(connection: ControlBlock, reason: number, now: number): void {
  if (connection.released) return;
  const { state, finSent } = connection;
  // In CLOSING and LAST-ACK there is nothing that the peer has to hear, once our FIN is out.
  const silent = CLOSED | LISTEN | SYN_SENT | TIME_WAIT | (finSent ? CLOSING | LAST_ACK : 0);
  if ((state & silent) === 0) transmitReset(connection, now);
  release(connection, reason, now);
}

/** The user has let go: the connection goes on by itself. */
export function orphan(connection: ControlBlock): void {
  connection.user = undefined;
  if (connection.orphan) return;
  connection.orphan = true;
  if (!connection.released) connection.context.orphans++;
}

function countEnd(connection: ControlBlock): void {
  const { counters } = connection.context;
  if ((connection.state & (SYN_SENT | SYN_RECEIVED)) !== 0) counters.AttemptFails++;
  else if ((connection.state & (ESTABLISHED | CLOSE_WAIT)) !== 0) counters.EstabResets++;
}
