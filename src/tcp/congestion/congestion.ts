/**
 * Congestion control, pluggable: what a connection asks when segments are acknowledged or lost. One file per algorithm, one
 * line in the table below. Windows are in segments, on the control block (`cwnd`, `ssthresh`).
 */
import type { ControlBlock } from '../control-block.ts';
import { reno } from './reno.ts';

export interface CongestionControl {
  /** Its name in TCP_CONGESTION and the sysctl table. */
  readonly name: string;
  /** The slow start threshold after a loss (or another sign of congestion), segments, at least 2. */
  ssthresh(connection: ControlBlock): number;
  /** `acked` segments were acknowledged while the window was in use: lets cwnd grow. */
  acknowledged(connection: ControlBlock, acked: number, now: number): void;
}

const table = new Map<string, CongestionControl>([[reno.name, reno]]);

/** @throws RangeError when there is none of that name */
export function congestionControl(name: string): CongestionControl {
  const found = table.get(name);
  if (found === undefined) {
    throw new RangeError(`no congestion control '${name}': there is ${congestionControls().join(', ')}`);
  }
  return found;
}

/** The names that there are. */
export function congestionControls(): string[] {
  return [...table.keys()];
}
