import * as net from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  IPV4_ANY,
  IPV4_LOOPBACK,
  IPV6_ANY,
  IPV6_LOOPBACK,
  IpAddress,
  inPrefix,
  parsePrefix,
} from '../../src/wire/address.ts';

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
/** Words with many zero halves, as real addresses have. */
const sparse = fc.oneof(word, fc.constantFrom(0, 1, 0x10000, 0x20010db8));

function parsed(text: string): IpAddress {
  const address = IpAddress.parse(text);
  if (address === undefined) throw new Error(`${text} does not parse`);
  return address;
}

describe('wire/address', () => {
  describe('zones', () => {
    it('lie in link-local addresses alone, and in what is equal', () => {
      const bare = parsed('fe80::1');
      const zoned = bare.withZone(3);
      expect([bare.zone, zoned.zone, `${zoned}`, zoned.withZone(0).equals(bare)]).to.deep.equal([
        0,
        3,
        'fe80::1%3',
        true,
      ]);
      expect(zoned.equals(bare)).to.equal(false);
      expect([zoned.bareW0, zoned.isLinkLocal, zoned.isMulticast]).to.deep.equal([bare.w0, true, false]);
      expect(`${parsed('ff02::1').withZone(2)} ${parsed('ff01::1').withZone(2)}`).to.equal('ff02::1%2 ff01::1%2');
    });

    it('are no matter of others', () => {
      for (const text of ['10.9.0.2', '2001:db8::1', 'ff05::1', 'ff0e::1', 'ff00::1', 'fec0::1', '::1']) {
        const address = parsed(text);
        expect([address.withZone(3), address.zone, address.isLinkLocal]).to.deep.equal([address, 0, false]);
      }
    });
  });

  describe('parse', () => {
    it('reads dotted decimal', () => {
      const address = parsed('10.9.0.2');
      expect([address.family, address.w0, address.w1, address.w2, address.w3]).to.deep.equal([
        4, 0, 0, 0xffff, 0x0a090002,
      ]);
      expect(parsed('255.255.255.255').w3).to.equal(-1);
    });

    it('reads an IPv4-mapped address as IPv4', () => {
      expect(parsed('::ffff:10.9.0.2').equals(parsed('10.9.0.2'))).to.equal(true);
      expect(parsed('::ffff:a09:2').family).to.equal(4);
      expect(String(parsed('::FFFF:10.9.0.2'))).to.equal('10.9.0.2');
    });

    it('reads the forms of RFC 4291 2.2', () => {
      expect(String(parsed('2001:DB8:0:0:8:800:200C:417A'))).to.equal('2001:db8::8:800:200c:417a');
      expect(String(parsed('FF01::101'))).to.equal('ff01::101');
      expect(String(parsed('0:0:0:0:0:0:13.1.68.3'))).to.equal('::d01:4403');
      expect(String(parsed('::'))).to.equal('::');
    });

    for (const text of [
      '',
      ' ',
      '1',
      '1.2.3',
      '1.2.3.4.5',
      '1.2.3.04',
      '1.2.3.256',
      '1.2.3.',
      '.1.2.3',
      '1..2.3',
      '+1.2.3.4',
      '0x1.2.3.4',
      ' 1.2.3.4',
      '1.2.3.4 ',
      '1.2.3.4\n',
      '-1.2.3.4',
      '1e1.2.3.4',
      ':',
      ':::',
      '1:',
      ':1',
      '1::2::3',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4:5:6:7:',
      '::1:2:3:4:5:6:7:8',
      '1:2:3:4::5:6:7:8',
      '12345::',
      'g::',
      'fe80::1%eth0',
      '[::1]',
      '::1.2.3',
      '1.2.3.4::',
      '::1.2.3.4:5',
      '::1.2.3.04',
      '1:2:3:4:5:6:7:1.2.3.4',
      '::1\n',
    ]) {
      it(`refuses ${JSON.stringify(text)}`, () => {
        expect(IpAddress.parse(text)).to.equal(undefined);
      });
    }

    it('agrees with node:net on what is an address', () => {
      const piece = fc.constantFrom(
        '0',
        '1',
        '00',
        '12',
        'ab',
        'FFFF',
        '10000',
        ':',
        '::',
        '.',
        '1.2.3.4',
        '255',
        '256',
        '',
      );
      fc.assert(
        fc.property(fc.array(piece, { maxLength: 16 }), (pieces) => {
          const text = pieces.join('');
          expect(IpAddress.parse(text) !== undefined, text).to.equal(net.isIP(text) !== 0);
        }),
        { numRuns: 2000 },
      );
    });
  });

  describe('toString', () => {
    // RFC 5952 4
    const texts: [string, string][] = [
      ['2001:0db8::0001', '2001:db8::1'],
      ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
      ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
      ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
      ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
      ['1:2:3:4:5:6:0:0', '1:2:3:4:5:6::'],
      ['2001:DB8::AAAA', '2001:db8::aaaa'],
    ];
    for (const [text, canonical] of texts) {
      it(`writes ${text} as ${canonical}`, () => expect(String(parsed(text))).to.equal(canonical));
    }

    it('parses back to the same address', () => {
      fc.assert(
        fc.property(sparse, sparse, sparse, sparse, (a, b, c, d) => {
          // With a zone, the text has one too, and is for zones.ts to read.
          const address = IpAddress.v6(a, b, c, d).withZone(0);
          expect(parsed(String(address)).equals(address)).to.equal(true);
          const v4 = IpAddress.v4(a);
          expect(v4.family).to.equal(4);
          expect(parsed(String(v4)).equals(v4)).to.equal(true);
        }),
      );
    });
  });

  it('tells addresses apart by every word', () => {
    const base = IpAddress.v6(1, 2, 3, 4);
    expect(base.equals(IpAddress.v6(1, 2, 3, 4))).to.equal(true);
    for (const [a, b, c, d] of [
      [9, 2, 3, 4],
      [1, 9, 3, 4],
      [1, 2, 9, 4],
      [1, 2, 3, 9],
    ] as [number, number, number, number][]) {
      expect(base.equals(IpAddress.v6(a, b, c, d))).to.equal(false);
    }
    expect(IPV4_ANY.equals(IPV6_ANY)).to.equal(false);
  });

  it('takes words as int32 or uint32', () => {
    expect(IpAddress.v4(0xffffffff).equals(IpAddress.v4(-1))).to.equal(true);
    expect(IpAddress.v6(0, 0, 0xffff, 0x7f000001).equals(IPV4_LOOPBACK)).to.equal(true);
  });

  it('knows the special addresses', () => {
    const kinds = (address: IpAddress) => [
      address.isUnspecified,
      address.isLoopback,
      address.isMulticast,
      address.isBroadcast,
    ];
    expect(kinds(IPV4_ANY)).to.deep.equal([true, false, false, false]);
    expect(kinds(IPV6_ANY)).to.deep.equal([true, false, false, false]);
    expect(kinds(IPV4_LOOPBACK)).to.deep.equal([false, true, false, false]);
    expect(kinds(parsed('127.255.0.9'))).to.deep.equal([false, true, false, false]);
    expect(kinds(IPV6_LOOPBACK)).to.deep.equal([false, true, false, false]);
    expect(kinds(parsed('224.0.0.1'))).to.deep.equal([false, false, true, false]);
    expect(kinds(parsed('239.255.255.255'))).to.deep.equal([false, false, true, false]);
    expect(kinds(parsed('ff02::1'))).to.deep.equal([false, false, true, false]);
    expect(kinds(parsed('255.255.255.255'))).to.deep.equal([false, false, false, true]);
    for (const text of ['10.9.0.2', '240.0.0.1', '::2', '1::', '128.0.0.1', 'fe80::1', '::ffff:ffff', 'ffff:ffff::']) {
      const multicast = text.startsWith('ffff');
      expect(kinds(parsed(text)), text).to.deep.equal([false, false, multicast, false]);
    }
  });

  describe('prefixes', () => {
    it('reads address and length', () => {
      const prefix = parsePrefix('10.9.0.2/24');
      expect(String(prefix?.address)).to.equal('10.9.0.2');
      expect(prefix?.bits).to.equal(24);
      expect(parsePrefix('2001:db8::/128')?.bits).to.equal(128);
      expect(parsePrefix('::/0')?.bits).to.equal(0);
      expect(parsePrefix('::ffff:10.9.0.2/120')?.bits).to.equal(24);
    });

    for (const text of [
      '10.9.0.2',
      '10.9.0.2/',
      '10.9.0.2/33',
      '10.9.0.2/-1',
      '10.9.0.2/08',
      '/8',
      '::/129',
      '::/1/2',
      '10.9.0/8',
      '::ffff:1.2.3.4/95',
      '1.2.3.4/8 ',
    ]) {
      it(`refuses ${text}`, () => expect(parsePrefix(text)).to.equal(undefined));
    }

    it('compares exactly the prefix bits', () => {
      const flip = (address: IpAddress, bit: number) => {
        const words = [address.w0, address.w1, address.w2, address.w3];
        words[bit >> 5] = (words[bit >> 5] as number) ^ (1 << (31 - (bit & 31)));
        return IpAddress.v6(...(words as [number, number, number, number]));
      };
      fc.assert(
        fc.property(word, fc.nat(31), fc.nat(32), (a, bit, bits) => {
          const network = IpAddress.v4(a);
          expect(inPrefix(flip(network, 96 + bit), network, bits)).to.equal(bit >= bits);
        }),
      );
      fc.assert(
        fc.property(word, word, fc.nat(127), fc.nat(128), (a, b, bit, bits) => {
          const network = IpAddress.v6(a | 1, b, a, b);
          fc.pre(flip(network, bit).family === 6);
          expect(inPrefix(flip(network, bit), network, bits)).to.equal(bit >= bits);
          expect(inPrefix(network, network, bits)).to.equal(true);
        }),
      );
    });

    it('never matches across families', () => {
      expect(inPrefix(IPV4_LOOPBACK, IPV6_ANY, 0)).to.equal(false);
      expect(inPrefix(IPV6_LOOPBACK, IPV4_ANY, 0)).to.equal(false);
    });
  });

  describe('isPrivate', () => {
    const privateOf = (list: readonly string[]) => list.filter((text) => parsed(text).isPrivate);

    it('RFC 1918 3: the three blocks, from their first address to their last', () => {
      const within = ['10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255', '192.168.0.0', '192.168.255.255'];
      expect(privateOf(within)).to.deep.equal(within);
      const beside = ['9.255.255.255', '11.0.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255', '192.169.0.0'];
      expect(privateOf(beside)).to.deep.equal([]);
    });

    it('RFC 4193 3.1: fc00::/7', () => {
      const within = ['fc00::', 'fd00::1', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'];
      expect(privateOf(within)).to.deep.equal(within);
      expect(privateOf(['fbff::1', 'fe00::', 'fe80::1', '::1'])).to.deep.equal([]);
    });
  });
});
