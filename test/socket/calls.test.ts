/** The POSIX calls: what each answers to right and wrong use. Semantics: POSIX.1-2017; where it leaves them open, Linux. */
import { expect } from 'chai';
import {
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  MSG_OOB,
  MSG_PEEK,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SO_ERROR,
  SO_LINGER,
  SO_RCVLOWAT,
  SO_REUSEADDR,
  SO_SNDBUF,
  SOL_SOCKET,
} from '../../src/socket/constants.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import {
  EADDRINUSE,
  EADDRNOTAVAIL,
  EAFNOSUPPORT,
  EAGAIN,
  EALREADY,
  EBADF,
  ECONNREFUSED,
  ECONNRESET,
  EINPROGRESS,
  EINVAL,
  EISCONN,
  ENETDOWN,
  ENETUNREACH,
  ENOTCONN,
  EOPNOTSUPP,
  EPIPE,
  EPROTONOSUPPORT,
  ESOCKTNOSUPPORT,
  ETIMEDOUT,
} from '../../src/socket/errno.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { IPV4_ANY, IPV4_LOOPBACK, IpAddress } from '../../src/wire/address.ts';
import { connecting, DUT, established, listening, PEER, SERVICE, WirePeer } from '../support/wire-peer.ts';

const V6 = IpAddress.parse('2001:db8::1') as IpAddress;
const FAR = IpAddress.parse('192.0.2.1') as IpAddress;

describe('socket()', () => {
  const t = () => new WirePeer().stack;
  it('takes AF_INET, SOCK_STREAM and 0 or IPPROTO_TCP', () => {
    expect(createSocket(t(), 2, 1, 0)).to.be.an('object');
    expect(createSocket(t(), 2, 1, 6)).to.be.an('object');
  });
  for (const [domain, type, protocol, errno] of [
    [99, 1, 0, EAFNOSUPPORT],
    [2, 2, 6, EPROTONOSUPPORT],
    [2, 3, 0, ESOCKTNOSUPPORT],
    [2, 1, 17, EPROTONOSUPPORT],
  ] as const) {
    it(`(${domain}, ${type}, ${protocol}) gives -${errno}`, () => {
      expect(createSocket(t(), domain, type, protocol)).to.equal(-errno);
    });
  }
  it('of a closed host gives ENETDOWN', () => {
    const stack = t();
    stack.close();
    expect(createSocket(stack, 2, 1, 0)).to.equal(-ENETDOWN);
  });
});

describe('bind()', () => {
  it('to one of the host’s addresses, to all, to loopback', () => {
    const t = new WirePeer();
    for (const address of [DUT, IPV4_ANY, IPV4_LOOPBACK]) {
      const socket = t.newSocket();
      expect(socket.bind({ address, port: 0 })).to.equal(0);
      const name = socket.getsockname();
      if (typeof name === 'number') throw new Error(`${name}`);
      expect(name.address.equals(address)).to.equal(true);
      expect(name.port).to.be.within(32_768, 60_999);
    }
  });

  it('EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL', () => {
    const socket = new WirePeer().newSocket();
    expect(socket.bind({ address: PEER, port: 80 })).to.equal(-EADDRNOTAVAIL);
    expect(socket.bind({ address: V6, port: 80 })).to.equal(-EAFNOSUPPORT);
    for (const port of [-1, 65_536, 1.5, Number.NaN]) expect(socket.bind({ address: DUT, port })).to.equal(-EINVAL);
    expect(socket.bind({ address: DUT, port: 80 })).to.equal(0);
    expect(socket.bind({ address: DUT, port: 81 })).to.equal(-EINVAL);
  });

  it('EINVAL for a socket that connects', () => {
    expect(connecting().socket.bind({ address: DUT, port: 81 })).to.equal(-EINVAL);
  });

  // Two sockets, [address, SO_REUSEADDR] each; the first may listen. 0: both may have the port.
  const table = [
    ['any', 0, 'any', 0, false, EADDRINUSE],
    ['any', 0, 'dut', 0, false, EADDRINUSE],
    ['dut', 0, 'any', 0, false, EADDRINUSE],
    ['dut', 0, 'dut', 0, false, EADDRINUSE],
    ['dut', 0, 'lo', 0, false, 0],
    ['dut', 0, 'lo', 0, true, 0],
    ['dut', 1, 'dut', 0, false, EADDRINUSE],
    ['dut', 0, 'dut', 1, false, EADDRINUSE],
    ['dut', 1, 'dut', 1, false, 0],
    ['any', 1, 'dut', 1, false, 0],
    ['dut', 1, 'dut', 1, true, EADDRINUSE],
    ['any', 1, 'dut', 1, true, EADDRINUSE],
    ['dut', 1, 'any', 1, true, EADDRINUSE],
  ] as const;
  const addresses = { any: IPV4_ANY, dut: DUT, lo: IPV4_LOOPBACK };
  for (const [first, reuse1, second, reuse2, listens, errno] of table) {
    it(`${first} (reuse ${reuse1}${listens ? ', listening' : ''}), then ${second} (reuse ${reuse2}): ${errno}`, () => {
      const t = new WirePeer();
      const [a, b] = [t.newSocket(), t.newSocket()];
      a.setsockopt(SOL_SOCKET, SO_REUSEADDR, reuse1);
      b.setsockopt(SOL_SOCKET, SO_REUSEADDR, reuse2);
      expect(a.bind({ address: addresses[first], port: 80 })).to.equal(0);
      if (listens) expect(a.listen(1)).to.equal(0);
      expect(b.bind({ address: addresses[second], port: 80 })).to.equal(-errno + 0);
    });
  }

  it('a closed socket gives its port back', () => {
    const t = new WirePeer();
    const a = t.newSocket();
    a.bind({ address: DUT, port: 80 });
    a.listen(1);
    a.close();
    expect(t.newSocket().bind({ address: DUT, port: 80 })).to.equal(0);
  });

  it('TIME-WAIT holds the port, but for SO_REUSEADDR', async () => {
    const t = await established();
    t.listener?.close();
    t.socket.close();
    t.expect({ flags: 'FA' });
    t.inject({ seq: 1, ack: 2, flags: 'FA' });
    expect(t.state()).to.equal('TIME-WAIT');
    expect(t.newSocket().bind({ address: DUT, port: SERVICE })).to.equal(-EADDRINUSE);
    const reuse = t.newSocket();
    reuse.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
    expect(reuse.bind({ address: DUT, port: SERVICE })).to.equal(0);
    expect(reuse.listen(1)).to.equal(0);
  });

  it('EADDRINUSE when no ephemeral port is left', () => {
    const t = new WirePeer({ sysctl: { ip_local_port_range: [50_000, 50_002] } });
    for (let i = 0; i < 3; i++) expect(t.newSocket().bind({ address: DUT, port: 0 })).to.equal(0);
    expect(t.newSocket().bind({ address: DUT, port: 0 })).to.equal(-EADDRINUSE);
  });
});

describe('listen()', () => {
  it('twice changes the backlog', () => {
    const t = listening({ backlog: 5 });
    expect(t.listener?.listen(2)).to.equal(0);
    expect(t.stack.sockets()[0]?.sendQ).to.equal(2);
    t.listener?.listen(-1);
    expect(t.stack.sockets()[0]?.sendQ).to.equal(0);
    t.listener?.listen(1e9);
    expect(t.stack.sockets()[0]?.sendQ).to.equal(4096);
  });

  it('of an unbound socket takes a port', () => {
    const socket = new WirePeer().newSocket();
    expect(socket.listen(1)).to.equal(0);
    const name = socket.getsockname();
    expect(typeof name === 'object' && name.port > 0).to.equal(true);
  });

  it('EADDRINUSE when another listens there', () => {
    const t = new WirePeer();
    const [a, b] = [t.newSocket(), t.newSocket()];
    for (const socket of [a, b]) {
      socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
      expect(socket.bind({ address: DUT, port: 80 })).to.equal(0);
    }
    expect(a.listen(1)).to.equal(0);
    expect(b.listen(1)).to.equal(-EADDRINUSE);
  });

  it('EINVAL for a connected socket', async () => {
    expect((await established()).socket.listen(1)).to.equal(-EINVAL);
  });
});

describe('connect()', () => {
  it('EINPROGRESS, EALREADY, 0, EISCONN', () => {
    const t = connecting();
    const to = { address: PEER, port: SERVICE };
    expect(t.socket.connect(to)).to.equal(-EALREADY);
    t.inject({ seq: 0, ack: 1, flags: 'SA' });
    expect(t.socket.connect(to)).to.equal(0);
    expect(t.socket.connect(to)).to.equal(-EISCONN);
  });

  it('EISCONN for an accepted socket', async () => {
    const t = await established();
    expect(t.socket.connect({ address: PEER, port: 1 })).to.equal(-EISCONN);
    // What it ended with is not connect's to tell (Linux).
    t.inject({ flags: 'R' });
    expect(t.socket.connect({ address: PEER, port: 1 })).to.equal(-EISCONN);
    expect(t.socket.takeError()).to.equal(ECONNRESET);
  });

  it('EAFNOSUPPORT, EINVAL, ENETUNREACH, EOPNOTSUPP', () => {
    const t = listening();
    const socket = t.newSocket();
    expect(socket.connect({ address: V6, port: 80 })).to.equal(-EAFNOSUPPORT);
    expect(socket.connect({ address: PEER, port: 65_536 })).to.equal(-EINVAL);
    expect(socket.connect({ address: PEER, port: -1 })).to.equal(-EINVAL);
    expect(socket.connect({ address: FAR, port: 80 })).to.equal(-ENETUNREACH);
    expect(t.listener?.connect({ address: PEER, port: 80 })).to.equal(-EOPNOTSUPP);
    t.expectNothing();
  });

  it('EADDRNOTAVAIL when the pair of endpoints is taken', async () => {
    const setup = (socket: Socket) => socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
    const t = await established({ active: true, setup });
    const socket = t.newSocket();
    setup(socket);
    expect(socket.bind({ address: DUT, port: 40_000 })).to.equal(0);
    expect(socket.connect({ address: PEER, port: SERVICE })).to.equal(-EADDRNOTAVAIL);
    expect(socket.connect({ address: PEER, port: SERVICE + 1 })).to.equal(-EINPROGRESS);
    t.expect({ flags: 'S', from: 40_000, to: SERVICE + 1 });
    t.write('the first is as it was');
    t.expect({ to: SERVICE, data: 'the first is as it was' });
  });

  it('EADDRNOTAVAIL when no ephemeral port is left', () => {
    const t = new WirePeer({ sysctl: { ip_local_port_range: [50_000, 50_001] } });
    const to = { address: PEER, port: 80 };
    expect(t.newSocket().connect(to)).to.equal(-EINPROGRESS);
    expect(t.newSocket().connect(to)).to.equal(-EINPROGRESS);
    expect(t.newSocket().connect(to)).to.equal(-EADDRNOTAVAIL);
    // One port serves connections to several peers.
    expect(t.newSocket().connect({ address: PEER, port: 81 })).to.equal(-EINPROGRESS);
  });

  it('refused: POLLERR, SO_ERROR once, then a new attempt', () => {
    const t = connecting();
    const masks: number[] = [];
    t.socket.onReady = (mask) => masks.push(mask);
    t.inject({ seq: 0, ack: 1, flags: 'RA' });
    expect(masks).to.deep.equal([POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP]);
    expect(t.socket.getsockopt(SOL_SOCKET, SO_ERROR)).to.equal(ECONNREFUSED);
    expect(t.socket.getsockopt(SOL_SOCKET, SO_ERROR)).to.equal(0);
    expect(t.socket.poll() & POLLERR).to.equal(0);
    expect(t.socket.connect({ address: PEER, port: SERVICE })).to.equal(-EINPROGRESS);
    t.expect({ flags: 'S' });
  });

  it('refused: a second connect tells the error when SO_ERROR did not', () => {
    const t = connecting();
    t.inject({ seq: 0, ack: 1, flags: 'RA' });
    expect(t.socket.connect({ address: PEER, port: SERVICE })).to.equal(-ECONNREFUSED);
  });

  it('made: POLLOUT', () => {
    const t = connecting();
    const masks: number[] = [];
    t.socket.onReady = (mask) => masks.push(mask);
    expect(t.socket.poll()).to.equal(0);
    t.inject({ seq: 0, ack: 1, flags: 'SA' });
    expect(masks).to.deep.equal([POLLOUT]);
  });

  it('to 0.0.0.0 is to this host', async () => {
    const t = new WirePeer();
    const server = t.newSocket();
    server.bind({ address: IPV4_ANY, port: 80 });
    server.listen(1);
    const client = t.newSocket();
    client.connect({ address: IPV4_ANY, port: 80 });
    await t.advance(10);
    expect(client.poll() & POLLOUT).to.equal(POLLOUT);
    expect(server.accept()).to.be.an('object');
  });
});

describe('accept()', () => {
  it('EAGAIN, EINVAL', () => {
    const t = listening();
    expect(t.listener?.accept()).to.equal(-EAGAIN);
    expect(t.newSocket().accept()).to.equal(-EINVAL);
  });

  it('in the order of the handshakes; POLLIN while there is one', () => {
    const t = listening();
    const listener = t.listener as Socket;
    for (const port of [1003, 1001, 1002]) t.handshake(port);
    const ports = [];
    while (listener.poll() === POLLIN) {
      const name = t.accept().getpeername();
      ports.push(typeof name === 'object' ? name.port : name);
    }
    expect(ports).to.deep.equal([1003, 1001, 1002]);
  });

  // Linux: the accept queue holds backlog + 1.
  for (const backlog of [0, 1, 5]) {
    it(`a backlog of ${backlog}: ${backlog + 1} wait, a further SYN is dropped and counted`, () => {
      const t = listening({ backlog });
      for (let i = 0; i <= backlog; i++) t.handshake(1000 + i);
      t.inject({ seq: 0, flags: 'S', from: 2000 });
      t.expectNothing();
      expect(t.counters.ListenOverflows).to.equal(1);
      expect(t.counters.ListenDrops).to.equal(1);
      t.accept();
      t.inject({ seq: 0, flags: 'S', from: 2000 });
      t.expect({ flags: 'SA', to: 2000 });
    });
  }

  it('a final ACK with the queue full is dropped; the SYN,ACK goes again, and then there is room', async () => {
    const t = listening({ backlog: 0 });
    t.inject({ seq: 0, flags: 'S', from: 1001 });
    t.expect({ flags: 'SA' });
    t.handshake(1002);
    t.inject({ seq: 1, ack: 1, from: 1001 });
    t.expectNothing();
    expect(t.state(1001)).to.equal('SYN-RECEIVED');
    t.accept();
    await t.advance(1000);
    t.expect({ flags: 'SA', to: 1001 });
    t.inject({ seq: 1, ack: 1, from: 1001 });
    expect(t.state(1001)).to.equal('ESTABLISHED');
  });

  it('tcp_abort_on_overflow: it gets a RST', () => {
    const t = listening({ backlog: 0, sysctl: { tcp_abort_on_overflow: true } });
    t.inject({ seq: 0, flags: 'S', from: 1001 });
    t.expect({ flags: 'SA' });
    t.handshake(1002);
    t.inject({ seq: 1, ack: 1, from: 1001 });
    t.expect({ flags: 'R', to: 1001 });
    expect(t.stack.sockets().map(({ state }) => state)).to.deep.equal(['LISTEN', 'ESTABLISHED']);
  });

  it('RFC 4987 3.5: backlog bounds the SYN queue, too', () => {
    const t = listening({ backlog: 2, sysctl: { tcp_syncookies: 0 } });
    for (let i = 0; i < 5; i++) t.inject({ seq: 0, flags: 'S', from: 1000 + i });
    expect(t.drain().length).to.equal(3);
    expect(t.counters.TCPReqQFullDrop).to.equal(2);
  });

  for (const [mode, result] of [
    ['linux', 'a socket'],
    ['posix', 'ECONNABORTED'],
    ['bsd', 'the next'],
  ] as const) {
    it(`a connection that was reset while it waited, accept_reset ${mode}: ${result}`, () => {
      const t = listening({ sysctl: { accept_reset: mode } });
      t.handshake(1001);
      t.inject({ seq: 1, flags: 'R', from: 1001 });
      t.handshake(1002);
      const first = t.listener?.accept();
      if (mode === 'posix') {
        expect(first).to.equal(-103);
        return;
      }
      if (typeof first !== 'object') throw new Error(`accept gave ${first}`);
      if (mode === 'linux') {
        expect(first.recv(new Uint8Array(1))).to.equal(-ECONNRESET);
        first.close();
      } else {
        const name = first.getpeername();
        expect(typeof name === 'object' && name.port).to.equal(1002);
        first.close();
        expect(t.listener?.accept()).to.equal(-EAGAIN);
      }
    });

    it(`what had come before the reset is given back, accept_reset ${mode}`, () => {
      const t = listening({ sysctl: { accept_reset: mode } });
      t.handshake(1001);
      t.inject({ seq: 1, data: 'hello', from: 1001 });
      t.inject({ seq: 6, flags: 'R', from: 1001 });
      const first = t.listener?.accept();
      if (typeof first === 'object') first.close();
      t.drain();
      expect(t.stack.slab.live).to.equal(0);
    });
  }

  it('a connection that was closed while it waited can be read to its end, whatever the mode', () => {
    for (const mode of ['linux', 'posix', 'bsd'] as const) {
      const t = listening({ sysctl: { accept_reset: mode } });
      t.handshake(1001);
      t.inject({ seq: 1, flags: 'FPA', data: 'bye', from: 1001 });
      t.accept();
      expect(t.read()).to.equal('bye');
      expect(t.read()).to.equal(0);
    }
  });

  it('SO_LINGER and SO_REUSEADDR are inherited', () => {
    const t = listening({
      setup: (socket) => {
        socket.setsockopt(SOL_SOCKET, SO_LINGER, { onoff: 1, linger: 0 });
        socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
      },
    });
    t.handshake();
    const accepted = t.accept();
    expect(accepted.getsockopt(SOL_SOCKET, SO_REUSEADDR)).to.equal(1);
    accepted.close();
    t.expect({ flags: 'RA' });
  });

  it('the settings of the listener are those of the connection, each with its own copy', async () => {
    const t = listening({ setup: (socket) => socket.setsockopt(SOL_SOCKET, SO_SNDBUF, 10_000) });
    t.handshake(1001);
    t.handshake(1002);
    const a = t.accept();
    const b = t.accept();
    expect(a.getsockopt(SOL_SOCKET, SO_SNDBUF)).to.equal(20_000);
    a.setsockopt(SOL_SOCKET, SO_SNDBUF, 30_000);
    expect(b.getsockopt(SOL_SOCKET, SO_SNDBUF)).to.equal(20_000);
    expect(t.listener?.getsockopt(SOL_SOCKET, SO_SNDBUF)).to.equal(20_000);
  });
});

describe('send() and recv()', () => {
  it('send takes what the buffer has room for, then EAGAIN; POLLOUT when a third is free', async () => {
    const t = await established({ win: 3000, setup: (socket) => socket.setsockopt(SOL_SOCKET, SO_SNDBUF, 5000) });
    // Segments count as 1460 + 832 bytes, and the last may go beyond the bound.
    expect(t.write(8000)).to.equal(7300);
    expect(t.socket.poll()).to.equal(0);
    expect(t.write(1)).to.equal(-EAGAIN);
    expect(t.write(0)).to.equal(0);
    let told = 0;
    t.socket.onReady = (mask) => {
      told |= mask;
    };
    t.inject({ ack: 1, win: 60_000 });
    t.drain();
    t.inject({ ack: 2921 });
    expect(told).to.equal(0);
    t.inject({ ack: 4381 });
    expect(told).to.equal(POLLOUT);
  });

  it('what was acknowledged takes no memory any more', async () => {
    const t = await established({ win: 65_535, options: { mss: 1460, wscale: 8 }, sysctl: { tcp_init_cwnd: 1000 } });
    t.write(500_000);
    t.drain();
    const before = t.stack.slab.live;
    t.inject({ ack: 400_001 });
    expect(t.stack.slab.live).to.be.at.most(before - 5);
    t.inject({ ack: 500_001 });
    expect(t.stack.slab.live).to.equal(0);
  });

  it('sendv takes the buffers as one', async () => {
    const t = await established();
    const text = (word: string) => new TextEncoder().encode(word);
    expect(t.socket.sendv([text('one '), text(''), text('two ')])).to.equal(8);
    t.expect({ data: 'one two ' });
    expect(t.socket.sendv([])).to.equal(0);
    expect(t.socket.sendv([text('')])).to.equal(0);
  });

  it('sendv takes what fits, across buffers', async () => {
    const t = await established({ win: 3000, setup: (socket) => socket.setsockopt(SOL_SOCKET, SO_SNDBUF, 5000) });
    expect(t.socket.sendv([new Uint8Array(6000), new Uint8Array(6000)])).to.equal(7300);
    expect(t.socket.sendv([new Uint8Array(6000)])).to.equal(-EAGAIN);
  });

  it("the caller's buffer is free when send returns", async () => {
    const t = await established();
    const bytes = new TextEncoder().encode('before');
    t.socket.send(bytes);
    bytes.fill(33);
    t.expect({ data: 'before' });
  });

  it('recv: part, PEEK, nothing, end', async () => {
    const t = await established();
    t.inject({ seq: 1, flags: 'FPA', data: 'abcdef' });
    const into = new Uint8Array(3);
    expect(t.socket.recv(into, MSG_PEEK | MSG_DONTWAIT)).to.equal(3);
    expect(t.read(4)).to.equal('abcd');
    expect(t.socket.recv(new Uint8Array(0))).to.equal(0);
    expect(t.read(4)).to.equal('ef');
    expect(t.read(4)).to.equal(0);
    expect(t.read(4)).to.equal(0);
  });

  it('recv into nothing waits for something all the same (Linux)', async () => {
    const t = await established();
    expect(t.socket.recv(new Uint8Array(0))).to.equal(-EAGAIN);
    t.inject({ seq: 1, data: 'a' });
    expect(t.socket.recv(new Uint8Array(0))).to.equal(0);
    t.read(4);
    t.inject({ seq: 2, flags: 'FA' });
    expect(t.socket.recv(new Uint8Array(0))).to.equal(0);
  });

  it('MSG_OOB: a reset takes the urgent byte along: ENOTCONN; behind a FIN it stays (Linux)', async () => {
    for (const end of ['R', 'FA'] as const) {
      const t = await established();
      t.inject({ seq: 1, flags: 'UA', urg: 1, data: 'u' });
      t.inject({ seq: 2, flags: end });
      const into = new Uint8Array(1);
      expect(t.socket.recv(into, MSG_OOB)).to.equal(end === 'R' ? -ENOTCONN : 1);
    }
  });

  it('fewer bytes than SO_RCVLOWAT wake nobody; to lower it does (Linux)', async () => {
    const t = await established();
    const masks: number[] = [];
    t.socket.onReady = (mask) => masks.push(mask);
    t.socket.setsockopt(SOL_SOCKET, SO_RCVLOWAT, 3);
    t.inject({ seq: 1, data: 'ab' });
    expect(masks).to.deep.equal([]);
    t.socket.setsockopt(SOL_SOCKET, SO_RCVLOWAT, 2);
    t.flush();
    expect(masks).to.deep.equal([POLLIN | POLLOUT]);
  });

  it('EOPNOTSUPP for flags that are not ours', async () => {
    const t = await established();
    expect(t.write('x', 0x40000000)).to.equal(-EOPNOTSUPP);
    expect(t.socket.recv(new Uint8Array(1), 0x40000000)).to.equal(-EOPNOTSUPP);
    expect(t.write('x', MSG_NOSIGNAL | MSG_DONTWAIT)).to.equal(1);
  });

  it('after a timeout: ETIMEDOUT once, then the end', async () => {
    const t = await established();
    t.socket.setsockopt(6, 18, 1000);
    t.write('x');
    await t.advance(2000);
    expect(t.read()).to.equal(-ETIMEDOUT);
    expect(t.read()).to.equal(0);
    expect(t.write('x')).to.equal(-EPIPE);
  });
});

describe('shutdown() and close()', () => {
  it('EINVAL, ENOTCONN', async () => {
    const t = await established();
    for (const how of [-1, 3, 1.5]) expect(t.socket.shutdown(how)).to.equal(-EINVAL);
    expect(t.listener?.shutdown(SHUT_RD)).to.equal(-ENOTCONN);
    expect(t.newSocket().shutdown(SHUT_RDWR)).to.equal(-ENOTCONN);
    t.inject({ flags: 'R' });
    expect(t.socket.shutdown(SHUT_WR)).to.equal(-ENOTCONN);
  });

  it('who waits is woken by a shutdown or a disconnect that comes too late, too (Linux)', async () => {
    const t = await established();
    t.inject({ seq: 1, flags: 'R' });
    t.socket.takeError();
    const masks: number[] = [];
    t.socket.onReady = (mask) => masks.push(mask);
    t.socket.shutdown(SHUT_WR);
    t.flush();
    t.socket.disconnect();
    t.flush();
    expect(masks).to.deep.equal([POLLIN | POLLOUT | POLLRDHUP | POLLHUP, POLLOUT | POLLHUP]);
  });

  it('shutdown tells the reader', async () => {
    const t = await established();
    const masks: number[] = [];
    t.socket.onReady = (mask) => masks.push(mask);
    t.socket.shutdown(SHUT_RD);
    t.flush();
    expect(masks).to.deep.equal([POLLIN | POLLOUT | POLLRDHUP]);
  });

  it('EBADF for every call on a closed socket', async () => {
    const t = await established();
    const { socket } = t;
    expect(socket.close()).to.equal(0);
    const to = { address: PEER, port: 80 };
    const results = [
      socket.close(),
      socket.bind(to),
      socket.listen(1),
      socket.accept(),
      socket.connect(to),
      socket.send(new Uint8Array(1)),
      socket.sendv([new Uint8Array(1)]),
      socket.recv(new Uint8Array(1)),
      socket.shutdown(SHUT_WR),
      socket.getsockname(),
      socket.getpeername(),
      socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1),
      socket.getsockopt(SOL_SOCKET, SO_ERROR),
    ];
    expect(new Set(results)).to.deep.equal(new Set([-EBADF]));
    expect(socket.poll()).to.equal(0);
  });

  it('a closed socket is told nothing any more', async () => {
    const t = await established();
    let told = 0;
    t.socket.onReady = () => told++;
    t.socket.close();
    t.inject({ seq: 1, ack: 2, flags: 'FA' });
    expect(told).to.equal(0);
  });

  it('readiness comes once for a batch', async () => {
    const t = await established();
    const masks: number[] = [];
    t.socket.onReady = (mask) => masks.push(mask);
    t.injectAll([
      { seq: 1, data: 'a' },
      { seq: 2, data: 'b' },
      { seq: 3, flags: 'FA' },
    ]);
    expect(masks).to.deep.equal([POLLIN | POLLOUT | POLLRDHUP]);
  });

  it('a link that ends: ENETDOWN', async () => {
    const t = await established();
    t.link.receiver?.closed(new Error('unplugged'));
    expect(t.read()).to.equal(-ENETDOWN);
    expect(t.state()).to.equal('CLOSED');
  });
});
