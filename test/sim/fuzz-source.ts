/** What comes to a fuzzed host: packets of every protocol, answers to what it sent, errors about that, fragments of all of it. */

import type { Draw } from './draw.ts';
import {
  type Address,
  EXTENSIONS,
  FRAGMENT,
  fragments,
  ICMP,
  ICMPV6,
  ip4,
  ip6,
  joined,
  lengthened,
  mended,
  noise,
  spoiled,
  TCP,
  UDP,
  view,
} from './fuzz-bytes.ts';

/** The host, those that it talks to, and those that no packet should be from or for. */
export const OWN4: Address = [10, 0, 0, 1];
export const OWN6: Address = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const PEERS4: readonly Address[] = [2, 3, 4, 5].map((last) => [10, 0, 0, last]);
const PEERS6: readonly Address[] = [2, 3, 4, 5].map((last) => [...OWN6.slice(0, 15), last]);
const ODD4: readonly Address[] = [
  [127, 0, 0, 1],
  [0, 0, 0, 0],
  [255, 255, 255, 255],
  [10, 0, 0, 255],
  [224, 0, 0, 1],
  [240, 0, 0, 1],
  [192, 0, 2, 9],
  [198, 51, 100, 7],
  OWN4,
];
const zeros = (count: number) => new Array<number>(count).fill(0);
const ODD6: readonly Address[] = [
  zeros(16),
  [...zeros(15), 1],
  [...zeros(10), 255, 255, 10, 0, 0, 2],
  [0xff, 2, ...zeros(13), 1],
  [0xff, 2, ...zeros(9), 1, 0xff, 0, 0, 1],
  [0xff, 0x0e, ...zeros(13), 9],
  [0xfe, 0x80, ...zeros(13), 2],
  [0xfe, 0x80, 0, 3, ...zeros(11), 2],
  [0x20, 1, 0x0d, 0xb8, ...zeros(11), 7],
  OWN6,
];
export const PORTS = { tcp: 80, udp: 5000, connected: 5001, closed: 9, peer: 40_000, dns: 53 } as const;
/** Packets of the host that answers and errors are about. */
const REMEMBERED = 32;

export class FuzzSource {
  readonly #draw: Draw;
  /** What the host has sent, IP packets. */
  readonly #seen: Uint8Array[] = [];
  #next = 0;
  /** Fragments that are still to come. */
  readonly #pending: Uint8Array[] = [];

  constructor(draw: Draw) {
    this.#draw = draw;
  }

  /** The host sent this. */
  saw(packet: Uint8Array): void {
    this.#seen[this.#next++ % REMEMBERED] = packet;
  }

  /** An IP packet, or what was to be one. */
  packet(): Uint8Array {
    const draw = this.#draw;
    if (this.#pending.length > 0 && draw.chance(0.6)) return this.#fragment();
    let bytes = this.#whole();
    if (draw.chance(0.12) && bytes.length > 60 && this.#pending.length < 200) {
      this.#pending.push(...fragments(draw, bytes));
      return this.#fragment();
    }
    if (draw.chance(0.3)) {
      bytes = spoiled(draw, bytes);
      if (bytes.length > 0 && draw.chance(0.6)) bytes = lengthened(bytes);
      if (draw.chance(0.7)) bytes = mended(bytes);
    }
    return bytes;
  }

  #fragment(): Uint8Array {
    const draw = this.#draw;
    const index = draw.chance(0.7) ? 0 : draw.integer(0, this.#pending.length - 1);
    const bytes = this.#pending[index] as Uint8Array;
    // Some come twice, some never.
    if (!draw.chance(0.03)) this.#pending.splice(index, 1);
    if (draw.chance(0.02)) this.#pending.shift();
    return draw.chance(0.05) ? mended(spoiled(draw, bytes)) : bytes;
  }

  #whole(): Uint8Array {
    const draw = this.#draw;
    if (draw.chance(0.02)) return noise(draw, draw.logarithmic(1, 1500));
    const kind = draw.integer(0, 11);
    if (kind < 3 && this.#seen.length > 0) return this.#answer(draw.pick(this.#seen));
    if (kind === 3 && this.#seen.length > 0) return this.#error(draw.pick(this.#seen));
    const four = draw.chance(0.5);
    switch (kind) {
      case 4:
      case 5:
        return this.#wrap(four, TCP, this.#tcp());
      case 6:
      case 7:
        return this.#wrap(four, UDP, this.#udp());
      case 8:
        return this.#wrap(four, four ? ICMP : ICMPV6, this.#echo(four));
      case 9:
        return this.#wrap(false, ICMPV6, this.#discovery(), 255);
      case 10:
        return this.#wrap(four, four ? ICMP : ICMPV6, this.#message());
      default:
        return this.#wrap(four, draw.pick([0, 2, 41, 47, 50, 59, 89, 132, 253, 255]), noise(draw, draw.integer(0, 40)));
    }
  }

  /** In a packet to the host, mostly, with options or extension headers at times. */
  #wrap(four: boolean, protocol: number, payload: Uint8Array, hops?: number): Uint8Array {
    const draw = this.#draw;
    const odd = draw.chance(0.08);
    const far = draw.chance(0.08);
    if (four) {
      const options = draw.chance(0.15) ? this.#options4() : new Uint8Array();
      const packet = ip4(protocol, draw.pick(odd ? ODD4 : PEERS4), far ? draw.pick(ODD4) : OWN4, payload, options);
      if (draw.chance(0.3)) packet[1] = draw.integer(0, 255);
      if (far) packet[8] = draw.pick([0, 1, 2, 64]);
      return mended(packet);
    }
    const [first, chain] = draw.chance(0.25) ? this.#chain(protocol) : [protocol, new Uint8Array()];
    return ip6(
      first,
      draw.pick(odd ? ODD6 : PEERS6),
      far ? draw.pick(ODD6) : OWN6,
      chain,
      payload,
      hops ?? draw.pick([64, 64, 1, 255, 0]),
    );
  }

  #options4(): Uint8Array {
    const draw = this.#draw;
    const bytes: number[] = [];
    for (let count = draw.integer(1, 4); count > 0; count--) {
      const kind = draw.pick([0, 1, 7, 68, 131, 137, 130, 148, 149, draw.integer(0, 255)]);
      if (kind < 2) bytes.push(kind);
      else {
        const length = draw.integer(2, 12);
        bytes.push(kind, draw.chance(0.9) ? length : draw.integer(0, 255), ...noise(draw, length - 2));
        if (bytes.length >= 3 && draw.chance(0.5)) bytes[2] = draw.pick([0, 3, 4, 5, 8, 40]);
      }
    }
    while (bytes.length % 4 !== 0) bytes.push(0);
    return Uint8Array.from(bytes.slice(0, 40));
  }

  /** Extension headers, in any order, as often as they like. */
  #chain(protocol: number): [number, Uint8Array] {
    const draw = this.#draw;
    const kinds = Array.from({ length: draw.integer(1, 5) }, () => draw.pick(EXTENSIONS));
    if (draw.chance(0.5)) kinds.sort((a, b) => a - b);
    const parts = kinds.map((kind, i) => {
      const next = kinds[i + 1] ?? protocol;
      if (kind === FRAGMENT)
        return Uint8Array.from([next, 0, 0, draw.chance(0.8) ? 0 : 1, 0, 0, 0, draw.integer(0, 40)]);
      const units = draw.pick([0, 0, 1, 3]);
      return Uint8Array.from([
        next,
        draw.chance(0.95) ? units : draw.integer(0, 255),
        ...this.#options6(units * 8 + 6),
      ]);
    });
    return [kinds[0] as number, joined(...parts)];
  }

  #options6(length: number): number[] {
    const draw = this.#draw;
    if (draw.chance(0.15)) return [...noise(draw, length)];
    const bytes: number[] = [];
    while (length - bytes.length >= 2) {
      const size = draw.integer(0, length - bytes.length - 2);
      bytes.push(draw.pick([1, 1, 1, 5, 0xc2, 0x1e, 0x5e, 0x9e, 0xde, draw.integer(0, 255)]), size, ...zeros(size));
    }
    while (bytes.length < length) bytes.push(0);
    return bytes;
  }

  #tcp(): Uint8Array {
    const draw = this.#draw;
    const options = draw.chance(0.5) ? this.#tcpOptions() : [];
    const bytes = joined(zeros(20), options, noise(draw, draw.pick([0, 0, 0, 10, 700])));
    const data = view(bytes);
    data.setUint16(0, PORTS.peer + draw.integer(0, 3));
    data.setUint16(2, draw.pick([PORTS.tcp, PORTS.tcp, PORTS.closed, draw.integer(0, 65_535)]));
    data.setUint32(4, draw.integer(0, 0xffffffff));
    data.setUint32(8, draw.integer(0, 0xffffffff));
    data.setUint16(
      12,
      ((20 + options.length) << 10) | draw.pick([2, 2, 2, 16, 17, 18, 4, 20, 24, 0xc2, draw.integer(0, 0x1ff)]),
    );
    data.setUint16(14, draw.pick([0, 1, 8000, 65_535]));
    return bytes;
  }

  #tcpOptions(): number[] {
    const draw = this.#draw;
    const bytes: number[] = [];
    for (let count = draw.integer(1, 3); count > 0; count--) {
      const [kind, length] = draw.pick([
        [2, 4],
        [3, 3],
        [4, 2],
        [8, 10],
        [34, 2],
        [5, 10],
        [draw.integer(0, 255), draw.integer(2, 9)],
      ] as const);
      bytes.push(kind, draw.chance(0.95) ? length : draw.integer(0, 255), ...noise(draw, length - 2));
    }
    while (bytes.length % 4 !== 0) bytes.push(1);
    return bytes.slice(0, 40);
  }

  #udp(): Uint8Array {
    const draw = this.#draw;
    const payload = noise(draw, draw.pick([0, 1, 20, 20, 500, 1400]));
    const bytes = joined(zeros(8), payload);
    const data = view(bytes);
    data.setUint16(0, draw.pick([PORTS.peer, PORTS.dns, 0]));
    data.setUint16(2, draw.pick([PORTS.udp, PORTS.udp, PORTS.connected, PORTS.closed, draw.integer(0, 65_535)]));
    data.setUint16(4, draw.chance(0.95) ? bytes.length : draw.integer(0, 65_535));
    return bytes;
  }

  #echo(four: boolean): Uint8Array {
    const draw = this.#draw;
    const bytes = joined(zeros(8), noise(draw, draw.pick([0, 8, 56, 1400, 4000])));
    bytes[0] = draw.pick(four ? [8, 8, 0, 13, 15, 17] : [128, 128, 129]);
    return bytes;
  }

  /** Neighbour discovery. */
  #discovery(): Uint8Array {
    const draw = this.#draw;
    const type = draw.pick([133, 134, 135, 135, 136, 136, 137]);
    const target = draw.pick([OWN6, ...PEERS6, draw.pick(ODD6)]);
    const fields =
      type === 133 ? [] : type === 134 ? noise(draw, 8) : type === 137 ? [...target, ...draw.pick(PEERS6)] : target;
    const options = Array.from({ length: draw.integer(0, 2) }, () => {
      const units = draw.pick([1, 1, 1, 4, 0]);
      return [draw.pick([1, 2, 3, 4, 5, draw.integer(0, 255)]), units, ...noise(draw, Math.max(units * 8 - 2, 6))];
    });
    return joined([type, draw.chance(0.95) ? 0 : 1, 0, 0, draw.integer(0, 255), 0, 0, 0], fields, ...options);
  }

  #message(): Uint8Array {
    const draw = this.#draw;
    return joined([draw.integer(0, 255), draw.integer(0, 16), 0, 0], noise(draw, draw.integer(4, 80)));
  }

  /** What the other side would say to that: addresses and ports change places, numbers are what is expected, or close by. */
  #answer(packet: Uint8Array): Uint8Array {
    const draw = this.#draw;
    const four = (packet[0] as number) >> 4 === 4;
    const header = four ? ((packet[0] as number) & 15) << 2 : 40;
    const bytes = packet.slice();
    const size = four ? 4 : 16;
    const at = four ? 12 : 8;
    bytes.copyWithin(at, at + size, at + 2 * size);
    bytes.set(packet.subarray(at, at + size), at + size);
    const protocol = packet[four ? 9 : 6] as number;
    if (packet.length < header + 8) return mended(bytes);
    const data = view(bytes);
    if (protocol === TCP || protocol === UDP) {
      data.setUint16(header, view(packet).getUint16(header + 2));
      data.setUint16(header + 2, view(packet).getUint16(header));
    }
    if (protocol === TCP && packet.length >= header + 20) {
      const flags = packet[header + 13] as number;
      const length = packet.length - header - (((packet[header + 12] as number) >> 4) << 2);
      const near = draw.pick([0, 0, 0, 0, 0, 1, -1, 1000]);
      data.setInt32(header + 4, view(packet).getInt32(header + 8) + near);
      data.setInt32(header + 8, view(packet).getInt32(header + 4) + length + ((flags >> 1) & 1) + (flags & 1));
      bytes[header + 13] = (flags & 2) !== 0 && (flags & 16) === 0 ? 0x12 : draw.pick([0x10, 0x10, 0x18, 0x11, 0x14]);
    }
    return mended(bytes);
  }

  /** An error about that. */
  #error(packet: Uint8Array): Uint8Array {
    const draw = this.#draw;
    const four = (packet[0] as number) >> 4 === 4;
    const quoted = packet.subarray(0, draw.pick([20, 28, 48, 56, 68, 548, 1232]));
    const [type, code] = draw.pick<readonly [number, number]>(
      four
        ? [
            [3, draw.integer(0, 16)],
            [3, 4],
            [11, 0],
            [11, 1],
            [12, 0],
            [5, 1],
            [4, 0],
          ]
        : [
            [1, draw.integer(0, 7)],
            [2, 0],
            [3, 0],
            [3, 1],
            [4, draw.integer(0, 3)],
            [137, 0],
          ],
    );
    const parameter = draw.pick([0, 68, 552, 576, 1280, 1400, 1492, 65_535, draw.integer(0, 0xffffff)]);
    const message = joined([type, code, 0, 0, 0, parameter >> 16, (parameter >> 8) & 255, parameter & 255], quoted);
    return this.#wrap(four, four ? ICMP : ICMPV6, message);
  }
}
