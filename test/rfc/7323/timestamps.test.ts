/** RFC 7323 3-5: timestamps, RTTM and PAWS. TSval of the DUT reads as ms of the test's clock; the peer's as they stand. */
import { expect } from 'chai';
import { errorOf, establishedAfter, info } from '../../support/wire-info.ts';
import {
  connecting,
  established,
  listening,
  WirePeer as Peer,
  type PeerOptions,
  type WirePeer,
} from '../../support/wire-peer.ts';

const stamped: PeerOptions = { options: { mss: 1460, ts: [5000, 0] } };
const DAY = 86_400_000;

/** The peer sends a byte with this TSval. */
function byte(t: WirePeer, seq: number, tsVal: number, ack = 1): void {
  t.inject({ seq, length: 1, ack, options: { ts: [tsVal, 0] } });
}

describe('RFC 7323 3.2: the timestamps option', () => {
  it('a SYN offers it, with TSecr 0', () => {
    const t = new Peer();
    t.connect();
    const syn = t.expect({ flags: 'S' });
    expect(syn.options.ts).to.deep.equal([1000, 0]);
  });

  it('a SYN,ACK has it when the SYN had it, and echoes it', () => {
    const t = listening(stamped);
    t.inject({ seq: 0, flags: 'S', options: t.synOptions });
    t.expect({ flags: 'SA', options: { ts: [1000, 5000] } });
    const without = listening();
    without.inject({ seq: 0, flags: 'S', options: without.synOptions });
    without.expect({ flags: 'SA', options: { ts: undefined } });
  });

  it('agreed on, it is in every segment: acknowledgments, data, FIN', async () => {
    const t = await established(stamped);
    await t.advance(7);
    byte(t, 1, 5001);
    t.expect({ flags: 'A', length: 0, options: { ts: [1007, 5001] } });
    t.write('a');
    t.expect({ data: 'a', options: { ts: [1007, 5001] } });
    t.socket.shutdown(1);
    t.expect({ flags: 'FA', options: { ts: [1007, 5001] } });
    expect(info(t)).to.include({ tcpi_options: 1, tcpi_snd_mss: 1448 });
  });

  it('the third segment of the handshake has it', () => {
    const t = connecting();
    t.inject({ seq: 0, ack: 1, flags: 'SA', options: { mss: 1460, ts: [77, 1000] } });
    t.expect({ flags: 'A', options: { ts: [1000, 77] } });
  });

  it('not agreed on, it is in none', async () => {
    for (const options of [{ active: true }, {}, { ...stamped, sysctl: { tcp_timestamps: false } }]) {
      const t = await established(options);
      t.inject({ length: 1, options: { ts: undefined } });
      t.expect({ flags: 'A', options: { ts: undefined } });
      expect(info(t).tcpi_snd_mss).to.equal(1460);
    }
  });

  it('tcp_timestamps off: not offered', () => {
    const t = new Peer({ sysctl: { tcp_timestamps: false } });
    t.connect();
    t.expect({ flags: 'S', options: { ts: undefined } });
  });

  it('not agreed on, those that come mean nothing', async () => {
    const t = await established();
    t.inject({ seq: 1, length: 1, options: { ts: [100, 0] } });
    t.inject({ seq: 2, length: 1, options: { ts: [50, 0] } });
    expect(t.read()).to.have.length(2);
    t.drain();
  });

  it('a segment without one is taken all the same (a SHOULD that Linux does not follow)', async () => {
    const t = await established(stamped);
    t.inject({ seq: 1, length: 1, options: { ts: undefined } });
    expect(t.read()).to.have.length(1);
    t.drain();
  });
});

describe('RFC 7323 4.3: which timestamp is echoed', () => {
  it('of several segments that one acknowledgment covers, the earliest', async () => {
    const t = await established(stamped);
    // The quick acknowledgments of a young connection would answer each.
    for (let i = 1; i <= 16; i++) byte(t, i, 5000 + i);
    t.drain();
    byte(t, 17, 5100);
    byte(t, 18, 5200);
    t.expectNothing();
    await t.advance(40);
    t.expect({ ack: 19, options: { ts: [1040, 5100] } });
  });

  it('(2): out of order, that of the last segment that advanced the window', async () => {
    const t = await established(stamped);
    byte(t, 1, 5100);
    t.expect({ ack: 2, options: { ts: [1000, 5100] } });
    byte(t, 3, 5300);
    t.expect({ ack: 2, options: { ts: [1000, 5100] } });
    // (3): the one that fills the hole.
    byte(t, 2, 5200);
    t.expect({ ack: 4, options: { ts: [1000, 5200] } });
  });

  it('segments without data count, when they are where we are', async () => {
    const t = await established(stamped);
    t.inject({ seq: 1, options: { ts: [5500, 0] } });
    t.write('a');
    t.expect({ options: { ts: [1000, 5500] } });
  });

  it('a SYN,ACK that goes again echoes the acknowledgment that found the queue full', async () => {
    const t = listening({ ...stamped, backlog: 0 });
    t.inject({ seq: 0, flags: 'S', options: t.synOptions, from: 1001 });
    t.expect({ flags: 'SA', options: { ts: [1000, 5000] } });
    t.handshake(1002);
    t.inject({ seq: 1, ack: 1, from: 1001, options: { ts: [5100, 0] } });
    await t.advance(1000);
    t.expect({ flags: 'SA', to: 1001, options: { ts: [2000, 5100] } });
  });

  it('an older one never takes the place of a later', async () => {
    const t = await established(stamped);
    byte(t, 1, 5100);
    t.drain();
    byte(t, 2, 5100);
    t.expect({ options: { ts: [1000, 5100] } });
    t.inject({ seq: 3, length: 1, options: { ts: [5099, 0] } });
    t.expect({ ack: 3, options: { ts: [1000, 5100] } });
  });
});

describe('RFC 7323 4.1: round-trip measurement', () => {
  it('acknowledgments of what was sent once are measured by when that was', async () => {
    const t = await establishedAfter(100, stamped);
    t.write('a');
    t.drain();
    await t.advance(60);
    t.inject({});
    expect(info(t)).to.include({ tcpi_rttvar: 47_500, tcpi_rtt: 95_000 });
  });

  it('an echo from the future measures nothing', async () => {
    const t = await establishedAfter(100, stamped);
    t.write('a');
    await t.advance(300);
    t.drain();
    t.inject({ ack: 2, options: { ts: [6000, t.now + 1000] } });
    expect(info(t)).to.include({ tcpi_rtt: 100_000, tcpi_backoff: 1 });
  });

  it('an echo of nothing measures nothing', async () => {
    // Offsets on both sides of zero.
    for (const seed of [1, 2, 3, 4, 5]) {
      const t = await establishedAfter(100, { ...stamped, seed });
      t.write('a');
      await t.advance(300);
      t.drain();
      t.inject({ ack: 2, options: { ts: [6000, 0] } });
      expect(info(t)).to.include({ tcpi_rtt: 100_000 });
    }
  });
});

describe('RFC 7323 5: protection against wrapped sequence numbers', () => {
  it('R1: a segment with an older timestamp is dropped, and acknowledged', async () => {
    const t = await established(stamped);
    byte(t, 1, 5100);
    t.drain();
    byte(t, 2, 5099);
    t.expect({ seq: 1, ack: 2, flags: 'A', length: 0 });
    expect(t.read()).to.have.length(1);
    expect(t.read()).to.equal(-11);
    expect(t.counters.PAWSEstab).to.equal(1);
  });

  it('R1: what it acknowledges does not count either', async () => {
    const t = await established(stamped);
    byte(t, 1, 5100);
    t.write('a');
    t.drain();
    t.inject({ ack: 2, options: { ts: [5000, 0] } });
    expect(info(t).tcpi_unacked).to.equal(1);
    t.drain();
  });

  it('R1: the same timestamp passes', async () => {
    const t = await established(stamped);
    byte(t, 1, 5100);
    byte(t, 2, 5100);
    expect(t.read()).to.have.length(2);
    t.drain();
  });

  it('5.2: a RST is not subject to it', async () => {
    const t = await established(stamped);
    byte(t, 1, 5100);
    t.drain();
    t.inject({ seq: 2, flags: 'R', options: { ts: [10, 0] } });
    expect(t.state()).to.equal('CLOSED');
    expect(errorOf(t)).to.equal(104);
  });

  it('R1: in SYN-RECEIVED, too', () => {
    const t = listening(stamped);
    t.inject({ seq: 0, flags: 'S', options: t.synOptions });
    t.expect({ flags: 'SA' });
    t.inject({ seq: 1, ack: 1, options: { ts: [4999, 0] } });
    t.expect({ seq: 1, ack: 1, flags: 'A', options: { ts: [1000, 5000] } });
    expect(t.state()).to.equal('SYN-RECEIVED');
  });

  it('the answers to segments without data are limited', async () => {
    const t = await established(stamped);
    byte(t, 1, 5100);
    t.drain();
    for (let i = 0; i < 3; i++) t.inject({ seq: 2, options: { ts: [10, 0] } });
    t.expect({ ack: 2 });
    t.expectNothing();
    expect(t.counters).to.include({ PAWSEstab: 3, TCPACKSkippedPAWS: 2 });
    await t.advance(500);
    t.inject({ seq: 2, options: { ts: [10, 0] } });
    t.expect({ ack: 2 });
  });

  it('timestamps wrap', async () => {
    const t = await established({ options: { mss: 1460, ts: [0x7ffffff0, 0] } });
    byte(t, 1, 0x7fffffff);
    byte(t, 2, -0x7fffffff);
    byte(t, 3, 0x7fffffff);
    expect(t.read()).to.have.length(2);
    t.drain();
  });

  it('5.5: after 24 days without an update, what was remembered means nothing', async () => {
    const t = await established(stamped);
    byte(t, 1, 5100);
    t.drain();
    await t.advance(24 * DAY - 1000);
    byte(t, 2, 5000);
    t.expect({ ack: 2 });
    await t.advance(1000);
    byte(t, 2, 5000);
    t.expect({ ack: 3, options: { ts: [1000 + 24 * DAY, 5000] } });
    expect(t.counters.PAWSEstab).to.equal(1);
  });
});

describe('RFC 7323 5.4, 7.1: the timestamp clock', () => {
  it('ticks once a millisecond', async () => {
    const t = await established(stamped);
    t.write('a');
    t.expect({ options: { ts: [1000, 5000] } });
    await t.advance(12_345.6);
    const last = t.drain().at(-1);
    expect(last?.options.ts?.[0]).to.be.lessThanOrEqual(13_345);
    t.inject({ seq: 1, length: 1, ack: 2 });
    t.expect({ flags: 'A', options: { ts: [13_345, 17_345] } });
  });

  it('starts from an offset that depends on both addresses and a secret', () => {
    const first = [1, 1, 2].map((seed) => {
      const t = new Peer({ seed });
      t.connect();
      const { bytes } = t.expect({ flags: 'S' });
      return new DataView(bytes.buffer, bytes.byteOffset).getUint32(48);
    });
    expect(first[0]).to.equal(first[1]);
    expect(first[0]).to.not.equal(first[2]);
    expect(first[0]).to.not.equal(1000);
  });
});
