/** RFC 7413: a server that takes data in SYNs. */
import { expect } from 'chai';
import {
  IPPROTO_TCP,
  SHUT_WR,
  TCP_FASTOPEN,
  TCP_FASTOPEN_KEY,
  TCP_FASTOPEN_NO_COOKIE,
} from '../../../src/socket/constants.ts';
import { EAGAIN, ECONNRESET, EINVAL } from '../../../src/socket/errno.ts';
import { cookieFor, type FastOpenKeys, keysFromText } from '../../../src/tcp/fast-open-cookie.ts';
import { IpAddress } from '../../../src/wire/address.ts';
import { cookieOf, fastListener, fastSyn, KEY } from '../../support/wire-fast-open.ts';
import { info } from '../../support/wire-info.ts';
import { listening } from '../../support/wire-peer.ts';

const OTHER = '00000001-00000002-00000003-00000004';
const RIGHT = cookieOf();

describe('RFC 7413, server', () => {
  it('4.1.2, 4.2.1: a request is answered with a cookie of 8 bytes, in the option that it came in', () => {
    const t = fastListener();
    t.inject({ seq: 0, flags: 'S', options: { mss: 1460, fo: '' } });
    t.expect({ flags: 'SA', ack: 1, options: { fo: RIGHT, foexp: undefined } });
    t.inject({ seq: 0, flags: 'S', options: { mss: 1460, foexp: '' }, from: 5000 });
    t.expect({ flags: 'SA', ack: 1, options: { foexp: RIGHT, fo: undefined } });
    expect(RIGHT).to.have.length(16);
    expect(t.counters.TCPFastOpenCookieReqd).to.equal(2);
  });

  it('4.1.1: options of another length than a cookie may have are ignored', () => {
    for (const [i, fo] of ['ab', 'abcdef', '00'.repeat(17), '00'.repeat(18), '0011223344'].entries()) {
      const t = fastListener();
      t.inject({ seq: 0, flags: 'S', options: { mss: 1460, fo }, data: 'x', from: 5000 + i });
      t.expect({ flags: 'SA', ack: 1, options: { fo: undefined }, to: 5000 + i });
    }
  });

  it('4.2.2: with a valid cookie the data is acknowledged, and can be read and answered before the handshake is over', () => {
    const t = fastListener();
    fastSyn(t, 'question');
    t.accept();
    expect(t.state()).to.equal('SYN-RECEIVED');
    expect(t.read()).to.equal('question');
    t.write('answer');
    t.expect({ seq: 1, ack: 9, flags: 'PA', data: 'answer' });
    t.inject({ seq: 9, ack: 7 });
    expect(t.state()).to.equal('ESTABLISHED');
    expect(info(t)).to.include({ tcpi_unacked: 0, tcpi_snd_cwnd: 10 });
    expect(info(t).tcpi_options & 32, 'TCPI_OPT_SYN_DATA').to.equal(32);
    expect(t.counters.TCPFastOpenPassive).to.equal(1);
    expect(t.counters.PassiveOpens).to.equal(1);
    t.expectNothing();
  });

  it('4.2.2 step 6: as much as the initial window may follow the SYN-ACK, within the window of the SYN', () => {
    const t = fastListener();
    fastSyn(t, 'x');
    t.accept();
    t.write(20_000);
    expect(t.drain().reduce((sum, { length }) => sum + length, 0)).to.equal(14_600);
    const u = fastListener();
    u.inject({ seq: 0, flags: 'S', data: 'x', win: 1000, options: { mss: 1460, wscale: 7, fo: RIGHT } });
    u.expect({ flags: 'SA' });
    u.accept();
    u.write(5000);
    expect(u.drain().reduce((sum, { length }) => sum + length, 0)).to.equal(1000);
  });

  it('4.1.2: a cookie that is not valid: the SYN alone is acknowledged, with the right cookie', () => {
    const t = fastListener();
    t.inject({ seq: 0, flags: 'S', data: 'question', options: { mss: 1460, fo: cookieOf(OTHER) } });
    t.expect({ flags: 'SA', ack: 1, options: { fo: RIGHT } });
    expect(t.listener?.accept()).to.equal(-EAGAIN);
    expect(t.counters.TCPFastOpenPassiveFail).to.equal(1);
    t.inject({ seq: 1, ack: 1, data: 'question' });
    t.accept();
    expect(t.read()).to.equal('question');
  });

  it('4.1.2 (5): keys rotate: cookies of the backup key are taken, and replaced', () => {
    const t = fastListener(2, { tcp_fastopen_key: `${OTHER},${KEY}` });
    t.inject({ seq: 0, flags: 'S', data: 'x', options: { mss: 1460, fo: RIGHT } });
    t.expect({ flags: 'SA', ack: 2, options: { fo: cookieOf(OTHER) } });
    expect(t.counters.TCPFastOpenPassiveAltKey).to.equal(1);
    t.inject({ seq: 0, flags: 'S', data: 'x', options: { mss: 1460, fo: cookieOf(OTHER) }, from: 5000 });
    t.expect({ flags: 'SA', ack: 2, options: { fo: undefined }, to: 5000 });
  });

  it('4.1.2 (2): without a key of the administrator\u2019s one is drawn, and stays', () => {
    const t = fastListener(2, { tcp_fastopen_key: '' });
    t.inject({ seq: 0, flags: 'S', options: { mss: 1460, fo: '' } });
    const { fo } = t.expect({ flags: 'SA' }).options;
    expect(fo).to.have.length(16);
    t.inject({ seq: 0, flags: 'S', data: 'x', options: { mss: 1460, fo: fo as string }, from: 5000 });
    t.expect({ flags: 'SA', ack: 2, to: 5000 });
  });

  it('4.2: FastOpenEnabled is off unless the application turns it on', () => {
    for (const t of [
      listening({ sysctl: { tcp_fastopen: 3, tcp_fastopen_key: KEY } }),
      fastListener(2, { tcp_fastopen: 1 }),
    ]) {
      t.inject({ seq: 0, flags: 'S', data: 'x', options: { mss: 1460, fo: RIGHT } });
      t.expect({ flags: 'SA', ack: 1, options: { fo: undefined } });
      t.inject({ seq: 0, flags: 'S', options: { mss: 1460, fo: '' }, from: 5000 });
      t.expect({ flags: 'SA', ack: 1, options: { fo: undefined }, to: 5000 });
    }
  });

  it('4.2, 5.1: beyond the limit of pending connections Fast Open is off; it goes on when one is established', () => {
    const t = fastListener(1);
    fastSyn(t, 'x');
    t.inject({ seq: 0, flags: 'S', data: 'x', options: { mss: 1460, fo: RIGHT }, from: 5000 });
    t.expect({ flags: 'SA', ack: 1, options: { fo: undefined }, to: 5000 });
    expect(t.counters.TCPFastOpenListenOverflow).to.equal(1);
    t.inject({ seq: 2, ack: 1 });
    fastSyn(t, 'x', 5001);
  });

  it('5.1: one that was reset keeps its place for a minute when it had been accepted (Linux)', async () => {
    const t = fastListener(1);
    fastSyn(t, 'x');
    t.accept();
    t.inject({ seq: 2, flags: 'R' });
    t.inject({ seq: 0, flags: 'S', data: 'x', options: { mss: 1460, fo: RIGHT }, from: 5000 });
    t.expect({ flags: 'SA', ack: 1, to: 5000 });
    await t.advance(60_001);
    t.drain();
    fastSyn(t, 'x', 5001);
    t.inject({ seq: 2, flags: 'R', from: 5001 });
    // It had not been accepted: its place is free.
    fastSyn(t, 'x', 5002);
  });

  it('4.2.2: the SYN-ACK is sent again with neither data nor option; nothing else is, before it is answered', async () => {
    const t = fastListener(2, { tcp_fastopen_key: `${OTHER},${KEY}`, tcp_synack_retries: 1 });
    t.inject({ seq: 0, flags: 'S', data: 'x', options: { mss: 1460, fo: RIGHT } });
    t.expect({ flags: 'SA', ack: 2, options: { fo: cookieOf(OTHER) } });
    t.accept();
    t.write('answer');
    t.expect({ seq: 1, data: 'answer' });
    const start = t.now;
    await t.advance(10_000);
    const again = t.drain();
    expect(again.map(({ at, flags, length, options }) => [at - start, flags, length, options.fo])).to.deep.equal([
      [1000, 'SA', 0, undefined],
      [3000, 'SA', 0, undefined],
    ]);
    expect(t.state()).to.equal('CLOSED');
    expect(t.read()).to.equal('x');
    expect(t.read()).to.equal(-110);
  });

  it('4.2.2: a SYN that comes again has its SYN-ACK again, and its data is not read twice', () => {
    const t = fastListener();
    fastSyn(t, 'question');
    t.inject({ seq: 0, flags: 'S', data: 'question', options: { mss: 1460, fo: RIGHT } });
    t.expect({ seq: 0, ack: 9, flags: 'SA' });
    t.accept();
    expect(t.read()).to.equal('question');
    expect(t.read()).to.equal(-EAGAIN);
  });

  it('4.2.2, receiving the ACK: of anything else it is answered with a RST', () => {
    const t = fastListener();
    fastSyn(t, 'x');
    t.inject({ seq: 2, ack: 100 });
    t.expect({ flags: 'R', seq: 100 });
    t.inject({ seq: 2, ack: 0 });
    t.expect({ flags: 'R', seq: 0 });
    expect(t.state()).to.equal('SYN-RECEIVED');
    t.inject({ seq: 2, ack: 1 });
    expect(t.state()).to.equal('ESTABLISHED');
  });

  it('a RST before accept: the data is read, then the reset is told', () => {
    const t = fastListener();
    fastSyn(t, 'x');
    t.inject({ seq: 2, flags: 'R' });
    t.accept();
    expect(t.read()).to.equal('x');
    expect(t.read()).to.equal(-ECONNRESET);
  });

  it('RFC 5961 3.2: a RST with another number than the next is answered, and ends nothing', () => {
    const t = fastListener();
    fastSyn(t, 'x');
    t.inject({ seq: 10, flags: 'R' });
    t.expect({ flags: 'A', seq: 1, ack: 2 });
    expect(t.state()).to.equal('SYN-RECEIVED');
  });

  it('ICMP ends it before accept, and does not after (Linux)', () => {
    for (const accepted of [false, true]) {
      const t = fastListener();
      const { bytes } = fastSyn(t, 'x');
      if (accepted) t.accept();
      t.injectIcmp({ type: 3, code: 1, body: bytes.slice(0, 28) });
      expect(t.state()).to.equal(accepted ? 'SYN-RECEIVED' : 'LISTEN');
    }
  });

  it('4.1.2: cookies are those of Linux for the same key and addresses', () => {
    const { primary } = keysFromText(KEY) as FastOpenKeys;
    const [client, server] = ['192.0.2.1', '192.168.0.1'].map((text) => IpAddress.parse(text) as IpAddress);
    const cookie = cookieFor(primary, client as IpAddress, server as IpAddress);
    expect(Buffer.from(cookie).toString('hex')).to.equal('3021b9d889017eeb');
  });

  it('close before the handshake is over sends the FIN; shutdown waits (Linux)', () => {
    const t = fastListener();
    fastSyn(t, 'x');
    t.accept();
    t.read();
    t.socket.close();
    t.expect({ seq: 1, flags: 'FA' });
    expect(t.state()).to.equal('FIN-WAIT-1');
    t.inject({ seq: 2, ack: 2 });
    expect(t.state()).to.equal('FIN-WAIT-2');
    const u = fastListener();
    fastSyn(u, 'x');
    u.accept().shutdown(SHUT_WR);
    u.expectNothing();
    u.inject({ seq: 2, ack: 1 });
    u.expect({ seq: 1, flags: 'FA' });
  });

  it('7.3: without cookies, by tcp_fastopen 0x200 or TCP_FASTOPEN_NO_COOKIE', () => {
    const free = fastListener(2, { tcp_fastopen: 0x203 });
    const chosen = listening({
      sysctl: { tcp_fastopen: 3 },
      setup: (socket) => {
        socket.setsockopt(IPPROTO_TCP, TCP_FASTOPEN, 2);
        socket.setsockopt(IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1);
      },
    });
    for (const t of [free, chosen]) {
      t.inject({ seq: 0, flags: 'S', data: 'x', options: { mss: 1460 } });
      t.expect({ flags: 'SA', ack: 2 });
      t.inject({ seq: 0, flags: 'S', options: { mss: 1460 }, from: 5000 });
      t.expect({ flags: 'SA', ack: 1, to: 5000 });
      t.accept();
      expect(t.listener?.accept()).to.equal(-EAGAIN);
    }
  });

  it('tcp_fastopen 0x400: all listeners, with their backlog', () => {
    const t = listening({ sysctl: { tcp_fastopen: 0x403, tcp_fastopen_key: KEY }, backlog: 1 });
    fastSyn(t, 'x');
    t.inject({ seq: 0, flags: 'S', data: 'x', options: { mss: 1460, fo: RIGHT }, from: 5000 });
    t.expect({ flags: 'SA', ack: 1, to: 5000 });
  });

  it('TCP_FASTOPEN_KEY: 16 or 32 bytes, in place of the host\u2019s', () => {
    const t = fastListener();
    const socket = t.listener as NonNullable<typeof t.listener>;
    expect(socket.getsockopt(IPPROTO_TCP, TCP_FASTOPEN_KEY)).to.deep.equal(new Uint8Array(0));
    const bytes = Uint8Array.from([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0]);
    expect(socket.setsockopt(IPPROTO_TCP, TCP_FASTOPEN_KEY, bytes.subarray(1))).to.equal(-EINVAL);
    expect(socket.setsockopt(IPPROTO_TCP, TCP_FASTOPEN_KEY, bytes)).to.equal(0);
    expect(socket.getsockopt(IPPROTO_TCP, TCP_FASTOPEN_KEY)).to.deep.equal(bytes);
    t.inject({ seq: 0, flags: 'S', options: { mss: 1460, fo: '' } });
    t.expect({ flags: 'SA', options: { fo: cookieOf(OTHER) } });
  });

  it('holds nothing when it ends', () => {
    const t = fastListener(5);
    fastSyn(t, 'one');
    fastSyn(t, 'two', 5000);
    t.accept();
    expect(t.close()).to.equal(0);
  });
});
