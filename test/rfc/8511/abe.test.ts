/** RFC 8511: less is given up for a mark than for a loss. */
import { expect } from 'chai';
import type { TcpConfig } from '../../../src/tcp/config.ts';
import { info } from '../../support/wire-info.ts';
import { WirePeer } from '../../support/wire-peer.ts';

const MSS = 1000;
const at = (i: number) => 1 + i * MSS;

/** A window of `cwnd` segments in congestion avoidance is out, 10 segments of it not acknowledged. */
async function avoiding(sysctl: Partial<TcpConfig>): Promise<WirePeer> {
  const t = new WirePeer({
    active: true,
    options: { mss: MSS, sackOk: true },
    sysctl: { tcp_ecn: 1, tcp_recovery: 0, ...sysctl },
  });
  t.connect();
  t.drain();
  t.inject({ seq: 0, ack: 1, flags: 'SAE', options: t.synOptions });
  t.write(40 * MSS);
  t.drain();
  t.inject({ ack: at(10), flags: 'AE' });
  for (let i = 11; i <= 30; i++) {
    t.inject({ ack: at(i) });
    // The round trip is 0, and CUBIC grows with time.
    await t.advance(100);
  }
  t.drain();
  return t;
}

function lose(t: WirePeer): void {
  for (const end of [32, 33, 34]) t.inject({ ack: at(30), options: { sack: [[at(31), at(end)]] } });
}

describe('RFC 8511 3: Alternative Backoff with ECN', () => {
  for (const [name, loss, mark] of [
    ['reno', 0.5, 0.8],
    ['cubic', 0.7, 0.85],
  ] as const) {
    it(`${name}: ${mark} of the window for a mark, ${loss} for a loss`, async () => {
      const marked = await avoiding({ tcp_congestion_control: name, tcp_abe: true });
      const { tcpi_snd_cwnd: cwnd, tcpi_snd_ssthresh: before } = info(marked);
      expect(cwnd).to.be.above(before);
      marked.inject({ ack: at(31), flags: 'AE' });
      expect(info(marked).tcpi_snd_ssthresh).to.equal(Math.floor(cwnd * mark));
      const lossy = await avoiding({ tcp_congestion_control: name, tcp_abe: true });
      lose(lossy);
      expect(info(lossy).tcpi_snd_ssthresh).to.be.within(Math.floor(cwnd * loss) - 1, Math.ceil(cwnd * loss));
    });

    it(`${name}: off by default, as on Linux`, async () => {
      const t = await avoiding({ tcp_congestion_control: name });
      const { tcpi_snd_cwnd: cwnd } = info(t);
      t.inject({ ack: at(31), flags: 'AE' });
      expect(info(t).tcpi_snd_ssthresh).to.equal(Math.floor(cwnd * loss));
    });
  }

  it('4: not in slow start', () => {
    const t = new WirePeer({ active: true, options: { mss: MSS }, sysctl: { tcp_ecn: 1, tcp_abe: true } });
    t.connect();
    t.drain();
    t.inject({ seq: 0, ack: 1, flags: 'SAE', options: t.synOptions });
    t.write(10 * MSS);
    t.drain();
    t.inject({ ack: at(1), flags: 'AE' });
    expect(info(t).tcpi_snd_ssthresh).to.equal(5);
  });
});
