/** BBR's model of the path: rounds, bandwidth, round trip, aggregation, and what losses say. draft-ietf-ccwg-bbr-02 4.5. */
import type { AckNews } from '../ack-news.ts';
import type { ControlBlock } from '../control-block.ts';
import { type BbrState, BETA, HEADROOM, LEAST_WINDOW, LOSS_THRESHOLD } from './bbr-state.ts';

/** Draft 4.3.1.2: a plateau is three rounds without a quarter more. */
const FULL_BW_GROWTH = 1.25;
const FULL_BW_ROUNDS = 3;
/** Draft 4.5.5: rounds that the maximum of aggregation is kept, twice; and the longest silence that it is to bridge, ms. */
const EXTRA_ROUNDS = 5;
const EXTRA_LONGEST = 100;
/** Draft 2.14.2: BBR.MinRTTFilterLen and BBR.ProbeRTTInterval, ms. */
const MIN_RTT_WINDOW = 10_000;
const PROBE_RTT_INTERVAL = 5000;

/** Draft 4.5.1: a round begins. */
export function startRound(bbr: BbrState, connection: ControlBlock): void {
  bbr.nextRoundDelivered = connection.runs.delivered;
}

export function updateRound(bbr: BbrState, connection: ControlBlock, news: AckNews): void {
  bbr.roundStart = news.rate.interval > 0 && news.rate.priorDelivered >= bbr.nextRoundDelivered;
  if (!bbr.roundStart) return;
  startRound(bbr, connection);
  bbr.roundsSinceProbe++;
}

/** Draft 4.5.3, BBRUpdateLatestDeliverySignals and BBRUpdateMaxBw. @returns the sample's bandwidth; 0: there is none */
export function updateDelivery(bbr: BbrState, connection: ControlBlock, news: AckNews): number {
  bbr.lossRoundStart = false;
  if (news.rate.interval <= 0 || news.delivered === 0) return 0;
  const bw = news.rate.delivered / news.rate.interval;
  bbr.bwLatest = Math.max(bbr.bwLatest, bw);
  bbr.inflightLatest = Math.max(bbr.inflightLatest, news.rate.delivered);
  if (news.rate.priorDelivered >= bbr.lossRoundDelivered) {
    bbr.lossRoundDelivered = connection.runs.delivered;
    bbr.lossRoundStart = true;
  }
  // A pause of the application's says nothing, unless it shows more than was known.
  if ((bw >= bbr.maxBw || !news.rate.appLimited) && bw > bbr.maxBwNow) bbr.maxBwNow = bw;
  return bw;
}

/** Draft 4.5.2: a cycle of ProbeBW is over, and what came before is forgotten. */
export function advanceMaxBw(bbr: BbrState): void {
  if (bbr.maxBwNow === 0) return;
  bbr.maxBwBefore = bbr.maxBwNow;
  bbr.maxBwNow = 0;
}

/**
 * Draft 4.5.3, BBRUpdateCongestionSignals and BBRAdaptLowerBoundsFromCongestion, but for losses that are no more than the 2 % which a probe
 * may cost: the draft, for any loss, takes over what the round delivered, which falls from round to round by what is lost, and with 1 % of
 * random loss a fifth of the bandwidth is gone when the next probe comes.
 */
export function updateLowerBounds(bbr: BbrState, connection: ControlBlock, news: AckNews): void {
  bbr.lostInRound += news.lost;
  if (!bbr.lossRoundStart) return;
  const { delivered } = connection.runs;
  const sent = delivered - bbr.deliveredBeforeRound + bbr.lostInRound;
  if (!bbr.probing && lostTooMuch(bbr.lostInRound, sent)) {
    if (bbr.bwLow === Infinity) bbr.bwLow = bbr.maxBw;
    if (bbr.inflightLow === Infinity) bbr.inflightLow = connection.cwnd;
    bbr.bwLow = Math.max(bbr.bwLatest, BETA * bbr.bwLow);
    bbr.inflightLow = Math.max(bbr.inflightLatest, BETA * bbr.inflightLow);
  }
  bbr.lostInRound = 0;
  bbr.deliveredBeforeRound = delivered;
}

/** Draft 4.5.3, BBRAdvanceLatestDeliverySignals. */
export function advanceDelivery(bbr: BbrState, bw: number, news: AckNews): void {
  if (!bbr.lossRoundStart) return;
  bbr.bwLatest = bw;
  bbr.inflightLatest = news.rate.delivered;
}

/** Draft 4.5.3, BBRResetShortTermModel: a probe asks anew. */
export function resetLowerBounds(bbr: BbrState): void {
  bbr.bwLow = Infinity;
  bbr.inflightLow = Infinity;
}

/** Draft 4.5.3, BBRResetCongestionSignals. */
export function resetSignals(bbr: BbrState): void {
  bbr.lostInRound = 0;
  bbr.bwLatest = 0;
  bbr.inflightLatest = 0;
}

/** Draft 4.5.3, IsInflightTooHigh: more than 2 % of what was in flight with a segment was lost. */
export function lostTooMuch(lost: number, inFlight: number): boolean {
  return lost > 0 && inFlight > 0 && lost > inFlight * LOSS_THRESHOLD;
}

export function resetFullBw(bbr: BbrState): void {
  bbr.fullBw = 0;
  bbr.fullBwCount = 0;
  bbr.fullBwNow = false;
}

/** Draft 4.3.1.2, BBRCheckFullBWReached. */
export function updateFullBw(bbr: BbrState, bw: number, news: AckNews): void {
  if (bbr.fullBwNow || news.rate.appLimited || bw === 0) return;
  if (bw >= bbr.fullBw * FULL_BW_GROWTH) {
    resetFullBw(bbr);
    bbr.fullBw = bw;
    return;
  }
  if (!bbr.roundStart) return;
  bbr.fullBwCount++;
  bbr.fullBwNow = bbr.fullBwCount >= FULL_BW_ROUNDS;
  if (bbr.fullBwNow) bbr.fullBwReached = true;
}

/** Draft 4.5.4, BBRUpdateMinRTT. */
export function updateMinRtt(bbr: BbrState, news: AckNews, now: number): void {
  bbr.probeRttExpired = now > bbr.probeRttMinAt + PROBE_RTT_INTERVAL;
  if (news.rate.rtt >= 0 && (news.rate.rtt < bbr.probeRttMin || bbr.probeRttExpired)) {
    bbr.probeRttMin = news.rate.rtt;
    bbr.probeRttMinAt = now;
  }
  if (bbr.probeRttMin < bbr.minRtt || now > bbr.minRttAt + MIN_RTT_WINDOW) {
    bbr.minRtt = bbr.probeRttMin;
    bbr.minRttAt = bbr.probeRttMinAt;
  }
}

/** Draft 4.5.5, BBRUpdateACKAggregation: how much more comes at once than the bandwidth explains. */
export function updateAggregation(bbr: BbrState, connection: ControlBlock, news: AckNews, now: number): void {
  if (news.delivered === 0 || news.rate.interval <= 0) return;
  // Until the pipe is full, aggregation of rounds ago was at another rate.
  const rounds = bbr.fullBwReached ? EXTRA_ROUNDS : 1;
  if (bbr.roundStart && ++bbr.extraRounds >= rounds) {
    bbr.extraRounds = 0;
    bbr.extraBefore = bbr.extraNow;
    bbr.extraNow = 0;
  }
  let expected = bbr.bw * (now - bbr.extraSince);
  if (bbr.extraDelivered <= expected) {
    bbr.extraDelivered = 0;
    bbr.extraSince = now;
    expected = 0;
  }
  bbr.extraDelivered += news.delivered;
  const extra = Math.min(bbr.extraDelivered - expected, connection.cwnd);
  if (extra > bbr.extraNow) bbr.extraNow = extra;
}

/** Draft 4.6.4.2: what cwnd has beyond the product, for acknowledgments that come late and together. */
export function aggregationBudget(bbr: BbrState): number {
  return bbr.fullBwReached ? Math.ceil(Math.min(bbr.extraAcked, bbr.bw * EXTRA_LONGEST)) : 0;
}

/** Draft 4.6.4.3, BBRInflightWithHeadroom: room for others. */
export function inflightWithHeadroom(bbr: BbrState): number {
  if (bbr.inflightHigh === Infinity) return Infinity;
  const room = Math.max(1, Math.floor(HEADROOM * bbr.inflightHigh));
  return Math.max(bbr.inflightHigh - room, LEAST_WINDOW);
}

/**
 * Draft 4.5.3, BBRInflightAtLoss: where, in a burst that was lost, it became too much.
 * @param inFlight when the last of the lost was sent; `lost`: since then, with these `pieces`
 */
export function inflightAtLoss(inFlight: number, lost: number, pieces: number): number {
  const inFlightBefore = inFlight - pieces;
  const lostBefore = lost - pieces;
  if (inFlightBefore < 0 || lostBefore < 0) return Infinity;
  const prefix = (LOSS_THRESHOLD * inFlightBefore - lostBefore) / (1 - LOSS_THRESHOLD);
  return Math.floor(inFlightBefore + Math.max(prefix, 0));
}
