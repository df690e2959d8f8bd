/** RFC 3522 and RFC 4015, Eifel: timestamps tell that what was sent first has arrived, and the reduction is undone. Reno; segments of 1460 bytes. */
import { expect } from 'chai';
import { info } from '../../support/wire-info.ts';
import { at, segmentsOut, sent } from '../../support/wire-out.ts';
import type { PeerOptions, WirePeer } from '../../support/wire-peer.ts';

const STAMPED: PeerOptions = { mtu: 1512, options: { mss: 1472, sackOk: true, ts: [5000, 0] } };
const UNLIMITED = 0x7fffffff;

/** An acknowledgment that echoes what the DUT stamped at `echo`. */
function stamped(t: WirePeer, ack: number, echo: number, ...runs: [number, number][]): void {
  const sack = runs.map(([from, to]): [number, number] => [at(from), at(to)]);
  t.inject({ ack: at(ack), options: { ts: [5000 + t.now, echo], ...(sack.length > 0 ? { sack } : {}) } });
}

/** Ten are out, three of them reported, and the first has gone again. @returns when they were first sent, too */
async function recovering(waiting = 0): Promise<[WirePeer, number]> {
  const t = await segmentsOut(10, waiting, STAMPED);
  const first = t.now - 100;
  stamped(t, 0, first, [1, 4]);
  expect(sent(t)[0]).to.equal(0);
  expect(info(t)).to.include({ tcpi_ca_state: 3, tcpi_snd_ssthresh: 5 });
  return [t, first];
}

describe('RFC 3522 3.2: detection', () => {
  it('step 5: the echo is of before the retransmission: it was not needed (RFC 4015 3.2: cwnd and ssthresh are back)', async () => {
    const [t, first] = await recovering();
    await t.advance(10);
    stamped(t, 10, first);
    expect(info(t)).to.include({ tcpi_ca_state: 0, tcpi_snd_ssthresh: UNLIMITED });
    expect(info(t).tcpi_snd_cwnd).to.be.at.least(10);
    expect(t.counters).to.include({ TCPFullUndo: 1, TCPPartialUndo: 0, TCPLossUndo: 0 });
  });

  it('the echo is of the retransmission: it was', async () => {
    const [t] = await recovering();
    const again = t.now;
    await t.advance(100);
    stamped(t, 10, again);
    expect(info(t)).to.include({ tcpi_ca_state: 0, tcpi_snd_cwnd: 6, tcpi_snd_ssthresh: 5 });
    expect(t.counters.TCPFullUndo).to.equal(0);
  });

  it('step 2: of the first retransmission: an echo of what went between two of them is none of before', async () => {
    const t = await segmentsOut(10, 10, STAMPED);
    const first = t.now - 100;
    stamped(t, 0, first, [2, 5]);
    expect(sent(t)[0]).to.equal(0);
    const again = t.now;
    await t.advance(10);
    stamped(t, 0, first, [2, 8]);
    expect(sent(t)).to.include(1);
    await t.advance(90);
    stamped(t, 10, again + 5);
    expect(t.counters.TCPFullUndo).to.equal(0);
    expect(info(t).tcpi_snd_ssthresh).to.equal(5);
  });

  it('without timestamps there is nothing to tell', async () => {
    const t = await segmentsOut(10, 0);
    t.inject({ ack: 1, options: { sack: [[at(1), at(4)]] } });
    expect(sent(t)).to.deep.equal([0]);
    await t.advance(10);
    t.inject({ ack: at(10) });
    expect(info(t)).to.include({ tcpi_ca_state: 0, tcpi_snd_cwnd: 6, tcpi_snd_ssthresh: 5 });
  });

  it('likewise after a timeout', async () => {
    const t = await segmentsOut(10, 0, { ...STAMPED, sysctl: { tcp_frto: 0, tcp_early_retrans: 0 } });
    const first = t.now - 100;
    await t.advance(210);
    expect(sent(t)).to.deep.equal([0]);
    await t.advance(10);
    stamped(t, 1, first);
    expect(info(t)).to.include({ tcpi_ca_state: 0, tcpi_lost: 0, tcpi_snd_ssthresh: UNLIMITED, tcpi_retransmits: 0 });
    expect(info(t).tcpi_snd_cwnd).to.be.at.least(10);
    expect(t.counters).to.include({ TCPLossUndo: 1, TCPSpuriousRTOs: 0 });
    // RFC 4015 3.3: nothing that was taken for lost goes again.
    expect(sent(t)).to.deep.equal([]);
  });
});

describe('RFC 4015 3: response', () => {
  it('a partial acknowledgment is enough: nothing is lost any more, and the path reorders', async () => {
    const [t, first] = await recovering(20);
    await t.advance(10);
    stamped(t, 4, first);
    expect(info(t)).to.include({ tcpi_lost: 0, tcpi_snd_ssthresh: UNLIMITED, tcpi_reord_seen: 1 });
    expect(info(t).tcpi_snd_cwnd).to.be.at.least(10);
    expect(t.counters).to.include({ TCPPartialUndo: 1, TCPFullUndo: 0, TCPTSReorder: 1, TCPSACKReorder: 0 });
  });

  it('while other retransmissions are out it waits, and sends nothing else again (Linux)', async () => {
    const t = await segmentsOut(20, 40, STAMPED);
    const first = t.now - 100;
    stamped(t, 0, first, [8, 14]);
    expect(sent(t)).to.deep.equal([0, 1, 2, 3]);
    await t.advance(10);
    stamped(t, 1, first, [8, 14]);
    expect(sent(t).filter((i) => i < 20)).to.deep.equal([]);
    expect(info(t)).to.include({ tcpi_ca_state: 3, tcpi_snd_ssthresh: 10 });
    expect(t.counters.TCPPartialUndo).to.equal(0);
    // The next that does not move on lets the others go.
    stamped(t, 1, first, [8, 16]);
    expect(sent(t)).to.include(4);
  });

  it('cwnd is what it was, though ssthresh was known and lies below it', async () => {
    const [t] = await recovering();
    const again = t.now;
    await t.advance(100);
    stamped(t, 10, again);
    let next = 10;
    for (let i = 0; i < 4; i++) {
      const { tcpi_snd_cwnd: cwnd } = info(t);
      t.write(at(cwnd) - 1);
      sent(t);
      const first = t.now;
      await t.advance(100);
      next += cwnd;
      stamped(t, next, first);
    }
    const { tcpi_snd_cwnd: cwnd } = info(t);
    expect(cwnd).to.be.greaterThan(7);
    t.write(at(cwnd) - 1);
    sent(t);
    const first = t.now;
    await t.advance(100);
    stamped(t, next, first, [next + 1, next + 4]);
    expect(sent(t)).to.deep.equal([next]);
    await t.advance(10);
    stamped(t, next + cwnd, first);
    expect(t.counters.TCPFullUndo).to.equal(1);
    // RFC 7661, as Linux: three quarters of cwnd are remembered.
    expect(info(t)).to.include({ tcpi_snd_cwnd: cwnd, tcpi_snd_ssthresh: (cwnd >> 1) + (cwnd >> 2) });
  });
});
