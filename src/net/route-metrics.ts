/** What createHost takes for a route's metrics. */
import { shown } from '../arguments.ts';
import { congestionControls } from '../tcp/congestion/congestion.ts';
import type { PathMetrics } from '../tcp/path.ts';

/** What connections over a route do otherwise: `ip route`'s metrics. They go before `sysctl`, and after what a socket's options say. */
export type RouteMetrics = PathMetrics;

/** What may be said, and in which bounds (those of the protocols; Linux's for the MTU). */
const NUMBERS: Readonly<Partial<Record<keyof RouteMetrics, readonly [least: number, most: number]>>> = {
  mtu: [68, 65_535],
  advmss: [48, 65_495],
  window: [1, 0x3fffc000],
  initcwnd: [1, 65_535],
  initrwnd: [1, 65_535],
  rtoMin: [0.001, 120_000],
  reordering: [1, 300],
};
const FLAGS: readonly (keyof RouteMetrics)[] = ['mtuLocked', 'quickack', 'ecn', 'fastopenNoCookie'];

/** @throws TypeError naming the metric */
export function metricsOf(at: string, metrics: unknown): RouteMetrics | undefined {
  if (metrics === undefined) return undefined;
  if (typeof metrics !== 'object' || metrics === null || Array.isArray(metrics))
    throw new TypeError(`${at}.metrics must be an object { mtu, initcwnd, ... }`);
  for (const [name, value] of Object.entries(metrics)) {
    if (value !== undefined) checkMetric(`${at}.metrics.${name}`, name as keyof RouteMetrics, value);
  }
  const { mtu, mtuLocked } = metrics as RouteMetrics;
  if (mtuLocked === true && mtu === undefined)
    throw new TypeError(`${at}.metrics.mtuLocked: there is no mtu that could be locked`);
  return { ...(metrics as RouteMetrics) };
}

function checkMetric(at: string, name: keyof RouteMetrics, value: unknown): void {
  const bounds = Object.hasOwn(NUMBERS, name) ? NUMBERS[name] : undefined;
  if (bounds !== undefined) {
    const [least, most] = bounds;
    const whole = name === 'rtoMin' || Number.isInteger(value);
    if (typeof value !== 'number' || !whole || !(value >= least && value <= most))
      throw new TypeError(`${at} must be a number in ${least}..${most}, got ${shown(value)}`);
    return;
  }
  if (FLAGS.includes(name)) {
    if (typeof value !== 'boolean') throw new TypeError(`${at} must be true or false, got ${shown(value)}`);
    return;
  }
  if (name !== 'congctl') {
    const known = [...Object.keys(NUMBERS), ...FLAGS, 'congctl'];
    throw new TypeError(`${at}: there is no such metric; there are ${known.join(', ')}`);
  }
  if (!congestionControls().includes(value as string))
    throw new TypeError(`${at} must be one of ${congestionControls().join(', ')}, got ${shown(value)}`);
}
