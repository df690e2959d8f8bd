/** RFC 4291 2: the addresses that a host has, and hears. */
import { expect } from 'chai';
import { Stack } from '../../../src/stack/stack.ts';
import { seededRandom } from '../../../src/time/random.ts';
import { VirtualClock } from '../../../src/time/virtual-clock.ts';
import { address, TapLink } from '../../stack/tap.ts';
import { buildIcmp6, Wire6 } from '../../support/wire6.ts';

class Ethernet extends TapLink {
  readonly hardwareAddress = Uint8Array.of(0x00, 0x10, 0x20, 0x30, 0x40, 0x5f);
}

function hostWith(link: TapLink, ...texts: string[]): string[] {
  const stack = new Stack({ clock: new VirtualClock(), random: seededRandom(3) });
  const added = stack.addInterface(link, { addresses: texts.map((text) => ({ address: address(text), bits: 64 })) });
  return added.addresses.map((each) => `${each.address}`);
}

describe('RFC 4291 2.1, 2.8: link-local addresses', () => {
  it('an interface that speaks IPv6 has one: 2.5.6, appendix A: from the hardware address', () => {
    expect(hostWith(new Ethernet(), 'fd00::2')).to.deep.equal(['fd00::2', 'fe80::210:20ff:fe30:405f%2']);
  });

  it('where there is none, at random', () => {
    const [, one] = hostWith(new TapLink(), 'fd00::2');
    expect(one).to.match(/^fe80::[0-9a-f:]+%2$/);
  });

  it('one that was given is enough, and IPv4 needs none', () => {
    expect(hostWith(new TapLink(), 'fd00::2', 'fe80::2')).to.deep.equal(['fd00::2', 'fe80::2%2']);
    expect(hostWith(new TapLink(), '10.0.0.2')).to.deep.equal(['10.0.0.2']);
  });
});

describe('RFC 4291 2.8: what a host hears', () => {
  it('all nodes, and the solicited-node addresses of its own', () => {
    const t = new Wire6();
    for (const text of ['ff01::1', 'ff02::1', 'ff02::1:ff00:2', 'fd00::2']) {
      t.inject(buildIcmp6(128, 0, 1, Uint8Array.of(1), { destination: address(text) }));
      t.expectIcmp({ type: 129, code: 0 });
    }
    expect(t.stack.counters.Ip6InMcastPkts).to.equal(3);
  });

  it('RFC 4007 9: its link-local address on its link', () => {
    const t = new Wire6();
    t.inject(
      buildIcmp6(128, 0, 1, Uint8Array.of(1), { source: address('fe80::9'), destination: t.linkLocal.withZone(0) }),
    );
    expect(`${t.expectIcmp({ type: 129, code: 0 }).source}`).to.equal(`${t.linkLocal.withZone(0)}`);
    const other = new TapLink('other');
    t.stack.addInterface(other, { addresses: [{ address: address('fd01::2'), bits: 64 }] });
    other.deliver(
      buildIcmp6(128, 0, 1, Uint8Array.of(1), { source: address('fe80::9'), destination: t.linkLocal.withZone(0) }),
    );
    expect(other.drain()).to.deep.equal([]);
  });
});
