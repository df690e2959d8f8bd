/** RFC 4987 3.6: SYN cookies. RFC 4987 2, 3.2: how much a flood of SYNs may cost. */
import { expect } from 'chai';
import { IPPROTO_TCP, TCP_SYNCNT } from '../../../src/socket/constants.ts';
import { cookieSack, cookieTimestamp, cookieWindowShift } from '../../../src/tcp/syn-cookies.ts';
import { FAMILY } from '../../support/wire-family.ts';
import { info } from '../../support/wire-info.ts';
import { listening, type PeerOptions, type Seen, type WirePeer } from '../../support/wire-peer.ts';
import type { SegmentOptions } from '../../support/wire-segment.ts';

const ALL: SegmentOptions = { mss: 1400, sackOk: true, ts: [100, 0], wscale: 7 };

/** A listener that answers every SYN with a cookie. */
function cookies(options: PeerOptions = {}): WirePeer {
  return listening({ ...options, sysctl: { tcp_syncookies: 2, ...options.sysctl } });
}

/** The peer's SYN and what comes back. */
function syn(t: WirePeer, options: SegmentOptions = { mss: 1460 }): Seen {
  t.inject({ seq: 0, flags: 'S', options });
  return t.expect({ seq: 0, ack: 1, flags: 'SA' });
}

const SIZES = [
  [9000, 1460],
  [1460, 1460],
  [1459, 1440],
  [1400, 1300],
  [1299, 536],
  [400, 536],
] as const;
const SIZES_OF_IPV6 = [
  [9000, 1460],
  [1460, 1440],
  [1439, 1420],
  [1400, 1220],
  [400, 1220],
] as const;

describe('RFC 4987 3.6: SYN cookies', () => {
  it('nothing is kept until the ACK comes, and that makes the connection', async () => {
    const t = cookies();
    syn(t);
    expect(t.stack.sockets()).to.have.length(1);
    expect(t.stack.tcp.timers.size).to.equal(0);
    await t.advance(30_000);
    t.expectNothing();
    t.inject({ seq: 1, ack: 1, data: 'hello' });
    t.accept();
    expect(t.read()).to.equal('hello');
    const { SyncookiesSent, SyncookiesRecv, SyncookiesFailed, TCPReqQFullDoCookies, PassiveOpens } = t.counters;
    expect([SyncookiesSent, SyncookiesRecv, SyncookiesFailed]).to.deep.equal([1, 1, 0]);
    expect([TCPReqQFullDoCookies, PassiveOpens]).to.deep.equal([1, 1]);
  });

  it('the MSS is rounded down to one of four', () => {
    // Linux's tables, msstab of net/ipv4/syncookies.c and of net/ipv6/syncookies.c.
    const sizes = FAMILY === '6' ? SIZES_OF_IPV6 : SIZES;
    for (const [offered, kept] of sizes) {
      const t = cookies();
      syn(t, { mss: offered });
      t.inject({ seq: 1, ack: 1 });
      t.accept();
      t.write(3000);
      t.expect({ length: kept });
      t.drain();
    }
  });

  it('window scale and SACK come back in the timestamp', () => {
    for (const ws of [0, 7, 14, undefined]) {
      for (const sack of [true, false]) {
        const t = cookies();
        const { options } = syn(t, { mss: 1400, ts: [100, 0], sackOk: sack, ...(ws !== undefined && { wscale: ws }) });
        expect([options.sackOk === true, options.wscale !== undefined]).to.deep.equal([sack, ws !== undefined]);
        t.inject({ seq: 1, ack: 1, win: 3 });
        t.accept();
        expect(info(t).tcpi_snd_wscale).to.equal(ws ?? 0);
        expect(info(t).tcpi_snd_wnd).to.equal(3 * 2 ** (ws ?? 0));
        expect((info(t).tcpi_options & 2) !== 0, 'SACK').to.equal(sack);
        expect(info(t).tcpi_options & 1, 'timestamps').to.equal(1);
      }
    }
  });

  it('a timestamp that says so is never later than the time, and less than 64 ms earlier', () => {
    for (let now = 1000; now < 1200; now++) {
      for (const [shift, sack] of [
        [-1, false],
        [0, true],
        [14, true],
      ] as const) {
        const stamp = cookieTimestamp(shift, sack, false, now + 0.7);
        expect(stamp).to.be.within(now - 63, now);
        expect([cookieWindowShift(stamp), cookieSack(stamp)]).to.deep.equal([shift, sack]);
      }
    }
  });

  it('without timestamps there is no room for them: they are not taken up', () => {
    const t = cookies();
    const { options } = syn(t, { mss: 1460, sackOk: true, wscale: 7 });
    expect(options).to.deep.equal({ mss: 1460 });
    t.inject({ seq: 1, ack: 1, win: 1000 });
    t.accept();
    expect(info(t).tcpi_snd_wnd).to.equal(1000);
  });

  it('with timestamps the round trip is measured, without it is not known', async () => {
    const t = cookies();
    syn(t, ALL);
    await t.advance(500);
    t.inject({ seq: 1, ack: 1 });
    t.accept();
    // The stamp was at most 64 ms before the SYN-ACK.
    expect(info(t).tcpi_rtt).to.be.within(500_000, 564_000);
    const plain = cookies();
    syn(plain);
    await plain.advance(500);
    plain.inject({ seq: 1, ack: 1 });
    plain.accept();
    expect(info(plain).tcpi_rtt).to.equal(0);
    expect(info(plain).tcpi_rto).to.equal(1_000_000);
  });

  it('a number that we did not make is answered with RST', () => {
    const t = cookies();
    syn(t);
    t.inject({ seq: 1, ack: 0x1000001 });
    t.expect({ flags: 'R' });
    t.inject({ seq: 1001, ack: 1 });
    t.expect({ seq: 1, flags: 'R' });
    expect(t.counters.SyncookiesFailed).to.equal(2);
    t.inject({ seq: 1, ack: 1, from: 4711 });
    t.expect({ flags: 'R', to: 4711 });
    expect(t.listener?.accept()).to.equal(-11);
  });

  it('lives two minutes at the most, one at the least', async () => {
    const t = cookies();
    syn(t);
    await t.advance(59_000);
    t.inject({ seq: 1, ack: 1 });
    t.accept();
    const late = cookies();
    syn(late);
    await late.advance(120_001);
    // Cookies go on being sent, to others: what is looked at is this one's own age.
    late.inject({ seq: 0, flags: 'S', options: { mss: 1460 }, from: 4711 });
    late.drain();
    late.inject({ seq: 1, ack: 1 });
    late.expect({ flags: 'R' });
    expect(late.counters.SyncookiesFailed).to.equal(1);
  });

  it('an ACK is no cookie where none was sent lately, nor with tcp_syncookies 0', async () => {
    const t = cookies();
    syn(t);
    await t.advance(120_001);
    t.inject({ seq: 1, ack: 1 });
    t.expect({ flags: 'R' });
    const off = cookies();
    syn(off);
    off.stack.sysctl.tcp_syncookies = 0;
    off.inject({ seq: 1, ack: 1 });
    off.expect({ flags: 'R' });
    expect([t.counters.SyncookiesFailed, off.counters.SyncookiesFailed]).to.deep.equal([0, 0]);
  });

  it('one that says what we do not do any more is dropped', () => {
    for (const sysctl of ['tcp_sack', 'tcp_window_scaling', 'tcp_timestamps'] as const) {
      const t = cookies();
      syn(t, { mss: 1460, sackOk: true, ts: [100, 0], wscale: 7 });
      t.stack.sysctl[sysctl] = false;
      t.inject({ seq: 1, ack: 1 });
      t.expectNothing();
      expect(t.listener?.accept(), sysctl).to.equal(-11);
    }
  });

  it('the keys are of the host: another seed, another number', () => {
    const numbers = [1, 2].map((seed) => {
      const t = cookies({ seed });
      syn(t);
      return t.dutIsn();
    });
    expect(numbers[0]).to.not.equal(numbers[1]);
  });

  it('with a full accept queue the ACK is dropped, and nothing comes of it', async () => {
    const t = cookies({ backlog: 0, sysctl: { tcp_abort_on_overflow: true } });
    for (const from of [1000, 1001]) t.inject({ seq: 0, flags: 'S', options: { mss: 1460 }, from });
    t.drain();
    for (const from of [1000, 1001]) t.inject({ seq: 1, ack: 1, from });
    await t.advance(60_000);
    t.expectNothing();
    expect([t.counters.ListenOverflows, t.counters.ListenDrops, t.counters.PassiveOpens]).to.deep.equal([1, 1, 1]);
    t.accept();
    expect(t.listener?.accept()).to.equal(-11);
  });
});

describe('RFC 4987 2, 3.2: a flood of SYNs', () => {
  it('fills a queue of backlog + 1; what comes then gets cookies, and costs nothing', async () => {
    const t = listening({ backlog: 9 });
    const flood = Array.from({ length: 5000 }, (_, i) => ({
      seq: 0,
      flags: 'S',
      options: { mss: 1460 },
      from: 1000 + i,
    }));
    for (let i = 0; i < flood.length; i += 50) {
      t.injectAll(flood.slice(i, i + 50));
      t.drain();
    }
    expect(t.stack.demux.size).to.equal(10);
    expect(t.stack.tcp.timers.size).to.equal(10);
    expect(t.counters.SyncookiesSent).to.equal(4990);
    // A peer that means it gets in.
    t.inject({ seq: 0, flags: 'S', options: { mss: 1460 }, from: 7000 });
    t.expect({ seq: 0, ack: 1, flags: 'SA', to: 7000 });
    t.inject({ seq: 1, ack: 1, data: 'honest', from: 7000 });
    t.accept();
    expect(t.read()).to.equal('honest');
    await t.advance(64_000);
    expect(t.stack.demux.size).to.equal(1);
  });

  it('tcp_syncookies 0: they are dropped, and counted', () => {
    const t = listening({ backlog: 1, sysctl: { tcp_syncookies: 0 } });
    for (const from of [1, 2, 3, 4]) t.inject({ seq: 0, flags: 'S', from: 1000 + from });
    expect(t.drain()).to.have.length(2);
    expect([t.counters.TCPReqQFullDrop, t.counters.ListenDrops, t.counters.SyncookiesSent]).to.deep.equal([2, 2, 0]);
  });

  it('tcp_max_syn_backlog: without cookies the last quarter stays empty', () => {
    const t = listening({ backlog: 100, sysctl: { tcp_syncookies: 0, tcp_max_syn_backlog: 8 } });
    for (let i = 0; i < 20; i++) t.inject({ seq: 0, flags: 'S', from: 1000 + i });
    expect(t.drain()).to.have.length(7);
    expect([t.counters.TCPReqQFullDrop, t.counters.ListenDrops]).to.deep.equal([0, 13]);
    const cookies = listening({ backlog: 100, sysctl: { tcp_max_syn_backlog: 8 } });
    for (let i = 0; i < 20; i++) cookies.inject({ seq: 0, flags: 'S', from: 1000 + i });
    expect(cookies.drain()).to.have.length(20);
  });

  it('old embryos go earlier while the queue is more than half full and few are young (Linux)', async () => {
    const t = listening({ backlog: 9 });
    const flood = (count: number) =>
      t.injectAll(Array.from({ length: count }, (_, i) => ({ seq: 0, flags: 'S', from: 1000 + i })));
    flood(10);
    await t.advance(6999);
    // SYN-ACKs at 0, 1 and 3 s; at 7 s none is young: two retransmissions are enough, until no more than half of the queue is in use.
    expect(t.drain()).to.have.length(30);
    await t.advance(2);
    expect(t.drain()).to.have.length(4);
    expect(t.stack.demux.size).to.equal(4);
    const few = listening({ backlog: 9 });
    few.inject({ seq: 0, flags: 'S' });
    await few.advance(64_000);
    expect(few.drain()).to.have.length(6);
  });

  it("a listener's TCP_SYNCNT is how often its SYN-ACKs go again (Linux)", async () => {
    const t = listening({ setup: (socket) => socket.setsockopt(IPPROTO_TCP, TCP_SYNCNT, 1) });
    t.inject({ seq: 0, flags: 'S' });
    await t.advance(3100);
    expect(t.drain()).to.have.length(2);
    expect(t.stack.demux.size).to.equal(0);
    expect([t.counters.TCPTimeouts, t.counters.TCPSynRetrans, t.counters.AttemptFails]).to.deep.equal([2, 1, 0]);
  });
});
