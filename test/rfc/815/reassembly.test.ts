/** RFC 815: whatever the order, whatever comes twice, however it was cut: the datagram, or nothing. Both families. */
import { expect } from 'chai';
import fc from 'fast-check';
import { FragmentBench } from '../../support/wire-fragment.ts';

/** Where a datagram of `length` bytes is cut: at multiples of 8. */
const cuts = (length: number) =>
  fc.uniqueArray(fc.integer({ min: 1, max: (length - 1) >> 3 }), { maxLength: 40 }).map((units) => {
    const inner = units.map((unit) => unit * 8).sort((a, b) => a - b);
    return [0, ...inner, length];
  });

const datagram = fc
  .oneof(fc.integer({ min: 17, max: 200 }), fc.integer({ min: 17, max: 5000 }), fc.integer({ min: 17, max: 65_515 }))
  .chain((length) =>
    cuts(length).chain((bounds) => {
      const count = bounds.length - 1;
      const any = fc.integer({ min: 0, max: count - 1 });
      return fc.record({
        bounds: fc.constant(bounds),
        order: fc.shuffledSubarray(
          Array.from({ length: count }, (_, i) => i),
          { minLength: count },
        ),
        /** Pieces that come again, and after how many others. */
        again: fc.array(fc.tuple(any, any), { maxLength: 5 }),
        missing: fc.option(any),
      });
    }),
  )
  .filter(({ bounds }) => bounds.length > 2);

for (const family of [4, 6] as const) {
  describe(`RFC 815, IPv${family}`, () => {
    it('fragments in any order, some of them twice, are the datagram that was cut', () => {
      fc.assert(
        fc.property(datagram, ({ bounds, order, again, missing }) => {
          const t = new FragmentBench(family);
          const ping = t.ping(bounds.at(-1) as number);
          const sent = [...order];
          for (const [which, after] of again) sent.splice(after + 1, 0, which);
          // What comes again after all is there begins a datagram that is never whole: the last new one goes last.
          const last = sent.findLast((which) => which !== missing) as number;
          const needed = sent.filter((which) => which !== missing);
          const ready = needed.filter((which, i) => which !== last || i === needed.indexOf(last));
          const others = ready.filter((which) => which !== last);
          for (const which of [...others, last]) t.send(t.piece(ping, bounds[which] as number, bounds[which + 1]));
          if (missing === null) {
            t.expectEcho(ping);
            t.expectEmpty();
          } else {
            t.expectNothing();
            expect(t.stack.reassembly.size).to.equal(1);
          }
          t.close();
        }),
        { numRuns: 150 },
      );
    });
  });
}
