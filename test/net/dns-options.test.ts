import { expect } from 'chai';
import { createHost, type Host } from '../../src/host.ts';
import type { HostOptions } from '../../src/net/host-options.ts';
import { nodeDnsCodec } from '../../src/node/dns-codec.ts';
import { createHost as createNodeHost } from '../../src/node/host.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { rejection, thrown } from '../support/pair.ts';

describe('net/dns-options', () => {
  const wrong: [what: string, options: unknown, message: RegExp][] = [
    ['no object', { dns: 'google' }, /dns must be 'system' or an object/],
    ['null', { dns: null }, /dns must be 'system' or an object/],
    ['servers that are no list', { dns: { servers: '10.9.0.1' } }, /dns\.servers must be an array of strings/],
    ['a server by name', { dns: { servers: ['ns.example'] } }, /dns\.servers: ns\.example is not an address/],
    [
      'a server without a usable port',
      { dns: { servers: ['10.9.0.1:0'] } },
      /dns\.servers: 10\.9\.0\.1:0 is not an address/,
    ],
    [
      'a server with a port by name',
      { dns: { servers: ['10.9.0.1:domain'] } },
      /dns\.servers: 10\.9\.0\.1:domain is not/,
    ],
    ['a suffix that is no name', { dns: { search: ['a b'] } }, /dns\.search: a b is not a domain name/],
    ['ndots', { dns: { ndots: 16 } }, /dns\.ndots must be an integer from 0 to 15, got 16/],
    ['a timeout', { dns: { timeout: 0 } }, /dns\.timeout must be a number of ms > 0, got 0/],
    ['attempts', { dns: { attempts: 0.5 } }, /dns\.attempts must be an integer >= 1, got 0.5/],
    ['a flag', { dns: { rotate: 'yes' } }, /dns\.rotate must be true or false, got yes/],
    ['an unknown option', { dns: { server: '10.9.0.1' } }, /dns: there is no option server; there are servers, search/],
    ['hosts', { dns: { hosts: 7 } }, /dns\.hosts must be 'system' or an object/],
    ['an address of hosts', { dns: { hosts: { db: ['10.9.0.7', 'web'] } } }, /dns\.hosts\.db: web is not an address/],
    ['both ways', { dns: {}, resolver: { lookupHost: async () => [] } }, /give either dns or resolver, not both/],
    ['a codec', { dnsCodec: {} }, /dnsCodec must be a DnsCodec \{ encodeQuery, decode \}/],
    ['files', { systemFiles: { read: () => '' } }, /systemFiles must be a SystemFiles \{ stamp, read, hostname \}/],
  ];
  for (const [what, options, message] of wrong) {
    it(`refuses ${what}`, () => {
      const error = thrown(() => createHost({ dnsCodec: nodeDnsCodec, ...(options as HostOptions) }));
      expect(error).to.be.instanceOf(Error);
      expect(error.message).to.match(message);
    });
  }

  it('needs what the core does not bring along', () => {
    expect(thrown(() => createHost({ dns: { servers: ['10.9.0.1'] } })).message).to.match(/dns needs a dnsCodec/);
    expect(thrown(() => createHost({ dns: 'system' })).message).to.match(/dns needs a dnsCodec/);
    expect(thrown(() => createHost({ dns: 'system', dnsCodec: nodeDnsCodec })).message).to.match(
      /dns 'system' needs systemFiles/,
    );
    expect(thrown(() => createHost({ dns: { hosts: 'system' } })).message).to.match(
      /dns\.hosts 'system' needs systemFiles/,
    );
  });

  describe('a host', () => {
    let host: Host | undefined;
    afterEach(() => host?.close({ timeout: 0 }));

    it('knows localhost and literals by default, and asks nobody', async () => {
      host = createHost({ clock: new VirtualClock() });
      expect(await host.lookupHost('localhost')).to.deep.equal(['127.0.0.1', '::1']);
      expect(await host.lookupHost('fe80::1%eth0')).to.deep.equal(['fe80::1%eth0']);
      expect((await rejection(host.lookupHost('web.example'))).message).to.equal('lookup web.example: no such host');
      expect((await rejection(host.dns.lookupMX('web.example'))).message).to.equal('lookup web.example: no such host');
    });

    it('takes texts alone', async () => {
      host = createHost();
      const { dns } = host;
      const none = undefined as never;
      const calls = [
        () => host?.lookupHost(none),
        () => dns.lookupHost(none),
        () => dns.lookupMX(none),
        () => dns.lookupCNAME(none),
      ];
      for (const call of [...calls, () => dns.lookupAddr(none)]) {
        const error = await rejection(call() as Promise<unknown>);
        expect(error).to.be.instanceOf(TypeError);
        expect(error.message).to.match(/^lookup: (name|address) must be a string, got undefined$/);
      }
    });

    it('knows the hosts that it was told, without a codec', async () => {
      host = createHost({ dns: { hosts: { db: '10.9.0.7', 'Web.example': ['10.9.0.8', 'fd00::8'] } } });
      expect(await host.lookupHost('db')).to.deep.equal(['10.9.0.7']);
      expect(await host.lookupHost('web.example.')).to.have.members(['10.9.0.8', 'fd00::8']);
      expect(`${await host.resolveTCPAddr('tcp', 'web.example:http')}`).to.equal('10.9.0.8:80');
      expect(`${await host.resolveTCPAddr('tcp6', 'web.example:80')}`).to.equal('[fd00::8]:80');
      expect(await host.dns.lookupAddr('10.9.0.8')).to.deep.equal(['Web.example.']);
    });

    it('asks a resolver that it was given', async () => {
      host = createHost({ resolver: { lookupHost: async (name) => [`fe80::${name.length}%eth0`] } });
      expect(await host.lookupHost('four')).to.deep.equal(['fe80::4%eth0']);
      expect(`${await host.resolveTCPAddr('tcp', 'four:80')}`).to.equal('[fe80::4%eth0]:80');
      host.close({ timeout: 0 });
      host = createHost({ resolver: { lookupHost: async () => ['nonsense'] } });
      expect((await rejection(host.lookupHost('four'))).message).to.equal('lookup four: invalid IP address: nonsense');
    });

    it('of tunstack/node knows the services of the machine, and its hosts when told to', async () => {
      const files: Record<string, string> = {
        '/etc/services': 'here 4711/tcp',
        '/etc/hosts': '10.9.0.9 there',
        '/etc/resolv.conf': 'options no-reload',
      };
      const systemFiles = {
        stamp: (path: string) => (path in files ? '1' : undefined),
        read: (path: string) => files[path],
        hostname: () => 'me',
      };
      host = createNodeHost({ systemFiles, dns: { hosts: 'system' } });
      expect(host.lookupPort('tcp', 'here')).to.equal(4711);
      expect(await host.lookupHost('there')).to.deep.equal(['10.9.0.9']);
      expect(`${await host.resolveTCPAddr('tcp', 'there:here')}`).to.equal('10.9.0.9:4711');
      await host.close({ timeout: 0 });
      host = createNodeHost({ systemFiles, dns: 'system' });
      expect(await host.lookupHost('there')).to.deep.equal(['10.9.0.9']);
    });

    it('of tunstack/node finds those files', () => {
      host = createNodeHost();
      expect(host.lookupPort('tcp', 'https')).to.equal(443);
    });
  });
});
