import { expect } from 'chai';
import { type Random, seededRandom, systemRandom } from '../../src/time/random.ts';

// Computed by an implementation of the published algorithms in another language.
const RECORDED_42 = [470278713, 833683552, 73592726];
const RECORDED_LOSS = [3515353515, 1142907647, 366752127];

const take = (random: Random, n: number) => Array.from({ length: n }, () => random.uint32());

describe('Random', () => {
  it('repeats itself for the same seed, and differs for others', () => {
    expect(take(seededRandom(1), 100)).to.deep.equal(take(seededRandom(1), 100));
    const firsts = [1, 2, 0.5, -1, 2 ** 40, '1', 'a', ''].map((seed) => take(seededRandom(seed), 4).join());
    expect(new Set(firsts).size).to.equal(firsts.length);
  });

  it('gives the same numbers in every release: a recorded seed stays good', () => {
    expect(take(seededRandom(42), 3)).to.deep.equal(RECORDED_42);
    expect(take(seededRandom('loss'), 3)).to.deep.equal(RECORDED_LOSS);
  });

  for (const [name, random] of [
    ['seeded', seededRandom(7)],
    ['system', systemRandom()],
  ] as const) {
    it(`${name}: every bit is set about half the time, floats fill 0..1`, () => {
      const bits = new Array<number>(32).fill(0);
      const n = 20_000;
      for (const value of take(random, n)) {
        expect(value).to.equal(value >>> 0);
        for (let i = 0; i < 32; i++) bits[i] = (bits[i] as number) + ((value >>> i) & 1);
      }
      // 10 standard deviations of a binomial(20000, 0.5).
      for (const count of bits) expect(count).to.be.closeTo(n / 2, 710);
      const floats = Array.from({ length: n }, () => random.float());
      expect(Math.min(...floats)).to.be.within(0, 0.01);
      expect(Math.max(...floats)).to.be.within(0.99, 1 - 2 ** -32);
    });
  }

  it('refuses a seed that is no number', () => {
    expect(() => seededRandom(Number.NaN)).to.throw(RangeError, 'seed');
  });

  it('does without crypto only when it is told to', () => {
    const own = Object.getOwnPropertyDescriptor(globalThis, 'crypto') as PropertyDescriptor;
    Object.defineProperty(globalThis, 'crypto', { value: undefined, configurable: true });
    try {
      expect(() => systemRandom()).to.throw(Error, /no crypto.getRandomValues\(\) here: give a seed/);
      expect(seededRandom(1).float()).to.be.within(0, 1);
    } finally {
      Object.defineProperty(globalThis, 'crypto', own);
    }
  });
});
