import { expect } from 'chai';
import { AddrError, DNSError } from '../../src/net/errors.ts';
import { lookupPort, parsePort } from '../../src/net/ports.ts';
import { thrown } from '../support/pair.ts';

const PARSED: [text: string, port: number | undefined][] = [
  ['', 0],
  ['-1073741825', -(2 ** 30)],
  ['-1073741824', -(2 ** 30)],
  ['-1073741823', -(2 ** 30 - 1)],
  ['-123456789', -123_456_789],
  ['-1', -1],
  ['-0', 0],
  ['0', 0],
  ['+0', 0],
  ['+1', 1],
  ['00080', 80],
  ['65535', 65_535],
  ['65536', 65_536],
  ['1073741823', 2 ** 30 - 1],
  ['1073741824', 2 ** 30 - 1],
  ['1073741825', 2 ** 30 - 1],
  ['9999999999999', 2 ** 30 - 1],
  ['123456789', 123_456_789],
  ['1073741822', 2 ** 30 - 2],
  ['abc', undefined],
  ['123456789badport', undefined],
  ['-2147483649badport', undefined],
  ['2147483649badport', undefined],
  // What is far too large is read no further.
  ['10737418240badport', 2 ** 30 - 1],
  ['-10737418240badport', -(2 ** 30)],
  ['9pfs', undefined],
  ['123badport', undefined],
  ['bad123port', undefined],
  ['badport123', undefined],
  ['0x50', undefined],
  [' 80', undefined],
  ['--1', undefined],
];

const LOOKED_UP: [network: string, service: string, port: number][] = [
  ['tcp', '0', 0],
  ['udp', '0', 0],
  ['udp', 'domain', 53],
  ['tcp', 'http', 80],
  ['tcp', 'HTTP', 80],
  ['tcp', 'https', 443],
  ['tcp4', 'ssh', 22],
  ['tcp6', 'ftp', 21],
  ['tcp', 'gopher', 70],
  ['tcp', 'imap2', 143],
  ['tcp', 'imap3', 220],
  ['tcp', 'imaps', 993],
  ['tcp', 'pop3', 110],
  ['tcp', 'pop3s', 995],
  ['tcp', 'smtp', 25],
  ['tcp', 'submissions', 465],
  ['tcp', 'telnet', 23],
  ['tcp', 'ftps', 990],
  ['', 'http', 80],
  ['', 'domain', 53],
  // The network is looked at only when there is something to look up.
  ['bad', '80', 80],
];

describe('net/ports', () => {
  for (const [text, port] of PARSED) {
    it(`reads '${text}' as ${port ?? 'a name'}`, () => {
      expect(parsePort(text)).to.equal(port);
    });
  }

  for (const [network, service, port] of LOOKED_UP) {
    it(`knows ${service} of '${network}'`, () => {
      expect(lookupPort(network, service)).to.equal(port);
    });
  }

  for (const service of ['65536', '-1', '9999999999999']) {
    it(`calls ${service} an invalid port`, () => {
      const error = thrown(() => lookupPort('tcp', service));
      expect(error).to.be.instanceOf(AddrError);
      expect(error.message).to.equal(`address ${service}: invalid port`);
    });
  }

  for (const [network, service, named = network] of [
    ['tcp', '☺'],
    ['tcp', 'nosuchsvc'],
    ['tcp', '0x50'],
    ['udp', 'http'],
    ['tcp4', 'nosuchsvc', 'tcp'],
    ['udp6', 'nosuchsvc', 'udp'],
    ['', 'nosuchsvc', 'ip'],
    ['ip', 'nosuchsvc'],
  ] as const) {
    it(`does not know ${service} of '${network}'`, () => {
      const error = thrown(() => lookupPort(network, service));
      expect(error).to.be.instanceOf(DNSError);
      expect(error.message).to.equal(`lookup ${named}/${service}: unknown port`);
      expect(error).to.include({ isNotFound: true, timeout: false, temporary: false, code: 'ENOTFOUND' });
    });
  }

  it('needs a known network for a name', () => {
    expect(thrown(() => lookupPort('bad', 'http')).message).to.equal('address bad: unknown network');
    expect(thrown(() => lookupPort('tcp5', 'http')).message).to.equal('address tcp5: unknown network');
  });
});
