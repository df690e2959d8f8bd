import { expect } from 'chai';
import fc from 'fast-check';
import { halfSipHash13, halfSipHashWords, sipHash24 } from '../../src/wire/siphash.ts';

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const words = (length: number) =>
  fc.array(int32, { minLength: length, maxLength: length }).map((all) => Int32Array.from(all));

/** The bytes 00 01 02 ... of the paper's key and message, as little-endian words. */
const counting = new Int32Array(Uint8Array.from({ length: 64 }, (_, i) => i).buffer);

const MASK = 0xffff_ffff_ffff_ffffn;

/** SipHash-2-4 straight from section 2 of the paper, on bytes and BigInt. */
function reference(key: Uint8Array, message: Uint8Array): bigint {
  const word = (bytes: Uint8Array, at: number) => new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at, true);
  const rotate = (x: bigint, by: bigint) => ((x << by) | (x >> (64n - by))) & MASK;
  const [k0, k1] = [word(key, 0), word(key, 8)];
  let v0 = k0 ^ 0x736f6d6570736575n;
  let v1 = k1 ^ 0x646f72616e646f6dn;
  let v2 = k0 ^ 0x6c7967656e657261n;
  let v3 = k1 ^ 0x7465646279746573n;
  const round = () => {
    v0 = (v0 + v1) & MASK;
    v2 = (v2 + v3) & MASK;
    v1 = rotate(v1, 13n) ^ v0;
    v3 = rotate(v3, 16n) ^ v2;
    v0 = rotate(v0, 32n);
    v2 = (v2 + v1) & MASK;
    v0 = (v0 + v3) & MASK;
    v1 = rotate(v1, 17n) ^ v2;
    v3 = rotate(v3, 21n) ^ v0;
    v2 = rotate(v2, 32n);
  };
  const padded = new Uint8Array((Math.floor(message.length / 8) + 1) * 8);
  padded.set(message);
  padded[padded.length - 1] = message.length & 0xff;
  for (let at = 0; at < padded.length; at += 8) {
    const m = word(padded, at);
    v3 ^= m;
    round();
    round();
    v0 ^= m;
  }
  v2 ^= 0xffn;
  for (let i = 0; i < 4; i++) round();
  return v0 ^ v1 ^ v2 ^ v3;
}

function hash(key: Int32Array, message: Int32Array, count: number): bigint {
  const out = new Int32Array(2);
  sipHash24(key, message, count, out);
  return (BigInt((out[1] as number) >>> 0) << 32n) | BigInt((out[0] as number) >>> 0);
}

describe('wire/siphash', () => {
  it('the reference used here gives the value of the paper, appendix A', () => {
    const bytes = new Uint8Array(counting.buffer);
    expect(reference(bytes.slice(0, 16), bytes.slice(0, 15))).to.equal(0xa129ca6149be45e5n);
  });

  it('sipHash24 gives the published vectors whose length is whole words', () => {
    const vectors: Record<number, bigint> = {
      0: 0x726fdb47dd0e0e31n,
      4: 0xcf2794e0277187b7n,
      8: 0x93f5f5799a932462n,
      12: 0x751e8fbc860ee5fbn,
      16: 0x3f2acc7f57c29bdbn,
    };
    for (const [length, value] of Object.entries(vectors)) {
      expect(hash(counting.subarray(0, 4), counting, Number(length) / 4), `${length} bytes`).to.equal(value);
    }
  });

  it('sipHash24 equals the reference for any key and words', () => {
    fc.assert(
      fc.property(words(4), fc.nat(13).chain(words), (key, message) => {
        const bytes = new Uint8Array(message.buffer);
        expect(hash(key, message, message.length)).to.equal(reference(new Uint8Array(key.buffer), bytes));
      }),
      { numRuns: 300 },
    );
  });

  it('HalfSipHash-1-3 gives the vectors of the kernel for whole words', () => {
    const [k0, k1] = [counting[0] as number, counting[1] as number];
    expect(halfSipHashWords(k0, k1, counting, 0) >>> 0).to.equal(0x5814c896);
    expect(halfSipHashWords(k0, k1, counting, 1) >>> 0).to.equal(0x7e059ea6);
  });

  it('the form for three words equals the one for many', () => {
    fc.assert(
      fc.property(int32, int32, words(3), (k0, k1, message) => {
        const [a, b, c] = message as unknown as [number, number, number];
        const value = halfSipHash13(k0, k1, a, b, c);
        expect(value).to.equal(value | 0);
        expect(value).to.equal(halfSipHashWords(k0, k1, message, 3));
      }),
    );
  });

  it('every bit of key and words changes about half of the bits', () => {
    const base = Int32Array.of(1, 2, 3, 4, 5);
    const of = (all: Int32Array) => halfSipHash13(...(all as unknown as [number, number, number, number, number]));
    for (let bit = 0; bit < 160; bit++) {
      const flipped = Int32Array.from(base);
      flipped[bit >> 5] = (flipped[bit >> 5] as number) ^ (1 << (bit & 31));
      const difference = (of(base) ^ of(flipped)) >>> 0;
      expect(difference.toString(2).replaceAll('0', '').length, `bit ${bit}`).to.be.within(5, 27);
    }
  });
});
