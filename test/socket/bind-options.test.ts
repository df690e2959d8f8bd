/** IP_BIND_ADDRESS_NO_PORT, IP_FREEBIND and IP_TRANSPARENT, as Linux 6.18 behaves. */
import { expect } from 'chai';
import { createHost } from '../../src/host.ts';
import { createPipe } from '../../src/link/pipe.ts';
import {
  AF_INET,
  AF_INET6,
  IP_BIND_ADDRESS_NO_PORT,
  IP_FREEBIND,
  IP_TRANSPARENT,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_TRANSPARENT,
  SOCK_STREAM,
} from '../../src/socket/constants.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import { EADDRNOTAVAIL, EINPROGRESS, EINVAL, ENETUNREACH } from '../../src/socket/errno.ts';
import type { Socket, SocketAddress } from '../../src/socket/socket.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { address, bench, prefix, TapLink } from '../stack/tap.ts';

const OWN = address('10.0.0.1');
const PEER = { address: address('10.0.0.9'), port: 80 };

function stackWithLink(ports: readonly [number, number] = [50_000, 50_001]) {
  const { stack } = bench({ sysctl: { ip_local_port_range: ports } });
  stack.addInterface(new TapLink(), { addresses: [prefix('10.0.0.1/24'), prefix('2001:db8::1/64')] });
  return stack;
}

describe('IP_BIND_ADDRESS_NO_PORT', () => {
  const open = (stack = stackWithLink()) => {
    const socket = createSocket(stack, AF_INET, SOCK_STREAM, 0) as Socket;
    expect(socket.setsockopt(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)).to.equal(0);
    return socket;
  };

  it('bind to port 0 takes none; connect does', () => {
    const socket = open();
    expect(socket.bind({ address: OWN, port: 0 })).to.equal(0);
    expect(socket.getsockname()).to.deep.equal({ address: OWN, port: 0 });
    expect(socket.connect(PEER)).to.equal(-EINPROGRESS);
    expect((socket.getsockname() as SocketAddress).port).to.be.within(50_000, 50_001);
    expect(socket.bind({ address: OWN, port: 0 })).to.equal(-EINVAL);
  });

  it('so one port serves connections to several peers', () => {
    const stack = stackWithLink([50_000, 50_000]);
    for (const port of [80, 81, 82]) {
      const socket = open(stack);
      socket.bind({ address: OWN, port: 0 });
      expect(socket.connect({ ...PEER, port })).to.equal(-EINPROGRESS);
      expect((socket.getsockname() as SocketAddress).port).to.equal(50_000);
    }
    const full = open(stack);
    full.bind({ address: OWN, port: 0 });
    expect(full.connect(PEER)).to.equal(-EADDRNOTAVAIL);
    expect(stack.ports.size).to.equal(0);
  });

  it('a port that was given is held; listen takes one; until then the address may be changed', () => {
    const stack = stackWithLink();
    const given = open(stack);
    given.bind({ address: OWN, port: 7 });
    expect(given.getsockname()).to.deep.equal({ address: OWN, port: 7 });
    const socket = open(stack);
    socket.bind({ address: address('127.0.0.1'), port: 0 });
    expect(socket.bind({ address: OWN, port: 0 })).to.equal(0);
    expect(socket.listen(1)).to.equal(0);
    expect(socket.getsockname()).to.deep.include({ address: OWN });
    expect((socket.getsockname() as SocketAddress).port).to.be.within(50_000, 50_001);
    socket.close();
    given.close();
    expect(stack.ports.size).to.equal(0);
  });
});

describe('IP_FREEBIND, IP_TRANSPARENT', () => {
  const FOREIGN = { 4: address('192.0.2.7'), 6: address('2001:db8:7::7') };

  for (const [domain, level, option, result] of [
    [AF_INET, IPPROTO_IP, IP_FREEBIND, -ENETUNREACH],
    [AF_INET, IPPROTO_IP, IP_TRANSPARENT, -EINPROGRESS],
    [AF_INET6, IPPROTO_IP, IP_FREEBIND, -EINPROGRESS],
    [AF_INET6, IPPROTO_IPV6, IPV6_TRANSPARENT, -EINPROGRESS],
  ] as const) {
    it(`${domain === AF_INET ? 'IPv4' : 'IPv6'}, option ${option}: any address may be bound, and connect gives ${result}`, () => {
      const stack = stackWithLink();
      const socket = createSocket(stack, domain, SOCK_STREAM, 0) as Socket;
      const own = { address: FOREIGN[domain === AF_INET ? 4 : 6], port: 0 };
      expect(socket.bind(own)).to.equal(-EADDRNOTAVAIL);
      expect(socket.setsockopt(level, option, 1)).to.equal(0);
      expect(socket.bind(own)).to.equal(0);
      const peer = domain === AF_INET ? PEER : { address: address('2001:db8::9'), port: 80 };
      expect(socket.connect(peer)).to.equal(result);
    });
  }

  it('a proxy speaks with the address of whom it serves, on a link that accepts any', async () => {
    const clock = new VirtualClock();
    const [near, far] = createPipe();
    const proxy = createHost({ links: [{ link: near, address: '10.0.0.1/24', acceptAny: true }], clock, seed: 1 });
    const routes = [{ destination: '0.0.0.0/0', via: '10.0.0.1' }];
    const server = createHost({ link: far, address: '10.0.0.9/24', routes, clock, seed: 2 });
    const listener = await server.listen('tcp', ':80');
    const socket = proxy.socket(AF_INET, SOCK_STREAM) as Socket;
    socket.setsockopt(IPPROTO_IP, IP_TRANSPARENT, 1);
    expect(socket.bind({ address: FOREIGN[4], port: 4000 })).to.equal(0);
    expect(socket.connect(PEER)).to.equal(-EINPROGRESS);
    const accepted = await clock.run({ until: listener.accept() });
    expect(`${accepted.remoteAddr()}`).to.equal('192.0.2.7:4000');
    await Promise.all([proxy.close({ timeout: 0 }), server.close({ timeout: 0 })]);
  });
});

describe('bind() to the address of many, as on Linux', () => {
  for (const many of ['255.255.255.255', '224.0.0.1', '10.0.0.255', '127.255.255.255']) {
    it(`${many}: can be, and does not matter to connect`, () => {
      const socket = createSocket(stackWithLink(), AF_INET, SOCK_STREAM, 0) as Socket;
      expect(socket.bind({ address: address(many), port: 0 })).to.equal(0);
      expect(`${(socket.getsockname() as SocketAddress).address}`).to.equal(many);
      expect(socket.connect(PEER)).to.equal(-EINPROGRESS);
      expect(`${(socket.getsockname() as SocketAddress).address}`).to.equal('10.0.0.1');
    });

    it(`${many}: nobody connects to it`, () => {
      const socket = createSocket(stackWithLink(), AF_INET, SOCK_STREAM, 0) as Socket;
      expect(socket.connect({ address: address(many), port: 80 })).to.equal(-ENETUNREACH);
    });
  }
});
