/** Where an address lies in a table of what the host itself was given: nobody outside chooses what is in it, so that the hash needs no key. */
import type { IpAddress } from '../wire/address.ts';

/** int32, of the words of an address; its low bits differ where any of the words does. */
export function hashAddress(w0: number, w1: number, w2: number, w3: number): number {
  let hash = Math.imul(w0 ^ Math.imul(w1, 0x9e3779b1), 0x85ebca6b) ^ w2;
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35) ^ w3;
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  return hash ^ (hash >>> 15);
}

export function hashOfAddress({ w0, w1, w2, w3 }: IpAddress): number {
  return hashAddress(w0, w1, w2, w3);
}
