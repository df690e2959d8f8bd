/** Which addresses may stand in a packet that leaves its link: RFC 1812 5.3.7 (martians), RFC 3927 7, RFC 4291 2.5 to 2.7, RFC 4007 9. The hot path: numbers. */
import { isZoned } from '../wire/address.ts';

/** The words of an address of `family`, as IpAddress has them; the first may hold a zone. */
export function isRoutable(family: 4 | 6, w0: number, w1: number, w2: number, w3: number): boolean {
  if (family === 6) return isRoutable6(w0, w1, w2, w3);
  const first = w3 >>> 24;
  // Network 0, loopback; class D, class E with the limited broadcast in it; RFC 3927 7: 169.254/16.
  return first !== 0 && first !== 127 && first < 224 && w3 >>> 16 !== 0xa9fe;
}

function isRoutable6(w0: number, w1: number, w2: number, w3: number): boolean {
  if (w0 >>> 24 === 0xff || isZoned(w0)) return false;
  // :: and ::1.
  return w0 !== 0 || w1 !== 0 || w2 !== 0 || w3 >>> 1 !== 0;
}
