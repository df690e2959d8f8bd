/** RFC 3042: limited transmit. */
import { expect } from 'chai';
import { establishedAfter, info, seqs } from '../../support/wire-info.ts';
import type { PeerOptions, WirePeer } from '../../support/wire-peer.ts';

const MSS = 1460;
const at = (i: number) => 1 + i * MSS;

async function tenOut(count: number, options: PeerOptions = {}): Promise<WirePeer> {
  const t = await establishedAfter(100, options);
  t.write(count * MSS);
  expect(t.drain()).to.have.length(10);
  return t;
}

describe('RFC 3042 2: limited transmit', () => {
  it('each of the first two duplicates lets one new segment go, beyond cwnd', async () => {
    const t = await tenOut(20);
    t.inject({ ack: 1 });
    t.expect({ seq: at(10), length: MSS });
    t.expectNothing();
    t.inject({ ack: 1 });
    t.expect({ seq: at(11), length: MSS });
    t.expectNothing();
    expect(info(t).tcpi_snd_cwnd).to.equal(10);
  });

  it('the third makes the lost one go again and nothing new', async () => {
    const t = await tenOut(20);
    for (let i = 0; i < 3; i++) t.inject({ ack: 1 });
    expect(seqs(t.drain())).to.deep.equal([at(10), at(11), at(0)]);
  });

  it("only as far as the peer's window reaches", async () => {
    const t = await tenOut(20, { win: 11 * MSS });
    for (let i = 0; i < 2; i++) t.inject({ ack: 1 });
    expect(seqs(t.drain())).to.deep.equal([at(10)]);
  });

  it('with SACK, each segment newly reported lets one go', async () => {
    const t = await tenOut(20, { options: { mss: MSS, sackOk: true } });
    t.inject({ ack: 1, options: { sack: [[at(1), at(2)]] } });
    t.expect({ seq: at(10) });
    t.inject({ ack: 1, options: { sack: [[at(1), at(3)]] } });
    t.expect({ seq: at(11) });
    // RFC 3042 2: a duplicate that reports nothing new does not.
    t.inject({ ack: 1, options: { sack: [[at(1), at(3)]] } });
    t.expectNothing();
  });
});
