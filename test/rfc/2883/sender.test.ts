/** RFC 2883 as the sender of data: what D-SACK tells. Reno; segments of 1460 bytes, counted from 0. */
import { expect } from 'chai';
import { info } from '../../support/wire-info.ts';
import { sack, segmentsOut, sent } from '../../support/wire-out.ts';
import type { WirePeer } from '../../support/wire-peer.ts';

const UNLIMITED = 0x7fffffff;

/** 0 and 1 were taken for lost, and have gone again. */
async function twoAgain(): Promise<WirePeer> {
  const t = await segmentsOut(10, 20);
  sack(t, 0, [2, 7]);
  expect(sent(t)).to.deep.equal([0, 1]);
  expect(info(t)).to.include({ tcpi_ca_state: 3, tcpi_snd_ssthresh: 5 });
  await t.advance(20);
  return t;
}

describe('RFC 2883 5: the sender learns that a retransmission was not needed', () => {
  it('once each has been reported the reduction is undone, in recovery as well', async () => {
    const t = await twoAgain();
    sack(t, 7);
    sack(t, 7, [0, 1]);
    expect(info(t)).to.include({ tcpi_ca_state: 3, tcpi_snd_ssthresh: 5, tcpi_dsack_dups: 1 });
    sack(t, 7, [1, 2]);
    expect(info(t)).to.include({ tcpi_ca_state: 0, tcpi_snd_ssthresh: UNLIMITED, tcpi_dsack_dups: 2 });
    expect(info(t).tcpi_snd_cwnd).to.be.at.least(10);
    expect(t.counters).to.include({ TCPDSACKUndo: 1, TCPDSACKRecv: 2, TCPDSACKOfoRecv: 0 });
  });

  it('and once only', async () => {
    const t = await twoAgain();
    sack(t, 7, [0, 1]);
    sack(t, 7, [1, 2]);
    for (let i = 0; i < 3; i++) sack(t, 7);
    expect(t.counters.TCPDSACKUndo).to.equal(1);
  });

  it('after recovery, too', async () => {
    const t = await twoAgain();
    sack(t, 10 + sent(t).length);
    sack(t, 10, [0, 1]);
    expect(info(t).tcpi_snd_ssthresh).to.equal(5);
    sack(t, 10, [1, 2]);
    expect(info(t).tcpi_snd_ssthresh).to.equal(UNLIMITED);
  });

  it('4: a duplicate above the acknowledgment lies within the second block', async () => {
    const t = await twoAgain();
    sack(t, 0, [1, 2], [1, 7]);
    expect(t.counters).to.include({ TCPDSACKOfoRecv: 1, TCPDSACKRecv: 0 });
    expect(info(t).tcpi_snd_ssthresh).to.equal(5);
    sack(t, 7, [0, 1]);
    expect(info(t).tcpi_snd_ssthresh).to.equal(UNLIMITED);
    expect(t.counters.TCPDSACKUndo).to.equal(1);
  });

  it('what was sent once and came twice says nothing about what was sent again', async () => {
    const t = await segmentsOut(10, 0);
    sack(t, 0, [1, 4]);
    expect(sent(t)).to.deep.equal([0]);
    sack(t, 0, [2, 3], [1, 4]);
    expect(t.counters).to.include({ TCPDSACKOfoRecv: 1, TCPDSACKIgnoredDubious: 0 });
    sack(t, 10);
    expect(t.counters.TCPDSACKUndo).to.equal(0);
    expect(info(t).tcpi_snd_ssthresh).to.equal(5);
  });

  it('nor does one of an earlier recovery about this one', async () => {
    const t = await segmentsOut(10, 30);
    sack(t, 0, [1, 4]);
    sent(t);
    await t.advance(100);
    sack(t, 10);
    sent(t);
    expect(info(t).tcpi_ca_state).to.equal(0);
    await t.advance(100);
    const { tcpi_unacked: out } = info(t);
    sack(t, 10, [11, 14]);
    expect(info(t)).to.include({ tcpi_ca_state: 3 });
    expect(sent(t)).to.include(10);
    expect(out).to.be.greaterThan(4);
    sack(t, 10, [0, 1], [11, 14]);
    expect(t.counters).to.include({ TCPDSACKRecv: 1, TCPDSACKUndo: 0 });
    expect(info(t).tcpi_ca_state).to.equal(3);
  });

  it('more duplicates than were ever sent again are the doing of the network', async () => {
    const t = await segmentsOut(10, 0);
    sack(t, 0, [1, 4]);
    sent(t);
    sack(t, 10, [4, 7]);
    expect(t.counters.TCPDSACKIgnoredDubious).to.equal(1);
  });

  it('a duplicate is something delivered', async () => {
    const t = await twoAgain();
    const { tcpi_delivered: before } = info(t);
    sack(t, 7, [0, 1]);
    // 0 and 1, and the copy.
    expect(info(t).tcpi_delivered).to.equal(before + 3);
  });

  it('where nothing was reduced there is nothing to undo', async () => {
    const t = await segmentsOut(3, 0);
    await t.advance(102);
    expect(sent(t)).to.deep.equal([2]);
    sack(t, 3, [2, 3]);
    expect(t.counters).to.include({ TCPDSACKIgnoredNoUndo: 1, TCPDSACKUndo: 0 });
  });

  it('a tail loss probe counts among what was sent again (Linux)', async () => {
    const t = await segmentsOut(3, 0);
    await t.advance(102);
    expect(sent(t)).to.deep.equal([2]);
    await t.advance(100);
    sack(t, 0, [2, 3]);
    expect(sent(t)).to.deep.equal([0]);
    expect(t.socket.connection?.recovery?.undoRetrans).to.equal(3);
  });
});
