/** A host that talks to itself, over 127.0.0.0/8 and its own addresses; ports, and many connections. */
import { expect } from 'chai';
import { createSocket } from '../../src/socket/create-socket.ts';
import { EADDRINUSE, EADDRNOTAVAIL, EAGAIN, ECONNREFUSED, EINPROGRESS } from '../../src/socket/errno.ts';
import { Socket } from '../../src/socket/socket.ts';
import { address, type Bench, bench, prefix, syn, TapLink } from './tap.ts';

function host(sysctl = {}): Bench & { link: TapLink } {
  const { stack, clock } = bench({ sysctl });
  const link = new TapLink();
  stack.addInterface(link, { addresses: [prefix('10.0.0.1/24')] });
  return { stack, clock, link };
}

function listenOn({ stack }: Bench, on: string, port = 80, backlog = 10): Socket {
  const socket = createSocket(stack, 2, 1, 0) as Socket;
  expect(socket.bind({ address: address(on), port })).to.equal(0);
  expect(socket.listen(backlog)).to.equal(0);
  return socket;
}

function connectTo({ stack }: Bench, to: string, port = 80): Socket {
  const socket = createSocket(stack, 2, 1, 0) as Socket;
  expect(socket.connect({ address: address(to), port })).to.equal(-EINPROGRESS);
  return socket;
}

describe('loopback', () => {
  it('RFC 1122 3.2.1.3: nobody outside has a part in it', async () => {
    const on = host();
    const listener = listenOn(on, '10.0.0.1');
    const client = connectTo(on, '10.0.0.1');
    await on.clock.advance(0);
    const { port } = client.getsockname() as { port: number };
    const rcvNxt = (listener.accept() as Socket).connection?.rcvNxt as number;
    for (const [flags, seq] of [
      ['R', rcvNxt],
      ['S', 77],
      ['A', 5],
    ] as const)
      on.link.deliver(syn('10.0.0.1', '10.0.0.1', { sourcePort: port, flags, seq }));
    await on.clock.advance(0);
    expect(on.stack.counters).to.include({ TCPChallengeACK: 0, EstabResets: 0, OutRsts: 0 });
    expect(on.stack.sockets().map(({ state }) => state)).to.deep.equal(['LISTEN', 'ESTABLISHED', 'ESTABLISHED']);
    expect(on.link.sent).to.deep.equal([]);
  });

  for (const [listenAt, to, source] of [
    ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '127.200.0.7', '127.0.0.1'],
    ['10.0.0.1', '10.0.0.1', '10.0.0.1'],
    ['0.0.0.0', '0.0.0.0', '127.0.0.1'],
  ] as const) {
    it(`a listener on ${listenAt} is reached at ${to}, and nothing leaves the host`, async () => {
      const on = host();
      const listener = listenOn(on, listenAt);
      const client = connectTo(on, to);
      await on.clock.advance(0);
      const server = listener.accept() as Socket;
      expect(server).to.be.instanceOf(Socket);
      expect(`${(server.getpeername() as { address: unknown }).address}`).to.equal(source);
      const data = Uint8Array.from({ length: 100_000 }, (_, i) => i * 7);
      expect(client.send(data)).to.equal(100_000);
      await on.clock.advance(1000);
      const into = new Uint8Array(200_000);
      let got = 0;
      for (let more = server.recv(into); more > 0; more = server.recv(into.subarray(got))) {
        got += more;
        await on.clock.advance(1000);
      }
      expect(got).to.equal(100_000);
      expect(into.subarray(0, 100_000)).to.deep.equal(data);
      expect(on.link.sent).to.deep.equal([]);
      client.close();
      await on.clock.advance(100);
      server.close();
      listener.close();
      await on.clock.advance(100);
      expect(on.stack.sockets().map(({ state }) => state)).to.deep.equal(['TIME-WAIT']);
      expect(on.stack.slab.live).to.equal(0);
      on.stack.close();
    });
  }

  it('nobody listens: ECONNREFUSED', async () => {
    const on = host();
    const client = connectTo(on, '127.0.0.1');
    await on.clock.advance(0);
    expect(client.takeError()).to.equal(ECONNREFUSED);
    on.stack.close();
  });
});

describe('many connections', () => {
  it('500 at once, each with its own bytes; nothing is left of them', async () => {
    const on = host({ tcp_rmem: [4096, 65_536, 65_536] });
    const listener = listenOn(on, '127.0.0.1', 80, 1000);
    const clients = Array.from({ length: 500 }, () => connectTo(on, '127.0.0.1'));
    // So many SYNs in a turn: the answers that found no room come again after a second.
    await on.clock.advance(1000);
    for (const [i, client] of clients.entries()) expect(client.send(Uint8Array.of(i >> 8, i))).to.equal(2);
    await on.clock.advance(100);
    const seen = new Set<number>();
    const into = new Uint8Array(10);
    for (let next = listener.accept(); next instanceof Socket; next = listener.accept()) {
      expect(next.recv(into)).to.equal(2);
      seen.add(((into[0] as number) << 8) | (into[1] as number));
      next.close();
    }
    expect(seen.size).to.equal(500);
    await on.clock.advance(100);
    for (const client of clients) client.close();
    await on.clock.advance(61_000);
    expect(on.stack.sockets().map(({ state }) => state)).to.deep.equal(['LISTEN']);
    expect(on.stack.slab.live).to.equal(0);
    on.stack.close();
  });
});

describe('ephemeral ports', () => {
  it('when all are taken by connections to one peer: EADDRNOTAVAIL; another peer is still reached', async () => {
    const on = host({ ip_local_port_range: [50_000, 50_009] });
    for (let i = 0; i < 10; i++) connectTo(on, '10.0.0.2');
    const socket = createSocket(on.stack, 2, 1, 0) as Socket;
    expect(socket.connect({ address: address('10.0.0.2'), port: 80 })).to.equal(-EADDRNOTAVAIL);
    expect(socket.connect({ address: address('10.0.0.2'), port: 81 })).to.equal(-EINPROGRESS);
    on.stack.close();
  });

  it('a port is free again when its connection is over', async () => {
    const on = host({ ip_local_port_range: [50_000, 50_000] });
    const first = connectTo(on, '10.0.0.2');
    const second = createSocket(on.stack, 2, 1, 0) as Socket;
    expect(second.connect({ address: address('10.0.0.2'), port: 80 })).to.equal(-EADDRNOTAVAIL);
    first.close();
    await on.clock.advance(0);
    expect(second.connect({ address: address('10.0.0.2'), port: 80 })).to.equal(-EINPROGRESS);
    on.stack.close();
  });

  it('bind to port 0 when all are bound: EADDRINUSE', () => {
    const { stack } = host({ ip_local_port_range: [50_000, 50_002] });
    const sockets = Array.from({ length: 4 }, () => createSocket(stack, 2, 1, 0) as Socket);
    expect(sockets.map((socket) => socket.bind({ address: address('10.0.0.1'), port: 0 }))).to.deep.equal([
      0,
      0,
      0,
      -EADDRINUSE,
    ]);
    stack.close();
  });
});

describe('a stack that is closed', () => {
  it('resets its connections and lets go of everything', async () => {
    const on = host();
    const listener = listenOn(on, '127.0.0.1');
    const client = connectTo(on, '127.0.0.1');
    await on.clock.advance(0);
    client.send(new Uint8Array(1000));
    on.stack.close();
    expect(on.stack.closed).to.equal(true);
    expect(on.stack.sockets()).to.deep.equal([]);
    expect(client.recv(new Uint8Array(1))).to.not.equal(-EAGAIN);
    client.close();
    listener.close();
    await on.clock.advance(0);
    expect(on.stack.slab.live).to.equal(0);
    expect(createSocket(on.stack, 2, 1, 0)).to.equal(-100);
  });
});
