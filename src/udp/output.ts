/** A datagram that goes out: header, checksum, and where its payload waits for the link. RFC 768. */
import { CHECKSUM_PARTIAL, type Packet } from '../link/packet.ts';
import { CHUNK_SIZE, type Chunk, type Slab } from '../link/slab.ts';
import { fold } from '../wire/checksum.ts';
import { UDP_CHECKSUM_OFFSET, UDP_HEADER_LENGTH, writeUdpHeader } from '../wire/udp.ts';

/** What UDP needs of the way to a destination. */
export interface DatagramPath {
  /** Sum of the pseudo-header's words without the length. */
  readonly pseudoSum: number;
  take(): Packet | undefined;
  /** Cuts what is too large into fragments, whose checksum it completes. */
  send(packet: Packet): boolean;
}

/** Bytes of payload that fit behind the header in a packet's own header area. */
const INLINE_LIMIT = 112;

/** Where the payloads of datagrams lie until the link has taken them, many to a chunk. */
export class PayloadArena {
  readonly #slab: Slab;
  #chunk: Chunk | undefined;
  #used = 0;

  constructor(slab: Slab) {
    this.#slab = slab;
  }

  /** Copies the list behind the packet's header, as one part. @param length bytes of all of them */
  addTo(packet: Packet, list: readonly Uint8Array[], length: number): void {
    if (this.#chunk === undefined || this.#used + length > CHUNK_SIZE) {
      this.#chunk?.release();
      this.#chunk = this.#slab.take();
      this.#used = 0;
    }
    copy(list, this.#chunk.bytes, this.#used);
    packet.addPart(this.#chunk, this.#used, length);
    this.#used = (this.#used + length + 7) & ~7;
  }

  /** Lets go of the chunk that is being filled: to be called whenever nothing more is to come for now. */
  rest(): void {
    this.#chunk?.release();
    this.#chunk = undefined;
  }
}

/**
 * Sends the list as one datagram; the bytes are the caller's again at once.
 * @param length bytes of all of them; with both headers no more than IP can say
 * @returns false: the interface is full
 */
export function sendDatagram(
  path: DatagramPath,
  arena: PayloadArena,
  sourcePort: number,
  destinationPort: number,
  list: readonly Uint8Array[],
  length: number,
): boolean {
  const packet = path.take();
  if (packet === undefined) return false;
  const { view, bytes } = packet.chunk;
  const { offset } = packet;
  const total = UDP_HEADER_LENGTH + length;
  writeUdpHeader(view, offset, sourcePort, destinationPort, total);
  packet.length = UDP_HEADER_LENGTH;
  if (length <= INLINE_LIMIT) {
    copy(list, bytes, offset + UDP_HEADER_LENGTH);
    packet.length += length;
  } else {
    arena.addTo(packet, list, length);
  }
  // RFC 1122 4.1.3.4 (a checksum is generated): the link completes it, or the edge before it does.
  view.setUint16(offset + UDP_CHECKSUM_OFFSET, fold(path.pseudoSum + total));
  packet.checksum = CHECKSUM_PARTIAL;
  packet.transportOffset = 0;
  packet.checksumOffset = UDP_CHECKSUM_OFFSET;
  path.send(packet);
  return true;
}

function copy(list: readonly Uint8Array[], target: Uint8Array, at: number): void {
  let end = at;
  for (const bytes of list) {
    target.set(bytes, end);
    end += bytes.length;
  }
}
