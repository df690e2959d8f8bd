/** Option bytes for random packets: each kind as it should be, at its extremes, or with a length that it cannot have. */
import type { Draw } from './draw.ts';

/** What the other side would take next. */
export interface Near {
  seq: number;
  ack: number;
  ts: number;
  tsEcr: number;
}

const EXTREMES = [0, 1, -1, 0x7fffffff, -0x80000000, -0x7fffffff];

/** @param most bytes: 40, less what a signature takes */
export function drawOptionBytes(draw: Draw, near: Near, cookie: Uint8Array, most: number, syn: boolean): number[] {
  const bytes: number[] = [];
  const kinds = syn ? [2, 3, 4, 8, 34, 174] : [8, 8, 8, 5, 5, 174, 172];
  const count = draw.integer(0, 4);
  for (let i = 0; i < count; i++) {
    const kind = draw.chance(0.1)
      ? draw.pick([0, 1, 2, 3, 4, 5, 8, 19, 28, 29, 30, 34, 69, 172, 174, 253, 254, 255])
      : draw.pick(kinds);
    const option = optionOf(draw, kind, near, cookie);
    // RFC 9293 3.1 [MUST-7]: a length may be anything.
    if (option.length > 1 && draw.chance(0.04)) option[1] = draw.pick([0, 1, 2, 3, 40, 41, 255]);
    if (bytes.length + option.length <= most) bytes.push(...option);
  }
  if (draw.chance(0.05)) while (bytes.length < most && draw.chance(0.9)) bytes.push(draw.integer(0, 255));
  while (bytes.length % 4 !== 0) bytes.push(draw.chance(0.9) ? 1 : 0);
  return bytes;
}

function optionOf(draw: Draw, kind: number, near: Near, cookie: Uint8Array): number[] {
  switch (kind) {
    case 0:
    case 1:
      return [kind];
    case 2:
      return [2, 4, ...word(draw.pick([1460, 1460, 0, 1, 88, 536, 65_535])).slice(2)];
    case 3:
      return [3, 3, draw.pick([0, 7, 14, 15, 255])];
    case 4:
      return [4, 2];
    case 5:
      return sacks(draw, near);
    case 8: {
      near.ts = draw.chance(0.1) ? draw.pick(EXTREMES) : (near.ts + draw.integer(0, 50)) | 0;
      const echo = draw.chance(0.2) ? draw.pick(EXTREMES) : near.tsEcr;
      return [8, 10, ...word(near.ts), ...word(echo)];
    }
    case 19:
      return [19, 18, ...random(draw, 16)];
    case 29:
      return [29, 4 + 12, draw.integer(0, 255), draw.integer(0, 255), ...random(draw, 12)];
    case 34: {
      const own = draw.pick([[...cookie], [], random(draw, draw.integer(0, 18)), random(draw, 8)]);
      return [34, 2 + own.length, ...own];
    }
    case 172:
    case 174: {
      const length = draw.pick([0, 3, 6, 9, 9, draw.integer(0, 12)]);
      return [kind, 2 + length, ...random(draw, length)];
    }
    case 254: {
      const own = draw.pick([[...cookie], []]);
      return [254, 4 + own.length, 0xf9, 0x89, ...own];
    }
    default: {
      const length = draw.integer(0, 10);
      return [kind, 2 + length, ...random(draw, length)];
    }
  }
}

function sacks(draw: Draw, near: Near): number[] {
  const count = draw.integer(1, 4);
  const edges: number[] = [];
  for (let i = 0; i < count; i++) {
    const from = draw.chance(0.2) ? draw.pick(EXTREMES) : draw.pick([-70_000, -3000, -1460, -1, 0, 1, 100]);
    const size = draw.chance(0.15) ? draw.pick(EXTREMES) : draw.pick([-1, 0, 1, 100, 1460, 2920]);
    edges.push(...word(near.ack + from), ...word(near.ack + from + size));
  }
  return [5, 2 + edges.length, ...edges];
}

function random(draw: Draw, count: number): number[] {
  return Array.from({ length: count }, () => draw.integer(0, 255));
}

function word(value: number): number[] {
  return [(value >> 24) & 255, (value >> 16) & 255, (value >> 8) & 255, value & 255];
}
