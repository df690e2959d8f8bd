/**
 * Congestion control, pluggable: what a connection asks when segments are acknowledged or lost. One file per algorithm, one
 * line in the table below (RFC 9293 3.8.2 [MAY-18]). Windows are in segments, on the control block (`cwnd`, `ssthresh`).
 */
import type { AckNews } from '../ack-news.ts';
import type { ControlBlock } from '../control-block.ts';
import { Bbr } from './bbr.ts';
import { restingCubic } from './cubic.ts';
import { Dctcp } from './dctcp.ts';
import { reno } from './reno.ts';

/** An algorithm at work on one connection; one without memory may serve all. */
export interface CongestionControl {
  /** Its name in TCP_CONGESTION and the sysctl table. */
  readonly name: string;
  /** It lives on marks: ECN is asked for and granted whatever tcp_ecn says, and every packet is ECN-capable. */
  readonly needsEcn?: boolean;
  /** Windows that the send buffer holds; 2 unless it says so. */
  readonly sendBufferFactor?: number;
  /** The slow start threshold after a loss (or another sign of congestion), segments, at least 2. */
  ssthresh(connection: ControlBlock): number;
  /** `acked` segments were acknowledged while the window was in use: lets cwnd grow. */
  acknowledged(connection: ControlBlock, acked: number, now: number): void;
  /** The slow start threshold when the peer reported a mark, not a loss; absent: the same. */
  markedSsthresh?(connection: ControlBlock): number;
  /** Of each acknowledgment: segments of which it is the first to tell, and those among them that were marked CE. */
  delivered?(connection: ControlBlock, delivered: number, marked: number): void;
  /** Data of the peer's came, marked CE or only ECN-capable, and has not been taken yet. */
  markArrived?(connection: ControlBlock, marked: boolean, now: number): void;
  /**
   * In place of all that (Linux's cong_control): sets cwnd, and pacing, by itself, after every acknowledgment, in every state of loss recovery. What
   * is acknowledged, lost and delivered, and how fast, is in `news`.
   */
  control?(connection: ControlBlock, news: AckNews, now: number): void;
  /** Sends at a rate that it sets itself, in `connection.pacer`. */
  readonly paced?: boolean;
  /** Segments of a paced burst, at least; tcp_min_tso_segs by default. */
  leastBurst?(connection: ControlBlock): number;
  /** It begins to control the connection, which is established. */
  begin?(connection: ControlBlock, now: number): void;
  /** Another takes its place. */
  end?(connection: ControlBlock): void;
  /** cwnd after a reduction turned out not to have been called for; without it, what it was before. */
  undoWindow?(connection: ControlBlock): number;
  /** A round trip was measured, microseconds; comes before `acknowledged` of the same segment. */
  measured?(connection: ControlBlock, rttUs: number, now: number): void;
  /** Linux's TCP_CC_INFO, in the machine's byte order; without a connection of what there is before one. */
  info?(connection: ControlBlock | undefined): Uint32Array<ArrayBuffer>;
  /** The retransmission timer fired: what was learned about the path may be stale. */
  timedOut?(connection: ControlBlock): void;
  /** Sending starts again after `idle` ms in which nothing was out. */
  resumed?(connection: ControlBlock, idle: number): void;
}

const table = new Map<string, () => CongestionControl>([
  [reno.name, () => reno],
  [restingCubic.name, () => restingCubic],
  ['dctcp', () => new Dctcp()],
  ['bbr', () => new Bbr()],
]);

/** Linux's TCP_CA_NAME_MAX, with the byte that ends it. */
const LONGEST_NAME = 15;

/**
 * Adds a congestion control, for every host of the process: TCP_CONGESTION and tcp_congestion_control know its name from then on.
 * @param make called for each connection; what it makes has the name `name`, and may serve all when it keeps nothing of a connection
 * @throws RangeError when the name is taken, empty or longer than 15 characters
 */
export function registerCongestionControl(name: string, make: () => CongestionControl): void {
  if (typeof name !== 'string' || name === '' || name.length > LONGEST_NAME)
    throw new RangeError(`registerCongestionControl: a name has 1 to ${LONGEST_NAME} characters, got ${String(name)}`);
  if (table.has(name)) throw new RangeError(`registerCongestionControl: there is a congestion control ${name} already`);
  table.set(name, make);
}

/** @throws RangeError when there is none of that name */
export function congestionControl(name: string): CongestionControl {
  const make = table.get(name);
  if (make === undefined) {
    throw new RangeError(`no congestion control '${name}': there is ${congestionControls().join(', ')}`);
  }
  return make();
}

/** Whether connections of that congestion control ask for ECN and grant it, whatever tcp_ecn says. */
export function needsEcn(name: string): boolean {
  return name === 'dctcp';
}

/** The names that there are. */
export function congestionControls(): string[] {
  return [...table.keys()];
}
