/**
 * HyStart, as Linux's CUBIC has it: leaves slow start before the queue overflows, when a train of ACKs gets as long as the path, or
 * the round trips of a round get longer. S. Ha and I. Rhee, "Taming the elephants: new TCP slow start", 2011.
 */
import type { ControlBlock } from '../control-block.ts';
import { after } from '../sequence.ts';

/** Below this window, segments, slow start is left alone. */
const LOW_WINDOW = 16;
/** Samples that a round needs before its delay is judged. */
const MIN_SAMPLES = 8;
/** ACKs that follow each other within this belong to one train, microseconds. */
const ACK_SPACING_US = 2000;
/** Bounds of what counts as longer: an eighth of the least round trip, within these, microseconds. */
const DELAY_MIN_US = 4000;
const DELAY_MAX_US = 16_000;

export class HyStart {
  /** When the round began, and when its last ACK of the train came, microseconds. */
  #roundStart = 0;
  #lastAck = 0;
  /** Where the round ends. */
  #endSeq = 0;
  #shortestUs = Infinity;
  #samples = 0;
  #running = false;

  reset(connection: ControlBlock, now: number): void {
    this.#running = true;
    this.#roundStart = this.#lastAck = now * 1000;
    this.#endSeq = connection.sndNxt;
    this.#shortestUs = Infinity;
    this.#samples = 0;
  }

  stop(): void {
    this.#running = false;
  }

  /** An RTT sample in slow start; sets ssthresh when it is time to leave. `minRttUs`: the least seen on this path. */
  measured(connection: ControlBlock, rttUs: number, minRttUs: number, now: number): void {
    if (connection.cwnd >= connection.ssthresh || connection.cwnd < LOW_WINDOW) return;
    if (!this.#running || after(connection.sndUna, this.#endSeq)) this.reset(connection, now);
    if (this.#trainIsLong(minRttUs, now * 1000) || this.#delayGrows(rttUs, minRttUs)) {
      connection.ssthresh = connection.cwnd;
    }
  }

  /** Without pacing the burst goes out at once, and a train of half the round trip fills the path. */
  #trainIsLong(minRttUs: number, nowUs: number): boolean {
    if (nowUs - this.#lastAck > ACK_SPACING_US) return false;
    this.#lastAck = nowUs;
    return nowUs - this.#roundStart > minRttUs / 2;
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
