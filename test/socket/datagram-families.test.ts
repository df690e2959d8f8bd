/** Datagrams over both families, and of every size. */
import { expect } from 'chai';
import { createHost, type Host } from '../../src/host.ts';
import { createPipe } from '../../src/link/pipe.ts';
import {
  AF_INET,
  AF_INET6,
  IP_MTU,
  IP_MTU_DISCOVER,
  IP_PMTUDISC_DO,
  IP_PMTUDISC_DONT,
  IP_PMTUDISC_OMIT,
  IP_PMTUDISC_PROBE,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_MTU,
  IPV6_MTU_DISCOVER,
  IPV6_RECVHOPLIMIT,
  IPV6_RECVPKTINFO,
  IPV6_RECVTCLASS,
  IPV6_TCLASS,
  IPV6_UNICAST_HOPS,
  IPV6_V6ONLY,
  POLLIN,
  SO_BINDTODEVICE,
  SO_RCVBUF,
  SO_REUSEPORT,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../../src/socket/constants.ts';
import type { DatagramMessage } from '../../src/socket/datagram-message.ts';
import type { DatagramSocket } from '../../src/socket/datagram-socket.ts';
import {
  EADDRINUSE,
  EAFNOSUPPORT,
  EAGAIN,
  ECONNREFUSED,
  EINVAL,
  EMSGSIZE,
  ENETUNREACH,
  ENODEV,
  ENOPROTOOPT,
  ENOTCONN,
} from '../../src/socket/errno.ts';
import type { SocketAddress } from '../../src/socket/socket-address.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { pattern } from '../support/pair.ts';

const at = (address: string, port: number): SocketAddress => ({
  address: IpAddress.parse(address) as IpAddress,
  port,
});

describe('socket/datagram: families and sizes', () => {
  let clock: VirtualClock;
  let near: Host;
  let far: Host;
  const sockets: DatagramSocket[] = [];

  const start = (mtu: number) => {
    clock = new VirtualClock();
    const [a, b] = createPipe({ mtu });
    near = createHost({ link: a, address: ['10.9.0.1/24', '2001:db8::1/64'], clock, seed: 1 });
    far = createHost({ link: b, address: ['10.9.0.2/24', '2001:db8::2/64'], clock, seed: 2 });
  };
  const open = (host: Host, domain: number) => {
    const socket = host.socket(domain, SOCK_DGRAM);
    sockets.push(socket);
    return socket;
  };
  const settle = () => clock.advance(100);
  const receive = (socket: DatagramSocket) => {
    const into = new Uint8Array(70_000);
    const got = socket.recvfrom(into) as DatagramMessage;
    return { bytes: into.subarray(0, got.length), ...got };
  };
  const text = ({ from }: DatagramMessage) => `${from.address} ${from.port}`;

  beforeEach(() => start(1500));

  afterEach(async () => {
    const stacks = sockets.map(({ stack }) => stack);
    for (const socket of sockets.splice(0)) socket.close();
    await Promise.all([near.close({ timeout: 0 }), far.close({ timeout: 0 })]);
    for (const { slab, udp } of stacks) {
      expect(slab.live, 'chunks').to.equal(0);
      expect(udp.pool.live, 'rings').to.equal(0);
    }
  });

  it('IPv6 carries datagrams as IPv4 does', async () => {
    const [client, server] = [open(near, AF_INET6), open(far, AF_INET6)];
    expect(server.bind(at('2001:db8::2', 53))).to.equal(0);
    expect(client.connect(at('2001:db8::2', 53))).to.equal(0);
    expect(client.send(pattern(300))).to.equal(300);
    await settle();
    const got = receive(server);
    expect(got.bytes).to.deep.equal(pattern(300));
    expect(text(got)).to.equal(`2001:db8::1 ${(client.getsockname() as SocketAddress).port}`);
    expect(near.counters).to.include({ Udp6OutDatagrams: 1, UdpOutDatagrams: 0 });
    expect(far.counters).to.include({ Udp6InDatagrams: 1, UdpInDatagrams: 0 });
  });

  it('a port that nobody holds is refused over IPv6', async () => {
    const client = open(near, AF_INET6);
    client.connect(at('2001:db8::2', 53));
    client.send(pattern(1));
    await settle();
    expect(client.recv(new Uint8Array(1))).to.equal(-ECONNREFUSED);
    expect(far.counters).to.include({ Udp6NoPorts: 1, UdpNoPorts: 0 });
  });

  it(':: takes both families, and answers both', async () => {
    const server = open(far, AF_INET6);
    expect(server.bind(at('::', 53))).to.equal(0);
    const [four, six] = [open(near, AF_INET), open(near, AF_INET6)];
    four.send(pattern(4), 0, at('10.9.0.2', 53));
    six.send(pattern(6), 0, at('2001:db8::2', 53));
    await settle();
    for (const [socket, from, length] of [
      [four, '10.9.0.1', 4],
      [six, '2001:db8::1', 6],
    ] as const) {
      const got = receive(server);
      expect(`${got.from.address} ${got.length}`).to.equal(`${from} ${length}`);
      expect(server.send(pattern(length), 0, got.from)).to.equal(length);
      await settle();
      expect(socket.recv(new Uint8Array(9))).to.equal(length);
    }
  });

  it('IPV6_V6ONLY leaves IPv4 to others', async () => {
    const [six, four] = [open(far, AF_INET6), open(far, AF_INET)];
    expect(six.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 1)).to.equal(0);
    six.bind(at('::', 53));
    expect(four.bind(at('0.0.0.0', 53))).to.equal(0);
    const client = open(near, AF_INET6);
    client.send(pattern(4), 0, at('10.9.0.2', 53));
    client.send(pattern(6), 0, at('2001:db8::2', 53));
    await settle();
    const alone = open(far, AF_INET6);
    alone.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 1);
    alone.bind(at('::', 54));
    client.send(pattern(4), 0, at('10.9.0.2', 54));
    await settle();
    expect(alone.recv(new Uint8Array(9))).to.equal(-EAGAIN);
    expect([four.recv(new Uint8Array(9)), six.recv(new Uint8Array(9))]).to.deep.equal([4, 6]);
    expect(six.send(pattern(1), 0, at('10.9.0.1', 9))).to.equal(-ENETUNREACH);
    expect(six.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 0)).to.equal(-EINVAL);
  });

  it(':: and 0.0.0.0 are in the way of each other', () => {
    const six = open(far, AF_INET6);
    six.bind(at('::', 53));
    expect(open(far, AF_INET).bind(at('0.0.0.0', 53))).to.equal(-EADDRINUSE);
    expect(open(far, AF_INET).bind(at('10.9.0.2', 53))).to.equal(-EADDRINUSE);
  });

  it('families are kept apart', () => {
    const [four, six] = [open(near, AF_INET), open(near, AF_INET6)];
    expect(four.bind(at('2001:db8::1', 9))).to.equal(-EAFNOSUPPORT);
    expect(four.send(pattern(1), 0, at('2001:db8::2', 9))).to.equal(-EAFNOSUPPORT);
    expect(four.setsockopt(IPPROTO_IPV6, IPV6_UNICAST_HOPS, 3)).to.equal(-ENOPROTOOPT);
    expect(six.bind(at('10.9.0.1', 9))).to.equal(0);
    expect(six.send(pattern(1), 0, at('2001:db8::2', 9))).to.equal(-EAFNOSUPPORT);
  });

  it('link-local addresses need their link', async () => {
    const [client, server] = [open(near, AF_INET6), open(far, AF_INET6)];
    const local = [
      ...far.addresses,
      ...(server.stack.interfaces[0]?.addresses ?? []).map(({ address }) => address),
    ].find(({ isLinkLocal }) => isLinkLocal) as IpAddress;
    expect(server.bind({ address: local.withZone(0), port: 53 })).to.equal(-EINVAL);
    expect(server.bind({ address: local.withZone(7), port: 53 })).to.equal(-ENODEV);
    expect(server.bind({ address: local.withZone(2), port: 53 })).to.equal(0);
    expect(client.send(pattern(1), 0, { address: local.withZone(0), port: 53 })).to.equal(-EINVAL);
    const name = client.stack.interfaces[0]?.name as string;
    expect(client.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, name)).to.equal(0);
    expect(client.send(pattern(1), 0, { address: local.withZone(0), port: 53 })).to.equal(1);
    await settle();
    const { from } = receive(server);
    expect(`${from.address}`).to.match(/^fe80::.*%2$/);
    expect(server.send(pattern(2), 0, from)).to.equal(2);
    await settle();
    expect(client.recv(new Uint8Array(9))).to.equal(2);
  });

  it('IPv6 has its own TTL, TOS and destination', async () => {
    const [client, server] = [open(near, AF_INET6), open(far, AF_INET6)];
    server.bind(at('::', 53));
    for (const option of [IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS, IPV6_RECVPKTINFO])
      server.setsockopt(IPPROTO_IPV6, option, 1);
    client.setsockopt(IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9);
    client.setsockopt(IPPROTO_IPV6, IPV6_TCLASS, 0x2c);
    client.setsockopt(IPPROTO_IP, IP_TTL, 5);
    client.send(pattern(1), 0, at('2001:db8::2', 53));
    client.send(pattern(1), 0, at('10.9.0.2', 53));
    await settle();
    const first = receive(server);
    expect(first).to.include({ ttl: 9, tos: 0x2c });
    expect(`${first.to}`).to.equal('2001:db8::2');
    expect(receive(server)).to.include({ ttl: 5, tos: 0 });
  });

  for (const [family, address, most, limit] of [
    [AF_INET, '10.9.0.2', 1472, 65_507],
    [AF_INET6, '2001:db8::2', 1452, 65_527],
  ] as const) {
    const [level, discover, mtu] =
      family === AF_INET ? [IPPROTO_IP, IP_MTU_DISCOVER, IP_MTU] : [IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_MTU];

    it(`to ${address}, all sizes up to ${limit} get there`, async () => {
      const [client, server] = [open(near, family), open(far, family)];
      server.bind(at(family === AF_INET ? '0.0.0.0' : '::', 53));
      client.connect(at(address, 53));
      for (const length of [0, 1, 111, 112, 113, 127, 128, most - 1, most, most + 1, 3000, 9001, 65_000, limit]) {
        expect(client.send(pattern(length)), `${length}`).to.equal(length);
        await settle();
        expect(server.poll() & POLLIN, `${length}`).to.equal(POLLIN);
        expect(receive(server).bytes, `${length}`).to.deep.equal(pattern(length));
      }
      expect(client.send(pattern(limit + 1))).to.equal(-EMSGSIZE);
      expect(far.counters[family === AF_INET ? 'UdpInErrors' : 'Udp6InErrors']).to.equal(0);
    });

    for (const [name, value, cut] of [
      ['DONT', IP_PMTUDISC_DONT, true],
      ['DO', IP_PMTUDISC_DO, false],
      ['PROBE', IP_PMTUDISC_PROBE, false],
      ['OMIT', IP_PMTUDISC_OMIT, true],
    ] as const) {
      it(`to ${address}, with IP_PMTUDISC_${name} what is larger than the MTU is ${cut ? 'cut' : 'EMSGSIZE'}`, () => {
        const client = open(near, family);
        client.connect(at(address, 53));
        expect(client.setsockopt(level, discover, value)).to.equal(0);
        expect(client.send(pattern(most))).to.equal(most);
        expect(client.send(pattern(most + 1))).to.equal(cut ? most + 1 : -EMSGSIZE);
        expect(client.getsockopt(level, mtu)).to.equal(1500);
      });
    }
  }

  it('IPV6_MTU: what is larger is cut, or refused, though the path takes it; IPv4 is not touched', async () => {
    const [client, server] = [open(near, AF_INET6), open(far, AF_INET6)];
    server.bind(at('::', 53));
    client.connect(at('2001:db8::2', 53));
    for (const value of [1, 1279, -1]) expect(client.setsockopt(IPPROTO_IPV6, IPV6_MTU, value)).to.equal(-EINVAL);
    expect(client.setsockopt(IPPROTO_IPV6, IPV6_MTU, 1280)).to.equal(0);
    expect(client.getsockopt(IPPROTO_IPV6, IPV6_MTU)).to.equal(1500);
    const cut = async (length: number) => {
      const before = near.counters.Ip6FragCreates as number;
      expect(client.send(pattern(length))).to.equal(length);
      await settle();
      expect(receive(server).bytes).to.deep.equal(pattern(length));
      return (near.counters.Ip6FragCreates as number) - before;
    };
    expect(await cut(1232)).to.equal(0);
    expect(await cut(1233)).to.equal(2);
    client.setsockopt(IPPROTO_IPV6, IPV6_MTU_DISCOVER, IP_PMTUDISC_DO);
    expect(client.send(pattern(1233))).to.equal(-EMSGSIZE);
    client.setsockopt(IPPROTO_IPV6, IPV6_MTU, 0);
    expect(await cut(1452)).to.equal(0);
    client.setsockopt(IPPROTO_IPV6, IPV6_MTU, 1280);
    client.connect(at('::ffff:10.9.0.2', 53));
    expect(await cut(1472)).to.equal(0);
    const stream = near.socket(AF_INET6, SOCK_STREAM);
    for (const [value, result] of [
      [0, 0],
      [1279, -EINVAL],
      [1280, 0],
      [-1, -EINVAL],
    ] as const)
      expect(stream.setsockopt(IPPROTO_IPV6, IPV6_MTU, value)).to.equal(result);
    expect(stream.getsockopt(IPPROTO_IPV6, IPV6_MTU)).to.equal(-ENOTCONN);
  });

  it('SO_REUSEPORT: one of several gets the datagrams of a peer, all of them', async () => {
    const servers = Array.from({ length: 4 }, () => {
      const socket = open(far, AF_INET);
      socket.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1);
      expect(socket.bind(at('10.9.0.2', 53))).to.equal(0);
      return socket;
    });
    const counts = new Set<string>();
    for (let i = 0; i < 30; i++) {
      const client = open(near, AF_INET);
      for (let j = 0; j < 3; j++) client.send(pattern(1), 0, at('10.9.0.2', 53));
      await settle();
      const got = servers.map(({ endpoint }) => endpoint.queue.count);
      expect([...got].sort()).to.deep.equal([0, 0, 0, 3]);
      counts.add(got.join());
      for (const { endpoint } of servers) endpoint.queue.clear();
    }
    expect(counts.size).to.equal(4);
  });

  it('a datagram that is larger than the receive buffer is taken when nothing else waits', async () => {
    const [client, server] = [open(near, AF_INET), open(far, AF_INET)];
    server.bind(at('10.9.0.2', 53));
    server.setsockopt(SOL_SOCKET, SO_RCVBUF, 0);
    for (let i = 0; i < 2; i++) client.send(pattern(5000), 0, at('10.9.0.2', 53));
    await settle();
    expect(receive(server).length).to.equal(5000);
    expect(server.recv(new Uint8Array(1))).to.equal(-EAGAIN);
    expect(far.counters.UdpRcvbufErrors).to.equal(1);
  });
});
