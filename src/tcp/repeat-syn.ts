/** Our SYN, or SYN-ACK, goes out again: counted as Linux does; output sends it. */
import type { ControlBlock } from './control-block.ts';

export function repeatSyn(connection: ControlBlock): void {
  const { counters } = connection.context;
  counters.RetransSegs++;
  counters.TCPSynRetrans++;
  connection.totalRetrans++;
  connection.synDue = true;
  connection.context.markDirty(connection);
}
