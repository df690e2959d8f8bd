/** RFC 9293 3.7.4, 3.8.3 to 3.8.6, 3.9.1.2: Nagle, failures, keepalive, urgent data, the window, acknowledgments, PSH. */
import { expect } from 'chai';
import {
  IPPROTO_TCP,
  MSG_MORE,
  MSG_OOB,
  POLLPRI,
  SIOCATMARK,
  SO_KEEPALIVE,
  SO_RCVBUF,
  SOL_SOCKET,
  TCP_CORK,
  TCP_INFO,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
  TCP_QUICKACK,
  TCP_USER_TIMEOUT,
  TCP_WINDOW_CLAMP,
} from '../../../src/socket/constants.ts';
import { ECONNRESET, ETIMEDOUT } from '../../../src/socket/errno.ts';
import type { Socket } from '../../../src/socket/socket.ts';
import type { TcpInfo } from '../../../src/tcp/info.ts';
import { established, type WirePeer } from '../../support/wire-peer.ts';

/** ms: longer than any ACK is delayed. */
const LONG = 10_000;
/** RTO of a connection without a measurable round trip, as Linux bounds it. */
const RTO = 200;

describe('RFC 9293 3.7.4: Nagle', () => {
  // Minshall's variation, which the RFC names: only a *short* segment that is out holds back another.
  it('SHLD-7: a short segment waits while another is out', async () => {
    const t = await established();
    t.write('a');
    t.expect({ data: 'a' });
    t.write('b');
    t.write('c');
    t.expectNothing();
    t.inject({ ack: 2 });
    t.expect({ seq: 2, data: 'bc', flags: 'PA' });
  });

  it('SHLD-7: a full segment does not wait', async () => {
    const t = await established();
    t.write('a');
    t.expect({ data: 'a' });
    t.write(1460);
    t.expect({ length: 1460 });
  });

  it('only short segments hold back short ones (Minshall)', async () => {
    const t = await established();
    t.write(1460);
    t.expect({ length: 1460 });
    t.write(10);
    t.expect({ length: 10 });
    t.write(20);
    t.expectNothing();
  });

  it('behind full segments a short one does not wait (Minshall)', async () => {
    const t = await established();
    t.write(1470);
    t.expect({ length: 1460 });
    t.expect({ length: 10 });
  });

  it('MUST-17: TCP_NODELAY turns it off', async () => {
    const t = await established();
    t.socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
    t.write('a');
    t.expect({ data: 'a' });
    t.write('b');
    t.expect({ data: 'b' });
  });

  it('TCP_NODELAY lets go of what was held back', async () => {
    const t = await established();
    t.write('a');
    t.expect({ data: 'a' });
    t.write('b');
    t.expectNothing();
    t.socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
    t.expect({ data: 'b' });
  });

  it('a FIN lets go of what was held back', async () => {
    const t = await established();
    t.write('a');
    t.expect({ data: 'a' });
    t.write('b');
    t.socket.shutdown(1);
    t.expect({ data: 'b', flags: 'FPA' });
  });

  it('TCP_CORK holds a short segment back until it is pulled', async () => {
    const t = await established();
    t.socket.setsockopt(IPPROTO_TCP, TCP_CORK, 1);
    t.write('head');
    t.write('body');
    t.expectNothing();
    t.write(1460);
    t.expect({ length: 1460 });
    t.socket.setsockopt(IPPROTO_TCP, TCP_CORK, 0);
    t.expect({ length: 8 });
  });

  it('TCP_CORK holds it for an RTO at most', async () => {
    const t = await established();
    t.socket.setsockopt(IPPROTO_TCP, TCP_CORK, 1);
    t.write('head');
    await t.advance(199);
    t.expectNothing();
    await t.advance(2);
    t.expect({ data: 'head' });
  });

  it('MAY-16: MSG_MORE holds back until the next write without it', async () => {
    const t = await established();
    t.write('head', MSG_MORE);
    t.expectNothing();
    t.write('body');
    t.expect({ data: 'headbody' });
  });

  it('MUST-60: nothing is buffered indefinitely: with MSG_MORE too, an RTO', async () => {
    const t = await established();
    t.write('head', MSG_MORE);
    await t.advance(201);
    t.expect({ data: 'head' });
  });
});

describe('RFC 9293 3.9.1.2: PSH', () => {
  it('MUST-61: it is on the last of what is queued, and on no other', async () => {
    const t = await established();
    t.write(4000);
    t.expect({ flags: 'A', length: 1460 });
    t.expect({ flags: 'A', length: 1460 });
    t.expect({ flags: 'PA', length: 1080 });
  });

  it('SHLD-27: successive PSHs are collapsed', async () => {
    const t = await established();
    t.write('one');
    t.write('two');
    t.expect({ flags: 'PA', data: 'onetwo' });
  });

  it('MAY-17: text without PSH reaches the reader, too', async () => {
    const t = await established();
    t.inject({ seq: 1, flags: 'A', data: 'text' });
    expect(t.read()).to.equal('text');
  });
});

describe('RFC 9293 3.8.3: connection failures', () => {
  // tcp_retries2 = 15: 924.6 s from the first retransmission.
  it('MUST-20, SHLD-11: R2 is at least 100 s; then the connection is closed and the user told', async () => {
    const t = await established();
    t.write('anybody?');
    await t.advance(100_000);
    expect(t.state()).to.equal('ESTABLISHED');
    await t.advance(800_000);
    expect(t.state()).to.equal('ESTABLISHED');
    await t.advance(150_000);
    expect(t.state()).to.equal('CLOSED');
    expect(t.socket.takeError()).to.equal(ETIMEDOUT);
    expect(t.counters.TCPAbortOnTimeout).to.equal(1);
    for (const { seq, length } of t.drain()) expect([seq, length]).to.deep.equal([1, 8]);
  });

  it('MUST-21: the user sets R2 (TCP_USER_TIMEOUT), to the millisecond', async () => {
    const t = await established();
    t.socket.setsockopt(IPPROTO_TCP, TCP_USER_TIMEOUT, 5000);
    t.write('anybody?');
    // It counts from the first retransmission, 200 ms after the data (Linux).
    await t.advance(200 + 4999);
    expect(t.state()).to.equal('ESTABLISHED');
    await t.advance(2);
    expect(t.state()).to.equal('CLOSED');
    expect(t.socket.takeError()).to.equal(ETIMEDOUT);
  });

  it('MUST-20: an acknowledgment starts the count anew', async () => {
    const t = await established();
    t.socket.setsockopt(IPPROTO_TCP, TCP_USER_TIMEOUT, 5000);
    t.write('abcdef');
    await t.advance(4900);
    t.inject({ ack: 2 });
    await t.advance(4000);
    expect(t.state()).to.equal('ESTABLISHED');
  });

  // There is nothing below that could choose another way, so R1 tells no one but who asks.
  it('SHLD-9: between R1 and R2 the user can see it in TCP_INFO', async () => {
    const t = await established();
    t.write('anybody?');
    await t.advance(RTO * 7 + 10);
    const info = t.socket.getsockopt(IPPROTO_TCP, TCP_INFO) as TcpInfo;
    expect(info.tcpi_retransmits).to.be.at.least(3);
    expect(info.tcpi_unacked).to.equal(1);
  });
});

describe('RFC 9293 3.8.4 [MAY-5]: keepalive', () => {
  const keepalive = (idle: number, interval: number, count: number) => (socket: Socket) => {
    socket.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1);
    socket.setsockopt(IPPROTO_TCP, TCP_KEEPIDLE, idle);
    socket.setsockopt(IPPROTO_TCP, TCP_KEEPINTVL, interval);
    socket.setsockopt(IPPROTO_TCP, TCP_KEEPCNT, count);
  };

  it('MUST-25: it is off unless asked for', async () => {
    const t = await established();
    await t.advance(100 * 3600_000);
    t.expectNothing();
    expect(t.state()).to.equal('ESTABLISHED');
  });

  it('MUST-24: it can be turned on and off', async () => {
    const t = await established();
    t.socket.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1);
    t.socket.setsockopt(IPPROTO_TCP, TCP_KEEPIDLE, 10);
    await t.advance(9999);
    t.expectNothing();
    await t.advance(1);
    t.expect({ seq: 0, ack: 1, flags: 'A', length: 0 });
    t.socket.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 0);
    await t.advance(3600_000);
    t.expectNothing();
  });

  it('MUST-28: two hours by default', async () => {
    const t = await established({ setup: (socket) => socket.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1) });
    await t.advance(7_199_999);
    t.expectNothing();
    await t.advance(1);
    t.expect({ seq: 0, flags: 'A' });
  });

  // SEG.SEQ = SND.NXT - 1, which is not acceptable and so must be answered; SHLD-12: without data.
  it('MUST-26, MUST-27, SHLD-12: probes when idle, at the interval', async () => {
    const t = await established({ setup: keepalive(10, 3, 5) });
    await t.advance(8000);
    t.inject({ seq: 1, data: 'alive' });
    t.drain();
    await t.advance(9999);
    t.expectNothing();
    await t.advance(1);
    t.expect({ seq: 0, ack: 6, flags: 'A', length: 0 });
    await t.advance(3000);
    t.expect({ seq: 0, ack: 6, flags: 'A', length: 0 });
  });

  it('MUST-29: a lost probe does not matter; the answer to one starts the time anew', async () => {
    const t = await established({ setup: keepalive(10, 3, 3) });
    await t.advance(16_000);
    expect(t.drain().length).to.equal(3);
    t.inject({ seq: 1, ack: 1 });
    await t.advance(9999);
    t.expectNothing();
    await t.advance(1);
    t.expect({ seq: 0 });
    expect(t.state()).to.equal('ESTABLISHED');
  });

  it('after the count the connection ends with ETIMEDOUT, and the peer is told', async () => {
    const t = await established({ setup: keepalive(10, 3, 3) });
    await t.advance(18_999);
    expect(t.drain().length).to.equal(3);
    expect(t.state()).to.equal('ESTABLISHED');
    await t.advance(1);
    t.expect({ flags: 'RA' });
    expect(t.state()).to.equal('CLOSED');
    expect(t.socket.takeError()).to.equal(ETIMEDOUT);
    expect(t.counters.TCPKeepAlive).to.equal(3);
  });

  it('TCP_USER_TIMEOUT takes the place of the count', async () => {
    const t = await established({ setup: keepalive(10, 3, 2) });
    t.socket.setsockopt(IPPROTO_TCP, TCP_USER_TIMEOUT, 30_000);
    await t.advance(29_000);
    expect(t.state()).to.equal('ESTABLISHED');
    await t.advance(3000);
    expect(t.state()).to.equal('CLOSED');
  });

  it('data on its way is probe enough', async () => {
    const t = await established({ setup: keepalive(10, 3, 2) });
    t.write('x');
    await t.advance(100_000);
    for (const { seq, data } of t.drain()) expect([seq, data]).to.deep.equal([1, 'x']);
    expect(t.state()).to.equal('ESTABLISHED');
  });

  it('the probe of the peer is answered', async () => {
    const t = await established();
    t.inject({ seq: 0, ack: 1 });
    t.expect({ seq: 1, ack: 1, flags: 'A' });
  });
});

describe('RFC 9293 3.8.5: urgent data', () => {
  it('MUST-30, MUST-62: the pointer points behind the urgent data', async () => {
    const t = await established();
    t.write('abc', MSG_OOB);
    t.expect({ seq: 1, data: 'abc', flags: 'PUA', urg: 3 });
    t.inject({ ack: 4 });
    t.write('d');
    t.expect({ seq: 4, flags: 'PA', urg: 0 });
  });

  it('MUST-31: urgent data of any length, announced before it fits', async () => {
    const t = await established({ win: 2000 });
    t.write(5000, MSG_OOB);
    t.expect({ seq: 1, flags: 'UA', urg: 5000 });
    for (const { seq, urg } of t.drain()) expect(seq + urg).to.equal(5001);
    t.inject({ ack: 1461, win: 10_000 });
    for (const { seq, urg } of t.drain()) expect(seq + urg).to.equal(5001);
  });

  it('MUST-31: farther away than the field reaches, it points as far as it can', async () => {
    const t = await established({ options: { mss: 1460, wscale: 7 } });
    t.write(100_000, MSG_OOB);
    t.expect({ seq: 1, flags: 'UA', urg: 65_535 });
  });

  it('SND.UP does not stay behind: 2^31 bytes later it would seem to lie ahead', async () => {
    const t = await established();
    t.write('abc', MSG_OOB);
    t.drain();
    t.inject({ ack: 4 });
    t.write('d');
    t.drain();
    t.inject({ ack: 5 });
    const { sndUp, sndUna } = t.socket.connection as { sndUp: number; sndUna: number };
    expect(sndUp).to.equal(sndUna);
  });

  it('behind the FIN there is none', async () => {
    const t = await established();
    t.inject({ seq: 1, flags: 'FA' });
    t.drain();
    let told = 0;
    t.socket.onReady = () => told++;
    t.inject({ seq: 2, flags: 'UA', urg: 100 });
    t.flush();
    expect(told).to.equal(0);
  });

  it('MUST-30: it stays with the retransmission', async () => {
    const t = await established();
    t.write('abc', MSG_OOB);
    t.expect({ flags: 'PUA' });
    await t.advance(RTO + 1);
    t.expect({ seq: 1, flags: 'PUA', urg: 3 });
  });

  it('MUST-32, MUST-33: the user is told of urgent data, and how much there is before it ends', async () => {
    const t = await established();
    let told = 0;
    t.socket.onReady = (mask) => {
      if ((mask & POLLPRI) !== 0) told++;
    };
    t.inject({ seq: 1, flags: 'UA', urg: 10, data: 'abc' });
    expect(told).to.equal(1);
    expect(t.socket.poll() & POLLPRI).to.equal(POLLPRI);
    expect(t.socket.ioctl(SIOCATMARK)).to.equal(0);
    t.inject({ seq: 4, flags: 'UA', urg: 7, data: 'defghij' });
    expect(t.read()).to.equal('abcdefghi');
    expect(t.socket.ioctl(SIOCATMARK)).to.equal(1);
    const byte = new Uint8Array(1);
    expect(t.socket.recv(byte, MSG_OOB)).to.equal(1);
    expect(byte[0]).to.equal('j'.charCodeAt(0));
    expect(t.socket.poll() & POLLPRI).to.equal(0);
  });

  it('RCV.UP <- max(RCV.UP, SEG.UP): a pointer before it changes nothing', async () => {
    const t = await established();
    t.inject({ seq: 1, flags: 'UA', urg: 100, data: 'abc' });
    t.inject({ seq: 4, flags: 'UA', urg: 10, length: 57 });
    t.read();
    expect(t.socket.poll() & POLLPRI).to.equal(POLLPRI);
    t.inject({ seq: 61, length: 41 });
    expect(t.socket.recv(new Uint8Array(1), MSG_OOB)).to.equal(1);
    expect((t.read() as string).length).to.equal(39);
    expect((t.read() as string).length).to.equal(1);
  });

  it('an urgent pointer of old data tells nothing', async () => {
    const t = await established();
    t.inject({ seq: 1, data: 'abc' });
    t.read();
    t.inject({ seq: 4, flags: 'UA', urg: 0 });
    t.read();
    t.inject({ seq: 1, flags: 'UA', urg: 2, data: 'abc' });
    t.inject({ seq: 4, data: 'd' });
    expect(t.socket.recv(new Uint8Array(1), MSG_OOB)).to.equal(1);
    t.inject({ seq: 1, flags: 'UA', urg: 3, data: 'abc' });
    expect(t.socket.poll() & POLLPRI).to.equal(0);
  });
});

describe('RFC 9293 3.8.6: the window', () => {
  it('SHLD-14: the right edge never moves back, whatever the buffer is set to', async () => {
    const t = await established({ setup: (socket) => socket.setsockopt(SOL_SOCKET, SO_RCVBUF, 40_000) });
    let edge = 0;
    let seq = 1;
    for (let i = 0; i < 60; i++) {
      const length = 1 + ((i * 7919) % 1460);
      t.inject({ seq, length });
      if (i % 5 === 4) t.read(3000);
      if (i === 20) t.socket.setsockopt(SOL_SOCKET, SO_RCVBUF, 10_000);
      for (const { ack, win } of t.drain()) {
        expect(ack + win).to.be.at.least(edge);
        edge = ack + win;
        seq = ack;
      }
      await t.advance(300);
    }
  });

  it('MUST-34: the usable window may become negative; SHLD-15: nothing new is sent then', async () => {
    const t = await established();
    t.write(10 * 1460);
    expect(t.drain().length).to.equal(10);
    t.write(5000);
    t.inject({ ack: 1461, win: 1460 });
    t.expectNothing();
    t.inject({ ack: 10 * 1460 + 1, win: 65_535 });
    expect(t.drain().reduce((total, { length }) => total + length, 0)).to.equal(5000);
  });

  it('MUST-34: an ACK has a number that the peer can still accept', async () => {
    const t = await established();
    t.write(10 * 1460);
    t.drain();
    t.inject({ ack: 1461, win: 1460 });
    t.inject({ ack: 1461, win: 1460, data: 'x' });
    t.expect({ seq: 2921, ack: 2, flags: 'A', length: 0 });
  });

  it('SHLD-16, SHLD-17: it resends only the oldest of what the window no longer holds, and does not give up for the rest', async () => {
    const t = await established();
    t.write(5 * 1460);
    t.drain();
    t.inject({ ack: 1461, win: 1460 });
    await t.advance(RTO + 10);
    const seen = t.drain();
    expect(seen.map(({ seq }) => seq)).to.deep.equal([1461]);
    expect(t.state()).to.equal('ESTABLISHED');
  });

  it('MUST-35, MUST-36, SHLD-29, SHLD-30: a window of zero is probed after an RTO, then at twice the interval', async () => {
    const t = await established({ win: 0 });
    t.write('waiting');
    const start = t.now;
    await t.advance(30_000);
    const probes = t.drain();
    // Linux's probe: no data, one before the window, which the peer must answer.
    for (const probe of probes) expect([probe.seq, probe.length, probe.flags]).to.deep.equal([0, 0, 'A']);
    const times = probes.map(({ at }) => Math.round((at - start) / RTO));
    expect(times).to.deep.equal([1, 3, 7, 15, 31, 63, 127]);
    t.inject({ ack: 1, win: 1000 });
    t.expect({ seq: 1, data: 'waiting' });
  });

  it('MUST-37: as long as the probes are answered the window may stay closed', async () => {
    const t = await established({ win: 0 });
    t.write('waiting');
    for (let hours = 0; hours < 24; ) {
      await t.advance(120_000);
      hours += 1 / 30;
      if (t.drain().length > 0) t.inject({ ack: 1, win: 0 });
    }
    expect(t.state()).to.equal('ESTABLISHED');
    t.inject({ ack: 1, win: 1000 });
    t.expect({ data: 'waiting' });
  });

  it('probes that nobody answers end like retransmissions', async () => {
    const t = await established({ win: 0 });
    t.write('waiting');
    await t.advance(2_000_000);
    expect(t.state()).to.equal('CLOSED');
    expect(t.socket.takeError()).to.equal(ETIMEDOUT);
    expect(t.counters.TCPWinProbe).to.equal(15);
  });

  it('TCP_USER_TIMEOUT bounds them', async () => {
    const t = await established({ win: 0 });
    t.socket.setsockopt(IPPROTO_TCP, TCP_USER_TIMEOUT, 3000);
    t.write('waiting');
    await t.advance(8000);
    expect(t.state()).to.equal('CLOSED');
  });

  it('a FIN waits for the window, and is probed for', async () => {
    const t = await established({ win: 0 });
    t.socket.shutdown(1);
    t.expectNothing();
    await t.advance(RTO + 1);
    t.expect({ seq: 0, length: 0, flags: 'A' });
    t.inject({ ack: 1, win: 100 });
    t.expect({ seq: 1, flags: 'FA' });
  });

  it('a FIN takes a number, and so room in the window', async () => {
    const t = await established({ win: 5 });
    t.write('abcde');
    t.socket.shutdown(1);
    t.expect({ flags: 'PA', data: 'abcde' });
    t.expectNothing();
    t.inject({ ack: 6, win: 1 });
    t.expect({ seq: 6, flags: 'FA' });
  });

  it("MAY-8: a probe of the peer's, with a byte of data, is answered with the window of zero", async () => {
    const { t, next } = await full();
    t.inject({ seq: next, data: '!' });
    t.expect({ ack: next, win: 0, flags: 'A' });
    t.inject({ seq: next - 1, data: '?' });
    t.expect({ ack: next, win: 0, flags: 'A' });
  });
});

describe('RFC 9293 3.8.6.2: silly windows', () => {
  it('what is small is told by the largest window that there was', async () => {
    const t = await established({ win: 100 });
    t.inject({ win: 20_000 });
    t.write(1000);
    t.expect({ seq: 1, length: 1000 });
    t.inject({ ack: 1001, win: 60 });
    t.write(500);
    t.expectNothing();
  });

  it('MUST-38: a window of less than half the largest is not used at once', async () => {
    const t = await established({ win: 10_000 });
    t.inject({ win: 100 });
    t.write(1000);
    t.expectNothing();
  });

  it('MUST-38 (3): half of the largest window is used', async () => {
    const t = await established({ win: 1000 });
    t.inject({ win: 500 });
    t.write(1000);
    t.expect({ length: 500 });
  });

  it('MUST-38 (4): after the override timeout what fits is sent', async () => {
    const t = await established({ win: 10_000 });
    t.inject({ win: 100 });
    t.write(1000);
    await t.advance(RTO + 1);
    t.expect({ seq: 1, length: 100 });
  });

  it('MUST-39: the window opens in steps of a segment, not of what is read', async () => {
    const { t, next } = await full();
    t.read(100);
    t.expectNothing();
    t.read(1000);
    t.expectNothing();
    t.inject({ seq: next - 1 });
    t.expect({ win: 0 });
    t.read(360);
    t.expect({ ack: next, win: 1460, flags: 'A' });
  });

  it('a window update goes out when the user has read', async () => {
    const { t, next } = await full();
    t.read();
    const { win } = t.expect({ ack: next, flags: 'A', length: 0 });
    expect(win).to.be.greaterThan(0);
  });
});

describe('RFC 9293 3.8.6.3: when to acknowledge', () => {
  /** A connection whose quick ACKs are spent. */
  async function quiet(): Promise<{ t: WirePeer; next: number }> {
    const t = await established();
    // The window has no room to grow by itself: growth is told at once.
    t.socket.setsockopt(IPPROTO_TCP, TCP_WINDOW_CLAMP, 64_240);
    let next = 1;
    for (let i = 0; i < 40; i++) {
      t.inject({ seq: next, length: 1460 });
      next += 1460;
      await t.advance(10);
    }
    t.read();
    // Longer than the delay, shorter than the RTO, after which quick ACKs would begin again.
    await t.advance(100);
    t.drain();
    return { t, next };
  }

  it('SHLD-18, MUST-40: an ACK waits, less than 0.5 s', async () => {
    const { t, next } = await quiet();
    t.inject({ seq: next, length: 100 });
    t.expectNothing();
    const start = t.now;
    await t.advance(500);
    const { at } = t.expect({ ack: next + 100, length: 0, flags: 'A' });
    expect(at - start).to.be.within(40, 200);
    expect(t.counters.DelayedACKs).to.be.greaterThan(0);
  });

  it('SHLD-19: every second full segment is acknowledged at once', async () => {
    const { t, next } = await quiet();
    t.inject({ seq: next, length: 1460 });
    t.expectNothing();
    t.inject({ seq: next + 1460, length: 1460 });
    t.expect({ ack: next + 2920 });
    t.inject({ seq: next + 2920, length: 1460 });
    t.expectNothing();
  });

  it('data takes the acknowledgment with it', async () => {
    const { t, next } = await quiet();
    t.inject({ seq: next, length: 100 });
    t.expectNothing();
    t.write('answer');
    t.expect({ ack: next + 100, data: 'answer' });
    await t.advance(100);
    t.expectNothing();
  });

  it('MUST-58, MUST-59: all that came is processed before one ACK is sent', async () => {
    const t = await established();
    t.injectAll([
      { seq: 1, length: 1000 },
      { seq: 1001, length: 1000 },
      { seq: 2001, length: 1000, flags: 'PA' },
    ]);
    t.expect({ ack: 3001 });
    t.expectNothing();
  });

  it('SHLD-31, MAY-13: what comes out of order is kept, and acknowledged at once', async () => {
    const t = await established();
    t.inject({ seq: 1461, length: 1460 });
    t.expect({ ack: 1, flags: 'A' });
    t.inject({ seq: 4381, length: 1460 });
    t.expect({ ack: 1, flags: 'A' });
    t.inject({ seq: 1, length: 1460 });
    t.expect({ ack: 2921 });
    t.inject({ seq: 2921, length: 1460 });
    t.expect({ ack: 5841 });
  });

  it('a segment that was here before is acknowledged at once', async () => {
    const { t, next } = await quiet();
    t.inject({ seq: next - 1460, length: 1460 });
    t.expect({ ack: next });
  });

  it('TCP_QUICKACK sends what is delayed, and what follows at once', async () => {
    const { t, next } = await quiet();
    // The user reads, and is expected to answer.
    t.socket.setsockopt(IPPROTO_TCP, TCP_QUICKACK, 0);
    t.inject({ seq: next, length: 100 });
    t.read();
    t.expectNothing();
    t.socket.setsockopt(IPPROTO_TCP, TCP_QUICKACK, 1);
    t.expect({ ack: next + 100 });
  });

  it('a reset connection acknowledges nothing any more', async () => {
    const { t, next } = await quiet();
    t.inject({ seq: next, length: 100 });
    t.inject({ seq: next + 100, flags: 'R' });
    await t.advance(LONG);
    t.expectNothing();
    t.read();
    expect(t.read()).to.equal(-ECONNRESET);
  });
});

/** A connection whose receive buffer (3000 bytes) is full: `next` is the peer's next number. */
async function full(): Promise<{ t: WirePeer; next: number }> {
  const t = await established({ setup: (socket) => socket.setsockopt(SOL_SOCKET, SO_RCVBUF, 3000) });
  t.inject({ seq: 1, length: 1460 });
  t.inject({ length: 1460 });
  await t.advance(200);
  const last = t.drain().at(-1);
  if (last?.win !== 0) throw new Error(`the window is still ${last?.win}\n${t.ladder()}`);
  await t.advance(1000);
  t.drain();
  return { t, next: last.ack };
}
