import { expect } from 'chai';
import { ParseError } from '../../src/net/errors.ts';
import { cidrMask, IPMask, IPNet, parseCIDR, parseIP } from '../../src/net/ip-net.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { thrown } from '../support/pair.ts';

const ip = (text: string) => IpAddress.parse(text) as IpAddress;

/** What real Go says. */
const CIDRS: [text: string, ip: string, net: string, mask: string][] = [
  ['135.104.0.0/32', '135.104.0.0', '135.104.0.0/32', 'ffffffff'],
  ['0.0.0.0/24', '0.0.0.0', '0.0.0.0/24', 'ffffff00'],
  ['135.104.0.1/24', '135.104.0.1', '135.104.0.0/24', 'ffffff00'],
  ['10.9.0.2/0', '10.9.0.2', '0.0.0.0/0', '00000000'],
  ['10.9.0.2/024', '10.9.0.2', '10.9.0.0/24', 'ffffff00'],
  ['::1/128', '::1', '::1/128', 'ffffffffffffffffffffffffffffffff'],
  ['abcd:2345::/65', 'abcd:2345::', 'abcd:2345::/65', 'ffffffffffffffff8000000000000000'],
  ['abcd:2345:ffff:ffff:ffff::/23', 'abcd:2345:ffff:ffff:ffff::', 'abcd:2200::/23', `fffffe${'0'.repeat(26)}`],
  ['::ffff:10.9.0.2/120', '10.9.0.2', '10.9.0.0/24', `${'f'.repeat(30)}00`],
  ['::ffff:10.9.0.2/64', '10.9.0.2', '::/64', `${'f'.repeat(16)}${'0'.repeat(16)}`],
];
const NO_CIDRS = [
  '',
  '10.9.0.2',
  '10.9.0.2/',
  '10.9.0.2/33',
  '::/129',
  '10.9.0.2/-1',
  '10.9.0.2/+8',
  '10.9.0/8',
  '10.9.0.2/8/8',
  'fe80::1%eth0/64',
  '010.9.0.2/8',
  '/24',
  '10.9.0.2/0x8',
];

describe('net/ip-net', () => {
  for (const [text, address, net, mask] of CIDRS) {
    it(`reads ${text}`, () => {
      const got = parseCIDR(text);
      expect(`${got.ip}`).to.equal(address);
      expect(`${got.net}`).to.equal(net);
      expect(`${got.net.mask}`).to.equal(mask);
      expect(got.net.network()).to.equal('ip+net');
    });
  }

  for (const text of NO_CIDRS) {
    it(`does not read '${text}'`, () => {
      const error = thrown(() => parseCIDR(text));
      expect(error).to.be.instanceOf(ParseError).and.include({ type: 'CIDR address', text });
      expect(error.message).to.equal(`invalid CIDR address: ${text}`);
    });
  }

  it('contains the addresses under the mask, of its own family', () => {
    const { net } = parseCIDR('10.9.4.0/22');
    expect(
      ['10.9.4.0', '10.9.7.255', '10.9.3.255', '10.9.8.0', '::10.9.4.0'].map((one) => net.contains(ip(one))),
    ).to.deep.equal([true, true, false, false, false]);
    const { net: six } = parseCIDR('2001:db8::/33');
    expect(['2001:db8:7fff::1', '2001:db8:8000::', '10.9.4.0'].map((one) => six.contains(ip(one)))).to.deep.equal([
      true,
      false,
      false,
    ]);
    expect(parseCIDR('::ffff:10.9.0.2/120').net.contains(ip('10.9.0.77'))).to.equal(true);
    expect(parseCIDR('::/0').net.contains(ip('10.9.0.77'))).to.equal(false);
  });

  it('takes a mask that is no prefix', () => {
    const net = new IPNet(ip('10.0.5.0'), new IPMask([255, 0, 255, 0]));
    expect(`${net}`).to.equal('10.0.5.0/ff00ff00');
    expect(net.mask.size()).to.deep.equal({ ones: 0, bits: 0 });
    expect(net.contains(ip('10.77.5.9'))).to.equal(true);
    expect(net.contains(ip('10.77.6.9'))).to.equal(false);
  });

  it('makes masks, and tells their sizes', () => {
    for (const bits of [32, 128])
      for (const ones of [0, 1, 7, 8, 9, 24, 31, 32]) expect(cidrMask(ones, bits).size()).to.deep.equal({ ones, bits });
    expect(`${cidrMask(20, 32)}`).to.equal('fffff000');
    for (const [ones, bits] of [
      [-1, 32],
      [33, 32],
      [1.5, 32],
      [8, 64],
      [129, 128],
    ] as const)
      expect(() => cidrMask(ones, bits)).to.throw(RangeError);
    expect(() => new IPMask([1, 2, 3])).to.throw(RangeError, 'IPMask: there must be 4 or 16 bytes, got 3');
    expect(() => new IPNet(ip('::1'), cidrMask(8, 32))).to.throw(
      RangeError,
      'an IPv6 address needs a mask of 16 bytes',
    );
  });

  it('reads addresses, and says undefined to all else', () => {
    expect(`${parseIP('10.9.0.2')} ${parseIP('2001:DB8::1')} ${parseIP('::ffff:10.9.0.2')}`).to.equal(
      '10.9.0.2 2001:db8::1 10.9.0.2',
    );
    for (const text of [
      '',
      '10.9.0',
      '010.9.0.2',
      'fe80::1%eth0',
      '10.9.0.256',
      '1:2:3:4:5:6:7:8::',
      '12345::',
      'x',
      5 as never,
    ])
      expect(parseIP(text), text).to.equal(undefined);
    expect(`${parseIP('1:2:3:4:5:6:7::')}`).to.equal('1:2:3:4:5:6:7:0');
  });
});
