/** RFC 6675: loss recovery based on SACK. Segments of 1460 bytes, numbered from 0. */
import { expect } from 'chai';
import { establishedAfter, info, seqs } from '../../support/wire-info.ts';
import type { PeerOptions, WirePeer } from '../../support/wire-peer.ts';

const MSS = 1460;
const at = (i: number) => 1 + i * MSS;

async function tenOut(count = 10, options: PeerOptions = {}): Promise<WirePeer> {
  // By counting, not by time (RFC 8985).
  const sysctl = { tcp_recovery: 0, tcp_early_retrans: 0, tcp_frto: 0 };
  const t = await establishedAfter(100, { options: { mss: MSS, sackOk: true }, sysctl, ...options });
  t.write(count * MSS);
  expect(t.drain()).to.have.length(10);
  await t.advance(50);
  return t;
}

/** An acknowledgment of all before segment `ack` that reports these runs of segments. */
function sack(t: WirePeer, ack: number, ...runs: [number, number][]): void {
  t.inject({ ack: at(ack), options: { sack: runs.map(([from, to]) => [at(from), at(to)]) } });
}

describe('RFC 6675 4: the scoreboard', () => {
  it('IsLost: a segment is lost once DupThresh segments above it are SACKed', async () => {
    const t = await tenOut();
    sack(t, 0, [1, 2]);
    sack(t, 0, [1, 3]);
    t.expectNothing();
    expect(info(t)).to.include({ tcpi_sacked: 2, tcpi_lost: 0, tcpi_ca_state: 1 });
    sack(t, 0, [1, 4]);
    t.expect({ seq: at(0), length: MSS });
    t.expectNothing();
    expect(info(t)).to.include({ tcpi_sacked: 3, tcpi_lost: 1, tcpi_retrans: 1, tcpi_ca_state: 3 });
    expect(t.counters).to.include({ TCPFastRetrans: 1, TCPSackRecovery: 1 });
  });

  it('however few acknowledgments say so', async () => {
    const t = await tenOut();
    sack(t, 0, [1, 4]);
    t.expect({ seq: at(0) });
  });

  it('and only those: a hole with fewer above it may still be on its way', async () => {
    const t = await tenOut();
    sack(t, 0, [4, 6], [1, 3]);
    t.expect({ seq: at(0) });
    t.expectNothing();
    expect(info(t).tcpi_lost).to.equal(1);
  });

  it('duplicate acknowledgments that report nothing count for nothing', async () => {
    const t = await tenOut();
    for (let i = 0; i < 5; i++) t.inject({ ack: 1 });
    t.expectNothing();
  });

  it('Update: what is SACKed once stays SACKed when later acknowledgments leave it out', async () => {
    const t = await tenOut();
    sack(t, 0, [1, 2]);
    sack(t, 0, [3, 4]);
    sack(t, 0, [5, 6]);
    t.expect({ seq: at(0) });
    expect(info(t).tcpi_sacked).to.equal(3);
  });

  it('a report of part of a segment does not make it received', async () => {
    const t = await tenOut();
    t.inject({ ack: 1, options: { sack: [[at(1) + 100, at(4) - 1]] } });
    expect(info(t).tcpi_sacked).to.equal(1);
    t.expectNothing();
  });
});

describe('RFC 6675 5: recovery', () => {
  it('(4.1, 4.2) ssthresh becomes half, and cwnd by and by (RFC 6937)', async () => {
    const t = await tenOut();
    sack(t, 0, [1, 4]);
    t.drain();
    expect(info(t)).to.include({ tcpi_snd_ssthresh: 5, tcpi_snd_cwnd: 8 });
    sack(t, 0, [1, 10]);
    expect(info(t)).to.include({ tcpi_snd_ssthresh: 5, tcpi_snd_cwnd: 5 });
  });

  it('(C), NextSeg 1: lost segments go again in order, as far as cwnd has room, then new data', async () => {
    const t = await tenOut(30);
    // Out: 10, SACKed 6: lost 0, 2 and 4; one, segment 9, may be on its way.
    sack(t, 0, [5, 9], [3, 4], [1, 2]);
    const sent = t.drain();
    expect(seqs(sent)).to.deep.equal([at(0), at(2), at(4), at(10)]);
    expect(info(t)).to.include({ tcpi_lost: 3, tcpi_retrans: 3, tcpi_snd_cwnd: 5 });
  });

  it('(C): no more than pipe has room for', async () => {
    const t = await tenOut();
    // SACKed: 1, 3, 8, 9. Lost by then: 0 and 2 (three above it). Pipe: 4..7 and the first retransmission.
    sack(t, 0, [8, 10], [3, 4], [1, 2]);
    expect(seqs(t.drain())).to.deep.equal([at(0)]);
    // One more has left, and says that 4, 5 and 6 are lost: nothing is on its way but the retransmission.
    sack(t, 0, [7, 10], [3, 4], [1, 2]);
    expect(seqs(t.drain())).to.deep.equal([at(2), at(4), at(5), at(6)]);
  });

  it('a retransmission is sent once, whatever is reported above it', async () => {
    const t = await tenOut();
    sack(t, 0, [1, 4]);
    t.expect({ seq: at(0) });
    sack(t, 0, [1, 8]);
    sack(t, 0, [1, 10]);
    t.expectNothing();
  });

  it('(A) it ends when everything that was out at its start is acknowledged, and cwnd is ssthresh', async () => {
    const t = await tenOut(30);
    sack(t, 0, [1, 4]);
    t.drain();
    sack(t, 9);
    expect(info(t).tcpi_ca_state).to.equal(3);
    t.drain();
    sack(t, 10);
    expect(info(t)).to.include({ tcpi_ca_state: 0, tcpi_snd_cwnd: 5, tcpi_snd_ssthresh: 5 });
    t.drain();
  });

  it('cwnd is not halved again within it', async () => {
    const t = await tenOut();
    sack(t, 0, [1, 4]);
    sack(t, 0, [5, 8], [1, 4]);
    sack(t, 4, [5, 10]);
    t.drain();
    expect(info(t)).to.include({ tcpi_snd_ssthresh: 5, tcpi_snd_cwnd: 5, tcpi_ca_state: 3 });
    expect(t.counters.TCPSackRecovery).to.equal(1);
  });

  it('a loss in the next window starts another', async () => {
    const t = await tenOut(30);
    sack(t, 0, [1, 4]);
    t.drain();
    sack(t, 10);
    const { tcpi_unacked: out } = info(t);
    t.drain();
    sack(t, 10, [11, 14]);
    expect(out).to.be.greaterThan(3);
    expect(seqs(t.drain())).to.include(at(10));
    expect(info(t)).to.include({ tcpi_snd_ssthresh: 3, tcpi_ca_state: 3 });
  });
});

describe('RFC 6675 5.1: a timeout', () => {
  it('everything that is not SACKed is taken for lost, and what is SACKed does not go again', async () => {
    const t = await tenOut();
    sack(t, 0, [1, 3]);
    await t.advance(400);
    t.expect({ seq: at(0) });
    t.expectNothing();
    expect(info(t)).to.include({ tcpi_lost: 8, tcpi_sacked: 2, tcpi_snd_cwnd: 1, tcpi_ca_state: 4 });
    sack(t, 3);
    expect(seqs(t.drain())).to.deep.equal([at(3), at(4)]);
  });

  it('no new recovery starts before what was out then is acknowledged', async () => {
    const t = await tenOut();
    await t.advance(300);
    t.drain();
    const { tcpi_snd_ssthresh } = info(t);
    sack(t, 1, [2, 6]);
    expect(info(t)).to.include({ tcpi_snd_ssthresh, tcpi_ca_state: 4 });
    expect(t.counters.TCPSackRecovery).to.equal(0);
    t.drain();
  });

  it('in the midst of recovery: retransmissions that were lost themselves go again', async () => {
    const t = await tenOut();
    sack(t, 0, [1, 4]);
    t.expect({ seq: at(0) });
    await t.advance(600);
    expect(seqs(t.drain())).to.deep.equal([at(0)]);
    expect(info(t)).to.include({ tcpi_ca_state: 4, tcpi_snd_ssthresh: 5, tcpi_retrans: 1, tcpi_lost: 7 });
    expect(t.counters.TCPSackRecoveryFail).to.equal(1);
  });
});
