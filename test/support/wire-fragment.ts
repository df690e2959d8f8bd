/**
 * Fragments of both families as bytes, written and read by hand; and a host whose answers to pings say what it made of them.
 *
 *     const t = new FragmentBench(6);
 *     const ping = t.ping(3000);
 *     t.send(t.piece(ping, 0, 1000), t.piece(ping, 1000, 2000), t.piece(ping, 2000));
 *     t.expectEcho(ping);
 */
import { expect } from 'chai';
import { Stack, type StackOptions } from '../../src/stack/stack.ts';
import { seededRandom } from '../../src/time/random.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { IpAddress, parsePrefix } from '../../src/wire/address.ts';
import { checksum, fold, sum } from '../../src/wire/checksum.ts';
import { TapLink } from '../stack/tap.ts';

/** What a packet says beside its payload. */
export interface IpSpec {
  readonly source?: string;
  readonly destination?: string;
  /** Of what is in the datagram. Default: that of a ping. */
  readonly protocol?: number;
  readonly tos?: number;
  readonly ttl?: number;
  readonly identification?: number;
  /** Bytes. */
  readonly offset?: number;
  readonly more?: boolean;
  readonly dontFragment?: boolean;
  /** IPv4: a multiple of 4 bytes. IPv6: extension headers before the Fragment header, the last one naming it; `before` is the first one's number. */
  readonly options?: Uint8Array;
  readonly before?: number;
  /** IPv6: a packet with no Fragment header. */
  readonly plain?: boolean;
}

export const HOSTS = {
  4: { dut: '10.0.0.1', peer: '10.0.0.2' },
  6: { dut: 'fd00::1', peer: 'fd00::2' },
} as const;

const PING = { 4: 1, 6: 58 } as const;
const FRAGMENT = 44;

export function buildIp4(payload: Uint8Array, spec: IpSpec): Uint8Array {
  const { source = HOSTS[4].peer, destination = HOSTS[4].dut, options = new Uint8Array(), offset = 0 } = spec;
  const header = 20 + options.length;
  const bytes = new Uint8Array(header + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x40 | (header >> 2));
  view.setUint8(1, spec.tos ?? 0);
  view.setUint16(2, bytes.length);
  view.setUint16(4, spec.identification ?? 1);
  view.setUint16(6, (spec.dontFragment === true ? 0x4000 : 0) | (spec.more === true ? 0x2000 : 0) | (offset >> 3));
  view.setUint8(8, spec.ttl ?? 64);
  view.setUint8(9, spec.protocol ?? PING[4]);
  view.setInt32(12, wordsOf(source).w3);
  view.setInt32(16, wordsOf(destination).w3);
  bytes.set(options, 20);
  view.setUint16(10, checksum(sum(view, 0, header)));
  bytes.set(payload, header);
  return bytes;
}

export function buildIp6(payload: Uint8Array, spec: IpSpec): Uint8Array {
  const { source = HOSTS[6].peer, destination = HOSTS[6].dut, options = new Uint8Array(), offset = 0 } = spec;
  const protocol = spec.protocol ?? PING[6];
  const fragment = spec.plain === true ? [] : fragmentHeader(protocol, offset, spec.more === true, spec.identification);
  const bytes = new Uint8Array(40 + options.length + fragment.length + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x60000000 | ((spec.tos ?? 0) << 20));
  view.setUint16(4, bytes.length - 40);
  view.setUint8(6, spec.before ?? (spec.plain === true ? protocol : FRAGMENT));
  view.setUint8(7, spec.ttl ?? 64);
  for (const [at, text] of [[8, source] as const, [24, destination] as const]) {
    const { w0, w1, w2, w3 } = wordsOf(text);
    for (const [i, word] of [w0, w1, w2, w3].entries()) view.setInt32(at + 4 * i, word);
  }
  bytes.set(options, 40);
  bytes.set(fragment, 40 + options.length);
  bytes.set(payload, 40 + options.length + fragment.length);
  return bytes;
}

export function fragmentHeader(protocol: number, offset: number, more: boolean, id = 1): number[] {
  const word = offset | (more ? 1 : 0);
  return [protocol, 0, word >> 8, word & 255, (id >>> 24) & 255, (id >>> 16) & 255, (id >>> 8) & 255, id & 255];
}

export function buildPacket(family: 4 | 6, payload: Uint8Array, spec: IpSpec): Uint8Array {
  return family === 4 ? buildIp4(payload, spec) : buildIp6(payload, spec);
}

/** An echo request of so many bytes, its header of 8 among them, whose data nobody could have guessed. */
export function buildPing(
  family: 4 | 6,
  length: number,
  seed = 1,
  source: string = HOSTS[6].peer,
  destination: string = HOSTS[6].dut,
): Uint8Array {
  const bytes = new Uint8Array(length);
  const random = seededRandom(seed);
  for (let i = 8; i < length; i++) bytes[i] = random.uint32();
  const view = new DataView(bytes.buffer);
  view.setUint16(0, family === 4 ? 0x0800 : 0x8000);
  view.setUint32(4, 0x12345678);
  const pseudo = family === 4 ? 0 : pseudoSum6(source, destination, PING[6], length);
  view.setUint16(2, checksum(sum(view, 0, length) + pseudo));
  return bytes;
}

export function pseudoSum6(source: string, destination: string, protocol: number, length: number): number {
  const words = [source, destination].map(wordsOf).flatMap(({ w0, w1, w2, w3 }) => [w0, w1, w2, w3]);
  return fold(words.reduce((total, word) => total + (word >>> 0), protocol + length));
}

/** A packet as read. */
export interface SeenIp {
  readonly family: 4 | 6;
  readonly tos: number;
  readonly protocol: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly more: boolean;
  readonly offset: number;
  /** IPv6: it has a Fragment header. */
  readonly isFragment: boolean;
  readonly payload: Uint8Array;
  readonly length: number;
}

export function readIp(bytes: Uint8Array): SeenIp {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint8(0) >> 4 === 4) {
    expect(fold(sum(view, 0, 20)), 'checksum of the IPv4 header').to.equal(0xffff);
    expect(view.getUint16(2), 'total length').to.equal(bytes.length);
    const word = view.getUint16(6);
    const [more, offset] = [(word & 0x2000) !== 0, (word & 0x1fff) << 3];
    return {
      family: 4,
      tos: view.getUint8(1),
      protocol: view.getUint8(9),
      identification: view.getUint16(4),
      dontFragment: (word & 0x4000) !== 0,
      more,
      offset,
      isFragment: more || offset > 0,
      payload: bytes.subarray(20),
      length: bytes.length,
    };
  }
  expect(view.getUint16(4), 'payload length').to.equal(bytes.length - 40);
  const isFragment = view.getUint8(6) === FRAGMENT;
  const word = isFragment ? view.getUint16(42) : 0;
  return {
    family: 6,
    tos: (view.getUint16(0) >> 4) & 255,
    protocol: view.getUint8(isFragment ? 40 : 6),
    identification: isFragment ? view.getUint32(44) : 0,
    dontFragment: false,
    more: (word & 1) !== 0,
    offset: word & 0xfff8,
    isFragment,
    payload: bytes.subarray(isFragment ? 48 : 40),
    length: bytes.length,
  };
}

/** The payload of a datagram that came in fragments, in order and complete; checks what RFC 791 3.2 and RFC 8200 4.5 say of them. */
export function putTogether(packets: readonly Uint8Array[]): Uint8Array {
  const pieces = packets.map(readIp);
  const whole = new Uint8Array(pieces.reduce((total, { payload }) => total + payload.length, 0));
  let at = 0;
  for (const [i, piece] of pieces.entries()) {
    const last = i === pieces.length - 1;
    expect(piece, `fragment ${i}`).to.include({ offset: at, more: !last });
    if (pieces.length > 1) expect(piece.dontFragment, 'DF of a fragment').to.equal(false);
    expect(piece.identification, 'identification').to.equal(pieces[0]?.identification);
    expect(piece.protocol).to.equal(pieces[0]?.protocol);
    if (!last) expect(piece.payload.length % 8, 'a multiple of 8').to.equal(0);
    whole.set(piece.payload, at);
    at += piece.payload.length;
  }
  return whole;
}

function wordsOf(text: string): IpAddress {
  const address = IpAddress.parse(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
}

export class FragmentBench {
  readonly family: 4 | 6;
  readonly clock = new VirtualClock();
  readonly stack: Stack;
  readonly link: TapLink;
  /** Reasons for which packets were dropped. */
  readonly drops: string[] = [];
  #identification = 100;

  constructor(family: 4 | 6, options: Partial<StackOptions> & { mtu?: number } = {}) {
    this.family = family;
    this.stack = new Stack({
      clock: this.clock,
      random: seededRandom(1),
      trace: (event) => event.type === 'drop' && this.drops.push(event.reason),
      ...options,
    });
    this.link = new TapLink('tap', options.mtu ?? 65_535);
    this.stack.addInterface(this.link, {
      addresses: ['10.0.0.1/24', 'fd00::1/64'].map((text) => parsePrefix(text) as { address: IpAddress; bits: number }),
    });
  }

  /** A counter of this family, under its name for IPv4. */
  count(name: string): number {
    return (this.stack.counters as unknown as Record<string, number>)[
      this.family === 4 ? name : `Ip6${name}`
    ] as number;
  }

  /** An echo request, and a new identification for its fragments. */
  ping(length: number): Ping {
    const identification = this.#identification++;
    return { bytes: buildPing(this.family, length, identification), identification };
  }

  /** A fragment: the bytes from `start` up to `end`, or to the end. */
  piece(ping: Ping, start: number, end: number = ping.bytes.length, spec: IpSpec = {}): Uint8Array {
    const { bytes, identification } = ping;
    const more = end < bytes.length;
    return buildPacket(this.family, bytes.subarray(start, end), { identification, offset: start, more, ...spec });
  }

  send(...packets: readonly Uint8Array[]): void {
    for (const packet of packets) this.link.deliver(packet);
  }

  /** What was sent since the last look. */
  seen(): SeenIp[] {
    return this.link.drain().map(readIp);
  }

  /** The one answer is that to the ping, in as many pieces as it takes. */
  expectEcho({ bytes }: Ping): SeenIp {
    const packets = this.link.drain();
    const reply = putTogether(packets);
    expect(reply[0], 'type').to.equal(this.family === 4 ? 0 : 129);
    expect(Buffer.from(reply.subarray(4)).equals(bytes.subarray(4)), 'the data of the ping').to.equal(true);
    const { length } = reply;
    const pseudo = this.family === 4 ? 0 : pseudoSum6(HOSTS[6].dut, HOSTS[6].peer, 58, length);
    const view = new DataView(reply.buffer, reply.byteOffset, length);
    expect(fold(sum(view, 0, length) + pseudo), 'checksum of the answer').to.equal(0xffff);
    return readIp(packets[0] as Uint8Array);
  }

  expectNothing(): void {
    expect(this.seen()).to.deep.equal([]);
  }

  /** The one answer is an ICMP error; what it quotes. */
  expectError(type: number, code: number, parameter = 0): Uint8Array {
    const [packet, ...others] = this.seen();
    expect(others).to.deep.equal([]);
    const { payload } = packet as SeenIp;
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    expect([payload[0], payload[1], view.getUint32(4)], 'type, code, parameter').to.deep.equal([type, code, parameter]);
    return payload.subarray(8);
  }

  /** Nothing waits, nothing is held. */
  expectEmpty(): void {
    const { reassembly, slab } = this.stack;
    expect([reassembly.size, reassembly.sources, reassembly.memory(4), reassembly.memory(6)]).to.deep.equal([
      0, 0, 0, 0,
    ]);
    expect(slab.live, 'chunks').to.equal(0);
    expect(this.clock.pending.background, 'timers').to.equal(0);
  }

  close(): void {
    this.stack.close();
    this.expectEmpty();
  }
}

export interface Ping {
  readonly bytes: Uint8Array;
  readonly identification: number;
}
