/** SO_BINDTODEVICE: a socket that is held to one interface; as Linux 6.18 behaves. */
import { expect } from 'chai';
import { buildSegment, readPacket, type Segment } from '../../src/packetdrill/segment.ts';
import {
  AF_INET,
  AF_INET6,
  SO_BINDTODEVICE,
  SO_BINDTOIFINDEX,
  SO_ERROR,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../../src/socket/constants.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import {
  EADDRNOTAVAIL,
  EAGAIN,
  ECONNREFUSED,
  EINPROGRESS,
  EINVAL,
  ENETUNREACH,
  ENODEV,
} from '../../src/socket/errno.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { ACK, RST, SYN } from '../../src/wire/tcp.ts';
import { address, type Bench, bench, prefix, TapLink } from '../stack/tap.ts';

/** `a` (interface 2) has 10.1.0.1 and 2001:db8:a::1, `b` (3) has 10.2.0.1 and 2001:db8:b::1 and the default routes. */
class Host {
  readonly a = new TapLink('a');
  readonly b = new TapLink('b');
  readonly #bench: Bench = bench();

  constructor() {
    const { stack } = this.#bench;
    stack.addInterface(this.a, { addresses: [prefix('10.1.0.1/24'), prefix('2001:db8:a::1/64')] });
    const b = stack.addInterface(this.b, { addresses: [prefix('10.2.0.1/24'), prefix('2001:db8:b::1/64')] });
    stack.addRoute({ destination: address('0.0.0.0'), bits: 0, interface: b });
    stack.addRoute({ destination: address('::'), bits: 0, interface: b });
  }

  socket(domain = AF_INET): Socket {
    return createSocket(this.#bench.stack, domain, SOCK_STREAM, 0) as Socket;
  }

  held(device: string, domain = AF_INET): Socket {
    const socket = this.socket(domain);
    expect(socket.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, device)).to.equal(0);
    return socket;
  }

  listener(device: string | undefined, port = 80): Socket {
    const socket = device === undefined ? this.socket() : this.held(device);
    expect(socket.bind({ address: address('0.0.0.0'), port })).to.equal(0);
    expect(socket.listen(5)).to.equal(0);
    return socket;
  }

  turn(): Promise<void> {
    return this.#bench.clock.advance(0);
  }

  advance(ms: number): Promise<void> {
    return this.#bench.clock.advance(ms);
  }

  /** A segment from 10.9.9.9 comes over the link. */
  deliver(link: TapLink, to: string, segment: Partial<Segment>, sourcePort = 4000): void {
    const blank = { tos: 0, ttl: 64, flowLabel: 0, flags: SYN, seq: 100, ack: 0, win: 65_535, urg: 0, options: [] };
    const ends = { source: address('10.9.9.9'), sourcePort, destination: address(to), destinationPort: 80 };
    link.deliver(buildSegment(ends, { ...blank, length: 0, ...segment }));
  }

  /** What went out: `a: 10.1.0.1 > 10.9.9.9 SYN ACK`. */
  async sent(): Promise<string[]> {
    await this.turn();
    return [this.a, this.b].flatMap((link) => link.drain().map((bytes) => `${link.name}: ${textOf(bytes)}`));
  }
}

function textOf(bytes: Uint8Array): string {
  const read = readPacket(bytes);
  if (read.kind !== 'tcp') return read.kind;
  const { source, destination } = read.ends;
  const { flags } = read.segment;
  const letters = `${(flags & SYN) === 0 ? '' : 'S'}${(flags & RST) === 0 ? '' : 'R'}${(flags & ACK) === 0 ? '' : '.'}`;
  return `${source} > ${destination} ${letters}`;
}

describe('SO_BINDTODEVICE', () => {
  let t: Host;

  beforeEach(() => {
    t = new Host();
  });

  it('by name and by number, read back both ways; an empty name is none', () => {
    const socket = t.held('b');
    const get = () => [socket.getsockopt(SOL_SOCKET, SO_BINDTODEVICE), socket.getsockopt(SOL_SOCKET, SO_BINDTOIFINDEX)];
    expect(get()).to.deep.equal(['b', 3]);
    expect(socket.setsockopt(SOL_SOCKET, SO_BINDTOIFINDEX, 1)).to.equal(0);
    expect(get()).to.deep.equal(['lo', 1]);
    expect(socket.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, new TextEncoder().encode('a\0b'))).to.equal(0);
    expect(get()).to.deep.equal(['a', 2]);
    expect(socket.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, 'c')).to.equal(-ENODEV);
    expect(socket.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, 7)).to.equal(-EINVAL);
    expect(socket.setsockopt(SOL_SOCKET, SO_BINDTOIFINDEX, -1)).to.equal(-EINVAL);
    expect(socket.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, '')).to.equal(0);
    expect(get()).to.deep.equal(['', 0]);
  });

  it('a listener hears what comes over its interface, and nothing else', async () => {
    const listener = t.listener('a');
    t.deliver(t.b, '10.1.0.1', {});
    expect(await t.sent()).to.deep.equal(['b: 10.1.0.1 > 10.9.9.9 R.']);
    t.deliver(t.a, '10.1.0.1', {});
    // Back over the same interface, whatever the routes say.
    expect(await t.sent()).to.deep.equal(['a: 10.1.0.1 > 10.9.9.9 S.']);
    expect(listener.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, '')).to.equal(0);
    t.deliver(t.a, '10.1.0.1', {}, 4001);
    // The default route leads over the other.
    expect(await t.sent()).to.deep.equal(['b: 10.1.0.1 > 10.9.9.9 S.']);
  });

  it('one for the interface goes before one for all', async () => {
    const [all, own] = [t.socket(), t.held('a')];
    for (const socket of [all, own]) {
      socket.setsockopt(SOL_SOCKET, 15, 1);
      expect(socket.bind({ address: address('0.0.0.0'), port: 80 })).to.equal(0);
      socket.listen(5);
    }
    t.deliver(t.a, '10.1.0.1', {});
    await t.turn();
    const [bytes] = t.a.drain();
    const read = readPacket(bytes as Uint8Array);
    if (read.kind !== 'tcp') throw new Error(`a ${read.kind} came`);
    t.deliver(t.a, '10.1.0.1', { flags: ACK, seq: 101, ack: (read.segment.seq + 1) >>> 0 });
    await t.turn();
    expect(all.accept()).to.equal(-EAGAIN);
    const accepted = own.accept() as Socket;
    expect(accepted.getsockopt(SOL_SOCKET, SO_BINDTODEVICE)).to.equal('a');
  });

  it("a connection's segments count on its interface alone", async () => {
    const socket = t.held('a');
    socket.bind({ address: address('10.1.0.1'), port: 80 });
    expect(socket.connect({ address: address('10.9.9.9'), port: 4000 })).to.equal(-EINPROGRESS);
    await t.turn();
    const [bytes] = t.a.drain();
    const read = readPacket(bytes as Uint8Array);
    if (read.kind !== 'tcp') throw new Error(`a ${read.kind} came`);
    const synAck = { flags: SYN | ACK, ack: (read.segment.seq + 1) >>> 0 };
    t.deliver(t.b, '10.1.0.1', synAck);
    expect(await t.sent()).to.deep.equal(['b: 10.1.0.1 > 10.9.9.9 R']);
    t.deliver(t.a, '10.1.0.1', synAck);
    expect(await t.sent()).to.deep.equal(['a: 10.1.0.1 > 10.9.9.9 .']);
  });

  it('a connection does not go another way when its link is down', async () => {
    const socket = t.held('a');
    socket.bind({ address: address('10.1.0.1'), port: 80 });
    socket.connect({ address: address('10.9.9.9'), port: 4000 });
    await t.turn();
    const read = readPacket(t.a.drain()[0] as Uint8Array);
    if (read.kind !== 'tcp') throw new Error(`a ${read.kind} came`);
    t.deliver(t.a, '10.1.0.1', { flags: SYN | ACK, ack: (read.segment.seq + 1) >>> 0 });
    await t.turn();
    t.a.receiver.down();
    socket.send(new Uint8Array(10));
    // tcp_retries1 is over.
    await t.advance(60_000);
    expect(t.b.drain()).to.deep.equal([]);
  });

  it('connects over it, whatever other routes say; of IPv4 all is on its link', async () => {
    for (const [device, text] of [
      ['a', 'a: 10.1.0.1 > 192.0.2.1 S'],
      ['b', 'b: 10.2.0.1 > 192.0.2.1 S'],
    ] as const) {
      expect(t.held(device).connect({ address: address('192.0.2.1'), port: 80 })).to.equal(-EINPROGRESS);
      expect(await t.sent()).to.deep.equal([text]);
    }
    const six = { address: address('2001:db8:c::1'), port: 80 };
    expect(t.held('a', AF_INET6).connect(six)).to.equal(-ENETUNREACH);
    expect(t.held('b', AF_INET6).connect(six)).to.equal(-EINPROGRESS);
    expect(await t.sent()).to.deep.equal(['b: 2001:db8:b::1 > 2001:db8:c::1 S']);
  });

  it('a link-local address needs no zone then, and no other will do', async () => {
    const place = { address: address('fe80::9'), port: 80 };
    expect(t.socket(AF_INET6).connect(place)).to.equal(-EINVAL);
    expect(t.held('a', AF_INET6).connect({ ...place, address: place.address.withZone(3) })).to.equal(-EINVAL);
    const socket = t.held('a', AF_INET6);
    expect(socket.connect(place)).to.equal(-EINPROGRESS);
    expect((await t.sent())[0]).to.match(/^a: fe80::.* > fe80::9 S$/);
    // And the zone holds a socket to its interface as well.
    const zoned = t.socket(AF_INET6);
    zoned.connect({ ...place, address: place.address.withZone(3) });
    expect(zoned.getsockopt(SOL_SOCKET, SO_BINDTODEVICE)).to.equal('b');
  });

  it("the host's own addresses: those of the interface; through the loopback all", async () => {
    t.listener(undefined);
    for (const [device, to, result] of [
      ['a', '10.1.0.1', -EINPROGRESS],
      ['a', '10.2.0.1', -ENETUNREACH],
      ['a', '127.0.0.1', -ENETUNREACH],
      ['lo', '10.2.0.1', -EINPROGRESS],
      ['lo', '127.0.0.1', -EINPROGRESS],
    ] as const) {
      const socket = t.held(device);
      expect(socket.connect({ address: address(to), port: 80 }), `${device} ${to}`).to.equal(result);
    }
    expect(t.held('a', AF_INET6).bind({ address: address('::1'), port: 0 })).to.equal(-EADDRNOTAVAIL);
    expect(t.held('a', AF_INET6).bind({ address: address('2001:db8:b::1'), port: 0 })).to.equal(0);
  });

  it('what the host sends to itself came over the interface that has the address', async () => {
    t.listener('a');
    const outcome = async (to: string) => {
      const socket = t.socket();
      socket.connect({ address: address(to), port: 80 });
      await t.advance(10);
      return socket.getsockopt(SOL_SOCKET, SO_ERROR);
    };
    expect(await outcome('127.0.0.1')).to.equal(ECONNREFUSED);
    expect(await outcome('10.2.0.1')).to.equal(ECONNREFUSED);
    expect(await outcome('10.1.0.1')).to.equal(0);
  });

  it('stays when its link goes down, and moves when it is told to', async () => {
    const socket = t.held('a');
    socket.connect({ address: address('192.0.2.1'), port: 80 });
    expect(await t.sent()).to.deep.equal(['a: 10.1.0.1 > 192.0.2.1 S']);
    t.a.receiver.down();
    // Long enough for who may go another way to have looked for one.
    await t.advance(40_000);
    expect(t.b.drain()).to.deep.equal([]);
    t.a.receiver.up();
    await t.turn();
    t.a.drain();
    expect(socket.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, 'b')).to.equal(0);
    await t.advance(60_000);
    expect([...new Set(await t.sent())]).to.deep.equal(['b: 10.1.0.1 > 192.0.2.1 S']);
    expect(socket.setsockopt(SOL_SOCKET, SO_BINDTOIFINDEX, 99)).to.equal(-ENETUNREACH);
  });
});
