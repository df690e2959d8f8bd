/** RFC 8985 7: tail loss probes. The round trip is 100 ms, the RTO 300 ms; Reno. */
import { expect } from 'chai';
import { establishedAfter, info } from '../../support/wire-info.ts';
import { at, MSS, sack, segmentsOut, sent } from '../../support/wire-out.ts';
import type { PeerOptions, WirePeer } from '../../support/wire-peer.ts';

/** Some segments have just gone. */
async function justSent(count: number, options: PeerOptions = {}): Promise<WirePeer> {
  const t = await establishedAfter(100, { options: { mss: MSS, sackOk: true }, ...options });
  t.write(count * MSS);
  t.drain();
  return t;
}

/** Three went, and after 202 ms the last of them again. */
async function probed(): Promise<WirePeer> {
  const t = await justSent(3);
  await t.advance(202);
  expect(sent(t)).to.deep.equal([2]);
  return t;
}

describe('RFC 8985 7.2: when', () => {
  it('two round trips after the last transmission, and two ticks (Linux)', async () => {
    const t = await justSent(3);
    await t.advance(201.5);
    t.expectNothing();
    await t.advance(0.5);
    t.expect({ seq: at(2), length: MSS });
    t.expectNothing();
    expect(t.counters).to.include({ TCPLossProbes: 1, TCPTimeouts: 0 });
    expect(info(t)).to.include({ tcpi_ca_state: 0, tcpi_snd_cwnd: 10 });
  });

  it('the last transmission: new data starts it anew', async () => {
    const t = await justSent(3);
    await t.advance(100);
    t.write(MSS);
    expect(sent(t)).to.deep.equal([3]);
    await t.advance(199);
    t.expectNothing();
    await t.advance(1);
    // The RTO of the oldest, at 300 ms, comes before 302.
    expect(sent(t)).to.deep.equal([3]);
    expect(t.counters).to.include({ TCPLossProbes: 1, TCPTimeouts: 0 });
  });

  it('an acknowledgment starts it anew', async () => {
    const t = await justSent(3);
    await t.advance(100);
    t.inject({ ack: at(1) });
    await t.advance(201.5);
    t.expectNothing();
    await t.advance(0.5);
    t.expect({ seq: at(2) });
  });

  it('of a single segment the acknowledgment may be delayed: not before the RTO, in its place', async () => {
    const t = await justSent(1);
    await t.advance(299);
    t.expectNothing();
    await t.advance(1);
    t.expect({ seq: at(0) });
    expect(t.counters).to.include({ TCPLossProbes: 1, TCPTimeouts: 0 });
  });

  it('where the RTO is long, of a single segment two round trips and 200 ms (Linux)', async () => {
    const t = await justSent(1, { sysctl: { tcp_rto_min_us: 500_000 } });
    await t.advance(599);
    t.expectNothing();
    await t.advance(101);
    t.expect({ seq: at(0) });
    expect(t.counters.TCPLossProbes).to.equal(1);
  });

  it('not without SACK', async () => {
    const t = await justSent(3, { options: { mss: MSS } });
    await t.advance(250);
    t.expectNothing();
  });

  it('not with tcp_early_retrans 0', async () => {
    const t = await justSent(3, { sysctl: { tcp_early_retrans: 0 } });
    await t.advance(250);
    t.expectNothing();
  });

  it('not while losses are being recovered from', async () => {
    const t = await segmentsOut(10, 10);
    sack(t, 0, [1, 4]);
    sent(t);
    await t.advance(270);
    t.expectNothing();
    expect(t.counters.TCPLossProbes).to.equal(0);
  });
});

describe('RFC 8985 7.3: what', () => {
  it('new data, when there is some, though cwnd be full', async () => {
    const t = await justSent(12);
    await t.advance(202);
    t.expect({ seq: at(10), length: MSS });
    t.expectNothing();
    expect(t.counters.RetransSegs).to.equal(0);
    expect(info(t).tcpi_unacked).to.equal(11);
  });

  it("not beyond the peer's window: then the last segment", async () => {
    const t = await justSent(12, { win: 10 * MSS });
    await t.advance(202);
    t.expect({ seq: at(9) });
    t.expectNothing();
  });

  it('with the FIN, when that is the last', async () => {
    const t = await justSent(2);
    t.socket.close();
    t.drain();
    await t.advance(202);
    expect(t.drain().map(({ flags }) => flags.includes('F'))).to.deep.equal([true]);
  });

  it('without the FIN, when the window has room for the data alone', async () => {
    const t = await justSent(11, { win: 11 * MSS });
    t.socket.close();
    t.drain();
    await t.advance(202);
    expect(t.drain().map(({ seq, flags }) => [seq, flags.includes('F')])).to.deep.equal([[at(10), false]]);
  });

  it('nothing that is SACKed', async () => {
    const t = await segmentsOut(10, 0);
    sack(t, 9, [9, 10]);
    sent(t);
    await t.advance(250);
    expect(sent(t)).to.not.include(9);
  });

  it('one: the next is the retransmission timer, which counts from the probe', async () => {
    const t = await probed();
    await t.advance(299);
    t.expectNothing();
    await t.advance(1);
    expect(sent(t)).to.deep.equal([0]);
    expect(t.counters).to.include({ TCPLossProbes: 1, TCPTimeouts: 1 });
  });

  it('likewise behind new data', async () => {
    const t = await justSent(12);
    await t.advance(202);
    sent(t);
    await t.advance(299);
    t.expectNothing();
    await t.advance(1);
    expect(sent(t)).to.deep.equal([0]);
    expect(t.counters).to.include({ TCPLossProbes: 1, TCPTimeouts: 1 });
  });

  it('nor does new data bring another: the retransmission timer takes the place of that', async () => {
    const t = await probed();
    t.write(MSS);
    expect(sent(t)).to.deep.equal([3]);
    await t.advance(98);
    t.expectNothing();
    await t.advance(1);
    expect(sent(t)).to.deep.equal([0]);
    expect(t.counters).to.include({ TCPLossProbes: 1, TCPTimeouts: 1 });
  });

  it('its acknowledgment with SACK shows what of the tail is lost: that goes again without a timeout', async () => {
    const t = await probed();
    await t.advance(100);
    sack(t, 0, [2, 3]);
    expect(sent(t)).to.deep.equal([0]);
    await t.advance(100);
    sack(t, 1, [2, 3]);
    expect(sent(t)).to.deep.equal([1]);
    expect(t.counters.TCPTimeouts).to.equal(0);
  });
});

describe('RFC 8985 7.4: was the probe a repair?', () => {
  it('more than it is acknowledged, and no duplicate was reported: the last had been lost: cwnd is halved, once', async () => {
    const t = await probed();
    await t.advance(100);
    t.inject({ ack: at(3) });
    expect(info(t).tcpi_snd_cwnd).to.equal(10);
    t.write(MSS);
    t.drain();
    await t.advance(100);
    t.inject({ ack: at(4) });
    expect(info(t)).to.include({ tcpi_snd_cwnd: 5, tcpi_snd_ssthresh: 5, tcpi_ca_state: 0 });
    expect(t.counters.TCPLossProbeRecovery).to.equal(1);
    t.write(MSS);
    t.drain();
    t.inject({ ack: at(5) });
    expect(t.counters.TCPLossProbeRecovery).to.equal(1);
  });

  it('D-SACK reports it: it came twice, and nothing was lost', async () => {
    const t = await probed();
    await t.advance(100);
    t.inject({ ack: at(3), options: { sack: [[at(2), at(3)]] } });
    t.write(MSS);
    t.drain();
    t.inject({ ack: at(4) });
    expect(info(t)).to.include({ tcpi_snd_cwnd: 10, tcpi_ca_state: 0 });
    expect(t.counters.TCPLossProbeRecovery).to.equal(0);
    // Nor is the reordering window to blame for it.
    expect(t.socket.connection?.rack?.multiplier).to.equal(1);
  });

  it('a duplicate acknowledgment answers it: likewise', async () => {
    const t = await probed();
    t.inject({ ack: at(3) });
    t.inject({ ack: at(3) });
    t.write(MSS);
    t.drain();
    t.inject({ ack: at(4) });
    expect(info(t).tcpi_snd_cwnd).to.equal(10);
    expect(t.counters.TCPLossProbeRecovery).to.equal(0);
  });

  it('but not one that carries data', async () => {
    const t = await probed();
    t.inject({ ack: at(3) });
    t.inject({ ack: at(3), data: 'text' });
    t.write(MSS);
    t.drain();
    t.inject({ ack: at(4) });
    expect(t.counters.TCPLossProbeRecovery).to.equal(1);
  });

  it('new data is no repair', async () => {
    const t = await justSent(12);
    await t.advance(202);
    sent(t);
    t.inject({ ack: at(11) });
    t.write(2 * MSS);
    t.drain();
    t.inject({ ack: at(12) });
    expect(t.counters.TCPLossProbeRecovery).to.equal(0);
    expect(info(t).tcpi_snd_ssthresh).to.equal(0x7fffffff);
  });

  it('an acknowledgment of what went before it answers nothing, whether it was new data or not', async () => {
    const t = await probed();
    t.inject({ ack: at(1) });
    expect(t.socket.connection?.recovery?.probing).to.equal(true);
    const other = await justSent(12);
    await other.advance(202);
    expect(sent(other)).to.deep.equal([10]);
    other.inject({ ack: at(9) });
    expect(other.socket.connection?.recovery?.probing).to.equal(true);
  });
});
