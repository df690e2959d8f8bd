/** Hosts with a thousand of something: what is found is what a look at one after the other would find, and few are looked at. */
import { expect } from 'chai';
import fc from 'fast-check';
import { createHost } from '../../src/host.ts';
import type { InboundPacket } from '../../src/ip/inbound.ts';
import { AF_INET, SO_REUSEADDR, SOCK_DGRAM, SOL_SOCKET } from '../../src/socket/constants.ts';
import type { DatagramSocket } from '../../src/socket/datagram-socket.ts';
import { Demux } from '../../src/stack/demux.ts';
import { hashAddress } from '../../src/stack/hash-address.ts';
import type { Interface } from '../../src/stack/interface.ts';
import { OwnAddresses } from '../../src/stack/own-addresses.ts';
import { type Route, Routes } from '../../src/stack/routes.ts';
import { ANY_DEVICE, type DatagramEnds, scoreOf, UdpTable } from '../../src/stack/udp-table.ts';
import { defaultConfig } from '../../src/tcp/config.ts';
import type { Listener } from '../../src/tcp/listener.ts';
import { NOTHING_RARE } from '../../src/tcp/rare-settings.ts';
import { seededRandom } from '../../src/time/random.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { UdpEndpoint } from '../../src/udp/endpoint.ts';
import type { RingPool } from '../../src/udp/ring-pool.ts';
import { IPV4_ANY, IPV6_ANY, IpAddress, inPrefix } from '../../src/wire/address.ts';
import { address } from './tap.ts';

const MANY = 1000;
/** Of a thousand. */
const FEW = 20;

const [ONE, TWO, DOWN] = [{ isUp: true }, { isUp: true }, { isUp: false }].map(
  (state) => ({ isClosed: false, ...state }) as Interface,
) as [Interface, Interface, Interface];

/** Addresses that have much in common. */
const anyAddress = fc.oneof(
  fc.integer({ min: 0, max: 0xff }).map((low) => IpAddress.v4(0x0a000000 | ((low & 0xf0) << 12) | (low & 0xf))),
  fc.integer({ min: 0, max: 0xff }).map((low) => IpAddress.v6(0xfd000000, (low >> 6) << 30, 0, low & 0x3f)),
);

const anyRoute: fc.Arbitrary<Route> = fc
  .record({
    destination: anyAddress,
    share: fc.constantFrom(0, 0.25, 0.3, 0.375, 0.5, 0.75, 0.875, 1),
    over: fc.constantFrom(ONE, TWO, DOWN),
    preference: fc.constantFrom(undefined, 1, 2),
  })
  .map(({ destination, share, over, preference }) => {
    return {
      destination,
      bits: Math.floor(share * (destination.family === 4 ? 32 : 128)),
      interface: over,
      preference,
    };
  });

/** As the rule says it. */
function bestOf(routes: readonly Route[], to: IpAddress, avoid?: Interface, only?: Interface): Route | undefined {
  const some = routes.filter(({ destination, bits, interface: over }) => {
    if (over === avoid || (only !== undefined && over !== only)) return false;
    return destination.family === to.family && inPrefix(to, destination, bits);
  });
  const order = (a: Route, b: Route) => b.bits - a.bits || (a.preference ?? 0) - (b.preference ?? 0);
  some.sort(order);
  return some.find((route) => route.interface.isUp) ?? some[0];
}

describe('many of a kind', () => {
  it('routes: the longest prefix, the best preference, the first added, before those without a carrier', () => {
    const property = fc.property(
      fc.array(anyRoute, { maxLength: 60 }),
      fc.array(fc.nat(), { maxLength: 10 }),
      anyAddress,
      fc.constantFrom(undefined, ONE),
      fc.constantFrom(undefined, TWO, DOWN),
      (all, gone, to, avoid, only) => {
        const routes = new Routes();
        for (const route of all) routes.add(route);
        routes.lookup(to);
        const left = all.filter((route, i) => !gone.includes(i) || !routes.remove(route));
        expect(routes.lookup(to, avoid, only)).to.equal(bestOf(left, to, avoid, only));
      },
    );
    fc.assert(property, { numRuns: 300 });
  });

  it('a thousand routes: a lookup looks at a few', () => {
    let looks = 0;
    const over = {
      isClosed: false,
      get isUp() {
        looks++;
        return true;
      },
    } as Interface;
    const routes = new Routes();
    for (let i = 0; i < MANY; i++) routes.add({ destination: IpAddress.v4(i << 16), bits: 16, interface: over });
    for (let i = 0; i < MANY; i++) expect(routes.lookup(IpAddress.v4((i << 16) | 7))?.destination.w3).to.equal(i << 16);
    expect(looks).to.be.below(MANY * 2);
  });

  it('a thousand addresses: each is found, with its interface, and no other', () => {
    const own = new OwnAddresses();
    for (let i = 0; i < MANY; i++) {
      own.add({ address: IpAddress.v4(0x0a000000 + i * 4 + 1), bits: 30 }, 2);
      own.add({ address: IpAddress.v6(0xfd000000, 0, i, 1), bits: 64 }, 3);
    }
    own.add({ address: address('10.0.0.1'), bits: 24 }, 9);
    for (let i = 0; i < MANY; i++) {
      const word = 0x0a000000 + i * 4;
      expect(own.find(0, 0, 0xffff, word + 1)?.device).to.equal(2);
      expect(own.find(0, 0, 0xffff, word + 2)).to.equal(undefined);
      expect(own.isBroadcast(word + 3)).to.equal(true);
      expect(own.isBroadcast(word + 1)).to.equal(false);
      expect(own.find(0xfd000000 | 0, 0, i, 1)?.device).to.equal(3);
    }
  });

  it('addresses that follow one another lie in places of their own', () => {
    for (const shift of [0, 8, 16]) {
      const chains = new Map<number, number>();
      for (let i = 0; i < MANY; i++) {
        const at = hashAddress(0, 0, 0xffff, 0x0a000000 + (i << shift)) & 1023;
        chains.set(at, (chains.get(at) ?? 0) + 1);
      }
      expect(Math.max(...chains.values()), `steps of ${1 << shift}`).to.be.below(9);
    }
  });

  it('a thousand listeners at one port: a SYN meets that of its address, one for all addresses when there is none', () => {
    const demux = new Demux(seededRandom(1));
    let looks = 0;
    const listener = (local: IpAddress) =>
      ({
        local,
        localPort: 80,
        get settings() {
          looks++;
          return { rare: NOTHING_RARE };
        },
      }) as unknown as Listener;
    const all = Array.from({ length: MANY }, (_, i) => listener(IpAddress.v4(0x0a000000 + i)));
    const anywhere = listener(IPV4_ANY);
    for (const each of [...all, anywhere]) demux.addListener(each);
    const find = (i: number) => demux.findListener(packetTo(0x0a000000 + i), 80, 4000, 0);
    for (let i = 0; i < MANY; i++) expect(find(i)).to.equal(all[i]);
    expect(looks).to.be.below(MANY * FEW);
    expect(find(MANY)).to.equal(anywhere);
    // One at the very address that is held to another interface does not stand in the way.
    const elsewhere = { local: IpAddress.v4(0x0a000000 + MANY), localPort: 80, settings: { rare: { device: 5 } } };
    demux.addListener(elsewhere as Listener);
    expect(find(MANY)).to.equal(anywhere);
    demux.removeListener(elsewhere as Listener);
    demux.removeListener(all[7] as Listener);
    expect(find(7)).to.equal(anywhere);
    expect([...demux.listeners()]).to.have.members(all.filter((_, i) => i !== 7).concat(anywhere));
    for (const each of [...demux.listeners()]) demux.removeListener(each);
    expect(find(8)).to.equal(undefined);
  });

  it('datagrams meet the endpoint with the best score, the last to come among equals', () => {
    const port = fc.constantFrom(0, 5, 6);
    const some = fc.constantFrom(...['10.0.0.1', '10.0.0.2', 'fd00::1', 'fd00::2'].map(address));
    const one = fc.record({
      family: fc.constantFrom<4 | 6>(4, 6),
      local: fc.option(some, { nil: undefined }),
      remote: fc.option(some, { nil: undefined }),
      port,
      device: fc.constantFrom(0, 0, 0, 2),
    });
    const property = fc.property(
      fc.array(one, { minLength: 10, maxLength: 80 }),
      fc.array(fc.tuple(some, some, port, fc.constantFrom(ANY_DEVICE, 2, 3)), { maxLength: 20 }),
      (all, datagrams) => {
        const table = new UdpTable(defaultConfig(), seededRandom(1));
        const endpoints = all.map((given) => endpointOf(given));
        for (const endpoint of endpoints) table.add(endpoint);
        for (const [to, from, remotePort, device] of datagrams) {
          const ends = endsOf(to, from);
          let best: UdpEndpoint | undefined;
          for (const each of [...endpoints].reverse()) {
            const score = scoreOf(each, ends, remotePort, device);
            if (score > (best === undefined ? 0 : scoreOf(best, ends, remotePort, device))) best = each;
          }
          expect(table.find(ends, 7, remotePort, device)).to.equal(best);
        }
      },
    );
    fc.assert(property, { numRuns: 200 });
  });

  it('a thousand connected endpoints at one port: few are looked at; who gets another peer is found there', () => {
    const table = new UdpTable(defaultConfig(), seededRandom(1));
    const [own, peer] = [address('10.0.0.1'), address('10.0.0.2')];
    const endpoints = Array.from({ length: MANY }, (_, i) =>
      endpointOf({ family: 4, local: own, remote: peer, port: 1000 + i, device: 0 }),
    );
    let looks = 0;
    for (const endpoint of endpoints) {
      table.add(endpoint);
      Object.defineProperty(endpoint, 'family', {
        get: () => {
          looks++;
          return 4;
        },
      });
    }
    const find = (port: number) => table.find(endsOf(own, peer), 7, port, ANY_DEVICE);
    for (let i = 0; i < MANY; i++) expect(find(1000 + i)).to.equal(endpoints[i]);
    expect(looks).to.be.below(MANY * FEW);
    const first = endpoints[0] as UdpEndpoint;
    first.remotePort = 9;
    table.changed(first);
    expect(find(1000)).to.equal(undefined);
    expect(find(9)).to.equal(first);
  });

  it('sockets that share a port: connect and disconnect count from the next datagram on', async () => {
    const clock = new VirtualClock();
    const host = createHost({ loopback: true, clock });
    const [to, port] = [address('127.0.0.1'), 53];
    const sockets = Array.from({ length: 20 }, () => {
      const socket = host.socket(AF_INET, SOCK_DGRAM) as DatagramSocket;
      socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
      expect(socket.bind({ address: to, port })).to.equal(0);
      return socket;
    });
    const sender = host.socket(AF_INET, SOCK_DGRAM) as DatagramSocket;
    expect(sender.bind({ address: to, port: 4000 })).to.equal(0);
    const reached = async () => {
      expect(sender.send(new Uint8Array(3), 0, { address: to, port })).to.equal(3);
      await clock.advance(1);
      const bytes = new Uint8Array(9);
      return sockets.flatMap((socket, i) => (socket.recv(bytes) === 3 ? [i] : []));
    };
    expect(await reached()).to.deep.equal([19]);
    expect(sockets[4]?.connect({ address: to, port: 4000 })).to.equal(0);
    expect(await reached()).to.deep.equal([4]);
    expect(sockets[4]?.disconnect()).to.equal(0);
    expect(await reached()).to.deep.equal([19]);
    host.close();
  });
});

function packetTo(word: number): InboundPacket {
  return { family: 4, s0: 0, s1: 0, s2: 0xffff, s3: 1, d0: 0, d1: 0, d2: 0xffff, d3: word } as InboundPacket;
}

function endsOf(to: IpAddress, from: IpAddress): DatagramEnds {
  const { w0: d0, w1: d1, w2: d2, w3: d3 } = to;
  const { w0: s0, w1: s1, w2: s2, w3: s3 } = from;
  return { family: to.family, s0, s1, s2, s3, d0, d1, d2, d3 };
}

interface GivenEndpoint {
  readonly family: 4 | 6;
  readonly local: IpAddress | undefined;
  readonly remote: IpAddress | undefined;
  readonly port: number;
  readonly device: number;
}

function endpointOf({ family, local, remote, port, device }: GivenEndpoint): UdpEndpoint {
  const any = family === 4 ? IPV4_ANY : IPV6_ANY;
  const endpoint = new UdpEndpoint(family, local ?? any, {} as RingPool, 0, 0, 0);
  endpoint.localPort = 7;
  endpoint.remote = remote;
  endpoint.remotePort = remote === undefined ? 0 : port;
  endpoint.device = device;
  return endpoint;
}
