/** A host with IPv6 on one link, packet by packet: what is put on the link, and what comes back. */
import { expect } from 'chai';
import { ParameterProblem, readExtensions } from '../../src/ip/extension-headers.ts';
import { InboundPacket, readPacket } from '../../src/ip/inbound.ts';
import { CHECKSUM_NONE, Packet } from '../../src/link/packet.ts';
import { Slab } from '../../src/link/slab.ts';
import type { Stack } from '../../src/stack/stack.ts';
import type { VirtualClock } from '../../src/time/virtual-clock.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { checksum, pseudoHeaderSum6, sum } from '../../src/wire/checksum.ts';
import { OK } from '../../src/wire/reasons.ts';
import { address, bench, TapLink } from '../stack/tap.ts';

export const HOST: IpAddress = address('fd00::2');
export const PEER6: IpAddress = address('fd00::1');

/** A header and what it says of the next: `[kind, bytes]`; the first byte of `bytes` becomes the next header's kind. */
export type Extension = readonly [kind: number, bytes: Uint8Array];

/** An options header of 8 bytes or more that holds `options`, padded with PadN. */
export function optionsHeader(kind: number, ...options: number[]): Extension {
  const length = Math.ceil((2 + options.length) / 8) * 8;
  const bytes = new Uint8Array(length);
  bytes[1] = length / 8 - 1;
  bytes.set(options, 2);
  const left = length - 2 - options.length;
  // A PadN of 2 bytes or more; one byte is a Pad1, which is 0.
  if (left >= 2) bytes.set([1, left - 2], 2 + options.length);
  return [kind, bytes];
}

export function fragmentHeader(offset: number, more: boolean, identification: number): Extension {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint16(2, offset | Number(more));
  view.setUint32(4, identification);
  return [44, bytes];
}

export interface Ip6Spec {
  readonly source?: IpAddress;
  readonly destination?: IpAddress;
  readonly hopLimit?: number;
  readonly trafficClass?: number;
  readonly flowLabel?: number;
  readonly extensions?: readonly Extension[];
  /** In place of what it is. */
  readonly payloadLength?: number;
}

/** A packet whose extension headers are followed by `payload`, which is of `protocol`. */
export function buildIp6(protocol: number, payload: Uint8Array, spec: Ip6Spec = {}): Uint8Array {
  const { source = PEER6, destination = HOST, extensions = [] } = spec;
  const length = extensions.reduce((total, [, { length: more }]) => total + more, payload.length);
  const bytes = new Uint8Array(40 + length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, (0x60000000 | ((spec.trafficClass ?? 0) << 20) | (spec.flowLabel ?? 0)) >>> 0);
  view.setUint16(4, spec.payloadLength ?? length);
  bytes[7] = spec.hopLimit ?? 64;
  for (const [i, word] of [source.bareW0, source.w1, source.w2, source.w3].entries()) view.setInt32(8 + 4 * i, word);
  for (const [i, word] of [destination.bareW0, destination.w1, destination.w2, destination.w3].entries())
    view.setInt32(24 + 4 * i, word);
  let nextAt = 6;
  let at = 40;
  for (const [kind, header] of extensions) {
    bytes[nextAt] = kind;
    bytes.set(header, at);
    nextAt = at;
    at += header.length;
  }
  bytes[nextAt] = protocol;
  bytes.set(payload, at);
  return bytes;
}

/** An ICMPv6 message with its checksum. */
export function buildIcmp6(
  type: number,
  code: number,
  parameter: number,
  body: Uint8Array,
  spec: Ip6Spec = {},
): Uint8Array {
  const { source = PEER6, destination = HOST } = spec;
  const message = new Uint8Array(8 + body.length);
  const view = new DataView(message.buffer);
  view.setUint16(0, (type << 8) | code);
  view.setUint32(4, parameter);
  message.set(body, 8);
  view.setUint16(2, checksum(sum(view, 0, message.length) + pseudoSum(source, destination, 58) + message.length));
  return buildIp6(58, message, spec);
}

export function pseudoSum(source: IpAddress, destination: IpAddress, protocol: number): number {
  return pseudoHeaderSum6(
    source.bareW0,
    source.w1,
    source.w2,
    source.w3,
    destination.bareW0,
    destination.w1,
    destination.w2,
    destination.w3,
    protocol,
  );
}

/** A packet of the host's, read. */
export interface Seen6 {
  readonly bytes: Uint8Array;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly protocol: number;
  readonly hopLimit: number;
  readonly trafficClass: number;
  readonly flowLabel: number;
  readonly payload: Uint8Array;
}

export interface SeenIcmp6 extends Seen6 {
  readonly type: number;
  readonly code: number;
  readonly parameter: number;
  readonly body: Uint8Array;
}

export class Wire6 {
  readonly link: TapLink;
  readonly stack: Stack;
  readonly clock: VirtualClock;

  constructor(options: Parameters<typeof bench>[0] = {}, mtu = 1500) {
    ({ stack: this.stack, clock: this.clock } = bench(options));
    this.link = new TapLink('tap', mtu);
    this.stack.addInterface(this.link, {
      addresses: [
        { address: HOST, bits: 64 },
        { address: address('10.0.0.2'), bits: 24 },
      ],
    });
  }

  get linkLocal(): IpAddress {
    const own = this.stack.interfaces[0]?.addresses.find((each) => each.address.isLinkLocal);
    return (own as { address: IpAddress }).address;
  }

  inject(bytes: Uint8Array): void {
    this.link.deliver(bytes);
  }

  /** The one packet that was sent. */
  expectPacket(): Seen6 {
    const [bytes, ...more] = this.link.drain();
    if (bytes === undefined) throw new Error('nothing was sent');
    expect(more, 'packets after the first').to.deep.equal([]);
    return read(bytes);
  }

  expectIcmp(expected: { type: number; code: number }): SeenIcmp6 {
    const packet = this.expectPacket();
    const { payload } = packet;
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    expect(packet.protocol).to.equal(58);
    const total = sum(view, 0, payload.length) + pseudoSum(packet.source, packet.destination, 58) + payload.length;
    expect(checksum(total), 'checksum').to.equal(0);
    const seen = { ...packet, type: payload[0] as number, code: payload[1] as number, parameter: view.getUint32(4) };
    expect({ type: seen.type, code: seen.code }).to.deep.equal(expected);
    return { ...seen, body: payload.subarray(8) };
  }

  expectNothing(): void {
    expect(this.link.drain()).to.deep.equal([]);
  }

  /** Nothing is left anywhere. */
  expectClean(): void {
    expect(this.stack.slab.live).to.equal(0);
  }
}

function read(bytes: Uint8Array): Seen6 {
  const slab = new Slab();
  const packet = new Packet(slab.take(), 0);
  packet.chunk.bytes.set(bytes);
  packet.length = bytes.length;
  packet.checksum = CHECKSUM_NONE;
  const inbound = new InboundPacket();
  if (readPacket(packet, 0, inbound) !== OK || readExtensions(inbound, new ParameterProblem()) !== OK)
    throw new Error(`the host sent a packet that cannot be read: ${Buffer.from(bytes).toString('hex')}`);
  return {
    bytes,
    source: IpAddress.v6(inbound.s0, inbound.s1, inbound.s2, inbound.s3),
    destination: IpAddress.v6(inbound.d0, inbound.d1, inbound.d2, inbound.d3),
    protocol: inbound.protocol,
    hopLimit: inbound.ttl,
    trafficClass: inbound.tos,
    flowLabel: inbound.flowLabel,
    payload: bytes.subarray(inbound.payloadOffset, inbound.payloadOffset + inbound.payloadLength),
  };
}

/** A segment without options or data, with its checksum. */
export function buildTcp6(
  segment: { sourcePort: number; destinationPort: number; seq: number; ack?: number; flags: number },
  spec: Ip6Spec = {},
): Uint8Array {
  const { source = PEER6, destination = HOST } = spec;
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, segment.sourcePort);
  view.setUint16(2, segment.destinationPort);
  view.setInt32(4, segment.seq);
  view.setInt32(8, segment.ack ?? 0);
  view.setUint16(12, 0x5000 | segment.flags);
  view.setUint16(14, 65_535);
  view.setUint16(16, checksum(sum(view, 0, 20) + pseudoSum(source, destination, 6) + 20));
  return buildIp6(6, bytes, spec);
}

/** A datagram of `length` bytes to the discard port, with its checksum. */
export function buildUdp6(length: number, spec: Ip6Spec = {}): Uint8Array {
  const { source = PEER6, destination = HOST } = spec;
  const bytes = Uint8Array.from({ length: 8 + length }, (_, i) => i);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 4660);
  view.setUint16(2, 9);
  view.setUint16(4, bytes.length);
  view.setUint16(6, 0);
  view.setUint16(6, checksum(sum(view, 0, bytes.length) + pseudoSum(source, destination, 17) + bytes.length) || 0xffff);
  return buildIp6(17, bytes, spec);
}
