/** BBR's ProbeBW: the cycle of DOWN, CRUISE, REFILL and UP, and the upper bound that its probes find. draft-ietf-ccwg-bbr-02 4.3.3. */
import type { AckNews } from '../ack-news.ts';
import type { ControlBlock } from '../control-block.ts';
import {
  advanceMaxBw,
  inflightWithHeadroom,
  lostTooMuch,
  resetFullBw,
  resetLowerBounds,
  resetSignals,
  startRound,
} from './bbr-model.ts';
import {
  ACKS_INIT,
  ACKS_PROBE_FEEDBACK,
  ACKS_PROBE_STARTING,
  ACKS_PROBE_STOPPING,
  ACKS_REFILLING,
  type BbrState,
  BETA,
  isProbeBw,
  PROBE_BW_CRUISE,
  PROBE_BW_DOWN,
  PROBE_BW_REFILL,
  PROBE_BW_UP,
} from './bbr-state.ts';

/** Draft 4.3.3.5.3: time between probes, ms, and what chance adds to it. */
const PROBE_WAIT = 2000;
const PROBE_WAIT_MORE = 1000;
/** Rounds after which it probes at the latest, so that Reno's flows, which a loss costs as many rounds, are met as equals. */
const MOST_ROUNDS = 25;
/** Doublings of the slope. */
const MOST_DOUBLINGS = 30;

/** Draft 4.3.3, BBRUpdateProbeBWCyclePhase. `inFlight`: pieces in the network. */
export function updateCycle(bbr: BbrState, connection: ControlBlock, bw: number, news: AckNews, now: number): void {
  if (!bbr.fullBwReached) return;
  if (adaptUpperBound(bbr, connection, news, now)) return;
  const inFlight = connection.runs.inFlight();
  switch (bbr.state) {
    case PROBE_BW_DOWN:
      if (isTimeToProbe(bbr, connection, now)) startRefill(bbr, connection);
      else if (isTimeToCruise(bbr, inFlight)) startCruise(bbr);
      break;
    case PROBE_BW_CRUISE:
      if (isTimeToProbe(bbr, connection, now)) startRefill(bbr, connection);
      break;
    case PROBE_BW_REFILL:
      // A round at the estimated rate fills the pipe, so that what comes then is a probe.
      if (bbr.roundStart) {
        bbr.probeSamples = true;
        startUp(bbr, connection, bw);
      }
      break;
    case PROBE_BW_UP:
      if (isTimeToGoDown(bbr, connection, bw, news)) startDown(bbr, connection, now);
      break;
  }
}

/** Draft 4.3.3.1: less than the path takes, until the queue that the probe made is gone. */
export function startDown(bbr: BbrState, connection: ControlBlock, now: number): void {
  resetSignals(bbr);
  bbr.probeUpCount = Infinity;
  const { random } = connection.context;
  bbr.roundsSinceProbe = random.float() < 0.5 ? 0 : 1;
  bbr.probeWait = PROBE_WAIT + random.float() * PROBE_WAIT_MORE;
  bbr.cycleStart = now;
  bbr.ackPhase = ACKS_PROBE_STOPPING;
  startRound(bbr, connection);
  bbr.state = PROBE_BW_DOWN;
}

/** Draft 4.3.3.2. */
export function startCruise(bbr: BbrState): void {
  if (bbr.inflightLow !== Infinity) bbr.inflightLow = Math.min(bbr.inflightLow, bbr.inflightHigh);
  bbr.state = PROBE_BW_CRUISE;
}

/** Draft 4.3.3.3. */
function startRefill(bbr: BbrState, connection: ControlBlock): void {
  resetLowerBounds(bbr);
  bbr.probeUpRounds = 0;
  bbr.probeUpAcks = 0;
  bbr.stoppedRisky = false;
  bbr.ackPhase = ACKS_REFILLING;
  startRound(bbr, connection);
  bbr.state = PROBE_BW_REFILL;
}

/** Draft 4.3.3.4. */
function startUp(bbr: BbrState, connection: ControlBlock, bw: number): void {
  bbr.ackPhase = ACKS_PROBE_STARTING;
  startRound(bbr, connection);
  resetFullBw(bbr);
  bbr.fullBw = bw;
  bbr.state = PROBE_BW_UP;
  raiseSlope(bbr, connection);
}

function isTimeToProbe(bbr: BbrState, { cwnd }: ControlBlock, now: number): boolean {
  if (now > bbr.cycleStart + bbr.probeWait) return true;
  const renoRounds = Math.min(targetInflight(bbr, cwnd), MOST_ROUNDS);
  return bbr.roundsSinceProbe >= renoRounds;
}

function isTimeToCruise(bbr: BbrState, inFlight: number): boolean {
  return inFlight <= inflightWithHeadroom(bbr) && inFlight <= bbr.product(bbr.maxBw, 1);
}

/** Draft 4.3.3.4, BBRIsTimeToGoDown: the bandwidth has its plateau, where the bound on what is in flight is not what makes it. */
function isTimeToGoDown(bbr: BbrState, connection: ControlBlock, bw: number, news: AckNews): boolean {
  // The last probe lost too much here: this one does not go beyond.
  if (bbr.probeTooHigh && news.rate.priorInFlight >= bbr.inflightHigh) {
    bbr.stoppedRisky = true;
    bbr.probeTooHigh = false;
    return true;
  }
  if (connection.cwndLimited && connection.cwnd >= bbr.inflightHigh) {
    resetFullBw(bbr);
    bbr.fullBw = bw;
    return false;
  }
  return bbr.fullBwNow;
}

/** BBRTargetInflight. */
function targetInflight(bbr: BbrState, cwnd: number): number {
  return Math.min(bbr.product(bbr.bw, 1), cwnd);
}

/** Draft 4.5.3, BBRAdaptLongTermModel. @returns whether the state has changed */
function adaptUpperBound(bbr: BbrState, connection: ControlBlock, news: AckNews, now: number): boolean {
  if (bbr.ackPhase === ACKS_PROBE_STARTING && bbr.roundStart) bbr.ackPhase = ACKS_PROBE_FEEDBACK;
  if (bbr.ackPhase === ACKS_PROBE_STOPPING && bbr.roundStart) {
    // All that the probe sent has been answered.
    bbr.probeSamples = false;
    bbr.ackPhase = ACKS_INIT;
    if (isProbeBw(bbr.state) && !news.rate.appLimited) advanceMaxBw(bbr);
    if (isProbeBw(bbr.state) && bbr.stoppedRisky && !bbr.probeTooHigh) {
      // It went as far as was known to be safe, and that was: the next one goes on from there.
      startRefill(bbr, connection);
      return true;
    }
  }
  if (lostTooMuch(news.rate.lost, news.rate.inFlightAtSend) && news.rate.priorAt >= 0) {
    if (bbr.probeSamples) tooHigh(bbr, connection, news.rate.inFlightAtSend, news.rate.appLimited, now);
    return false;
  }
  if (bbr.inflightHigh === Infinity || news.rate.priorAt < 0) return false;
  // To outlive losses by chance, what turns out to be safe is taken for safe, whenever it does.
  if (news.rate.inFlightAtSend > bbr.inflightHigh) bbr.inflightHigh = news.rate.inFlightAtSend;
  if (bbr.state === PROBE_BW_UP) probeUpward(bbr, connection, news);
  return false;
}

/** Draft 4.5.3, BBRHandleInflightTooHigh: the probe has lost too much. */
export function tooHigh(
  bbr: BbrState,
  connection: ControlBlock,
  inFlight: number,
  appLimited: boolean,
  now: number,
): void {
  bbr.probeTooHigh = true;
  bbr.probeSamples = false;
  if (!appLimited) bbr.inflightHigh = Math.max(inFlight, Math.floor(BETA * targetInflight(bbr, connection.cwnd)));
  if (bbr.state === PROBE_BW_UP) startDown(bbr, connection, now);
}

/** Draft 4.3.3.4, BBRProbeInflightLongTermUpward. */
function probeUpward(bbr: BbrState, connection: ControlBlock, news: AckNews): void {
  if (!connection.cwndLimited || connection.cwnd < bbr.inflightHigh) return;
  bbr.probeUpAcks += news.delivered;
  if (bbr.probeUpAcks >= bbr.probeUpCount) {
    const more = Math.floor(bbr.probeUpAcks / bbr.probeUpCount);
    bbr.probeUpAcks -= more * bbr.probeUpCount;
    bbr.inflightHigh += more;
  }
  if (bbr.roundStart) raiseSlope(bbr, connection);
}

/** Twice as many segments more in each round. */
function raiseSlope(bbr: BbrState, { cwnd }: ControlBlock): void {
  bbr.probeUpCount = Math.max(Math.floor(cwnd / 2 ** bbr.probeUpRounds), 1);
  bbr.probeUpRounds = Math.min(bbr.probeUpRounds + 1, MOST_DOUBLINGS);
}
