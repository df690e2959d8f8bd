/**
 * Sequence numbers: int32, compared modulo 2^32. The only file that compares them.
 *
 * RFC 9293 3.4: all arithmetic on sequence numbers is modulo 2^32; a number counts as later than another when
 * it lies at most 2^31 - 1 ahead of it.
 */

/** a < b */
export function before(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

/** a <= b */
export function beforeOrAt(a: number, b: number): boolean {
  return ((a - b) | 0) <= 0;
}

/** a > b */
export function after(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}

/** a >= b */
export function afterOrAt(a: number, b: number): boolean {
  return ((a - b) | 0) >= 0;
}

/** How far `to` lies ahead of `from`; negative when it lies behind. */
export function distance(from: number, to: number): number {
  return (to - from) | 0;
}

/**
 * Whether a segment from `seq` to `end` has something in the window from `left` to `right`, or is empty and lies on one of its edges:
 * RFC 9293 3.4's table, with Linux's right edge.
 */
export function isWithin(seq: number, end: number, left: number, right: number): boolean {
  if (seq === left) return true;
  if (((end - left) | 0) > 0 && ((seq - right) | 0) < 0) return true;
  return seq === right && seq === end;
}

/** The later of the two. */
export function later(a: number, b: number): number {
  return ((a - b) | 0) > 0 ? a : b;
}
