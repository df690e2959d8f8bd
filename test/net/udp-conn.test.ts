import { expect } from 'chai';
import { createHost } from '../../src/host.ts';
import { createPipe } from '../../src/link/pipe.ts';
import { DeadlineExceededError, errClosed, errWriteToConnected } from '../../src/net/errors.ts';
import { OpError } from '../../src/net/op-error.ts';
import { resolveUDPAddr, UDPAddr } from '../../src/net/udp-addr.ts';
import type { UDPConn } from '../../src/net/udp-conn.ts';
import { AF_INET6, SOCK_DGRAM } from '../../src/socket/constants.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { connectedHosts, type Pair, pattern, rejection, thrown } from '../support/pair.ts';

describe('net/udp-conn', () => {
  let pair: Pair;
  let server: UDPConn;
  let client: UDPConn;

  beforeEach(async () => {
    pair = connectedHosts();
    server = await pair.server.listenPacket('udp', '10.9.0.2:53');
    client = await pair.client.dial('udp', '10.9.0.2:53');
  });

  afterEach(async () => {
    await pair.close();
    expect(pair.clock.pending.held, 'held').to.equal(0);
  });

  const settle = () => pair.clock.advance(100);
  const wall = (ms: number) => pair.clock.wallNow() + ms;

  it('has addresses, after the close too', () => {
    expect(`${server.localAddr()}`).to.equal('10.9.0.2:53');
    expect(server.remoteAddr()).to.equal(undefined);
    expect(`${client.localAddr()}`).to.match(/^10\.9\.0\.1:\d+$/);
    expect(`${client.remoteAddr()}`).to.equal('10.9.0.2:53');
    expect(client.localAddr().network()).to.equal('udp');
    client.close();
    expect(`${client.remoteAddr()}`).to.equal('10.9.0.2:53');
  });

  it('asks and answers', async () => {
    expect(await client.write(pattern(100))).to.equal(100);
    const into = new Uint8Array(500);
    const { n, addr } = await pair.run(server.readFrom(into));
    expect(into.subarray(0, n)).to.deep.equal(pattern(100));
    expect(addr.equals(client.localAddr())).to.equal(true);
    expect(await server.writeTo(pattern(200), addr)).to.equal(200);
    expect(await pair.run(client.read(into))).to.equal(200);
    expect(into.subarray(0, 200)).to.deep.equal(pattern(200));
  });

  it('waits for a datagram, and serves readers in the order of their calls', async () => {
    const both = Promise.all([server.readDatagram(), server.readDatagram()]);
    await client.write(pattern(3));
    await client.write(pattern(4));
    const [first, second] = await pair.run(both);
    expect(first.data).to.deep.equal(pattern(3));
    expect(second.data).to.deep.equal(pattern(4));
    expect(`${second.addr}`).to.equal(`${client.localAddr()}`);
  });

  it('gives what fits of a datagram, and 0 for an empty one', async () => {
    await client.write(pattern(100));
    await client.write(new Uint8Array());
    await client.write(pattern(2));
    const into = new Uint8Array(10);
    expect(await pair.run(server.read(into))).to.equal(10);
    expect(into).to.deep.equal(pattern(10));
    expect(await pair.run(server.read(into))).to.equal(0);
    expect(await pair.run(server.read(into))).to.equal(2);
  });

  it('is a sequence of datagrams', async () => {
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { data } of server) seen.push(data.length);
    })();
    for (const length of [1, 0, 5]) await client.write(pattern(length));
    await settle();
    server.close();
    await reading;
    expect(seen).to.deep.equal([1, 0, 5]);
  });

  it('hears that nobody listens', async () => {
    server.close();
    await client.write(pattern(1));
    const error = await rejection(pair.run(client.read(new Uint8Array(1))));
    const ends = `${client.localAddr()}->10.9.0.2:53`;
    expect(error).to.be.instanceOf(OpError);
    expect(error.message).to.equal(`read udp ${ends}: read: connection refused`);
    expect((error as OpError).code).to.equal('ECONNREFUSED');
    await client.write(pattern(1));
    await settle();
    const again = await rejection(client.write(pattern(1)));
    expect(again.message).to.equal(`write udp ${ends}: write: connection refused`);
    await client.write(pattern(1));
    const last = await rejection(pair.run(client.readFrom(new Uint8Array(1))));
    expect(last.message).to.equal(`read udp ${ends}: recvfrom: connection refused`);
  });

  it('refuses datagrams that are too long', async () => {
    const error = await rejection(client.write(new Uint8Array(65_508)));
    expect(error.message).to.equal(`write udp ${client.localAddr()}->10.9.0.2:53: write: message too long`);
    const to = new UDPAddr('10.9.0.1', 9);
    const other = await rejection(server.writeTo(new Uint8Array(65_508), to));
    expect(other.message).to.equal('write udp 10.9.0.2:53->10.9.0.1:9: sendto: message too long');
  });

  it('knows a peer, or is told one', async () => {
    const to = await rejection(client.writeTo(pattern(1), new UDPAddr('10.9.0.2', 54)));
    expect((to as OpError).err).to.equal(errWriteToConnected);
    expect(to.message).to.equal(
      `write udp ${client.localAddr()}->10.9.0.2:54: use of WriteTo with pre-connected connection`,
    );
    const without = await rejection(server.write(pattern(1)));
    expect(without.message).to.equal('write udp 10.9.0.2:53: write: destination address required');
    expect((await rejection(server.writeTo(pattern(1), '10.9.0.1:9' as never))).message).to.equal(
      'UDPConn.writeTo: addr must be a UDPAddr, got a string',
    );
    expect((await rejection(server.writeTo('x' as never, client.localAddr()))).message).to.equal(
      'UDPConn.writeTo: bytes must be a Uint8Array, got a string (encode it with TextEncoder)',
    );
    expect((await rejection(server.read('x' as never))).message).to.equal(
      'UDPConn.read: into must be a Uint8Array, got a string (encode it with TextEncoder)',
    );
  });

  it('has deadlines', async () => {
    server.setReadDeadline(wall(50));
    const error = await rejection(pair.run(server.readFrom(new Uint8Array(1))));
    expect(error.message).to.equal('read udp 10.9.0.2:53: i/o timeout');
    expect((error as OpError).err).to.be.instanceOf(DeadlineExceededError);
    await client.write(pattern(1));
    await settle();
    expect((await rejection(server.read(new Uint8Array(1)))).message).to.include('i/o timeout');
    server.setDeadline(null);
    expect(await server.read(new Uint8Array(1))).to.equal(1);
    client.setWriteDeadline(wall(-1));
    expect((await rejection(client.write(pattern(1)))).message).to.include('i/o timeout');
  });

  it('is left alone by the abort of a call', async () => {
    const controller = new AbortController();
    const reading = rejection(server.readDatagram({ signal: controller.signal }));
    controller.abort();
    expect((await reading).message).to.equal('read udp 10.9.0.2:53: operation was canceled');
    await client.write(pattern(1));
    expect((await pair.run(server.readDatagram())).data).to.have.length(1);
  });

  it('closes once, and what waits fails', async () => {
    const reading = rejection(server.read(new Uint8Array(1)));
    server.close();
    expect((await reading).message).to.equal('read udp 10.9.0.2:53: use of closed network connection');
    expect(thrown(() => server.close()).message).to.equal('close udp 10.9.0.2:53: use of closed network connection');
    expect(thrown(() => server.setDeadline(null)).message).to.equal(
      'set udp 10.9.0.2:53: use of closed network connection',
    );
    const write = await rejection(server.writeTo(pattern(1), new UDPAddr('10.9.0.1', 9)));
    expect((write as OpError).err).to.equal(errClosed);
    expect(pair.server.sockets()).to.deep.equal([]);
  });

  it('is closed with its host', async () => {
    const reading = rejection(server.read(new Uint8Array(1)));
    await pair.run(pair.server.close());
    expect(((await reading) as OpError).err).to.equal(errClosed);
  });

  describe('listenPacket', () => {
    it('takes every address without one, of both families', async () => {
      const any = await pair.server.listenPacket('udp', ':54');
      expect(`${any.localAddr()}`).to.equal('[::]:54');
      const four = await pair.server.listenPacket('udp4', ':55');
      expect(`${four.localAddr()}`).to.equal('0.0.0.0:55');
      const asking = await pair.client.dial('udp4', '10.9.0.2:54');
      await asking.write(pattern(1));
      const { addr } = await pair.run(any.readDatagram());
      expect(`${addr}`).to.equal(`${asking.localAddr()}`);
      await any.writeTo(pattern(7), addr);
      expect(await pair.run(asking.read(new Uint8Array(9)))).to.equal(7);
    });

    it('takes a free port for 0', async () => {
      expect((await pair.server.listenPacket('udp', '10.9.0.2:0')).localAddr().port).to.be.within(32_768, 60_999);
    });

    for (const [network, address, message] of [
      ['udp', '10.9.0.2:53', 'listen udp 10.9.0.2:53: bind: address already in use'],
      ['udp', ':53', 'listen udp :53: bind: address already in use'],
      ['udp4', '10.9.0.9:53', 'listen udp4 10.9.0.9:53: bind: cannot assign requested address'],
      ['udp', '10.9.0.2', 'listen udp: address 10.9.0.2: missing port in address'],
      ['udp6', '10.9.0.2:53', 'listen udp6: address 10.9.0.2: no suitable address found'],
      ['tcp', '10.9.0.2:53', 'listen tcp 10.9.0.2:53: address 10.9.0.2:53: unexpected address type'],
    ] as const) {
      it(`${network} ${address}: ${message}`, async () => {
        expect((await rejection(pair.server.listenPacket(network, address))).message).to.equal(message);
      });
    }
  });

  describe('dial', () => {
    it('takes its end as it is given', async () => {
      const conn = await pair.client.dial('udp', '10.9.0.2:53', { localAddr: new UDPAddr('10.9.0.1', 4000) });
      expect(`${conn.localAddr()}`).to.equal('10.9.0.1:4000');
      await conn.write(pattern(1));
      expect(`${(await pair.run(server.readDatagram())).addr}`).to.equal('10.9.0.1:4000');
    });

    it('may be of everybody on a network', async () => {
      const conn = await pair.client.dial('udp', '10.9.0.255:54');
      const any = await pair.server.listenPacket('udp4', ':54');
      await conn.write(pattern(4));
      expect((await pair.run(any.readDatagram())).data).to.have.length(4);
    });

    it('shows the socket before it is used', async () => {
      const seen: string[] = [];
      await pair.client.dial('udp', '10.9.0.2:53', {
        control: (network, address, socket) => seen.push(`${network} ${address} ${socket.connected}`),
      });
      expect(seen).to.deep.equal(['udp4 10.9.0.2:53 false']);
    });

    for (const [network, address, message] of [
      ['udp', '', 'dial udp: missing address'],
      ['udp', '192.0.2.1:53', 'dial udp 192.0.2.1:53: connect: network is unreachable'],
      ['udp4', '[2001:db8::1]:53', 'dial udp4: address 2001:db8::1: no suitable address found'],
      ['udp', '10.9.0.2:65536', 'dial udp: address 65536: invalid port'],
      ['udp', 'nohost:53', 'dial udp: lookup nohost: no such host'],
    ] as const) {
      it(`${network} ${address}: ${message}`, async () => {
        expect((await rejection(pair.client.dial(network, address))).message).to.equal(message);
      });
    }
  });
});

describe('net/udp-conn over IPv6', () => {
  it('speaks by zones: names of links, in and out', async () => {
    const clock = new VirtualClock();
    const [near, far] = createPipe({ names: ['here', 'there'] });
    const client = createHost({ link: near, address: 'fd00::1/64', clock, seed: 1 });
    const server = createHost({ link: far, address: 'fd00::2/64', clock, seed: 2 });
    const any = await server.listenPacket('udp6', ':53');
    expect(`${any.localAddr()}`).to.equal('[::]:53');
    const conn = await client.dial('udp', '[fd00::2]:53');
    await conn.write(pattern(1));
    expect(`${(await clock.run({ until: any.readDatagram() })).addr}`).to.equal(`${conn.localAddr()}`);
    const socket = server.socket(AF_INET6, SOCK_DGRAM);
    const local = socket.stack.interfaces[0]?.addresses.find(({ address }) => address.isLinkLocal)?.address;
    socket.close();
    const bare = `${local?.withZone(0)}`;
    const linkLocal = await client.dial('udp', `[${bare}%here]:53`);
    expect(`${linkLocal.remoteAddr()}`).to.equal(`[${bare}%here]:53`);
    expect(`${linkLocal.localAddr()}`).to.match(/^\[fe80::.*%here\]:\d+$/);
    await linkLocal.write(pattern(2));
    const { addr } = await clock.run({ until: any.readDatagram() });
    expect(`${addr}`).to.equal(`${linkLocal.localAddr()}`.replace('%here', '%there'));
    await any.writeTo(pattern(3), addr);
    expect(await clock.run({ until: linkLocal.read(new Uint8Array(9)) })).to.equal(3);
    const error = await rejection(client.dial('udp', `[${bare}]:53`));
    expect(error.message).to.equal(`dial udp [${bare}]:53: connect: invalid argument`);
    const four = await rejection(any.writeTo(pattern(1), new UDPAddr('10.9.0.1', 9)));
    expect(four.message).to.equal('write udp6 [::]:53->10.9.0.1:9: sendto: network is unreachable');
    await Promise.all([client.close({ timeout: 0 }), server.close({ timeout: 0 })]);
  });
});

describe('net/udp-addr', () => {
  it('resolves as Go does', async () => {
    const text = async (network: string, address: string) => `${await resolveUDPAddr(network, address)}`;
    expect(await text('udp', '127.0.0.1:domain')).to.equal('127.0.0.1:53');
    expect(await text('', '[::1%en0]:1')).to.equal('[::1%en0]:1');
    expect(await text('udp', 'localhost:1')).to.equal('127.0.0.1:1');
    expect(await text('udp', '[localhost]:1')).to.equal('[::1]:1');
    expect((await rejection(resolveUDPAddr('tcp', ':1'))).message).to.equal('unknown network tcp');
  });
});
