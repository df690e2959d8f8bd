/** Buffers that size themselves, and the memory of all connections together: Linux's tcp_moderate_rcvbuf, tcp_mem, SO_RCVLOWAT, TCP_INQ. */
import { expect } from 'chai';
import {
  IPPROTO_TCP,
  MSG_EOR,
  POLLIN,
  POLLOUT,
  SO_RCVBUF,
  SO_RCVLOWAT,
  SO_REUSEPORT,
  SO_SNDBUF,
  SOL_SOCKET,
  TCP_INQ,
  TCP_NOTSENT_LOWAT,
} from '../../src/socket/constants.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import { EADDRINUSE, EAGAIN } from '../../src/socket/errno.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { IPV4_ANY, IPV6_ANY } from '../../src/wire/address.ts';
import { domainOf } from '../support/wire-family.ts';
import { established, type PeerOptions, WirePeer } from '../support/wire-peer.ts';

const LINUX = { tcp_rmem: [4096, 131_072, 33_554_432], tcp_wmem: [4096, 16_384, 4_194_304] } as const;
const MSS = 1460;

function linux(options: PeerOptions = {}): Promise<WirePeer> {
  return established({ options: { mss: MSS, wscale: 7 }, ...options, sysctl: { ...LINUX, ...options.sysctl } });
}

/** A round trip of 10 ms after the other, in which the peer fills the window, and the user reads. */
async function transfer(t: WirePeer, rounds: number, read = true): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    let window = ((t.socket.connection?.rcvAdv ?? 0) - (t.socket.connection?.rcvNxt ?? 0)) | 0;
    for (; window >= MSS; window -= MSS) t.inject({ length: MSS });
    if (read) while (typeof t.read() === 'string');
    await t.advance(10);
    t.drain();
  }
}

const rcvBuf = (t: WirePeer): number => t.socket.getsockopt(SOL_SOCKET, SO_RCVBUF) as number;

describe('buffers that size themselves', () => {
  it('the receive buffer grows with what is read in a round trip', async () => {
    const t = await linux();
    expect(rcvBuf(t)).to.equal(131_072);
    await transfer(t, 8);
    expect(rcvBuf(t)).to.be.above(400_000);
    expect(rcvBuf(t)).to.be.at.most(33_554_432);
  });

  it('not when nothing is read, nor when the user chose its size, nor with tcp_moderate_rcvbuf off', async () => {
    const unread = await linux();
    await transfer(unread, 8, false);
    expect(rcvBuf(unread)).to.equal(131_072);
    const chosen = await linux({ setup: (socket) => socket.setsockopt(SOL_SOCKET, SO_RCVBUF, 65_536) });
    await transfer(chosen, 8);
    expect(rcvBuf(chosen)).to.equal(131_072);
    const off = await linux({ sysctl: { tcp_moderate_rcvbuf: false } });
    await transfer(off, 8);
    expect(rcvBuf(off)).to.equal(131_072);
  });

  it('the send buffer holds two windows, as far as tcp_wmem, unless the user chose', async () => {
    const t = await linux();
    // Ten segments of 4096 + 256 bytes, twice.
    expect(t.socket.getsockopt(SOL_SOCKET, SO_SNDBUF)).to.equal(87_040);
    const chosen = await linux({ setup: (socket) => socket.setsockopt(SOL_SOCKET, SO_SNDBUF, 5000) });
    expect(chosen.socket.getsockopt(SOL_SOCKET, SO_SNDBUF)).to.equal(10_000);
  });
});

describe('the memory of all connections', () => {
  const small = (pages: readonly [number, number, number]) => ({ sysctl: { tcp_mem: pages } });

  it('under pressure windows do not grow', async () => {
    const t = await linux(small([0, 0, 1000]));
    await transfer(t, 8);
    expect(t.counters.TCPMemoryPressures).to.equal(1);
    expect(t.socket.connection?.rcvSsthresh).to.be.at.most(65_536);
  });

  it('exhausted: who has nothing queued may still write: nothing else would ever wake him', async () => {
    const t = await linux(small([0, 0, 0]));
    t.inject({ seq: 1, length: 1000 });
    t.drain();
    expect(t.stack.tcp.memory.exhausted).to.equal(true);
    expect(t.socket.send(new Uint8Array(10))).to.equal(10);
    expect(t.socket.send(new Uint8Array(300_000))).to.be.below(2 * 65_536);
    expect(t.socket.send(new Uint8Array(10))).to.equal(-EAGAIN);
  });

  it('exhausted: nothing is written, what is out of order goes first, then what is in order is dropped', async () => {
    const t = await linux(small([0, 32, 32]));
    t.inject({ seq: 1, length: 1000 });
    t.inject({ seq: 3001, length: 1000 });
    t.drain();
    expect(t.stack.slab.live).to.equal(2);
    t.inject({ seq: 1001, length: 1000 });
    expect(t.counters.OfoPruned).to.equal(1);
    expect(t.socket.connection?.rcvNxt).to.equal(((t.socket.connection?.irs ?? 0) + 2001) | 0);
    t.inject({ seq: 5001, length: 1000 });
    t.write('x');
    t.flush();
    expect(t.socket.send(new Uint8Array(10))).to.equal(-EAGAIN);
    t.inject({ seq: 2001, ack: 1, length: 1000 });
    t.inject({ seq: 2001, ack: 1, length: 1000 });
    expect(t.counters.TCPRcvQDrop).to.be.above(0);
  });
});

describe('what the user asks of a send queue', () => {
  it('TCP_NOTSENT_LOWAT: nothing is begun beyond what may wait, and POLLOUT comes at half of it', async () => {
    const t = await linux({ win: 20 });
    // Nothing can leave; a buffer has half of the largest window that there was: 1280 bytes.
    t.inject({ win: 0 });
    t.socket.setsockopt(IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4000);
    expect(t.write(2560)).to.equal(2560);
    expect(t.socket.poll() & POLLOUT).to.equal(0);
    expect(t.write(100_000)).to.equal(2560);
    expect(t.socket.send(new Uint8Array(1))).to.equal(-EAGAIN);
  });

  it('MSG_EOR: no segment holds bytes of two records', async () => {
    const t = await linux();
    for (const length of [400, 2000, 300]) t.write(length, MSG_EOR);
    t.expect({ seq: 1, length: 400, flags: 'PA' });
    t.expect({ seq: 401, length: 1460, flags: 'A' });
    t.expect({ seq: 1861, length: 540, flags: 'PA' });
    t.inject({ ack: 2401 });
    t.expect({ seq: 2401, length: 300, flags: 'PA' });
  });
});

describe('what the user asks of a receive queue', () => {
  it('SO_RCVLOWAT: readable with as much, or when the window has no room for more', async () => {
    const t = await linux();
    t.socket.setsockopt(SOL_SOCKET, SO_RCVLOWAT, 2000);
    t.inject({ length: 1999 });
    expect(t.socket.poll() & POLLIN).to.equal(0);
    t.inject({ length: 1 });
    expect(t.socket.poll() & POLLIN).to.equal(POLLIN);
  });

  it('TCP_INQ: recvmsg tells what is left, and never 0 at the end of the stream', async () => {
    const t = await linux();
    const into = [new Uint8Array(60), new Uint8Array(10)];
    t.inject({ length: 100 });
    expect(t.socket.recvmsg(into)).to.deep.equal({ length: 70, flags: 0, inq: undefined });
    t.socket.setsockopt(IPPROTO_TCP, TCP_INQ, 1);
    expect(t.socket.recvmsg([new Uint8Array(20)])).to.deep.equal({ length: 20, flags: 0, inq: 10 });
    t.inject({ flags: 'FA' });
    expect(t.socket.recvmsg([new Uint8Array(20)])).to.deep.equal({ length: 10, flags: 0, inq: 1 });
  });

  it('SO_REUSEPORT: listeners share a port, each gets some, and the same peer the same', () => {
    const t = new WirePeer();
    const make = (share: boolean): Socket | number => {
      const socket = createSocket(t.stack, domainOf(t.family), 1, 0) as Socket;
      if (share) socket.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1);
      return socket.bind({ address: t.family === '6' ? IPV6_ANY : IPV4_ANY, port: 80 }) || socket.listen(100) || socket;
    };
    const listeners = [make(true), make(true)] as Socket[];
    expect(make(false)).to.equal(-EADDRINUSE);
    for (let from = 1000; from < 1040; from++) t.handshake(from);
    const counts = listeners.map((each) => {
      let count = 0;
      while (typeof each.accept() === 'object') count++;
      return count;
    });
    expect(counts.reduce((a, b) => a + b)).to.equal(40);
    expect(Math.min(...counts)).to.be.above(5);
  });
});
