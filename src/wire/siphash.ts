/**
 * SipHash-2-4 and HalfSipHash-1-3 over 32-bit words: keyed hashes for what a peer must not foresee. J.-P. Aumasson and D. J. Bernstein,
 * "SipHash: a fast short-input PRF", 2012. Nothing is allocated here.
 *
 * SipHash-2-4 (RFC 6528 needs a strong one) makes ISNs, cookies and ports; HalfSipHash-1-3 places table entries, where
 * it need only keep buckets even.
 */

/** The state of SipHash: v0..v3 as low and high halves. Used by one call at a time, from start to end. */
const v = new Int32Array(8);

/**
 * SipHash-2-4 of `count` words, taken as their little-endian bytes.
 * @param key the 16 bytes of the key as four little-endian words
 * @param out low and high half of the 64-bit result
 */
export function sipHash24(key: Int32Array, words: Int32Array, count: number, out: Int32Array): void {
  const k0 = key[0] as number;
  const k1 = key[1] as number;
  const k2 = key[2] as number;
  const k3 = key[3] as number;
  v[0] = k0 ^ 0x70736575;
  v[1] = k1 ^ 0x736f6d65;
  v[2] = k2 ^ 0x6e646f6d;
  v[3] = k3 ^ 0x646f7261;
  v[4] = k0 ^ 0x6e657261;
  v[5] = k1 ^ 0x6c796765;
  v[6] = k2 ^ 0x79746573;
  v[7] = k3 ^ 0x74656462;
  const pairs = count >> 1;
  for (let i = 0; i < pairs; i++) absorb(words[2 * i] as number, words[2 * i + 1] as number);
  // The last block: the odd word, if any, and the length in bytes in the top byte.
  absorb((count & 1) === 1 ? (words[count - 1] as number) : 0, (count * 4) << 24);
  v[4] = (v[4] as number) ^ 0xff;
  sipRounds(4);
  out[0] = (v[0] as number) ^ (v[2] as number) ^ (v[4] as number) ^ (v[6] as number);
  out[1] = (v[1] as number) ^ (v[3] as number) ^ (v[5] as number) ^ (v[7] as number);
}

function absorb(low: number, high: number): void {
  v[6] = (v[6] as number) ^ low;
  v[7] = (v[7] as number) ^ high;
  sipRounds(2);
  v[0] = (v[0] as number) ^ low;
  v[1] = (v[1] as number) ^ high;
}

/** The carry out of `a + b` when its low 32 bits are `total`. */
function carry(a: number, total: number): number {
  return total >>> 0 < a >>> 0 ? 1 : 0;
}

function sipRounds(rounds: number): void {
  let a = v[0] as number;
  let A = v[1] as number;
  let b = v[2] as number;
  let B = v[3] as number;
  let c = v[4] as number;
  let C = v[5] as number;
  let d = v[6] as number;
  let D = v[7] as number;
  let t = 0;
  for (let i = 0; i < rounds; i++) {
    // v0 += v1; v1 = v1 <<< 13 ^ v0; v0 <<<= 32
    t = (a + b) | 0;
    A = (A + B + carry(a, t)) | 0;
    a = t;
    t = (b << 13) | (B >>> 19);
    B = ((B << 13) | (b >>> 19)) ^ A;
    b = t ^ a;
    t = a;
    a = A;
    A = t;
    // v2 += v3; v3 = v3 <<< 16 ^ v2
    t = (c + d) | 0;
    C = (C + D + carry(c, t)) | 0;
    c = t;
    t = (d << 16) | (D >>> 16);
    D = ((D << 16) | (d >>> 16)) ^ C;
    d = t ^ c;
    // v0 += v3; v3 = v3 <<< 21 ^ v0
    t = (a + d) | 0;
    A = (A + D + carry(a, t)) | 0;
    a = t;
    t = (d << 21) | (D >>> 11);
    D = ((D << 21) | (d >>> 11)) ^ A;
    d = t ^ a;
    // v2 += v1; v1 = v1 <<< 17 ^ v2; v2 <<<= 32
    t = (c + b) | 0;
    C = (C + B + carry(c, t)) | 0;
    c = t;
    t = (b << 17) | (B >>> 15);
    B = ((B << 17) | (b >>> 15)) ^ C;
    b = t ^ c;
    t = c;
    c = C;
    C = t;
  }
  v[0] = a;
  v[1] = A;
  v[2] = b;
  v[3] = B;
  v[4] = c;
  v[5] = C;
  v[6] = d;
  v[7] = D;
}

/** The words of `halfSipHash13`. */
const three = new Int32Array(3);

/** HalfSipHash-1-3 of three words under a 64-bit key; int32. */
export function halfSipHash13(key0: number, key1: number, w0: number, w1: number, w2: number): number {
  three[0] = w0;
  three[1] = w1;
  three[2] = w2;
  return halfSipHashWords(key0, key1, three, 3);
}

/**
 * HalfSipHash-1-3 of the first `count` words under a 64-bit key; int32. One loop over numbers of its own: for three words a third of
 * what calls for each step cost, a segment's time (`bench/wire.ts`).
 */
export function halfSipHashWords(key0: number, key1: number, words: Int32Array, count: number): number {
  let a = key0 | 0;
  let b = key1 | 0;
  let c = key0 ^ 0x6c796765;
  let d = key1 ^ 0x74656462;
  // A round for each word, one for the length in bytes, and three more.
  for (let i = 0; i < count + 4; i++) {
    let word = 0;
    if (i < count) word = words[i] as number;
    else if (i === count) word = (count * 4) << 24;
    d ^= word;
    a = (a + b) | 0;
    b = ((b << 5) | (b >>> 27)) ^ a;
    a = (a << 16) | (a >>> 16);
    c = (c + d) | 0;
    d = ((d << 8) | (d >>> 24)) ^ c;
    a = (a + d) | 0;
    d = ((d << 7) | (d >>> 25)) ^ a;
    c = (c + b) | 0;
    b = ((b << 13) | (b >>> 19)) ^ c;
    c = (c << 16) | (c >>> 16);
    a ^= word;
    if (i === count) c ^= 0xff;
  }
  return b ^ d;
}
