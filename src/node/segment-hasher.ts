/** The hashes of TCP-MD5 and TCP-AO, from node:crypto. */
import { createCipheriv, createHash, createHmac } from 'node:crypto';
import type { SegmentHasher } from '../tcp/segment-hasher.ts';

const BLOCK = 16;

export const nodeHasher: SegmentHasher = {
  md5(parts) {
    const hash = createHash('md5');
    for (const part of parts) hash.update(part);
    return hash.digest();
  },

  hmacSha1(key, parts) {
    const mac = createHmac('sha1', key);
    for (const part of parts) mac.update(part);
    return mac.digest();
  },

  aesCmac,
};

/**
 * RFC 4493 2.4. Its chain, where each block goes through AES with the result before, is what CBC is: the last block that comes out of
 * AES-CBC, with an initial vector of zeros and the last block that goes in changed by a subkey.
 */
function aesCmac(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  const message = Buffer.concat(parts);
  const blocks = Math.max(Math.ceil(message.length / BLOCK), 1);
  const input = Buffer.alloc(blocks * BLOCK);
  message.copy(input);
  // RFC 4493 2.3: K1 for a last block that is full, K2 for one that is padded with a one and zeros.
  let subkey = double(encrypt('aes-128-ecb', key, Buffer.alloc(BLOCK)));
  if (message.length < input.length) {
    input[message.length] = 0x80;
    subkey = double(subkey);
  }
  const last = input.length - BLOCK;
  for (let i = 0; i < BLOCK; i++) input[last + i] = (input[last + i] as number) ^ (subkey[i] as number);
  return encrypt('aes-128-cbc', key, input).subarray(last);
}

function encrypt(algorithm: 'aes-128-ecb' | 'aes-128-cbc', key: Uint8Array, input: Uint8Array): Buffer {
  const cipher = createCipheriv(algorithm, key, algorithm === 'aes-128-ecb' ? null : Buffer.alloc(BLOCK));
  cipher.setAutoPadding(false);
  return cipher.update(input);
}

/** RFC 4493 2.3: times x in the field of 2^128. */
function double(block: Uint8Array): Uint8Array {
  const out = new Uint8Array(BLOCK);
  for (let i = 0; i < BLOCK; i++) out[i] = ((block[i] as number) << 1) | ((block[i + 1] ?? 0) >> 7);
  if ((block[0] as number) >= 0x80) out[BLOCK - 1] = (out[BLOCK - 1] as number) ^ 0x87;
  return out;
}
