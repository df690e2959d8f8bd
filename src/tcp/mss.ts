/** Segment sizes: RFC 9293 3.7.1, RFC 6691. */
import { TCP_HEADER_LENGTH } from '../wire/tcp.ts';
import { optionsLength } from './accurate-ecn-option.ts';
import type { ControlBlock } from './control-block.ts';
import type { Path } from './path.ts';
import { sacksLength } from './sack.ts';
import { TIMESTAMPS_LENGTH } from './transmit.ts';

/** What is left of tcp_min_snd_mss beside 40 bytes of options. */
const LEAST_PAYLOAD = 8;
/** A segment with its header for the smallest of windows (Linux). */
const LEAST_SEGMENT = 68;

/** A window that no half is taken of, bytes (Linux). */
const SMALL_WINDOW = 536;

/** [MUST-15]: what to take for the peer's MSS when it sent no option: 536 for IPv4, 1220 for IPv6. */
export function defaultMss(ipHeaderLength: number): number {
  return ipHeaderLength === 40 ? 1220 : 536;
}

/**
 * [MUST-67]: the MSS to advertise: what fits in the path's packets with headers of the least length (RFC 6691 2), unless the route says what.
 * @param least min_adv_mss
 */
export function advertisedMss(path: Path, maxSegment: number, least: number): number {
  const fits = Math.max(Math.min(path.mtu, 65_535) - path.headerLength - TCP_HEADER_LENGTH, least);
  const mss = path.metrics.advmss ?? fits;
  return maxSegment > 0 ? Math.min(mss, maxSegment) : mss;
}

/** What the peer's MSS comes to with the user's TCP_MAXSEG of that time; 0: none. */
export function boundedMss(peerMss: number, maxSegment: number): number {
  return maxSegment > 0 ? Math.min(peerMss, maxSegment) : peerMss;
}

/** The path has become narrower since the first SYN: the next says so. */
export function lowerAdvertisedMss(connection: ControlBlock): void {
  const { path, settings, context } = connection;
  const mss = advertisedMss(path, settings.rare.maxSegment, context.config.min_adv_mss);
  if (mss < connection.rcvMss) connection.rcvMss = mss;
}

/** RFC 9293 3.9.1.2 [SHLD-28]: payload bytes of the next full segment: what SACK and Accurate ECN take of its header is not there for data, unless there would be next to nothing left. */
export function currentMss(connection: ControlBlock): number {
  if (connection.path.mtu !== connection.pathMtu) syncMss(connection);
  const sacks = sacksLength(connection);
  const taken = connection.ecn?.accurate === undefined ? sacks : optionsLength(connection, sacks);
  const left = connection.sndMss - taken;
  return left >= LEAST_PAYLOAD ? left : connection.sndMss;
}

/**
 * [MUST-16]: Eff.snd.MSS = min (SendMSS + 20, MMS_S) - TCPhdrsize - IPoptionsize: sets `sndMss`, the payload of a full segment, to what
 * the path's MTU of today leaves.
 */
export function syncMss(connection: ControlBlock): void {
  const { mtu } = connection.path;
  const probing = connection.mtuProbing;
  connection.pathMtu = mtu;
  const mss = withinHalfWindow(connection, mssOfMtu(connection, mtu));
  if (probing === undefined) {
    connection.sndMss = mss;
    return;
  }
  // RFC 4821 7.2: what a router says bounds the search; what is sent is what is known to work.
  probing.searchHigh = Math.min(probing.searchHigh, mtu);
  connection.sndMss = Math.min(mss, mssOfMtu(connection, probing.searchLow));
}

/**
 * Where the peer's window never held two segments, half of it is one: so that there is something to send while another is acknowledged (Linux). A
 * window below IPv4's default MSS is taken whole, over either family.
 */
function withinHalfWindow(connection: ControlBlock, mss: number): number {
  const { maxSndWnd } = connection;
  const most = maxSndWnd > SMALL_WINDOW ? maxSndWnd >> 1 : maxSndWnd;
  if (most === 0 || mss <= most) return mss;
  return Math.max(most, LEAST_SEGMENT - TCP_HEADER_LENGTH - commonOptionsLength(connection));
}

/** Payload bytes of a full segment in packets of `mtu` bytes. */
export function mssOfMtu(connection: ControlBlock, mtu: number): number {
  const { path, peerMss, context } = connection;
  const fits = Math.min(mtu, 65_535) - path.headerLength - TCP_HEADER_LENGTH;
  const mss = Math.min(Math.max(peerMss, context.config.tcp_min_snd_mss), fits);
  return Math.max(mss - commonOptionsLength(connection), LEAST_PAYLOAD);
}

/** The packet that carries a segment of `mss` bytes of payload: the reverse of `mssOfMtu`. */
export function mtuOfMss(connection: ControlBlock, mss: number): number {
  return mss + connection.path.headerLength + TCP_HEADER_LENGTH + commonOptionsLength(connection);
}

/** Bytes of options that every segment carries. RFC 2385 4.3, RFC 5925 7.6: the signature takes its share of every header. */
function commonOptionsLength({ signer, timestampsOk }: ControlBlock): number {
  return (timestampsOk ? TIMESTAMPS_LENGTH : 0) + (signer === undefined ? 0 : signer.length);
}
