/** RFC 5927: ICMP from somebody who only guesses what a connection looks like. */
import { expect } from 'chai';
import { IpAddress } from '../../../src/wire/address.ts';
import { itIpv4 } from '../../support/wire-family.ts';
import { pathMtu, tooLarge } from '../../support/wire-mtu.ts';
import { established } from '../../support/wire-peer.ts';

describe('RFC 5927: ICMP attacks', () => {
  for (const shift of [-1, -100_000, 1462, 100_000]) {
    it(`4.1, 7.1: "fragmentation needed" about a number that is not out (${shift} from it) is ignored`, async () => {
      const t = await established();
      t.write(1460);
      tooLarge(t, t.expect({ length: 1460 }), 1300, shift);
      t.expectNothing();
      expect(pathMtu(t)).to.equal(1500);
      expect(t.counters.OutOfWindowIcmps).to.equal(1);
    });
  }

  it('4.1: what was acknowledged is not out', async () => {
    const t = await established();
    t.write(1460);
    const large = t.expect({ length: 1460 });
    t.inject({ ack: 1461 });
    tooLarge(t, large, 1300);
    expect(pathMtu(t)).to.equal(1500);
  });

  it('7.2: an MTU that is larger than the known one raises nothing, nor makes it last longer', async () => {
    const t = await established({ sysctl: { mtu_expires: 60 } });
    t.write(1460);
    const large = t.expect({ length: 1460 });
    tooLarge(t, large, 1300);
    t.drain();
    await t.advance(100);
    for (const mtu of [1301, 1500, 65_535]) tooLarge(t, large, mtu);
    t.expectNothing();
    expect(pathMtu(t)).to.equal(1300);
    await t.advance(59_901);
    expect(pathMtu(t)).to.equal(1500);
  });

  for (const mtu of [1, 68, 551]) {
    itIpv4(`7.3: ${mtu} is not believed: min_pmtu`, async () => {
      const t = await established();
      t.write(1460);
      tooLarge(t, t.expect({ length: 1460 }), mtu);
      expect(pathMtu(t)).to.equal(552);
      t.expect({ length: 512 });
    });
  }

  itIpv4('7.3: min_pmtu sets the least', async () => {
    const t = await established({ sysctl: { min_pmtu: 1000 } });
    t.write(1460);
    tooLarge(t, t.expect({ length: 1460 }), 999);
    expect(pathMtu(t)).to.equal(1000);
    t.expect({ length: 960 });
  });

  it('a connection that is not named by the ports learns nothing from it', async () => {
    const t = await established();
    t.write(1460);
    const large = t.expect({ length: 1460 });
    const forged = { ...large, bytes: large.bytes.slice() };
    forged.bytes[20] = 9;
    tooLarge(t, forged, 600);
    expect(pathMtu(t)).to.equal(1500);
  });

  it('memory: the destinations that are remembered are bounded', async () => {
    const t = await established();
    const { mtus } = t.stack.network;
    for (let i = 0; i < 3000; i++) mtus.learn(address(i), 1000, 1500);
    expect(mtus.size).to.equal(2048);
    expect(mtus.of(address(0))).to.equal(undefined);
    expect(mtus.of(address(2999))?.mtu).to.equal(1000);
  });
});

function address(i: number): IpAddress {
  return IpAddress.v4((0x0b000000 + i) | 0);
}
