/** Keepalive: RFC 9293 3.8.4; off unless the user turns it on [MUST-24]. Times as Linux: idle, interval, count. */
import { ACK } from '../wire/tcp.ts';
import type { ControlBlock } from './control-block.ts';
import { CLOSED, LISTEN, SYN_RECEIVED, SYN_SENT, TIME_WAIT } from './state.ts';
import { transmit } from './transmit.ts';

/** Starts, moves or stops the timer after a change of the settings or the state. */
export function armKeepalive(connection: ControlBlock, now: number): void {
  const { context, settings } = connection;
  const off = !settings.keepalive || (connection.state & (CLOSED | LISTEN | SYN_SENT | SYN_RECEIVED | TIME_WAIT)) !== 0;
  if (off || connection.released) {
    if (connection.keepaliveRow >= 0) context.idleTimers.clear(connection.keepaliveRow, 0);
    return;
  }
  if (connection.keepaliveRow < 0) {
    connection.keepaliveRow = context.idleTimers.allocate();
    context.idleTimerOwners[connection.keepaliveRow] = connection;
  }
  const idle = now - connection.lastReceivedAt;
  context.idleTimers.set(connection.keepaliveRow, 0, now + Math.max(settings.keepIdle * 1000 - idle, 0));
}

export function freeKeepalive(connection: ControlBlock): void {
  if (connection.keepaliveRow < 0) return;
  const { context } = connection;
  context.idleTimers.free(connection.keepaliveRow);
  context.idleTimerOwners[connection.keepaliveRow] = undefined;
  connection.keepaliveRow = -1;
}

/** [MUST-26]: the probe: SEG.SEQ = SND.NXT - 1, which the peer must answer; no data, as Linux. */
export function keepaliveProbe(connection: ControlBlock, now: number): void {
  transmit(connection, (connection.sndNxt - 1) | 0, 0, ACK, 1, now);
  connection.context.counters.TCPKeepAlive++;
  connection.probesOut++;
}

/** [MUST-27]: one lost probe is not the end; TCP_USER_TIMEOUT, when set, decides instead of the count (Linux). */
export function keepaliveGivesUp(connection: ControlBlock, idle: number): boolean {
  const { settings } = connection;
  if (connection.probesOut === 0) return false;
  if (settings.userTimeout > 0) return idle >= settings.userTimeout;
  return connection.probesOut >= settings.keepCount;
}
