/** RFC 9293 3.8.6.1: zero-window probing, with Linux's probe (no data, SEQ = SND.UNA - 1) and its limits. */
import { expect } from 'chai';
import { IPPROTO_TCP, TCP_USER_TIMEOUT } from '../../src/socket/constants.ts';
import { EAGAIN, ETIMEDOUT } from '../../src/socket/errno.ts';
import { errorOf, establishedAfter, info, times } from '../support/wire-info.ts';
import { established, type PeerOptions, type WirePeer } from '../support/wire-peer.ts';

/** RTO 300 ms; one byte is acknowledged, the window is closed, and there is more to send. */
async function closedWindow(options: PeerOptions = {}): Promise<WirePeer> {
  const t = await establishedAfter(100, options);
  t.write('a');
  t.expect({ seq: 1, data: 'a' });
  await t.advance(100);
  t.inject({ ack: 2, win: 0 });
  t.write('bcd');
  t.expectNothing();
  return t;
}

describe('RFC 9293 3.8.6.1: the persist timer', () => {
  it('[MUST-36], [SHLD-29] a closed window is probed after an RTO', async () => {
    const t = await closedWindow();
    await t.advance(299);
    t.expectNothing();
    await t.advance(1);
    t.expect({ seq: 1, ack: 1, flags: 'A', length: 0 });
    t.expectNothing();
    expect(t.counters.TCPWinProbe).to.equal(1);
  });

  it('[SHLD-30] then at intervals that double, up to 120 s', async () => {
    const t = await closedWindow();
    const start = t.now;
    await t.advance(320_000);
    expect(times(t.drain(), start)).to.deep.equal([
      300, 900, 2100, 4500, 9300, 18_900, 38_100, 76_500, 153_300, 273_300,
    ]);
    expect(info(t)).to.include({ tcpi_probes: 10, tcpi_total_retrans: 0, tcpi_snd_cwnd: 10 });
  });

  it('[SHLD-30] that they are answered makes no difference to the intervals', async () => {
    const t = await closedWindow();
    const start = t.now;
    const sent: number[] = [];
    for (let i = 0; i < 100; i++) {
      await t.advance(100);
      for (const { at } of t.drain()) {
        sent.push(at - start);
        t.inject({ ack: 2, win: 0 });
      }
    }
    expect(sent).to.deep.equal([300, 900, 2100, 4500, 9300]);
    expect(info(t).tcpi_probes).to.equal(0);
  });

  it('[MUST-37] as long as they are answered the connection stays open, for a day', async () => {
    const t = await closedWindow();
    for (let i = 0; i < 24 * 60; i++) {
      await t.advance(60_000);
      for (const _ of t.drain()) t.inject({ ack: 2, win: 0 });
    }
    expect(t.state()).to.equal('ESTABLISHED');
    t.inject({ ack: 2, win: 100 });
    t.expect({ seq: 2, data: 'bcd' });
  });

  it('unanswered, tcp_retries2 of them end it', async () => {
    const t = await closedWindow({ sysctl: { tcp_retries2: 3 } });
    const start = t.now;
    await t.advance(4499);
    expect(times(t.drain(), start)).to.deep.equal([300, 900, 2100]);
    expect(t.state()).to.equal('ESTABLISHED');
    await t.advance(1);
    t.expectNothing();
    expect(t.state()).to.equal('CLOSED');
    expect(errorOf(t)).to.equal(ETIMEDOUT);
  });

  it('of a connection that nobody holds, tcp_orphan_retries', async () => {
    const t = await closedWindow({ sysctl: { tcp_orphan_retries: 2 } });
    t.socket.close();
    await t.advance(2099);
    expect(t.drain()).to.have.length(2);
    expect(t.state()).to.equal('FIN-WAIT-1');
    await t.advance(1);
    expect(t.state()).to.equal('CLOSED');
  });

  it('when the window opens, data flows at once, and the next closed window is probed after an RTO again', async () => {
    const t = await closedWindow();
    await t.advance(2000);
    t.drain();
    t.inject({ ack: 2, win: 2 });
    t.expectNothing();
    t.inject({ ack: 2, win: 1460 });
    t.expect({ seq: 2, data: 'bcd' });
    await t.advance(100);
    t.inject({ ack: 5, win: 0 });
    t.write('e');
    const { tcpi_rto } = info(t);
    await t.advance(tcpi_rto / 1000);
    t.expect({ seq: 4, length: 0 });
    t.expectNothing();
  });

  it('no probes while there is nothing to send', async () => {
    const t = await establishedAfter(100);
    t.inject({ win: 0 });
    await t.advance(100_000);
    t.expectNothing();
  });

  it('a FIN that waits for the window is reason enough', async () => {
    const t = await establishedAfter(100);
    t.inject({ win: 0 });
    t.socket.shutdown(1);
    t.expectNothing();
    await t.advance(300);
    t.expect({ seq: 0, flags: 'A', length: 0 });
    t.inject({ win: 1 });
    t.expect({ seq: 1, flags: 'FA' });
  });

  it('with data out, the retransmission timer asks; then the persist timer', async () => {
    const t = await establishedAfter(100);
    t.write('a');
    t.expect({ seq: 1 });
    t.inject({ ack: 1, win: 0 });
    await t.advance(300);
    t.expect({ seq: 1, data: 'a' });
    t.inject({ ack: 2, win: 0 });
    t.write('b');
    await t.advance(1000);
    for (const probe of t.drain()) expect(probe).to.include({ seq: 1, length: 0 });
    expect(t.counters.TCPWinProbe).to.be.greaterThan(0);
  });

  it('[MUST-34] a window that shrank to before what is out is survived', async () => {
    const t = await establishedAfter(100);
    t.write(5 * 1460);
    t.drain();
    t.inject({ ack: 1461, win: 1000 });
    t.expectNothing();
    t.inject({ ack: 1461, win: 10_000 });
    t.inject({ ack: 1 + 5 * 1460 });
    t.write('b');
    t.expect({ seq: 7301, data: 'b' });
  });

  it('[SHLD-16] nothing beyond the edge goes again but the oldest', async () => {
    const t = await establishedAfter(100);
    t.write(5 * 1460);
    t.drain();
    t.inject({ ack: 1, win: 2000 });
    await t.advance(300);
    t.expect({ seq: 1, length: 1460 });
    // cwnd would allow for two.
    t.inject({ ack: 1461, win: 1460 });
    t.expect({ seq: 1461, length: 1460 });
    t.expectNothing();
    t.inject({ ack: 2921, win: 0 });
    t.expect({ seq: 2921, length: 1460 });
    t.expectNothing();
    await t.advance(3000);
    for (const each of t.drain()) expect(each).to.include({ seq: 2921, length: 1460 });
  });

  it('a FIN needs room in the window, as data does', async () => {
    const t = await establishedAfter(100);
    t.inject({ win: 100 });
    t.write(100);
    t.socket.shutdown(1);
    t.expect({ seq: 1, length: 100, flags: 'PA' });
    t.inject({ ack: 101, win: 0 });
    t.expectNothing();
    t.inject({ ack: 101, win: 1 });
    t.expect({ seq: 101, flags: 'FA' });
  });

  it('what is acknowledged makes room for more to be written', async () => {
    const t = await establishedAfter(100, { win: 2920, setup: (socket) => socket.setsockopt(1, 7, 5000) });
    expect(t.write(20_000)).to.equal(7300);
    expect(t.write(1)).to.equal(-EAGAIN);
    t.drain();
    t.inject({ ack: 2921 });
    expect(t.write(20_000)).to.equal(2920);
    t.drain();
  });
});

describe("RFC 9293 3.8.6.2.1: the sender's silly window avoidance", () => {
  it('(3): a window of less than half the largest is not filled with less than a segment', async () => {
    const t = await establishedAfter(100, { win: 2000 });
    t.inject({ win: 999 });
    t.write(5000);
    t.expectNothing();
    t.inject({ win: 1000 });
    t.expect({ seq: 1, length: 1000 });
  });

  it('(1): a full segment goes', async () => {
    const t = await establishedAfter(100);
    t.inject({ win: 1500 });
    t.write(5000);
    t.expect({ seq: 1, length: 1460 });
    t.expectNothing();
  });

  it('(2): so does all that there is', async () => {
    const t = await establishedAfter(100);
    t.inject({ win: 20 });
    t.write(20);
    t.expect({ seq: 1, length: 20, flags: 'PA' });
  });

  it('(4): after an RTO it is overridden', async () => {
    const t = await establishedAfter(100, { win: 10_000 });
    t.inject({ win: 500 });
    t.write(5000);
    await t.advance(299);
    t.expectNothing();
    await t.advance(1);
    t.expect({ seq: 1, length: 500 });
    await t.advance(100);
    t.inject({ ack: 501, win: 500 });
    t.expectNothing();
    await t.advance(info(t).tcpi_rto / 1000);
    t.expect({ seq: 501, length: 500 });
  });

  /** After two probes of a closed window, the third finds some of it open, and carries data. */
  async function probedWithData(options: PeerOptions = {}): Promise<WirePeer> {
    const t = await establishedAfter(100, { win: 10_000, ...options });
    t.inject({ win: 0 });
    t.write(5000);
    await t.advance(900);
    expect(t.drain()).to.have.length(2);
    t.inject({ win: 500 });
    await t.advance(1200);
    t.expect({ seq: 1, length: 500 });
    await t.advance(100);
    t.inject({ ack: 501, win: 500 });
    return t;
  }

  it('(4), [SHLD-30]: that was progress: the back-off is over (Linux)', async () => {
    const t = await probedWithData();
    expect(info(t).tcpi_backoff).to.equal(0);
    await t.advance(info(t).tcpi_rto / 1000);
    t.expect({ seq: 501, length: 500 });
  });

  it("(4): and the user's timeout counts from what is held back next (Linux)", async () => {
    const t = await probedWithData({ setup: (socket) => socket.setsockopt(IPPROTO_TCP, TCP_USER_TIMEOUT, 2500) });
    for (let seq = 501; seq < 5001; seq += 500) {
      await t.advance(info(t).tcpi_rto / 1000);
      t.expect({ seq, length: 500 });
      t.inject({ ack: seq + 500, win: 500 });
    }
    expect(t.state()).to.equal('ESTABLISHED');
  });
});

describe("RFC 9293 3.8.6.2.2 [MUST-39]: the receiver's silly window avoidance", () => {
  /** A buffer of 16,000 bytes, of which 5 whole segments were offered, and 6 fill it (as on Linux: a packet of 1460 bytes takes 2304). */
  async function full(): Promise<WirePeer> {
    const t = await establishedAfter(100, { setup: (socket) => socket.setsockopt(1, 8, 8000) });
    for (let seq = 1; seq < 8761; seq += 1460) t.inject({ seq, length: 1460 });
    await t.advance(200);
    expect(t.drain().at(-1)).to.include({ ack: 8761, win: 0 });
    return t;
  }

  it('a closed window opens when a segment fits', async () => {
    const t = await full();
    // A packet's memory is free when all of it was read.
    t.read(1459);
    t.expectNothing();
    t.read(1);
    t.expect({ flags: 'A', ack: 8761, win: 1460 });
    t.expectNothing();
  });

  it('or, of a buffer that holds no more, when it was read', async () => {
    const t = await establishedAfter(100, { setup: (socket) => socket.setsockopt(1, 8, 0) });
    t.inject({ seq: 1, length: 1152 });
    t.expect({ ack: 1153, win: 0 });
    t.read(1151);
    t.expectNothing();
    t.read(1);
    t.expect({ flags: 'A', win: 1152 });
  });

  it('acknowledgments do not move the edge by less, either', async () => {
    const t = await establishedAfter(100, { setup: (socket) => socket.setsockopt(1, 8, 8000) });
    t.inject({ seq: 1, length: 1460 });
    t.inject({ seq: 1461, length: 1460 });
    t.inject({ seq: 2921, length: 1460 });
    // 162 of the 256 parts of what is free of the buffer, in whole segments.
    expect(t.drain().at(-1)).to.include({ ack: 4381, win: 4380 });
    // Behind such a packet there is room for these: the memory that is taken stays, and so does the edge.
    t.inject({ seq: 4381, length: 50 });
    await t.advance(200);
    expect(t.drain().at(-1)).to.include({ ack: 4431, win: 4330 });
    t.read(1460);
    t.inject({ seq: 4431, length: 50 });
    await t.advance(400);
    expect(t.drain().at(-1)).to.include({ ack: 4481, win: 5840 });
  });

  it('[SHLD-14] a window is never taken back, but for what the scale rounds (RFC 7323 2.4)', async () => {
    const t = await established({
      options: { mss: 1460, wscale: 0 },
      sysctl: { tcp_rmem: [4096, 16_000, 16_000] },
    });
    const unit = 2 ** info(t).tcpi_rcv_wscale;
    expect(unit).to.be.above(1);
    let edge = 0;
    for (let i = 0; i < 100; i++) {
      t.inject({ length: 77 });
      if (i % 3 === 0) t.read(50);
      for (const { ack, win } of t.drain()) {
        expect(ack + win * unit).to.be.greaterThan(edge - unit);
        edge = Math.max(edge, ack + win * unit);
      }
    }
    expect(edge).to.be.within(7301, 12_000);
  });

  it('a window that is at least half open is not announced (Linux): the next acknowledgment tells', async () => {
    const t = await establishedAfter(100, { setup: (socket) => socket.setsockopt(1, 8, 8000) });
    t.inject({ seq: 1, length: 3000 });
    t.drain();
    t.read();
    t.expectNothing();
  });

  it('what comes for a closed window is not taken, and answered', async () => {
    const t = await full();
    t.inject({ seq: 8761, length: 1 });
    t.expect({ ack: 8761, win: 0 });
    expect(t.counters.BeyondWindow).to.equal(1);
    expect(t.read()).to.have.length(8760);
    t.drain();
  });

  it('what reaches beyond the edge is taken whole when nothing is unread, and else not at all (Linux)', async () => {
    const t = await establishedAfter(100, { setup: (socket) => socket.setsockopt(1, 8, 8000) });
    t.inject({ seq: 1, length: 100 });
    t.drain();
    t.inject({ seq: 101, length: 8000 });
    t.expect({ ack: 101 });
    expect(t.counters.BeyondWindow).to.equal(1);
    expect(t.read()).to.have.length(100);
    t.drain();
    t.inject({ seq: 101, length: 8000 });
    await t.advance(200);
    t.expect({ ack: 8101 });
    expect(t.read()).to.have.length(8000);
    t.drain();
  });
});
