/** Packets for a router that nobody in his senses sends: nothing is thrown, nothing kept, and what goes on is whole. */
import { expect } from 'chai';
import { seededRandom } from '../../src/time/random.ts';
import { checksum, sum } from '../../src/wire/checksum.ts';
import { buildDatagram, readDatagram } from '../support/datagram.ts';
import { Router } from '../support/router.ts';

const COUNT = process.env['TUNSTACK_LONG'] === '1' ? 2_000_000 : 8_000;

describe('a router that is sent anything', () => {
  for (const seed of [1, 2])
    it(`seed ${seed}: ${COUNT} packets`, async function () {
      this.timeout(10_000 + COUNT);
      const random = seededRandom(seed);
      const draw = (most: number) => Math.floor(random.float() * most);
      const mtu = [576, 1500, 68][draw(3)] as number;
      const t = new Router({ mtu });
      let passed = 0;
      for (let i = 0; i < COUNT; i++) {
        const bytes = spoiled(draw);
        t.left.deliver(draw(20) === 0 ? bytes.subarray(0, draw(bytes.length + 1)) : bytes);
        for (const out of t.right.drain()) {
          passed++;
          expect(out.length).to.be.at.most(Math.max(mtu, 68));
          const { ttl } = readDatagram(out);
          expect(ttl).to.be.within(1, 254);
        }
        t.left.drain();
      }
      // Fragments for the router itself wait for their others, not longer than a minute.
      await t.clock.advance(61_000);
      expect(t.stack.slab.live).to.equal(0);
      expect(passed).to.be.greaterThan(COUNT / 20);
    });
});

/** A packet of either family with some of its bytes anything, the checksum of an IPv4 header most often right. */
function spoiled(draw: (most: number) => number): Uint8Array {
  const four = draw(3) > 0;
  const options = four && draw(2) === 0 ? Array.from({ length: draw(41) }, () => optionByte(draw)) : [];
  const bytes = buildDatagram({
    from: four ? '10.1.0.7' : '2001:db8:1::7',
    to: four ? '10.2.0.7' : '2001:db8:2::7',
    ttl: draw(256),
    length: 8 + (draw(4) === 0 ? draw(1400) : draw(100)),
    dontFragment: draw(2) === 0,
    moreFragments: draw(8) === 0,
    offset: draw(8) === 0 ? draw(65_536) & ~7 : 0,
    protocol: draw(3) === 0 ? draw(256) : 6,
    options,
  });
  const header = four ? 20 + options.length : 40;
  for (let left = draw(4); left > 0; left--) {
    const at = draw(4) === 0 ? draw(bytes.length) : draw(header);
    bytes[at] = draw(256);
  }
  const view = new DataView(bytes.buffer);
  const length = ((bytes[0] as number) & 0xf) << 2;
  if ((bytes[0] as number) >> 4 === 4 && length >= 20 && length <= bytes.length && draw(10) > 0) {
    view.setUint16(10, 0);
    view.setUint16(10, checksum(sum(view, 0, length)));
  }
  return bytes;
}

function optionByte(draw: (most: number) => number): number {
  return draw(3) === 0 ? ([0, 1, 7, 68, 130, 131, 136, 137, 148][draw(9)] as number) : draw(44);
}
