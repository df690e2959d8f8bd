/**
 * The edge between a stack, which thinks in super-segments, and a link that may not know them: super-segments become
 * the segments that go on the wire, partial checksums become real ones.
 *
 * The payload of a piece lies where it lay (`addPart`); only headers are copied. No allocation once the batch has grown.
 */
import { checksum, fold, sum } from '../wire/checksum.ts';
import { PROTOCOL_TCP } from '../wire/ipv4.ts';
import { CWR, FIN, PSH, TCP_CHECKSUM_OFFSET, TCP_HEADER_LENGTH, URG } from '../wire/tcp.ts';
import { completeChecksum } from './linear.ts';
import type { Link } from './link.ts';
import { CHECKSUM_PARTIAL, Packet, type PacketBatch } from './packet.ts';
import { CHUNK_SIZE, type Chunk, type Slab } from './slab.ts';

/** Where the fields lie that differ from piece to piece. RFC 791 3.1, RFC 8200 3, RFC 9293 3.1. */
const IPV4_TOTAL_LENGTH = 2;
const IPV4_IDENTIFICATION = 4;
const IPV4_CHECKSUM = 10;
const IPV4_ADDRESSES = 12;
const IPV6_PAYLOAD_LENGTH = 4;
const IPV6_HEADER_LENGTH = 40;
const IPV6_ADDRESSES = 8;
const TCP_SEQ = 4;
const TCP_DATA_OFFSET = 12;
const TCP_FLAGS = 13;
const TCP_URGENT_POINTER = 18;

/** Cuts one super-segment at a time; the pieces stay until `release`. */
export class Cutter {
  readonly #slab: Slab;
  readonly #before: number;
  readonly #batch: { packets: Packet[]; length: number } = { packets: [], length: 0 };
  /** The chunks that the pieces' headers lie in; the last one is being filled. */
  readonly #arena: Chunk[] = [];
  #used = 0;

  /** `slab`: where the headers of pieces are to lie. `before`: bytes before the IP header, of frames. */
  constructor(slab: Slab, before = 0) {
    this.#slab = slab;
    this.#before = before;
  }

  /** The pieces that are left. */
  get batch(): PacketBatch {
    return this.#batch;
  }

  /**
   * Cuts a super-segment of TCP, gathered or in one piece, into segments of `segmentSize` bytes of payload. The super-segment may be
   * cleared afterwards: the pieces hold what they need. No pieces come of one whose TCP header is not whole: there is nothing to send.
   * @param complete whether checksums are to be real ones; otherwise they are partial
   * @throws Error when pieces of the one before are left, or when this is no super-segment
   */
  cut(packet: Packet, complete: boolean): PacketBatch {
    if (this.#batch.length > 0) throw new Error('Cutter: pieces of another super-segment are left; release them first');
    if (packet.segmentSize <= 0) throw new Error('Cutter: not a super-segment (segmentSize is 0)');
    const size = packet.segmentSize;
    const transport = packet.transportOffset;
    const headers =
      transport + (((packet.chunk.bytes[packet.offset + transport + TCP_DATA_OFFSET] as number) >> 4) << 2);
    const payload = packet.totalLength() - headers;
    if (headers < transport + TCP_HEADER_LENGTH || headers > packet.length) return this.#batch;
    // Where the payload of the next piece starts: in the first piece (-1) or a part, and how far in it.
    let part = -1;
    let within = headers;
    for (let at = 0; at === 0 || at < payload; at += size) {
      const length = Math.min(size, payload - at);
      const piece = this.#startPiece(packet, headers);
      for (let left = length; left > 0; ) {
        const run = Math.min(left, lengthOf(packet, part) - within);
        if (run > 0) piece.addPart(chunkOf(packet, part), offsetOf(packet, part) + within, run);
        left -= run;
        within += run;
        if (within === lengthOf(packet, part)) {
          part++;
          within = 0;
        }
      }
      writeHeaders(piece, this.#before, transport, at, length, size, at + length >= payload);
      writeChecksum(piece, this.#before, transport, length, complete);
    }
    return this.#batch;
  }

  /** Lets go of the first `count` pieces; the others move to the front of the batch. */
  release(count = this.#batch.length): void {
    const { packets } = this.#batch;
    const left = this.#batch.length - count;
    for (let i = 0; i < count; i++) (packets[i] as Packet).clear();
    for (let i = 0; i < left && count > 0; i++) {
      const piece = packets[i + count] as Packet;
      packets[i + count] = packets[i] as Packet;
      packets[i] = piece;
    }
    this.#batch.length = left;
    if (left > 0) return;
    for (const chunk of this.#arena) chunk.release();
    this.#arena.length = 0;
  }

  /** A piece at the end of the batch, with a copy of the headers and no payload. */
  #startPiece(packet: Packet, headers: number): Packet {
    let chunk = this.#arena[this.#arena.length - 1];
    if (chunk === undefined || this.#used + headers > CHUNK_SIZE) {
      chunk = this.#slab.take();
      this.#arena.push(chunk);
      this.#used = 0;
    }
    const index = this.#batch.length++;
    this.#batch.packets[index] ??= new Packet(chunk, 0);
    const piece = this.#batch.packets[index];
    piece.chunk = chunk;
    piece.offset = this.#used;
    piece.length = headers;
    piece.transportOffset = packet.transportOffset;
    piece.checksumOffset = TCP_CHECKSUM_OFFSET;
    piece.nextHop = packet.nextHop;
    chunk.bytes.set(packet.chunk.bytes.subarray(packet.offset, packet.offset + headers), this.#used);
    // The next headers start at a multiple of 4.
    this.#used = (this.#used + headers + 3) & ~3;
    return piece;
  }
}

/** Sends a stack's packets on a link in the shape that the link takes. One per link. */
export class Edge {
  readonly #link: Link;
  readonly #cutter: Cutter;
  readonly #run: { packets: Packet[]; length: number } = { packets: [], length: 0 };
  #sending = false;
  #discarded = false;

  /** `slab`: where copied headers are to lie. `before`: bytes before the IP header, on a link of frames. */
  constructor(link: Link, slab: Slab, before = 0) {
    this.#link = link;
    this.#cutter = new Cutter(slab, before);
  }

  /** Pieces of a super-segment that the link has not taken yet; they hold their payload. */
  get held(): number {
    return this.#cutter.batch.length;
  }

  /**
   * Takes packets from the front of the batch, as `Link.send` does; a super-segment counts as taken when it is cut, and what the
   * link leaves of it is kept here. So after the link's `writable()` the caller calls `flush()`, and `send` again with what it kept.
   * Until the held pieces have gone, `send` takes nothing.
   */
  send(batch: PacketBatch): number {
    if (!this.flush()) return 0;
    const { checksumOffload, segmentationOffload } = this.#link.capabilities;
    let done = 0;
    while (done < batch.length) {
      // Up to the next super-segment that the link does not take, packets pass as they are, or with their checksum completed.
      let end = done;
      while (end < batch.length && !mustCut(batch.packets[end] as Packet, segmentationOffload)) {
        if (!checksumOffload) completeChecksum(batch.packets[end] as Packet);
        end++;
      }
      if (end > done) {
        const taken = this.#sendRun(batch, done, end);
        done += taken;
        if (done < end) return done;
      }
      if (end === batch.length) break;
      this.#cutter.cut(batch.packets[end] as Packet, !checksumOffload);
      done++;
      if (!this.flush()) return done;
    }
    return done;
  }

  /** Goes on with held pieces; returns whether none are left. */
  flush(): boolean {
    const { batch } = this.#cutter;
    if (batch.length === 0) return true;
    this.#sending = true;
    const taken = this.#link.send(batch);
    this.#sending = false;
    this.#cutter.release(this.#discarded ? batch.length : taken);
    this.#discarded = false;
    return batch.length === 0;
  }

  /** Lets go of held pieces, when the link has closed; within a send, once the link has returned from it. */
  discard(): void {
    if (this.#sending) this.#discarded = true;
    else this.#cutter.release();
  }

  #sendRun(batch: PacketBatch, start: number, end: number): number {
    if (start === 0 && end === batch.length) return this.#link.send(batch);
    const run = this.#run;
    for (let i = start; i < end; i++) run.packets[i - start] = batch.packets[i] as Packet;
    run.length = end - start;
    return this.#link.send(run);
  }
}

function mustCut(packet: Packet, segmentationOffload: number): boolean {
  return packet.segmentSize > 0 && (segmentationOffload === 0 || packet.totalLength() > segmentationOffload);
}

/** The stretches of a packet: -1 is its first piece, then its parts. */
function chunkOf(packet: Packet, part: number): Chunk {
  return part < 0 ? packet.chunk : (packet.partChunk[part] as Chunk);
}

function offsetOf(packet: Packet, part: number): number {
  return part < 0 ? packet.offset : (packet.partOffset[part] as number);
}

function lengthOf(packet: Packet, part: number): number {
  return part < 0 ? packet.length : (packet.partLength[part] as number);
}

/** What differs between the headers of the pieces: `at` is where the piece's payload starts in the super-segment's. */
function writeHeaders(
  piece: Packet,
  before: number,
  transport: number,
  at: number,
  length: number,
  size: number,
  last: boolean,
): void {
  const { view } = piece.chunk;
  const ip = piece.offset + before;
  const total = piece.length - before + length;
  if (view.getUint8(ip) >> 4 === 4) {
    view.setUint16(ip + IPV4_TOTAL_LENGTH, total);
    // RFC 791 3.2: datagrams differ in their identification; that matters where they may be fragmented (RFC 6864 4.1).
    view.setUint16(ip + IPV4_IDENTIFICATION, view.getUint16(ip + IPV4_IDENTIFICATION) + at / size);
    view.setUint16(ip + IPV4_CHECKSUM, 0);
    view.setUint16(ip + IPV4_CHECKSUM, checksum(sum(view, ip, (view.getUint8(ip) & 0xf) << 2)));
  } else {
    view.setUint16(ip + IPV6_PAYLOAD_LENGTH, total - IPV6_HEADER_LENGTH);
  }
  const tcp = piece.offset + transport;
  view.setInt32(tcp + TCP_SEQ, (view.getInt32(tcp + TCP_SEQ) + at) | 0);
  let flags = view.getUint8(tcp + TCP_FLAGS);
  // RFC 3168 6.1.2: CWR is set on the first new data packet sent after the window was reduced, and only there.
  if (at > 0) flags &= ~CWR;
  // FIN comes after the last byte, and PSH asks for what came before it.
  if (!last) flags &= ~(FIN | PSH);
  // RFC 9293 3.8.6.2.1: the urgent pointer counts from the segment's own sequence number.
  if ((flags & URG) !== 0) {
    const urgent = Math.max(view.getUint16(tcp + TCP_URGENT_POINTER) - at, 0);
    view.setUint16(tcp + TCP_URGENT_POINTER, urgent);
    if (urgent === 0) flags &= ~URG;
  }
  view.setUint8(tcp + TCP_FLAGS, flags);
}

function writeChecksum(piece: Packet, before: number, transport: number, payload: number, complete: boolean): void {
  const { view } = piece.chunk;
  const ip = piece.offset + before;
  const tcp = piece.offset + transport;
  const headers = piece.length - transport;
  const version4 = view.getUint8(ip) >> 4 === 4;
  let total = version4 ? sum(view, ip + IPV4_ADDRESSES, 8) : sum(view, ip + IPV6_ADDRESSES, 32);
  total += PROTOCOL_TCP + headers + payload;
  view.setUint16(tcp + TCP_CHECKSUM_OFFSET, fold(total));
  piece.checksum = CHECKSUM_PARTIAL;
  if (complete) completeChecksum(piece);
}
