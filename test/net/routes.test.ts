/** Routes of a host: which goes before which, and as they change while it runs. */
import { expect } from 'chai';
import { createHost, type Host } from '../../src/host.ts';
import type { OpError } from '../../src/net/op-error.ts';
import type { RouteOptions } from '../../src/net/route-options.ts';
import { UDPAddr } from '../../src/net/udp-addr.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { TapLink } from '../stack/tap.ts';
import { rejection } from '../support/pair.ts';

/** A host on two networks. */
class Net {
  readonly clock = new VirtualClock();
  readonly one = new TapLink('one');
  readonly two = new TapLink('two');
  readonly host: Host;

  constructor(routes: readonly RouteOptions[] = []) {
    const links = [
      { link: this.one, address: ['10.1.0.1/24', '10.1.0.7/24'] },
      { link: this.two, address: '10.2.0.1/24' },
    ];
    this.host = createHost({ links, routes, clock: this.clock, seed: 1 });
  }

  /** Where a SYN to the address goes: `one from 10.1.0.1`; or the code of the error. */
  async way(to: string): Promise<string> {
    const dialled = rejection(this.host.dial('tcp', `${to}:80`, { timeout: 1 }));
    await this.clock.advance(0);
    const went = this.host.sockets().find(({ remote }) => remote === `${to}:80`);
    const { name } = this.one.drain().length > 0 ? this.one : this.two;
    this.two.drain();
    const { code } = (await this.clock.run({ until: dialled })) as OpError;
    return went === undefined ? code : `${name} from ${went.local.split(':')[0]}`;
  }
}

describe('routes of a host', () => {
  it('RFC 1812 5.2.4.4: of two to the same network the preferred one goes first, in whichever order they came', async () => {
    const two = { destination: '0.0.0.0/0', via: '10.2.0.254', preference: 10 };
    const one = { destination: '0.0.0.0/0', via: '10.1.0.254', preference: 5 };
    for (const routes of [
      [one, two],
      [two, one],
    ])
      expect(await new Net(routes).way('192.0.2.1')).to.equal('one from 10.1.0.1');
  });

  it('a longer prefix goes before a preferred one', async () => {
    const t = new Net([
      { destination: '192.0.0.0/8', via: '10.1.0.254' },
      { destination: '192.0.2.0/24', via: '10.2.0.254', preference: 100 },
    ]);
    expect(await t.way('192.0.2.1')).to.equal('two from 10.2.0.1');
    expect(await t.way('192.0.3.1')).to.equal('one from 10.1.0.1');
  });

  it('RFC 1812 5.3.12.3: while a link has no carrier the next route serves, and its own when it is the only one', async () => {
    const t = new Net([
      { destination: '0.0.0.0/0', via: '10.1.0.254' },
      { destination: '0.0.0.0/0', via: '10.2.0.254', preference: 1 },
    ]);
    t.one.receiver.down();
    expect(await t.way('192.0.2.1')).to.equal('two from 10.2.0.1');
    expect(t.host.routes().map(({ destination, interface: over, up }) => [destination, over, up])).to.deep.equal([
      ['10.1.0.0/24', 'one', false],
      ['10.1.0.0/24', 'one', false],
      ['10.2.0.0/24', 'two', true],
      ['0.0.0.0/0', 'one', false],
      ['0.0.0.0/0', 'two', true],
    ]);
    t.two.receiver.down();
    // Nothing leaves, and nothing fails: the link may come back.
    expect(await t.way('192.0.2.1')).to.match(/ from 10\.1\.0\.1$/);
    t.one.receiver.up();
    expect(await t.way('192.0.2.1')).to.equal('one from 10.1.0.1');
  });

  it('datagrams of a socket go over the next route, too, and back', async () => {
    const t = new Net([
      { destination: '0.0.0.0/0', via: '10.1.0.254' },
      { destination: '0.0.0.0/0', via: '10.2.0.254', preference: 1 },
    ]);
    const conn = await t.host.listenPacket('udp4', ':0');
    const went = async () => {
      await conn.writeTo(new Uint8Array(1), new UDPAddr('192.0.2.1', 53));
      await t.clock.advance(0);
      return [t.one, t.two].filter((link) => link.drain().length > 0).map(({ name }) => name);
    };
    expect(await went()).to.deep.equal(['one']);
    t.one.receiver.down();
    expect(await went()).to.deep.equal(['two']);
    t.one.receiver.up();
    expect(await went()).to.deep.equal(['one']);
    t.host.addRoute({ destination: '192.0.2.0/24', type: 'prohibit' });
    const error = await rejection(conn.writeTo(new Uint8Array(1), new UDPAddr('192.0.2.1', 53)));
    expect((error as OpError).code).to.equal('EACCES');
    conn.close();
  });

  it('source: the address to speak from', async () => {
    const t = new Net([{ destination: '192.0.2.0/24', via: '10.1.0.254', source: '10.1.0.7' }]);
    expect(await t.way('192.0.2.1')).to.equal('one from 10.1.0.7');
    expect(await t.way('10.1.0.9')).to.equal('one from 10.1.0.1');
  });

  for (const [type, code] of [
    ['blackhole', 'EINVAL'],
    ['unreachable', 'EHOSTUNREACH'],
    ['prohibit', 'EACCES'],
  ] as const)
    it(`a route that is ${type}: ${code}, as on Linux; what is narrower goes before it`, async () => {
      const t = new Net([
        { destination: '192.0.2.0/24', type },
        { destination: '192.0.2.8/32', via: '10.1.0.254' },
        { destination: '0.0.0.0/0', via: '10.1.0.254' },
      ]);
      expect(await t.way('192.0.2.1')).to.equal(code);
      expect(await t.way('192.0.2.8')).to.equal('one from 10.1.0.1');
      expect(await t.way('192.0.3.1')).to.equal('one from 10.1.0.1');
      expect(t.host.counters.OutNoRoutes).to.equal(1);
      expect(t.host.removeRoute({ destination: '192.0.2.0/24' })).to.equal(true);
      expect(await t.way('192.0.2.1')).to.equal('one from 10.1.0.1');
    });

  it('addRoute, removeRoute: what is opened from then on follows', async () => {
    const t = new Net();
    expect(await t.way('192.0.2.1')).to.equal('ENETUNREACH');
    t.host.addRoute({ destination: '192.0.2.0/24', via: '10.2.0.254', metrics: { mtu: 1400 } });
    expect(await t.way('192.0.2.1')).to.equal('two from 10.2.0.1');
    expect(t.host.routes()).to.deep.include({
      destination: '192.0.2.0/24',
      via: '10.2.0.254',
      interface: 'two',
      preference: 0,
      source: undefined,
      type: 'unicast',
      metrics: { mtu: 1400 },
      up: true,
    });
    expect(t.host.removeRoute({ destination: '192.0.2.0/25' })).to.equal(false);
    expect(t.host.removeRoute({ destination: '192.0.2.0/24', via: '10.2.0.253' })).to.equal(false);
    expect(t.host.removeRoute({ destination: '192.0.2.0/24', interface: 'one' })).to.equal(false);
    expect(t.host.removeRoute({ destination: '192.0.2.0/24', preference: 1 })).to.equal(false);
    expect(
      t.host.removeRoute({ destination: '192.0.2.77/24', via: '10.2.0.254', interface: 'two', preference: 0 }),
    ).to.equal(true);
    expect(await t.way('192.0.2.1')).to.equal('ENETUNREACH');
  });

  for (const named of ['by addRoute', 'by createHost', undefined])
    it(`an IPv6 gateway may be link-local, on ${named === undefined ? 'the only interface with IPv6' : `the interface that is named, ${named}`}`, async () => {
      const clock = new VirtualClock();
      const link = new TapLink('one');
      const links = [
        { link, name: 'one', address: 'fd00::1/64' },
        { link: new TapLink('two'), address: named === undefined ? '10.2.0.1/24' : 'fd01::1/64' },
      ];
      const route = { destination: '::/0', via: 'fe80::9', interface: named === undefined ? undefined : 'one' };
      const host = createHost({ links, routes: named === 'by createHost' ? [route] : [], clock, seed: 1 });
      if (named !== undefined)
        expect(() => host.addRoute({ destination: '::/0', via: 'fe80::9' })).to.throw(
          TypeError,
          'addRoute: route needs interface: fe80::9 may be on any of the 2 links with IPv6',
        );
      if (named !== 'by createHost') host.addRoute(route);
      const dialled = rejection(host.dial('tcp', '[2001:db8::1]:80', { timeout: 10 }));
      await clock.run({ until: dialled });
      expect(link.nextHops.map((hop) => `${hop?.withZone(0)} ${hop?.zone}`)).to.deep.equal(['fe80::9 2']);
      expect(host.routes().at(-1)).to.include({ destination: '::/0', via: 'fe80::9', interface: 'one' });
    });

  for (const when of ['by createHost', 'by addRoute'])
    it(`the source of a route may be link-local, of its own link alone, ${when}`, async () => {
      const clock = new VirtualClock();
      const [one, two] = [new TapLink('one'), new TapLink('two')];
      const links = [
        { link: one, address: 'fe80::1/64' },
        { link: two, address: ['fe80::2/64', 'fd02::2/64'] },
      ];
      const route = { destination: '2001:db8::/32', interface: 'two', source: 'fe80::2' };
      const host = createHost({ links, routes: when === 'by createHost' ? [route] : [], clock, seed: 1 });
      if (when === 'by addRoute') host.addRoute(route);
      expect(() => host.addRoute({ ...route, source: 'fe80::1' })).to.throw('fe80::1 is not an address of the host');
      const dialled = rejection(host.dial('tcp', '[2001:db8::1]:80', { timeout: 10 }));
      await clock.advance(0);
      expect(host.sockets().map(({ local }) => local.replace(/:\d+$/, ''))).to.deep.equal(['[fe80::2%3]']);
      expect(host.routes().find(({ destination }) => destination === '2001:db8::/32')?.source).to.equal('fe80::2');
      await clock.run({ until: dialled });
    });

  it('a route in place of another: the same network, interface and preference', () => {
    const t = new Net([{ destination: '0.0.0.0/0', via: '10.1.0.254' }]);
    t.host.addRoute({ destination: '0.0.0.0/0', via: '10.1.0.253' });
    t.host.addRoute({ destination: '0.0.0.0/0', via: '10.1.0.252', preference: 1 });
    t.host.addRoute({ destination: '0.0.0.0/0', via: '10.2.0.252' });
    const gateways = t.host.routes().filter(({ destination }) => destination === '0.0.0.0/0');
    expect(gateways.map(({ via }) => via)).to.deep.equal(['10.1.0.253', '10.2.0.252', '10.1.0.252']);
  });

  for (const [route, message] of [
    [{ destination: '192.0.2.0/24', gateway: '10.1.0.2' }, 'there is no option gateway'],
    [{ destination: '192.0.2.0/24', via: '10.1.0.2', preference: -1 }, 'preference must be an integer >= 0, got -1'],
    [{ destination: '192.0.2.0/24', via: '10.1.0.2', source: '10.1.0.2' }, '10.1.0.2 is not an address of the host'],
    [{ destination: '192.0.2.0/24', via: '10.1.0.2', source: 5 }, 'source must be an address'],
    [
      { destination: '192.0.2.0/24', type: 'throw' },
      'type must be unicast, blackhole, unreachable, prohibit, got throw',
    ],
    [{ destination: '192.0.2.0/24', type: 'blackhole', via: '10.1.0.2' }, 'has no via, interface or source'],
    [{ destination: '192.0.2.0/24' }, 'addRoute: route needs via or interface: the host has 2 links'],
  ] as const)
    it(`addRoute: ${message}`, () => {
      expect(() => new Net().host.addRoute(route as never)).to.throw(TypeError, message);
    });
});
