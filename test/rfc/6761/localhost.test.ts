import { expect } from 'chai';
import { localResolver } from '../../../src/net/resolver.ts';
import { VirtualClock } from '../../../src/time/virtual-clock.ts';
import { a, DnsServers } from '../../support/dns-servers.ts';

describe('RFC 6761 6.3: localhost', () => {
  const NAMES = ['localhost', 'localhost.', 'LocalHost', 'db.localhost', 'a.b.localhost.'];

  for (const name of NAMES) {
    it(`${name} means the loopback addresses, and nobody is asked`, async () => {
      const clock = new VirtualClock();
      const servers = new DnsServers(clock).on('10.9.0.1:53', () => [{ answers: [a(name, '6.6.6.6')] }]);
      const resolver = servers.resolver({ search: ['example.'] });
      expect(await clock.run({ until: resolver.lookupHost(name) })).to.deep.equal(['127.0.0.1', '::1']);
      expect(servers.asked).to.deep.equal([]);
      expect((await localResolver.lookupHost(name, {})).map(String)).to.deep.equal(['127.0.0.1', '::1']);
    });
  }
});
