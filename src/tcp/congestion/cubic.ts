/**
 * CUBIC: RFC 8312 (9438), with Linux's constants and rounding, in segments and milliseconds, and HyStart in slow start.
 */
import { type ControlBlock, UNKNOWN_RTT } from '../control-block.ts';
import type { CongestionControl } from './congestion.ts';
import { HyStart, type SlowStartExit } from './hystart.ts';
import { HyStartPlusPlus } from './hystart-plus-plus.ts';
import { slowStart } from './reno.ts';

/** RFC 8312 5: C, segments per second cubed. */
const C = 0.4;
/** RFC 8312 4.5: beta_cubic = 0.7, as Linux rounds it. */
const BETA = 717 / 1024;
/** RFC 8511 3: beta_{ecn}. */
const BETA_MARKED = 0.85;
/** RFC 8312 4.2: W_est grows by 3 (1 - beta) / (1 + beta) segments a round trip: a segment for this share of a window acknowledged. */
const FRIENDLY_ACKS = (1 + BETA) / (3 * (1 - BETA));
/** Until there was a loss the window grows by a segment for 20 acknowledged at least. */
const FIRST_RATE = 20;
/** The window is computed anew after this, ms, unless it changed. */
const UPDATE_INTERVAL = 1000 / 32;
/** Value of hystart: RFC 9406. */
const HYSTART_PLUS_PLUS = 2;
/** Round trips just after a loss say nothing about the path, ms. */
const QUIET_AFTER_LOSS = 1000;

export class Cubic implements CongestionControl {
  readonly name = 'cubic';
  /** Made in slow start, when the host's settings ask for one. */
  #exit: SlowStartExit | undefined;
  /** RFC 8312 4.1: W_max, and the window at the plateau (it was W_max, or what cwnd was beyond it). */
  #wMax = 0;
  #origin = 0;
  /** Seconds from the epoch's start to the plateau. */
  #k = 0;
  /** When congestion avoidance began, ms; -1: the next ACK begins it. */
  #epochStart = -1;
  /** When the window was computed last, ms, and from what. */
  #computedAt = -1;
  #computedFor = 0;
  /** Segments to be acknowledged for the window to grow by one. */
  #rate = 2;
  /** W_est, and the acknowledgments that have not moved it yet. */
  #friendly = 0;
  #friendlyAcks = 0;
  /** The least round trip, microseconds. */
  #minRttUs = UNKNOWN_RTT;

  ssthresh(connection: ControlBlock): number {
    return this.#reduced(connection, BETA);
  }

  /** RFC 8511 3. */
  markedSsthresh(connection: ControlBlock): number {
    return this.#reduced(connection, BETA_MARKED);
  }

  #reduced({ cwnd }: ControlBlock, beta: number): number {
    this.#epochStart = -1;
    // RFC 8312 4.6, fast convergence: a flow that has less than before makes room for another.
    this.#wMax = cwnd < this.#wMax ? (cwnd * (1 + BETA)) / 2 : cwnd;
    return Math.max(Math.floor(cwnd * beta), 2);
  }

  acknowledged(connection: ControlBlock, acked: number, now: number): void {
    let left = acked;
    if (connection.cwnd < connection.ssthresh) {
      left = this.#exit === undefined ? slowStart(connection, acked) : this.#exit.grow(connection, acked);
      if (left === 0) return;
    }
    this.#update(connection.cwnd, left, now);
    grow(connection, this.#rate, left);
  }

  measured(connection: ControlBlock, rttUs: number, now: number): void {
    if (this.#epochStart >= 0 && now - this.#epochStart < QUIET_AFTER_LOSS) return;
    if (rttUs < this.#minRttUs) this.#minRttUs = rttUs;
    const { hystart } = connection.context.config;
    if (hystart === 0 || connection.cwnd >= connection.ssthresh) return;
    this.#exit ??= hystart === HYSTART_PLUS_PLUS ? new HyStartPlusPlus() : new HyStart();
    this.#exit.measured(connection, rttUs, this.#minRttUs, now);
  }

  timedOut(): void {
    this.#wMax = 0;
    this.#epochStart = -1;
    this.#computedAt = -1;
    this.#computedFor = 0;
    this.#minRttUs = UNKNOWN_RTT;
    this.#exit?.stop();
  }

  /** RFC 8312 5.8 (application-limited): the time in which nothing was sent is not counted. */
  resumed(_connection: ControlBlock, idle: number): void {
    if (this.#epochStart >= 0) this.#epochStart += idle;
  }

  #update(cwnd: number, acked: number, now: number): void {
    this.#friendlyAcks += acked;
    if (this.#computedFor === cwnd && now - this.#computedAt <= UPDATE_INTERVAL) return;
    if (this.#epochStart < 0) this.#begin(cwnd, acked, now);
    if (this.#computedAt !== now) this.#rate = this.#cubicRate(cwnd, now);
    this.#computedFor = cwnd;
    this.#computedAt = now;
    this.#rate = Math.max(Math.min(this.#rate, this.#friendlyRate(cwnd)), 2);
  }

  #begin(cwnd: number, acked: number, now: number): void {
    this.#epochStart = now;
    this.#friendlyAcks = acked;
    this.#friendly = cwnd;
    // RFC 8312 4.1, Eq. 2: K = cubic_root (W_max * (1 - beta_cubic) / C), for the window that there is.
    this.#k = this.#wMax > cwnd ? Math.cbrt((this.#wMax - cwnd) / C) : 0;
    this.#origin = Math.max(this.#wMax, cwnd);
  }

  /** RFC 8312 4.1, Eq. 1: the window to have in a round trip from now, as a rate of growth until then. */
  #cubicRate(cwnd: number, now: number): number {
    const rtt = this.#minRttUs === UNKNOWN_RTT ? 0 : this.#minRttUs / 1e6;
    const t = (now - this.#epochStart) / 1000 + rtt;
    const target = this.#origin + C * (t - this.#k) ** 3;
    const rate = target > cwnd ? cwnd / (target - cwnd) : 100 * cwnd;
    return this.#wMax === 0 ? Math.min(rate, FIRST_RATE) : rate;
  }

  /** RFC 8312 4.2: no slower than Reno would be. */
  #friendlyRate(cwnd: number): number {
    const needed = cwnd * FRIENDLY_ACKS;
    const steps = Math.floor(this.#friendlyAcks / needed);
    this.#friendlyAcks -= steps * needed;
    this.#friendly += steps;
    return this.#friendly > cwnd ? cwnd / (this.#friendly - cwnd) : Infinity;
  }
}

/** Serves the connections of which nothing was acknowledged yet: each gets its own with the first that is, so that those that only wait share this one. */
export const restingCubic: CongestionControl = {
  name: 'cubic',
  ssthresh: (connection) => wake(connection).ssthresh(connection),
  markedSsthresh: (connection) => wake(connection).markedSsthresh(connection),
  acknowledged: (connection, acked, now) => wake(connection).acknowledged(connection, acked, now),
  measured: (connection, rttUs, now) => wake(connection).measured(connection, rttUs, now),
};

function wake(connection: ControlBlock): Cubic {
  if (connection.congestion instanceof Cubic) return connection.congestion;
  const cubic = new Cubic();
  connection.congestion = cubic;
  return cubic;
}

/** A segment more for each `rate` acknowledged. */
export function grow(connection: ControlBlock, rate: number, acked: number): void {
  if (connection.cwndCount >= rate) {
    connection.cwndCount = 0;
    connection.cwnd++;
  }
  connection.cwndCount += acked;
  if (connection.cwndCount < rate) return;
  const more = Math.floor(connection.cwndCount / rate);
  connection.cwndCount -= more * rate;
  connection.cwnd += more;
}
