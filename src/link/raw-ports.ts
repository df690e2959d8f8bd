/** The ports that are a raw link's: ranges, in order and without gaps or overlaps between neighbours. */
import { wrongRawArgument } from './raw-error.ts';

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** What the filter's program has room for, and more than a person lists. */
const MOST_RANGES = 64;

/**
 * Reads `[80, 443, '61000-61999']`.
 * @throws RawError ERR_INVALID_ARG_VALUE when there is none, or one that is not a port, or more than 64 ranges are left
 */
export function readPorts(ports: readonly (number | string)[]): PortRange[] {
  const merged: { first: number; last: number }[] = [];
  for (const range of ports.map(readRange).sort((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before !== undefined && range.first <= before.last + 1) before.last = Math.max(before.last, range.last);
    else merged.push({ ...range });
  }
  if (merged.length > 0 && merged.length <= MOST_RANGES) return merged;
  throw wrongRawArgument(`wrong ports: 1 to ${MOST_RANGES} ports or ranges are taken, not ${merged.length}`);
}

function readRange(text: number | string): PortRange {
  const found = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(String(text));
  const first = Number(found?.[1] ?? 0);
  const last = Number(found?.[2] ?? first);
  if (first >= 1 && first <= last && last <= 65_535) return { first, last };
  throw wrongRawArgument(`wrong port ${JSON.stringify(text)}: 1 to 65535, or a range as '61000-61999', is taken`);
}

export function hasPort(ranges: readonly PortRange[], port: number): boolean {
  for (const { first, last } of ranges) if (port >= first && port <= last) return true;
  return false;
}
