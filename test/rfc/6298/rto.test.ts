/** RFC 6298 2 and 3: from round-trip times to the retransmission timeout. */
import { expect } from 'chai';
import { establishedAfter, info } from '../../support/wire-info.ts';
import { connecting } from '../../support/wire-peer.ts';

describe('RFC 6298 2, 3: the retransmission timeout', () => {
  it('2.1: until a round trip has been measured, the RTO is 1 second', async () => {
    const t = connecting();
    expect(info(t).tcpi_rto).to.equal(1_000_000);
    await t.advance(999);
    t.expectNothing();
    await t.advance(1);
    t.expect({ seq: 0, flags: 'S' });
  });

  it('2.2: the first sample R sets SRTT to R, RTTVAR to R/2, and RTO to SRTT + 4 RTTVAR', async () => {
    const t = await establishedAfter(240);
    expect(info(t)).to.include({ tcpi_rtt: 240_000, tcpi_rttvar: 120_000, tcpi_rto: 720_000 });
  });

  it('2.3: a later sample moves RTTVAR by a quarter of the difference to the old SRTT, then SRTT by an eighth', async () => {
    const t = await establishedAfter(100);
    t.write('a');
    t.expect({ seq: 1, length: 1 });
    await t.advance(60);
    t.inject({ ack: 2 });
    // RTTVAR = 3/4 * 50 + 1/4 * |100 - 60|; SRTT = 7/8 * 100 + 1/8 * 60
    expect(info(t)).to.include({ tcpi_rttvar: 47_500, tcpi_rtt: 95_000 });
    t.write('b');
    await t.advance(290);
    t.inject({ ack: 3 });
    // RTTVAR = 3/4 * 47.5 + 1/4 * |95 - 290|; SRTT = 7/8 * 95 + 1/8 * 290
    expect(info(t)).to.include({ tcpi_rttvar: 84_375, tcpi_rtt: 119_375, tcpi_rto: 119_375 + 4 * 84_375 });
  });

  it('2.4, as Linux reads it: the variance term, not the sum, is at least 200 ms', async () => {
    const t = await establishedAfter(20);
    expect(info(t)).to.include({ tcpi_rtt: 20_000, tcpi_rttvar: 10_000, tcpi_rto: 220_000 });
  });

  it('2.4 to the letter: with tcp_rto_min_us of a second, no RTO is less than 1 second', async () => {
    const t = await establishedAfter(20, { sysctl: { tcp_rto_min_us: 1_000_000 } });
    expect(info(t).tcpi_rto).to.be.within(1_000_000, 1_020_000);
    t.write('a');
    t.expect({ seq: 1 });
    await t.advance(1000);
    t.expectNothing();
    await t.advance(20);
    t.expect({ seq: 1, data: 'a' });
  });

  it('2.5: a maximum, of at least 60 seconds: 120 seconds', async () => {
    const t = await establishedAfter(100);
    const start = t.now;
    t.write('a');
    await t.advance(700_000);
    const sent = t.drain().map(({ at }) => at - start);
    const gaps = sent.slice(1).map((at, i) => at - (sent[i] as number));
    expect(Math.max(...gaps)).to.equal(120_000);
    expect(gaps.slice(-2)).to.deep.equal([120_000, 120_000]);
  });

  it('2.5: the maximum bounds what is measured, too', async () => {
    const t = await establishedAfter(900, { sysctl: { tcp_rto_max_ms: 1000 } });
    expect(info(t)).to.include({ tcpi_rtt: 900_000, tcpi_rttvar: 450_000, tcpi_rto: 1_000_000 });
  });

  it('3: the handshake gives the first sample on the active side as well', async () => {
    const t = connecting();
    await t.advance(150);
    t.inject({ seq: 0, ack: 1, flags: 'SA', options: { mss: 1460 } });
    expect(info(t)).to.include({ tcpi_rtt: 150_000, tcpi_rttvar: 75_000, tcpi_min_rtt: 150_000 });
  });

  it('3, Karn: no sample comes from a segment that was sent again [MUST-18]', async () => {
    const t = await establishedAfter(100);
    t.write('a');
    t.expect({ seq: 1, data: 'a' });
    await t.advance(300);
    t.expect({ seq: 1, data: 'a' });
    await t.advance(10);
    t.inject({ ack: 2 });
    expect(info(t)).to.include({ tcpi_rtt: 100_000, tcpi_rttvar: 50_000 });
  });

  it('3, Karn: nor from others that were acknowledged together with it', async () => {
    const t = await establishedAfter(100);
    t.write('a');
    t.expect({ seq: 1, data: 'a' });
    await t.advance(200);
    t.socket.setsockopt(6, 1, 1);
    t.write('b');
    t.expect({ seq: 2, data: 'b' });
    await t.advance(100);
    t.expect({ seq: 1, data: 'a' });
    t.inject({ ack: 3 });
    expect(info(t)).to.include({ tcpi_rtt: 100_000, tcpi_rttvar: 50_000 });
  });

  it('3: timestamps tell which of the two was acknowledged, and the sample is taken', async () => {
    const t = await establishedAfter(100, { options: { mss: 1460, ts: [1, 0] } });
    const sentAt = t.now;
    t.write('a');
    t.expect({ seq: 1, data: 'a' });
    await t.advance(300);
    t.expect({ seq: 1, data: 'a' });
    await t.advance(20);
    // The first one: 320 ms ago.
    t.inject({ ack: 2, options: { ts: [900, sentAt] } });
    expect(info(t)).to.include({ tcpi_rttvar: 92_500, tcpi_rtt: 127_500, tcpi_min_rtt: 100_000 });
  });

  it('the least round trip is remembered', async () => {
    const t = await establishedAfter(100);
    for (const rtt of [40, 70]) {
      t.write('a');
      await t.advance(rtt);
      t.inject({});
    }
    t.drain();
    expect(info(t).tcpi_min_rtt).to.equal(40_000);
  });

  it('2.3, as Linux has it: RTTVAR is the largest deviation of a round trip, and falls by a quarter of what is beyond it, once in each', async () => {
    const t = await establishedAfter(100, { sysctl: { tcp_rto_min_us: 4000 } });
    let next = 1;
    const round = async (ms: number, segments = 1) => {
      t.write(segments * 1000);
      t.drain();
      await t.advance(ms);
      for (let i = 0; i < segments; i++) {
        next += 1000;
        t.inject({ ack: next });
      }
    };
    expect(info(t).tcpi_rto).to.equal(300_000);
    // The first was the 50 ms of the first sample.
    await round(100);
    expect(info(t).tcpi_rto).to.equal(300_000);
    // The deviation has fallen to 28.125 ms, by a quarter with each sample.
    await round(100);
    const fallen = 50_000 - Math.floor((50_000 - 28_125) / 4);
    expect(info(t).tcpi_rto).to.equal(100_000 + 4 * fallen);
    // However many samples a round trip has.
    await round(100, 4);
    expect(info(t).tcpi_rto).to.be.greaterThan(100_000 + 4 * 37_500);
  });

  it('2.3, as Linux has it: shorter round trips lengthen the timeout by an eighth of what longer ones would', async () => {
    const t = await establishedAfter(100);
    t.write('a');
    t.drain();
    await t.advance(10);
    t.inject({ ack: 2 });
    expect(info(t).tcpi_rttvar).to.equal(50_000 + 40_000 / 8 / 4);
  });

  it('SACK gives samples, too', async () => {
    const t = await establishedAfter(100, { options: { mss: 1000, sackOk: true } });
    t.write(2000);
    t.drain();
    await t.advance(180);
    t.inject({ ack: 1, options: { sack: [[1001, 2001]] } });
    expect(info(t).tcpi_rtt).to.equal(110_000);
  });
});
