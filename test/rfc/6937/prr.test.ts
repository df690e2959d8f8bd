/** RFC 6937: proportional rate reduction, with RFC 9937's choice between its bounds. Reno: ssthresh is half of cwnd. */
import { expect } from 'chai';
import { info } from '../../support/wire-info.ts';
import { sack, segmentsOut, sent } from '../../support/wire-out.ts';
import type { WirePeer } from '../../support/wire-peer.ts';

/** 20 segments are out and the first 15 were lost: three of the five others have been reported, and each let one go. */
async function fifteenLost(): Promise<WirePeer> {
  const t = await segmentsOut(20, 40);
  sack(t, 0, [15, 16]);
  sack(t, 0, [15, 17]);
  expect(sent(t)).to.deep.equal([20, 21]);
  await t.advance(1);
  sack(t, 0, [15, 18]);
  expect(sent(t)).to.deep.equal([0]);
  return t;
}

describe('RFC 6937 3: proportional rate reduction', () => {
  it('figure of one loss in 20: every second acknowledgment lets one go, and cwnd is ssthresh in the end', async () => {
    const t = await segmentsOut(20, 40);
    const went: number[] = [];
    for (let i = 2; i <= 20; i++) {
      sack(t, 0, [1, i]);
      went.push(sent(t).length);
    }
    // Limited transmit twice, the retransmission, then one for two, until ssthresh is reached.
    expect(went).to.deep.equal([1, 1, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0]);
    expect(info(t)).to.include({ tcpi_snd_ssthresh: 10, tcpi_snd_cwnd: 10, tcpi_unacked: 29 });
    await t.advance(100);
    sack(t, 22);
    expect(info(t)).to.include({ tcpi_ca_state: 0, tcpi_snd_ssthresh: 10, tcpi_snd_cwnd: 10 });
  });

  it('3.1: in proportion: ssthresh of 717/1024 of cwnd (CUBIC) lets five of seven go', async () => {
    const t = await segmentsOut(20, 40, { sysctl: { tcp_congestion_control: 'cubic' } });
    const went: number[] = [];
    for (let i = 2; i <= 14; i++) {
      sack(t, 0, [1, i]);
      went.push(sent(t).length);
    }
    expect(info(t).tcpi_snd_ssthresh).to.equal(14);
    // ceil(delivered * 14 / 20) in all, for 1 to 11 delivered.
    const all = went.slice(2).map((_, i) => Math.ceil(((i + 1) * 14) / 20));
    expect(went.slice(2)).to.deep.equal(all.map((count, i) => count - (all[i - 1] ?? 0)));
  });

  it('figure of 15 losses in 20, PRR-CRB: below ssthresh one goes for each that is reported', async () => {
    const t = await fifteenLost();
    sack(t, 0, [15, 19]);
    expect(sent(t)).to.deep.equal([1]);
    sack(t, 0, [15, 20]);
    expect(sent(t)).to.deep.equal([2]);
    await t.advance(99);
    sack(t, 0, [15, 22]);
    expect(sent(t)).to.deep.equal([3, 4]);
  });

  it('PRR-SSRB: one more, when the acknowledgment moves on (RFC 9937 6.2)', async () => {
    const t = await fifteenLost();
    await t.advance(99);
    sack(t, 0, [15, 22]);
    expect(sent(t)).to.deep.equal([1, 2, 3, 4]);
    await t.advance(1);
    sack(t, 1, [15, 22]);
    expect(sent(t)).to.deep.equal([5, 6]);
    await t.advance(99);
    sack(t, 2, [15, 22]);
    expect(sent(t)).to.deep.equal([7, 8]);
  });

  it('but not when it tells of another loss (RFC 9937 6.2)', async () => {
    const t = await fifteenLost();
    sack(t, 0, [15, 20]);
    expect(sent(t)).to.deep.equal([1, 2]);
    await t.advance(99);
    sack(t, 0, [15, 22]);
    expect(sent(t)).to.deep.equal([3, 4]);
    await t.advance(1);
    // 0 and 2 have arrived, 1 was sent between them: two were delivered, two go.
    sack(t, 1, [2, 3], [15, 22]);
    expect(sent(t)).to.deep.equal([1, 5]);
    expect(t.counters.TCPLostRetransmit).to.equal(1);
  });

  it('never beyond ssthresh, however much one acknowledgment delivers', async () => {
    const t = await segmentsOut(20, 40);
    // Seven are lost and ten reported: three are in the network, and ssthresh has room for seven.
    sack(t, 0, [7, 17]);
    expect(sent(t)).to.have.length(7);
    expect(info(t).tcpi_snd_cwnd).to.equal(10);
  });

  it('the first retransmission goes though ssthresh has no room for it (RFC 9937 6.2)', async () => {
    const t = await segmentsOut(20, 40);
    // Seven are lost and three reported: ten are in the network.
    sack(t, 0, [7, 10]);
    expect(sent(t)).to.deep.equal([0]);
    expect(info(t)).to.include({ tcpi_snd_ssthresh: 10, tcpi_snd_cwnd: 11 });
  });

  it('an acknowledgment that delivers nothing changes nothing', async () => {
    const t = await segmentsOut(20, 0);
    for (let i = 2; i <= 11; i++) sack(t, 0, [1, i]);
    expect(sent(t)).to.deep.equal([0]);
    const { tcpi_snd_cwnd: cwnd } = info(t);
    for (let i = 0; i < 5; i++) sack(t, 0, [1, 11]);
    expect(sent(t)).to.deep.equal([]);
    expect(info(t).tcpi_snd_cwnd).to.equal(cwnd);
  });

  it('3.1: each recovery counts by itself', async () => {
    const t = await segmentsOut(20, 60);
    for (let i = 2; i <= 20; i++) sack(t, 0, [1, i]);
    sent(t);
    await t.advance(100);
    sack(t, 22);
    sent(t);
    expect(info(t)).to.include({ tcpi_ca_state: 0, tcpi_snd_cwnd: 10, tcpi_unacked: 10 });
    await t.advance(100);
    const went: number[] = [];
    for (let i = 24; i <= 29; i++) {
      sack(t, 22, [23, i]);
      went.push(sent(t).length);
    }
    expect(went).to.deep.equal([1, 1, 1, 0, 1, 0]);
  });
});
