/** RFC 5722 4, RFC 8200 4.5: overlapping fragments; IPv4 is treated likewise (Linux since 2018). */
import { expect } from 'chai';
import fc from 'fast-check';
import { FragmentBench } from '../../support/wire-fragment.ts';

for (const family of [4, 6] as const) {
  describe(`RFC 5722 4, IPv${family}`, () => {
    it('when fragments overlap the whole datagram is dropped, and nobody is told', async () => {
      const t = new FragmentBench(family);
      const ping = t.ping(3000);
      t.send(t.piece(ping, 0, 1000), t.piece(ping, 1000, 2000), t.piece(ping, 1512, 2512), t.piece(ping, 2000));
      await t.clock.advance(60_000);
      t.expectNothing();
      expect(t.drops).to.include('ip-fragment-overlap');
      expect([t.count('ReasmFails'), t.count('ReasmOKs'), t.count('ReasmTimeout')]).to.deep.equal([1, 0, 0]);
      expect(t.stack.counters.ReasmOverlaps).to.equal(family === 4 ? 1 : 0);
      t.expectEmpty();
      t.close();
    });

    it('so are the fragments that come later, until the time of reassembly is over', async () => {
      const t = new FragmentBench(family);
      const ping = t.ping(2000);
      t.send(t.piece(ping, 0, 1000), t.piece(ping, 992, 1992));
      expect(t.stack.slab.live, 'nothing is kept').to.equal(0);
      t.send(t.piece(ping, 0, 1000), t.piece(ping, 1000));
      t.expectNothing();
      await t.clock.advance(family === 4 ? 30_000 : 60_000);
      t.send(t.piece(ping, 0, 1000), t.piece(ping, 1000));
      t.expectEcho(ping);
      t.close();
    });

    it('an overlap of 8 bytes, in whatever place', () => {
      const pair = fc.tuple(
        fc.integer({ min: 0, max: 250 }),
        fc.integer({ min: 2, max: 130 }),
        fc.integer({ min: 1, max: 130 }),
      );
      fc.assert(
        fc.property(pair, fc.boolean(), ([start, length, other], before) => {
          const t = new FragmentBench(family);
          const ping = t.ping(8 * 600);
          const from = before ? Math.max(start - other, 0) : start + length - 1;
          const to = before ? start + 1 : start + length + other;
          fc.pre(from < start || to > start + length);
          t.send(t.piece(ping, 8 * start, 8 * (start + length)), t.piece(ping, 8 * from, 8 * to));
          expect(t.drops).to.deep.equal(['ip-fragment-overlap']);
          t.close();
        }),
        { numRuns: 60 },
      );
    });

    it('RFC 8200 4.5: a fragment that comes twice is no overlap, nor is a part of what has come (Linux)', () => {
      const t = new FragmentBench(family);
      const ping = t.ping(3000);
      t.send(t.piece(ping, 0, 1000), t.piece(ping, 1000, 2000), t.piece(ping, 1000, 2000), t.piece(ping, 512, 768));
      t.send(t.piece(ping, 0, 1000), t.piece(ping, 512, 1512), t.piece(ping, 2000));
      t.expectEcho(ping);
      expect(t.drops).to.deep.equal(new Array(4).fill('ip-fragment-duplicate'));
      t.close();
    });

    it('the last fragment, twice', () => {
      const t = new FragmentBench(family);
      const ping = t.ping(2003);
      t.send(t.piece(ping, 1000), t.piece(ping, 1000), t.piece(ping, 0, 1000));
      t.expectEcho(ping);
      t.close();
    });
  });
}
