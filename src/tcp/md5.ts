/** TCP-MD5: RFC 2385. Obsolete, and what old BGP peers speak: a digest of each segment with a secret behind it. */
import type { Packet } from '../link/packet.ts';
import type { Chunk } from '../link/slab.ts';
import type { IpAddress } from '../wire/address.ts';
import { TCP_HEADER_LENGTH, type TcpSegment, writeMd5, writeNop } from '../wire/tcp.ts';
import type { SegmentHasher } from './segment-hasher.ts';
import {
  inboundParts,
  outboundParts,
  pseudoHeader,
  type SegmentParts,
  SIGNATURE_OFFSET,
  type Signer,
  sameDigest,
} from './signer.ts';

const DIGEST_LENGTH = 16;

export class Md5Signer implements Signer {
  /** RFC 2385 4.3: 18 bytes, and two nops before them, as Linux lays it out. */
  readonly length = 20;
  /** Linux: a SYN with all the other options has none. */
  readonly leavesTimestamps = false;
  readonly key: Uint8Array;
  readonly #hasher: SegmentHasher;
  readonly #local: IpAddress;
  readonly #remote: IpAddress;

  constructor(hasher: SegmentHasher, key: Uint8Array, local: IpAddress, remote: IpAddress) {
    this.key = key;
    this.#hasher = hasher;
    this.#local = local;
    this.#remote = remote;
  }

  write(view: DataView, offset: number): number {
    return writeMd5(view, writeNop(view, writeNop(view, offset)));
  }

  peerStartsAt(): void {}

  outlives(): void {}

  sign(packet: Packet): void {
    const digest = md5Digest(this.#hasher, this.key, this.#local, this.#remote, outboundParts(packet));
    packet.chunk.bytes.set(digest, packet.offset + SIGNATURE_OFFSET);
  }
}

/** Whether a segment from `remote`, which has the option, was signed with the key. */
export function md5Verifies(
  hasher: SegmentHasher,
  key: Uint8Array,
  local: IpAddress,
  remote: IpAddress,
  segment: TcpSegment,
  chunk: Chunk,
): boolean {
  const parts = inboundParts(segment, chunk, segment.md5Offset, DIGEST_LENGTH);
  const digest = md5Digest(hasher, key, remote, local, parts);
  return sameDigest(digest, chunk.bytes, segment.md5Offset, DIGEST_LENGTH);
}

/** RFC 2385 2.0: the pseudo-header, the header without options and with a checksum of zero, the data, the key. */
function md5Digest(
  hasher: SegmentHasher,
  key: Uint8Array,
  source: IpAddress,
  destination: IpAddress,
  { header, payload, length }: SegmentParts,
): Uint8Array {
  const pseudo = pseudoHeader(source, destination, length);
  return hasher.md5([pseudo, header.subarray(0, TCP_HEADER_LENGTH), ...payload, key]);
}
