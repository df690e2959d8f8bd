/** Keepalive as Node's sockets are told of it: milliseconds, one by one or as an object. */
import type { KeepAlive } from './connection-handle.ts';

/** In place of the arguments of `setKeepAlive`, as in Node 24. */
export interface KeepAliveSettings {
  readonly enable?: boolean | undefined;
  readonly initialDelay?: number | undefined;
  readonly interval?: number | undefined;
  readonly count?: number | undefined;
}

/** Milliseconds as whole seconds. */
export function wholeSeconds(ms: number | undefined): number {
  return Math.max(Math.trunc((ms ?? 0) / 1000) || 0, 0);
}

export function keepAliveOf(
  enable: boolean | KeepAliveSettings | undefined,
  initialDelay?: number,
  interval?: number,
  count?: number,
): KeepAlive {
  if (typeof enable === 'object' && enable !== null)
    return keepAliveOf(enable.enable, enable.initialDelay, enable.interval, enable.count);
  const between = interval === undefined ? undefined : wholeSeconds(interval);
  return { enable: Boolean(enable), delay: wholeSeconds(initialDelay), interval: between, count };
}

/** Whether the one is as good as the other: what is off is off. */
export function sameKeepAlive(one: KeepAlive, other: KeepAlive): boolean {
  if (one.enable !== other.enable || !one.enable) return one.enable === other.enable;
  return one.delay === other.delay && one.interval === other.interval && one.count === other.count;
}
