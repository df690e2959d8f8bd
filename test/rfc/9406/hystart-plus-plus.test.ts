/** RFC 9406: HyStart++, round by round: segments are acknowledged one by one, with the round trips that the test wants. */
import { expect } from 'chai';
import { defaultConfig } from '../../../src/tcp/config.ts';
import { Cubic } from '../../../src/tcp/congestion/cubic.ts';
import { type ControlBlock, INFINITE_SSTHRESH } from '../../../src/tcp/control-block.ts';
import { TcpCounters } from '../../../src/tcp/counters.ts';
import { Pacer } from '../../../src/tcp/pacer.ts';

class SlowStart {
  readonly control = new Cubic();
  readonly connection: ControlBlock;
  now = 0;

  constructor(cwnd = 10, hystart = 2) {
    const context = { config: { ...defaultConfig(), hystart }, counters: new TcpCounters() };
    const state = { cwnd, ssthresh: INFINITE_SSTHRESH, cwndCount: 0, sndUna: 0, sndNxt: cwnd, context };
    this.connection = state as ControlBlock;
  }

  /** A window of segments is acknowledged, `each` at a time, after `rtt` ms. */
  round(rtt: number, each = 1): void {
    const { connection } = this;
    const end = connection.sndNxt;
    this.now += rtt;
    while (connection.sndUna < end) {
      const acked = Math.min(each, end - connection.sndUna);
      connection.sndUna += acked;
      this.control.measured(connection, rtt * 1000, this.now);
      this.control.acknowledged(connection, acked, this.now);
      connection.sndNxt = connection.sndUna + connection.cwnd;
    }
  }

  /** Slow start until the window is at least this. */
  static to(cwnd: number): SlowStart {
    const flow = new SlowStart();
    while (flow.connection.cwnd < cwnd) flow.round(100);
    return flow;
  }
}

describe('RFC 9406: HyStart++', () => {
  it('RFC 9406 4.2: doubles in each round while the round trips stay', () => {
    const flow = new SlowStart();
    flow.round(100);
    flow.round(100);
    expect(flow.connection).to.include({ cwnd: 40, ssthresh: INFINITE_SSTHRESH });
  });

  it('RFC 9406 4.2: cwnd grows by L = 8 segments for an acknowledgment at most', () => {
    const flow = new SlowStart(40);
    flow.round(100, 20);
    expect(flow.connection.cwnd).to.equal(40 + 2 * 8);
  });

  it('RFC 9406 4.3: by any number when it is paced', () => {
    const flow = new SlowStart(40);
    flow.connection.pacer = new Pacer();
    flow.round(100, 20);
    expect(flow.connection.cwnd).to.equal(80);
  });

  it('RFC 9406 4.2: a round that is an eighth longer makes it grow by a quarter of the pace; ssthresh stays', () => {
    const flow = SlowStart.to(80);
    flow.round(113);
    // The eighth sample is what tells: seven segments and then a quarter of 73.
    expect(flow.connection.cwnd).to.equal(80 + 7 + Math.floor(73 / 4));
    expect(flow.connection.ssthresh).to.equal(INFINITE_SSTHRESH);
  });

  it('RFC 9406 4.3: less than RttThresh is no sign: an eighth of the round trip, 4 ms at least and 16 ms at most', () => {
    for (const [before, after, slows] of [
      [100, 112, false],
      [10, 13.9, false],
      [10, 14.1, true],
      [400, 415, false],
      [400, 417, true],
    ] as const) {
      const flow = new SlowStart(80);
      flow.round(before);
      flow.round(after);
      expect(flow.connection.cwnd, `${before}, ${after}`).to.equal(slows ? 160 + 7 + Math.floor(153 / 4) : 320);
    }
  });

  it('RFC 9406 4.3: it takes N_RTT_SAMPLE = 8 samples', () => {
    const flow = new SlowStart(10);
    flow.round(100);
    // Seven acknowledgments for the whole window.
    flow.round(150, 3);
    expect(flow.connection.cwnd).to.equal(40);
  });

  it('RFC 9406 4.2: after CSS_ROUNDS = 5 rounds ssthresh is cwnd', () => {
    const flow = SlowStart.to(80);
    for (let i = 0; i < 5; i++) flow.round(113);
    expect(flow.connection.ssthresh).to.equal(INFINITE_SSTHRESH);
    flow.round(113);
    expect(flow.connection.ssthresh).to.be.within(200, 330);
    expect(flow.connection.cwnd - flow.connection.ssthresh).to.be.within(0, 20);
  });

  it('RFC 9406 4.2: shorter round trips than when it began say that it was a false alarm', () => {
    const flow = SlowStart.to(80);
    flow.round(113);
    const { cwnd } = flow.connection;
    flow.round(101);
    expect(flow.connection.cwnd).to.be.above(cwnd * 1.8);
    for (let i = 0; i < 3; i++) flow.round(101);
    expect(flow.connection.ssthresh).to.equal(INFINITE_SSTHRESH);
  });

  it('RFC 9406 4.3: slow start after a loss is the standard one', () => {
    const flow = SlowStart.to(80);
    flow.connection.ssthresh = 500;
    flow.round(130, 20);
    expect(flow.connection.cwnd).to.equal(160);
  });

  it('hystart = 0: slow start is left to the first loss; 1: HyStart', () => {
    const [off, linux] = [new SlowStart(80, 0), new SlowStart(80, 1)];
    for (const flow of [off, linux]) {
      flow.round(100);
      flow.round(150);
    }
    expect(off.connection).to.include({ cwnd: 320, ssthresh: INFINITE_SSTHRESH });
    expect(linux.connection.ssthresh).to.be.within(160, 175);
  });
});
