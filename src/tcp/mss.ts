/** Segment sizes: RFC 9293 3.7.1, RFC 6691. */
import type { ControlBlock } from './control-block.ts';
import { sacksLength } from './sack.ts';
import { TIMESTAMPS_LENGTH } from './transmit.ts';

const TCP_HEADER = 20;
/** Linux's TCP_MIN_MSS: nothing smaller is believed. */
const MIN_MSS = 48;
/** What is left of it beside 40 bytes of options. */
const LEAST_PAYLOAD = 8;

/** [MUST-15]: what to take for the peer's MSS when it sent no option: 536 for IPv4, 1220 for IPv6. */
export function defaultMss(ipHeaderLength: number): number {
  return ipHeaderLength === 40 ? 1220 : 536;
}

/** [MUST-67]: the MSS to advertise: what fits in the link's packets with headers of the least length (RFC 6691 2). */
export function advertisedMss(mtu: number, ipHeaderLength: number, maxSegment: number): number {
  const fits = Math.max(Math.min(mtu, 65_535) - ipHeaderLength - TCP_HEADER, MIN_MSS);
  return maxSegment > 0 ? Math.min(fits, Math.max(maxSegment, MIN_MSS)) : fits;
}

/** RFC 9293 3.9.1.2 [SHLD-28]: payload bytes of the next full segment: what SACK takes of its header is not there for data, unless there would be next to nothing left. */
export function currentMss(connection: ControlBlock): number {
  const left = connection.sndMss - sacksLength(connection);
  return left >= LEAST_PAYLOAD ? left : connection.sndMss;
}

/**
 * [MUST-16]: Eff.snd.MSS = min (SendMSS + 20, MMS_S) - TCPhdrsize - IPoptionsize: sets `sndMss`, the payload of a full segment.
 */
export function syncMss(connection: ControlBlock): void {
  const { path, settings } = connection;
  const fits = Math.min(path.mtu, 65_535) - path.headerLength - TCP_HEADER;
  let mss = Math.min(Math.max(connection.peerMss, MIN_MSS), fits);
  if (settings.maxSegment > 0) mss = Math.min(mss, settings.maxSegment);
  if (connection.timestampsOk) mss -= TIMESTAMPS_LENGTH;
  connection.sndMss = Math.max(mss, LEAST_PAYLOAD);
}
