/** CUBIC on an ideal path: one round of acknowledgments per round trip, losses where the test wants them. */
import { expect } from 'chai';
import { defaultConfig } from '../../../src/tcp/config.ts';
import { congestionControl, congestionControls } from '../../../src/tcp/congestion/congestion.ts';
import { Cubic } from '../../../src/tcp/congestion/cubic.ts';
import type { ControlBlock } from '../../../src/tcp/control-block.ts';
import { TcpCounters } from '../../../src/tcp/counters.ts';
import { Pacer } from '../../../src/tcp/pacer.ts';

/** What the algorithms look at. */
function flow(cwnd: number, ssthresh: number): ControlBlock {
  const context = { config: defaultConfig(), counters: new TcpCounters() };
  return { cwnd, ssthresh, cwndCount: 0, sndUna: 0, sndNxt: 0, context } as ControlBlock;
}

const RTT = 100;

class Path {
  readonly connection: ControlBlock;
  readonly control = new Cubic();
  now = 0;

  constructor(cwnd: number, ssthresh: number) {
    this.connection = flow(cwnd, ssthresh);
    this.control.measured(this.connection, RTT * 1000, 0);
  }

  /** A round trip in which everything sent is acknowledged, segment by segment. */
  round(): void {
    const sent = this.connection.cwnd;
    for (let i = 0; i < sent; i++) {
      this.now += RTT / sent;
      this.control.measured(this.connection, RTT * 1000, this.now);
      this.control.acknowledged(this.connection, 1, this.now);
    }
  }

  /** A loss, and the round trip of its recovery. */
  lose(): void {
    this.connection.ssthresh = this.control.ssthresh(this.connection);
    this.connection.cwnd = this.connection.ssthresh;
    this.connection.cwndCount = 0;
    this.now += RTT;
  }

  /** An RTT sample, some ms after the last. */
  sample(rttUs: number, later: number): void {
    this.now += later;
    this.control.measured(this.connection, rttUs, this.now);
  }

  rounds(ms: number): void {
    for (const end = this.now + ms; this.now < end - RTT / 2; ) this.round();
  }
}

/** The average window with a loss once every `period` segments. */
function averageWindow(period: number): number {
  const path = new Path(10, 50);
  let sent = 0;
  let [sum, count] = [0, 0];
  while (count < 4000) {
    const before = Math.floor(sent / period);
    sent += path.connection.cwnd;
    if (Math.floor(sent / period) > before) path.lose();
    else path.round();
    if (path.now > 100_000) {
      sum += path.connection.cwnd;
      count++;
    }
  }
  return sum / count;
}

describe('CUBIC, RFC 8312, RFC 9293 3.8.2 [MAY-18]', () => {
  it('RFC 8312 4.5: takes 0.7 of the window after a loss, two segments at least', () => {
    const path = new Path(1000, 500);
    expect(path.control.ssthresh(path.connection)).to.equal(700);
    path.connection.cwnd = 2;
    expect(path.control.ssthresh(path.connection)).to.equal(2);
  });

  it('RFC 8312 4.1: is back at W_max after K = cubic_root (W_max * 0.3 / C), flat there, and goes beyond', () => {
    const path = new Path(1000, 500);
    path.lose();
    const k = Math.cbrt((1000 * (1 - 717 / 1024)) / 0.4) * 1000;
    path.rounds(k * 0.5);
    // Half the time, an eighth of the way is left.
    expect(path.connection.cwnd).to.be.within(945, 975);
    path.rounds(k * 0.5);
    expect(path.connection.cwnd).to.be.within(985, 1003);
    const plateau = path.connection.cwnd;
    path.rounds(1000);
    expect(path.connection.cwnd - plateau).to.be.within(0, 4);
    path.rounds(k - 1000);
    expect(path.connection.cwnd).to.be.above(1200);
  });

  it('RFC 8312 4.6: makes room when a loss comes before the window is back', () => {
    const [path, other] = [new Path(1000, 500), new Path(1000, 500)];
    path.lose();
    path.connection.cwnd = 900;
    path.control.ssthresh(path.connection);
    path.connection.cwnd = path.connection.ssthresh = 630;
    other.connection.cwnd = 900;
    other.control.ssthresh(other.connection);
    other.connection.cwnd = other.connection.ssthresh = 630;
    // The plateau of the first lies at 900 * 0.85, that of the second at 900: it takes longer to get there, and it is higher.
    path.rounds(5000);
    other.rounds(5000);
    expect(path.connection.cwnd).to.be.below(785);
    expect(other.connection.cwnd).to.be.above(800);
  });

  it('RFC 8312 4.2: grows no slower than Reno does, on a short path', () => {
    const path = new Path(40, 20);
    path.lose();
    const start = path.connection.cwnd;
    path.rounds(40 * RTT);
    // W_est: 3 * 0.3 / 1.7 segments a round trip.
    expect(path.connection.cwnd - start).to.be.within(19, 24);
  });

  it('a pause of the sender is not counted as time to grow in', () => {
    const [path, other] = [new Path(1000, 500), new Path(1000, 500)];
    path.lose();
    other.lose();
    path.rounds(2000);
    other.rounds(2000);
    path.now += 60_000;
    path.control.resumed(path.connection, 60_000);
    path.rounds(1000);
    other.rounds(1000);
    expect(path.connection.cwnd).to.be.closeTo(other.connection.cwnd, 2);
  });

  it('below ssthresh it is in slow start, and what is left over counts above', () => {
    const path = new Path(10, 100);
    path.round();
    expect(path.connection.cwnd).to.equal(20);
    path.control.acknowledged(path.connection, 81, path.now);
    expect(path.connection).to.include({ cwnd: 100, cwndCount: 1 });
  });

  it('after a timeout nothing is remembered: growth without a plateau, by a segment for 20 (Linux)', () => {
    const path = new Path(1000, 500);
    path.lose();
    path.control.timedOut();
    path.connection.cwnd = path.connection.ssthresh = 350;
    path.rounds(3000);
    // 30 round trips of a twentieth more; on the way back to W_max it would be 731.
    expect(path.connection.cwnd).to.be.within(350 * 1.05 ** 28, 350 * 1.05 ** 30);
  });

  for (const [period, window] of [
    [100, 12],
    [1000, 38],
    [10_000, 187],
    [100_000, 1054],
  ] as const) {
    it(`RFC 8312 5.1, table 1: an average of ${window} segments with a loss every ${period} (within a quarter)`, () => {
      expect(averageWindow(period)).to.be.within(window * 0.75, window * 1.25);
    });
  }

  it('each connection has its own, from the first acknowledgment or loss on', () => {
    expect(congestionControls().slice(0, 4)).to.deep.equal(['reno', 'cubic', 'dctcp', 'bbr']);
    const resting = congestionControl('cubic');
    const uses: ((control: typeof resting, connection: ControlBlock) => void)[] = [
      (control, connection) => control.measured?.(connection, RTT * 1000, 0),
      (control, connection) => control.acknowledged(connection, 1, 0),
      (control, connection) => expect(control.ssthresh(connection)).to.equal(7),
      (control, connection) => expect(control.markedSsthresh?.(connection)).to.equal(8),
    ];
    const used = uses.map((use) => {
      const connection = flow(10, 5);
      connection.congestion = congestionControl('cubic');
      use(connection.congestion, connection);
      const { congestion } = connection;
      expect(congestion).to.be.an.instanceof(Cubic);
      // Who has read it before it was replaced meets the same.
      use(resting, connection);
      expect(connection.congestion).to.equal(congestion);
      return congestion;
    });
    expect(new Set(used).size).to.equal(uses.length);
    expect(() => congestionControl('vegas')).to.throw(
      RangeError,
      "no congestion control 'vegas': there is reno, cubic, dctcp, bbr",
    );
  });
});

describe('HyStart', () => {
  function slowStarting(cwnd: number): Path {
    return new Path(cwnd, 0x7fffffff);
  }

  /** The next acknowledgment is beyond the first round, of which nothing counts any more. */
  function nextRound(path: Path): void {
    path.connection.sndUna = 1;
    path.connection.sndNxt = 1000;
  }

  it('leaves slow start when the round trips of a round grow by an eighth', () => {
    const path = slowStarting(100);
    nextRound(path);
    for (let i = 0; i < 8; i++) path.sample(113_000, 5);
    expect(path.connection.ssthresh).to.equal(0x7fffffff);
    path.sample(113_000, 5);
    expect(path.connection.ssthresh).to.equal(100);
  });

  it('does not for less, nor below 16 segments, nor for a single long one', () => {
    for (const [cwnd, rtt] of [
      [100, 112_000],
      [15, 150_000],
    ] as const) {
      const path = slowStarting(cwnd);
      nextRound(path);
      for (let i = 0; i < 20; i++) path.sample(rtt, 5);
      expect(path.connection.ssthresh).to.equal(0x7fffffff);
    }
    const path = slowStarting(100);
    nextRound(path);
    for (let i = 0; i < 20; i++) path.sample(i === 10 ? 200_000 : 100_000, 5);
    expect(path.connection.ssthresh).to.equal(0x7fffffff);
  });

  it('leaves slow start when a train of ACKs is half a round trip long', () => {
    const path = slowStarting(100);
    while (path.now < 49) path.sample(100_000, 1);
    expect(path.connection.ssthresh).to.equal(0x7fffffff);
    for (let i = 0; i < 4; i++) path.sample(100_000, 1);
    expect(path.connection.ssthresh).to.equal(100);
  });

  it('paced, a train has to be as long as the round trip, and a millisecond more', () => {
    const path = slowStarting(100);
    path.connection.pacer = new Pacer();
    while (path.now < 100) path.sample(100_000, 1);
    expect(path.connection.ssthresh).to.equal(0x7fffffff);
    for (let i = 0; i < 4; i++) path.sample(100_000, 1);
    expect(path.connection.ssthresh).to.equal(100);
  });

  it('a train ends with a gap', () => {
    const path = slowStarting(100);
    while (path.now < 120) path.sample(100_000, 3);
    expect(path.connection.ssthresh).to.equal(0x7fffffff);
  });
});
