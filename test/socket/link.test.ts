/** Connections over links that are full, down, gone or the host itself, and the end of the host. */
import { expect } from 'chai';
import { MSG_PEEK, POLLIN, SHUT_WR } from '../../src/socket/constants.ts';
import { ECONNABORTED, EINPROGRESS, EISCONN, ENETDOWN, ENETUNREACH } from '../../src/socket/errno.ts';
import { IPV4_LOOPBACK } from '../../src/wire/address.ts';
import { connecting, DUT, established, listening, PEER, SERVICE, textOf, WirePeer } from '../support/wire-peer.ts';
import { inState } from '../support/wire-states.ts';

describe('a link that is full', () => {
  it('takes the rest, in order and once, when there is room', async () => {
    const t = await established();
    t.link.room = 3;
    t.write(10 * 1460);
    expect(t.drain().map(({ seq }) => seq)).to.deep.equal([1, 1461, 2921]);
    t.link.room = Infinity;
    t.link.receiver?.writable();
    expect(t.drain().map(({ seq }) => seq)).to.deep.equal([4381, 5841, 7301, 8761, 10221, 11681, 13141]);
    t.inject();
    await t.advance(5000);
    t.expectNothing();
  });

  it('holds back acknowledgments, too', async () => {
    const t = await established();
    t.link.room = 0;
    t.inject({ seq: 1, data: 'abc' });
    t.expectNothing();
    t.link.room = Infinity;
    t.link.receiver?.writable();
    t.expect({ ack: 4 });
    t.expectNothing();
  });

  it('with more than an interface holds: nothing is lost, nothing is sent twice', async () => {
    const t = await established({ win: 65_535, options: { mss: 100, wscale: 5 }, sysctl: { tcp_init_cwnd: 600 } });
    t.link.room = 10;
    t.write(50_000);
    t.flush();
    for (let i = 0; i < 100; i++) {
      t.link.room = 7;
      t.link.receiver?.writable();
      t.flush();
    }
    let next = 1;
    for (const { seq, length } of t.drain()) {
      expect(seq).to.equal(next);
      next += length;
    }
    expect(next).to.equal(50_001);
  });
});

describe('a link that is down', () => {
  it('loses packets; when it is up again the connection goes on', async () => {
    const t = await established();
    t.link.receiver?.down();
    t.write('lost');
    await t.advance(1000);
    t.expectNothing();
    expect(t.state()).to.equal('ESTABLISHED');
    expect(t.counters.OutDiscards).to.be.greaterThan(0);
    t.link.receiver?.up();
    await t.advance(2000);
    t.expect({ seq: 1, data: 'lost' });
  });
});

describe('a link that ends', () => {
  it('ends its connections with ENETDOWN, its embryos and TIME-WAITs in silence', async () => {
    const t = await established();
    t.inject({ seq: 0, flags: 'S', from: 1001 });
    t.drain();
    t.link.receiver?.closed(undefined);
    expect(t.stack.sockets().map(({ state }) => state)).to.deep.equal(['LISTEN']);
    expect(t.read()).to.equal(-ENETDOWN);
    expect(t.newSocket().connect({ address: PEER, port: 80 })).to.equal(-ENETUNREACH);
  });

  it('what had come can be read', async () => {
    const t = await established();
    t.inject({ seq: 1, data: 'saved' });
    t.link.receiver?.closed(undefined);
    expect(t.read()).to.equal('saved');
    expect(t.read()).to.equal(-ENETDOWN);
  });
});

describe('the end of the host', () => {
  it('resets its connections, and their users are told ECONNABORTED', async () => {
    const t = await established();
    t.stack.close();
    t.expect({ flags: 'RA' });
    t.expectNothing();
    expect(t.read()).to.equal(-ECONNABORTED);
    expect(t.stack.sockets()).to.deep.equal([]);
    t.stack.close();
  });

  it('forgets its TIME-WAITs and what was half open', async () => {
    const t = await inState('TIME-WAIT');
    t.inject({ seq: 0, flags: 'S', from: 1001 });
    t.drain();
    t.stack.close();
    expect(t.stack.sockets()).to.deep.equal([]);
    t.expectNothing();
  });

  it('sends nothing for an attempt to connect, or a listener', () => {
    for (const t of [connecting(), listening()]) {
      t.stack.close();
      t.expectNothing();
    }
  });

  it('takes no packets any more', async () => {
    const t = await established();
    t.stack.close();
    t.drain();
    t.inject({ seq: 1, data: 'hello?' });
    await t.advance(100_000);
    t.expectNothing();
  });
});

describe('the host itself', () => {
  for (const [name, address] of [
    ['127.0.0.1', IPV4_LOOPBACK],
    ['its own address', DUT],
  ] as const) {
    it(`a connection to ${name} stays inside`, async () => {
      const t = new WirePeer();
      const server = t.newSocket();
      server.bind({ address, port: SERVICE });
      server.listen(1);
      const client = t.newSocket();
      expect(client.connect({ address, port: SERVICE })).to.equal(-EINPROGRESS);
      await t.advance(1);
      expect(server.poll()).to.equal(POLLIN);
      const accepted = server.accept();
      if (typeof accepted !== 'object') throw new Error(`accept gave ${accepted}`);
      client.send(new TextEncoder().encode('inside'));
      await t.advance(1);
      const into = new Uint8Array(100);
      expect(textOf(into.subarray(0, accepted.recv(into)))).to.equal('inside');
      const name = accepted.getpeername();
      expect(typeof name === 'object' && name.address.equals(address)).to.equal(true);
      accepted.close();
      client.close();
      t.expectNothing();
    });
  }

  it('a port that nobody listens on refuses', async () => {
    const t = new WirePeer();
    const client = t.newSocket();
    client.connect({ address: IPV4_LOOPBACK, port: 9 });
    await t.advance(1);
    expect(client.takeError()).to.equal(111);
  });

  // RFC 9293 3.5, a simultaneous open with oneself: it works, on Linux as here.
  it('a socket that connects to itself', async () => {
    const t = new WirePeer();
    const socket = t.newSocket();
    socket.bind({ address: DUT, port: 5000 });
    expect(socket.connect({ address: DUT, port: 5000 })).to.equal(-EINPROGRESS);
    await t.advance(10);
    expect(socket.connect({ address: DUT, port: 5000 })).to.equal(0);
    expect(socket.connect({ address: DUT, port: 5000 })).to.equal(-EISCONN);
    socket.send(new TextEncoder().encode('echo'));
    await t.advance(10);
    const into = new Uint8Array(10);
    expect(socket.recv(into, MSG_PEEK)).to.equal(4);
    expect(socket.recv(into)).to.equal(4);
    socket.shutdown(SHUT_WR);
    await t.advance(10);
    expect(socket.recv(into)).to.equal(0);
    socket.close();
    await t.advance(61_000);
    expect(t.stack.sockets()).to.deep.equal([]);
  });
});
