/** RFC 5682: F-RTO. The RTO is 300 ms, of which 100 have passed; Reno. */
import { expect } from 'chai';
import { IPPROTO_TCP, TCP_CORK } from '../../../src/socket/constants.ts';
import { info } from '../../support/wire-info.ts';
import { at, MSS, sack, segmentsOut, sent } from '../../support/wire-out.ts';
import type { PeerOptions, WirePeer } from '../../support/wire-peer.ts';

const PLAIN: PeerOptions = { options: { mss: MSS } };
/** No tail loss probe comes before the timeout. */
const WITHOUT_PROBES = { tcp_early_retrans: 0 };

/** Ten were out, and more wait: the timer has fired, and the first went again. */
async function timedOut(waiting: number, options: PeerOptions = {}): Promise<WirePeer> {
  const t = await segmentsOut(10, waiting, { ...options, sysctl: { ...WITHOUT_PROBES, ...options.sysctl } });
  await t.advance(201);
  expect(sent(t)).to.deep.equal([0]);
  expect(info(t)).to.include({ tcpi_ca_state: 4, tcpi_snd_cwnd: 1, tcpi_snd_ssthresh: 5 });
  return t;
}

for (const [name, options] of [
  ['2.1: without SACK', PLAIN],
  ['3.1: with SACK', {}],
] as const) {
  describe(`RFC 5682 ${name}`, () => {
    it('step 2b: after the first acknowledgment two new segments go, and nothing is sent again', async () => {
      const t = await timedOut(10, options);
      t.inject({ ack: at(1) });
      expect(sent(t)).to.deep.equal([10, 11]);
    });

    it('step 3b: the second acknowledges what was never sent again: the timeout was spurious', async () => {
      const t = await timedOut(10, options);
      t.inject({ ack: at(1) });
      sent(t);
      t.inject({ ack: at(2) });
      expect(t.counters).to.include({ TCPSpuriousRTOs: 1, TCPLossUndo: 1 });
      expect(info(t)).to.include({ tcpi_ca_state: 0, tcpi_snd_cwnd: 11, tcpi_lost: 0, tcpi_retransmits: 0 });
      expect(info(t).tcpi_snd_ssthresh).to.be.greaterThan(10);
    });

    it('step 2b: without new data the lost go again, in slow start', async () => {
      const t = await timedOut(0, options);
      t.inject({ ack: at(1) });
      expect(sent(t)).to.deep.equal([1, 2]);
      t.inject({ ack: at(2) });
      expect(t.counters.TCPSpuriousRTOs).to.equal(0);
    });

    it("step 2b: likewise when the peer's window has no room for it", async () => {
      const t = await timedOut(10, { ...options, win: 10 * MSS });
      t.inject({ ack: at(1), win: 9 * MSS });
      expect(sent(t)).to.deep.equal([1, 2]);
    });

    it('step 2b: likewise when that room is for less than a segment', async () => {
      const t = await timedOut(10, { ...options, win: 10 * MSS });
      t.inject({ ack: at(1), win: 9 * MSS + 100 });
      expect(sent(t)).to.deep.equal([1, 2]);
    });

    it('step 2b: with less new data than cwnd has room for, nothing is sent again before it is acknowledged', async () => {
      const t = await timedOut(1, options);
      t.inject({ ack: at(1) });
      expect(sent(t)).to.deep.equal([10]);
      t.write(MSS);
      expect(sent(t)).to.deep.equal([11]);
    });

    it('step 2b: and then what the user holds back is held on to', async () => {
      const t = await timedOut(0, { ...options, win: 10 * MSS });
      t.socket.setsockopt(IPPROTO_TCP, TCP_CORK, 1);
      t.write(100);
      t.inject({ ack: at(1), win: 9 * MSS });
      expect(sent(t)).to.deep.equal([1, 2]);
      t.inject({ ack: at(10), win: 20 * MSS });
      t.expectNothing();
    });

    it('tcp_frto 0: slow start at once', async () => {
      const t = await timedOut(10, { ...options, sysctl: { tcp_frto: 0 } });
      t.inject({ ack: at(1) });
      expect(sent(t)).to.deep.equal([1, 2]);
    });

    it('step 1: the timer fires again for the same segment: the same, from the start', async () => {
      const t = await timedOut(10, options);
      await t.advance(601);
      expect(sent(t)).to.deep.equal([0]);
      t.inject({ ack: at(1) });
      expect(sent(t)).to.deep.equal([10, 11]);
      t.inject({ ack: at(2) });
      expect(t.counters.TCPSpuriousRTOs).to.equal(1);
      expect(info(t).tcpi_snd_cwnd).to.equal(11);
    });
  });
}

describe('RFC 5682 2.1: without SACK', () => {
  it('step 2a: all is acknowledged at once: nothing is known, the window stays small', async () => {
    const t = await timedOut(10, PLAIN);
    t.inject({ ack: at(10) });
    expect(t.counters.TCPSpuriousRTOs).to.equal(0);
    expect(info(t).tcpi_snd_ssthresh).to.equal(5);
  });

  it('step 3a: the second is a duplicate: the loss was real, and the rest goes again', async () => {
    const t = await timedOut(10, PLAIN);
    t.inject({ ack: at(1) });
    expect(sent(t)).to.deep.equal([10, 11]);
    t.inject({ ack: at(1) });
    expect(sent(t)).to.include(1);
    expect(t.counters.TCPSpuriousRTOs).to.equal(0);
    expect(info(t).tcpi_snd_ssthresh).to.equal(5);
  });

  it('step 3a: once all that timed out is acknowledged, the duplicates are none of what is still out', async () => {
    const t = await timedOut(10, PLAIN);
    for (const ack of [1, 1, 9]) t.inject({ ack: at(ack) });
    for (let i = 0; i < 2; i++) t.inject({ ack: at(9) });
    expect(info(t).tcpi_sacked).to.equal(2);
    t.inject({ ack: at(10) });
    expect(info(t).tcpi_sacked).to.equal(0);
  });

  it('an acknowledgment that takes what was sent again along tells nothing', async () => {
    const t = await timedOut(10, PLAIN);
    // Of 0 and 1 together: only SACK could tell which of the two came first.
    t.inject({ ack: at(2) });
    expect(t.counters.TCPSpuriousRTOs).to.equal(0);
    expect(sent(t)[0]).to.equal(10);
  });
});

describe('RFC 5682 3.1: with SACK', () => {
  it('step 2: a report of what was not sent again is enough', async () => {
    const t = await timedOut(10);
    sack(t, 0, [1, 2]);
    expect(t.counters.TCPSpuriousRTOs).to.equal(1);
    expect(info(t).tcpi_retransmits).to.equal(0);
    expect(info(t).tcpi_snd_cwnd).to.be.at.least(10);
  });

  it('step 3a: only new data is reported: the loss was real, and the rest goes again', async () => {
    const t = await timedOut(10);
    sack(t, 1);
    expect(sent(t)).to.deep.equal([10, 11]);
    await t.advance(10);
    sack(t, 1, [10, 11]);
    expect(sent(t)).to.deep.equal([1]);
    expect(t.counters.TCPSpuriousRTOs).to.equal(0);
  });

  it('step 2b: without new data nothing that comes later proves anything', async () => {
    const t = await timedOut(0);
    sack(t, 1);
    expect(sent(t)).to.deep.equal([1, 2]);
    sack(t, 1, [5, 6]);
    expect(t.counters.TCPSpuriousRTOs).to.equal(0);
    expect(info(t).tcpi_ca_state).to.equal(4);
  });

  it('all is acknowledged at once: what was never sent again is among it, and that is proof enough (Linux)', async () => {
    const t = await timedOut(10);
    sack(t, 10);
    expect(t.counters.TCPSpuriousRTOs).to.equal(1);
    expect(info(t).tcpi_snd_cwnd).to.be.at.least(10);
  });

  it('a timeout in the midst of recovery says nothing new: F-RTO stays out', async () => {
    const t = await segmentsOut(10, 20, { sysctl: WITHOUT_PROBES });
    sack(t, 0, [1, 4]);
    sent(t);
    await t.advance(400);
    expect(t.counters.TCPTimeouts).to.equal(1);
    sent(t);
    sack(t, 4);
    // What was lost goes again, and no new data before it.
    expect(sent(t)[0]).to.equal(4);
  });
});
