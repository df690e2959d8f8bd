/**
 * Congestion control, pluggable: what a connection asks when segments are acknowledged or lost. One file per algorithm, one
 * line in the table below. Windows are in segments, on the control block (`cwnd`, `ssthresh`).
 */
import type { ControlBlock } from '../control-block.ts';
import { Cubic } from './cubic.ts';
import { reno } from './reno.ts';

/** An algorithm at work on one connection; one without memory may serve all. */
export interface CongestionControl {
  /** Its name in TCP_CONGESTION and the sysctl table. */
  readonly name: string;
  /** The slow start threshold after a loss (or another sign of congestion), segments, at least 2. */
  ssthresh(connection: ControlBlock): number;
  /** `acked` segments were acknowledged while the window was in use: lets cwnd grow. */
  acknowledged(connection: ControlBlock, acked: number, now: number): void;
  /** A round trip was measured, microseconds; comes before `acknowledged` of the same segment. */
  measured?(connection: ControlBlock, rttUs: number, now: number): void;
  /** The retransmission timer fired: what was learned about the path may be stale. */
  timedOut?(connection: ControlBlock): void;
  /** Sending starts again after `idle` ms in which nothing was out. */
  resumed?(connection: ControlBlock, idle: number): void;
}

const table = new Map<string, () => CongestionControl>([
  [reno.name, () => reno],
  ['cubic', () => new Cubic()],
]);

/** @throws RangeError when there is none of that name */
export function congestionControl(name: string): CongestionControl {
  const make = table.get(name);
  if (make === undefined) {
    throw new RangeError(`no congestion control '${name}': there is ${congestionControls().join(', ')}`);
  }
  return make();
}

/** The names that there are. */
export function congestionControls(): string[] {
  return [...table.keys()];
}
