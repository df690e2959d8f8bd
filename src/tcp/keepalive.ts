/** Keepalive [MAY-5]: RFC 9293 3.8.4. Times as Linux: idle, interval, count. */
import { ACK } from '../wire/tcp.ts';
import type { ControlBlock } from './control-block.ts';
import { CLOSED, LISTEN, SYN_RECEIVED, SYN_SENT, TIME_WAIT } from './state.ts';
import { KEEPALIVE } from './timer-kinds.ts';
import { transmit } from './transmit.ts';

/** Starts, moves or stops the timer after a change of the settings or the state. [MUST-24], [MUST-25]: nothing unless the user turned it on. */
export function armKeepalive(connection: ControlBlock, now: number): void {
  const { settings } = connection;
  const off = !settings.keepalive || (connection.state & (CLOSED | LISTEN | SYN_SENT | SYN_RECEIVED | TIME_WAIT)) !== 0;
  if (off || connection.released) return connection.clearIdleTimer(KEEPALIVE);
  const idle = now - connection.lastReceivedAt;
  connection.setIdleTimer(KEEPALIVE, now + Math.max(settings.keepIdle * 1000 - idle, 0));
}

/** The probe: SEG.SEQ = SND.NXT - 1, which the peer must answer; [SHLD-12]: no data. */
export function keepaliveProbe(connection: ControlBlock, now: number): void {
  transmit(connection, (connection.sndNxt - 1) | 0, 0, ACK, 1, now);
  connection.context.counters.TCPKeepAlive++;
  connection.probesOut++;
}

/** [MUST-29]: one lost probe is not the end; TCP_USER_TIMEOUT, when set, decides instead of the count (Linux). */
export function keepaliveGivesUp(connection: ControlBlock, idle: number): boolean {
  const { settings } = connection;
  if (connection.probesOut === 0) return false;
  if (settings.rare.userTimeout > 0) return idle >= settings.rare.userTimeout;
  return connection.probesOut >= settings.keepCount;
}
