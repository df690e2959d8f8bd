/**
 * HyStart, as Linux's CUBIC has it: leaves slow start before the queue overflows, when a train of ACKs gets as long as the path, or
 * the round trips of a round get longer. S. Ha and I. Rhee, "Taming the elephants: new TCP slow start", 2011.
 */
import type { ControlBlock } from '../control-block.ts';
import { after } from '../sequence.ts';
import { slowStart } from './reno.ts';

/** Bits of hystart_detect. */
const TRAIN = 1;
const DELAY = 2;
/** Samples that a round needs before its delay is judged. */
const MIN_SAMPLES = 8;
/** What pacing may add to a train, microseconds. */
const PACED_MORE_US = 1000;
/** Bounds of what counts as longer: an eighth of the least round trip, within these, microseconds. */
const DELAY_MIN_US = 4000;
const DELAY_MAX_US = 16_000;

/** What slow start is ended by, other than a loss. */
export interface SlowStartExit {
  /** A round trip was measured in slow start, microseconds; `minRttUs`: the least seen on this path. */
  measured(connection: ControlBlock, rttUs: number, minRttUs: number, now: number): void;
  /** `acked` segments were acknowledged in slow start. @returns those left over when ssthresh was met */
  grow(connection: ControlBlock, acked: number): number;
  /** A timeout: the path may be another. */
  stop(): void;
}

export class HyStart implements SlowStartExit {
  /** When the round began, and when its last ACK of the train came, microseconds. */
  #roundStart = 0;
  #lastAck = 0;
  /** Where the round ends. */
  #endSeq = 0;
  #shortestUs = Infinity;
  #samples = 0;
  #running = false;
  /** It has ended slow start once: what comes after idleness ends at ssthresh. */
  #found = false;

  measured(connection: ControlBlock, rttUs: number, minRttUs: number, now: number): void {
    const { hystart_detect, hystart_low_window } = connection.context.config;
    if (this.#found) return;
    if (!this.#running || after(connection.sndUna, this.#endSeq)) this.#begin(connection, now);
    // Below this window slow start is left alone.
    if (connection.cwnd < hystart_low_window) return;
    const { counters } = connection.context;
    if ((hystart_detect & TRAIN) !== 0 && this.#trainIsLong(connection, minRttUs, now * 1000)) {
      counters.TCPHystartTrainDetect++;
      counters.TCPHystartTrainCwnd += connection.cwnd;
      this.#leave(connection);
    }
    if ((hystart_detect & DELAY) !== 0 && this.#delayGrows(rttUs, minRttUs)) {
      counters.TCPHystartDelayDetect++;
      counters.TCPHystartDelayCwnd += connection.cwnd;
      this.#leave(connection);
    }
  }

  grow(connection: ControlBlock, acked: number): number {
    return slowStart(connection, acked);
  }

  stop(): void {
    this.#running = false;
    this.#found = false;
  }

  #begin(connection: ControlBlock, now: number): void {
    this.#running = true;
    this.#roundStart = this.#lastAck = now * 1000;
    this.#endSeq = connection.sndNxt;
    this.#shortestUs = Infinity;
    this.#samples = 0;
  }

  #leave(connection: ControlBlock): void {
    this.#found = true;
    connection.ssthresh = connection.cwnd;
  }

  /** Without pacing the burst goes out at once, and a train of half the round trip fills the path; with it, one of all of it (Linux). */
  #trainIsLong(connection: ControlBlock, minRttUs: number, nowUs: number): boolean {
    if (nowUs - this.#lastAck > connection.context.config.hystart_ack_delta_us) return false;
    this.#lastAck = nowUs;
    const longest = connection.pacer === undefined ? minRttUs / 2 : minRttUs + PACED_MORE_US;
    return nowUs - this.#roundStart > longest;
  }

  #delayGrows(rttUs: number, minRttUs: number): boolean {
    if (rttUs < this.#shortestUs) this.#shortestUs = rttUs;
    if (this.#samples < MIN_SAMPLES) {
      this.#samples++;
      return false;
    }
    const more = Math.min(Math.max(minRttUs / 8, DELAY_MIN_US), DELAY_MAX_US);
    return this.#shortestUs > minRttUs + more;
  }
}
