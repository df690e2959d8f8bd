/** The UDP header. RFC 768. Nothing is allocated here. */
import { fold, sum } from './checksum.ts';
import { OK, UDP_BAD_LENGTH, UDP_TRUNCATED } from './reasons.ts';

export const UDP_HEADER_LENGTH = 8;
/** Bytes from the header to its checksum field. */
export const UDP_CHECKSUM_OFFSET = 6;

/** A header as read; one record is used for all packets. After a reason code other than OK its fields mean nothing. */
export class UdpHeader {
  sourcePort = 0;
  destinationPort = 0;
  /** Bytes of header and payload, as the header says. */
  length = 0;
  /** 0: the sender made none. */
  checksum = 0;
  /** Where the payload starts in the view. */
  payloadOffset = 0;
  payloadLength = 0;
}

/**
 * Reads the datagram in the `length` bytes at `offset`, which lie within the view; bytes after the header's length are not
 * part of it. The checksum is not looked at.
 * @returns OK, UDP_TRUNCATED or UDP_BAD_LENGTH
 */
export function parseUdp(view: DataView, offset: number, length: number, out: UdpHeader): number {
  if (length < UDP_HEADER_LENGTH) return UDP_TRUNCATED;
  const claimed = view.getUint16(offset + 4);
  if (claimed < UDP_HEADER_LENGTH) return UDP_BAD_LENGTH;
  if (claimed > length) return UDP_TRUNCATED;
  out.sourcePort = view.getUint16(offset);
  out.destinationPort = view.getUint16(offset + 2);
  out.length = claimed;
  out.checksum = view.getUint16(offset + 6);
  out.payloadOffset = offset + UDP_HEADER_LENGTH;
  out.payloadLength = claimed - UDP_HEADER_LENGTH;
  return OK;
}

/** @param pseudoSum from `pseudoHeaderSum4` or `6`, without the length, which is added here */
export function udpChecksumOk(view: DataView, offset: number, length: number, pseudoSum: number): boolean {
  // RFC 768: a checksum of zero says that the sender generated none.
  if (view.getUint16(offset + UDP_CHECKSUM_OFFSET) === 0) return true;
  return fold(sum(view, offset, length, pseudoSum + length)) === 0xffff;
}

/** Writes 8 bytes, the checksum 0. `length` is header and payload. */
export function writeUdpHeader(
  view: DataView,
  offset: number,
  sourcePort: number,
  destinationPort: number,
  length: number,
): void {
  view.setUint16(offset, sourcePort);
  view.setUint16(offset + 2, destinationPort);
  view.setUint16(offset + 4, length);
  view.setUint16(offset + 6, 0);
}

/** Fills the checksum field; `value` is as `checksum` gives it. */
export function setUdpChecksum(view: DataView, offset: number, value: number): void {
  // RFC 768: a computed checksum of zero goes out as all ones, since zero means none.
  view.setUint16(offset + UDP_CHECKSUM_OFFSET, value === 0 ? 0xffff : value);
}
