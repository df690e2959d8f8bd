import { expect } from 'chai';
import {
  absoluteName,
  equalNames,
  isDomainName,
  isLocalhost,
  nameList,
  reverseName,
  rooted,
} from '../../src/net/dns-names.ts';
import { IpAddress } from '../../src/wire/address.ts';

const LABEL = 'x'.repeat(63);
const LONG = [LABEL, LABEL, LABEL, 'x'.repeat(61)].join('.');

describe('net/dns-names', () => {
  for (const [text, expected] of [
    ['.', true],
    ['example', true],
    ['example.', true],
    ['_http._tcp.example', true],
    ['a-b.c-1', true],
    ['1a', true],
    ['1-2', true],
    [LABEL, true],
    [LONG, true],
    [`${LONG}.`, true],
    ['', false],
    ['..', false],
    ['.example', false],
    ['a..b', false],
    ['a.b..', false],
    ['-a', false],
    ['a-', false],
    ['a.-b', false],
    ['a-.b', false],
    ['a b', false],
    ['ä.example', false],
    ['1.2.3.4', false],
    ['127.0.0.256', false],
    ['12', false],
    [`${LABEL}x`, false],
    [`a.${LABEL}x.b`, false],
    [`${LONG}x`, false],
    [`${LONG}x.`, false],
  ] as const) {
    it(`takes ${text.length > 40 ? `${text.length} characters` : `'${text}'`} for ${expected ? 'a' : 'no'} domain name`, () => {
      expect(isDomainName(text)).to.equal(expected);
    });
  }

  it('lists what to ask for', () => {
    const search = ['lab.example.', 'example.'];
    expect(nameList('web', search, 1)).to.deep.equal(['web.lab.example.', 'web.example.', 'web.']);
    expect(nameList('web.lab', search, 1)).to.deep.equal(['web.lab.', 'web.lab.lab.example.', 'web.lab.example.']);
    expect(nameList('web.', search, 1)).to.deep.equal(['web.']);
    expect(nameList('x'.repeat(245), search, 1)).to.deep.equal([`${'x'.repeat(245)}.example.`, `${'x'.repeat(245)}.`]);
    expect(nameList('x'.repeat(254), search, 1)).to.deep.equal([]);
    expect(nameList(`${'x'.repeat(253)}.`, search, 1)).to.have.lengthOf(1);
    expect(nameList('x.onion', search, 1)).to.deep.equal(['x.onion.lab.example.', 'x.onion.example.']);
    expect(nameList('x.Onion.', search, 1)).to.deep.equal([]);
  });

  it('knows what is localhost', () => {
    for (const name of ['localhost', 'LOCALHOST.', 'a.localhost', 'a.b.localhost.'])
      expect(isLocalhost(name), name).to.equal(true);
    for (const name of ['localhost.example', 'notlocalhost', '', '.']) expect(isLocalhost(name), name).to.equal(false);
  });

  it('compares ASCII letters in any case, and nothing else', () => {
    expect(equalNames('Web.Example.', 'wEB.eXAMPLE.')).to.equal(true);
    expect(equalNames('web.example.', 'web.example')).to.equal(false);
    // The Kelvin sign becomes a k in lower case.
    expect(equalNames('\u212a.', 'k.')).to.equal(false);
  });

  it('roots names', () => {
    expect([rooted('a'), rooted('a.'), absoluteName('a'), absoluteName('a.b'), absoluteName('a.b.')]).to.deep.equal([
      'a.',
      'a.',
      'a',
      'a.b.',
      'a.b.',
    ]);
  });

  it('names addresses', () => {
    const of = (text: string) => reverseName(IpAddress.parse(text) as IpAddress);
    expect(of('10.9.0.1')).to.equal('1.0.9.10.in-addr.arpa.');
    expect(of('255.254.253.252')).to.equal('252.253.254.255.in-addr.arpa.');
    expect(of('4321:0:1:2:3:4:567:89ab')).to.equal(
      'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa.',
    );
  });
});
