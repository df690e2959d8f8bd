/** Which congestion control a connection has, one of one's own among them, and what a change brings. */
import { expect } from 'chai';
import { IPPROTO_TCP, TCP_CONGESTION } from '../../../src/socket/constants.ts';
import { ENOENT } from '../../../src/socket/errno.ts';
import {
  type CongestionControl,
  congestionControl,
  congestionControls,
  registerCongestionControl,
} from '../../../src/tcp/congestion/congestion.ts';
import type { ControlBlock } from '../../../src/tcp/control-block.ts';
import { establishedAfter, info } from '../../support/wire-info.ts';
import type { WirePeer } from '../../support/wire-peer.ts';

const MSS = 1460;
const at = (i: number) => 1 + i * MSS;

function connection(t: WirePeer): ControlBlock {
  return t.socket.connection as ControlBlock;
}

function choose(t: WirePeer, name: string): number {
  return t.socket.setsockopt(IPPROTO_TCP, TCP_CONGESTION, name);
}

describe('the congestion control of a connection', () => {
  it('chosen late, BBR begins with what is known of the path, and is paced from then on', async () => {
    const t = await establishedAfter(100);
    expect(connection(t).pacer).to.equal(undefined);
    expect(choose(t, 'bbr')).to.equal(0);
    // 2.77 times ten segments in 100 ms.
    expect(info(t).tcpi_pacing_rate).to.equal(Math.floor((2.77 * 10 * MSS * 1000) / 100));
    t.write(40 * MSS);
    expect(t.drain()).to.have.length(10);
    await t.advance(100);
    t.inject({ seq: 1, ack: at(10) });
    // It leaves at the pace: two segments, and more later.
    expect(t.drain()).to.have.length(2);
    await t.advance(60);
    expect(t.drain().length).to.be.above(2);
  });

  it('BBR that is left leaves the window; what comes is paced by window and round trip (Linux)', async () => {
    const t = await establishedAfter(100, { sysctl: { tcp_congestion_control: 'bbr' } });
    t.write(10 * MSS);
    t.drain();
    await t.advance(100);
    t.inject({ seq: 1, ack: at(10) });
    const { cwnd, runs } = connection(t);
    expect(runs.onLost).to.be.a('function');
    expect(choose(t, 'reno')).to.equal(0);
    expect(runs.onLost).to.equal(undefined);
    expect(connection(t).cwnd).to.equal(cwnd);
    expect(info(t).tcpi_pacing_rate).to.equal(Math.floor((2 * cwnd * MSS * 1e6) / info(t).tcpi_rtt));
  });

  it('default_qdisc fq: every connection is paced, at twice a window per round trip in slow start', async () => {
    const t = await establishedAfter(100, { sysctl: { default_qdisc: 'fq' } });
    t.write(40 * MSS);
    expect(t.drain()).to.have.length(10);
    await t.advance(100);
    t.inject({ seq: 1, ack: at(10) });
    const leave = [];
    for (let i = 0; i < 6; i++) {
      leave.push(t.drain().length);
      await t.advance(2.5);
    }
    expect(leave).to.deep.equal([2, 2, 0, 2, 0, 2]);
  });

  it('there is none of another name', async () => {
    const t = await establishedAfter(100);
    expect(choose(t, 'vegas')).to.equal(-ENOENT);
    expect(connection(t).congestion.name).to.equal('reno');
  });

  it('registerCongestionControl: one of one’s own, under a name that is free', async () => {
    const fixed: CongestionControl = { name: 'fixed', ssthresh: () => 7, acknowledged: () => {} };
    registerCongestionControl('fixed', () => fixed);
    expect(congestionControls()).to.include('fixed');
    expect(congestionControl('fixed')).to.equal(fixed);
    const t = await establishedAfter(100, { sysctl: { tcp_congestion_control: 'fixed' } });
    t.write(20 * MSS);
    t.drain();
    t.inject({ seq: 1, ack: at(10) });
    expect(info(t).tcpi_snd_cwnd).to.equal(10);
    for (const [name, complaint] of [
      ['fixed', 'registerCongestionControl: there is a congestion control fixed already'],
      ['', 'registerCongestionControl: a name has 1 to 15 characters, got '],
      ['sixteen-letters-', 'registerCongestionControl: a name has 1 to 15 characters, got sixteen-letters-'],
    ] as const) {
      expect(() => registerCongestionControl(name, () => fixed)).to.throw(RangeError, complaint);
    }
  });
});
