import { expect } from 'chai';
import { sortAddresses } from '../../src/net/address-order.ts';
import { type IPAddr, parseIPAddr } from '../../src/net/ip-addr.ts';
import { IpAddress } from '../../src/wire/address.ts';

/** `source` of each destination, or none. */
type Table = Readonly<Record<string, string | undefined>>;

const order = (table: Table): string[] => {
  const addresses = Object.keys(table).map((text) => parseIPAddr(text) as IPAddr);
  const sourceOf = (to: IPAddr) => {
    const source = table[`${to}`];
    return source === undefined ? undefined : IpAddress.parse(source);
  };
  return sortAddresses(addresses, sourceOf).map(String);
};

// RFC 6724 10.2 has the examples that name no rule; the outcome is in their order here, and each is sorted from both orders.
const EXAMPLES: [title: string, table: Table][] = [
  [
    'RFC 6724 6, rule 1: avoid unusable destinations',
    { '198.51.100.121': '198.51.100.117', '2001:db8:1::1': undefined },
  ],
  [
    'RFC 6724 6, rule 2: prefer matching scope, IPv4',
    { '198.51.100.121': '198.51.100.117', '2001:db8:1::1': 'fe80::1' },
  ],
  [
    'RFC 6724 6, rule 2: prefer matching scope, IPv6',
    { '2001:db8:1::1': '2001:db8:1::2', '198.51.100.121': '169.254.13.78' },
  ],
  [
    'RFC 6724 6, rule 5: prefer matching label',
    { '2002:c633:6401::1': '2002:c633:6401::2', '2001:db8:1::1': '2002:c633:6401::2' },
  ],
  ['RFC 6724 6, rule 6: prefer higher precedence', { '2001:db8:1::1': '2001:db8:1::2', '10.1.2.3': '10.1.2.4' }],
  ['RFC 6724 6, rule 6: of loopbacks too', { '::1': '::1', '127.0.0.1': '127.0.0.1' }],
  [
    'RFC 6724 6, rule 6: of native addresses before 6to4',
    { '2001:db8:1::1': '2001:db8:1::2', '2002:c633:6401::1': '2002:c633:6401::2' },
  ],
  ['RFC 6724 6, rule 6: IPv4 before unique local addresses', { '10.1.2.3': '10.1.2.4', 'fd00::1': 'fd00::2' }],
  ['RFC 6724 6, rule 8: prefer smaller scope', { 'fe80::1': 'fe80::2', '2001:db8:1::1': '2001:db8:1::2' }],
  [
    'RFC 6724 6, rule 9: use longest matching prefix',
    { '2001:db8:1::1': '2001:db8:1::2', '2001:db8:3ffe::1': '2001:db8:3f44::2' },
  ],
];

describe('net/address-order', () => {
  for (const [title, table] of EXAMPLES) {
    it(title, () => {
      const expected = Object.keys(table);
      expect(order(table)).to.deep.equal(expected);
      expect(order(Object.fromEntries(Object.entries(table).reverse()))).to.deep.equal(expected);
    });
  }

  it('RFC 6724 6, rule 10: otherwise, leave the order unchanged, which is that of the server', () => {
    for (const one of [
      ['10.0.0.9', '10.0.0.1', '10.0.0.5'],
      ['2001:db8:1::9', '2001:db8:1::1', '2001:db8:1::5'],
    ]) {
      const [first] = one as [string, string, string];
      expect(order(Object.fromEntries(one.map((text) => [text, first])))).to.deep.equal(one);
      expect(order(Object.fromEntries(one.map((text) => [text, undefined])))).to.deep.equal(one);
    }
  });

  it('looks at no prefix of IPv4, as Go', () => {
    expect(order({ '192.168.0.1': '10.0.0.2', '10.0.0.1': '10.0.0.2' })).to.deep.equal(['192.168.0.1', '10.0.0.1']);
  });

  it('asks for no source of one address alone', () => {
    const alone = [parseIPAddr('10.0.0.1') as IPAddr];
    expect(sortAddresses(alone, () => expect.fail('asked'))).to.deep.equal(alone);
  });
});
