/** Super-segments: a run of MSS-sized pieces in one packet, out and in, counts as its pieces. */
import { expect } from 'chai';
import { info, seqs } from '../support/wire-info.ts';
import { established, type PeerOptions, type WirePeer } from '../support/wire-peer.ts';

const MSS = 1460;
const at = (i: number) => 1 + i * MSS;
const offload: PeerOptions = { offload: true, options: { mss: MSS, sackOk: true } };
const lengths = (t: WirePeer) => t.drain().map(({ length }) => length);

describe('super-segments going out', () => {
  it('all that the windows allow goes in one packet, cut by the link', async () => {
    const t = await established(offload);
    t.write(20 * MSS);
    t.expect({ seq: 1, length: 10 * MSS, flags: 'A' });
    t.expectNothing();
    expect(info(t).tcpi_unacked).to.equal(10);
    expect(t.counters.OutSegs).to.equal(11);
  });

  it('the same bytes go as segments of the MSS where the link cannot cut', async () => {
    const t = await established({ ...offload, offload: false });
    t.write(20 * MSS);
    expect(lengths(t)).to.deep.equal(Array(10).fill(MSS));
    expect(t.counters.OutSegs).to.equal(11);
  });

  it('the last piece may be short, and has the PSH', async () => {
    const t = await established(offload);
    t.write(2 * MSS + 5);
    t.expect({ seq: 1, length: 2 * MSS + 5, flags: 'PA' });
    expect(info(t).tcpi_unacked).to.equal(3);
  });

  it('a packet is no longer than IP allows', async () => {
    const t = await established({ ...offload, sysctl: { tcp_init_cwnd: 100 }, options: { mss: MSS, wscale: 8 } });
    t.inject({ win: 10_000 });
    t.write(100 * MSS);
    expect(lengths(t)).to.deep.equal([44 * MSS, 44 * MSS, 12 * MSS]);
  });

  it('acknowledgments and SACK meet pieces; only what is lost goes again', async () => {
    const t = await established(offload);
    t.write(10 * MSS);
    t.drain();
    t.inject({ ack: at(2) });
    expect(info(t).tcpi_unacked).to.equal(8);
    t.inject({ ack: at(2), options: { sack: [[at(4), at(8)]] } });
    expect(info(t)).to.include({ tcpi_sacked: 4, tcpi_lost: 2 });
    t.expect({ seq: at(2), length: 2 * MSS });
    t.expectNothing();
  });

  it('a retransmission is a super-segment as well, as far as cwnd allows', async () => {
    const t = await established({ ...offload, options: { mss: MSS } });
    t.write(10 * MSS);
    t.drain();
    await t.advance(250);
    t.expect({ seq: at(0), length: MSS });
    t.inject({ ack: at(1) });
    t.expect({ seq: at(1), length: 2 * MSS });
    t.inject({ ack: at(3) });
    t.expect({ seq: at(3), length: 4 * MSS });
    expect(t.counters.RetransSegs).to.equal(7);
  });

  it('a FIN rides on the last', async () => {
    const t = await established(offload);
    t.write(2 * MSS);
    t.socket.shutdown(1);
    t.expect({ seq: 1, length: 2 * MSS, flags: 'FPA' });
    t.inject({ ack: at(2) + 1 });
    expect(t.state()).to.equal('FIN-WAIT-2');
  });
});

describe('super-segments coming in', () => {
  it('are taken whole, and acknowledged once', async () => {
    const t = await established(offload);
    t.inject({ seq: 1, length: 40 * MSS, segmentSize: MSS });
    t.expect({ ack: at(40) });
    t.expectNothing();
    expect(t.read()).to.have.length(40 * MSS);
    t.drain();
    expect(info(t).tcpi_rcv_mss).to.equal(MSS);
  });

  it('out of order, they are one range', async () => {
    const t = await established(offload);
    t.inject({ seq: at(2), length: 3 * MSS, segmentSize: MSS });
    t.expect({ ack: 1, options: { sack: [[at(2), at(5)]] } });
    t.inject({ seq: at(0), length: 2 * MSS, segmentSize: MSS });
    t.expect({ ack: at(5) });
  });

  it('acknowledgments that one brings are taken', async () => {
    const t = await established(offload);
    t.write(MSS);
    t.drain();
    t.inject({ seq: 1, ack: at(1), length: 4 * MSS, segmentSize: MSS });
    expect(info(t).tcpi_unacked).to.equal(0);
    expect(seqs(t.drain())).to.deep.equal([at(1)]);
  });
});
