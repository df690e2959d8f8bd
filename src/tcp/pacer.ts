/**
 * Pacing: segments leave at a rate, a burst at a time, rather than as soon as the windows allow. Linux's internal pacing, and what its fq
 * queueing discipline makes of a connection.
 *
 * It is kept as elapsed time: each burst moves the time of the next one on by what it takes at the rate. A timer that fires late finds
 * several bursts due, and the rate holds.
 */
import type { ControlBlock } from './control-block.ts';
import { PACING } from './timer-kinds.ts';

/** Linux: the first of a connection leave unpaced, as its fq did it, segments. */
const UNPACED = 10;
/** What a late timer may be late at most for all of it to be made up, ms. */
const MOST_LATE = 20;
/** Linux's sk_pacing_shift: a burst is what the rate sends in this part of a second. */
const BURSTS_A_SECOND = 1024;
/** The largest burst, bytes (Linux's gso_max_size, less headers). */
const LARGEST_BURST = 65_536 - 320;

export class Pacer {
  /** Bytes per second; what the congestion control set, while it sets it itself, else 0: by window and round trip. */
  rate = 0;
  /** When the next burst may leave, ms. */
  nextAt = 0;
  /** It is time that holds back what there is to send. */
  #waiting = false;
  #segments = 0;

  /** Whether nothing may leave yet; then it is time at `nextAt`. */
  holds(now: number): boolean {
    if (this.nextAt <= now) return false;
    this.#waiting = true;
    return true;
  }

  /** What there was to send is sent, or windows hold it back: the time that passes from here on is nobody's credit. */
  rest(): void {
    this.#waiting = false;
  }

  /** A burst has left at `rate` bytes per second. */
  sent(bytes: number, pieces: number, rate: number, now: number): void {
    this.#segments = Math.min(this.#segments + pieces, UNPACED);
    if (this.#segments < UNPACED || !(rate > 0 && rate < Infinity)) return;
    const time = (bytes * 1000) / rate;
    const elapsed = Math.max(now - this.nextAt, 0);
    // Time in which there was nothing to send makes up for half a burst (Linux); a timer's lateness for all that was due.
    const credit = Math.min(elapsed, this.#waiting ? MOST_LATE : time / 2);
    this.nextAt = now - credit + time;
    if (this.nextAt > now) this.#waiting = false;
  }
}

/** Whether the connection is to be paced; from then on it is (Linux). Call when something that decides it has changed. */
export function setUpPacing(connection: ControlBlock): void {
  const { congestion, settings, context } = connection;
  const wanted =
    congestion.paced === true || settings.rare.maxPacingRate < Infinity || context.config.default_qdisc === 'fq';
  if (wanted) connection.pacer ??= new Pacer();
}

/**
 * Linux's sk_pacing_rate, bytes per second: the congestion control's, or twice what a window per round trip makes in slow start, 1.2 times
 * that later, so that cwnd stays what limits.
 */
export function pacingRate(connection: ControlBlock): number {
  const { cwnd, ssthresh, srttUs, sndMss, runs, pacer, settings, congestion } = connection;
  const { tcp_pacing_ss_ratio, tcp_pacing_ca_ratio } = connection.context.config;
  if (congestion.paced === true && pacer !== undefined && pacer.rate > 0) {
    return Math.min(pacer.rate, settings.rare.maxPacingRate);
  }
  if (srttUs === 0) return settings.rare.maxPacingRate;
  const ratio = cwnd < ssthresh >> 1 ? tcp_pacing_ss_ratio : tcp_pacing_ca_ratio;
  const rate = (sndMss * Math.max(cwnd, runs.packetsOut) * 1e6 * (ratio / 100)) / srttUs;
  return Math.min(Math.floor(rate), settings.rare.maxPacingRate);
}

/** How many pieces of `size` bytes leave at once (Linux's TSO autosizing): a millisecond's worth, more on a short path. */
export function burstSegments(connection: ControlBlock, rate: number, size: number): number {
  const { congestion, minRttUs } = connection;
  const { tcp_min_tso_segs, tcp_tso_rtt_log } = connection.context.config;
  const least = congestion.leastBurst?.(connection) ?? tcp_min_tso_segs;
  let bytes = rate / BURSTS_A_SECOND;
  if (tcp_tso_rtt_log > 0) bytes += LARGEST_BURST / 2 ** Math.min(minRttUs >>> tcp_tso_rtt_log, 31);
  return Math.max(Math.floor(Math.min(bytes, LARGEST_BURST) / size), least, 1);
}

/** Whether output has to wait; if so, it is called again in time. */
export function isPaced(connection: ControlBlock, now: number): boolean {
  const { pacer } = connection;
  if (pacer === undefined || !pacer.holds(now)) return false;
  connection.setTimer(PACING, pacer.nextAt);
  return true;
}
