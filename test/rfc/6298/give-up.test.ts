/** RFC 9293 3.8.3 R1 and R2: when a connection gives up, with Linux's limits in RFC 6298's back-offs; RFC 5482: the user timeout. */
import { expect } from 'chai';
import { TCP_KEEPIDLE, TCP_USER_TIMEOUT } from '../../../src/socket/constants.ts';
import { ETIMEDOUT } from '../../../src/socket/errno.ts';
import { errorOf, establishedAfter, info, times } from '../../support/wire-info.ts';
import { established, type Seen } from '../../support/wire-peer.ts';

describe('RFC 9293 3.8.3: R2, when nothing is acknowledged', () => {
  it('[SHLD-11] tcp_retries2 15: the first timeout after 924.6 s of retransmissions ends it', async () => {
    const t = await establishedAfter(100);
    const start = t.now;
    t.write('a');
    // .3 s, doubling up to 120 s: the one at 873.3 s comes after 873.0 s of retransmissions, that at 993.3 s is one too many.
    await t.advance(993_299);
    expect(times(t.drain(), start).slice(-3)).to.deep.equal([633_300, 753_300, 873_300]);
    expect(t.state()).to.equal('ESTABLISHED');
    await t.advance(1);
    t.expectNothing();
    expect(t.state()).to.equal('CLOSED');
    expect(errorOf(t)).to.equal(ETIMEDOUT);
  });

  it('the limit is a time: a retransmission 924.4 s after the first is still one of them', async () => {
    // An RTO of .2 s: at .2, .6, ... 102.2, 204.6 s, then every 120 s. The one at 924.6 s is 924.4 s after the first.
    const t = await established();
    const start = t.now;
    t.write('a');
    await t.advance(1_044_600);
    const sent = t.drain();
    expect(sent).to.have.length(17);
    expect(Math.floor(((sent[16] as Seen).at - start) / 1000)).to.equal(924);
    expect(t.state()).to.equal('ESTABLISHED');
    await t.advance(10);
    expect(t.state()).to.equal('CLOSED');
  });

  it('tcp_retries2 of 3: (2^4 - 1) * 0.2 = 3 s', async () => {
    const t = await establishedAfter(100, { sysctl: { tcp_retries2: 3 } });
    const start = t.now;
    t.write('a');
    await t.advance(4499);
    expect(times(t.drain(), start)).to.deep.equal([0, 300, 900, 2100]);
    expect(t.state()).to.equal('ESTABLISHED');
    await t.advance(1);
    expect(t.state()).to.equal('CLOSED');
  });

  it('an acknowledgment of something new starts the count afresh', async () => {
    const t = await establishedAfter(100, { sysctl: { tcp_retries2: 3 }, setup: (s) => s.setsockopt(6, 1, 1) });
    t.write('a');
    t.flush();
    t.write('b');
    await t.advance(4000);
    t.inject({ ack: 2 });
    await t.advance(4000);
    expect(t.state()).to.equal('ESTABLISHED');
    t.drain();
  });

  it('nor does a back-off that outlived progress count as retransmissions in vain', async () => {
    const t = await establishedAfter(100, { sysctl: { tcp_retries2: 3 }, setup: (s) => s.setsockopt(6, 1, 1) });
    for (const letter of 'abc') {
      t.write(letter);
      t.flush();
    }
    await t.advance(2200);
    t.inject({ ack: 2 });
    await t.advance(2800);
    t.inject({ ack: 3 });
    t.drain();
    // 4.8 s after that, more than the 3 s of the limit, the timer fires for the first time.
    await t.advance(4799);
    t.expectNothing();
    await t.advance(1);
    t.expect({ seq: 3, data: 'c' });
    expect(t.state()).to.equal('ESTABLISHED');
  });

  it('tcp_orphan_retries 0 means 8: a connection that nobody holds lives (2^9 - 1) * 0.2 = 102.2 s', async () => {
    const t = await establishedAfter(100);
    const start = t.now;
    t.write('a');
    t.socket.close();
    await t.advance(153_299);
    expect(t.state()).to.equal('FIN-WAIT-1');
    expect(times(t.drain(), start).slice(-2)).to.deep.equal([38_100, 76_500]);
    await t.advance(1);
    expect(t.state()).to.equal('CLOSED');
    t.expectNothing();
  });

  it('tcp_orphan_retries as it is set: 2 is 1.4 s', async () => {
    const t = await establishedAfter(100, { sysctl: { tcp_orphan_retries: 2 } });
    t.write('a');
    t.socket.close();
    await t.advance(2099);
    expect(t.state()).to.equal('FIN-WAIT-1');
    await t.advance(1);
    expect(t.state()).to.equal('CLOSED');
    t.drain();
  });
});

describe('RFC 5482, TCP_USER_TIMEOUT', () => {
  it('data that is not acknowledged for so long ends the connection, on time', async () => {
    const t = await establishedAfter(100);
    t.socket.setsockopt(6, TCP_USER_TIMEOUT, 5000);
    const start = t.now;
    t.write('a');
    // Counted from the first retransmission (Linux).
    await t.advance(5299);
    expect(times(t.drain(), start)).to.deep.equal([0, 300, 900, 2100, 4500]);
    expect(t.state()).to.equal('ESTABLISHED');
    await t.advance(1);
    t.expectNothing();
    expect(t.state()).to.equal('CLOSED');
    expect(errorOf(t)).to.equal(ETIMEDOUT);
  });

  it('it may be longer than R2', async () => {
    const t = await establishedAfter(100, { sysctl: { tcp_retries2: 1 } });
    t.socket.setsockopt(6, TCP_USER_TIMEOUT, 5000);
    t.write('a');
    await t.advance(4999);
    expect(t.state()).to.equal('ESTABLISHED');
    t.drain();
  });

  it('progress starts it afresh', async () => {
    const t = await establishedAfter(100, { setup: (s) => s.setsockopt(6, 1, 1) });
    t.socket.setsockopt(6, TCP_USER_TIMEOUT, 5000);
    t.write('a');
    t.flush();
    t.write('b');
    await t.advance(4000);
    t.inject({ ack: 2 });
    await t.advance(4000);
    expect(t.state()).to.equal('ESTABLISHED');
    t.drain();
  });

  it('a window that stays closed for so long ends it, on time, even though every probe is answered (Linux)', async () => {
    const t = await establishedAfter(100);
    t.socket.setsockopt(6, TCP_USER_TIMEOUT, 5000);
    t.inject({ win: 0 });
    t.write('a');
    await t.advance(300);
    t.expect({ seq: 0, length: 0 });
    const firstProbe = t.now;
    for (let elapsed = 0; elapsed < 4900; elapsed += 100) {
      await t.advance(100);
      for (const _ of t.drain()) t.inject({ win: 0 });
    }
    expect(t.state()).to.equal('ESTABLISHED');
    await t.advance(firstProbe + 4999 - t.now);
    expect(t.state()).to.equal('ESTABLISHED');
    await t.advance(1);
    expect(t.state()).to.equal('CLOSED');
    expect(errorOf(t)).to.equal(ETIMEDOUT);
    t.drain();
  });

  it('a window that opened in between starts that afresh', async () => {
    const t = await establishedAfter(100);
    t.socket.setsockopt(6, TCP_USER_TIMEOUT, 5000);
    t.inject({ win: 0 });
    t.write('a');
    await t.advance(4000);
    t.drain();
    t.inject({ win: 1000 });
    t.expect({ seq: 1, data: 'a' });
    t.inject({ ack: 2, win: 0 });
    t.write('b');
    await t.advance(4000);
    expect(t.state()).to.equal('ESTABLISHED');
    t.drain();
  });

  it('with keepalive, it decides instead of the number of probes', async () => {
    const t = await establishedAfter(100);
    t.socket.setsockopt(6, TCP_USER_TIMEOUT, 25_000);
    t.socket.setsockopt(6, TCP_KEEPIDLE, 10);
    t.socket.setsockopt(6, 5, 5);
    t.socket.setsockopt(6, 6, 1);
    t.socket.setsockopt(1, 9, 1);
    const start = t.now;
    await t.advance(24_999);
    expect(times(t.drain(), start)).to.deep.equal([10_000, 15_000, 20_000]);
    expect(t.state()).to.equal('ESTABLISHED');
    await t.advance(1);
    expect(errorOf(t)).to.equal(ETIMEDOUT);
    t.expect({ flags: 'RA' });
  });

  it('[SHLD-17] data beyond a window that shrank to nothing does not time the connection out while the peer answers', async () => {
    const t = await establishedAfter(100, { sysctl: { tcp_retries2: 3 } });
    t.write('a');
    t.drain();
    t.inject({ ack: 1, win: 0 });
    for (let i = 0; i < 60; i++) {
      await t.advance(1000);
      for (const _ of t.drain()) t.inject({ ack: 1, win: 0 });
    }
    expect(t.state()).to.equal('ESTABLISHED');
    expect(info(t).tcpi_snd_wnd).to.equal(0);
    t.inject({ ack: 2, win: 1000 });
    t.write('b');
    t.expect({ seq: 2, data: 'b' });
  });

  it('but when the peer falls silent, it does, after twice the longest RTO (Linux)', async () => {
    const t = await establishedAfter(100);
    t.write('a');
    t.drain();
    t.inject({ ack: 1, win: 0 });
    // Timeouts at .3, .9, ... 153.3, 273.3 s: the last is the first beyond 240 s.
    await t.advance(273_299);
    expect(t.state()).to.equal('ESTABLISHED');
    await t.advance(1);
    expect(t.state()).to.equal('CLOSED');
    t.drain();
  });
});
