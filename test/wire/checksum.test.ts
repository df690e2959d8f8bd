import { expect } from 'chai';
import fc from 'fast-check';
import {
  addSum,
  checksum,
  fold,
  pseudoHeaderSum4,
  pseudoHeaderSum6,
  sum,
  sum20,
  update16,
  update32,
} from '../../src/wire/checksum.ts';
import { everywhere, fromHex, viewOf } from './everywhere.ts';

/** The definition of RFC 1071 1, word by word. */
function reference(bytes: Uint8Array): number {
  let total = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    total += ((bytes[i] as number) << 8) | (bytes[i + 1] ?? 0);
    if (total > 0xffff) total -= 0xffff;
  }
  return total;
}

const bytes = fc.uint8Array({ maxLength: 200 });
const uint16 = fc.nat(0xffff);
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

describe('wire/checksum', () => {
  it('gives the example of RFC 1071 3', () => {
    expect(fold(sum(viewOf(fromHex('0001 f203 f4f5 f6f7')), 0, 8))).to.equal(0xddf2);
  });

  it('sums any bytes at any alignment, and nothing around them', () => {
    fc.assert(
      fc.property(bytes, (data) => {
        expect(everywhere(data, (view, offset) => fold(sum(view, offset, data.length)))).to.equal(reference(data));
      }),
      { numRuns: 500 },
    );
  });

  it('sums a header of 20 bytes the same in integers', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (data) => {
        expect(everywhere(data, (view, offset) => fold(sum20(view, offset)))).to.equal(reference(data));
      }),
    );
    expect(fold(sum20(viewOf(new Uint8Array(20).fill(0xff)), 0))).to.equal(0xffff);
  });

  it('sums long runs of 0xff without overflow', () => {
    for (const length of [65_535, 65_536, 131_072, 131_073, 131_087, 400_001]) {
      const data = new Uint8Array(length).fill(0xff);
      expect(fold(sum(viewOf(data), 0, length)), `${length}`).to.equal(reference(data));
    }
  });

  it('adds to what was summed before', () => {
    fc.assert(
      fc.property(bytes, fc.nat(Number.MAX_SAFE_INTEGER - 70_000), (data, initial) => {
        const total = sum(viewOf(data), 0, data.length, initial);
        expect(total).to.be.at.most(initial + 0xffff);
        expect(fold(total) % 0xffff).to.equal((fold(initial) + reference(data)) % 0xffff);
      }),
    );
  });

  it('joins parts, whichever half of a word a part starts in', () => {
    fc.assert(
      fc.property(bytes, fc.nat(200), fc.nat(200), (data, a, b) => {
        const [first, second] = [Math.min(a, b, data.length), Math.min(Math.max(a, b), data.length)];
        const view = viewOf(data);
        let total = sum(view, 0, first);
        total = addSum(total, sum(view, first, second - first), first % 2 === 1);
        total = addSum(total, sum(view, second, data.length - second), second % 2 === 1);
        expect(fold(total)).to.equal(reference(data));
      }),
    );
  });

  it('folds to 0 only for 0', () => {
    expect(fold(0)).to.equal(0);
    for (const total of [
      0xffff,
      0x1fffe,
      2 ** 32 - 1,
      0xffff * 2 ** 32,
      Number.MAX_SAFE_INTEGER - (Number.MAX_SAFE_INTEGER % 0xffff),
    ]) {
      expect(fold(total), `${total}`).to.equal(0xffff);
    }
    fc.assert(
      fc.property(fc.maxSafeNat(), (total) => {
        expect(fold(total) % 0xffff).to.equal(total % 0xffff);
        expect(checksum(total)).to.equal(0xffff - fold(total));
      }),
    );
  });

  it('sums the pseudo-headers as they would lie in memory', () => {
    fc.assert(
      fc.property(
        fc.array(int32, { minLength: 8, maxLength: 8 }),
        fc.nat(255),
        fc.nat(0xffff),
        (words, protocol, length) => {
          const [a, b, c, d, e, f, g, h] = words as [number, number, number, number, number, number, number, number];
          const four = new DataView(new ArrayBuffer(12));
          four.setInt32(0, a);
          four.setInt32(4, b);
          four.setUint16(8, protocol);
          four.setUint16(10, length);
          expect(fold(pseudoHeaderSum4(a, b, protocol) + length)).to.equal(fold(sum(four, 0, 12)));
          const six = new DataView(new ArrayBuffer(40));
          for (const [i, word] of words.entries()) six.setInt32(i * 4, word);
          six.setUint32(32, length);
          six.setUint32(36, protocol);
          expect(fold(pseudoHeaderSum6(a, b, c, d, e, f, g, h, protocol) + length)).to.equal(fold(sum(six, 0, 40)));
        },
      ),
    );
  });

  describe('incremental update', () => {
    it('gives the example of RFC 1624 4, which equation 2 gets wrong', () => {
      expect(update16(0xdd2f, 0x5555, 0x3285)).to.equal(0x0000);
    });

    it('gives the checksum of the changed bytes', () => {
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 12, maxLength: 60 }), fc.nat(9), uint16, (data, at, word) => {
          data[11] = 1;
          const view = viewOf(data);
          const even = at & ~1;
          const before = checksum(sum(view, 0, data.length));
          const old = view.getUint16(even);
          view.setUint16(even, word);
          expect(update16(before, old, word)).to.equal(checksum(sum(view, 0, data.length)));
        }),
      );
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 12, maxLength: 60 }), fc.nat(6), int32, (data, at, word) => {
          data[11] = 1;
          const view = viewOf(data);
          const even = at & ~1;
          const before = checksum(sum(view, 0, data.length));
          const old = view.getInt32(even);
          view.setInt32(even, word);
          expect(update32(before, old, word)).to.equal(checksum(sum(view, 0, data.length)));
          expect(update32(before, old >>> 0, word >>> 0)).to.equal(checksum(sum(view, 0, data.length)));
        }),
      );
    });

    it('leaves a checksum that verifies, at the edges 0 and 0xffff too', () => {
      for (const old of [0, 1, 0x7fff, 0xfffe, 0xffff]) {
        for (const now of [0, 1, 0x7fff, 0xfffe, 0xffff]) {
          const rest = 0x1234;
          const field = update16(checksum(rest + old), old, now);
          expect(fold(rest + now + field), `${old} -> ${now}`).to.equal(0xffff);
        }
      }
    });
  });
});
