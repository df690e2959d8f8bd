/** Loss recovery where no RFC says how: Linux's states, counters and care. Reno unless said otherwise; the round trip is 100 ms, the RTO 300 ms. */
import { expect } from 'chai';
import type { ControlBlock } from '../../src/tcp/control-block.ts';
import { info } from '../support/wire-info.ts';
import { MSS, sack, segmentsOut, sent } from '../support/wire-out.ts';
import type { PeerOptions, WirePeer } from '../support/wire-peer.ts';

const NO_PROBES = { tcp_early_retrans: 0 };

function block(t: WirePeer): ControlBlock {
  return t.socket.connection as ControlBlock;
}

/** Some have gone and been acknowledged, so that RACK knows the round trip; nothing is out. */
async function afterFirst(options: PeerOptions = {}): Promise<WirePeer> {
  const t = await segmentsOut(10, 0, options);
  sack(t, 10);
  return t;
}

describe('a timeout', () => {
  it('takes for lost what had its time by RACK; what went lately is still under way, and cwnd one more than that', async () => {
    const t = await afterFirst({ sysctl: NO_PROBES });
    t.write(5 * MSS);
    sent(t);
    await t.advance(250);
    t.write(3 * MSS);
    expect(sent(t)).to.have.length(3);
    await t.advance(60);
    expect(sent(t)).to.deep.equal([10]);
    expect(info(t)).to.include({ tcpi_ca_state: 4, tcpi_lost: 5, tcpi_snd_cwnd: 4 });
  });

  it('ends a tail loss probe: what is acknowledged later repairs nothing', async () => {
    const t = await segmentsOut(3, 0);
    await t.advance(102);
    expect(sent(t)).to.deep.equal([2]);
    await t.advance(301);
    expect(t.counters.TCPTimeouts).to.equal(1);
    t.drain();
    await t.advance(100);
    sack(t, 3);
    t.write(MSS);
    t.drain();
    sack(t, 4);
    expect(t.counters.TCPLossProbeRecovery).to.equal(0);
  });

  it('is counted by what it put an end to: disorder, recovery, or loss', async () => {
    const disorder = await segmentsOut(10, 0, { sysctl: { ...NO_PROBES, tcp_recovery: 0 } });
    sack(disorder, 0, [1, 2]);
    await disorder.advance(210);
    expect(disorder.counters).to.include({ TCPTimeouts: 1, TCPSackFailures: 1, TCPSackRecoveryFail: 0 });
    disorder.drain();

    const recovery = await segmentsOut(10, 0, { sysctl: NO_PROBES });
    sack(recovery, 0, [1, 4]);
    await recovery.advance(310);
    expect(recovery.counters).to.include({ TCPTimeouts: 1, TCPSackFailures: 0, TCPSackRecoveryFail: 1 });
    recovery.drain();

    const loss = await segmentsOut(10, 0, { sysctl: { ...NO_PROBES, tcp_frto: 0 } });
    await loss.advance(201);
    sack(loss, 1);
    await loss.advance(2000);
    expect(loss.counters).to.include({ TCPLossFailures: 1, TCPSackFailures: 0 });
    loss.drain();
  });

  it('the congestion control is told', async () => {
    const t = await segmentsOut(10, 0, { sysctl: NO_PROBES });
    let told = 0;
    Object.assign(block(t).congestion, { timedOut: () => told++ });
    await t.advance(201);
    t.drain();
    expect(told).to.equal(1);
  });

  it('a retransmission that is lost again begins a recovery of its own', async () => {
    const t = await segmentsOut(10, 0, { sysctl: { ...NO_PROBES, tcp_frto: 0 } });
    await t.advance(201);
    sent(t);
    await t.advance(100);
    sack(t, 1);
    expect(sent(t)).to.deep.equal([1, 2]);
    await t.advance(100);
    sack(t, 1, [2, 3]);
    expect(info(t).tcpi_ca_state).to.equal(3);
    expect(t.counters).to.include({ TCPLostRetransmit: 1, TCPSackRecovery: 1 });
  });
});

describe('a receiver that drops what it SACKed', () => {
  it('has 10 ms or half a round trip to think again; then all goes again, even what went lately', async () => {
    const t = await segmentsOut(10, 20, { sysctl: NO_PROBES });
    sack(t, 0, [1, 3]);
    sent(t);
    await t.advance(10);
    sack(t, 1);
    const fresh = sent(t).length;
    expect(fresh).to.be.greaterThan(0);
    await t.advance(49);
    expect(t.counters.TCPSACKReneging).to.equal(0);
    await t.advance(3);
    expect(t.counters).to.include({ TCPSACKReneging: 1, TCPTimeouts: 1 });
    const { tcpi_lost, tcpi_unacked, tcpi_sacked } = info(t);
    expect([tcpi_lost, tcpi_sacked]).to.deep.equal([tcpi_unacked, 0]);
    t.drain();
  });
});

describe('disorder', () => {
  it('a tail loss probe is out, and a duplicate comes: in doubt, though nothing is reported', async () => {
    const t = await segmentsOut(3, 0);
    await t.advance(102);
    expect(sent(t)).to.deep.equal([2]);
    sack(t, 0);
    expect(info(t)).to.include({ tcpi_ca_state: 1, tcpi_sacked: 0, tcpi_lost: 0 });
  });

  it('new data that it lets go puts the retransmission timer in the place of the probe', async () => {
    const t = await segmentsOut(10, 10, { sysctl: { tcp_recovery: 0 } });
    sack(t, 0, [1, 2]);
    expect(sent(t)).to.deep.equal([10]);
    await t.advance(150);
    t.expectNothing();
    expect(t.counters.TCPLossProbes).to.equal(0);
  });
});

describe('the timer of what is out', () => {
  it('a reordering window that grew meanwhile ends in vain: then the retransmission timer runs, from when the oldest went', async () => {
    const t = await afterFirst({ sysctl: NO_PROBES });
    // As if one had been sent again: a D-SACK is believed then.
    block(t).totalRetrans = 2;
    t.write(5 * MSS);
    sent(t);
    await t.advance(100);
    sack(t, 10, [11, 12]);
    await t.advance(5);
    sack(t, 10, [3, 4], [11, 12]);
    await t.advance(30);
    t.expectNothing();
    await t.advance(164);
    t.expectNothing();
    await t.advance(2);
    expect(sent(t)).to.deep.equal([10]);
    expect(t.counters.TCPTimeouts).to.equal(1);
  });

  it('SACK of what went before the oldest was sent again starts it anew', async () => {
    const t = await segmentsOut(10, 0, { sysctl: NO_PROBES });
    sack(t, 0, [1, 4]);
    expect(sent(t)).to.deep.equal([0]);
    await t.advance(100);
    sack(t, 0, [1, 5]);
    const { tcpi_rto: rto } = info(t);
    await t.advance(rto / 1000 - 1);
    expect(t.counters.TCPTimeouts).to.equal(0);
    await t.advance(2);
    expect(t.counters.TCPTimeouts).to.equal(1);
    t.drain();
  });

  it('but no other SACK does', async () => {
    const t = await segmentsOut(10, 0, { sysctl: { ...NO_PROBES, tcp_recovery: 0 } });
    await t.advance(100);
    sack(t, 0, [1, 2]);
    await t.advance(99);
    expect(t.counters.TCPTimeouts).to.equal(0);
    await t.advance(2);
    expect(t.counters.TCPTimeouts).to.equal(1);
    t.drain();
  });
});

describe('reordering', () => {
  it('DupThresh grows to the distance of the lowest that came behind', async () => {
    const t = await segmentsOut(12, 0);
    sack(t, 0, [8, 9]);
    await t.advance(5);
    sack(t, 0, [1, 2], [5, 6], [8, 9]);
    expect(info(t)).to.include({ tcpi_reordering: 8, tcpi_reord_seen: 1 });
    expect(t.counters).to.include({ TCPSACKReorder: 1, TCPTSReorder: 0 });
  });

  it('no further than tcp_max_reordering', async () => {
    const t = await segmentsOut(12, 0, { sysctl: { tcp_max_reordering: 5 } });
    sack(t, 0, [8, 9]);
    await t.advance(5);
    sack(t, 0, [1, 2], [8, 9]);
    expect(info(t).tcpi_reordering).to.equal(5);
  });

  it('without SACK more duplicates than segments say so', async () => {
    const t = await segmentsOut(4, 0, { options: { mss: MSS } });
    for (let i = 0; i < 4; i++) sack(t, 0);
    expect(info(t)).to.include({ tcpi_reordering: 4, tcpi_reord_seen: 1 });
    expect(t.counters.TCPRenoReorder).to.equal(1);
    t.drain();
  });

  it('where a path reorders, what is SACKed lets cwnd grow', async () => {
    const t = await segmentsOut(12, 60);
    sack(t, 0, [8, 9]);
    sack(t, 0, [1, 2], [8, 9]);
    sack(t, 12);
    sent(t);
    await t.advance(100);
    const { tcpi_snd_cwnd: before } = info(t);
    sack(t, 12, [14, 16]);
    expect(info(t)).to.include({ tcpi_ca_state: 1, tcpi_snd_cwnd: before + 2 });
  });
});

describe('RACK, as tcp_recovery says', () => {
  it('what was delivered last stays so when an older one comes', async () => {
    const t = await afterFirst();
    t.write(3 * MSS);
    await t.advance(10);
    t.write(3 * MSS);
    sent(t);
    const later = t.now;
    await t.advance(100);
    sack(t, 10, [15, 16]);
    sack(t, 10, [12, 13], [15, 16]);
    expect(block(t).rack?.sentAt).to.equal(later);
  });

  it('2: the reordering window does not adapt', async () => {
    const t = await segmentsOut(10, 0, { sysctl: { tcp_recovery: 3 } });
    sack(t, 0, [1, 4]);
    sack(t, 10);
    sack(t, 10, [0, 1]);
    expect(t.counters.TCPDSACKRecv).to.equal(1);
    expect(block(t).rack?.multiplier).to.equal(1);
  });

  it('4: DupThresh segments SACKed are no reason not to wait', async () => {
    const t = await segmentsOut(10, 0, { sysctl: { tcp_recovery: 5 } });
    sack(t, 0, [1, 6]);
    t.expectNothing();
    await t.advance(28);
    expect(sent(t)).to.deep.equal([0]);
  });

  it('D-SACKs of one round trip widen the window once', async () => {
    const t = await segmentsOut(10, 20);
    sack(t, 0, [2, 7]);
    expect(sent(t)).to.deep.equal([0, 1]);
    sack(t, 7, [0, 1]);
    sack(t, 7, [1, 2]);
    expect(t.counters.TCPDSACKIgnoredDubious).to.equal(0);
    expect(block(t).rack?.multiplier).to.equal(2);
  });
});
