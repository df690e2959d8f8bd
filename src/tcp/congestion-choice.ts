/** Which congestion control a connection has, from the moment it is established and when the user chooses another. */
import { congestionControl } from './congestion/congestion.ts';
import type { ControlBlock } from './control-block.ts';
import { setUpPacing } from './pacer.ts';
import { CLOSED, SYN_RECEIVED, SYN_SENT } from './state.ts';

/** The connection is established. */
export function beginControl(connection: ControlBlock, now: number): void {
  setUpPacing(connection);
  connection.congestion.begin?.(connection, now);
}

/** TCP_CONGESTION on a connection that there is: what the old one knew is forgotten, but for cwnd. */
export function changeControl(connection: ControlBlock, name: string, now: number): void {
  connection.congestion.end?.(connection);
  connection.congestion = congestionControl(name);
  if (connection.pacer !== undefined) connection.pacer.rate = 0;
  if ((connection.state & (CLOSED | SYN_SENT | SYN_RECEIVED)) === 0) beginControl(connection, now);
}
