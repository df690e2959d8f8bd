/** Ethernet frames around packets, and ARP. */

import type { Draw } from './draw.ts';
import { ICMPV6, ip6, joined, noise, spoiled } from './fuzz-bytes.ts';
import { OWN4 } from './fuzz-source.ts';

export const OWN_HARDWARE: readonly number[] = [2, 0, 0, 0, 0, 1];
const ALL = new Array<number>(6).fill(255);

const station = (draw: Draw) => [2, 0, 0, 0, 1, draw.integer(0, 40)];

/** A frame with that packet in it, for us, mostly. */
export function frameOf(draw: Draw, packet: Uint8Array): Uint8Array {
  const four = (packet[0] ?? 0) >> 4 !== 6;
  const to = draw.chance(0.85)
    ? OWN_HARDWARE
    : draw.pick([ALL, [0x33, 0x33, 0, 0, 0, 1], [1, 0, 0x5e, 0, 0, 1], station(draw)]);
  const from = draw.chance(0.97) ? station(draw) : draw.pick([ALL, OWN_HARDWARE]);
  const type = draw.chance(0.96)
    ? four
      ? [8, 0]
      : [0x86, 0xdd]
    : draw.pick([
        [0x81, 0],
        [0, 40],
        [0x88, 0xcc],
        [8, 6],
        [8, 0],
        [0x86, 0xdd],
      ]);
  return joined(
    to,
    from,
    type,
    packet,
    packet.length < 46 && draw.chance(0.5) ? new Uint8Array(46 - packet.length) : [],
  );
}

/** ARP: requests, replies, announcements, claims to our address, and what is none. */
export function arpFrame(draw: Draw): Uint8Array {
  const sender = draw.chance(0.05)
    ? OWN4
    : draw.chance(0.1)
      ? [0, 0, 0, 0]
      : [10, 0, draw.pick([0, 0, 1]), draw.integer(0, 255)];
  const target = draw.chance(0.7) ? OWN4 : draw.chance(0.3) ? sender : [10, 0, 0, draw.integer(0, 255)];
  const hardware = draw.chance(0.02) ? OWN_HARDWARE : station(draw);
  const body = joined(
    [0, 1, 8, 0, 6, 4, 0, draw.pick([1, 1, 2, 2, 3, 9])],
    hardware,
    sender,
    draw.chance(0.5) ? OWN_HARDWARE : new Uint8Array(6),
    target,
  );
  const bytes = joined(draw.chance(0.5) ? ALL : OWN_HARDWARE, hardware, [8, 6], body);
  return draw.chance(0.2)
    ? joined(bytes.subarray(0, 14), spoiled(draw, body))
    : draw.chance(0.3)
      ? joined(bytes, noise(draw, 18))
      : bytes;
}

/** The answer to an ARP request or a neighbour solicitation of ours for another: who is asked for is at a station of his own. undefined: it is none */
export function claimFor(frame: Uint8Array): Uint8Array | undefined {
  const type = ((frame[12] as number) << 8) | (frame[13] as number);
  if (type === 0x0806 && frame[21] === 1) {
    const target = frame.subarray(38, 42);
    const hardware = [2, 0, 0, 0, 1, target[3] as number];
    return joined(OWN_HARDWARE, hardware, [8, 6, 0, 1, 8, 0, 6, 4, 0, 2], hardware, target, OWN_HARDWARE, OWN4);
  }
  if (type !== 0x86dd || frame[20] !== ICMPV6 || frame[54] !== 135) return undefined;
  const target = [...frame.subarray(62, 78)];
  const hardware = [2, 0, 0, 0, 1, target[15] as number];
  const message = joined([136, 0, 0, 0, 0x60, 0, 0, 0], target, [2, 1], hardware);
  const to = [...frame.subarray(22, 38)];
  return joined(OWN_HARDWARE, hardware, [0x86, 0xdd], ip6(ICMPV6, target, to, new Uint8Array(), message, 255));
}
