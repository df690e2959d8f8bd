/** Names with addresses of both families, between two hosts that have both: who is tried when, who wins, and what is left behind. */
import { expect } from 'chai';
import { createHost, type Host } from '../../src/host.ts';
import { createPipe } from '../../src/link/pipe.ts';
import type { DialOptions } from '../../src/net/dial.ts';
import type { OpError } from '../../src/net/op-error.ts';
import { TCPAddr } from '../../src/net/tcp-addr.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { rejection } from '../support/pair.ts';

const HOSTS = {
  both: ['2001:db8::2', '10.9.0.2'],
  dead6: ['2001:db8::77', '10.9.0.2'],
  dead6twice: ['2001:db8::77', '2001:db8::78', '10.9.0.2'],
  dead4: ['2001:db8::2', '10.9.0.77'],
  dead: ['2001:db8::77', '10.9.0.77'],
  only4: ['10.9.0.77', '10.9.0.2'],
};

describe('net/dial, both families', () => {
  let clock: VirtualClock;
  let client: Host;
  let server: Host;

  const start = (latency = 0) => {
    clock = new VirtualClock();
    const [near, far] = createPipe({ latency });
    const dns = { hosts: HOSTS };
    client = createHost({ link: near, address: ['10.9.0.1/24', '2001:db8::1/64'], clock, seed: 1, dns });
    server = createHost({ link: far, address: ['10.9.0.2/24', '2001:db8::2/64'], clock, seed: 2 });
  };
  const run = <T>(until: Promise<T>) => clock.run({ until });
  const remoteOf = async (network: string, address: string, options?: DialOptions) =>
    `${(await run(client.dial(network, address, options))).remoteAddr()}`;
  const fail = async (network: string, address: string, options?: DialOptions) =>
    (await run(rejection(client.dial(network, address, options)))) as OpError;
  const listen = () => Promise.all([server.listen('tcp', '10.9.0.2:80'), server.listen('tcp', '[2001:db8::2]:80')]);
  /** What the client has open, without listeners. */
  const open = () => client.sockets().map(({ state, remote }) => `${state} ${remote}`);

  beforeEach(() => start());
  afterEach(async () => {
    await Promise.all([client.close({ timeout: 0 }), server.close({ timeout: 0 })]);
    expect(clock.pending.held, 'held').to.equal(0);
  });

  it('takes IPv6 when it works, and does not touch IPv4', async () => {
    await listen();
    expect(await remoteOf('tcp', 'both:80')).to.equal('[2001:db8::2]:80');
    await clock.advance(1000);
    expect(server.sockets().filter(({ state }) => state === 'ESTABLISHED')).to.have.lengthOf(1);
  });

  it('takes the family that is asked for', async () => {
    await listen();
    expect(await remoteOf('tcp4', 'both:80')).to.equal('10.9.0.2:80');
    expect(await remoteOf('tcp6', 'both:80')).to.equal('[2001:db8::2]:80');
  });

  it('RFC 6555 6: connects over IPv4 after 300 ms when IPv6 leads nowhere, and gives IPv6 up', async () => {
    await listen();
    expect(await remoteOf('tcp', 'dead6:80')).to.equal('10.9.0.2:80');
    expect(clock.now()).to.equal(300);
    expect(open()).to.deep.equal(['ESTABLISHED 10.9.0.2:80']);
  });

  it('waits as long as it is told', async () => {
    await listen();
    expect(await remoteOf('tcp', 'dead6:80', { fallbackDelay: 50 })).to.equal('10.9.0.2:80');
    expect(clock.now()).to.equal(50);
    expect(await remoteOf('tcp', 'dead6:80', { fallbackDelay: 0 })).to.equal('10.9.0.2:80');
    expect(clock.now()).to.equal(350);
  });

  it('connects over IPv4 at once when IPv6 is refused', async () => {
    await server.listen('tcp4', ':80');
    expect(await remoteOf('tcp', 'both:80')).to.equal('10.9.0.2:80');
    expect(clock.now()).to.equal(0);
  });

  it('tries one after the other when told so', async () => {
    await listen();
    expect(await remoteOf('tcp', 'dead6:80', { fallbackDelay: -1, timeout: 6000 })).to.equal('10.9.0.2:80');
    expect(clock.now()).to.equal(3000);
  });

  it('tries all addresses of IPv6 while it tries those of IPv4', async () => {
    await listen();
    const tried: string[] = [];
    const control = (_network: string, address: string) => void tried.push(`${clock.now()} ${address}`);
    expect(await remoteOf('tcp', 'dead6twice:80', { timeout: 400, control })).to.equal('10.9.0.2:80');
    expect(tried).to.deep.equal(['0 [2001:db8::77]:80', '300 10.9.0.2:80']);
  });

  it('of one family alone shares the time, and does not race', async () => {
    await listen();
    expect(await remoteOf('tcp', 'only4:80', { timeout: 8000 })).to.equal('10.9.0.2:80');
    expect(clock.now()).to.equal(4000);
  });

  it('reports IPv6 when both fail', async () => {
    expect((await fail('tcp', 'both:80')).message).to.equal('dial tcp [2001:db8::2]:80: connect: connection refused');
    expect((await fail('tcp', 'dead:80', { timeout: 1000 })).message).to.equal(
      'dial tcp [2001:db8::77]:80: i/o timeout',
    );
    expect(clock.now()).to.equal(1000);
    // IPv4 is refused long before.
    expect((await fail('tcp', 'dead6:81', { timeout: 1000 })).message).to.equal(
      'dial tcp [2001:db8::77]:81: i/o timeout',
    );
    expect(clock.now()).to.equal(2000);
  });

  it('RFC 6555 4.1: begins with the family that goes first, which is IPv4 when there is no way over IPv6', async () => {
    const [near, far] = createPipe();
    const dns = { hosts: HOSTS };
    const alone = createHost({ link: near, address: '10.9.0.1/24', clock, seed: 1, dns });
    const other = createHost({ link: far, address: '10.9.0.2/24', clock, seed: 2 });
    await other.listen('tcp4', ':80');
    const tried: string[] = [];
    const conn = await run(alone.dial('tcp', 'both:80', { control: (_, address) => void tried.push(address) }));
    expect(tried).to.deep.equal(['10.9.0.2:80']);
    expect(`${conn.remoteAddr()}`).to.equal('10.9.0.2:80');
    await Promise.all([alone.close({ timeout: 0 }), other.close({ timeout: 0 })]);
  });

  it('RFC 6555 4.4: closes what connects late', async () => {
    await Promise.all([client.close({ timeout: 0 }), server.close({ timeout: 0 })]);
    // IPv6 answers 400 ms after the first SYN, IPv4 after 100 ms + 400 ms: the SYN-ACK of IPv4 comes when IPv6 has won.
    start(200);
    await listen();
    expect(await remoteOf('tcp', 'both:80', { fallbackDelay: 100 })).to.equal('[2001:db8::2]:80');
    expect(clock.now()).to.equal(400);
    await clock.advance(5000);
    expect(open()).to.deep.equal(['ESTABLISHED [2001:db8::2]:80']);
    // The server's half of the loser was reset.
    const states = server.sockets().map(({ state }) => state);
    expect(states.filter((state) => state !== 'LISTEN')).to.deep.equal(['ESTABLISHED']);
  });

  it('ends with its signal, both ways, and is not touched by it afterwards', async () => {
    const controller = new AbortController();
    const dialling = rejection(client.dial('tcp', 'dead:80', { signal: controller.signal }));
    await clock.advance(500);
    expect(open()).to.have.lengthOf(2);
    controller.abort();
    const error = (await dialling) as OpError;
    expect(error.message).to.equal('dial tcp [2001:db8::77]:80: operation was canceled');
    await clock.advance(0);
    expect(open()).to.deep.equal([]);

    await listen();
    const after = new AbortController();
    const conn = await run(client.dial('tcp', 'both:80', { signal: after.signal }));
    after.abort();
    expect(await run(conn.write(new Uint8Array(3)))).to.equal(3);
  });

  it('is the same for the same seed', async () => {
    const ports = async () => {
      start();
      await listen();
      const conn = await run(client.dial('tcp', 'dead6:80'));
      return `${conn.localAddr()} at ${clock.now()}`;
    };
    const first = await ports();
    await Promise.all([client.close({ timeout: 0 }), server.close({ timeout: 0 })]);
    expect(await ports()).to.equal(first);
  });

  for (const [network, address, remote] of [
    ['tcp', '[::]:80', '[::1]:80'],
    ['tcp6', '[::]:80', '[::1]:80'],
    ['tcp6', ':80', '[::1]:80'],
    ['tcp', ':80', '127.0.0.1:80'],
    ['tcp4', ':80', '127.0.0.1:80'],
    ['tcp', '0.0.0.0:80', '127.0.0.1:80'],
    ['tcp6', 'localhost:80', '[::1]:80'],
  ] as const) {
    it(`finds this host at ${network} ${address}`, async () => {
      await Promise.all([client.listen('tcp', '127.0.0.1:80'), client.listen('tcp', '[::1]:80')]);
      expect(await remoteOf(network, address)).to.equal(remote);
    });
  }

  // Go's TestDialerLocalAddr.
  const any4 = new TCPAddr('0.0.0.0', 0);
  const any6 = new TCPAddr('::', 0);
  const none = new TCPAddr(undefined, 0);
  const own4 = new TCPAddr('10.9.0.1', 0);
  const own6 = new TCPAddr('2001:db8::1', 0);
  const unsuitable = /no suitable address found$/;
  const table: [network: string, host: string, localAddr: TCPAddr, error?: RegExp][] = [
    ...['tcp', 'tcp4'].flatMap((network): [string, string, TCPAddr, RegExp?][] => [
      [network, '10.9.0.2', none],
      [network, '10.9.0.2', any4],
      [network, '10.9.0.2', own4],
      [network, '10.9.0.2', own6, unsuitable],
    ]),
    ...['tcp', 'tcp6'].flatMap((network): [string, string, TCPAddr, RegExp?][] => [
      [network, '2001:db8::2', none],
      [network, '2001:db8::2', any4],
      [network, '2001:db8::2', any6],
      [network, '2001:db8::2', own6],
      [network, '2001:db8::2', own4, unsuitable],
    ]),
    ['tcp', '10.9.0.2', any6],
    ['tcp4', '10.9.0.2', any6, /non-IPv4 address$/],
  ];
  for (const [network, host, localAddr, error] of table) {
    it(`${network} ${host} from ${localAddr}: ${error === undefined ? 'connects' : error.source}`, async () => {
      await listen();
      const address = host.includes(':') ? `[${host}]:80` : `${host}:80`;
      if (error !== undefined) expect((await fail(network, address, { localAddr })).message).to.match(error);
      else expect(await remoteOf(network, address, { localAddr })).to.equal(address);
    });
  }

  it('tries only what the local address can speak to', async () => {
    await listen();
    expect(await remoteOf('tcp', 'both:80', { localAddr: own4 })).to.equal('10.9.0.2:80');
    expect(clock.now()).to.equal(0);
  });
});
