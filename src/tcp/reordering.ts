/** How far the path reorders: what is delivered behind what was sent later. */
import type { ControlBlock } from './control-block.ts';
import { recoveryOf } from './recovery-state.ts';
import { before, distance } from './sequence.ts';

/**
 * Something that was sent at `low`, and never again, was delivered behind what had been SACKed: DupThresh grows to the distance
 * (Linux's tcp_check_sack_reordering).
 * @param forward end of the highest that is SACKed
 * @param byTimestamp it took a timestamp to tell
 */
export function checkReordering(connection: ControlBlock, low: number, forward: number, byTimestamp: boolean): void {
  const { context } = connection;
  if (!before(low, forward)) return;
  const segments = Math.ceil(distance(low, forward) / connection.sndMss);
  if (segments > connection.reordering) {
    connection.reordering = Math.min(segments, context.config.tcp_max_reordering);
  }
  recoveryOf(connection).reorderings++;
  if (byTimestamp) context.counters.TCPTSReorder++;
  else context.counters.TCPSACKReorder++;
}

/** Without SACK: more duplicates than segments out could make say how far it reorders. @returns whether there were too many */
export function limitDuplicates(connection: ControlBlock): boolean {
  const { runs } = connection;
  const holes = Math.min(Math.max(runs.lostOut, 1), runs.packetsOut);
  if (runs.sackedOut + holes <= runs.packetsOut) return false;
  runs.sackedOut = runs.packetsOut - holes;
  return true;
}
