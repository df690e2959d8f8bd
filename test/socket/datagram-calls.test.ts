import { expect } from 'chai';
import {
  AF_INET,
  IP_PKTINFO,
  IP_RECVTOS,
  IP_RECVTTL,
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  MSG_OOB,
  MSG_PEEK,
  MSG_TRUNC,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SIOCINQ,
  SO_BROADCAST,
  SO_ERROR,
  SO_RCVBUF,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_SNDBUF,
  SOCK_DGRAM,
  SOL_SOCKET,
} from '../../src/socket/constants.ts';
import type { DatagramMessage } from '../../src/socket/datagram-message.ts';
import type { DatagramSocket } from '../../src/socket/datagram-socket.ts';
import {
  EACCES,
  EADDRINUSE,
  EADDRNOTAVAIL,
  EAGAIN,
  EBADF,
  ECONNREFUSED,
  EDESTADDRREQ,
  EINVAL,
  EMSGSIZE,
  ENETUNREACH,
  ENOTCONN,
  EOPNOTSUPP,
  EPIPE,
} from '../../src/socket/errno.ts';
import type { SocketAddress } from '../../src/socket/socket-address.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { CLIENT_ADDRESS, connectedHosts, type Pair, pattern, SERVER_ADDRESS } from '../support/pair.ts';

const at = (address: string, port: number): SocketAddress => ({
  address: IpAddress.parse(address) as IpAddress,
  port,
});
const client = (port: number) => at(CLIENT_ADDRESS, port);
const server = (port: number) => at(SERVER_ADDRESS, port);

describe('socket/datagram', () => {
  let pair: Pair;
  let near: DatagramSocket;
  let far: DatagramSocket;

  beforeEach(() => {
    pair = connectedHosts();
    near = pair.client.socket(AF_INET, SOCK_DGRAM);
    far = pair.server.socket(AF_INET, SOCK_DGRAM);
  });

  afterEach(async () => {
    near.close();
    far.close();
    for (const { stack } of [near, far]) {
      expect(stack.udp.pool.live, 'rings').to.equal(0);
      expect(stack.udp.table.size, 'ports').to.equal(0);
    }
    await pair.close();
    for (const { stack } of [near, far]) expect(stack.slab.live, 'chunks').to.equal(0);
  });

  const settle = () => pair.clock.advance(100);
  const receive = (socket: DatagramSocket, room = 2000, flags = 0) => {
    const into = new Uint8Array(room);
    const got = socket.recvfrom(into, flags);
    if (typeof got === 'number') return got;
    return { bytes: into.subarray(0, Math.min(got.length, room)), ...got };
  };
  const portOf = (socket: DatagramSocket) => (socket.getsockname() as SocketAddress).port;

  describe('bind', () => {
    it('holds an address and a port', () => {
      expect(far.bind(server(53))).to.equal(0);
      expect(far.getsockname()).to.deep.equal(server(53));
      expect(pair.server.sockets()).to.deep.equal([
        { netid: 'udp', state: 'UNCONN', local: '10.9.0.2:53', remote: '0.0.0.0:*', recvQ: 0, sendQ: 0 },
      ]);
    });

    it('takes a free port for 0', () => {
      expect(far.bind(at('0.0.0.0', 0))).to.equal(0);
      expect(portOf(far)).to.be.within(32_768, 60_999);
    });

    it('is done once', () => {
      expect(far.bind(server(53))).to.equal(0);
      expect(far.bind(server(54))).to.equal(-EINVAL);
    });

    it('is for addresses of the host', () => {
      expect(far.bind(client(53))).to.equal(-EADDRNOTAVAIL);
      expect(far.bind(at('10.9.0.255', 53))).to.equal(0);
    });

    it('shares a port with nobody, unless all of them say so', () => {
      const others: DatagramSocket[] = [];
      const bind = (address: string, option?: number) => {
        const socket = pair.server.socket(AF_INET, SOCK_DGRAM);
        others.push(socket);
        if (option !== undefined) socket.setsockopt(SOL_SOCKET, option, 1);
        return socket.bind(at(address, 53));
      };
      expect(bind(SERVER_ADDRESS)).to.equal(0);
      expect(bind(SERVER_ADDRESS)).to.equal(-EADDRINUSE);
      expect(bind('0.0.0.0')).to.equal(-EADDRINUSE);
      expect(bind('127.0.0.1')).to.equal(0);
      expect(bind(SERVER_ADDRESS, SO_REUSEADDR)).to.equal(-EADDRINUSE);
      others[0]?.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
      expect(bind(SERVER_ADDRESS, SO_REUSEADDR)).to.equal(0);
      expect(bind(SERVER_ADDRESS, SO_REUSEPORT)).to.equal(-EADDRINUSE);
      for (const socket of others) socket.close();
    });
  });

  describe('send and receive', () => {
    it('carry a datagram, and its sender with it', async () => {
      far.bind(server(53));
      expect(near.send(pattern(10), 0, server(53))).to.equal(10);
      await settle();
      const got = receive(far) as DatagramMessage & { bytes: Uint8Array };
      expect(got.bytes).to.deep.equal(pattern(10));
      expect(`${got.from.address}:${got.from.port}`).to.equal(`10.9.0.1:${portOf(near)}`);
      expect(far.recv(new Uint8Array(1))).to.equal(-EAGAIN);
      expect(pair.client.counters).to.include({ UdpOutDatagrams: 1 });
      expect(pair.server.counters).to.include({ UdpInDatagrams: 1, UdpInErrors: 0, UdpNoPorts: 0 });
    });

    it('keep datagrams apart, empty ones too, and in order', async () => {
      far.bind(server(53));
      near.connect(server(53));
      for (const length of [3, 0, 1472, 1]) expect(near.send(pattern(length))).to.equal(length);
      await settle();
      for (const length of [3, 0, 1472, 1])
        expect((receive(far) as { bytes: Uint8Array }).bytes).to.deep.equal(pattern(length));
    });

    it('gather and scatter', async () => {
      far.bind(server(53));
      expect(near.sendv([pattern(3), pattern(0), pattern(200, 3)], 0, server(53))).to.equal(203);
      await settle();
      const [first, second] = [new Uint8Array(100), new Uint8Array(200)];
      expect((far.recvmsg([first, second]) as DatagramMessage).length).to.equal(203);
      expect(first).to.deep.equal(pattern(100));
      expect(second.subarray(0, 103)).to.deep.equal(pattern(103, 100));
    });

    it('lose what does not fit, and say so', async () => {
      far.bind(server(53));
      near.connect(server(53));
      for (let i = 0; i < 3; i++) near.send(pattern(100));
      await settle();
      expect(receive(far, 10)).to.include({ length: 10, flags: MSG_TRUNC });
      expect(receive(far, 10, MSG_TRUNC)).to.include({ length: 100, flags: MSG_TRUNC });
      expect(receive(far, 100)).to.include({ length: 100, flags: 0 });
    });

    it('leave a datagram where it is with MSG_PEEK', async () => {
      far.bind(server(53));
      near.send(pattern(100), 0, server(53));
      await settle();
      expect(receive(far, 10, MSG_PEEK)).to.include({ length: 10 });
      expect(pair.server.counters.UdpInDatagrams).to.equal(0);
      expect(far.ioctl(SIOCINQ)).to.equal(100);
      expect(receive(far)).to.include({ length: 100 });
      expect(far.ioctl(SIOCINQ)).to.equal(0);
    });

    it('tell TTL, TOS and destination to who asks', async () => {
      far.bind(at('0.0.0.0', 53));
      near.setsockopt(IPPROTO_IP, IP_TTL, 7);
      near.setsockopt(IPPROTO_IP, IP_TOS, 0x2e);
      near.send(pattern(1), 0, server(53));
      near.send(pattern(1), 0, server(53));
      await settle();
      expect(receive(far)).to.include({ ttl: undefined, tos: undefined, to: undefined });
      for (const option of [IP_RECVTTL, IP_RECVTOS, IP_PKTINFO]) far.setsockopt(IPPROTO_IP, option, 1);
      const got = receive(far) as DatagramMessage;
      expect(got).to.include({ ttl: 7, tos: 0x2e });
      expect(`${got.to}`).to.equal(SERVER_ADDRESS);
    });

    it('refuse what cannot be', () => {
      expect(near.send(pattern(1))).to.equal(-EDESTADDRREQ);
      expect(near.send(pattern(1), 0, server(0))).to.equal(-EINVAL);
      expect(near.send(pattern(1), MSG_OOB, server(53))).to.equal(-EOPNOTSUPP);
      expect(near.send(pattern(65_536), 0, server(53))).to.equal(-EMSGSIZE);
      expect(near.send(pattern(65_508), 0, server(53))).to.equal(-EMSGSIZE);
      expect(near.send(pattern(1), 0, at('192.0.2.1', 53))).to.equal(-ENETUNREACH);
      expect(near.recv(new Uint8Array(1), MSG_OOB)).to.equal(-EOPNOTSUPP);
      expect(near.recv(new Uint8Array(1))).to.equal(-EAGAIN);
    });

    it('speak to everybody only with SO_BROADCAST', async () => {
      far.bind(at('0.0.0.0', 53));
      expect(near.send(pattern(1), 0, at('10.9.0.255', 53))).to.equal(-EACCES);
      expect(near.connect(at('10.9.0.255', 53))).to.equal(-EACCES);
      near.setsockopt(SOL_SOCKET, SO_BROADCAST, 1);
      expect(near.send(pattern(1), 0, at('10.9.0.255', 53))).to.equal(1);
      await settle();
      expect(receive(far)).to.include({ length: 1 });
    });

    it('end with close', () => {
      far.bind(server(53));
      expect(far.close()).to.equal(0);
      expect(far.close()).to.equal(-EBADF);
      expect(far.bind(server(53))).to.equal(-EBADF);
      expect(far.send(pattern(1), 0, client(53))).to.equal(-EBADF);
      expect(far.recv(new Uint8Array(1))).to.equal(-EBADF);
      expect(far.getsockname()).to.equal(-EBADF);
      expect(far.poll()).to.equal(0);
      expect(pair.server.sockets()).to.deep.equal([]);
    });
  });

  describe('connect', () => {
    it('receives from the peer alone', async () => {
      far.bind(server(53));
      near.bind(client(1000));
      far.connect(client(1000));
      const other = pair.client.socket(AF_INET, SOCK_DGRAM);
      other.send(pattern(5), 0, server(53));
      near.send(pattern(6), 0, server(53));
      await settle();
      expect(receive(far)).to.include({ length: 6 });
      expect(receive(far)).to.equal(-EAGAIN);
      expect(pair.server.counters.UdpNoPorts).to.equal(1);
      other.close();
    });

    it('gives both ends, until it is undone', () => {
      expect(near.getpeername()).to.equal(-ENOTCONN);
      expect(near.connect(server(53))).to.equal(0);
      expect(near.getpeername()).to.deep.equal(server(53));
      expect(near.getsockname()).to.deep.equal(client(portOf(near)));
      expect(pair.client.sockets()[0]).to.include({ state: 'ESTAB', remote: '10.9.0.2:53' });
      expect(near.connect(server(54))).to.equal(0);
      expect(near.getpeername()).to.deep.equal(server(54));
      expect(near.disconnect()).to.equal(0);
      expect(near.getpeername()).to.equal(-ENOTCONN);
      expect(near.getsockname()).to.deep.equal(at('0.0.0.0', 0));
    });

    it('keeps what bind named when it is undone', () => {
      near.bind(client(1000));
      near.connect(server(53));
      near.disconnect();
      expect(near.getsockname()).to.deep.equal(client(1000));
    });

    it('learns that nobody is there, once', async () => {
      near.connect(server(53));
      expect(near.send(pattern(1))).to.equal(1);
      await settle();
      expect(near.poll() & POLLERR).to.equal(POLLERR);
      expect(near.send(pattern(1))).to.equal(-ECONNREFUSED);
      expect(near.send(pattern(1))).to.equal(1);
      await settle();
      expect(near.recv(new Uint8Array(1))).to.equal(-ECONNREFUSED);
      expect(near.recv(new Uint8Array(1))).to.equal(-EAGAIN);
      near.send(pattern(1));
      await settle();
      expect(near.getsockopt(SOL_SOCKET, SO_ERROR)).to.equal(ECONNREFUSED);
      expect(near.getsockopt(SOL_SOCKET, SO_ERROR)).to.equal(0);
    });

    it('is what it takes to learn it', async () => {
      near.send(pattern(1), 0, server(53));
      await settle();
      expect(near.poll()).to.equal(POLLOUT);
      expect(near.recv(new Uint8Array(1))).to.equal(-EAGAIN);
      expect(pair.server.counters).to.include({ UdpNoPorts: 1, IcmpOutDestUnreachs: 1 });
    });
  });

  describe('shutdown', () => {
    it('stops sending', () => {
      near.connect(server(53));
      expect(near.shutdown(SHUT_WR)).to.equal(0);
      expect(near.send(pattern(1))).to.equal(-EPIPE);
    });

    it('shows in poll, and counts without a peer', () => {
      expect(near.shutdown(SHUT_RD)).to.equal(-ENOTCONN);
      expect(near.poll()).to.equal(POLLIN | POLLRDHUP | POLLOUT);
      near.shutdown(SHUT_RDWR);
      expect(near.poll()).to.equal(POLLIN | POLLRDHUP | POLLOUT | POLLHUP);
      expect(near.shutdown(9)).to.equal(-EINVAL);
    });
  });

  describe('buffers', () => {
    it('are what Linux makes of what is asked for', () => {
      expect(near.getsockopt(SOL_SOCKET, SO_RCVBUF)).to.equal(212_992);
      expect(near.getsockopt(SOL_SOCKET, SO_SNDBUF)).to.equal(212_992);
      near.setsockopt(SOL_SOCKET, SO_RCVBUF, 1);
      near.setsockopt(SOL_SOCKET, SO_SNDBUF, 1);
      expect(near.getsockopt(SOL_SOCKET, SO_RCVBUF)).to.equal(2304);
      expect(near.getsockopt(SOL_SOCKET, SO_SNDBUF)).to.equal(4608);
      near.setsockopt(SOL_SOCKET, SO_RCVBUF, 10_000);
      expect(near.getsockopt(SOL_SOCKET, SO_RCVBUF)).to.equal(20_000);
    });

    it('bound what a reader that does not read is kept', async () => {
      far.bind(server(53));
      near.connect(server(53));
      for (let round = 0; round < 20; round++) {
        for (let i = 0; i < 50; i++) near.send(pattern(1000));
        await settle();
      }
      const { queue } = far.endpoint;
      expect(queue.memory).to.be.within(200_000, 212_992);
      const { UdpRcvbufErrors, UdpInErrors } = pair.server.counters;
      expect(UdpRcvbufErrors).to.equal(1000 - queue.count);
      expect(UdpInErrors).to.equal(UdpRcvbufErrors);
      let read = 0;
      while (far.recv(new Uint8Array(1000)) === 1000) read++;
      expect(read).to.equal(1000 - UdpRcvbufErrors);
    });
  });

  it('tells who watches', async () => {
    const masks: number[] = [];
    far.bind(server(53));
    far.onReady = (mask) => masks.push(mask);
    near.send(pattern(1), 0, server(53));
    near.send(pattern(1), 0, server(53));
    await settle();
    expect(masks).to.deep.equal([POLLIN | POLLOUT]);
  });
});
