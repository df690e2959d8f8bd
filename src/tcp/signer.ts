/**
 * What signs and verifies the segments of one connection, embryo or TIME-WAIT record: TCP-MD5 (md5.ts) or TCP-AO (ao.ts). Who has
 * none pays a null check. The signature is the first of a segment's options, as on Linux, so that it is always at the same place.
 */
import type { Packet } from '../link/packet.ts';
import type { Chunk } from '../link/slab.ts';
import type { IpAddress } from '../wire/address.ts';
import { PROTOCOL_TCP } from '../wire/ipv4.ts';
import { TCP_CHECKSUM_OFFSET, TCP_HEADER_LENGTH, TCP_MAX_HEADER_LENGTH, type TcpSegment } from '../wire/tcp.ts';

export interface Signer {
  /** Bytes of options that the signature and its padding take of every segment: whole words. */
  readonly length: number;
  /** Whether a SYN of ours has room for timestamps beside it. */
  readonly leavesTimestamps: boolean;
  /** Writes the option, which is the first, without its digest. @returns the offset after it and its padding */
  write(view: DataView, offset: number): number;
  /** The peer's SYN is taken, with this number. */
  peerStartsAt(irs: number): void;
  /** The connection is over, and answered for by its last numbers. */
  outlives(sndNxt: number, rcvNxt: number): void;
  /** Fills in the digest of a segment that is complete but for its checksum, which is 0: the TCP header at the packet's offset, its payload in parts. */
  sign(packet: Packet): void;
}

/** From the TCP header to the digest or MAC, in what we send: behind two nops and the MD5 option's head, or behind that of AO. */
export const SIGNATURE_OFFSET = TCP_HEADER_LENGTH + 4;

const pseudo4 = new Uint8Array(12);
const pseudo6 = new Uint8Array(40);
const header = new Uint8Array(TCP_MAX_HEADER_LENGTH);

/** The pseudo-header (RFC 9293 3.1, RFC 8200 8.1) as bytes, in an array that the next call reuses. @param length of the TCP segment */
export function pseudoHeader(source: IpAddress, destination: IpAddress, length: number): Uint8Array {
  const out = source.family === 4 ? pseudo4 : pseudo6;
  const view = new DataView(out.buffer);
  const end = writeAddress(view, writeAddress(view, 0, source), destination);
  if (source.family === 4) view.setUint32(end, (PROTOCOL_TCP << 16) | length);
  else {
    view.setUint32(end, length);
    view.setUint32(end + 4, PROTOCOL_TCP);
  }
  return out;
}

/** The address's 4 or 16 bytes. @returns the offset after them */
export function writeAddress(view: DataView, offset: number, address: IpAddress): number {
  if (address.family === 4) {
    view.setInt32(offset, address.w3);
    return offset + 4;
  }
  // The zone of a link-local address is this host's own affair.
  view.setInt32(offset, address.bareW0);
  view.setInt32(offset + 4, address.w1);
  view.setInt32(offset + 8, address.w2);
  view.setInt32(offset + 12, address.w3);
  return offset + 16;
}

/** A segment as its digest sees it. */
export interface SegmentParts {
  /** The header with its options, the checksum and the digest zero. */
  readonly header: Uint8Array;
  readonly payload: readonly Uint8Array[];
  /** Bytes of both. */
  readonly length: number;
}

/** Of a segment to be sent: header and options as they lie in the packet. */
export function outboundParts(packet: Packet): SegmentParts {
  const payload: Uint8Array[] = [];
  for (let i = 0; i < packet.partCount; i++) {
    const from = packet.partOffset[i] as number;
    payload.push((packet.partChunk[i] as Chunk).bytes.subarray(from, from + (packet.partLength[i] as number)));
  }
  const { chunk, offset, length } = packet;
  return { header: chunk.bytes.subarray(offset, offset + length), payload, length: packet.totalLength() };
}

/**
 * Of a segment that came: a copy of the header, in an array that the next call reuses.
 * @param digestAt where its digest lies in the chunk, and its bytes
 */
export function inboundParts(segment: TcpSegment, chunk: Chunk, digestAt: number, digestLength: number): SegmentParts {
  const { payloadOffset, payloadLength, headerLength } = segment;
  const start = payloadOffset - headerLength;
  header.set(chunk.bytes.subarray(start, payloadOffset));
  header.fill(0, TCP_CHECKSUM_OFFSET, TCP_CHECKSUM_OFFSET + 2);
  header.fill(0, digestAt - start, digestAt - start + digestLength);
  return {
    header: header.subarray(0, headerLength),
    payload: [chunk.bytes.subarray(payloadOffset, payloadOffset + payloadLength)],
    length: headerLength + payloadLength,
  };
}

/** Whether the first `length` bytes of a digest lie at `offset`; it takes as long wherever the first difference is. */
export function sameDigest(digest: Uint8Array, bytes: Uint8Array, offset: number, length: number): boolean {
  let difference = 0;
  for (let i = 0; i < length; i++) difference |= (digest[i] as number) ^ (bytes[offset + i] as number);
  return difference === 0;
}
