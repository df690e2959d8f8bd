/** BBR on the simulated bottleneck: which states it goes through, what it measures, and what losses do to it. draft-ietf-ccwg-bbr-02. */
import { expect } from 'chai';
import type { Impairment } from '../../../src/link/impaired.ts';
import { AckNews } from '../../../src/tcp/ack-news.ts';
import type { Bbr } from '../../../src/tcp/congestion/bbr.ts';
import {
  inflightAtLoss,
  inflightWithHeadroom,
  lostTooMuch,
  updateLowerBounds,
} from '../../../src/tcp/congestion/bbr-model.ts';
import {
  BbrState,
  DRAIN,
  PROBE_BW_CRUISE,
  PROBE_BW_DOWN,
  PROBE_BW_REFILL,
  PROBE_BW_UP,
  PROBE_RTT,
  STARTUP,
} from '../../../src/tcp/congestion/bbr-state.ts';
import type { ControlBlock } from '../../../src/tcp/control-block.ts';
import { BDP, RATE, RTT } from '../../experiments/measures.ts';
import { Network } from '../../experiments/network.ts';

const PACKET = 1500;
/** Segments that fit into the path, and leave it in a ms. */
const PIPE = BDP / PACKET;
const SPEED = PIPE / RTT;

class Run {
  readonly network: Network;
  now = 0;

  constructor(forward: Impairment = {}, controls: readonly string[] = ['bbr']) {
    this.network = new Network({
      rtt: RTT,
      controls,
      forward: { rate: RATE, queueBytes: BDP, queue: Infinity, ...forward },
    });
    this.until(1);
  }

  get connection(): ControlBlock {
    return this.network.flows[0]?.connection as ControlBlock;
  }

  get model(): BbrState {
    return (this.connection.congestion as Bbr).model;
  }

  until(at: number): void {
    this.now = at;
    this.network.clock.runUntil(at);
  }

  /** Goes on until the state is this. */
  untilState(state: number): this {
    const limit = this.now + 20_000;
    while (this.model.state !== state && this.now < limit) this.until(this.now + 1);
    expect(this.model.state).to.equal(state);
    return this;
  }

  /** Segments per ms that reach the receiver in this time. */
  speed(ms: number): number {
    const [flow] = this.network.flows;
    const before = flow?.received ?? 0;
    this.until(this.now + ms);
    return ((flow?.received ?? 0) - before) / 1448 / ms;
  }
}

describe('BBR', function () {
  this.timeout(30_000);

  it('4.3.1: Startup doubles in a round trip, and ends three rounds after the bandwidth has stopped growing', () => {
    const run = new Run();
    run.until(5 * RTT);
    expect(run.model.state).to.equal(STARTUP);
    const before = run.model.maxBw;
    run.until(7 * RTT);
    expect(run.model.maxBw / before).to.be.within(3, 5);
    run.untilState(DRAIN);
    expect(run.now).to.be.within(8 * RTT, 14 * RTT);
    expect(run.model.maxBw / SPEED).to.be.within(0.97, 1.03);
    expect(run.model.minRtt).to.be.within(RTT, RTT + 0.2);
  });

  it('4.3.2: Drain lasts until no more is in flight than fits into the path', () => {
    const run = new Run();
    run.untilState(DRAIN);
    expect(run.connection.runs.inFlight()).to.be.above(1.5 * PIPE);
    while (run.model.state === DRAIN) run.until(run.now + 1);
    expect(run.connection.runs.inFlight()).to.be.within(0.9 * PIPE, 1.02 * PIPE);
  });

  it('4.3.3: DOWN, CRUISE, REFILL, UP, and again; 2 to 3 s, or 25 rounds, between probes', () => {
    const run = new Run().untilState(PROBE_BW_CRUISE);
    const start = run.now;
    run.untilState(PROBE_BW_REFILL);
    expect(run.now - start).to.be.within(23 * RTT, 27 * RTT);
    const refill = run.now;
    run.untilState(PROBE_BW_UP);
    expect(run.now - refill).to.be.within(RTT, 2 * RTT);
    run.untilState(PROBE_BW_DOWN).untilState(PROBE_BW_CRUISE).untilState(PROBE_BW_REFILL);
  });

  it('4.6.1: each state has its pacing rate, a hundredth below gain times bandwidth', () => {
    const run = new Run();
    for (const [state, gain] of [
      [DRAIN, 0.5],
      [PROBE_BW_DOWN, 0.9],
      [PROBE_BW_CRUISE, 1],
      [PROBE_BW_UP, 1.25],
    ] as const) {
      run.untilState(state);
      const rate = run.connection.pacer?.rate ?? 0;
      expect(rate / (run.model.bw * run.connection.sndMss * 1000)).to.be.closeTo(gain * 0.99, 0.001);
    }
  });

  it('4.3.3.2: in CRUISE as much is in flight as fits into the path, and no queue is made', () => {
    const run = new Run().untilState(PROBE_BW_CRUISE);
    run.until(run.now + 500);
    expect(run.connection.runs.inFlight()).to.be.within(0.93 * PIPE, 1.05 * PIPE);
    expect(run.connection.srttUs / 1000).to.be.within(RTT, RTT + 3);
    expect(run.speed(500) / (SPEED * 0.99)).to.be.within(0.97, 1.01);
  });

  it('4.3.3.4: UP makes a queue, and finds no more bandwidth', () => {
    const run = new Run().untilState(PROBE_BW_UP);
    const { maxBw } = run.model;
    run.untilState(PROBE_BW_DOWN);
    expect(run.connection.srttUs / 1000).to.be.above(1.2 * RTT);
    expect(run.model.maxBw / maxBw).to.be.within(0.98, 1.02);
  });

  it('4.3.4: every five seconds half a pipe for 200 ms and a round, then the window that was', () => {
    const run = new Run().untilState(PROBE_RTT);
    expect(run.now).to.be.within(5000, 10_600);
    const { priorCwnd } = run.model;
    const entered = run.now;
    run.until(run.now + 150);
    expect(run.connection.cwnd).to.be.within(0.45 * PIPE, 0.55 * PIPE);
    run.untilState(PROBE_BW_CRUISE);
    expect(run.now - entered).to.be.within(200, 200 + 3 * RTT);
    expect(run.connection.cwnd).to.be.within(0.8 * priorCwnd, priorCwnd);
    run.untilState(PROBE_RTT);
    // Later, when a shorter round trip was found meanwhile.
    expect(run.now - entered).to.be.within(5000, 10_600);
  });

  it('a shallow queue: a probe that loses more than 2 % ends, and what was in flight then is the bound', () => {
    const run = new Run({ queueBytes: BDP / 5 }).untilState(PROBE_BW_UP);
    run.untilState(PROBE_BW_DOWN);
    const high = run.model.inflightHigh;
    expect(high).to.be.within(0.7 * PIPE, 1.4 * PIPE);
    run.untilState(PROBE_BW_CRUISE);
    // 4.6.4.3: with room for others.
    expect(inflightWithHeadroom(run.model)).to.be.closeTo(0.85 * run.model.inflightHigh, 1.01);
    expect(run.connection.cwnd).to.be.at.most(inflightWithHeadroom(run.model));
  });

  it('losses by chance of 1 % cost little; of 8 %, the bounds come down', () => {
    const few = new Run({ loss: 0.01 }).untilState(PROBE_BW_CRUISE);
    // The window that was open before takes a while to follow.
    few.until(few.now + 500);
    expect(few.speed(1000) / SPEED).to.be.above(0.9);
    const many = new Run({ loss: 0.08 });
    let low = Infinity;
    for (let i = 0; i < 30; i++) {
      many.until(many.now + 100);
      low = Math.min(low, many.model.bwLow);
    }
    expect(low).to.be.below(0.97 * SPEED);
  });

  it('after a timeout the window is back as soon as what was lost is acknowledged', () => {
    let dark = false;
    const run = new Run({ rule: () => (dark ? 'drop' : 'pass') }).untilState(PROBE_BW_CRUISE);
    const { cwnd } = run.connection;
    dark = true;
    run.until(run.now + 400);
    expect(run.connection.cwnd).to.be.below(10);
    dark = false;
    run.until(run.now + 800);
    expect(run.connection.cwnd).to.be.above(0.6 * cwnd);
    expect(run.speed(500) / SPEED).to.be.above(0.85);
  });

  it('an undone reduction gives the bounds back', () => {
    const run = new Run().untilState(PROBE_BW_CRUISE);
    const { congestion, cwnd } = run.connection;
    congestion.ssthresh(run.connection);
    run.model.bwLow = 1;
    run.model.inflightLow = 10;
    run.connection.cwnd = 10;
    expect(congestion.undoWindow?.(run.connection)).to.equal(cwnd);
    expect(run.model).to.include({ bwLow: Infinity, inflightLow: Infinity });
  });

  it('another control may take its place, and it that of another', () => {
    const run = new Run({}, ['cubic']);
    run.until(1000);
    expect(run.connection.pacer).to.equal(undefined);
  });

  it('4.5.3: a round that lost more than 2 % brings the lower bounds down: to what it delivered, by three tenths at most', () => {
    for (const [lost, latest, bw, inflight] of [
      [2, 0.9, 1, 100],
      [3, 0.9, 0.9, 90],
      [3, 0.5, 0.7, 70],
    ] as const) {
      const model = new BbrState();
      Object.assign(model, { state: PROBE_BW_CRUISE, lossRoundStart: true, maxBwNow: 1, bwLow: 1, inflightLow: 100 });
      Object.assign(model, { bwLatest: latest, inflightLatest: 100 * latest });
      const connection = { cwnd: 100, runs: { delivered: 100 } } as ControlBlock;
      updateLowerBounds(model, connection, Object.assign(new AckNews(), { lost }));
      expect(model.bwLow, `${lost} lost`).to.be.closeTo(bw, 1e-9);
      expect(model.inflightLow, `${lost} lost`).to.be.closeTo(inflight, 1e-9);
    }
  });

  it('4.3.3.4: UP ends without losses, too, three rounds after the bandwidth has stopped growing', () => {
    const run = new Run({ queueBytes: Infinity }).untilState(PROBE_BW_UP);
    const start = run.now;
    run.untilState(PROBE_BW_DOWN);
    expect(run.now - start).to.be.below(8 * RTT);
  });

  it('what is too much: more than 2 % of what was in flight', () => {
    expect(lostTooMuch(2, 100)).to.equal(false);
    expect(lostTooMuch(3, 100)).to.equal(true);
    expect(lostTooMuch(0, 0)).to.equal(false);
  });

  it('4.5.3, BBRInflightAtLoss: the burst became too much where its losses reached 2 %', () => {
    // 100 in flight before a burst of 10 that was lost whole: two of it would have been too much.
    expect(inflightAtLoss(110, 10, 10)).to.equal(Math.floor(100 + 2 / 0.98));
    expect(inflightAtLoss(110, 20, 10)).to.equal(100);
    expect(inflightAtLoss(5, 10, 10)).to.equal(Infinity);
  });

  it('headroom: 15 % of the bound, at least one segment, and four are left', () => {
    const model = new BbrState();
    expect(inflightWithHeadroom(model)).to.equal(Infinity);
    for (const [bound, with15] of [
      [100, 85],
      [6, 5],
      [4, 4],
    ] as const) {
      model.inflightHigh = bound;
      expect(inflightWithHeadroom(model)).to.equal(with15);
    }
  });
});
