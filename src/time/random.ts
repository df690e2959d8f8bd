/**
 * Chance as a thing that is handed in. Seeded, a run repeats itself bit for bit; from the system, nobody can guess it.
 */
import { shown } from '../arguments.ts';

export interface Random {
  /** 32 random bits, 0..4294967295. */
  uint32(): number;
  /** 0 <= x < 1, in steps of 2 ** -32. */
  float(): number;
}

const STEP = 2 ** -32;
/** Words that `systemRandom` fetches at a time: one call into the system per 1 KiB. */
const BLOCK = 256;

/**
 * The same numbers for the same seed, on every machine; not for secrets.
 *
 * xoshiro128** 1.1 of D. Blackman and S. Vigna (public domain, https://prng.di.unimi.it), its state filled by splitmix64, as
 * they advise, from the bits of the number or the FNV-1a hash of the string.
 * @throws TypeError when the seed is neither; RangeError when a number is not finite
 */
export function seededRandom(seed: number | string): Random {
  if (typeof seed !== 'number' && typeof seed !== 'string')
    throw new TypeError(`seededRandom: the seed must be a finite number or a string, got ${shown(seed)}`);
  return new Xoshiro128(typeof seed === 'number' ? bitsOf(seed) : hashOf(seed));
}

/**
 * Unpredictable numbers, from `crypto.getRandomValues`.
 * @throws Error where there is no such thing: what can be guessed must not take its place unasked
 */
export function systemRandom(): Random {
  if (typeof globalThis.crypto?.getRandomValues !== 'function')
    throw new Error('there is no crypto.getRandomValues() here: give a seed, or a random of your own');
  return new SystemRandom();
}

class Xoshiro128 implements Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: bigint) {
    const first = splitmix64(seed);
    const second = splitmix64(seed + GOLDEN_GAMMA);
    this.#a = Number(first & 0xffff_ffffn) | 0;
    this.#b = Number(first >> 32n) | 0;
    this.#c = Number(second & 0xffff_ffffn) | 0;
    this.#d = Number(second >> 32n) | 0;
  }

  uint32(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9);
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = rotateLeft(this.#d, 11);
    return result >>> 0;
  }

  float(): number {
    return this.uint32() * STEP;
  }
}

class SystemRandom implements Random {
  readonly #block = new Uint32Array(BLOCK);
  #used = BLOCK;

  uint32(): number {
    if (this.#used === BLOCK) {
      globalThis.crypto.getRandomValues(this.#block);
      this.#used = 0;
    }
    const value = this.#block[this.#used] as number;
    // A number given out is not kept: what reads this memory later learns nothing about it.
    this.#block[this.#used++] = 0;
    return value;
  }

  float(): number {
    return this.uint32() * STEP;
  }
}

function rotateLeft(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

const GOLDEN_GAMMA = 0x9e37_79b9_7f4a_7c15n;

/** One output of splitmix64 (G. Steele, D. Lea, C. Flood; public domain) for the state `seed`. */
function splitmix64(seed: bigint): bigint {
  let z = BigInt.asUintN(64, seed + GOLDEN_GAMMA);
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn);
  return z ^ (z >> 31n);
}

function bitsOf(seed: number): bigint {
  if (!Number.isFinite(seed))
    throw new RangeError(`seededRandom: the seed must be a finite number or a string, got ${seed}`);
  return new DataView(new Float64Array([seed]).buffer).getBigUint64(0, true);
}

function hashOf(seed: string): bigint {
  let hash = 0xcbf2_9ce4_8422_2325n;
  for (let i = 0; i < seed.length; i++) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(seed.charCodeAt(i))) * 0x0000_0100_0000_01b3n);
  }
  return hash;
}
