/** `ip route change 192.0.2.0/24 dev tun0 mtu lock 1400 initcwnd 4`: the metrics become the route's. */
import type { Stack } from '../stack/stack.ts';
import { congestionControls } from '../tcp/congestion/congestion.ts';
import type { PathMetrics } from '../tcp/path.ts';
import { IPV4_ANY, IpAddress, type Prefix, parsePrefix } from '../wire/address.ts';
import { ScriptFailure, UnsupportedFeature } from './errors.ts';

type Metrics = { -readonly [K in keyof PathMetrics]: PathMetrics[K] };

/** Words before the metrics that have a value, and mean nothing here: there is one device. */
const PLACE = ['dev', 'via', 'src', 'proto', 'scope', 'metric', 'table'];

const METRICS: Readonly<Record<string, (metrics: Metrics, value: string) => void>> = {
  mtu: (metrics, value) => {
    metrics.mtu = count('mtu', value);
  },
  advmss: (metrics, value) => {
    metrics.advmss = count('advmss', value);
  },
  window: (metrics, value) => {
    metrics.window = count('window', value);
  },
  initcwnd: (metrics, value) => {
    metrics.initcwnd = count('initcwnd', value);
  },
  initrwnd: (metrics, value) => {
    metrics.initrwnd = count('initrwnd', value);
  },
  rto_min: (metrics, value) => {
    metrics.rtoMin = milliseconds(value);
  },
  quickack: (metrics, value) => {
    metrics.quickack = count('quickack', value) !== 0;
  },
  congctl: (metrics, value) => {
    if (!congestionControls().includes(value)) throw new UnsupportedFeature(`the congestion control ${value}`);
    metrics.congctl = value;
  },
  features: (metrics, value) => {
    if (value !== 'ecn') throw new UnsupportedFeature(`the route's feature ${value}`);
    metrics.ecn = true;
  },
  reordering: (metrics, value) => {
    metrics.reordering = count('reordering', value);
  },
  fastopen_no_cookie: (metrics, value) => {
    metrics.fastopenNoCookie = count('fastopen_no_cookie', value) !== 0;
  },
};

/** @param args what follows `ip route` @throws UnsupportedFeature, ScriptFailure */
export function routeCommand(stack: Stack, args: readonly string[]): void {
  const [action = 'show', ...words] = args;
  if (action === 'flush') return stack.network.forgetMtus();
  if (!['add', 'append', 'change', 'replace'].includes(action)) throw new UnsupportedFeature(`ip route ${action}`);
  const [over] = stack.interfaces;
  if (over === undefined) throw new ScriptFailure('there is no interface for a route');
  const { address: destination, bits } = prefixOf(words[0] ?? '');
  stack.replaceRoute({ destination, bits, interface: over, metrics: metricsOf(words.slice(1)) });
}

function metricsOf(words: readonly string[]): PathMetrics {
  const metrics: Metrics = {};
  for (let i = 0; i < words.length; i += 2) {
    const word = words[i] as string;
    if (PLACE.includes(word)) continue;
    const set = METRICS[word];
    if (set === undefined) throw new UnsupportedFeature(`the route metric ${word}`);
    // A lock says that nothing learned may take its place: only an MTU is learned here.
    if (words[i + 1] === 'lock') {
      if (word === 'mtu') metrics.mtuLocked = true;
      i++;
    }
    set(metrics, words[i + 1] ?? '');
  }
  return metrics;
}

function prefixOf(text: string): Prefix {
  if (text === 'default') return { address: IPV4_ANY, bits: 0 };
  const prefix = parsePrefix(text);
  if (prefix !== undefined) return prefix;
  const address = IpAddress.parse(text);
  if (address === undefined) throw new ScriptFailure(`ip route: '${text}' is no destination`);
  return { address, bits: address.family === 4 ? 32 : 128 };
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (text === '' || !Number.isInteger(value) || value < 0) throw new ScriptFailure(`ip route: ${name} ${text}`);
  return value;
}

/** `300ms`, `1s`; milliseconds when nothing is said. */
function milliseconds(text: string): number {
  const [, number = '', unit] = /^([\d.]+)(ms|s|us)?$/.exec(text) ?? [];
  if (number === '') throw new UnsupportedFeature(`the time ${text} of a route`);
  return Number(number) * (unit === 's' ? 1000 : unit === 'us' ? 0.001 : 1);
}
