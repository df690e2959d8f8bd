/**
 * What BBR remembers of a path, and its constants: version 3, draft-ietf-ccwg-bbr-02, whose names these are; where the draft leaves things
 * open, as in Google's implementation for Linux. Windows and volumes are in segments, times in ms, bandwidths in segments per ms.
 */

// States, draft 3.3; those of ProbeBW are four.
export const STARTUP = 0;
export const DRAIN = 1;
export const PROBE_BW_DOWN = 2;
export const PROBE_BW_CRUISE = 3;
export const PROBE_BW_REFILL = 4;
export const PROBE_BW_UP = 5;
export const PROBE_RTT = 6;

/** Draft 4.2.1, BBR.ack_phase: which acknowledgments those of a probe are. */
export const ACKS_INIT = 0;
export const ACKS_REFILLING = 1;
export const ACKS_PROBE_STARTING = 2;
export const ACKS_PROBE_FEEDBACK = 3;
export const ACKS_PROBE_STOPPING = 4;

/** Draft 2.8: BBR.LossThresh, BBR.Beta, BBR.Headroom. */
export const LOSS_THRESHOLD = 0.02;
export const BETA = 0.7;
export const HEADROOM = 0.15;
/** BBR.MinPipeCwnd. */
export const LEAST_WINDOW = 4;

export const isProbeBw = (state: number) => state >= PROBE_BW_DOWN && state <= PROBE_BW_UP;

export class BbrState {
  state = STARTUP;
  pacingGain = 0;
  cwndGain = 0;

  // Rounds, draft 4.5.1: a round trip that ends when what was sent at its start is acknowledged.
  nextRoundDelivered = 0;
  roundStart = false;

  /** The largest bandwidth of the ProbeBW cycle before, and of this one: BBR.MaxBwFilter, draft 4.5.2. */
  maxBwBefore = 0;
  maxBwNow = 0;
  /** BBR.min_rtt and BBR.probe_rtt_min_delay with their stamps, draft 4.5.4; Infinity: not known. */
  minRtt = Infinity;
  minRttAt = 0;
  probeRttMin = Infinity;
  probeRttMinAt = 0;
  probeRttExpired = false;

  /** Upper bound of what is in flight, from probes that lost too much: BBR.inflight_longterm (inflight_hi). */
  inflightHigh = Infinity;
  /** Lower bounds until the next probe, from losses since the last one: BBR.bw_shortterm, BBR.inflight_shortterm (bw_lo, inflight_lo). */
  bwLow = Infinity;
  inflightLow = Infinity;
  /** Of the last round: the most that was delivered, and how fast, draft 4.5.3 ("latest"). */
  bwLatest = 0;
  inflightLatest = 0;
  lossRoundDelivered = 0;
  lossRoundStart = false;
  /** Pieces taken for lost in this round, and delivered before it. */
  lostInRound = 0;
  deliveredBeforeRound = 0;
  /** Acknowledgments of this round that told of losses; for Startup. */
  lossEvents = 0;

  // Startup's and ProbeBW_UP's search for a plateau, draft 4.3.1.2.
  fullBw = 0;
  fullBwCount = 0;
  fullBwNow = false;
  fullBwReached = false;

  // ProbeBW, draft 4.3.3.
  ackPhase = ACKS_INIT;
  /** Samples that come now are of a probe. */
  probeSamples = false;
  /** The last probe lost too much; this one ended, lest it would. */
  probeTooHigh = false;
  stoppedRisky = false;
  cycleStart = 0;
  probeWait = 0;
  roundsSinceProbe = 0;
  /** Growth of `inflightHigh` while probing: doublings, acknowledgments for a segment more, and those counted. */
  probeUpRounds = 0;
  probeUpCount = Infinity;
  probeUpAcks = 0;

  // ProbeRTT, draft 4.3.4. Infinity: not yet at the small window.
  probeRttUntil = Infinity;
  probeRttRoundDone = false;

  // Aggregation of acknowledgments, draft 4.5.5: the epoch, and the most beyond what the bandwidth explains, in this span of rounds and the one before.
  extraSince = 0;
  extraDelivered = 0;
  extraNow = 0;
  extraBefore = 0;
  extraRounds = 0;

  /** cwnd before recovery or ProbeRTT. */
  priorCwnd = 0;
  /** After idleness what is found first is old. */
  idleRestart = false;
  /** The congestion state at the last acknowledgment. */
  caState = 0;
  // To undo a reduction.
  undoBwLow = Infinity;
  undoInflightLow = Infinity;
  undoInflightHigh = Infinity;

  /** BBR.max_bw. */
  get maxBw(): number {
    return Math.max(this.maxBwBefore, this.maxBwNow);
  }

  /** BBR.bw: what is thought to be there for us now. */
  get bw(): number {
    return Math.min(this.maxBw, this.bwLow);
  }

  /** Draft 4.6.4.2: the bandwidth-delay product times `gain`, segments; Infinity while the round trip is not known. */
  product(bw: number, gain: number): number {
    return this.minRtt === Infinity ? Infinity : gain * bw * this.minRtt;
  }

  /** BBR.extra_acked. */
  get extraAcked(): number {
    return Math.max(this.extraNow, this.extraBefore);
  }

  /** Draft 4.3.3: probing for bandwidth, so that losses are no news. */
  get probing(): boolean {
    return this.state === STARTUP || this.state === PROBE_BW_REFILL || this.state === PROBE_BW_UP;
  }
}
