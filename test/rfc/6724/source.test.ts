/** RFC 6724 5: which of the host's addresses it speaks from; 2.1, 2.2, 3: the tables and measures of that. */
import { expect } from 'chai';
import { commonPrefix, policyOf, scopeOf } from '../../../src/stack/source-address.ts';
import { Stack } from '../../../src/stack/stack.ts';
import { seededRandom } from '../../../src/time/random.ts';
import { VirtualClock } from '../../../src/time/virtual-clock.ts';
import { parsePrefix } from '../../../src/wire/address.ts';
import { address, TapLink } from '../../stack/tap.ts';

/** The source for `destination` of a host with those addresses, each list on a link of its own, and a default route over the first. */
function source(destination: string, ...links: string[][]): string {
  const stack = new Stack({ clock: new VirtualClock(), random: seededRandom(3) });
  const [first] = links.map((texts, i) =>
    stack.addInterface(new TapLink(`link${i}`), {
      addresses: texts.map((text) => parsePrefix(text) as { address: ReturnType<typeof address>; bits: number }),
    }),
  );
  if (first === undefined) throw new Error('no links');
  stack.addRoute({ destination: address('::'), bits: 0, interface: first });
  const [text, zone] = destination.split('%');
  const to = address(text as string).withZone(Number(zone ?? 0));
  return `${stack.network.pathTo(to, undefined, 6)?.source}`;
}

describe('RFC 6724 5: source address selection', () => {
  it('rule 1: the destination itself, which is then on the loopback', () => {
    expect(source('fd00::2', ['fd00::2/64', 'fd00::3/64'])).to.equal('fd00::2');
    expect(source('::1', ['fd00::2/64'])).to.equal('::1');
  });

  it('rule 2: the appropriate scope: 10.1, example 1 to 3', () => {
    expect(source('2001:db8:1::1', ['2001:db8:3::1/64', 'fe80::1/64'])).to.equal('2001:db8:3::1');
    expect(source('fe80::9%2', ['2001:db8:3::1/64', 'fe80::1/64'])).to.equal('fe80::1%2');
    expect(source('ff05::1', ['fec0::1/64', 'fe80::1/64'])).to.equal('fec0::1');
    expect(source('ff05::1', ['2001:db8:3::1/64', 'fec0::1/64', 'fe80::1/64'])).to.equal('fec0::1');
  });

  it('rule 2: a scope that does not reach is taken when there is no other', () => {
    expect(source('2001:db8:1::1', ['fe80::1/64'])).to.equal('fe80::1%2');
  });

  it('rule 5: an address of the outgoing interface', () => {
    expect(source('2001:db8:1::1', ['2001:db8:3::1/64'], ['2001:db8:1::2/64'])).to.equal('2001:db8:1::2');
    expect(source('2001:db8:9::1', ['2001:db8:3::1/64'], ['2001:db8:9:1::2/64'])).to.equal('2001:db8:3::1');
  });

  it('rule 6: the matching label: 10.1, example 8', () => {
    expect(
      source('2002:c633:6401::d5e3:0:0:1', ['2001:db8:2::1/64', '2002:c633:6401::d5e3:7953:13eb:22e8/64']),
    ).to.equal('2002:c633:6401:0:d5e3:7953:13eb:22e8');
    expect(source('fd01::1', ['2001:db8:2::1/64', 'fd00::2/64'])).to.equal('fd00::2');
  });

  it('rule 8: the longest matching prefix: 10.1, examples 6', () => {
    expect(source('2001:db8:1::1', ['2001:db8:3::2/64', '2001:db8:1:ffff::2/64'])).to.equal('2001:db8:1:ffff::2');
    expect(source('2001:db8:3::1', ['2001:db8:3::2/64', '2001:db8:1:ffff::2/64'])).to.equal('2001:db8:3::2');
  });

  it('2.2: bits beyond the 64 of a network, or beyond the prefix, count nothing', () => {
    expect(commonPrefix(address('2001:db8::1'), address('2001:db8::2'))).to.equal(64);
    expect(commonPrefix(address('2001:db8::1'), address('2001:db8:0:1::1'))).to.equal(63);
    expect(source('2001:db8:0:1::1', ['2001:db8::2/32', '2001:db8:0:8000::2/64'])).to.equal('2001:db8:0:8000::2');
  });

  it('2.1: the default policy table', () => {
    const rows = ['::1', '2001:db8::1', '10.0.0.1', '2002::1', '2001::1', 'fd00::1', '::5', 'fec0::1', '3ffe::1'];
    expect(rows.map((text) => Object.values(policyOf(address(text))).join(' '))).to.deep.equal([
      '50 0',
      '40 1',
      '35 4',
      '30 2',
      '5 5',
      '3 13',
      '1 3',
      '1 11',
      '1 12',
    ]);
  });

  it('3.1, 3.2: scopes', () => {
    const texts = [
      '::1',
      'fe80::1',
      'fec0::1',
      'fd00::1',
      'ff02::1',
      'ff0e::1',
      '127.0.0.1',
      '169.254.1.1',
      '10.0.0.1',
    ];
    expect(texts.map((text) => scopeOf(address(text)))).to.deep.equal([2, 2, 5, 14, 2, 14, 2, 2, 14]);
  });
});
