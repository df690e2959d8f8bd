/** Faults that test/sim found, each as the few segments that show it. */
import { expect } from 'chai';
import {
  IPPROTO_TCP,
  MSG_MORE,
  MSG_OOB,
  POLLIN,
  SHUT_WR,
  SO_KEEPALIVE,
  SO_RCVLOWAT,
  SO_SNDBUF,
  SOL_SOCKET,
  TCP_CORK,
  TCP_FASTOPEN_CONNECT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
  TCP_QUICKACK,
} from '../../src/socket/constants.ts';
import { EAGAIN, EINPROGRESS } from '../../src/socket/errno.ts';
import type { ControlBlock } from '../../src/tcp/control-block.ts';
import { MORE_AWAITED } from '../../src/tcp/nagle.ts';
import { itIpv4 } from '../support/wire-family.ts';
import { cookieOf, fastClient, fastListener, fastSyn, learnCookie, sendFast } from '../support/wire-fast-open.ts';
import { info } from '../support/wire-info.ts';
import { connecting, established, PEER, SERVICE, WirePeer } from '../support/wire-peer.ts';

const SACK = { mss: 1460, sackOk: true } as const;

describe('small links', () => {
  it('an acknowledgment has no more SACK blocks than the link takes', async () => {
    const t = await established({ mtu: 68, options: { mss: 28, sackOk: true, ts: [1, 0] } });
    for (const seq of [21, 41, 61]) t.inject({ seq, length: 10 });
    for (const { bytes, options } of t.drain()) {
      expect(bytes.length).to.be.at.most(68);
      expect(options.sack).to.have.lengthOf(1);
    }
  });

  it('blocks that would leave no room for data wait for another segment', async () => {
    const t = await established({ mtu: 68, options: { mss: 28, sackOk: true } });
    for (const seq of [21, 41, 61]) t.inject({ seq, length: 10 });
    t.drain();
    t.write(28);
    const sent = t.drain();
    expect(sent.reduce((sum, { length }) => sum + length, 0)).to.equal(28);
    for (const { bytes } of sent) expect(bytes.length).to.be.at.most(68);
  });
});

describe('large links', () => {
  itIpv4('an mtu of 65535: a full segment leaves though more is queued and the window is wider', async () => {
    const t = await established({ mtu: 65_535, options: { mss: 65_495, wscale: 7, ts: [1, 0] }, win: 65_535 });
    t.write(200_000);
    t.expect({ seq: 1, length: 65_483 });
    t.expect({ seq: 65_484, length: 65_483 });
  });
});

describe("acknowledgments beyond the peer's window", () => {
  /** 1,200 bytes are out; then the peer's window ends before them, as it counts in units of 128. */
  async function withWindow(units: number) {
    const t = await established({ options: { mss: 1460, wscale: 7 }, win: 10 });
    t.write(1200);
    t.drain();
    t.inject({ seq: 1, ack: 1, length: 10, win: units });
    return t.drain().at(-1);
  }

  it('have SEQ = SND.NXT when it was only rounded: a peer that has the data takes nothing less', async () => {
    expect((await withWindow(9))?.seq).to.equal(1201);
  });

  it('have the edge for SEQ when it was taken back', async () => {
    expect((await withWindow(8))?.seq).to.equal(1025);
  });
});

describe('window probes', () => {
  it('take no delayed acknowledgment with them: the peer does not read the ACK of what lies before its window', async () => {
    const t = await established({ options: { mss: 1460 }, win: 0 });
    t.socket.setsockopt(IPPROTO_TCP, TCP_QUICKACK, 0);
    t.inject({ seq: 1, length: 10 });
    await t.advance(1000);
    t.drain();
    t.write(100);
    // The first probe tells when the next comes: at twice the interval.
    let interval = 0;
    while (t.drain().length === 0) {
      await t.advance(1);
      interval++;
    }
    await t.advance(2 * interval - 10);
    t.socket.setsockopt(IPPROTO_TCP, TCP_QUICKACK, 0);
    t.inject({ seq: 11, length: 10 });
    t.expectNothing();
    await t.advance(11);
    t.expect({ seq: 0, length: 0 });
    t.expectNothing();
    await t.advance(200);
    t.expect({ seq: 1, ack: 21, length: 0 });
  });
});

describe('the receive window in units', () => {
  it('does not move on with small segments that nobody reads (RFC 7323 2.4)', async () => {
    const sysctl = { tcp_rmem: [4096, 20_000, 20_000] as const };
    const t = await established({ options: { mss: 1460, wscale: 7 }, sysctl });
    const scale = 2 ** info(t).tcpi_rcv_wscale;
    expect(scale).to.be.above(1);
    let edge = 0;
    for (let seq = 1; ; seq += 100) {
      t.inject({ seq, length: 100 });
      await t.advance(500);
      const [answer] = t.drain();
      if (answer !== undefined) edge = Math.max(edge, answer.ack + answer.win * scale);
      if (answer !== undefined && answer.win === 0) break;
      expect(seq, 'bytes sent into a buffer of 20000').to.be.below(20_000);
    }
    expect(edge).to.be.within(8761, 20_000);
    // What was promised is still taken, and no more.
    const counted = () => t.stack.sockets().find(({ state }) => state === 'ESTABLISHED')?.recvQ ?? 0;
    for (let i = 0; i < 200; i++) t.inject({ seq: counted() + 1, length: 1 });
    t.drain();
    expect(counted() + 1).to.equal(edge);
  });
});

describe('a simultaneous open', () => {
  it('the SYN and the SYN,ACK of the peer in one batch are acknowledged', () => {
    const t = connecting({ active: true });
    const options = t.synOptions;
    t.injectAll([
      { seq: 0, flags: 'S', options },
      { seq: 0, ack: 1, flags: 'SA', options },
    ]);
    t.expect({ seq: 1, ack: 1, flags: 'A' });
    expect(t.state()).to.equal('ESTABLISHED');
  });

  it('so is a SYN whose SYN,ACK had not gone when a bare acknowledgment came', () => {
    const t = connecting({ active: true });
    // RFC 5961 4.2: that is what a peer in SYN-RECEIVED answers when our SYN comes once more.
    t.injectAll([
      { seq: 0, flags: 'S', options: t.synOptions },
      { seq: 1, ack: 1, flags: 'A' },
    ]);
    t.expect({ seq: 1, ack: 1, flags: 'A' });
    expect(t.state()).to.equal('ESTABLISHED');
  });

  it('an acknowledgment offers the window that the SYN did, with tcp_shrink_window, too', () => {
    const t = connecting({ active: true, options: { mss: 1460, wscale: 7 }, sysctl: { tcp_shrink_window: true } });
    t.inject({ seq: 0, flags: 'S', options: t.synOptions });
    t.expect({ flags: 'SA' });
    t.inject({ seq: 0, flags: 'S', options: t.synOptions });
    expect(t.expect({ seq: 1, flags: 'A' }).win).to.be.above(0);
  });

  it('a SYN,ACK that goes again takes nothing back of the window that an ACK has offered', async () => {
    const t = connecting({ active: true, options: { mss: 1460, wscale: 7 } });
    t.inject({ seq: 0, flags: 'S', options: t.synOptions });
    t.expect({ flags: 'SA' });
    t.inject({ seq: 0, flags: 'S', options: t.synOptions });
    expect(t.expect({ seq: 1, flags: 'A' }).win * 2 ** 10).to.equal(4_193_280);
    await t.advance(2500);
    expect(t.drain().map(({ flags }) => flags)).to.include('SA');
    t.inject({ seq: 4_190_001, ack: 1, length: 10 });
    t.drain();
    t.inject({ seq: 1, length: 1000 });
    expect(t.socket.connection?.reassembly?.length).to.equal(10);
  });
});

describe('probes', () => {
  it('do not point to urgent data that there is none of', async () => {
    const t = await established();
    t.socket.setsockopt(IPPROTO_TCP, TCP_KEEPIDLE, 5);
    t.socket.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1);
    t.write('data');
    t.expect({ data: 'data' });
    t.inject({ ack: 5 });
    await t.advance(5000);
    t.expect({ seq: 4, length: 0, flags: 'A', urg: 0 });
  });

  it('of keepalive come once, at any fraction of a millisecond', async () => {
    const t = await established();
    t.socket.setsockopt(IPPROTO_TCP, TCP_KEEPIDLE, 30);
    t.socket.setsockopt(IPPROTO_TCP, TCP_KEEPINTVL, 10);
    t.socket.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1);
    // (x + 30000) - x is not always 30000.
    for (let i = 1; i <= 20; i++) {
      await t.advance(1 / 3 + i / 7000);
      t.inject();
      t.expectNothing();
      await t.advance(30_000);
      expect(t.drain()).to.have.lengthOf(1);
    }
  });
});

describe('TCP_CORK and MSG_MORE', () => {
  it('what the window held back when the user let go leaves as it is once the window opens', async () => {
    const t = await established({ win: 1460, options: { mss: 730 } });
    t.socket.setsockopt(IPPROTO_TCP, TCP_CORK, 1);
    t.write(1460 + 100);
    t.expect({ seq: 1, length: 730 });
    t.expect({ seq: 731, length: 730 });
    await t.advance(150);
    t.socket.setsockopt(IPPROTO_TCP, TCP_CORK, 0);
    t.socket.setsockopt(IPPROTO_TCP, TCP_CORK, 1);
    t.inject({ ack: 1, win: 1460 });
    t.expectNothing();
    await t.advance(40);
    t.inject({ ack: 1461, win: 1460 });
    t.expect({ seq: 1461, length: 100 });
  });

  it('corked after the write: leaves by itself all the same', async () => {
    const t = await established();
    t.write('a');
    t.expect({ data: 'a' });
    t.write('b');
    t.socket.setsockopt(IPPROTO_TCP, TCP_CORK, 1);
    t.expectNothing();
    await t.advance(10);
    t.inject({ ack: 2 });
    t.expectNothing();
    await t.advance(210);
    t.expect({ seq: 2, data: 'b' });
  });

  it('MSG_MORE on the last write of all holds back for an RTO only', async () => {
    const t = await established({ win: 10 });
    t.socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
    t.write('x'.repeat(14), MSG_MORE);
    t.expect({ seq: 1, length: 10 });
    await t.advance(300);
    t.drain();
    t.inject({ ack: 11, win: 1000 });
    t.expect({ seq: 11, length: 4 });
  });
});

describe('MSG_MORE and a full send buffer', () => {
  it('a write that takes nothing leaves what was said of the last one that did', async () => {
    const t = await established({ win: 0 });
    t.socket.setsockopt(SOL_SOCKET, SO_SNDBUF, 1);
    while (t.socket.send(new Uint8Array(10), MSG_MORE) === 10);
    while (t.socket.send(new Uint8Array(1), MSG_MORE) === 1);
    const { moreToCome } = t.socket.connection ?? {};
    expect(moreToCome).to.equal(MORE_AWAITED);
    expect(t.socket.send(new Uint8Array(10))).to.equal(-EAGAIN);
    expect(t.socket.connection?.moreToCome).to.equal(moreToCome);
  });
});

describe('R2', () => {
  it('is more than 100 s for what nobody holds, however short the least RTO (RFC 9293 3.8.3 [SHLD-11])', async () => {
    const t = await established({ sysctl: { tcp_rto_min_us: 5000 } });
    t.write('data');
    t.flush();
    t.socket.close();
    await t.advance(100_000);
    expect(t.state()).to.equal('FIN-WAIT-1');
    await t.advance(300_000);
    expect(t.state()).to.equal('CLOSED');
  });
});

describe('SACK and FIN', () => {
  it('a report that ends before our FIN leaves the counts right', async () => {
    const t = await established({ options: SACK });
    t.write(3 * 1460);
    t.socket.shutdown(1);
    t.drain();
    t.inject({ ack: 1, options: { sack: [[1461, 4381]] } });
    const { packetsOut, sackedOut } = t.socket.connection?.runs ?? { packetsOut: 0, sackedOut: 0 };
    expect([packetsOut, sackedOut]).to.deep.equal([4, 2]);
    t.inject({ ack: 4382 });
    expect(t.state()).to.equal('FIN-WAIT-2');
    expect(t.socket.connection?.runs.packetsOut).to.equal(0);
  });
});

describe('a SYN that meets a wrong acknowledgment', () => {
  it('is answered with RST, and goes again at once, the first time (Linux): what was in the way may be gone', async () => {
    const t = connecting();
    t.drain();
    t.inject({ seq: 0, ack: 77, flags: 'A' });
    t.expect({ flags: 'R', seq: 77 });
    await t.advance(3);
    t.expect({ flags: 'S', seq: 0 });
    t.inject({ seq: 0, ack: 77, flags: 'A' });
    t.expect({ flags: 'R', seq: 77 });
    await t.advance(900);
    t.expectNothing();
    await t.advance(200);
    t.expect({ flags: 'S', seq: 0 });
  });
});

describe('SO_RCVLOWAT with tcp_shrink_window', () => {
  it('who waits for more than the window will ever let in is woken when it is taken back', async () => {
    const t = await established({
      options: { ...SACK, wscale: 0 },
      sysctl: { tcp_shrink_window: true, tcp_rmem: [4096, 16_384, 16_384], tcp_moderate_rcvbuf: false },
    });
    t.socket.setsockopt(SOL_SOCKET, SO_RCVLOWAT, 4000);
    let woken = 0;
    t.socket.onReady = (mask) => {
      if ((mask & POLLIN) !== 0) woken++;
    };
    t.inject({ seq: 1, length: 100 });
    t.drain();
    expect(woken).to.equal(0);
    // A byte is lost; what comes behind it takes the memory.
    let win = Infinity;
    for (let seq = 102; win > 0 && seq < 2000; seq += 20) {
      t.inject({ seq, length: 10 });
      for (const sent of t.drain()) win = sent.win;
    }
    expect(win).to.equal(0);
    expect(woken).to.be.above(0);
    expect(t.socket.recv(new Uint8Array(200))).to.equal(100);
  });
});

describe('Fast Open with tcp_shrink_window', () => {
  it('what is sent before the handshake is over offers the window that the SYN-ACK did', () => {
    const t = fastListener(2, { tcp_shrink_window: true });
    t.inject({ seq: 0, flags: 'S', data: 'hello', options: { mss: 1460, wscale: 7, fo: cookieOf() } });
    const { win, options } = t.expect({ seq: 0, ack: 6, flags: 'SA' });
    const unit = 2 ** (options.wscale ?? 0);
    const socket = t.accept();
    expect(socket.connection?.settings.windowClamp ?? 0, 'how far it may grow').to.be.above(0);
    socket.send(new Uint8Array(100));
    const sent = t.expect({ seq: 1, ack: 6, length: 100 });
    expect(sent.win * unit).to.be.at.least(win - 2 * unit);
  });
});

describe('Fast Open on small links', () => {
  it('a SYN has no Fast Open option that the link has no room for', () => {
    const t = new WirePeer({ mtu: 68, sysctl: { tcp_fastopen: 1 } });
    learnCookie(t);
    const { result } = sendFast(t, 'data');
    expect(result).to.equal(-EINPROGRESS);
    const { bytes, options } = t.expect({ flags: 'S', length: 0 });
    expect(bytes.length).to.be.at.most(68);
    expect(options).to.include({ mss: 256, sackOk: true });
    expect(options.fo).to.equal(undefined);
  });
});

describe('path MTU probes', () => {
  it('are no larger than the link takes, whatever the peer says that it does', async () => {
    const t = await established({
      active: true,
      mtu: 600,
      win: 65_535,
      options: { mss: 1460, sackOk: true, wscale: 3 },
      sysctl: { tcp_mtu_probing: 2, tcp_base_mss: 512, tcp_timestamps: false, tcp_probe_interval: 1 },
    });
    const sizes = new Set<number>();
    let acknowledged = 1;
    for (let i = 0; i < 12; i++) {
      t.write(20_000);
      for (const { seq, length, bytes } of t.drain()) {
        sizes.add(bytes.length);
        acknowledged = Math.max(acknowledged, seq + length);
      }
      await t.advance(200);
      t.inject({ ack: acknowledged });
    }
    expect(Math.max(...sizes)).to.be.within(593, 600);
  });
});

describe('urgent data and SYNs', () => {
  it('the pointer of a SYN,ACK counts from its number (RFC 9293 3.1)', () => {
    const t = connecting();
    t.inject({ seq: 0, ack: 1, flags: 'SAU', urg: 6, options: t.synOptions });
    t.inject({ seq: 1, ack: 1, flags: 'PA', data: 'abcdef' });
    const byte = new Uint8Array(1);
    expect(t.socket.recv(byte, MSG_OOB)).to.equal(1);
    expect(String.fromCharCode(byte[0] as number)).to.equal('e');
  });

  it('a SYN,ACK that goes again beside urgent data of Fast Open has no URG', async () => {
    const t = fastListener();
    fastSyn(t, 'hello');
    t.accept().send(new Uint8Array(10), MSG_OOB);
    t.expect({ seq: 1, length: 10, flags: 'PAU', urg: 10 });
    await t.advance(1000);
    t.expect({ seq: 0, flags: 'SA', urg: 0 });
  });
});

describe('TCP_FASTOPEN_CONNECT', () => {
  it('shut down before the SYN went: a write finds the connection over, and takes nothing', () => {
    const t = fastClient();
    learnCookie(t);
    const socket = t.newSocket();
    expect(socket.setsockopt(IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)).to.equal(0);
    expect(socket.connect({ address: PEER, port: SERVICE })).to.equal(0);
    socket.shutdown(SHUT_WR);
    expect(socket.send(new Uint8Array(10))).to.be.below(0);
    t.expectNothing();
    expect(t.stack.slab.live).to.equal(0);
    expect(t.stack.tcp.timers.size).to.equal(0);
  });
});

describe('tcp_shrink_window', () => {
  it('what came out of order does not keep out what is missing before it', async () => {
    const t = await established({ sysctl: { tcp_shrink_window: true }, options: { mss: 1460, sackOk: true } });
    for (let i = 0; i < 10; i++) t.inject({ seq: 101 + 20 * i, length: 10 });
    const { connection } = t.socket as unknown as { connection: ControlBlock };
    // Many small ones, on a small buffer, over a narrow path, have closed the window again.
    connection.rcvAdv = connection.rcvNxt;
    expect(connection.reassembly?.empty).to.equal(false);
    t.drain();
    t.inject({ seq: 1, length: 10 });
    expect(connection.reassembly?.empty).to.equal(true);
    const answer = t.drain().at(-1);
    expect([answer?.ack, (answer?.win ?? 0) > 0]).to.deep.equal([1, true]);
    t.inject({ seq: 1, length: 10 });
    await t.advance(200);
    expect(t.drain().at(-1)?.ack).to.equal(11);
  });
});
