/**
 * Three hosts and two routers, in memory:
 *
 *     A ── R1 ── R2 ── B
 *          │      │
 *        probe    C
 */
import { expect } from 'chai';
import { createHost, type Host } from '../../src/host.ts';
import { createEthernet } from '../../src/link/ethernet.ts';
import type { Link } from '../../src/link/link.ts';
import { createPipe } from '../../src/link/pipe.ts';
import { createSwitch, type Switch } from '../../src/link/switch.ts';
import type { LinkOptions } from '../../src/net/host-options.ts';
import type { RouteOptions } from '../../src/net/route-options.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { buildDatagram, readDatagram, readError } from '../support/datagram.ts';
import { pattern, readFully, rejection } from '../support/pair.ts';
import { Probe } from '../support/probe.ts';

const NAMES = ['A', 'B', 'C'] as const;

class Net {
  readonly clock = new VirtualClock();
  readonly hosts: Readonly<Record<(typeof NAMES)[number], Host>>;
  readonly routers: readonly [Host, Host];
  readonly probe: Probe;

  constructor() {
    const { clock } = this;
    const [a, ra] = createPipe({ latency: 1 });
    const [b, rb] = createPipe({ latency: 1, offload: false });
    const [c, rc] = createPipe({ latency: 1, mtu: 1400 });
    const [p, rp] = createPipe({ latency: 1, offload: false });
    const [r1, r2] = createPipe({ latency: 1 });
    const host = (link: Link, n: number) =>
      createHost({
        link,
        address: [`10.0.${n}.1/24`, `2001:db8:${n}::1/64`],
        routes: [
          { destination: '0.0.0.0/0', via: `10.0.${n}.254` },
          { destination: '::/0', via: `2001:db8:${n}::254` },
        ],
        clock,
        seed: n,
      });
    this.hosts = { A: host(a, 1), B: host(b, 2), C: host(c, 3) };
    const port = (link: Link, n: number, own: number): LinkOptions => ({
      link,
      name: `n${n}`,
      address: [`10.0.${n}.${own}/24`, `2001:db8:${n}::${own}/64`],
    });
    const routes = (own: number, networks: readonly number[]): RouteOptions[] =>
      networks.flatMap((n) => [
        { destination: `10.0.${n}.0/24`, via: `10.0.9.${3 - own}` },
        { destination: `2001:db8:${n}::/64`, via: `2001:db8:9::${3 - own}` },
      ]);
    const router = (own: number, links: LinkOptions[], networks: readonly number[]) =>
      createHost({ links, routes: routes(own, networks), forwarding: true, clock, seed: 10 + own });
    this.routers = [
      router(1, [port(ra, 1, 254), port(rp, 4, 254), port(r1, 9, 1)], [2, 3]),
      router(2, [port(rb, 2, 254), port(rc, 3, 254), port(r2, 9, 2)], [1, 4]),
    ];
    this.probe = new Probe(p, clock);
  }

  /** Bytes both ways over TCP. */
  async exchange(from: Host, to: Host, family: 4 | 6): Promise<void> {
    const ip = to.addresses.find((address) => address.family === family);
    const listener = await to.listen('tcp', family === 4 ? `${ip}:0` : `[${ip}]:0`);
    const { run } = { run: <T>(until: Promise<T>) => this.clock.run({ until }) };
    const [dialled, accepted] = await run(
      Promise.all([from.dial('tcp', listener.addr().toString()), listener.accept()]),
    );
    const bytes = pattern(100_000);
    const both = [dialled, accepted].flatMap((conn) => [conn.write(bytes), readFully(conn, bytes.length)] as const);
    const [, one, , other] = await run(Promise.all(both));
    for (const got of [one, other]) expect(Buffer.compare(got as Uint8Array, bytes)).to.equal(0);
    dialled.close();
    accepted.close();
    listener.close();
  }

  async close(): Promise<void> {
    await Promise.all([...Object.values(this.hosts), ...this.routers].map((host) => host.close({ timeout: 0 })));
  }
}

describe('three hosts and two routers', () => {
  let net: Net;
  beforeEach(() => {
    net = new Net();
  });
  afterEach(() => net.close());

  for (const family of [4, 6] as const)
    for (const [from, to] of [
      ['A', 'B'],
      ['B', 'A'],
      ['A', 'C'],
      ['C', 'B'],
    ] as const)
      it(`IPv${family}: ${from} and ${to} exchange data, whatever their links can`, async () => {
        await net.exchange(net.hosts[from], net.hosts[to], family);
        const { OutDiscards, Ip6OutDiscards, InHdrErrors, Ip6InHdrErrors } = net.routers[0].counters;
        expect({ OutDiscards, Ip6OutDiscards, InHdrErrors, Ip6InHdrErrors }).to.deep.equal({
          OutDiscards: 0,
          Ip6OutDiscards: 0,
          InHdrErrors: 0,
          Ip6InHdrErrors: 0,
        });
      });

  for (const [family, from, to, hops] of [
    [4, '10.0.4.1', '10.0.2.1', ['10.0.4.254', '10.0.9.2', '10.0.2.1']],
    [6, '2001:db8:4::1', '2001:db8:2::1', ['2001:db8:4::254', '2001:db8:9::2', '2001:db8:2::1']],
  ] as const)
    it(`IPv${family}: a trace names the routers in their order, and ends with port unreachable`, async () => {
      const seen = [];
      for (let ttl = 1; ttl <= 3; ttl++) {
        net.probe.send(buildDatagram({ from, to, ttl }));
        await net.clock.advance(20);
        for (const bytes of net.probe.drain()) {
          const error = readError(bytes);
          seen.push([error.from, error.type, error.code]);
          expect(readDatagram(bytes).ttl).to.equal(65 - ttl);
        }
      }
      const [exceeded, unreachable] =
        family === 4
          ? [
              [11, 0],
              [3, 3],
            ]
          : ([
              [3, 0],
              [1, 4],
            ] as const);
      const [first, second, last] = hops;
      expect(seen).to.deep.equal([
        [first, ...(exceeded as number[])],
        [second, ...(exceeded as number[])],
        [last, ...(unreachable as number[])],
      ]);
    });

  it('forwarding can be turned off and on while it runs', async () => {
    const [first] = net.routers;
    const reaches = async () => {
      net.probe.send(buildDatagram({ from: '10.0.4.1', to: '10.0.2.1' }));
      await net.clock.advance(20);
      return net.probe.drain().length === 1;
    };
    expect([first.forwarding, await reaches()]).to.deep.equal([true, true]);
    first.forwarding = false;
    expect([first.forwarding, await reaches()]).to.deep.equal([false, false]);
    first.sysctl.ip_forward = true;
    expect([first.forwarding, await reaches()]).to.deep.equal([false, true]);
    expect(() => {
      first.forwarding = 1 as never;
    }).to.throw(TypeError, 'forwarding must be true or false, got 1');
    expect(() => createHost({ forwarding: 'yes' as never })).to.throw(TypeError, 'createHost: forwarding must be');
  });
});

describe('a router between two Ethernets', () => {
  const clock = new VirtualClock();
  const lan = (seed: number) => createSwitch({ clock, seed });
  const [one, two] = [lan(1), lan(2)];
  const port = (on: Switch, seed: number) => createEthernet(on.port(), { duplicateDetection: false, seed });
  const host = (on: Switch, n: number) =>
    createHost({
      link: port(on, n),
      address: [`10.0.${n}.1/24`, `fd0${n}::1/64`],
      routes: [
        { destination: '0.0.0.0/0', via: `10.0.${n}.254` },
        { destination: '::/0', via: `fd0${n}::fe` },
      ],
      clock,
      seed: n,
    });
  const [a, b] = [host(one, 1), host(two, 2)];
  const router = createHost({
    links: [
      { link: port(one, 3), name: 'one', address: ['10.0.1.254/24', 'fd01::fe/64'] },
      { link: port(two, 4), name: 'two', address: ['10.0.2.254/24', 'fd02::fe/64'] },
    ],
    forwarding: true,
    clock,
    seed: 5,
  });
  after(() => Promise.all([a, b, router].map((each) => each.close({ timeout: 0 }))));

  for (const [family, address] of [
    [4, '10.0.2.1'],
    [6, '[fd02::1]'],
  ] as const)
    it(`IPv${family}: hosts speak through their gateway`, async () => {
      const listener = await b.listen('tcp', `${address}:80`);
      const [dialled, accepted] = await clock.run({
        until: Promise.all([a.dial('tcp', `${address}:80`), listener.accept()]),
      });
      const bytes = pattern(50_000);
      const [, got] = await clock.run({
        until: Promise.all([dialled.write(bytes), readFully(accepted, bytes.length)]),
      });
      expect(Buffer.compare(got, bytes)).to.equal(0);
      listener.close();
    });

  for (const [family, address, counter] of [
    [4, '10.0.2.99', 'IcmpInDestUnreachs'],
    [6, '[fd02::99]', 'Icmp6InDestUnreachs'],
  ] as const)
    it(`IPv${family}, RFC 1812 5.2.7.1: who writes to a neighbour of the router's that is not there is told`, async () => {
      const before = a.counters[counter];
      const error = await clock.run({ until: rejection(a.dial('tcp', `${address}:80`, { timeout: 20_000 })) });
      expect(error.message).to.match(/i\/o timeout|no route to host/);
      expect(a.counters[counter]).to.be.greaterThan(before);
      expect(router.counters[family === 4 ? 'IcmpOutDestUnreachs' : 'Icmp6OutDestUnreachs']).to.be.greaterThan(0);
    });
});
