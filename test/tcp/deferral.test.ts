/** Bursts that are put off until the next acknowledgment, as Linux does it. */
import { expect } from 'chai';
import type { TcpConfig } from '../../src/tcp/config.ts';
import { establishedAfter, info } from '../support/wire-info.ts';
import type { WirePeer } from '../support/wire-peer.ts';

const MSS = 1460;
const RTT = 10;
const at = (i: number) => 1 + i * MSS;

/** Forty segments are out, and were sent a round trip ago; many more wait. A burst is eight segments: a millisecond of twice a window per round trip. */
async function busy(sysctl: Partial<TcpConfig> = {}): Promise<WirePeer> {
  const t = await establishedAfter(RTT, { sysctl, offload: true, win: 65_535, options: { mss: MSS, wscale: 7 } });
  t.write(300 * MSS);
  t.drain();
  for (const [acked] of [[10], [30]] as const) {
    await t.advance(RTT);
    t.inject({ seq: 1, ack: at(acked) });
    t.drain();
  }
  expect(info(t)).to.include({ tcpi_snd_cwnd: 40, tcpi_unacked: 40 });
  await t.advance(RTT);
  return t;
}

/** Segments that leave when two are acknowledged, so many ms after the last. */
async function answers(t: WirePeer, count: number, spacing: number): Promise<number[]> {
  const sent: number[] = [];
  for (let i = 1; i <= count; i++) {
    t.inject({ seq: 1, ack: at(30 + 2 * i) });
    sent.push(t.drain().reduce((sum, { length }) => sum + length / MSS, 0));
    await t.advance(spacing);
  }
  return sent;
}

describe('bursts that are put off', () => {
  it('what acknowledgments in close order allow leaves a burst at a time', async () => {
    // The first comes after a silence. Then each two that are acknowledged make room for four.
    // As the window grows, so does a burst: to nine.
    expect(await answers(await busy(), 6, 0.1)).to.deep.equal([4, 0, 8, 0, 0, 12]);
  });

  it('not for longer than a millisecond', async () => {
    expect(await answers(await busy(), 4, 1.1)).to.deep.equal([4, 4, 4, 4]);
  });

  it('a share of the window is enough: 1 of tcp_tso_win_divisor; with 0, more than three segments', async () => {
    expect(await answers(await busy({ tcp_tso_win_divisor: 10 }), 3, 0.1)).to.deep.equal([4, 0, 8]);
    expect(await answers(await busy({ tcp_tso_win_divisor: 11 }), 2, 0.1)).to.deep.equal([4, 4]);
    expect(await answers(await busy({ tcp_tso_win_divisor: 0 }), 3, 0.1)).to.deep.equal([4, 4, 4]);
  });

  it('tcp_min_tso_segs is a burst at least', async () => {
    expect(await answers(await busy({ tcp_min_tso_segs: 12 }), 4, 0.1)).to.deep.equal([4, 0, 0, 12]);
  });

  it('the end of what there is does not wait, nor what is paced', async () => {
    const t = await establishedAfter(RTT, { offload: true, options: { mss: MSS, wscale: 7 } });
    t.write(44 * MSS);
    t.drain();
    for (const acked of [10, 30]) {
      await t.advance(RTT);
      t.inject({ seq: 1, ack: at(acked) });
      t.drain();
    }
    t.write(3 * MSS);
    await t.advance(RTT);
    t.inject({ seq: 1, ack: at(32) });
    expect(info(t).tcpi_notsent_bytes).to.equal(0);
  });
});
