import { expect } from 'chai';
import { HostsTable } from '../../src/net/hosts-file.ts';
import { parseIPAddr } from '../../src/net/ip-addr.ts';
import { DNS_DEFAULTS, parseResolvConf } from '../../src/net/resolv-conf.ts';
import { parseServices } from '../../src/net/services-file.ts';
import { SystemFile, type SystemFiles } from '../../src/net/system-files.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';

describe('net/hosts-file', () => {
  const table = HostsTable.parse(
    [
      '# a comment',
      '127.0.0.1\tlocalhost localhost.localdomain # and more',
      '::1 localhost ip6-localhost',
      'fe80::1%lo0 localhost',
      '  10.9.0.7   Web.Example   web\r',
      '10.9.0.8 web.example.',
      '10.9.0.9',
      'not.an.address name',
      '1.2.3.4%eth0 zone4',
      '',
    ].join('\n'),
  );

  const addresses = (name: string) => table.host(name)?.addresses.map(String);
  const names = (text: string) => table.names(parseIPAddr(text) as never);

  it('has the addresses of names, in the order of the lines', () => {
    expect(addresses('localhost')).to.deep.equal(['127.0.0.1', '::1', 'fe80::1%lo0']);
    expect(addresses('web')).to.deep.equal(['10.9.0.7']);
    expect(addresses('WEB.example')).to.deep.equal(['10.9.0.7', '10.9.0.8']);
    expect(addresses('web.example.')).to.deep.equal(['10.9.0.7', '10.9.0.8']);
    for (const name of ['name', 'zone4', 'and', '#', '']) expect(addresses(name), name).to.equal(undefined);
  });

  it('has the canonical name: the first of the first line', () => {
    expect(table.host('web')?.canonicalName).to.equal('web.example.');
    expect(table.host('ip6-localhost')?.canonicalName).to.equal('localhost');
    expect(table.host('localhost.localdomain')?.canonicalName).to.equal('localhost');
  });

  it('has the names of addresses', () => {
    expect(names('127.0.0.1')).to.deep.equal(['localhost', 'localhost.localdomain.']);
    expect(names('fe80::1%lo0')).to.deep.equal(['localhost']);
    expect(names('fe80::1')).to.deep.equal([]);
    expect(names('10.9.0.7')).to.deep.equal(['Web.Example.', 'web']);
    expect(names('10.9.0.9')).to.deep.equal([]);
  });
});

describe('net/services-file', () => {
  it('has ports by protocol and name', () => {
    const services = parseServices(
      'tcpmux\t1/tcp  # a comment\nhttp 80/tcp www\nhttp 80/udp\nbad 0/tcp\nbad x/tcp\nbad 1\nbad 65536/tcp\n#http 81/tcp\n\n',
    );
    expect([...(services.get('tcp') ?? [])]).to.deep.equal([
      ['tcpmux', 1],
      ['http', 80],
      ['www', 80],
    ]);
    expect([...(services.get('udp') ?? [])]).to.deep.equal([['http', 80]]);
  });
});

describe('net/resolv-conf', () => {
  it('has the defaults of an empty file', () => {
    expect(parseResolvConf('', 'host')).to.deep.equal({ ...DNS_DEFAULTS, servers: ['127.0.0.1:53', '[::1]:53'] });
    expect(parseResolvConf('', 'host.lab.example').search).to.deep.equal(['lab.example.']);
    expect(parseResolvConf('', 'host.').search).to.deep.equal([]);
  });

  it('reads servers, three at most', () => {
    const text =
      '; a comment\n# another\nnameserver 10.9.0.1\nnameserver not-an-address\nnameserver fe80::1%eth0\nnameserver\n nameserver 10.9.0.3 \r\nnameserver 10.9.0.4';
    expect(parseResolvConf(text, '').servers).to.deep.equal(['10.9.0.1:53', '[fe80::1%eth0]:53', '10.9.0.3:53']);
  });

  it('takes the last of domain and search', () => {
    expect(parseResolvConf('domain lab.example', 'h.example').search).to.deep.equal(['lab.example.']);
    expect(parseResolvConf('domain lab\nsearch a.example . b.example.', '').search).to.deep.equal([
      'a.example.',
      'b.example.',
    ]);
    expect(parseResolvConf('search a\ndomain b', '').search).to.deep.equal(['b.']);
  });

  it('reads options within their bounds, and passes over others', () => {
    const options = (text: string) => parseResolvConf(`options ${text}`, '');
    expect(options('ndots:3 timeout:2 attempts:4 rotate edns0 inet6')).to.include({
      ndots: 3,
      timeout: 2000,
      attempts: 4,
      rotate: true,
    });
    expect(options('ndots:99 timeout:0 attempts:0')).to.include({ ndots: 15, timeout: 1000, attempts: 1 });
    expect(options('ndots:-1 timeout:x')).to.include({ ndots: 0, timeout: 1000 });
    expect(options('use-vc single-request-reopen trust-ad no-reload')).to.include({
      useTcp: true,
      singleRequest: true,
      trustAd: true,
      noReload: true,
    });
    expect(parseResolvConf('options rotate\noptions ndots:0', '')).to.include({ rotate: true, ndots: 0 });
  });
});

describe('net/system-files', () => {
  let clock: VirtualClock;
  let stamp: string | undefined;
  let text: string | undefined;
  let log: string[];

  const files: SystemFiles = {
    stamp: () => {
      log.push('stamp');
      return stamp;
    },
    read: () => {
      log.push('read');
      return text;
    },
    hostname: () => '',
  };

  beforeEach(() => {
    clock = new VirtualClock();
    [stamp, text, log] = ['1', 'one', []];
  });

  it('looks at a file every 5 s at most, and reads it when it has changed', async () => {
    const file = new SystemFile(files, '/x', clock, (read) => read);
    expect(log).to.deep.equal([]);
    expect(file.value).to.equal('one');
    [stamp, text] = ['2', 'two'];
    await clock.advance(4999);
    expect(file.value).to.equal('one');
    expect(log).to.deep.equal(['stamp', 'read']);
    await clock.advance(1);
    expect(file.value).to.equal('two');
    await clock.advance(5000);
    expect(file.value).to.equal('two');
    expect(log).to.deep.equal(['stamp', 'read', 'stamp', 'read', 'stamp']);
  });

  it('takes a file that is gone, or cannot be read, for empty', async () => {
    const file = new SystemFile(files, '/x', clock, (read) => read);
    expect(file.value).to.equal('one');
    stamp = undefined;
    await clock.advance(5000);
    expect(file.value).to.equal('');
    [stamp, text] = ['3', undefined];
    await clock.advance(5000);
    expect(file.value).to.equal('');
  });

  it('does not read it again when told so', async () => {
    const file = new SystemFile(files, '/x', clock, (read) => read);
    file.reloads = false;
    expect(file.value).to.equal('one');
    [stamp, text] = ['2', 'two'];
    await clock.advance(5000);
    expect(file.value).to.equal('one');
  });
});
