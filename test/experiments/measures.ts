/** What is measured of flows on the simulated network. Virtual time; the same seed gives the same figure. */
import type { TcpConfig } from '../../src/tcp/config.ts';
import { type Flow, Network } from './network.ts';

/** The bottleneck: bits per second counted in IP bytes, ms, and a queue of one bandwidth-delay product. */
export const RATE = 100e6;
export const RTT = 40;
export const BDP = (RATE / 8000) * RTT;
/** Of a full packet with timestamps. */
const IP_BYTES = 1500;
const PAYLOAD = 1448;

export interface ShareOptions {
  /** Seconds. */
  readonly from: number;
  readonly to: number;
  /** Probability of a random loss. */
  readonly loss?: number;
  readonly seed?: number;
  readonly sysctl?: Partial<TcpConfig>;
}

/** The share of the bottleneck that one flow fills, 0..1: IP bytes of what its receiver read, once each. */
export function linkShare(control: string, options: ShareOptions): number {
  const { from, to, loss = 0, seed = 1, sysctl = {} } = options;
  const forward = { rate: RATE, queueBytes: BDP, queue: Infinity, loss };
  const network = new Network({ rtt: RTT, controls: [control], forward, seed, sysctl });
  const [flow] = network.flows;
  network.clock.runUntil(from * 1000);
  const before = flow?.received ?? 0;
  network.clock.runUntil(to * 1000);
  const bytes = (flow?.received ?? 0) - before;
  network.close();
  return (bytes * (IP_BYTES / PAYLOAD) * 8) / (RATE * (to - from));
}

/** A round trip of 0.1 s, as in RFC 8312 5.1. */
const LONG_RTT = 100;

/** Losses after which the first, overlong slow start is forgotten. */
const SETTLED = 10;

/**
 * The average window, segments, with exactly one loss every `period` packets and no other limit. One more loss, about where the
 * window will be (`expected`), ends slow start: what it would grow to without is forgotten only after many epochs.
 */
export function averageWindow(control: string, period: number, expected: number, epochs: number): number {
  let [counted, lost] = [0, 0];
  const rule = () => {
    counted++;
    if (counted !== Math.round(2 * expected) && counted % period !== 0) return 'pass';
    lost++;
    return 'drop';
  };
  const network = new Network({ rtt: LONG_RTT, controls: [control], forward: { rule } });
  const flow = network.flows[0] as Flow;
  let [sum, samples] = [0, 0];
  for (let at = 0; lost < epochs + SETTLED; at += 10) {
    network.clock.runUntil(at);
    if (lost < SETTLED) continue;
    sum += flow.connection.cwnd;
    samples++;
  }
  network.close();
  return sum / samples;
}

/** Jain's index of what two flows of one kind got of the bottleneck in the last `window` of `seconds`; their starts are up to a second apart. */
export function fairness(control: string, seed: number, seconds: number, window: number): number {
  const forward = { rate: RATE, queueBytes: BDP, queue: Infinity };
  const network = new Network({ rtt: RTT, controls: [control, control], starts: [0, jitter(seed)], forward, seed });
  network.clock.runUntil((seconds - window) * 1000);
  const before = network.flows.map(({ received }) => received);
  network.clock.runUntil(seconds * 1000);
  const shares = network.flows.map(({ received }, i) => received - (before[i] as number));
  network.close();
  const sum = shares.reduce((a, b) => a + b, 0);
  return sum ** 2 / (shares.length * shares.reduce((a, b) => a + b * b, 0));
}

/** When the second flow starts, ms: spread over a second, different for every seed. */
function jitter(seed: number): number {
  return ((seed * 0.618_034) % 1) * 1000;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
}
