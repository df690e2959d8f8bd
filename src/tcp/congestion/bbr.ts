/**
 * BBR version 3: sends at the rate at which the path delivers, with about as much in flight as fits into it, and looks now and then whether there is
 * more bandwidth or a shorter round trip. draft-ietf-ccwg-bbr-02, with the constants and the reading of Google's implementation for Linux.
 */
import type { AckNews } from '../ack-news.ts';
import { CA_LOSS, CA_RECOVERY, type ControlBlock } from '../control-block.ts';
import { burstSegments, pacingRate } from '../pacer.ts';
import { limitSamples } from '../rate-sample.ts';
import type { SentRun } from '../sent-runs.ts';
import {
  advanceDelivery,
  aggregationBudget,
  inflightAtLoss,
  inflightWithHeadroom,
  lostTooMuch,
  resetFullBw,
  resetLowerBounds,
  startRound,
  updateAggregation,
  updateDelivery,
  updateFullBw,
  updateLowerBounds,
  updateMinRtt,
  updateRound,
} from './bbr-model.ts';
import { startCruise, startDown, tooHigh, updateCycle } from './bbr-probe.ts';
import {
  ACKS_PROBE_STOPPING,
  BbrState,
  DRAIN,
  isProbeBw,
  LEAST_WINDOW,
  PROBE_BW_CRUISE,
  PROBE_BW_UP,
  PROBE_RTT,
  STARTUP,
} from './bbr-state.ts';
import type { CongestionControl } from './congestion.ts';

/** Draft 2.5 and 4.6.1: gains of the pacing rate and of cwnd, by state. */
const PACING_GAIN: readonly number[] = [2.77, 0.5, 0.9, 1, 1, 1.25, 1];
const CWND_GAIN: readonly number[] = [2, 2, 2, 2, 2, 2.25, 0.5];
/** Draft 2.5, BBR.PacingMarginPercent: a little below what was measured. */
const PACING_MARGIN = 0.99;
/** Draft 4.3.4: how long cwnd stays small, ms. */
const PROBE_RTT_DURATION = 200;
/** Draft 4.3.1.3: losses in so many places in a round of recovery end Startup. */
const STARTUP_LOSSES = 6;
/** Below this, bytes per second, bursts are single segments (Linux: 1.2 Mbit/s). */
const SLOW = 150_000;
const UNMEASURED_RTT = 1;
const INFINITE = 0x7fffffff;

export class Bbr implements CongestionControl {
  readonly name = 'bbr';
  readonly paced = true;
  /** Probing sends up to a quarter more than the path holds. */
  readonly sendBufferFactor = 3;
  /** What it knows of the path. */
  readonly model = new BbrState();

  begin(connection: ControlBlock, now: number): void {
    const bbr = this.model;
    const { minRttUs, runs } = connection;
    bbr.minRtt = minRttUs === INFINITE ? Infinity : minRttUs / 1000;
    bbr.probeRttMin = bbr.minRtt;
    bbr.minRttAt = now;
    bbr.probeRttMinAt = now;
    bbr.extraSince = now;
    bbr.lossRoundDelivered = runs.delivered + 1;
    startRound(bbr, connection);
    runs.onLost = (run, pieces) => this.#lost(connection, run, pieces);
    // Draft 4.6.2, BBRInitPacingRate: the initial window in a round trip, at Startup's gain.
    const { srttUs, cwnd, sndMss, pacer } = connection;
    const rtt = srttUs > 0 ? srttUs / 1000 : UNMEASURED_RTT;
    if (pacer !== undefined) pacer.rate = (PACING_GAIN[STARTUP] as number) * (cwnd / rtt) * sndMss * 1000;
  }

  end({ runs }: ControlBlock): void {
    runs.onLost = undefined;
  }

  leastBurst({ pacer }: ControlBlock): number {
    return pacer !== undefined && pacer.rate < SLOW ? 1 : 2;
  }

  /** BBR keeps cwnd to itself; what it was is remembered, and what would be undone. */
  ssthresh(connection: ControlBlock): number {
    const bbr = this.model;
    this.#saveWindow(connection);
    bbr.undoBwLow = bbr.bwLow;
    bbr.undoInflightLow = bbr.inflightLow;
    bbr.undoInflightHigh = bbr.inflightHigh;
    return connection.ssthresh;
  }

  acknowledged(): void {}

  /** struct tcp_bbr_info: bandwidth, bytes a second, as two halves; least round trip, microseconds; gains of pacing and of cwnd in 256ths. */
  info(connection: ControlBlock | undefined): Uint32Array<ArrayBuffer> {
    if (connection === undefined) return new Uint32Array(5);
    const { bw, minRtt, state } = this.model;
    const pacingGain = this.model.pacingGain || (PACING_GAIN[state] as number);
    const cwndGain = this.model.cwndGain || (CWND_GAIN[state] as number);
    const rate = Math.floor(bw * 1000 * connection.sndMss);
    const rtt = minRtt === Infinity ? 0xffffffff : Math.round(minRtt * 1000);
    return Uint32Array.of(rate, rate / 2 ** 32, rtt, Math.round(pacingGain * 256), Math.round(cwndGain * 256));
  }

  /** A reduction was not called for: bounds are what they were, and more if more was learned since. */
  undoWindow(connection: ControlBlock): number {
    const bbr = this.model;
    resetFullBw(bbr);
    bbr.lostInRound = 0;
    bbr.bwLow = Math.max(bbr.bwLow, bbr.undoBwLow);
    bbr.inflightLow = Math.max(bbr.inflightLow, bbr.undoInflightLow);
    bbr.inflightHigh = Math.max(bbr.inflightHigh, bbr.undoInflightHigh);
    return Math.max(connection.cwnd, bbr.priorCwnd);
  }

  timedOut(connection: ControlBlock): void {
    const bbr = this.model;
    resetFullBw(bbr);
    bbr.caState = CA_LOSS;
    // The lower bound is to come from cwnd as it was before the timeout.
    if (!bbr.probing && bbr.inflightLow === Infinity) bbr.inflightLow = Math.max(connection.cwnd, bbr.priorCwnd);
  }

  /** Draft 4.4.3, BBRHandleRestartFromIdle. */
  resumed(connection: ControlBlock): void {
    const bbr = this.model;
    if (connection.rate === undefined || connection.rate.limitedUntil < 0) return;
    bbr.idleRestart = true;
    bbr.extraSince = connection.lastDataSentAt;
    bbr.extraDelivered = 0;
    if (isProbeBw(bbr.state)) this.#setPacingRate(connection, 1);
  }

  /** Draft 4.2.2, BBRUpdateOnACK. */
  control(connection: ControlBlock, news: AckNews, now: number): void {
    const bbr = this.model;
    if (bbr.caState === CA_LOSS && connection.caState !== CA_LOSS) {
      connection.cwnd = Math.max(connection.cwnd, bbr.priorCwnd);
    }
    bbr.caState = connection.caState;
    updateRound(bbr, connection, news);
    const bw = updateDelivery(bbr, connection, news);
    updateLowerBounds(bbr, connection, news);
    updateAggregation(bbr, connection, news, now);
    updateFullBw(bbr, bw, news);
    this.#checkStartup(connection, news);
    this.#checkDrain(connection, now);
    updateCycle(bbr, connection, bw, news, now);
    updateMinRtt(bbr, news, now);
    this.#checkProbeRtt(connection, news, now);
    if (bw > 0) advanceDelivery(bbr, bw, news);
    this.#setPacingRate(connection, PACING_GAIN[bbr.state] as number);
    this.#setWindow(connection, news);
  }

  /** Draft 4.3.1: Startup ends at a plateau, or when a round of recovery lost too much in many places. */
  #checkStartup(connection: ControlBlock, news: AckNews): void {
    const bbr = this.model;
    if (!bbr.fullBwReached) {
      if (news.lost > 0) bbr.lossEvents++;
      const lossy = bbr.lossRoundStart && connection.caState === CA_RECOVERY && bbr.lossEvents >= STARTUP_LOSSES;
      if (lossy && lostTooMuch(news.rate.lost, news.rate.inFlightAtSend)) {
        bbr.fullBwReached = true;
        bbr.inflightHigh = Math.max(this.#inflight(connection, bbr.maxBw, 1), bbr.inflightLatest);
      }
      if (bbr.lossRoundStart) bbr.lossEvents = 0;
    }
    if (bbr.state !== STARTUP || !bbr.fullBwReached) return;
    bbr.state = DRAIN;
    connection.ssthresh = this.#inflight(connection, bbr.maxBw, 1);
    // Draft 4.5.3: what Startup's overshoot lost says nothing about what comes then.
    resetLowerBounds(bbr);
  }

  /** Draft 4.3.2. */
  #checkDrain(connection: ControlBlock, now: number): void {
    const bbr = this.model;
    if (bbr.state !== DRAIN || connection.runs.inFlight() > this.#inflight(connection, bbr.maxBw, 1)) return;
    startDown(bbr, connection, now);
  }

  /** Draft 4.3.4, BBRCheckProbeRTT. */
  #checkProbeRtt(connection: ControlBlock, news: AckNews, now: number): void {
    const bbr = this.model;
    if (bbr.state !== PROBE_RTT && bbr.probeRttExpired && !bbr.idleRestart) {
      bbr.state = PROBE_RTT;
      this.#saveWindow(connection);
      bbr.probeRttUntil = Infinity;
      bbr.ackPhase = ACKS_PROBE_STOPPING;
      startRound(bbr, connection);
    }
    if (bbr.state === PROBE_RTT) this.#probeRtt(connection, now);
    if (news.rate.delivered > 0) bbr.idleRestart = false;
  }

  #probeRtt(connection: ControlBlock, now: number): void {
    const bbr = this.model;
    // So little in flight says nothing about the bandwidth.
    limitSamples(connection);
    if (bbr.probeRttUntil === Infinity) {
      if (connection.runs.inFlight() > this.#probeRttWindow(connection)) return;
      bbr.probeRttUntil = now + PROBE_RTT_DURATION;
      bbr.probeRttRoundDone = false;
      startRound(bbr, connection);
      return;
    }
    if (bbr.roundStart) bbr.probeRttRoundDone = true;
    if (!bbr.probeRttRoundDone || now <= bbr.probeRttUntil) return;
    bbr.probeRttMinAt = now;
    connection.cwnd = Math.max(connection.cwnd, bbr.priorCwnd);
    resetLowerBounds(bbr);
    if (bbr.fullBwReached) {
      startDown(bbr, connection, now);
      startCruise(bbr);
    } else {
      bbr.state = STARTUP;
    }
  }

  #probeRttWindow(connection: ControlBlock): number {
    return Math.max(this.#inflight(connection, this.model.bw, CWND_GAIN[PROBE_RTT] as number), LEAST_WINDOW);
  }

  #saveWindow({ cwnd, caState }: ControlBlock): void {
    const bbr = this.model;
    bbr.priorCwnd = caState < CA_RECOVERY && bbr.state !== PROBE_RTT ? cwnd : Math.max(bbr.priorCwnd, cwnd);
  }

  /** Draft 4.6.2: until the pipe is full, never lower than before. */
  #setPacingRate(connection: ControlBlock, gain: number): void {
    const bbr = this.model;
    const { pacer, sndMss } = connection;
    if (pacer === undefined || bbr.maxBw === 0) return;
    const rate = gain * bbr.bw * PACING_MARGIN * sndMss * 1000;
    if (bbr.fullBwReached || rate > pacer.rate) pacer.rate = rate;
  }

  /** Draft 4.6.4.2, BBRInflight: the product times a gain, with room for bursts under way. */
  #inflight(connection: ControlBlock, bw: number, gain: number): number {
    const product = this.model.product(bw, gain);
    if (product === Infinity) return connection.context.config.tcp_init_cwnd;
    return this.#quantized(connection, Math.ceil(product));
  }

  /** Draft 4.6.4.2, BBRQuantizationBudget. */
  #quantized(connection: ControlBlock, window: number): number {
    const burst = burstSegments(connection, pacingRate(connection), connection.sndMss);
    const least = Math.max(window, 3 * burst, LEAST_WINDOW);
    return this.model.state === PROBE_BW_UP ? least + 2 : least;
  }

  /** Draft 4.6.4.4, BBRSetCwnd. */
  #setWindow(connection: ControlBlock, news: AckNews): void {
    const bbr = this.model;
    const { delivered } = news;
    let { cwnd } = connection;
    if (delivered > 0) {
      const gain = bbr.state === PROBE_RTT ? 1 : (CWND_GAIN[bbr.state] as number);
      const product = bbr.product(bbr.bw, gain);
      const target =
        product === Infinity
          ? connection.context.config.tcp_init_cwnd
          : this.#quantized(connection, Math.ceil(product) + aggregationBudget(bbr));
      const initial = connection.context.config.tcp_init_cwnd;
      if (bbr.fullBwReached) cwnd = Math.min(cwnd + delivered, target);
      else if (cwnd < target || connection.runs.delivered < 2 * initial) cwnd += delivered;
      cwnd = Math.max(cwnd, LEAST_WINDOW);
    }
    if (bbr.state === PROBE_RTT) cwnd = Math.min(cwnd, this.#probeRttWindow(connection));
    connection.cwnd = Math.min(cwnd, Math.max(this.#bound(), LEAST_WINDOW));
  }

  /** Draft 4.6.4.6, BBRBoundCwndForModel. */
  #bound(): number {
    const bbr = this.model;
    let bound = Infinity;
    if (bbr.state === PROBE_RTT || bbr.state === PROBE_BW_CRUISE) bound = inflightWithHeadroom(bbr);
    else if (isProbeBw(bbr.state)) bound = bbr.inflightHigh;
    return Math.floor(Math.min(bound, bbr.inflightLow));
  }

  /** Draft 4.2.3, BBRUpdateOnLoss: what a probe lost tells before the acknowledgments do. */
  #lost(connection: ControlBlock, run: SentRun, pieces: number): void {
    const bbr = this.model;
    if (!bbr.probeSamples || run.deliveredAt < 0) return;
    const lost = connection.runs.lostTotal - run.lost;
    if (!lostTooMuch(lost, run.inFlightAtSend)) return;
    const inFlight = inflightAtLoss(run.inFlightAtSend, lost, pieces);
    tooHigh(bbr, connection, inFlight, run.appLimited, connection.lastReceivedAt);
  }
}
