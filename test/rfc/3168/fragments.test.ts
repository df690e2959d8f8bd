/** RFC 3168 5.3: the ECN fields of fragments, and of what they are put together to. */

import { expect } from 'chai';
import { FragmentBench } from '../../support/wire-fragment.ts';

const [NOT_ECT, ECT1, ECT0, CE] = [0, 1, 2, 3];

for (const family of [4, 6] as const) {
  describe(`RFC 3168 5.3, IPv${family}`, () => {
    for (const [fields, whole] of [
      [[NOT_ECT, NOT_ECT, NOT_ECT], NOT_ECT],
      [[ECT0, ECT0, ECT0], ECT0],
      [[ECT0, CE, ECT0], CE],
      [[ECT1, ECT1, CE], CE],
      [[CE, ECT1, ECT0], CE],
      [[CE, CE, CE], CE],
      [[ECT1, ECT0, ECT0], ECT1],
      [[ECT0, ECT1, ECT1], ECT0],
    ] as const) {
      it(`fragments with ${fields} are a datagram with ${whole}`, () => {
        const t = new FragmentBench(family);
        const ping = t.ping(3000);
        t.send(...[0, 1000, 2000].map((at, i) => t.piece(ping, at, at + 1000, { tos: 0x50 | (fields[i] as number) })));
        // RFC 1812 4.3.2.5: an answer has what the question had.
        expect(t.expectEcho(ping).tos).to.equal(0x50 | whole);
        t.close();
      });
    }

    for (const fields of [
      [NOT_ECT, CE],
      [CE, NOT_ECT],
      [NOT_ECT, ECT0],
      [ECT1, NOT_ECT],
    ]) {
      it(`${fields} cannot be: dropped`, () => {
        const t = new FragmentBench(family);
        const ping = t.ping(2000);
        t.send(...[0, 1000].map((at, i) => t.piece(ping, at, at + 1000, { tos: fields[i] as number })));
        t.expectNothing();
        expect(t.drops).to.deep.equal(['ip-fragments-ecn']);
        expect([t.count('ReasmFails'), t.count('ReasmOKs')]).to.deep.equal([1, 0]);
        t.expectEmpty();
      });
    }
  });
}
