/** RFC 6437: flow labels of datagrams. */
import { expect } from 'chai';
import { address } from '../../stack/tap.ts';
import { pattern } from '../../support/pair.ts';
import { to, UdpWire } from '../../support/udp-wire.ts';

describe('RFC 6437 3: flow labels of datagrams', () => {
  it('a flow has one, whatever goes elsewhere meanwhile, in fragments too; flows differ', async () => {
    const t = new UdpWire();
    const [one, other] = [t.socket(6, 1000), t.socket(6, 1001)];
    const elsewhere = { address: address('2001:db8::3'), port: 9000 };
    for (let i = 0; i < 3; i++) {
      one.send(pattern(10), 0, to(6));
      one.send(pattern(10), 0, to(6, 9001));
      one.send(pattern(3000), 0, elsewhere);
      other.send(pattern(10), 0, to(6));
    }
    const labels = (await t.sent()).map((bytes) => new DataView(bytes.buffer).getUint32(0) & 0xfffff);
    expect(labels).to.have.length(18);
    expect(labels).to.not.include(0);
    expect(new Set(labels).size).to.equal(4);
    expect(labels.slice(6, 12)).to.deep.equal(labels.slice(0, 6));
    t.end();
  });
});
