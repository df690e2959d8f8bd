/**
 * A packet on its way between a link and the stack, and the batch it travels in.
 *
 * What virtio-net carries, a packet carries: bytes, the state of its transport checksum, and the segment size of a
 * super-segment (a run of MSS-sized pieces under one header). Inbound, and wherever a link hands packets to a
 * stack, the whole packet lies in one piece at `chunk`, `offset`, `length`. Outbound that first piece is the headers, and
 * the payload follows in parts that point into the send queue. Packets and batches are reused: nothing is allocated per packet.
 */
import type { IpAddress } from '../wire/address.ts';
import type { Chunk } from './slab.ts';

/** The transport checksum is complete and has not been looked at. */
export const CHECKSUM_NONE = 0;
/** The checksum field holds the pseudo-header's sum only (not inverted); the far end of the link is the same machine or completes it. */
export const CHECKSUM_PARTIAL = 1;
/** Somebody below has verified the checksum. */
export const CHECKSUM_VALIDATED = 2;

export class Packet {
  /** The chunk of the first piece. */
  chunk: Chunk;
  /** Where the IP header starts in `chunk`, bytes. */
  offset: number;
  /** Bytes of the first piece: the whole packet, or its headers when there are parts. */
  length = 0;
  /** CHECKSUM_NONE, CHECKSUM_PARTIAL or CHECKSUM_VALIDATED. */
  checksum = CHECKSUM_NONE;
  /** Bytes from the IP header to the transport header; meant only when the checksum is partial or the packet is a super-segment. */
  transportOffset = 0;
  /** Bytes from the transport header to its checksum field (16: TCP, 6: UDP); meant as above. */
  checksumOffset = 0;
  /** Payload bytes of each piece but the last; 0: not a super-segment. */
  segmentSize = 0;
  /** Outbound, the neighbour that it goes to: a gateway; undefined: its own destination. Only links with neighbours look. */
  nextHop: IpAddress | undefined = undefined;
  /** Payload parts after the first piece, in order; the first `partCount` entries of the three arrays are meant. */
  partCount = 0;
  readonly partChunk: Chunk[] = [];
  readonly partOffset: number[] = [];
  readonly partLength: number[] = [];

  constructor(chunk: Chunk, offset: number) {
    this.chunk = chunk;
    this.offset = offset;
  }

  /** Adds payload after what is there; the packet holds the chunk until `clear`. */
  addPart(chunk: Chunk, offset: number, length: number): void {
    chunk.retain();
    const i = this.partCount++;
    this.partChunk[i] = chunk;
    this.partOffset[i] = offset;
    this.partLength[i] = length;
  }

  /** Bytes of the whole packet. */
  totalLength(): number {
    let total = this.length;
    for (let i = 0; i < this.partCount; i++) total += this.partLength[i] as number;
    return total;
  }

  /** Lets go of the parts and of what offload state there was; the first piece's chunk stays with its owner. */
  clear(): void {
    for (let i = 0; i < this.partCount; i++) (this.partChunk[i] as Chunk).release();
    this.partCount = 0;
    this.length = 0;
    this.checksum = CHECKSUM_NONE;
    this.transportOffset = 0;
    this.checksumOffset = 0;
    this.segmentSize = 0;
    this.nextHop = undefined;
  }

  /** Copies the whole packet, in one piece, to `target` at `at`; returns the bytes written. */
  copyTo(target: Uint8Array, at: number): number {
    const first = this.chunk.bytes;
    let end = at;
    target.set(first.subarray(this.offset, this.offset + this.length), end);
    end += this.length;
    for (let i = 0; i < this.partCount; i++) {
      const from = this.partOffset[i] as number;
      const length = this.partLength[i] as number;
      target.set((this.partChunk[i] as Chunk).bytes.subarray(from, from + length), end);
      end += length;
    }
    return end - at;
  }
}

/** Up to as many packets as the owner made room for; the first `length` are meant. */
export interface PacketBatch {
  readonly packets: readonly Packet[];
  length: number;
}
