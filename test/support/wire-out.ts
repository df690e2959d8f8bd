/** For tests of loss recovery with wire-peer.ts: data that is out for a round trip of 100 ms, in segments that are counted from 0. */
import { establishedAfter } from './wire-info.ts';
import type { PeerOptions, WirePeer } from './wire-peer.ts';

export const MSS = 1460;
/** The segment's first sequence number. */
export const at = (i: number): number => 1 + i * MSS;

/** `out` segments are out for a round trip, `waiting` more wait. The peer agrees on SACK, unless `options` say otherwise. */
export async function segmentsOut(out: number, waiting: number, options: PeerOptions = {}): Promise<WirePeer> {
  const sysctl = { tcp_init_cwnd: out, ...options.sysctl };
  const t = await establishedAfter(100, { options: { mss: MSS, sackOk: true }, ...options, sysctl });
  t.write((out + waiting) * MSS);
  const sent = t.drain();
  if (sent.length !== out) throw new Error(`${sent.length} segments went out, not ${out}`);
  await t.advance(100);
  return t;
}

/** An acknowledgment of all before segment `ack` that reports these runs of segments. */
export function sack(t: WirePeer, ack: number, ...runs: [number, number][]): void {
  const blocks = runs.map(([from, to]): [number, number] => [at(from), at(to)]);
  t.inject({ ack: at(ack), options: blocks.length > 0 ? { sack: blocks } : {} });
}

/** Which segments the DUT has sent since. */
export function sent(t: WirePeer): number[] {
  return t.drain().map(({ seq }) => (seq - 1) / MSS);
}
