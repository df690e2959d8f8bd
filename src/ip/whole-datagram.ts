/** The bytes of a datagram, or of its first fragment, from what has been kept of its fragments. RFC 791 3.2, RFC 8200 4.5. */
import type { Chunk } from '../link/slab.ts';
import { checksum, sum } from '../wire/checksum.ts';
import { CE, ECT0, ECT1, NOT_ECT } from '../wire/ecn.ts';
import { DONT_FRAGMENT } from '../wire/ipv4.ts';
import { IPV6_HEADER_LENGTH } from '../wire/ipv6.ts';
import type { PartialDatagram } from './partial-datagram.ts';

/** What `combinedEcn` says of fragments whose ECN fields contradict each other. */
export const IMPOSSIBLE_ECN = -1;

/**
 * RFC 3168 5.3: a datagram has met congestion when a fragment of it has; that some fragments are ECN-capable and others are not cannot be, and the
 * datagram is dropped. Between ECT(0) and ECT(1) the first fragment decides (Linux's ip_frag_ecn_table).
 * @param seen bit n: a fragment with n in its ECN field has come
 * @returns CE, or 0: as the first fragment says, or IMPOSSIBLE_ECN
 */
export function combinedEcn(seen: number): number {
  if ((seen & (1 << NOT_ECT)) !== 0) return seen === 1 << NOT_ECT ? 0 : IMPOSSIBLE_ECN;
  const capable = (1 << ECT0) | (1 << ECT1);
  return (seen & (1 << CE)) !== 0 && (seen & capable) !== 0 ? CE : 0;
}

/**
 * Writes a whole datagram at the start of a chunk: the first fragment's headers, without what is a fragment's own, and all that follows.
 * @param ecn to be set in the header; 0: it stays as it is
 * @returns its length, bytes; 0: it is longer than a header can say
 */
export function writeWhole<From>(datagram: PartialDatagram<From>, chunk: Chunk, ecn: number): number {
  const header = datagram.header as Uint8Array;
  return datagram.family === 4
    ? writeWhole4(datagram, header, chunk, ecn)
    : writeWhole6(datagram, header, datagram.unfragmentableLength, chunk, ecn);
}

/** Writes the first fragment, as it came. @returns its length, bytes */
export function writeFirst<From>(datagram: PartialDatagram<From>, chunk: Chunk): number {
  const header = datagram.header as Uint8Array;
  chunk.bytes.set(header, 0);
  datagram.copyTo(chunk, header.length, datagram.firstLength);
  return header.length + datagram.firstLength;
}

function writeWhole4<From>(datagram: PartialDatagram<From>, header: Uint8Array, chunk: Chunk, ecn: number): number {
  const total = header.length + datagram.length;
  if (total > 65_535) return 0;
  const { bytes, view } = chunk;
  bytes.set(header, 0);
  view.setUint8(1, view.getUint8(1) | ecn);
  view.setUint16(2, total);
  view.setUint16(6, view.getUint16(6) & DONT_FRAGMENT);
  view.setUint16(10, 0);
  view.setUint16(10, checksum(sum(view, 0, header.length)));
  datagram.copyTo(chunk, header.length, datagram.length);
  return total;
}

function writeWhole6<From>(
  datagram: PartialDatagram<From>,
  header: Uint8Array,
  kept: number,
  chunk: Chunk,
  ecn: number,
): number {
  const payload = kept - IPV6_HEADER_LENGTH + datagram.length;
  if (payload > 65_535) return 0;
  const { bytes, view } = chunk;
  bytes.set(header.subarray(0, kept), 0);
  view.setUint16(0, view.getUint16(0) | (ecn << 4));
  view.setUint16(4, payload);
  // RFC 8200 4.5: the last header before the Fragment header names what the first fragment's Fragment header names.
  bytes[lastNextHeader(bytes, kept)] = header[kept] as number;
  datagram.copyTo(chunk, kept, datagram.length);
  return IPV6_HEADER_LENGTH + payload;
}

/** Where in the first `length` bytes, which are headers, the last Next Header field lies. */
function lastNextHeader(bytes: Uint8Array, length: number): number {
  let at = 6;
  for (let next = IPV6_HEADER_LENGTH; next < length; next += ((bytes[next + 1] as number) + 1) << 3) at = next;
  return at;
}
