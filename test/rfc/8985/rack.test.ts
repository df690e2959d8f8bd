/** RFC 8985 6: RACK. Segments of 1460 bytes, numbered from 0; the round trip is 100 ms. */
import { expect } from 'chai';
import type { ControlBlock } from '../../../src/tcp/control-block.ts';
import { establishedAfter, info, seqs } from '../../support/wire-info.ts';
import type { PeerOptions, WirePeer } from '../../support/wire-peer.ts';

const MSS = 1460;
const at = (i: number) => 1 + i * MSS;
/** A quarter of the least round trip, and Linux's two ticks. */
const WINDOW = 25 + 2;

/** Ten segments are out for a round trip, and `count - 10` wait. */
async function tenOut(count = 10, options: PeerOptions = {}): Promise<WirePeer> {
  const t = await establishedAfter(100, { options: { mss: MSS, sackOk: true }, ...options });
  t.write(count * MSS);
  expect(t.drain()).to.have.length(10);
  await t.advance(100);
  return t;
}

/** An acknowledgment of all before segment `ack` that reports these runs of segments. */
function sack(t: WirePeer, ack: number, ...runs: [number, number][]): void {
  t.inject({ ack: at(ack), options: { sack: runs.map(([from, to]) => [at(from), at(to)]) } });
}

describe('RFC 8985 6.2 step 5: losses', () => {
  it('a segment is lost when one sent later was delivered and a quarter of the least round trip has passed', async () => {
    const t = await tenOut();
    sack(t, 0, [1, 2]);
    await t.advance(WINDOW - 0.5);
    t.expectNothing();
    await t.advance(1);
    t.expect({ seq: at(0), length: MSS });
    t.expectNothing();
    expect(info(t)).to.include({ tcpi_lost: 1, tcpi_sacked: 1, tcpi_ca_state: 3 });
  });

  it('what was sent after the delivered one is not in doubt', async () => {
    const t = await tenOut();
    sack(t, 0, [4, 5]);
    await t.advance(WINDOW + 1);
    t.drain();
    expect(info(t).tcpi_lost).to.equal(4);
  });

  it('when the missing comes within the window, nothing is lost', async () => {
    const t = await tenOut();
    sack(t, 0, [1, 2]);
    await t.advance(20);
    t.inject({ ack: at(2) });
    await t.advance(100);
    t.expectNothing();
    expect(t.counters).to.include({ RetransSegs: 0, TCPSackRecovery: 0 });
  });

  it('a retransmission that is lost is found by what was sent after it, without a timeout', async () => {
    const t = await tenOut(30);
    sack(t, 0, [1, 4]);
    expect(seqs(t.drain())[0]).to.equal(at(0));
    // New data leaves as more is reported, and its delivery says that the retransmission before it is gone.
    sack(t, 0, [1, 10]);
    const fresh = t.drain();
    expect(fresh.length).to.be.greaterThan(0);
    await t.advance(100);
    sack(t, 0, [1, 11]);
    t.expect({ seq: at(0), length: MSS });
    expect(t.counters.TCPTimeouts).to.equal(0);
  });

  it('tcp_recovery 0 finds losses by counting alone (RFC 6675)', async () => {
    const t = await tenOut(10, { sysctl: { tcp_recovery: 0 } });
    sack(t, 0, [1, 2]);
    await t.advance(WINDOW + 1);
    t.expectNothing();
  });

  it('without SACK there is nothing to go by', async () => {
    const t = await tenOut(10, { options: { mss: MSS } });
    t.inject({ ack: 1 });
    await t.advance(WINDOW + 1);
    t.expectNothing();
  });
});

describe('RFC 8985 6.2 step 4: the reordering window', () => {
  it('is nothing once DupThresh segments are SACKed and no reordering was seen', async () => {
    const t = await tenOut();
    sack(t, 0, [1, 4]);
    t.expect({ seq: at(0) });
  });

  it('is nothing in recovery, either', async () => {
    const t = await tenOut();
    sack(t, 0, [1, 4]);
    t.drain();
    t.inject({ ack: at(5) });
    t.drain();
    // One is SACKed, and that is enough now.
    sack(t, 5, [7, 8]);
    expect(info(t)).to.include({ tcpi_ca_state: 3, tcpi_sacked: 1, tcpi_lost: 2 });
  });

  it('stays when reordering was seen: three SACKed are no proof then', async () => {
    const t = await tenOut(30);
    sack(t, 0, [1, 2]);
    // Segment 0, sent once, comes behind segment 1.
    t.inject({ ack: at(2) });
    t.drain();
    sack(t, 2, [3, 8]);
    expect(seqs(t.drain())).to.not.include(at(2));
    await t.advance(WINDOW + 1);
    expect(seqs(t.drain())).to.include(at(2));
  });

  it('a retransmission that comes behind is no reordering', async () => {
    const t = await tenOut(30);
    sack(t, 0, [1, 4]);
    t.drain();
    await t.advance(100);
    t.inject({ ack: at(10) });
    t.drain();
    await t.advance(100);
    sack(t, 10, [11, 14]);
    expect(seqs(t.drain())).to.include(at(10));
  });

  it('is never longer than the smoothed round trip', async () => {
    const t = await tenOut(2000);
    const { connection } = t.socket;
    // As if so many had been sent again: D-SACKs beyond those are the network's doing.
    if (connection !== undefined) connection.totalRetrans = 12;
    for (let i = 1; i <= 12; i++) {
      // A round trip of its own for each D-SACK; all that is out is acknowledged.
      t.inject({ ack: at(sentBy(t)), options: { sack: [[at(0), at(1)]] } });
      t.drain();
      await t.advance(100);
    }
    expect(t.socket.connection?.rack?.multiplier).to.be.at.least(6);
    const first = sentBy(t) - info(t).tcpi_unacked;
    sack(t, first, [first + 1, first + 2]);
    await t.advance(100);
    expect(seqs(t.drain())).to.not.include(at(first));
    await t.advance(10);
    expect(seqs(t.drain())).to.include(at(first));
  });

  it('grows by a quarter for each round trip that brings a D-SACK, and is back after 16 recoveries', async () => {
    const t = await tenOut(2000);
    // Segment 0 goes again, and was received twice.
    sack(t, 0, [1, 4]);
    t.drain();
    await t.advance(100);
    const first = sentBy(t);
    for (let i = 0; i < 2; i++) t.inject({ ack: at(first), options: { sack: [[at(0), at(1)]] } });
    t.drain();
    await t.advance(100);
    sack(t, first, [first + 1, first + 2]);
    await t.advance(2 * 25);
    expect(seqs(t.drain())).to.not.include(at(first));
    await t.advance(3);
    expect(seqs(t.drain())).to.include(at(first));
    for (let i = 0; i < 16; i++) await recoverOnce(t);
    await t.advance(100);
    const next = sentBy(t) - info(t).tcpi_unacked;
    sack(t, next, [next + 1, next + 2]);
    await t.advance(WINDOW + 1);
    expect(seqs(t.drain())).to.include(at(next));
  });
});

/** How many segments have gone out. */
function sentBy(t: WirePeer): number {
  const { sndNxt, iss } = t.socket.connection as ControlBlock;
  return Math.round(((sndNxt - iss - 1) | 0) / MSS);
}

/** Everything out is acknowledged; of what goes out then, three are SACKed and the first goes again; a recovery. */
async function recoverOnce(t: WirePeer): Promise<void> {
  const connection = t.socket.connection;
  if (connection === undefined) throw new Error('no connection');
  await t.advance(100);
  t.inject({ ack: at(sentBy(t)) });
  t.drain();
  await t.advance(100);
  const first = Math.round(((connection.sndUna - connection.iss - 1) | 0) / MSS);
  sack(t, first, [first + 1, first + 2]);
  await t.advance(120);
  expect(seqs(t.drain())).to.include(at(first));
  expect(connection.caState).to.equal(3);
  await t.advance(100);
  t.inject({ ack: at(sentBy(t)) });
  t.drain();
  expect(connection.caState).to.equal(0);
}

describe('RFC 8985 6.2 step 2: which deliveries count', () => {
  it('a retransmission acknowledged sooner than the least round trip does not: it was the first that came', async () => {
    const t = await tenOut(30);
    sack(t, 0, [1, 4]);
    t.drain();
    const before = t.socket.connection?.rack?.sentAt;
    await t.advance(10);
    t.inject({ ack: at(4) });
    expect(t.socket.connection?.rack?.sentAt).to.equal(before);
  });

  it('nor one whose timestamp echoes an earlier sending', async () => {
    const size = MSS - 12;
    const t = await establishedAfter(100, { options: { mss: MSS, sackOk: true, ts: [5000, 0] } });
    const first = t.now;
    t.write(30 * size);
    t.drain();
    await t.advance(100);
    t.inject({ ack: 1, options: { ts: [5300, first], sack: [[1 + size, 1 + 4 * size]] } });
    t.expect({ seq: 1, length: size });
    t.drain();
    const before = t.socket.connection?.rack?.sentAt;
    expect(before).to.equal(first);
    await t.advance(150);
    t.inject({ ack: 1 + 4 * size, options: { ts: [5600, first] } });
    expect(info(t).tcpi_sacked).to.equal(0);
    expect(t.socket.connection?.rack?.sentAt).to.equal(before);
  });

  it('otherwise it is the latest that is known to have come', async () => {
    const t = await tenOut(30);
    sack(t, 0, [1, 4]);
    t.drain();
    const sentAt = t.stack.clock.now();
    await t.advance(150);
    t.inject({ ack: at(4) });
    expect(t.socket.connection?.rack?.sentAt).to.equal(sentAt);
  });
});
