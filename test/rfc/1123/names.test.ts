import { expect } from 'chai';
import type { DNSError } from '../../../src/net/errors.ts';
import { VirtualClock } from '../../../src/time/virtual-clock.ts';
import { a, DnsServers, TRUNCATED, zone } from '../../support/dns-servers.ts';
import { rejection } from '../../support/pair.ts';

const SERVER = '10.9.0.1:53';
const OTHER = '10.9.0.3:53';
const GOOD = zone({ 'A web.lab.example': [a('web.lab.example', '10.9.0.7')] });

describe('RFC 1123 6.1: names', () => {
  let clock: VirtualClock;
  let servers: DnsServers;
  const run = <T>(until: Promise<T>) => clock.run({ until });
  const ip4 = { network: 'ip4' } as const;

  beforeEach(() => {
    clock = new VirtualClock();
    servers = new DnsServers(clock);
  });

  it('6.1.3.1: several servers, and several requests at a time', async () => {
    servers.on(SERVER, () => []).on(OTHER, GOOD);
    const resolver = servers.resolver({ servers: [SERVER, OTHER] });
    const names = ['web.lab.example', 'web.lab.example.', 'web.lab.example'];
    const found = await run(Promise.all(names.map((name) => resolver.lookupHost(name, ip4))));
    expect(found.flat()).to.deep.equal(['10.9.0.7', '10.9.0.7', '10.9.0.7']);
    expect(clock.now()).to.equal(5001);
  });

  it('6.1.3.2: UDP first, TCP when the answer is truncated', async () => {
    servers.on(SERVER, (asked) =>
      asked.network === 'udp' ? [{ flags: TRUNCATED, answers: [a('x', '6.6.6.6')] }] : GOOD(asked),
    );
    expect(await run(servers.resolver().lookupHost('web.lab.example', ip4))).to.deep.equal(['10.9.0.7']);
    expect(servers.asked.map(({ network }) => network)).to.deep.equal(['udp', 'tcp']);
  });

  it('6.1.3.3: no answer is a soft error, after a bounded number of questions 5 s apart', async () => {
    servers.on(SERVER, () => []);
    const error = (await run(rejection(servers.resolver().lookupHost('web.lab.example', ip4)))) as DNSError;
    expect(error).to.include({ timeout: true, temporary: true, isNotFound: false });
    expect(servers.asked).to.have.lengthOf(2);
    expect(clock.now()).to.equal(10_000);
  });

  it('6.1.3.7: a server that fails is a soft error, a name that does not exist a hard one', async () => {
    servers.on(SERVER, ({ question }) => [{ rcode: question.includes('gone') ? 3 : 2 }]);
    const resolver = servers.resolver();
    const soft = (await run(rejection(resolver.lookupHost('web.example', ip4)))) as DNSError;
    expect(soft).to.include({ temporary: true, isNotFound: false });
    const hard = (await run(rejection(resolver.lookupHost('gone.example', ip4)))) as DNSError;
    expect(hard).to.include({ temporary: false, isNotFound: true });
  });

  it('6.1.3.8: a table of hosts goes before the servers', async () => {
    const resolver = servers.resolver({}, { hosts: '10.9.0.9 web.lab.example' });
    expect(await run(resolver.lookupHost('web.lab.example'))).to.deep.equal(['10.9.0.9']);
    expect(servers.asked).to.deep.equal([]);
  });

  it('6.1.4.2: addresses of names, and names of addresses', async () => {
    const PTR = '7.0.9.10.in-addr.arpa';
    servers.on(SERVER, zone({ [`PTR ${PTR}`]: [{ type: 'PTR', name: PTR, data: 'web.lab.example' }] }));
    expect(await run(servers.resolver().lookupAddr('10.9.0.7'))).to.deep.equal(['web.lab.example.']);
  });

  it('6.1.4.3: a name that ends with a dot is complete; others have the suffixes of the search list put to them, each once', async () => {
    servers.on(SERVER, GOOD);
    const resolver = servers.resolver({ search: ['example.', 'lab.example.'] });
    expect(await run(resolver.lookupHost('web', ip4))).to.deep.equal(['10.9.0.7']);
    await run(rejection(resolver.lookupHost('web.', ip4)));
    expect(servers.asked.map(({ question }) => question)).to.deep.equal([
      'A web.example',
      'A web.lab.example',
      'A web',
    ]);
  });
});
