/** RFC 7661 and RFC 2861, as Linux has them: a window that the application does not use decays. Reno; the round trip is 100 ms. */
import { expect } from 'chai';
import { POLLOUT, SO_SNDBUF, SOL_SOCKET } from '../../../src/socket/constants.ts';
import { establishedAfter, info } from '../../support/wire-info.ts';
import { at, MSS, sack } from '../../support/wire-out.ts';
import type { PeerOptions, WirePeer } from '../../support/wire-peer.ts';

const WIDE: PeerOptions = { options: { mss: MSS, sackOk: true, wscale: 7 }, win: 20_000 };

/** cwnd is 80 and nothing is out; all 70 segments have been acknowledged. */
async function roomy(sysctl = {}): Promise<WirePeer> {
  const t = await establishedAfter(100, { ...WIDE, sysctl });
  t.write(70 * MSS);
  for (let out = t.drain().length, done = 0; out > 0; out = t.drain().length) {
    await t.advance(100);
    done += out;
    t.inject({ ack: at(done) });
  }
  expect(info(t)).to.include({ tcpi_snd_cwnd: 80, tcpi_unacked: 0 });
  return t;
}

/** Five segments in a round trip, `rounds` times. */
async function fewAtATime(t: WirePeer, rounds: number, from = 70): Promise<void> {
  for (let i = 1; i <= rounds; i++) {
    t.write(5 * MSS);
    t.drain();
    await t.advance(100);
    t.inject({ ack: at(from + 5 * i) });
  }
}

describe('RFC 2861 3.2: the window is not used', () => {
  it('for an RTO: half of what lies beyond the use, or the initial window, is given back', async () => {
    const t = await roomy();
    await fewAtATime(t, 2);
    expect(info(t).tcpi_snd_cwnd).to.equal(80);
    await fewAtATime(t, 1, 80);
    expect(info(t).tcpi_snd_cwnd).to.equal((80 + 10) / 2);
    await fewAtATime(t, 3, 85);
    expect(info(t).tcpi_snd_cwnd).to.equal(Math.floor((45 + 10) / 2));
  });

  it('tcp_slow_start_after_idle 0: it stays', async () => {
    const t = await roomy({ tcp_slow_start_after_idle: false });
    await fewAtATime(t, 12);
    expect(info(t).tcpi_snd_cwnd).to.equal(80);
  });

  it('it stays while a full send buffer is what holds back', async () => {
    const t = await roomy();
    expect(t.socket.setsockopt(SOL_SOCKET, SO_SNDBUF, 5000)).to.equal(0);
    for (let i = 1, done = 70; i <= 12; i++) {
      t.write(5 * MSS);
      // Somebody waits for room.
      expect(t.socket.poll() & POLLOUT).to.equal(0);
      done += t.drain().length;
      await t.advance(100);
      t.inject({ ack: at(done) });
    }
    expect(info(t).tcpi_snd_cwnd).to.equal(80);
  });

  it('it stays while something is in doubt', async () => {
    const t = await roomy({ tcp_recovery: 0 });
    for (let i = 0, first = 70; i < 12; i++, first += 5) {
      t.write(5 * MSS);
      t.drain();
      await t.advance(100);
      sack(t, first + 3, [first + 4, first + 5]);
      expect(info(t).tcpi_ca_state).to.equal(1);
    }
    expect(info(t).tcpi_snd_cwnd).to.equal(80);
  });

  it('RFC 7661 4.4.3: ssthresh, once it is set, remembers three quarters', async () => {
    const t = await roomy();
    const { connection } = t.socket;
    if (connection !== undefined) connection.ssthresh = 20;
    await fewAtATime(t, 4);
    expect(info(t)).to.include({ tcpi_snd_cwnd: 45, tcpi_snd_ssthresh: 60 });
  });
});
