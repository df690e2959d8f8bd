/** Sockets of UDP on a host with several links: where datagrams go, and which are heard. */
import { expect } from 'chai';
import {
  AF_INET,
  IP_FREEBIND,
  IP_PKTINFO,
  IP_TRANSPARENT,
  IPPROTO_IP,
  SO_BINDTODEVICE,
  SO_BINDTOIFINDEX,
  SO_REUSEADDR,
  SOCK_DGRAM,
  SOL_SOCKET,
} from '../../src/socket/constants.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import type { DatagramMessage } from '../../src/socket/datagram-message.ts';
import type { DatagramSocket } from '../../src/socket/datagram-socket.ts';
import { EADDRNOTAVAIL, EAGAIN, ENETUNREACH, ENODEV } from '../../src/socket/errno.ts';
import type { Interface } from '../../src/stack/interface.ts';
import type { IpAddress } from '../../src/wire/address.ts';
import { address, type Bench, bench, prefix, TapLink } from '../stack/tap.ts';
import { pattern } from '../support/pair.ts';
import { buildUdp, readUdp } from '../support/wire-datagram.ts';
import { readIp } from '../support/wire-segment.ts';

describe('socket/datagram on several links', () => {
  let t: Bench;
  let left: TapLink;
  let right: TapLink;
  let socket: DatagramSocket;

  beforeEach(() => {
    t = bench();
    [left, right] = [new TapLink('left'), new TapLink('right')];
    t.stack.addInterface(left, { addresses: [prefix('10.0.0.1/24')] });
    t.stack.addInterface(right, { addresses: [prefix('10.0.1.1/24')] });
    socket = createSocket(t.stack, AF_INET, SOCK_DGRAM, 0) as DatagramSocket;
  });
  afterEach(() => socket.close());

  /** How many packets went out left and right since. */
  const went = async () => {
    await t.clock.advance(0);
    return [left.drain().length, right.drain().length];
  };
  const far = { address: address('192.0.2.1'), port: 9 };
  const addRoute = (over: number, preference: number) => {
    const route = { destination: far.address, bits: 32, interface: t.stack.interfaces[over] as Interface, preference };
    t.stack.addRoute(route);
  };

  it('a datagram goes where the route is now', async () => {
    expect(socket.send(pattern(1), 0, far)).to.equal(-ENETUNREACH);
    addRoute(0, 10);
    expect(socket.send(pattern(1), 0, far)).to.equal(1);
    expect(await went()).to.deep.equal([1, 0]);
    addRoute(1, 5);
    expect(socket.send(pattern(1), 0, far)).to.equal(1);
    expect(await went()).to.deep.equal([0, 1]);
    expect(socket.send(pattern(1), 0, { address: address('10.0.0.7'), port: 9 })).to.equal(1);
    expect(await went()).to.deep.equal([1, 0]);
  });

  it('a link that is gone takes nothing more, and the socket lives on', async () => {
    const near = { address: address('10.0.0.7'), port: 9 };
    socket.connect(near);
    expect(socket.send(pattern(1))).to.equal(1);
    await t.clock.advance(0);
    left.receiver.closed(undefined);
    expect(socket.send(pattern(1))).to.equal(-ENETUNREACH);
    expect(socket.recv(new Uint8Array(1))).to.equal(-EAGAIN);
  });

  it('SO_BINDTODEVICE: it speaks and hears over one link', async () => {
    expect(socket.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, 'middle')).to.equal(-ENODEV);
    expect(socket.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, 'right')).to.equal(0);
    expect(socket.getsockopt(SOL_SOCKET, SO_BINDTODEVICE)).to.equal('right');
    expect(socket.getsockopt(SOL_SOCKET, SO_BINDTOIFINDEX)).to.equal(t.stack.interfaces[1]?.index);
    expect(socket.bind({ address: address('0.0.0.0'), port: 53 })).to.equal(0);
    const datagram = buildUdp({ source: address('10.0.0.7'), destination: address('10.0.0.1') });
    left.deliver(datagram);
    expect(socket.recv(new Uint8Array(1))).to.equal(-EAGAIN);
    right.deliver(datagram);
    expect(socket.recv(new Uint8Array(1))).to.equal(0);
    await went();
    expect(socket.send(pattern(1), 0, { address: address('10.0.0.7'), port: 9 })).to.equal(1);
    expect(await went()).to.deep.equal([0, 1]);
  });

  it('of several on a port the one who fits best hears, whoever came last', () => {
    const open = (at: string, option = true) => {
      const one = createSocket(t.stack, AF_INET, SOCK_DGRAM, 0) as DatagramSocket;
      one.setsockopt(SOL_SOCKET, SO_REUSEADDR, Number(option));
      expect(one.bind({ address: address(at), port: 53 })).to.equal(0);
      return one;
    };
    const connected = open('10.0.0.1');
    connected.connect({ address: address('10.0.0.7'), port: 40_000 });
    const [bound, any] = [open('10.0.0.1'), open('0.0.0.0')];
    const arrives = (source: string, destination: string) => {
      left.deliver(buildUdp({ source: address(source), destination: address(destination) }));
      const got = [connected, bound, any].map((one) => one.recv(new Uint8Array(1)));
      return got.map((result) => result === 0);
    };
    expect(arrives('10.0.0.7', '10.0.0.1')).to.deep.equal([true, false, false]);
    expect(arrives('10.0.0.8', '10.0.0.1')).to.deep.equal([false, true, false]);
    expect(arrives('10.0.0.7', '10.0.1.1')).to.deep.equal([false, false, true]);
    for (const one of [connected, bound, any]) one.close();
  });

  it('answers in the place of others, on a link that accepts any address', async () => {
    (t.stack.interfaces[0] as Interface).acceptAny = true;
    socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
    socket.setsockopt(IPPROTO_IP, IP_PKTINFO, 1);
    socket.bind({ address: address('0.0.0.0'), port: 53 });
    left.deliver(buildUdp({ source: address('10.0.0.7'), destination: address('192.0.2.53'), data: pattern(5) }));
    const { from, to: asked } = socket.recvfrom(new Uint8Array(9)) as DatagramMessage;
    expect(`${asked}`).to.equal('192.0.2.53');
    const other = createSocket(t.stack, AF_INET, SOCK_DGRAM, 0) as DatagramSocket;
    other.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
    expect(other.bind({ address: asked as IpAddress, port: 53 })).to.equal(-EADDRNOTAVAIL);
    expect(other.setsockopt(IPPROTO_IP, IP_FREEBIND, 1)).to.equal(0);
    expect(other.bind({ address: asked as IpAddress, port: 53 })).to.equal(0);
    // Linux: who may bind to it may not speak from it yet.
    expect(other.send(pattern(6), 0, from)).to.equal(-ENETUNREACH);
    expect(other.setsockopt(IPPROTO_IP, IP_TRANSPARENT, 1)).to.equal(0);
    expect(other.getsockopt(IPPROTO_IP, IP_TRANSPARENT)).to.equal(1);
    other.send(pattern(6), 0, from);
    await t.clock.advance(0);
    const [sent] = left.drain();
    expect(readUdp(sent as Uint8Array)).to.include({ sourcePort: 53, destinationPort: 40_000 });
    expect(readIp(sent as Uint8Array)).to.include({ source: address('192.0.2.53').w3 });
    other.close();
  });

  it('a flush brings what one turn sent in order, each with its own bytes', async () => {
    for (let i = 0; i < 200; i++) socket.send(pattern(130 + i, i), 0, { address: address('10.0.0.7'), port: 9 });
    await t.clock.advance(0);
    const sent = left.drain().map(readUdp);
    expect(sent).to.have.length(200);
    for (const [i, { data, isRight }] of sent.entries()) {
      expect(isRight).to.equal(true);
      expect(Buffer.compare(data, pattern(130 + i, i))).to.equal(0);
    }
    expect(t.stack.slab.live).to.equal(0);
  });
});
