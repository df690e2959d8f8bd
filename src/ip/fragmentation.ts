/**
 * A datagram that is too large for its path, sent in fragments: RFC 791 3.2, RFC 8200 4.5. Not for TCP, which knows how large its segments may be
 * (RFC 8200 5), and nobody is asked to make atomic fragments (RFC 8021).
 */
import { completeChecksum } from '../link/linear.ts';
import { Packet } from '../link/packet.ts';
import type { Chunk } from '../link/slab.ts';
import { IPV4_HEADER_LENGTH, MORE_FRAGMENTS, writeIpv4 } from '../wire/ipv4.ts';
import { FRAGMENT_HEADER, FRAGMENT_HEADER_LENGTH, IPV6_HEADER_LENGTH, writeIpv6 } from '../wire/ipv6.ts';
import type { IpCounters } from './counters.ts';
import type { IpPath } from './path.ts';

/**
 * Sends what `path.take` gave in fragments. What the interface has no room for is lost, as any packet may be.
 * @param packet its first piece starts with the transport header; its checksum may be partial, it is made whole
 * @param tos of all the fragments: DSCP and ECN
 */
export function sendFragments(
  path: IpPath,
  packet: Packet,
  tos: number,
  identification: number,
  counters: IpCounters,
): void {
  const is4 = path.headerLength === IPV4_HEADER_LENGTH;
  const headers = is4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH + FRAGMENT_HEADER_LENGTH;
  // The checksum lies in one fragment and is of all of them.
  packet.transportOffset = 0;
  completeChecksum(packet);
  const rest = new Rest(packet);
  // RFC 791 3.2, RFC 8200 4.5: all but the last carry a multiple of 8 bytes.
  const most = Math.max((path.mtu - headers) & ~7, 8);
  for (let offset = 0; rest.length > 0; ) {
    const fragment = path.take();
    if (fragment === undefined) break;
    const length = Math.min(most, rest.length);
    rest.moveTo(fragment, length);
    fragment.offset -= headers;
    fragment.length += headers;
    fragment.nextHop = path.nextHop;
    if (is4) writeHeader4(path, fragment, tos, identification, offset, length, rest.length > 0);
    else writeHeader6(path, fragment, tos, identification, offset, length, rest.length > 0);
    path.egress.commit(fragment);
    if (is4) counters.FragCreates++;
    else counters.Ip6FragCreates++;
    offset += length;
  }
  count(counters, is4, rest.length === 0);
  rest.clear();
}

function count(counters: IpCounters, is4: boolean, all: boolean): void {
  if (all && is4) counters.FragOKs++;
  else if (all) counters.Ip6FragOKs++;
  else if (is4) counters.FragFails++;
  else counters.Ip6FragFails++;
}

function writeHeader4(
  { source, destination, protocol, ttl }: IpPath,
  { chunk, offset: at }: Packet,
  tos: number,
  identification: number,
  offset: number,
  length: number,
  more: boolean,
): void {
  const fragment = (offset >> 3) | (more ? MORE_FRAGMENTS : 0);
  const total = IPV4_HEADER_LENGTH + length;
  writeIpv4(chunk.view, at, total, tos, identification, false, ttl, protocol, source.w3, destination.w3, fragment);
}

function writeHeader6(
  { source, destination, protocol, ttl, flowLabel }: IpPath,
  { chunk: { view }, offset: at }: Packet,
  tos: number,
  identification: number,
  offset: number,
  length: number,
  more: boolean,
): void {
  const payload = FRAGMENT_HEADER_LENGTH + length;
  writeIpv6(view, at, payload, tos, flowLabel, FRAGMENT_HEADER, ttl, source, destination);
  view.setUint16(at + IPV6_HEADER_LENGTH, protocol << 8);
  view.setUint16(at + IPV6_HEADER_LENGTH + 2, offset | (more ? 1 : 0));
  view.setInt32(at + IPV6_HEADER_LENGTH + 4, identification);
}

/** What has not been sent of a packet; it holds the packet's parts, and its own copy of the first piece, whose place the first fragment takes. */
class Rest {
  /** Bytes. */
  length: number;
  readonly #first: Uint8Array;
  readonly #parts: Packet;
  /** Where it goes on: in the first piece, or, when that is used up, in which part, how far. */
  #used = 0;
  #part = 0;
  #within = 0;

  /** Clears the packet. */
  constructor(packet: Packet) {
    this.length = packet.totalLength();
    this.#first = packet.chunk.bytes.slice(packet.offset, packet.offset + packet.length);
    this.#parts = new Packet(packet.chunk, 0);
    for (let i = 0; i < packet.partCount; i++) {
      this.#parts.addPart(packet.partChunk[i] as Chunk, packet.partOffset[i] as number, packet.partLength[i] as number);
    }
    packet.clear();
  }

  /** Gives the next bytes to an empty fragment. */
  moveTo(fragment: Packet, length: number): void {
    const parts = this.#parts;
    const inline = Math.min(this.#first.length - this.#used, length);
    fragment.chunk.bytes.set(this.#first.subarray(this.#used, this.#used + inline), fragment.offset);
    fragment.length = inline;
    this.#used += inline;
    for (let left = length - inline; left > 0; ) {
      const whole = parts.partLength[this.#part] as number;
      const run = Math.min(left, whole - this.#within);
      const at = (parts.partOffset[this.#part] as number) + this.#within;
      if (run > 0) fragment.addPart(parts.partChunk[this.#part] as Chunk, at, run);
      left -= run;
      this.#within += run;
      if (this.#within < whole) continue;
      this.#part++;
      this.#within = 0;
    }
    this.length -= length;
  }

  clear(): void {
    this.#parts.clear();
  }
}
