/** The orders in which mail exchangers and service records are to be tried. */
import type { Random } from '../time/random.ts';

/** A mail exchanger (Go: net.MX). */
export interface MX {
  /** Rooted. */
  readonly host: string;
  /** Lower is tried first. */
  readonly pref: number;
}

/** Where a service is (Go: net.SRV). */
export interface SRV {
  /** Rooted. */
  readonly target: string;
  readonly port: number;
  /** Lower is tried first. */
  readonly priority: number;
  /** The share of the clients among those of one priority. */
  readonly weight: number;
}

/** RFC 5321 5.1: by preference; equals in random order, which spreads the load. */
export function sortMX(records: readonly MX[], random: Random): MX[] {
  return shuffled(records, random).sort((a, b) => a.pref - b.pref);
}

/** RFC 2782: by priority; within one, each next by chance in proportion to the weights. */
export function sortSRV(records: readonly SRV[], random: Random): SRV[] {
  // Those of weight 0 come first in the running sum, so that they have a small chance.
  const left = [...records].sort((a, b) => a.priority - b.priority || a.weight - b.weight);
  const sorted: SRV[] = [];
  while (left.length > 0) {
    const { priority } = left[0] as SRV;
    const equals = left.findIndex((record) => record.priority !== priority);
    const among = left.slice(0, equals < 0 ? undefined : equals);
    sorted.push(...left.splice(chosen(among, random), 1));
  }
  return sorted;
}

/** The place of the one that chance takes. */
function chosen(records: readonly SRV[], random: Random): number {
  const total = records.reduce((sum, { weight }) => sum + weight, 0);
  const at = Math.floor(random.float() * (total + 1));
  let sum = 0;
  return records.findIndex(({ weight }) => {
    sum += weight;
    return sum >= at;
  });
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random.float() * (i + 1));
    [result[i], result[j]] = [result[j] as T, result[i] as T];
  }
  return result;
}
