/** A packet in one piece: copied together into a receiver's chunks, its checksum completed. */
import { addSum, checksum, sum } from '../wire/checksum.ts';
import { UDP_CHECKSUM_OFFSET } from '../wire/udp.ts';
import { CHECKSUM_NONE, CHECKSUM_PARTIAL, type Packet } from './packet.ts';
import { CHUNK_SIZE, type Chunk, type Slab } from './slab.ts';

/**
 * Copies packets into chunks of one slab, as many to a chunk as it has room for, so that a burst of small packets stays in
 * the processor's cache. Each copy holds a reference to its chunk, which its taker releases.
 */
export class PacketCopier {
  readonly #slab: Slab;
  #chunk: Chunk | undefined;
  #used = 0;

  constructor(slab: Slab) {
    this.#slab = slab;
  }

  /** Makes `copy` the same packet in one piece, with its offload state. `copy` must hold nothing. */
  copy(packet: Packet, copy: Packet): void {
    const chunk = this.place(packet.totalLength(), copy);
    packet.copyTo(chunk.bytes, copy.offset);
    copy.checksum = packet.checksum;
    copy.transportOffset = packet.transportOffset;
    copy.checksumOffset = packet.checksumOffset;
    copy.segmentSize = packet.segmentSize;
    copy.nextHop = packet.nextHop;
  }

  /** Makes `packet` a stretch of `length` bytes (1..65535), whose contents are the caller's to write. */
  place(length: number, packet: Packet): Chunk {
    if (this.#chunk === undefined || this.#used + length > CHUNK_SIZE) {
      this.#chunk?.release();
      this.#chunk = this.#slab.take();
      this.#used = 0;
    }
    const chunk = this.#chunk;
    chunk.retain();
    packet.chunk = chunk;
    packet.offset = this.#used;
    packet.length = length;
    // The next packet starts at a multiple of 8.
    this.#used = (this.#used + length + 7) & ~7;
    return chunk;
  }

  /** Lets go of the chunk that is being filled: to be called whenever nothing is on its way. */
  rest(): void {
    this.#chunk?.release();
    this.#chunk = undefined;
  }
}

/**
 * Turns a partial checksum into the real one, in the bytes of the first piece; any other packet stays as it is.
 * @throws Error when the packet is a super-segment: each of its pieces has a checksum of its own (see cut.ts)
 */
export function completeChecksum(packet: Packet): void {
  if (packet.checksum !== CHECKSUM_PARTIAL) return;
  if (packet.segmentSize > 0)
    throw new Error('completeChecksum: a super-segment must be cut before its checksums are completed');
  // The field holds the pseudo-header's sum, so it takes part in the sum as it is.
  let total = sum(packet.chunk.view, packet.offset + packet.transportOffset, packet.length - packet.transportOffset);
  let odd = ((packet.length - packet.transportOffset) & 1) === 1;
  for (let i = 0; i < packet.partCount; i++) {
    const length = packet.partLength[i] as number;
    total = addSum(total, sum((packet.partChunk[i] as Chunk).view, packet.partOffset[i] as number, length), odd);
    odd = odd !== ((length & 1) === 1);
  }
  let field = checksum(total);
  // RFC 768: a UDP checksum of 0 is sent as all ones, since 0 says that there is none.
  if (field === 0 && packet.checksumOffset === UDP_CHECKSUM_OFFSET) field = 0xffff;
  packet.chunk.view.setUint16(packet.offset + packet.transportOffset + packet.checksumOffset, field);
  packet.checksum = CHECKSUM_NONE;
}
