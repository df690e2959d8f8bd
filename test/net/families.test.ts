/** Both families under Go's face: dual-stack listeners, IPv6 peers, zones. */
import { expect } from 'chai';
import { createHost, type Host } from '../../src/host.ts';
import { createPipe } from '../../src/link/pipe.ts';
import type { OpError } from '../../src/net/op-error.ts';
import type { TCPListener } from '../../src/net/tcp-listener.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { pattern, rejection } from '../support/pair.ts';

interface Both {
  readonly clock: VirtualClock;
  readonly client: Host;
  readonly server: Host;
}

/** Two hosts with an address of each family on a pipe that the client calls `cable`, the server `eth0`. */
function hosts(): Both {
  const clock = new VirtualClock();
  const [near, far] = createPipe();
  const link = (end: typeof near, name: string, host: number) => ({
    links: [{ link: end, name, address: [`10.9.0.${host}/24`, `2001:db8::${host}/64`, `fe80::${host}/64`] }],
  });
  const client = createHost({ ...link(near, 'cable', 1), clock, seed: 1 });
  const server = createHost({ ...link(far, 'eth0', 2), clock, seed: 2 });
  return { clock, client, server };
}

describe('net: both families', () => {
  let t: Both;
  const run = <T>(until: Promise<T>) => t.clock.run({ until });

  beforeEach(() => {
    t = hosts();
  });

  afterEach(async () => {
    await Promise.all([t.client.close({ timeout: 0 }), t.server.close({ timeout: 0 })]);
    expect(t.clock.pending.held, 'held').to.equal(0);
  });

  /** Dials, and says who is at which end, as both sides see it. */
  async function ends(listener: TCPListener, address: string, network = 'tcp'): Promise<string[]> {
    const [dialled, accepted] = await run(Promise.all([t.client.dial(network, address), listener.accept()]));
    const port = (text: string) => text.replace(/:(?!80$)\d+$/, ':*');
    const texts = [dialled.localAddr(), dialled.remoteAddr(), accepted.localAddr(), accepted.remoteAddr()];
    const bytes = pattern(5000);
    const got = new Uint8Array(bytes.length);
    await run(
      Promise.all([
        dialled.write(bytes),
        (async () => {
          for (let at = 0; at < got.length; ) at += (await accepted.read(got.subarray(at))) as number;
        })(),
      ]),
    );
    expect(got).to.deep.equal(bytes);
    dialled.close();
    accepted.close();
    return texts.map((each) => port(each.toString()));
  }

  it('RFC 3493 3.7: one listener hears both; a peer of IPv4 is shown as one', async () => {
    const listener = await t.server.listen('tcp', ':80');
    expect(`${listener.addr()}`).to.equal('[::]:80');
    const [four, six] = ['10.9.0.2:80', '[2001:db8::2]:80'];
    expect(await ends(listener, four)).to.deep.equal(['10.9.0.1:*', four, four, '10.9.0.1:*']);
    expect(await ends(listener, six)).to.deep.equal(['[2001:db8::1]:*', six, six, '[2001:db8::1]:*']);
    expect(await ends(listener, '[::ffff:10.9.0.2]:80')).to.deep.equal(['10.9.0.1:*', four, four, '10.9.0.1:*']);
  });

  it('tcp4 and tcp6 hear their own, beside each other, whoever came first', async () => {
    for (const order of [
      ['tcp4', 'tcp6'],
      ['tcp6', 'tcp4'],
    ] as const) {
      const listeners = { tcp4: undefined, tcp6: undefined } as unknown as Record<'tcp4' | 'tcp6', TCPListener>;
      for (const network of order) listeners[network] = await t.server.listen(network, ':80');
      expect((await ends(listeners.tcp6, '[2001:db8::2]:80', 'tcp6'))[1]).to.equal('[2001:db8::2]:80');
      expect((await ends(listeners.tcp4, '10.9.0.2:80', 'tcp4'))[1]).to.equal('10.9.0.2:80');
      for (const network of order) listeners[network].close();
    }
    const only = await t.server.listen('tcp6', ':80');
    const refused = (await rejection(run(t.client.dial('tcp', '10.9.0.2:80')))) as OpError;
    expect(refused.code).to.equal('ECONNREFUSED');
    only.close();
  });

  describe('a second listener on the port (Go, on Linux)', () => {
    const wildcards = [':80', '0.0.0.0:80', '[::]:80', '[::ffff:0.0.0.0]:80'];
    for (const first of wildcards) {
      it(`beside ${first}: no other of all addresses`, async () => {
        await t.server.listen('tcp', first);
        for (const [network, second] of [
          ...wildcards.map((address) => ['tcp', address]),
          ['tcp4', ':80'],
          ['tcp6', ':80'],
          ['tcp', '127.0.0.1:80'],
          ['tcp', '[::1]:80'],
        ] as const) {
          const error = (await rejection(t.server.listen(network as string, second as string))) as OpError;
          expect(error.code, `${network} ${second}`).to.equal('EADDRINUSE');
        }
      });
    }

    it('127.0.0.1 and ::1 do not meet', async () => {
      await t.server.listen('tcp', '127.0.0.1:80');
      await t.server.listen('tcp', '[::1]:80');
      expect(((await rejection(t.server.listen('tcp', '[::1]:80'))) as OpError).code).to.equal('EADDRINUSE');
    });
  });

  it('the host itself: ::1, and no address at all', async () => {
    const listener = await t.client.listen('tcp', ':80');
    expect((await ends(listener, '[::1]:80')).slice(0, 2)).to.deep.equal(['[::1]:*', '[::1]:80']);
    expect((await ends(listener, '[::]:80'))[1]).to.equal('[::1]:80');
    expect((await ends(listener, ':80'))[1]).to.equal('127.0.0.1:80');
    expect((await ends(listener, ':80', 'tcp6'))[1]).to.equal('[::1]:80');
    expect((await ends(listener, '[2001:db8::1]:80')).slice(0, 2)).to.deep.equal([
      '[2001:db8::1]:*',
      '[2001:db8::1]:80',
    ]);
  });

  describe('zones', () => {
    it("RFC 4007 11: a link-local address with its interface's name, or number; each end has its own name for the link", async () => {
      const listener = await t.server.listen('tcp', ':80');
      const expected = ['[fe80::1%cable]:*', '[fe80::2%cable]:80', '[fe80::2%eth0]:80', '[fe80::1%eth0]:*'];
      expect(await ends(listener, '[fe80::2%cable]:80')).to.deep.equal(expected);
      expect(await ends(listener, '[fe80::2%2]:80')).to.deep.equal(expected);
      expect(t.client.addresses.map(String)).to.deep.equal(['10.9.0.1', '2001:db8::1', 'fe80::1%2']);
    });

    it('a listener on one', async () => {
      const listener = await t.server.listen('tcp', '[fe80::2%eth0]:80');
      expect(`${listener.addr()}`).to.equal('[fe80::2%eth0]:80');
      expect((await ends(listener, '[fe80::2%cable]:80'))[3]).to.equal('[fe80::1%eth0]:*');
    });

    for (const [address, message] of [
      ['[fe80::2]:80', 'dial tcp [fe80::2]:80: connect: invalid argument'],
      ['[fe80::2%nowhere]:80', 'dial tcp [fe80::2%nowhere]:80: connect: invalid argument'],
      ['[fe80::2%7]:80', 'dial tcp [fe80::2%7]:80: connect: network is unreachable'],
      ['[ff02::1%cable]:80', 'dial tcp [ff02::1%cable]:80: connect: network is unreachable'],
    ] as const) {
      it(message, async () => {
        expect((await rejection(run(t.client.dial('tcp', address)))).message).to.equal(message);
      });
    }

    it('of another address is kept for people, and means nothing', async () => {
      const listener = await t.server.listen('tcp', ':80');
      expect((await ends(listener, '[2001:db8::2%cable]:80'))[1]).to.equal('[2001:db8::2]:80');
    });

    for (const [address, message] of [
      ['[fe80::2]:80', 'listen tcp [fe80::2]:80: bind: invalid argument'],
      ['[fe80::9%eth0]:80', 'listen tcp [fe80::9%eth0]:80: bind: cannot assign requested address'],
      ['[2001:db8::9]:80', 'listen tcp [2001:db8::9]:80: bind: cannot assign requested address'],
    ] as const) {
      it(message, async () => {
        expect((await rejection(t.server.listen('tcp', address))).message).to.equal(message);
      });
    }
  });

  it('RFC 4291 2.1: a link with IPv6 has a link-local address, whoever gave it none', async () => {
    const [link] = createPipe();
    const host = createHost({ link, address: '2001:db8::5/64', clock: t.clock, seed: 3 });
    expect(host.addresses).to.have.lengthOf(2);
    expect(`${host.addresses[1]}`).to.match(/^fe80::[0-9a-f:]+%2$/);
    await host.close({ timeout: 0 });
  });

  it('a route by a link-local gateway', async () => {
    const [near, far] = createPipe();
    const [behind, end] = createPipe();
    const clock = t.clock;
    const links = [
      { link: far, name: 'a', address: ['2001:db8:a::1/64', 'fe80::1/64'] },
      { link: behind, name: 'b', address: '2001:db8:b::1/64' },
    ];
    const router = createHost({ links, forwarding: true, clock, seed: 4 });
    const route = { destination: '::/0', via: 'fe80::1', interface: 'up' };
    const from = createHost({
      links: [{ link: near, name: 'up', address: '2001:db8:a::2/64' }],
      routes: [route],
      clock,
      seed: 5,
    });
    const back = { destination: '::/0', via: '2001:db8:b::1' };
    const to = createHost({ link: end, address: '2001:db8:b::2/64', routes: [back], clock, seed: 6 });
    const listener = await to.listen('tcp', ':80');
    const [dialled, accepted] = await run(Promise.all([from.dial('tcp', '[2001:db8:b::2]:80'), listener.accept()]));
    expect(`${dialled.remoteAddr()}`).to.equal('[2001:db8:b::2]:80');
    expect(`${accepted.remoteAddr()}`).to.match(/^\[2001:db8:a::2\]:/);
    await Promise.all([router, from, to].map((host) => host.close({ timeout: 0 })));
  });
});
