/**
 * HyStart++: RFC 9406. When the round trips of a round get longer, slow start goes on at a quarter of its pace for some rounds
 * (conservative slow start), and back to its pace when it was a false alarm.
 */
import { type ControlBlock, INFINITE_SSTHRESH } from '../control-block.ts';
import { after } from '../sequence.ts';
import type { SlowStartExit } from './hystart.ts';
import { slowStart } from './reno.ts';

/** RFC 9406 4.3: MIN_RTT_THRESH, MAX_RTT_THRESH, microseconds; MIN_RTT_DIVISOR, N_RTT_SAMPLE. */
const MIN_RTT_THRESHOLD_US = 4000;
const MAX_RTT_THRESHOLD_US = 16_000;
const MIN_RTT_DIVISOR = 8;
const SAMPLES = 8;
/** RFC 9406 4.3: CSS_GROWTH_DIVISOR, CSS_ROUNDS; L, segments, of what is not paced. */
const CSS_GROWTH_DIVISOR = 4;
const CSS_ROUNDS = 5;
const LIMIT = 8;

export class HyStartPlusPlus implements SlowStartExit {
  /** RFC 9406 4.2: windowEnd, and whether there is a round. */
  #windowEnd = 0;
  #running = false;
  /** lastRoundMinRTT, currentRoundMinRTT, rttSampleCount. */
  #lastRoundUs = Infinity;
  #currentRoundUs = Infinity;
  #samples = 0;
  /** cssBaselineMinRtt, meant in conservative slow start; and the rounds of it. */
  #conservative = false;
  #baselineUs = Infinity;
  #rounds = 0;
  /** Quarters of segments that cwnd has not grown by yet. */
  #quarters = 0;

  measured(connection: ControlBlock, rttUs: number): void {
    // RFC 9406 4.3 [SHOULD]: only for the initial slow start; the later ones have an ssthresh.
    if (connection.ssthresh !== INFINITE_SSTHRESH) return;
    if (!this.#running || after(connection.sndUna, this.#windowEnd)) this.#nextRound(connection);
    if (connection.ssthresh !== INFINITE_SSTHRESH) return;
    // RFC 9406 4.2: "For each arriving ACK in slow start": currentRoundMinRTT = min(currentRoundMinRTT, currRTT).
    if (rttUs < this.#currentRoundUs) this.#currentRoundUs = rttUs;
    if (++this.#samples < SAMPLES) return;
    if (this.#conservative) this.#checkFalseAlarm();
    else this.#checkDelay();
  }

  /** RFC 9406 4.2: cwnd grows by min (N, L * SMSS), a quarter of it in conservative slow start. */
  grow(connection: ControlBlock, acked: number): number {
    if (connection.ssthresh !== INFINITE_SSTHRESH) return slowStart(connection, acked);
    // RFC 9406 4.3: L is infinity when it is paced.
    const limited = connection.pacer === undefined ? Math.min(acked, LIMIT) : acked;
    if (!this.#conservative) return slowStart(connection, limited);
    this.#quarters += limited;
    const more = Math.floor(this.#quarters / CSS_GROWTH_DIVISOR);
    this.#quarters -= more * CSS_GROWTH_DIVISOR;
    connection.cwnd += more;
    return 0;
  }

  stop(): void {
    this.#running = false;
    this.#conservative = false;
    this.#lastRoundUs = Infinity;
    this.#currentRoundUs = Infinity;
  }

  /** "At the start of each round during standard slow start and CSS". */
  #nextRound(connection: ControlBlock): void {
    if (this.#conservative && ++this.#rounds >= CSS_ROUNDS) {
      // RFC 9406 4.2: "If CSS_ROUNDS rounds are complete, enter congestion avoidance by setting ssthresh to the current cwnd."
      connection.ssthresh = connection.cwnd;
      return;
    }
    this.#running = true;
    this.#windowEnd = connection.sndNxt;
    this.#lastRoundUs = this.#currentRoundUs;
    this.#currentRoundUs = Infinity;
    this.#samples = 0;
  }

  #checkDelay(): void {
    if (this.#lastRoundUs === Infinity) return;
    const share = Math.min(this.#lastRoundUs / MIN_RTT_DIVISOR, MAX_RTT_THRESHOLD_US);
    if (this.#currentRoundUs < this.#lastRoundUs + Math.max(MIN_RTT_THRESHOLD_US, share)) return;
    this.#conservative = true;
    this.#baselineUs = this.#currentRoundUs;
    this.#rounds = 0;
    this.#quarters = 0;
  }

  /** RFC 9406 4.2: "if currentRoundMinRTT < cssBaselineMinRtt", back to slow start. */
  #checkFalseAlarm(): void {
    if (this.#currentRoundUs >= this.#baselineUs) return;
    this.#conservative = false;
    this.#baselineUs = Infinity;
  }
}
