/** The resolver of a host and a server on another, over UDP and TCP of ours, in virtual time. */
import { expect } from 'chai';
import type { Host } from '../../src/host.ts';
import { createPipe } from '../../src/link/pipe.ts';
import type { DnsOptions } from '../../src/net/dns-options.ts';
import type { DNSError } from '../../src/net/errors.ts';
import type { OpError } from '../../src/net/op-error.ts';
import { UDPAddr } from '../../src/net/udp-addr.ts';
import { createHost } from '../../src/node/host.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { serveDns } from '../support/dns-host.ts';
import { a, aaaa, type Behaviour, replyBytes, TRUNCATED, zone } from '../support/dns-servers.ts';
import { rejection } from '../support/pair.ts';

const WEB = zone({
  'A web.example': [a('web.example', '10.9.0.1')],
  'AAAA web.example': [aaaa('web.example', '2001:db8::1')],
  'A far.example': [a('far.example', '192.0.2.1'), a('far.example', '10.9.0.1')],
});

describe('net/dns, between hosts', () => {
  let clock: VirtualClock;
  let client: Host;
  let server: Host;

  const start = (dns: DnsOptions = { servers: ['10.9.0.1'] }) => {
    clock = new VirtualClock();
    const [near, far] = createPipe();
    client = createHost({ link: near, address: ['10.9.0.2/24', '2001:db8::2/64'], clock, seed: 1, dns });
    server = createHost({ link: far, address: ['10.9.0.1/24', '10.9.0.9/24', '2001:db8::1/64'], clock, seed: 2 });
  };
  const run = <T>(until: Promise<T>) => clock.run({ until });
  const fail = async <E extends Error>(promise: Promise<unknown>) => (await run(rejection(promise))) as E;

  beforeEach(() => start());
  afterEach(async () => {
    await Promise.all([client.close({ timeout: 0 }), server.close({ timeout: 0 })]);
    await clock.advance(0);
    expect(clock.pending.held, 'held').to.equal(0);
  });

  it('dials a name', async () => {
    await serveDns(server, WEB);
    await Promise.all([server.listen('tcp', '10.9.0.1:80'), server.listen('tcp', '[2001:db8::1]:80')]);
    const conn = await run(client.dial('tcp', 'web.example:http'));
    expect(`${conn.remoteAddr()}`).to.equal('[2001:db8::1]:80');
    expect(`${(await run(client.dial('tcp4', 'web.example:80'))).remoteAddr()}`).to.equal('10.9.0.1:80');
    expect(`${(await run(client.dial('udp4', 'web.example:53'))).remoteAddr()}`).to.equal('10.9.0.1:53');
    expect(`${await run(client.resolveTCPAddr('tcp', 'web.example:80'))}`).to.equal('10.9.0.1:80');
    expect(`${await run(client.resolveUDPAddr('udp6', 'web.example:domain'))}`).to.equal('[2001:db8::1]:53');
    expect(`${await run(client.resolveTCPAddr('tcp', '[web.example]:80'))}`).to.equal('[2001:db8::1]:80');
  });

  it('sorts by the way there: what cannot be reached goes last', async () => {
    await serveDns(server, WEB);
    expect(await run(client.lookupHost('far.example'))).to.deep.equal(['10.9.0.1', '192.0.2.1']);
    expect(await run(client.lookupHost('web.example'))).to.deep.equal(['2001:db8::1', '10.9.0.1']);
  });

  it('says what went wrong in the words of Go', async () => {
    await serveDns(server, WEB);
    const missing = await fail<OpError>(client.dial('tcp', 'nohost:80'));
    expect(missing.message).to.equal('dial tcp: lookup nohost on 10.9.0.1:53: no such host');
    expect(missing).to.include({ timeout: false, code: 'ENOTFOUND' });
    await server.close({ timeout: 0 });
    const late = await fail<OpError>(client.dial('tcp', 'web.example:80', { timeout: 700 }));
    expect(late.message).to.equal('dial tcp: lookup web.example: i/o timeout');
    expect(late.timeout).to.equal(true);
    const lost = await fail<DNSError>(client.lookupHost('web.example'));
    expect(lost.message).to.match(
      /^lookup web\.example on 10\.9\.0\.1:53: read udp 10\.9\.0\.2:\d+->10\.9\.0\.1:53: i\/o timeout$/,
    );
  });

  it('learns at once that nobody serves', async () => {
    const error = await fail<DNSError>(client.lookupHost('web.example'));
    expect(error.message).to.match(
      /^lookup web\.example on 10\.9\.0\.1:53: read udp 10\.9\.0\.2:\d+->10\.9\.0\.1:53: read: connection refused$/,
    );
    expect(error.temporary).to.equal(true);
    expect(clock.now()).to.equal(0);
  });

  it('asks from another port each time', async () => {
    const { asked } = await serveDns(server, WEB);
    for (let i = 0; i < 5; i++) await run(client.lookupHost('web.example'));
    expect(new Set(asked.map(({ from }) => from))).to.have.property('size', 10);
    expect(new Set(asked.map(({ query }) => query.id))).to.have.property('size', 10);
  });

  it('hears nobody but the server that it asked, on the port that it asked', async () => {
    const truth: Behaviour = () => [{ answers: [a('web.example', '10.9.0.1')], after: 50 }];
    const otherPort = await server.listenPacket('udp', '10.9.0.1:5353');
    const otherAddress = await server.listenPacket('udp', '10.9.0.9:53');
    const dns = await serveDns(
      server,
      (asked) => {
        const lie = replyBytes(asked, { answers: [a('web.example', '6.6.6.6')] });
        const [ip, port] = asked.from.split(':') as [string, string];
        for (const liar of [otherPort, otherAddress]) void liar.writeTo(lie, new UDPAddr(ip, Number(port)));
        return truth(asked);
      },
      '10.9.0.1:53',
    );
    expect(await run(client.lookupHost('web.example', { network: 'ip4' }))).to.deep.equal(['10.9.0.1']);
    expect(dns.asked).to.have.lengthOf(1);
    expect(clock.now()).to.equal(50);
  });

  it('is not disturbed by an answer that comes when its socket is gone', async () => {
    start({ servers: ['10.9.0.1'], timeout: 100, attempts: 2 });
    await serveDns(server, () => [{ answers: [a('web.example', '10.9.0.1')], after: 150 }]);
    const error = await fail<DNSError>(client.lookupHost('web.example', { network: 'ip4' }));
    expect(error).to.include({ isTimeout: true });
    expect(clock.now()).to.equal(200);
    await clock.advance(1000);
    expect(client.sockets()).to.deep.equal([]);
  });

  it('takes 64 KiB over TCP', async () => {
    const answers = Array.from({ length: 2300 }, (_, i) => a('web.example', `10.0.${i >>> 8}.${i & 0xff}`));
    const { asked } = await serveDns(server, ({ network }) => [network === 'udp' ? { flags: TRUNCATED } : { answers }]);
    expect(await run(client.lookupHost('web.example', { network: 'ip4' }))).to.have.lengthOf(2300);
    expect(asked.map(({ network }) => network)).to.deep.equal(['udp', 'tcp']);
  });

  it('asks over IPv6, its own port, and the next server', async () => {
    start({ servers: ['10.9.0.77', '[2001:db8::1]:5353'], timeout: 1000 });
    const { asked } = await serveDns(server, WEB, ':5353');
    expect(await run(client.lookupHost('web.example', { network: 'ip4' }))).to.deep.equal(['10.9.0.1']);
    expect(asked[0]?.from).to.match(/^\[2001:db8::2\]:/);
  });

  it('searches', async () => {
    start({ servers: ['10.9.0.1'], search: ['lab', 'example'] });
    await serveDns(server, WEB);
    expect(await run(client.lookupHost('web', { network: 'ip4' }))).to.deep.equal(['10.9.0.1']);
  });

  it('ends with the host', async () => {
    await serveDns(server, () => []);
    const looking = rejection(client.lookupHost('web.example'));
    await clock.advance(10);
    await client.close({ timeout: 0 });
    expect((await looking).message).to.match(/use of closed network connection$/);
    expect((await rejection(client.lookupHost('other.example'))).message).to.match(/use of closed network connection$/);
  });

  it('is the same for the same seed', async () => {
    const ask = async () => {
      start();
      const { asked } = await serveDns(server, WEB);
      await run(client.lookupHost('web.example'));
      return asked.map(({ from, question, query }) => `${from} ${question} ${query.id}`);
    };
    expect(await ask()).to.deep.equal(await ask());
  });
});
