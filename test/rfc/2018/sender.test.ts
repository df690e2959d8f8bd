/** RFC 2018 5, 8: the sender of data and what SACK tells it; RFC 2883 4: duplicates reported. */
import { expect } from 'chai';
import { establishedAfter, info, seqs } from '../../support/wire-info.ts';
import type { PeerOptions, WirePeer } from '../../support/wire-peer.ts';

const MSS = 1460;
const at = (i: number) => 1 + i * MSS;

async function tenOut(options: PeerOptions = { options: { mss: MSS, sackOk: true } }): Promise<WirePeer> {
  const t = await establishedAfter(100, options);
  t.write(10 * MSS);
  expect(t.drain()).to.have.length(10);
  return t;
}

describe('RFC 2018 5: the sender', () => {
  it('8: when the oldest is SACKed at a timeout, the receiver has dropped it: all reports are forgotten', async () => {
    const t = await tenOut();
    t.inject({ ack: 1, options: { sack: [[at(1), at(2)]] } });
    t.inject({ ack: at(1) });
    expect(info(t).tcpi_sacked).to.equal(1);
    await t.advance(400);
    t.expect({ seq: at(1), length: MSS });
    expect(info(t)).to.include({ tcpi_sacked: 0, tcpi_lost: 9 });
    expect(t.counters.TCPSACKReneging).to.equal(1);
  });

  it('reports are ignored when SACK was not agreed on', async () => {
    const t = await tenOut({});
    t.inject({ ack: 1, options: { sack: [[at(1), at(4)]] } });
    t.expectNothing();
    expect(info(t)).to.include({ tcpi_options: 0, tcpi_ca_state: 1, tcpi_sacked: 1 });
    // It counts as the one duplicate that it is.
    t.inject({ ack: 1 });
    t.inject({ ack: 1 });
    t.expect({ seq: at(0) });
  });

  const senseless: [string, [number, number]][] = [
    ['beyond what was sent', [at(1), at(11)]],
    ['empty', [at(2), at(2)]],
    ['backwards', [at(4), at(1)]],
    ['far away', [at(1) + 0x40000000, at(4) + 0x40000000]],
  ];
  for (const [what, block] of senseless) {
    it(`a block that is ${what} is ignored`, async () => {
      const t = await tenOut();
      for (let i = 0; i < 4; i++) t.inject({ ack: 1, options: { sack: [block] } });
      t.expectNothing();
      expect(info(t)).to.include({ tcpi_sacked: 0, tcpi_lost: 0 });
      expect(t.counters.TCPSACKDiscard).to.equal(4);
    });
  }

  for (const [what, block] of [
    ['below what is acknowledged', [at(0) - 5000, at(0)]],
    ['half below it', [at(0) - 5000, at(9)]],
  ] as [string, [number, number]][]) {
    it(`a block that is ${what} reports a duplicate, of what was never sent twice: it is ignored`, async () => {
      const t = await tenOut();
      for (let i = 0; i < 4; i++) t.inject({ ack: 1, options: { sack: [block] } });
      t.expectNothing();
      expect(info(t)).to.include({ tcpi_sacked: 0, tcpi_lost: 0 });
      expect(t.counters).to.include({ TCPDSACKRecv: 4, TCPDSACKIgnoredDubious: 4 });
    });
  }

  it('the other blocks beside such a one count', async () => {
    const t = await tenOut();
    t.inject({
      ack: 1,
      options: {
        sack: [
          [at(4), at(1)],
          [at(1), at(4)],
        ],
      },
    });
    t.expect({ seq: at(0) });
  });

  it('RFC 2883 4: a first block below the acknowledgment reports a duplicate and marks nothing', async () => {
    const t = await tenOut();
    t.inject({
      ack: at(2),
      options: {
        sack: [
          [at(0), at(1)],
          [at(3), at(4)],
        ],
      },
    });
    expect(info(t).tcpi_sacked).to.equal(1);
    t.expectNothing();
  });

  it('RFC 2883 4: nor does one within the second', async () => {
    const t = await tenOut();
    t.inject({
      ack: 1,
      options: {
        sack: [
          [at(2), at(3)],
          [at(1), at(3)],
        ],
      },
    });
    expect(info(t).tcpi_sacked).to.equal(2);
    expect(seqs(t.drain())).to.deep.equal([]);
  });

  it('an acknowledgment that comes late is still read for its report', async () => {
    const t = await tenOut();
    t.inject({ ack: at(2) });
    t.inject({ ack: at(1), options: { sack: [[at(4), at(5)]] } });
    expect(info(t)).to.include({ tcpi_sacked: 1, tcpi_unacked: 8 });
  });

  it('numbers wrap within a report', async () => {
    const t = await tenOut();
    expect(info(t).tcpi_unacked).to.equal(10);
    t.inject({ ack: 1, options: { sack: [[at(1), at(10)]] } });
    expect(info(t).tcpi_sacked).to.equal(9);
    t.expect({ seq: at(0) });
    t.inject({ ack: at(10) });
    expect(info(t)).to.include({ tcpi_sacked: 0, tcpi_unacked: 0, tcpi_lost: 0, tcpi_retrans: 0 });
  });
});
