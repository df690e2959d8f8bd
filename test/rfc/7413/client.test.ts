/** RFC 7413: a client that sends data in SYNs. */
import { expect } from 'chai';
import {
  IPPROTO_TCP,
  POLLOUT,
  SO_ERROR,
  SOL_SOCKET,
  TCP_FASTOPEN_CONNECT,
  TCP_FASTOPEN_NO_COOKIE,
  TCP_INFO,
} from '../../../src/socket/constants.ts';
import { EAGAIN, EALREADY, EINPROGRESS, EISCONN, EOPNOTSUPP } from '../../../src/socket/errno.ts';
import type { Socket } from '../../../src/socket/socket.ts';
import type { TcpInfo } from '../../../src/tcp/info.ts';
import { fastClient, LEARNT, learnCookie, sendFast } from '../../support/wire-fast-open.ts';
import { tooLarge } from '../../support/wire-mtu.ts';
import { bytesOf, CLIENT, DUT, PEER, SERVICE } from '../../support/wire-peer.ts';

const OPTIONS = { mss: 1460, sackOk: true } as const;

function infoOf(socket: Socket): TcpInfo {
  return socket.getsockopt(IPPROTO_TCP, TCP_INFO) as TcpInfo;
}

describe('RFC 7413, client', () => {
  it('4.2.1: without a cookie it asks for one, and sends no data', () => {
    const t = fastClient();
    const { socket, result } = sendFast(t, 'question');
    expect(result).to.equal(-EINPROGRESS);
    t.expect({ flags: 'S', length: 0, options: { fo: '' } });
    expect(infoOf(socket).tcpi_fastopen_client_fail).to.equal(1);
  });

  it('4.1.3, 4.2.2: it keeps the cookie, and sends it with data', () => {
    const t = fastClient();
    learnCookie(t);
    const { socket, result } = sendFast(t, 'question');
    expect(result).to.equal(8);
    t.expect({ flags: 'S', seq: 0, data: 'question', options: { fo: LEARNT } });
    t.inject({ seq: 0, ack: 9, flags: 'SA', options: OPTIONS });
    t.expect({ seq: 9, ack: 1, flags: 'A' });
    const { tcpi_options, tcpi_unacked } = infoOf(socket);
    expect([tcpi_options & 32, tcpi_unacked]).to.deep.equal([32, 0]);
    expect(t.counters.TCPFastOpenActive).to.equal(1);
    socket.send(bytesOf('more'));
    t.expect({ seq: 9, data: 'more' });
  });

  it('4.1.3: no more than the MSS that the server announced, less room for options', () => {
    const t = fastClient();
    learnCookie(t, 1000);
    expect(sendFast(t, 3000).result).to.equal(960);
    t.expect({ flags: 'S', length: 960 });
  });

  it('4.1.3: the cookie of the last SYN-ACK counts; one that nobody asked for does not', () => {
    const t = fastClient();
    learnCookie(t);
    sendFast(t, 'a', CLIENT);
    t.expect({ flags: 'S', options: { fo: LEARNT } });
    t.inject({ seq: 0, ack: 2, flags: 'SA', options: { ...OPTIONS, fo: '0102030405060708' } });
    t.expect({ flags: 'A' });
    sendFast(t, 'b', CLIENT + 1);
    t.expect({ flags: 'S', options: { fo: '0102030405060708' } });
    const u = fastClient();
    u.connect();
    u.expect({ flags: 'S', options: { fo: undefined } });
    u.inject({ seq: 0, ack: 1, flags: 'SA', options: { ...OPTIONS, fo: LEARNT } });
    u.expect({ flags: 'A' });
    expect(u.stack.tcp.fastOpen.peers).to.equal(0);
    const v = fastClient({ tcp_fastopen: 5 });
    sendFast(v, 'x');
    v.expect({ flags: 'S' });
    v.inject({ seq: 0, ack: 2, flags: 'SA', options: { ...OPTIONS, fo: LEARNT } });
    v.expect({ flags: 'A' });
    v.stack.sysctl.tcp_fastopen = 1;
    sendFast(v, 'x', CLIENT + 1);
    v.expect({ flags: 'S', options: { fo: '' } });
  });

  it('4.1.3: a cookie for each pair of addresses, for so many of them; the oldest goes first', () => {
    const t = fastClient();
    learnCookie(t);
    const host = t.stack.tcp.fastOpen;
    for (let i = 0; i < 1024; i++) host.notePeer(DUT, { toString: () => `peer ${i}` } as never);
    expect(host.peers).to.equal(1024);
    expect(host.peer(DUT, PEER)).to.equal(undefined);
    host.forgetPeers();
    expect(host.peers).to.equal(0);
  });

  it('4.1.3.1: neither option is answered: RFC 7413\u2019s, then the experimental one, then the former for good', () => {
    const t = fastClient();
    const asked: (string | undefined)[][] = [];
    for (let i = 0; i < 4; i++) {
      const { socket } = sendFast(t, '', CLIENT + i);
      const { fo, foexp } = t.expect({ flags: 'S' }).options;
      asked.push([fo, foexp]);
      t.inject({ seq: 0, ack: 1, flags: 'SA', options: OPTIONS });
      t.expect({ flags: 'A' });
      t.inject({ seq: 1, flags: 'R' });
      socket.close();
    }
    expect(asked).to.deep.equal([
      ['', undefined],
      [undefined, ''],
      ['', undefined],
      ['', undefined],
    ]);
  });

  it('4.2.2: sent again, the SYN has neither data nor option; the data follows the handshake', async () => {
    const t = fastClient({ tcp_syn_linear_timeouts: 0 });
    learnCookie(t);
    const { socket } = sendFast(t, 'question');
    t.expect({ flags: 'S', data: 'question' });
    await t.advance(1000);
    t.expect({ flags: 'S', length: 0, options: { fo: undefined } });
    t.inject({ seq: 0, ack: 1, flags: 'SA', options: OPTIONS });
    t.expect({ seq: 1, ack: 1, flags: 'PA', data: 'question' });
    expect(infoOf(socket)).to.include({ tcpi_fastopen_client_fail: 3, tcpi_snd_cwnd: 10 });
    t.inject({ seq: 1, ack: 9 });
    expect(infoOf(socket)).to.include({ tcpi_ca_state: 0, tcpi_unacked: 0 });
    t.expectNothing();
  });

  it('4.2.2: data that the SYN-ACK does not acknowledge goes in the first ACK, all of it or what is left', () => {
    for (const taken of [0, 3]) {
      const t = fastClient();
      learnCookie(t);
      const { socket } = sendFast(t, 'question');
      t.expect({ flags: 'S' });
      t.inject({ seq: 0, ack: 1 + taken, flags: 'SA', options: OPTIONS });
      t.expect({ seq: 1 + taken, ack: 1, flags: 'PA', data: 'question'.slice(taken) });
      expect(infoOf(socket)).to.include({ tcpi_fastopen_client_fail: 2, tcpi_snd_cwnd: 10, tcpi_ca_state: 4 });
      expect(infoOf(socket).tcpi_options & 32).to.equal(0);
      expect(t.counters.TCPFastOpenActiveFail).to.equal(1);
      t.expectNothing();
    }
  });

  it('4.2.2: an acknowledgment of more than was sent is answered with a RST', () => {
    const t = fastClient();
    learnCookie(t);
    sendFast(t, 'question');
    t.expect({ flags: 'S' });
    t.inject({ seq: 0, ack: 10, flags: 'SA', options: OPTIONS });
    t.expect({ flags: 'R', seq: 10 });
  });

  it('4.1.3.1: ICMP says that the SYN with data did not fit: it goes at once without, the data after the handshake', () => {
    const t = fastClient();
    learnCookie(t);
    sendFast(t, 1400);
    tooLarge(t, t.expect({ flags: 'S', length: 1400 }), 1300);
    t.expect({ flags: 'S', length: 0, options: { fo: undefined, mss: 1260 } });
    t.inject({ seq: 0, ack: 1, flags: 'SA', options: OPTIONS });
    expect(t.drain().map(({ seq, length }) => [seq, length])).to.deep.equal([
      [1, 1260],
      [1261, 140],
    ]);
  });

  it('7.3: without a cookie, by tcp_fastopen 4 or TCP_FASTOPEN_NO_COOKIE: data and no option', () => {
    const t = fastClient({ tcp_fastopen: 5 });
    expect(sendFast(t, 3000).result).to.equal(1420);
    t.expect({ flags: 'S', length: 1420, options: { fo: undefined } });
    const u = fastClient();
    const socket = u.newSocket();
    socket.setsockopt(IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1);
    expect(socket.send(bytesOf('x'), 0x20000000, { address: PEER, port: SERVICE })).to.equal(1);
    u.expect({ flags: 'S', data: 'x', options: { fo: undefined } });
  });

  it('tcp_fastopen 0: EOPNOTSUPP', () => {
    const t = fastClient({ tcp_fastopen: 0 });
    expect(sendFast(t, 'x').result).to.equal(-EOPNOTSUPP);
    t.expectNothing();
  });

  it('A.1: TCP_FASTOPEN_CONNECT leaves the SYN to the first write', () => {
    const t = fastClient();
    learnCookie(t);
    const socket = t.newSocket();
    socket.bind({ address: DUT, port: CLIENT });
    socket.setsockopt(IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
    t.dutPort = CLIENT;
    expect(socket.connect({ address: PEER, port: SERVICE })).to.equal(0);
    expect(socket.connect({ address: PEER, port: SERVICE })).to.equal(-EISCONN);
    expect(socket.poll()).to.equal(POLLOUT);
    t.expectNothing();
    expect(socket.send(bytesOf('question'))).to.equal(8);
    t.expect({ flags: 'S', data: 'question', options: { fo: LEARNT } });
    expect(socket.send(bytesOf('more'))).to.equal(-EAGAIN);
    expect(socket.poll()).to.equal(0);
    t.inject({ seq: 0, ack: 9, flags: 'SA', options: OPTIONS });
    t.expect({ flags: 'A' });
    expect(socket.send(bytesOf('more'))).to.equal(4);
    t.expect({ seq: 9, data: 'more' });
  });

  it('MSG_FASTOPEN again: EALREADY, then EISCONN', () => {
    const t = fastClient();
    const { socket } = sendFast(t, 'x');
    const again = () => socket.send(bytesOf('x'), 0x20000000, { address: PEER, port: SERVICE });
    t.expect({ flags: 'S' });
    expect(again()).to.equal(-EALREADY);
    t.inject({ seq: 0, ack: 1, flags: 'SA', options: OPTIONS });
    t.expect({ flags: 'A' });
    expect(again()).to.equal(1);
    t.expect({ data: 'x' });
    expect(again()).to.equal(-EISCONN);
  });

  it('a call that waits to write lets the data carry the acknowledgment, for 200 ms (Linux)', async () => {
    const t = fastClient();
    const { socket } = sendFast(t, 'x');
    t.expect({ flags: 'S' });
    socket.awaitWrite();
    t.inject({ seq: 0, ack: 1, flags: 'SA', options: OPTIONS });
    t.expectNothing();
    await t.advance(199);
    t.expectNothing();
    await t.advance(1);
    t.expect({ flags: 'A', seq: 1, ack: 1 });
  });

  it('a RST ends it, and so does disconnect; the socket may connect again', () => {
    const t = fastClient();
    learnCookie(t);
    const { socket } = sendFast(t, 'x');
    t.expect({ flags: 'S' });
    t.inject({ seq: 0, ack: 2, flags: 'RA' });
    expect(socket.getsockopt(SOL_SOCKET, SO_ERROR)).to.equal(111);
    expect(socket.connect({ address: PEER, port: SERVICE })).to.equal(-EINPROGRESS);
    t.expect({ flags: 'S', options: { fo: undefined } });
    t.inject({ seq: 0, ack: 1, flags: 'SA', options: OPTIONS });
    t.expect({ flags: 'A' });
    expect(socket.disconnect()).to.equal(0);
    t.expect({ flags: 'RA', seq: 1 });
    expect(infoOf(socket).tcpi_state).to.equal(7);
    expect(socket.connect({ address: PEER, port: SERVICE })).to.equal(-EINPROGRESS);
    t.expect({ flags: 'S' });
  });

  it('holds nothing when it ends', () => {
    const t = fastClient();
    learnCookie(t);
    sendFast(t, 'x');
    t.expect({ flags: 'S' });
    expect(t.close()).to.equal(0);
  });
});

describe('RFC 7413 4.1.3.1, 7.1: what swallows SYNs with data (Linux)', () => {
  const sysctl = { tcp_fastopen_blackhole_timeout_sec: 10, tcp_syn_linear_timeouts: 0 };

  it('the third timeout in a row: no Fast Open for a while, twice as long the second time', async () => {
    const t = fastClient(sysctl);
    learnCookie(t);
    const lose = async (port: number) => {
      const { socket } = sendFast(t, 'x', port);
      await t.advance(1000 + 2000 + 3999);
      expect(t.counters.TCPFastOpenBlackhole).to.equal(port - CLIENT);
      await t.advance(1);
      expect(t.counters.TCPFastOpenBlackhole).to.equal(port - CLIENT + 1);
      socket.close();
      t.drain();
    };
    const asks = (port: number) => {
      const { socket } = sendFast(t, 'x', port + 100);
      const { length, options } = t.expect({ flags: 'S' });
      socket.close();
      return [length, options.fo];
    };
    await lose(CLIENT);
    expect(asks(CLIENT)).to.deep.equal([0, undefined]);
    await t.advance(9999);
    expect(asks(CLIENT + 1)).to.deep.equal([0, undefined]);
    await t.advance(1);
    expect(asks(CLIENT + 2)).to.deep.equal([1, LEARNT]);
    await lose(CLIENT + 1);
    await t.advance(19_999);
    expect(asks(CLIENT + 3)).to.deep.equal([0, undefined]);
    await t.advance(1);
    expect(asks(CLIENT + 4)).to.deep.equal([1, LEARNT]);
  });

  it('data that comes over one that was tried afterwards: it works again', async () => {
    const t = fastClient(sysctl);
    learnCookie(t);
    sendFast(t, 'x', CLIENT);
    await t.advance(7000);
    t.drain();
    await t.advance(10_000);
    t.drain();
    const { socket } = sendFast(t, 'x', CLIENT + 1);
    t.expect({ flags: 'S', data: 'x', from: CLIENT + 1 });
    t.inject({ seq: 0, ack: 2, flags: 'SA', options: OPTIONS });
    t.expect({ flags: 'A' });
    expect(t.stack.tcp.fastOpen.doubtful).to.equal(true);
    t.inject({ seq: 1, ack: 2, flags: 'PA', data: 'answer' });
    t.drain();
    t.inject({ seq: 7, flags: 'R' });
    expect(t.stack.tcp.fastOpen.doubtful).to.equal(false);
    socket.close();
  });

  it('a stray RST, or a FIN without the data before it, is a sign as well', () => {
    for (const sign of [
      { seq: 100, flags: 'R' },
      { seq: 100, flags: 'FA' },
    ]) {
      const t = fastClient(sysctl);
      learnCookie(t);
      const { socket } = sendFast(t, 'x', CLIENT);
      t.expect({ flags: 'S' });
      t.inject({ seq: 0, ack: 2, flags: 'SA', options: OPTIONS });
      t.expect({ flags: 'A' });
      t.inject(sign);
      t.drain();
      t.inject({ seq: 1, flags: 'R' });
      expect(t.counters.TCPFastOpenBlackhole).to.equal(1);
      socket.close();
    }
  });

  it('tcp_fastopen_blackhole_timeout_sec 0: it is not looked for', async () => {
    const t = fastClient({ tcp_syn_linear_timeouts: 0 });
    learnCookie(t);
    sendFast(t, 'x');
    await t.advance(20_000);
    expect(t.counters.TCPFastOpenBlackhole).to.equal(0);
    t.drain();
    sendFast(t, 'x', CLIENT + 1);
    t.expect({ flags: 'S', data: 'x' });
  });
});
