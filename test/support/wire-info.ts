/** For tests with wire-peer.ts: what the DUT knows of its connection, a handshake that takes time, and when segments went. */
import { IPPROTO_TCP, TCP_INFO } from '../../src/socket/constants.ts';
import type { TcpInfo } from '../../src/tcp/info.ts';
import { listening, type PeerOptions, type Seen, type WirePeer } from './wire-peer.ts';

/** TCP_INFO of the connected socket. */
export function info(t: WirePeer): TcpInfo {
  return t.socket.getsockopt(IPPROTO_TCP, TCP_INFO) as TcpInfo;
}

/** SO_ERROR, once. */
export function errorOf(t: WirePeer): number {
  return t.socket.takeError();
}

/** A passive DUT whose handshake took so many ms: with 100, SRTT is 100 ms, RTTVAR 50 ms and the RTO 300 ms. */
export async function establishedAfter(rtt: number, options: PeerOptions = {}): Promise<WirePeer> {
  const t = listening(options);
  t.inject({ seq: 0, flags: 'S', options: t.synOptions });
  t.expect({ seq: 0, ack: 1, flags: 'SA' });
  await t.advance(rtt);
  t.inject({ seq: 1, ack: 1 });
  t.accept();
  return t;
}

/** When they were sent, in ms after `start`. */
export function times(segments: readonly Seen[], start: number): number[] {
  return segments.map(({ at }) => Math.round(1000 * (at - start)) / 1000);
}

/** Where they begin. */
export function seqs(segments: readonly Seen[]): number[] {
  return segments.map(({ seq }) => seq);
}
