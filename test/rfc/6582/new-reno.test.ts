/** RFC 5681 3.2 and RFC 6582: fast retransmit and fast recovery without SACK. Segments of 1460 bytes, numbered from 0. */
import { expect } from 'chai';
import { establishedAfter, info, seqs } from '../../support/wire-info.ts';
import type { PeerOptions, WirePeer } from '../../support/wire-peer.ts';

const MSS = 1460;
/** Where segment i begins. */
const at = (i: number) => 1 + i * MSS;

/** Ten segments are out, of `count` that were written. */
async function tenOut(count = 10, options: PeerOptions = {}): Promise<WirePeer> {
  const t = await establishedAfter(100, options);
  t.write(count * MSS);
  expect(t.drain()).to.have.length(10);
  await t.advance(50);
  return t;
}

function duplicates(t: WirePeer, count: number, ack = 1): void {
  for (let i = 0; i < count; i++) t.inject({ ack });
}

describe('RFC 5681 3.2: fast retransmit', () => {
  it('the third duplicate acknowledgment makes the first segment that is not acknowledged go again', async () => {
    const t = await tenOut();
    duplicates(t, 2);
    t.expectNothing();
    duplicates(t, 1);
    t.expect({ seq: 1, length: MSS });
    t.expectNothing();
    expect(t.counters).to.include({ TCPFastRetrans: 1, TCPRenoRecovery: 1, TCPTimeouts: 0, RetransSegs: 1 });
  });

  it('tcp_reordering is the number', async () => {
    const t = await tenOut(10, { sysctl: { tcp_reordering: 5 } });
    duplicates(t, 4);
    t.expectNothing();
    duplicates(t, 1);
    t.expect({ seq: 1 });
  });

  it('step 2: ssthresh becomes half of what was out', async () => {
    const t = await tenOut();
    duplicates(t, 3);
    t.drain();
    expect(info(t)).to.include({ tcpi_snd_ssthresh: 5, tcpi_ca_state: 3 });
  });

  it('step 2: but no less than two segments', async () => {
    const t = await establishedAfter(100, { sysctl: { tcp_init_cwnd: 3 } });
    t.write(20 * MSS);
    t.drain();
    duplicates(t, 3);
    expect(info(t).tcpi_snd_ssthresh).to.equal(2);
    t.drain();
  });

  it('step 4, as RFC 6937 has it: each further duplicate says that one more has left the network, and every second lets new data go', async () => {
    const t = await tenOut(30);
    duplicates(t, 3);
    // Limited transmit, twice, then the retransmission.
    expect(seqs(t.drain())).to.deep.equal([at(10), at(11), at(0)]);
    // From ten to five: one for two, the retransmission counted.
    const sent = [];
    for (let i = 0; i < 5; i++) {
      duplicates(t, 1);
      sent.push(t.drain().length);
    }
    expect(sent).to.deep.equal([0, 1, 0, 1, 0]);
  });

  it('step 6: the acknowledgment of it all, and more, ends recovery with cwnd at ssthresh, from which it grows', async () => {
    const t = await tenOut(30);
    duplicates(t, 9);
    const { length } = t.drain().filter(({ seq }) => seq > at(9));
    t.inject({ ack: at(10 + length) });
    expect(info(t)).to.include({ tcpi_ca_state: 0, tcpi_snd_cwnd: 6, tcpi_snd_ssthresh: 5 });
    expect(t.drain()).to.have.length(6);
  });

  it('cwnd does not grow during recovery', async () => {
    const t = await tenOut(30);
    duplicates(t, 3);
    t.inject({ ack: at(4) });
    t.inject({ ack: at(6) });
    expect(info(t)).to.include({ tcpi_ca_state: 3, tcpi_snd_cwnd: 5 });
    t.drain();
  });
});

describe('RFC 5681 2: what a duplicate acknowledgment is', () => {
  it('not one with data', async () => {
    const t = await tenOut();
    for (let i = 0; i < 5; i++) t.inject({ ack: 1, length: 100 });
    expect(seqs(t.drain().filter(({ length }) => length > 0))).to.deep.equal([]);
    expect(info(t).tcpi_ca_state).to.equal(0);
  });

  it('not one that changes the window', async () => {
    const t = await tenOut();
    for (let i = 0; i < 5; i++) t.inject({ ack: 1, win: 60_000 + i });
    t.expectNothing();
    // But for the first: it only takes some of the window back, as a receiver does that has something out of order (Linux).
    expect(info(t)).to.include({ tcpi_ca_state: 1, tcpi_sacked: 1 });
  });

  it('not one with a FIN', async () => {
    const t = await tenOut();
    duplicates(t, 2);
    t.inject({ ack: 1, flags: 'FA' });
    expect(seqs(t.drain().filter(({ length }) => length > 0))).to.deep.equal([]);
  });

  it('not one below SND.UNA', async () => {
    const t = await tenOut();
    t.inject({ ack: at(5) });
    for (let i = 0; i < 5; i++) t.inject({ ack: at(3) });
    t.expectNothing();
  });

  it('none while nothing is out', async () => {
    const t = await tenOut();
    t.inject({ ack: at(10) });
    duplicates(t, 5, at(10));
    t.write(MSS);
    t.expect({ seq: at(10) });
    duplicates(t, 2, at(10));
    t.expectNothing();
  });

  it('an acknowledgment of something new starts the count anew', async () => {
    const t = await tenOut();
    duplicates(t, 2);
    t.inject({ ack: at(1) });
    duplicates(t, 2, at(1));
    t.expectNothing();
    duplicates(t, 1, at(1));
    t.expect({ seq: at(1) });
  });
});

describe('RFC 6582 3.2: partial acknowledgments', () => {
  it('step 3: one makes the next segment that is not acknowledged go again, at once', async () => {
    const t = await tenOut();
    duplicates(t, 8);
    expect(seqs(t.drain())).to.deep.equal([at(0)]);
    t.inject({ ack: at(3) });
    t.expect({ seq: at(3), length: MSS });
    t.inject({ ack: at(7) });
    t.expect({ seq: at(7), length: MSS });
    expect(info(t).tcpi_ca_state).to.equal(3);
    t.inject({ ack: at(10) });
    t.expectNothing();
    expect(t.counters).to.include({ TCPFastRetrans: 3, TCPSlowStartRetrans: 0, RetransSegs: 3 });
    // Duplicates of these three may still come (step 4, and Linux): it ends when something new is acknowledged.
    expect(info(t)).to.include({ tcpi_ca_state: 3, tcpi_total_retrans: 3 });
    t.write(1);
    t.drain();
    t.inject({ ack: at(10) + 1 });
    expect(info(t).tcpi_ca_state).to.equal(0);
  });

  it('step 3: the retransmission timer starts anew', async () => {
    const t = await tenOut();
    duplicates(t, 6);
    t.drain();
    await t.advance(200);
    t.inject({ ack: at(3) });
    t.expect({ seq: at(3) });
    await t.advance(299);
    t.expectNothing();
  });

  it('step 3: duplicates after it send nothing twice', async () => {
    const t = await tenOut();
    duplicates(t, 6);
    t.drain();
    t.inject({ ack: at(3) });
    t.expect({ seq: at(3) });
    duplicates(t, 3, at(3));
    t.expectNothing();
  });

  it('step 3: ssthresh is not lowered again', async () => {
    const t = await tenOut();
    duplicates(t, 3);
    t.inject({ ack: at(3) });
    duplicates(t, 3, at(3));
    t.drain();
    expect(info(t)).to.include({ tcpi_snd_ssthresh: 5 });
    expect(t.counters.TCPRenoRecovery).to.equal(1);
  });
});

describe('RFC 6582 3.2 step 2, 4: recover', () => {
  /** A timeout has made everything go again; all of it is acknowledged, and five new ones are out. */
  async function afterTimeout(): Promise<WirePeer> {
    const t = await tenOut();
    await t.advance(250);
    expect(seqs(t.drain())).to.deep.equal([at(0)]);
    t.inject({ ack: at(10) });
    t.write(5 * MSS);
    expect(seqs(t.drain())).to.deep.equal([10, 11, 12, 13, 14].map(at));
    return t;
  }

  it('duplicates that acknowledge no more than what was out at the timeout start no fast retransmit', async () => {
    const t = await afterTimeout();
    duplicates(t, 4, at(10));
    t.expectNothing();
  });

  it('those that do acknowledge more start one', async () => {
    const t = await afterTimeout();
    t.inject({ ack: at(11) });
    duplicates(t, 3, at(11));
    t.expect({ seq: at(11) });
  });

  it('nor do duplicates at the end of a fast recovery start another', async () => {
    const t = await tenOut();
    duplicates(t, 3);
    t.drain();
    t.inject({ ack: at(10) });
    t.write(5 * MSS);
    t.drain();
    duplicates(t, 4, at(10));
    t.expectNothing();
  });
});

describe('RFC 5681 3.1, 3.2: a timeout', () => {
  it('cwnd is one segment then, ssthresh half of what was out', async () => {
    const t = await tenOut();
    await t.advance(250);
    t.expect({ seq: at(0) });
    t.expectNothing();
    expect(info(t)).to.include({ tcpi_snd_cwnd: 1, tcpi_snd_ssthresh: 5, tcpi_ca_state: 4, tcpi_lost: 10 });
  });

  it('duplicates that came before it count no more', async () => {
    const t = await tenOut();
    duplicates(t, 2);
    await t.advance(250);
    expect(seqs(t.drain())).to.deep.equal([at(0)]);
    expect(info(t)).to.include({ tcpi_sacked: 0, tcpi_retrans: 1 });
  });

  it('ssthresh is not lowered again for the same segment', async () => {
    const t = await tenOut();
    await t.advance(5000);
    expect(t.drain().length).to.be.greaterThan(3);
    expect(info(t)).to.include({ tcpi_snd_cwnd: 1, tcpi_snd_ssthresh: 5 });
  });

  it('but for one of the next window it is', async () => {
    const t = await tenOut(40);
    await t.advance(250);
    t.inject({ ack: at(10) });
    expect(t.drain()).to.have.length(7);
    expect(info(t).tcpi_snd_cwnd).to.equal(6);
    await t.advance(5000);
    expect(info(t)).to.include({ tcpi_snd_cwnd: 1, tcpi_snd_ssthresh: 3 });
    t.drain();
  });

  it('duplicates do not start a fast retransmit before all that was out is acknowledged', async () => {
    const t = await tenOut();
    await t.advance(250);
    t.expect({ seq: at(0) });
    t.inject({ ack: at(1) });
    expect(seqs(t.drain())).to.deep.equal([at(1), at(2)]);
    duplicates(t, 5, at(1));
    expect(info(t)).to.include({ tcpi_ca_state: 4, tcpi_snd_ssthresh: 5 });
    expect(t.counters.TCPFastRetrans).to.equal(0);
    t.drain();
  });
});
