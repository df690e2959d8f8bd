/** A datagram of which some fragments have come. RFC 791 3.2, RFC 8200 4.5. */
import type { Chunk } from '../link/slab.ts';
import { type FragmentPage, type FragmentPages, PAGE_COST, PAGE_SIZE } from './fragment-pages.ts';
import type { FragmentSource } from './fragment-sources.ts';
import type { InboundPacket } from './inbound.ts';
import type { Keyed } from './keyed-table.ts';

/** What a datagram takes before anything of it is kept, bytes: its record, its place in the table, its timer, as measured. */
const RECORD_COST = 800;

/** What `take` found. */
export const TAKEN = 0;
/** All of it was there. */
export const DUPLICATE = 1;
/** Some of it was there. */
export const OVERLAP = 2;
/** It does not agree with others on where the datagram ends. */
export const MISFIT = 3;

export class PartialDatagram<From> implements Keyed<PartialDatagram<From>> {
  hash = 0;
  chained: PartialDatagram<From> | undefined;
  /** What it is known by: see `isOf`. */
  readonly family: 4 | 6;
  readonly s0: number;
  readonly s1: number;
  readonly s2: number;
  readonly s3: number;
  readonly d0: number;
  readonly d1: number;
  readonly d2: number;
  readonly d3: number;
  readonly identification: number;
  readonly protocol: number;
  /** Row of its deadline. */
  readonly row: number;
  /** Where its first fragment came from, or any. */
  from: From;
  /** IPv4: whoever sent it, and how many fragments had come from there when one of this datagram's last did. */
  source: FragmentSource | undefined;
  sourceCount = 0;
  /** A fragment overlapped another, or contradicted it: nothing becomes of this any more. */
  isSpoiled = false;
  /** Bit n: a fragment with n in its ECN field has come. */
  ecnSeen = 0;
  /** Headers of the first fragment, with IPv6 those of the Fragment header too; undefined: it has not come. */
  header: Uint8Array | undefined;
  /** Of the first fragment: bytes of payload, and for IPv6 the bytes before the Fragment header. */
  firstLength = 0;
  unfragmentableLength = 0;
  /** Bytes of its cost that are accounted for. */
  charged = 0;
  #pages: FragmentPage | undefined;
  /** The page that was written last: most fragments go on where the one before ended. */
  #latest: FragmentPage | undefined;
  #pageCount = 0;
  #received = 0;
  /** The end of the datagram, or of the last bytes of it that have come. */
  #end = 0;
  #endIsKnown = false;

  constructor(packet: InboundPacket, from: From, row: number) {
    this.family = packet.family;
    this.s0 = packet.s0;
    this.s1 = packet.s1;
    this.s2 = packet.s2;
    this.s3 = packet.s3;
    this.d0 = packet.d0;
    this.d1 = packet.d1;
    this.d2 = packet.d2;
    this.d3 = packet.d3;
    this.identification = packet.identification;
    this.protocol = packet.family === 4 ? packet.protocol : 0;
    this.from = from;
    this.row = row;
  }

  // RFC 791 3.2: fragments belong together when source, destination, protocol and identification agree. RFC 8200 4.5: source, destination
  // and identification; the Next Header values may differ.
  isOf(packet: InboundPacket): boolean {
    return (
      packet.identification === this.identification &&
      packet.s3 === this.s3 &&
      packet.d3 === this.d3 &&
      packet.s2 === this.s2 &&
      packet.d2 === this.d2 &&
      packet.s1 === this.s1 &&
      packet.d1 === this.d1 &&
      packet.s0 === this.s0 &&
      packet.d0 === this.d0 &&
      packet.family === this.family &&
      (this.family === 6 || packet.protocol === this.protocol)
    );
  }

  /** Bytes that it takes. */
  get cost(): number {
    return RECORD_COST + this.#pageCount * PAGE_COST + (this.header?.length ?? 0);
  }

  /** Bytes of payload of the whole. */
  get length(): number {
    return this.#end;
  }

  get isWhole(): boolean {
    return this.#endIsKnown && this.#received === this.#end;
  }

  get isEmpty(): boolean {
    return this.#received === 0;
  }

  /** Keeps the fragment's bytes. @returns TAKEN, or why not */
  take(packet: InboundPacket, pages: FragmentPages): number {
    const { fragmentOffset: start, payloadLength: length } = packet;
    const end = start + length;
    if (!this.#fits(start, end, packet.moreFragments)) return MISFIT;
    const present = this.#unitsPresent(start, end);
    if (present > 0) return present === ((end + 7) >> 3) - (start >> 3) ? DUPLICATE : OVERLAP;
    this.#end = Math.max(this.#end, end);
    if (!packet.moreFragments) this.#endIsKnown = true;
    this.#received += length;
    for (let at = start; at < end; ) {
      const index = Math.floor(at / PAGE_SIZE);
      const within = at % PAGE_SIZE;
      const count = Math.min(PAGE_SIZE - within, end - at);
      const page = this.#find(index) ?? this.#addPage(pages.take(index));
      page.write(within, packet.chunk, packet.payloadOffset + at - start, count);
      this.#latest = page;
      at += count;
    }
    return TAKEN;
  }

  /** Remembers the headers of the first fragment, which are those of the datagram. */
  takeHeader(packet: InboundPacket, from: From): void {
    this.header = packet.chunk.bytes.slice(packet.headerOffset, packet.payloadOffset);
    this.firstLength = packet.payloadLength;
    this.unfragmentableLength = packet.unfragmentableLength;
    this.from = from;
  }

  /** Copies the first `length` bytes of payload, which have come, into a chunk. */
  copyTo(chunk: Chunk, at: number, length: number): void {
    for (let page = this.#pages; page !== undefined; page = page.next) {
      const start = page.index * PAGE_SIZE;
      const count = Math.min(PAGE_SIZE, length - start);
      if (count <= 0) continue;
      chunk.bytes.set(page.chunk.bytes.subarray(page.offset, page.offset + count), at + start);
    }
  }

  /** Lets go of all that has come, as if nothing had. */
  forget(pages: FragmentPages): void {
    pages.giveBack(this.#pages);
    this.#pages = undefined;
    this.#latest = undefined;
    this.#pageCount = 0;
    this.#received = 0;
    this.#end = 0;
    this.#endIsKnown = false;
    this.header = undefined;
    this.ecnSeen = 0;
  }

  // Linux, ip_frag_queue: a last fragment ends the datagram where others have said that it ends, if they have, and behind all that has come; and nothing comes
  // behind it. A fragment without a byte is good for nothing.
  #fits(start: number, end: number, more: boolean): boolean {
    if (end === start) return false;
    if (this.#endIsKnown) return more ? end <= this.#end : end === this.#end;
    return more || end >= this.#end;
  }

  #unitsPresent(start: number, end: number): number {
    let count = 0;
    for (let at = start; at < end; ) {
      const index = Math.floor(at / PAGE_SIZE);
      const stop = Math.min(end, (index + 1) * PAGE_SIZE);
      const page = this.#find(index);
      if (page !== undefined) count += page.count(at - index * PAGE_SIZE, stop - index * PAGE_SIZE);
      at = stop;
    }
    return count;
  }

  #find(index: number): FragmentPage | undefined {
    if (this.#latest?.index === index) return this.#latest;
    let page = this.#pages;
    while (page !== undefined && page.index !== index) page = page.next;
    return page;
  }

  #addPage(page: FragmentPage): FragmentPage {
    page.next = this.#pages;
    this.#pages = page;
    this.#pageCount++;
    return page;
  }
}
