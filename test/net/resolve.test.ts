import { expect } from 'chai';
import { AddrError, DNSError, ParseError, UnknownNetworkError } from '../../src/net/errors.ts';
import { resolveList, resolveTCPAddr } from '../../src/net/resolve.ts';
import type { Resolver } from '../../src/net/resolver.ts';
import { TCPAddr } from '../../src/net/tcp-addr.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { rejection, thrown } from '../support/pair.ts';

const GOOD: [network: string, address: string, text: string][] = [
  ['tcp', '127.0.0.1:0', '127.0.0.1:0'],
  ['tcp', '[::1]:0', '[::1]:0'],
  ['tcp4', '127.0.0.1:65535', '127.0.0.1:65535'],
  ['tcp6', '[::1]:65535', '[::1]:65535'],
  ['tcp', '[::1%en0]:1', '[::1%en0]:1'],
  ['tcp6', '[::1%911]:2', '[::1%911]:2'],
  ['', '127.0.0.1:0', '127.0.0.1:0'],
  ['', '[::1]:0', '[::1]:0'],
  ['tcp', ':12345', ':12345'],
  ['tcp', '127.0.0.1:http', '127.0.0.1:80'],
  ['tcp', '127.0.0.1:HTTP', '127.0.0.1:80'],
  ['tcp', '[2001:db8::1]:http', '[2001:db8::1]:80'],
  ['tcp', '[::ffff:127.0.0.1]:http', '127.0.0.1:80'],
  ['tcp4', '[::ffff:127.0.0.1]:http', '127.0.0.1:80'],
  ['tcp', '', ':0'],
  ['tcp', ':', ':0'],
  ['tcp', '1.2.3.4:+80', '1.2.3.4:80'],
  ['tcp', ':00080', ':80'],
  ['tcp', ':-0', ':0'],
  ['tcp', '[1.2.3.4]:80', '1.2.3.4:80'],
  // A lone :: is any address of either family.
  ['tcp4', '[::]:80', '0.0.0.0:80'],
  ['tcp4', '[::%eth0]:80', '0.0.0.0:80'],
  ['tcp6', '[::]:80', '[::]:80'],
  ['tcp', '[::]:80', '[::]:80'],
  ['tcp', 'localhost:80', '127.0.0.1:80'],
  ['tcp', 'LocalHost.:80', '127.0.0.1:80'],
  ['tcp4', 'localhost:80', '127.0.0.1:80'],
  ['tcp6', 'localhost:80', '[::1]:80'],
  ['tcp', '[localhost]:80', '[::1]:80'],
];

const BAD: [network: string, address: string, type: new (...parameters: never[]) => Error, message: string][] = [
  ['http', '127.0.0.1:80', UnknownNetworkError, 'unknown network http'],
  ['udp', '127.0.0.1:80', UnknownNetworkError, 'unknown network udp'],
  ['TCP', '127.0.0.1:80', UnknownNetworkError, 'unknown network TCP'],
  ['tcp4', '[2001:db8::1]:http', AddrError, 'address 2001:db8::1: no suitable address found'],
  ['tcp6', '127.0.0.1:http', AddrError, 'address 127.0.0.1: no suitable address found'],
  ['tcp6', '[::ffff:127.0.0.1]:http', AddrError, 'address ::ffff:127.0.0.1: no suitable address found'],
  ['tcp4', '[::1%en0]:1', AddrError, 'address ::1%en0: no suitable address found'],
  ['tcp', ':0x50', DNSError, 'lookup tcp/0x50: unknown port'],
  ['tcp', ':nosuchsvc', DNSError, 'lookup tcp/nosuchsvc: unknown port'],
  ['tcp', ':65536', AddrError, 'address 65536: invalid port'],
  ['tcp', ':-1', AddrError, 'address -1: invalid port'],
  ['tcp', ':9999999999999', AddrError, 'address 9999999999999: invalid port'],
  ['tcp', '1.2.3.4', AddrError, 'address 1.2.3.4: missing port in address'],
  ['tcp', '[::1]80', AddrError, 'address [::1]80: missing port in address'],
  ['tcp', 'fe80::1%eth0:80', AddrError, 'address fe80::1%eth0:80: too many colons in address'],
  ['tcp', '127.0.0.256:80', DNSError, 'lookup 127.0.0.256: no such host'],
  ['tcp', '127.001.0.1:80', DNSError, 'lookup 127.001.0.1: no such host'],
  ['tcp', 'a b:80', DNSError, 'lookup a b: no such host'],
  ['tcp', 'nohost:80', DNSError, 'lookup nohost: no such host'],
  ['tcp', '1.2.3.4%eth0:80', DNSError, 'lookup 1.2.3.4%eth0: no such host'],
  ['tcp', '[::1%]:80', DNSError, 'lookup ::1%: no such host'],
];

describe('net/resolve', () => {
  it('keeps the zone of a mapped address, which then cannot be read again (Go)', async () => {
    expect(`${await resolveTCPAddr('tcp', '[::ffff:10.9.0.2%en0]:1')}`).to.equal('10.9.0.2%en0:1');
  });

  for (const [network, address, text] of GOOD) {
    it(`resolves '${address}' on '${network}'`, async () => {
      const resolved = await resolveTCPAddr(network, address);
      expect(resolved).to.be.instanceOf(TCPAddr);
      expect(resolved.network()).to.equal('tcp');
      expect(`${resolved}`).to.equal(text);
    });

    it(`survives the round trip of '${address}' on '${network}'`, async () => {
      const resolved = await resolveTCPAddr(network, address);
      const again = await resolveTCPAddr(resolved.network(), resolved.toString());
      expect(again.equals(resolved)).to.equal(true);
    });
  }

  for (const [network, address, type, message] of BAD) {
    it(`refuses '${address}' on '${network}'`, async () => {
      const error = await rejection(resolveTCPAddr(network, address));
      expect(error).to.be.instanceOf(type);
      expect(error.message).to.equal(message);
    });
  }

  describe('with a resolver', () => {
    const both: Resolver = { lookupHost: async () => ['2001:db8::7', '192.0.2.7', '2001:db8::8', '192.0.2.8'].map(ip) };

    it('prefers IPv4, and IPv6 when the host is in brackets', async () => {
      expect(`${await resolveTCPAddr('tcp', 'both:80', { resolver: both })}`).to.equal('192.0.2.7:80');
      expect(`${await resolveTCPAddr('tcp', '[both]:80', { resolver: both })}`).to.equal('[2001:db8::7]:80');
      expect(`${await resolveTCPAddr('tcp6', 'both:80', { resolver: both })}`).to.equal('[2001:db8::7]:80');
    });

    it('keeps the order of the resolver, and of a family when the network names it', async () => {
      const list = async (network: string) => (await resolveList(network, 'both:80', { resolver: both })).map(String);
      expect(await list('tcp')).to.deep.equal(['[2001:db8::7]:80', '192.0.2.7:80', '[2001:db8::8]:80', '192.0.2.8:80']);
      expect(await list('tcp4')).to.deep.equal(['192.0.2.7:80', '192.0.2.8:80']);
    });

    it('hands it the name and the signal, and never a literal', async () => {
      const asked: unknown[] = [];
      const resolver: Resolver = {
        lookupHost: async (name, { signal }) => {
          asked.push([name, signal]);
          return [ip('192.0.2.1')];
        },
      };
      const { signal } = new AbortController();
      await resolveTCPAddr('tcp', 'Name.example:80', { resolver, signal });
      await resolveTCPAddr('tcp', '192.0.2.1:80', { resolver, signal });
      expect(asked).to.deep.equal([['Name.example', signal]]);
    });

    it('makes a DNSError of whatever goes wrong there', async () => {
      const failing: Resolver = { lookupHost: () => Promise.reject(new Error('server misbehaving')) };
      const error = await rejection(resolveTCPAddr('tcp', 'name:80', { resolver: failing }));
      expect(error).to.be.instanceOf(DNSError);
      expect(error.message).to.equal('lookup name: server misbehaving');
      expect((error.cause as Error).message).to.equal('server misbehaving');

      const own = new DNSError('no such host', 'name', { server: '192.0.2.53:53', isNotFound: true });
      expect(own.message).to.equal('lookup name on 192.0.2.53:53: no such host');
      const passing: Resolver = { lookupHost: () => Promise.reject(own) };
      expect(await rejection(resolveTCPAddr('tcp', 'name:80', { resolver: passing }))).to.equal(own);
    });

    it('says no such host of a name without addresses', async () => {
      const empty: Resolver = { lookupHost: async () => [] };
      const error = await rejection(resolveTCPAddr('tcp', 'name:80', { resolver: empty }));
      expect(error.message).to.equal('lookup name: no such host');
    });
  });
});

describe('net/tcp-addr', () => {
  it('prints as Go does', () => {
    expect(`${new TCPAddr(undefined, 80)}`).to.equal(':80');
    expect(`${new TCPAddr('10.9.0.1', 80)}`).to.equal('10.9.0.1:80');
    expect(`${new TCPAddr('1.2.3.4', 1, 'z')}`).to.equal('1.2.3.4%z:1');
    expect(`${new TCPAddr('fe80::1', 80, 'eth0')}`).to.equal('[fe80::1%eth0]:80');
  });

  it('refuses a text that is no address', () => {
    const error = thrown(() => new TCPAddr('10.9.0', 80));
    expect(error).to.be.instanceOf(ParseError);
    expect(error.message).to.equal('invalid IP address: 10.9.0');
  });

  for (const port of [-1, 65_536, 1.5, Number.NaN, '80' as never]) {
    it(`refuses port ${port}`, () => {
      expect(() => new TCPAddr('10.9.0.1', port)).to.throw(RangeError, /port must be an integer from 0 to 65535/);
    });
  }

  it('compares address, port and zone', () => {
    const one = new TCPAddr('fe80::1', 80, 'eth0');
    expect(one.equals(new TCPAddr('fe80::1', 80, 'eth0'))).to.equal(true);
    expect(one.equals(new TCPAddr('fe80::1', 80))).to.equal(false);
    expect(one.equals(new TCPAddr('fe80::1', 81, 'eth0'))).to.equal(false);
    expect(one.equals(new TCPAddr('fe80::2', 80, 'eth0'))).to.equal(false);
    expect(one.equals(new TCPAddr(undefined, 80, 'eth0'))).to.equal(false);
    expect(new TCPAddr(undefined, 80).equals(new TCPAddr(undefined, 80))).to.equal(true);
  });
});

function ip(text: string): IpAddress {
  return IpAddress.parse(text) as IpAddress;
}
