/** RFC 5681 3.1: slow start and congestion avoidance; 4.1: restart after idle. Windows in segments of 1460 bytes. */
import { expect } from 'chai';
import { establishedAfter, info } from '../../support/wire-info.ts';
import type { PeerOptions, WirePeer } from '../../support/wire-peer.ts';

const MSS = 1460;
const wide: PeerOptions = { options: { mss: MSS, wscale: 8 } };

/** Everything that is out is acknowledged, a segment at a time or all at once. @returns segments that went out in answer */
async function roundTrip(t: WirePeer, rtt: number, each = 1): Promise<number> {
  await t.advance(rtt);
  const { tcpi_unacked: out } = info(t);
  const una = nextAck(t);
  for (let i = each; i < out + each; i += each) t.inject({ ack: una + Math.min(i, out) * MSS });
  return t.drain().length;
}

/** The relative number of the first byte that is out. */
function nextAck(t: WirePeer): number {
  const { connection } = t.socket;
  return ((connection?.sndUna ?? 0) - t.dutIsn()) | 0;
}

describe('RFC 5681 3.1, RFC 9293 3.8.2 [MUST-19]: slow start', () => {
  it('cwnd grows by a segment for each one acknowledged: it doubles in a round trip', async () => {
    const t = await establishedAfter(100, wide);
    t.write(200 * MSS);
    expect(t.drain()).to.have.length(10);
    expect(await roundTrip(t, 100)).to.equal(20);
    expect(info(t).tcpi_snd_cwnd).to.equal(20);
    expect(await roundTrip(t, 100)).to.equal(40);
    expect(info(t).tcpi_snd_cwnd).to.equal(40);
  });

  it('by what is acknowledged, not by acknowledgments: one for two segments lets it grow by two', async () => {
    const t = await establishedAfter(100, wide);
    t.write(200 * MSS);
    t.drain();
    await t.advance(100);
    t.inject({ ack: 1 + 2 * MSS });
    expect(info(t).tcpi_snd_cwnd).to.equal(12);
    expect(t.drain()).to.have.length(4);
  });

  it('acknowledgments of parts of a segment do not make it grow (ACK division)', async () => {
    const t = await establishedAfter(100, wide);
    t.write(200 * MSS);
    t.drain();
    for (let i = 1; i < 10; i++) t.inject({ ack: 1 + 100 * i });
    expect(info(t).tcpi_snd_cwnd).to.equal(10);
    t.inject({ ack: 1 + MSS });
    expect(info(t).tcpi_snd_cwnd).to.equal(11);
    t.drain();
  });

  it('ssthresh is arbitrarily high at first', async () => {
    const t = await establishedAfter(100);
    expect(info(t).tcpi_snd_ssthresh).to.equal(0x7fffffff);
  });

  it('cwnd does not grow while it is not in use', async () => {
    const t = await establishedAfter(100, wide);
    for (let i = 0; i < 20; i++) {
      t.write(2 * MSS);
      await roundTrip(t, 100);
    }
    expect(info(t).tcpi_snd_cwnd).to.equal(10);
  });

  it('in slow start, half of it in use is enough (Linux)', async () => {
    const t = await establishedAfter(100, wide);
    t.write(5 * MSS);
    t.drain();
    await roundTrip(t, 100, 5);
    expect(info(t).tcpi_snd_cwnd).to.equal(10);
    t.write(6 * MSS);
    t.drain();
    await roundTrip(t, 100, 6);
    expect(info(t).tcpi_snd_cwnd).to.equal(16);
  });
});

describe('RFC 5681 3.1, RFC 9293 3.8.2 [MUST-19]: congestion avoidance', () => {
  /** A timeout, and slow start from there up to ssthresh: half of the ten that were out. */
  async function atThreshold(): Promise<WirePeer> {
    const t = await establishedAfter(100, wide);
    t.write(400 * MSS);
    t.drain();
    await t.advance(300);
    t.drain();
    expect(info(t)).to.include({ tcpi_snd_ssthresh: 5, tcpi_snd_cwnd: 1 });
    await t.advance(100);
    // The timeout was spurious: all ten had come.
    t.inject({ ack: 1 + 10 * MSS });
    return t;
  }

  it('slow start ends at ssthresh, within one acknowledgment; what is left over counts for congestion avoidance', async () => {
    const t = await atThreshold();
    // Ten segments: four take cwnd from 1 to 5, the other six to 6 with one left.
    expect(info(t)).to.include({ tcpi_snd_cwnd: 6, tcpi_snd_ssthresh: 5 });
    t.drain();
  });

  it('about one segment in a round trip', async () => {
    const t = await atThreshold();
    expect(t.drain()).to.have.length(6);
    for (const cwnd of [7, 8, 9, 10]) {
      await roundTrip(t, 100);
      expect(info(t).tcpi_snd_cwnd).to.equal(cwnd);
    }
  });

  it('whether the peer acknowledges every segment or every second', async () => {
    const t = await atThreshold();
    expect(t.drain()).to.have.length(6);
    for (const cwnd of [7, 8, 9, 10]) {
      await roundTrip(t, 100, 2);
      expect(info(t).tcpi_snd_cwnd).to.equal(cwnd);
    }
  });

  it('what was acknowledged beyond a whole cwnd counts for the next segment', async () => {
    const t = await atThreshold();
    t.drain();
    // One was left over: five more make six.
    for (let i = 11; i <= 15; i++) t.inject({ ack: 1 + i * MSS });
    expect(info(t).tcpi_snd_cwnd).to.equal(7);
    t.drain();
  });

  it('only while cwnd is in use: full, whether or not there is more to send', async () => {
    const t = await atThreshold();
    t.drain();
    while (info(t).tcpi_notsent_bytes > 0) await roundTrip(t, 100);
    await roundTrip(t, 100);
    const { tcpi_snd_cwnd: cwnd } = info(t);
    expect(cwnd).to.be.greaterThan(20);
    for (let i = 0; i < 5; i++) {
      t.write((cwnd - 1) * MSS);
      await roundTrip(t, 100);
    }
    expect(info(t).tcpi_snd_cwnd).to.equal(cwnd);
    t.write(cwnd * MSS);
    await roundTrip(t, 100);
    t.write(cwnd * MSS);
    await roundTrip(t, 100);
    expect(info(t).tcpi_snd_cwnd).to.equal(cwnd + 1);
  });
});

describe('RFC 5681 4.1: restart after idle', () => {
  /** cwnd 40, nothing out. */
  async function idle(sysctl = {}): Promise<WirePeer> {
    const t = await establishedAfter(100, { ...wide, sysctl });
    t.write(70 * MSS);
    t.drain();
    await roundTrip(t, 100);
    await roundTrip(t, 100);
    await roundTrip(t, 100);
    const { tcpi_snd_cwnd, tcpi_unacked } = info(t);
    expect([tcpi_snd_cwnd, tcpi_unacked]).to.deep.equal([80, 0]);
    return t;
  }

  it('after an RTO without sending, cwnd is halved for each RTO (Linux), and ssthresh remembers three quarters', async () => {
    const t = await idle();
    const { tcpi_rto, tcpi_last_data_sent } = info(t);
    await t.advance((2.75 * tcpi_rto) / 1000 - tcpi_last_data_sent);
    t.write(200 * MSS);
    t.flush();
    expect(info(t)).to.include({ tcpi_snd_cwnd: 20, tcpi_unacked: 20 });
    t.drain();
  });

  it('down to the initial window', async () => {
    const t = await idle();
    await t.advance(60_000);
    t.write(200 * MSS);
    expect(t.drain()).to.have.length(10);
    expect(info(t).tcpi_snd_cwnd).to.equal(10);
  });

  it('not before an RTO has passed', async () => {
    const t = await idle();
    const { tcpi_rto, tcpi_last_data_sent } = info(t);
    await t.advance(tcpi_rto / 1000 - tcpi_last_data_sent);
    t.write(200 * MSS);
    expect(t.drain()).to.have.length(80);
  });

  it('tcp_slow_start_after_idle off: never', async () => {
    const t = await idle({ tcp_slow_start_after_idle: false });
    await t.advance(60_000);
    t.write(200 * MSS);
    expect(t.drain()).to.have.length(80);
  });

  it('RFC 7661 4.4.3: ssthresh, once set, becomes three quarters of what cwnd was when that is more', async () => {
    const t = await establishedAfter(100, wide);
    t.write(10 * MSS);
    t.drain();
    await t.advance(300);
    t.inject({ ack: 1 + 10 * MSS });
    t.write(300 * MSS);
    while (info(t).tcpi_notsent_bytes > 0) await roundTrip(t, 100);
    await roundTrip(t, 100);
    const { tcpi_snd_cwnd: cwnd } = info(t);
    await t.advance(60_000);
    t.write('a');
    t.drain();
    expect(info(t)).to.include({ tcpi_snd_ssthresh: (cwnd >> 1) + (cwnd >> 2), tcpi_snd_cwnd: 10 });
  });
});
