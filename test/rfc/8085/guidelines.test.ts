/** RFC 8085: what its guidelines ask of the stack under an application. */
import { expect } from 'chai';
import {
  IP_MTU,
  IP_MTU_DISCOVER,
  IP_PMTUDISC_DO,
  IP_PMTUDISC_PROBE,
  IPPROTO_IP,
  POLLOUT,
  SO_RCVBUF,
  SO_SNDBUF,
  SOL_SOCKET,
} from '../../../src/socket/constants.ts';
import { EAGAIN, EMSGSIZE } from '../../../src/socket/errno.ts';
import type { SocketAddress } from '../../../src/socket/socket-address.ts';
import { pattern } from '../../support/pair.ts';
import { HOST, PEER, to, UdpWire } from '../../support/udp-wire.ts';
import { readUdp } from '../../support/wire-datagram.ts';
import { buildIcmp } from '../../support/wire-segment.ts';

describe('RFC 8085: UDP usage guidelines', () => {
  let t: UdpWire;
  afterEach(() => t.end());

  it('3.2: the MTU of the path is told, and what is larger is refused to who asks for that', () => {
    t = new UdpWire(1280);
    const socket = t.socket(4);
    socket.setsockopt(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
    socket.connect(to(4));
    expect(socket.getsockopt(IPPROTO_IP, IP_MTU)).to.equal(1280);
    expect(socket.send(pattern(1252))).to.equal(1252);
    expect(socket.send(pattern(1253))).to.equal(-EMSGSIZE);
  });

  it('3.2: who probes for a larger MTU (RFC 8899) sends what the link takes, whatever routers said', async () => {
    t = new UdpWire();
    const socket = t.socket(4);
    socket.connect(to(4));
    socket.send(pattern(1472));
    const [quoted] = await t.sent();
    t.link.deliver(buildIcmp(PEER[4].w3, HOST[4].w3, 3, 4, 1000, (quoted as Uint8Array).subarray(0, 28)));
    socket.takeError();
    expect(socket.pathMtu()).to.equal(1000);
    socket.setsockopt(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
    expect(socket.send(pattern(1472))).to.equal(1472);
    const [probe, ...more] = await t.sent();
    expect(more).to.deep.equal([]);
    expect(readUdp(probe as Uint8Array)).to.include({ length: 1480, dontFragment: true });
    expect(socket.send(pattern(1473))).to.equal(-EMSGSIZE);
  });

  it('3.1.6: what the link has no room for is held back, up to the send buffer, and the sender is told', async () => {
    t = new UdpWire();
    const socket = t.socket(4, 53);
    socket.setsockopt(SOL_SOCKET, SO_SNDBUF, 20_000);
    t.link.room = 0;
    let sent = 0;
    while (socket.send(pattern(1000), 0, to(4)) === 1000) sent++;
    expect(sent).to.be.within(10, 30);
    expect(socket.send(pattern(1), 0, to(4))).to.equal(-EAGAIN);
    expect(socket.poll() & POLLOUT).to.equal(0);
    expect(t.stack.counters.UdpSndbufErrors).to.be.greaterThan(0);
    expect(t.stack.udp.list()[0]?.sendQ).to.be.within(40_000, 50_000);
    const masks: number[] = [];
    socket.onReady = (mask) => masks.push(mask);
    t.link.room = Infinity;
    t.link.receiver.writable();
    expect(await t.sent()).to.have.length(sent);
    expect(masks.at(-1)).to.equal(POLLOUT);
    expect(t.stack.udp.list()[0]?.sendQ).to.equal(0);
    expect(socket.send(pattern(1), 0, to(4))).to.equal(1);
  });

  it('3.2: a datagram goes in all its fragments, or waits', async () => {
    t = new UdpWire();
    const socket = t.socket(4, 53);
    socket.setsockopt(SOL_SOCKET, SO_SNDBUF, 1_000_000);
    t.link.room = 0;
    let sent = 0;
    while (socket.send(pattern(65_507), 0, to(4)) === 65_507) sent++;
    // 45 fragments each, 128 places.
    expect(sent).to.equal(2);
    expect(t.stack.counters).to.include({ FragOKs: 2, FragFails: 0 });
    t.link.room = 20;
    t.link.receiver.writable();
    expect(await t.sent()).to.have.length(20);
    expect(socket.send(pattern(65_507), 0, to(4))).to.equal(65_507);
    expect(socket.send(pattern(65_507), 0, to(4))).to.equal(-EAGAIN);
    t.link.room = Infinity;
    t.link.receiver.writable();
    expect(await t.sent()).to.have.length(115);
    expect(t.stack.counters).to.include({ FragOKs: 3, FragFails: 0, FragCreates: 135 });
  });

  it('5.1: ports that are not chosen are not to be guessed (RFC 6056)', () => {
    t = new UdpWire();
    const ports = Array.from({ length: 50 }, () => {
      const socket = t.socket(4, 0);
      return (socket.getsockname() as SocketAddress).port;
    });
    expect(new Set(ports).size).to.equal(50);
    for (const port of ports) expect(port).to.be.within(32_768, 60_999);
    const steps = new Set(ports.slice(1).map((port, i) => port - (ports[i] as number)));
    expect(steps.size).to.be.greaterThan(45);
  });

  it('5.1: a range that is used up gives no port', () => {
    t = new UdpWire(1500, { ip_local_port_range: [40_000, 40_002] });
    const ports = [0, 0, 0].map(() => (t.socket(4, 0).getsockname() as SocketAddress).port);
    expect(ports.sort()).to.deep.equal([40_000, 40_001, 40_002]);
    expect(t.socket(4).send(pattern(1), 0, to(4))).to.equal(-EAGAIN);
    expect(() => t.socket(4, 0)).to.throw('bind: -98');
  });

  it('5.1: a flood does not take more memory than the receive buffer allows', () => {
    t = new UdpWire();
    const socket = t.socket(4, 53);
    socket.setsockopt(SOL_SOCKET, SO_RCVBUF, 100_000);
    for (let i = 0; i < 20_000; i++) t.inject({ data: pattern(i % 1400) });
    const { queue } = socket.endpoint;
    expect(queue.memory).to.be.at.most(200_000);
    expect(queue.bytes).to.be.lessThan(queue.memory);
    expect(t.stack.counters.UdpRcvbufErrors).to.equal(20_000 - queue.count);
    expect(t.stack.slab.live).to.equal(0);
  });
});
