/** RFC 1122 4.1: what hosts must do with UDP. */
import { expect } from 'chai';
import {
  IP_PKTINFO,
  IP_RECVERR,
  IP_RECVTOS,
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVERR,
  IPV6_RECVPKTINFO,
  IPV6_RECVTCLASS,
  IPV6_TCLASS,
  IPV6_UNICAST_HOPS,
  MSG_ERRQUEUE,
  MSG_TRUNC,
  POLLERR,
  SO_BROADCAST,
  SOL_SOCKET,
} from '../../../src/socket/constants.ts';
import type { DatagramMessage } from '../../../src/socket/datagram-message.ts';
import {
  EACCES,
  EADDRNOTAVAIL,
  EAGAIN,
  ECONNREFUSED,
  EHOSTUNREACH,
  EMSGSIZE,
  ENETUNREACH,
  ENOPROTOOPT,
  EPROTO,
} from '../../../src/socket/errno.ts';
import { address } from '../../stack/tap.ts';
import { pattern } from '../../support/pair.ts';
import { HOST, PEER, to, UdpWire } from '../../support/udp-wire.ts';
import { readUdp } from '../../support/wire-datagram.ts';
import { buildIcmp } from '../../support/wire-segment.ts';
import { buildIcmp6 } from '../../support/wire6.ts';

const FAMILIES = [4, 6] as const;

describe('RFC 1122 4.1: UDP', () => {
  let t: UdpWire;
  beforeEach(() => {
    t = new UdpWire();
  });
  afterEach(() => t.end());

  for (const family of FAMILIES) {
    it(`4.1.3.1: a datagram for a port that nobody has is answered with port unreachable, IPv${family}`, async () => {
      t.inject({ family, destinationPort: 54 });
      const [answer, ...more] = await t.sent();
      expect(more).to.deep.equal([]);
      const bytes = answer as Uint8Array;
      expect([...bytes.subarray(family === 4 ? 20 : 40, family === 4 ? 22 : 42)]).to.deep.equal(
        family === 4 ? [3, 3] : [1, 4],
      );
    });

    it(`4.1.3.6: what comes from no host is dropped silently, IPv${family}`, async () => {
      const socket = t.socket(family, 53);
      const sources =
        family === 4
          ? ['255.255.255.255', '10.0.0.255', '224.0.0.1', '0.0.0.0', '10.0.0.1']
          : ['ff02::1', '::', '2001:db8::1'];
      for (const source of sources) {
        t.inject({ family, source: address(source) });
        t.inject({ family, source: address(source), destinationPort: 54 });
      }
      expect(t.received(socket)).to.equal(undefined);
      expect(await t.sent()).to.deep.equal([]);
    });

    it(`4.1.3.6: a host sends from addresses of its own, IPv${family}`, async () => {
      const socket = t.socket(family);
      expect(socket.bind({ address: PEER[family], port: 5 })).to.equal(-EADDRNOTAVAIL);
      socket.send(pattern(1), 0, to(family));
      const [bytes] = await t.sent();
      const at = family === 4 ? 12 : 8;
      const length = family === 4 ? 4 : 16;
      const text = Buffer.from(bytes as Uint8Array)
        .subarray(at, at + length)
        .toString('hex');
      expect(text).to.equal(family === 4 ? '0a000001' : '20010db8000000000000000000000001');
    });
  }

  it('4.1.3.3: who is connected hears of ICMP errors that will not pass', async () => {
    for (const [type, code, errno] of [
      [3, 2, ENOPROTOOPT],
      [3, 3, ECONNREFUSED],
      [3, 10, EHOSTUNREACH],
      [3, 13, EHOSTUNREACH],
      [12, 0, EPROTO],
      [3, 9, ENETUNREACH],
    ] as const) {
      const socket = t.socket(4);
      socket.connect(to(4));
      socket.send(pattern(20));
      const [quoted] = await t.sent();
      t.link.deliver(buildIcmp(PEER[4].w3, HOST[4].w3, type, code, 0, (quoted as Uint8Array).subarray(0, 28)));
      expect(socket.recv(new Uint8Array(1)), `${type} ${code}`).to.equal(-errno);
      expect(socket.recv(new Uint8Array(1))).to.equal(-EAGAIN);
    }
  });

  it('4.1.3.3: nobody hears of those that may pass (Linux), nor who is not connected, nor of what he did not send', async () => {
    const socket = t.socket(4);
    socket.send(pattern(20), 0, to(4));
    const [quoted] = await t.sent();
    const error = (type: number, code: number, bytes: Uint8Array) =>
      t.link.deliver(buildIcmp(PEER[4].w3, HOST[4].w3, type, code, 0, bytes.subarray(0, 28)));
    error(3, 3, quoted as Uint8Array);
    expect(socket.recv(new Uint8Array(1))).to.equal(-EAGAIN);
    socket.connect(to(4));
    for (const [type, code] of [
      [3, 0],
      [3, 1],
      [3, 5],
      [11, 0],
    ] as const)
      error(type, code, quoted as Uint8Array);
    const other = (quoted as Uint8Array).slice();
    new DataView(other.buffer).setUint16(22, 9001);
    error(3, 3, other);
    expect(socket.recv(new Uint8Array(1))).to.equal(-EAGAIN);
  });

  for (const family of FAMILIES) {
    it(`4.1.3.3: IP_RECVERR tells all of every error, IPv${family}`, async () => {
      const socket = t.socket(family);
      const [level, option] = family === 4 ? [IPPROTO_IP, IP_RECVERR] : [IPPROTO_IPV6, IPV6_RECVERR];
      expect(socket.setsockopt(level, option, 1)).to.equal(0);
      expect(socket.recvmsg([], MSG_ERRQUEUE)).to.equal(-EAGAIN);
      socket.send(pattern(20), 0, to(family));
      const [sent] = await t.sent();
      const quoted = (sent as Uint8Array).subarray(0, family === 4 ? 40 : 60);
      const [type, code] = family === 4 ? [11, 0] : [3, 0];
      const offender = address(family === 4 ? '10.0.0.9' : '2001:db8::9');
      t.link.deliver(
        family === 4
          ? buildIcmp(offender.w3, HOST[4].w3, type, code, 0, quoted)
          : buildIcmp6(type, code, 0, quoted, { source: offender, destination: HOST[6] }),
      );
      expect(socket.poll() & POLLERR).to.equal(POLLERR);
      expect(socket.recv(new Uint8Array(1))).to.equal(-EHOSTUNREACH);
      const [first, second] = [new Uint8Array(5), new Uint8Array(5)];
      const told = socket.recvmsg([first, second], MSG_ERRQUEUE) as DatagramMessage;
      expect(told.error).to.deep.equal({
        errno: EHOSTUNREACH,
        origin: family === 4 ? 2 : 3,
        type,
        code,
        info: 0,
        offender,
      });
      expect(told).to.deep.include({ length: 10, flags: MSG_ERRQUEUE | MSG_TRUNC, from: to(family) });
      expect(second).to.deep.equal(pattern(5, 5));
      expect(socket.poll() & POLLERR).to.equal(0);
      expect(socket.recvmsg([], MSG_ERRQUEUE)).to.equal(-EAGAIN);
    });
  }

  it("4.1.3.3: errors that nobody reads are kept up to a bound, each is the next call's", async () => {
    const socket = t.socket(4);
    socket.setsockopt(IPPROTO_IP, IP_RECVERR, 1);
    socket.send(pattern(2), 0, to(4));
    const [quoted] = await t.sent();
    for (let i = 0; i < 300; i++)
      t.link.deliver(buildIcmp(PEER[4].w3, HOST[4].w3, 3, i % 2 === 0 ? 3 : 1, 0, quoted as Uint8Array));
    // SO_RCVBUF is 212,992 bytes, and each takes 896 of them.
    expect(socket.endpoint.errors).to.have.length(237);
    socket.takeError();
    expect((socket.recvmsg([], MSG_ERRQUEUE) as DatagramMessage).error?.errno).to.equal(ECONNREFUSED);
    expect(socket.takeError()).to.equal(EHOSTUNREACH);
    socket.setsockopt(IPPROTO_IP, IP_RECVERR, 0);
    expect(socket.recvmsg([], MSG_ERRQUEUE)).to.equal(-EAGAIN);
  });

  it('4.1.3.3: what was too large is told once, and what the path takes is known then (RFC 1191)', async () => {
    const socket = t.socket(4);
    socket.connect(to(4));
    socket.send(pattern(1400));
    const [quoted] = await t.sent();
    expect(readUdp(quoted as Uint8Array).dontFragment).to.equal(true);
    t.link.deliver(buildIcmp(PEER[4].w3, HOST[4].w3, 3, 4, 1200, (quoted as Uint8Array).subarray(0, 28)));
    expect(socket.send(pattern(1400))).to.equal(-EMSGSIZE);
    expect(socket.pathMtu()).to.equal(1200);
    expect(socket.send(pattern(1400))).to.equal(1400);
    const fragments = await t.sent();
    expect(fragments.map(({ length }) => length)).to.deep.equal([1196, 252]);
    expect(socket.send(pattern(1172))).to.equal(1172);
    expect((await t.datagram()).dontFragment).to.equal(true);
  });

  it('4.1.3.3: the same over IPv6 (RFC 8201): fragments are no larger than what the router said', async () => {
    const socket = t.socket(6);
    socket.connect(to(6));
    socket.send(pattern(1400));
    const [quoted] = await t.sent();
    const spec = { source: PEER[6], destination: HOST[6] };
    t.link.deliver(buildIcmp6(2, 0, 1279, (quoted as Uint8Array).subarray(0, 100), spec));
    expect(socket.pathMtu()).to.equal(1500);
    t.link.deliver(buildIcmp6(2, 0, 1280, (quoted as Uint8Array).subarray(0, 100), spec));
    expect(socket.pathMtu()).to.equal(1280);
    expect(socket.send(pattern(1400))).to.equal(-EMSGSIZE);
    expect(socket.send(pattern(1400))).to.equal(1400);
    expect((await t.sent()).map(({ length }) => length)).to.deep.equal([1280, 224]);
  });

  it('4.1.3.4: checksums are made, always', async () => {
    t.socket(4).send(pattern(3), 0, to(4));
    expect(await t.datagram())
      .to.include({ isRight: true })
      .and.not.include({ checksum: 0 });
  });

  it('4.1.3.5: the address that a datagram was sent to is passed up', () => {
    const [four, six] = [t.socket(4, 53), t.socket(6, 54)];
    four.setsockopt(IPPROTO_IP, IP_PKTINFO, 1);
    six.setsockopt(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    t.inject({});
    t.inject({ destination: address('10.0.0.255') });
    t.inject({ family: 6, destinationPort: 54 });
    expect(`${t.received(four)?.to}`).to.equal('10.0.0.1');
    expect(`${t.received(four)?.to}`).to.equal('10.0.0.255');
    const last = t.received(six);
    expect(`${last?.to}`).to.equal('2001:db8::1');
    expect(last?.ifindex).to.equal(t.stack.interfaces[0]?.index);
  });

  it("4.1.3.5: the address to send from is the user's to say, or the host chooses, and says which", () => {
    const bound = t.socket(4, 53, HOST[4]);
    expect(bound.getsockname()).to.deep.equal({ address: HOST[4], port: 53 });
    const free = t.socket(4);
    free.connect(to(4));
    expect(free.getsockname()).to.have.property('address').that.deep.equals(HOST[4]);
  });

  it('4.1.3.5, 3.3.6: what is sent to everybody everybody gets, and nobody is answered', async () => {
    const sockets = [
      t.socket(4, 53),
      t.socket(4, 54),
      t.socket(4, 55, address('10.0.0.255')),
      t.socket(4, 56, HOST[4]),
    ];
    for (const destination of ['10.0.0.255', '255.255.255.255']) {
      for (const destinationPort of [53, 54, 55, 56, 57]) {
        t.inject({ destination: address(destination), destinationPort, data: pattern(destinationPort) });
      }
    }
    expect(sockets.map(({ endpoint }) => endpoint.queue.count)).to.deep.equal([2, 2, 1, 0]);
    expect(await t.sent()).to.deep.equal([]);
    expect(t.stack.counters).to.include({ UdpIgnoredMulti: 5, UdpNoPorts: 0, IcmpOutMsgs: 0 });
  });

  it('4.1.3.5: several who hold a port together get what is sent to everybody, each', () => {
    const sockets = [t.socket(4), t.socket(4), t.socket(6)];
    for (const socket of sockets) {
      socket.endpoint.reuseAddress = true;
      expect(socket.bind({ address: socket.any, port: 53 })).to.equal(0);
    }
    t.inject({ destination: address('255.255.255.255'), data: pattern(3) });
    expect(sockets.map((socket) => t.received(socket)?.length)).to.deep.equal([3, 3, 3]);
    // To one address: the last of AF_INET, as on Linux.
    t.inject({ data: pattern(4) });
    expect(sockets.map((socket) => t.received(socket)?.length)).to.deep.equal([undefined, 4, undefined]);
  });

  it('4.1.3.5: to speak to everybody takes SO_BROADCAST', async () => {
    const socket = t.socket(4);
    const all = { address: address('10.0.0.255'), port: 9 };
    expect(socket.send(pattern(1), 0, all)).to.equal(-EACCES);
    socket.setsockopt(SOL_SOCKET, SO_BROADCAST, 1);
    expect(socket.send(pattern(1), 0, all)).to.equal(1);
    expect((await t.datagram()).destinationPort).to.equal(9);
  });

  it("4.1.4: TTL and TOS are the user's to say, and the TOS that came is passed up", async () => {
    const four = t.socket(4, 53);
    four.setsockopt(IPPROTO_IP, IP_TTL, 3);
    four.setsockopt(IPPROTO_IP, IP_TOS, 0xb8);
    four.send(pattern(1), 0, to(4));
    expect(await t.datagram()).to.include({ ttl: 3, tos: 0xb8 });
    four.setsockopt(IPPROTO_IP, IP_TTL, -1);
    four.setsockopt(IPPROTO_IP, IP_TOS, 0);
    four.send(pattern(1), 0, to(4));
    expect(await t.datagram()).to.include({ ttl: 64, tos: 0 });
    const six = t.socket(6, 54);
    six.setsockopt(IPPROTO_IPV6, IPV6_UNICAST_HOPS, 4);
    six.setsockopt(IPPROTO_IPV6, IPV6_TCLASS, 0x68);
    six.send(pattern(1), 0, to(6));
    expect(await t.datagram()).to.include({ ttl: 4, tos: 0x68 });
    four.setsockopt(IPPROTO_IP, IP_RECVTOS, 1);
    six.setsockopt(IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
    t.inject({ tos: 0x2c });
    t.inject({ family: 6, tos: 0x30, destinationPort: 54 });
    expect([t.received(four)?.tos, t.received(six)?.tos]).to.deep.equal([0x2c, 0x30]);
  });
});
