/**
 * The internet checksum: partial sums, folding, and incremental update. RFC 1071, RFC 1624.
 *
 * A sum is a plain non-negative integer that is right modulo 65,535; nobody folds it before the end. Parts of a packet
 * are summed apart and added, which is how a pseudo-header, a header and payload that lies elsewhere become one checksum.
 */

/**
 * Adds the 16-bit words of `length` bytes at `offset` (together at most 8 MiB) to `initial`. A last odd byte counts as the high half
 * of a word.
 * @returns the sum: at most 65,535 above `initial`, so that a chain of sums stays a small integer
 */
export function sum(view: DataView, offset: number, length: number, initial = 0): number {
  // RFC 1071 2 (C): words of any multiple of 16 bits may be added. Doubles hold 2^21 words of 32 bits exactly; two of
  // them, so that one addition need not wait for the other, sixteen words at a time, are the fastest way there is here (bench/wire.ts).
  // RFC 1071 2 (B): in the processor's order of bytes, which spares a swap for each word; one of the sum does for all.
  let even = 0;
  let odd = 0;
  const end = offset + length;
  let at = offset;
  for (; at < end - 63; at += 64) {
    even +=
      view.getUint32(at, true) +
      view.getUint32(at + 4, true) +
      view.getUint32(at + 8, true) +
      view.getUint32(at + 12, true) +
      view.getUint32(at + 16, true) +
      view.getUint32(at + 20, true) +
      view.getUint32(at + 24, true) +
      view.getUint32(at + 28, true);
    odd +=
      view.getUint32(at + 32, true) +
      view.getUint32(at + 36, true) +
      view.getUint32(at + 40, true) +
      view.getUint32(at + 44, true) +
      view.getUint32(at + 48, true) +
      view.getUint32(at + 52, true) +
      view.getUint32(at + 56, true) +
      view.getUint32(at + 60, true);
  }
  for (; at < end - 3; at += 4) even += view.getUint32(at, true);
  if (at < end - 1) {
    odd += view.getUint16(at, true);
    at += 2;
  }
  if (at < end) odd += view.getUint8(at);
  return initial + swap(fold(even + odd));
}

function swap(folded: number): number {
  return ((folded & 0xff) << 8) | (folded >>> 8);
}

/** The sum of the 20 bytes at `offset`: a header without options. Integers alone took the reading of a segment from 37 to 25 ns (bench/wire.ts). */
export function sum20(view: DataView, offset: number): number {
  const a = view.getInt32(offset);
  const b = view.getInt32(offset + 4);
  const c = view.getInt32(offset + 8);
  const d = view.getInt32(offset + 12);
  const e = view.getInt32(offset + 16);
  const low = (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff) + (e & 0xffff);
  return low + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16) + (e >>> 16);
}

/**
 * Adds the sum of a part to the sum of what lies before it.
 * @param atOddOffset the part starts at an odd offset of the whole, so its bytes are in the other halves of the words
 */
export function addSum(total: number, part: number, atOddOffset: boolean): number {
  return total + (atOddOffset ? swap(fold(part)) : part);
}

/** The 16-bit ones' complement sum. 0 only for a sum of 0. */
export function fold(total: number): number {
  // 2^16 and 2^32 are both 1 modulo 65,535: the four 16-bit parts are simply added.
  const low = total >>> 0;
  const high = ((total - low) / 4_294_967_296) | 0;
  const once = (low & 0xffff) + (low >>> 16) + (high & 0xffff) + (high >>> 16);
  const twice = (once & 0xffff) + (once >>> 16);
  return (twice & 0xffff) + (twice >>> 16);
}

/** What goes into the checksum field for a sum: its complement. */
export function checksum(total: number): number {
  return ~fold(total) & 0xffff;
}

/** The IPv4 pseudo-header's sum without the length: add the transport length (header and payload, bytes) to it. RFC 9293 3.1. */
export function pseudoHeaderSum4(source: number, destination: number, protocol: number): number {
  return (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff) + protocol;
}

/** The IPv6 pseudo-header's sum without the length, from the words of source and destination. RFC 8200 8.1. */
export function pseudoHeaderSum6(
  sw0: number,
  sw1: number,
  sw2: number,
  sw3: number,
  dw0: number,
  dw1: number,
  dw2: number,
  dw3: number,
  protocol: number,
): number {
  const source = (sw0 >>> 0) + (sw1 >>> 0) + (sw2 >>> 0) + (sw3 >>> 0);
  const destination = (dw0 >>> 0) + (dw1 >>> 0) + (dw2 >>> 0) + (dw3 >>> 0);
  return fold(source + destination) + protocol;
}

/** The checksum field after a 16-bit word (at an even offset) changed from `oldWord` to `newWord`. */
export function update16(field: number, oldWord: number, newWord: number): number {
  // RFC 1624 3, equation 3: HC' = ~(~HC + ~m + m'); equation 4 would give 0xffff where it must be 0.
  const total = (~field & 0xffff) + (~oldWord & 0xffff) + (newWord & 0xffff);
  const once = (total & 0xffff) + (total >>> 16);
  return ~((once & 0xffff) + (once >>> 16)) & 0xffff;
}

/** As `update16`, for a 32-bit word such as an address or a sequence number (int32 or uint32). */
export function update32(field: number, oldWord: number, newWord: number): number {
  const high = update16(field, oldWord >>> 16, newWord >>> 16);
  return update16(high, oldWord & 0xffff, newWord & 0xffff);
}
