/** The ECN field of the IP header (RFC 3168 5), and the three TCP flags read as one number (RFC 9768 3.2.2, the ACE field). */
import { AE, CWR, ECE } from './tcp.ts';

export const NOT_ECT = 0;
export const ECT1 = 1;
export const ECT0 = 2;
export const CE = 3;

/** AE, CWR and ECE as a number, 0..7. */
export function aceOf(flags: number): number {
  return ((flags & AE) !== 0 ? 4 : 0) | ((flags & CWR) !== 0 ? 2 : 0) | ((flags & ECE) !== 0 ? 1 : 0);
}

/** The flags that stand for 0..7. */
export function flagsOfAce(ace: number): number {
  return ((ace & 4) !== 0 ? AE : 0) | ((ace & 2) !== 0 ? CWR : 0) | ((ace & 1) !== 0 ? ECE : 0);
}
