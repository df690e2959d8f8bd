/**
 * Packetization layer path MTU discovery: RFC 4821. A segment larger than the MSS is sent among the data; when it is acknowledged, the MSS grows,
 * and when it alone is lost, cwnd stays. Also the detection of black holes (7.7), where large segments vanish without a word. As Linux does
 * both: the search is binary, between what works and what the peer's MSS allows.
 */
import { ACK, TCP_HEADER_LENGTH } from '../wire/tcp.ts';
import { CA_CWR, CA_OPEN, type ControlBlock } from './control-block.ts';
import { currentMss, mssOfMtu, mtuOfMss, syncMss } from './mss.ts';
import { currentSsthresh } from './prr.ts';
import { hasSacks } from './sack.ts';
import { after, distance } from './sequence.ts';
import { simpleRetransmit } from './simple-retransmit.ts';
import { transmit } from './transmit.ts';

/** A probe takes a segment's place among at least so many (Linux). */
const LEAST_CWND = 11;

/** What `maybeMtuProbe` did. */
export const PROBE_NOTHING = 0;
/** A probe is out: data goes on behind it. */
export const PROBE_SENT = 1;
/** Nothing is to be sent until there is room for a probe. */
export const PROBE_WAITS = 2;

/** What a connection that probes remembers; made when it begins. Packet sizes, bytes. */
export class MtuProbing {
  /** RFC 4821 7.3: what is known to work, and the most that may. */
  searchLow: number;
  searchHigh: number;
  /** The packet that the probe is; 0: none is out. */
  probeSize = 0;
  /** Its sequence numbers. */
  probeSeq = 0;
  probeEnd = 0;
  /** When the search began, ms. */
  since: number;

  constructor(searchLow: number, searchHigh: number, now: number) {
    this.searchLow = searchLow;
    this.searchHigh = searchHigh;
    this.since = now;
  }
}

/** tcp_mtu_probing 2: the search begins with the connection. */
export function startProbing(connection: ControlBlock, now: number): void {
  if (connection.context.config.tcp_mtu_probing > 1) connection.mtuProbing = newSearch(connection, now);
}

function newSearch(connection: ControlBlock, now: number): MtuProbing {
  const low = mtuOfMss(connection, connection.context.config.tcp_base_mss);
  return new MtuProbing(low, mostThatMayFit(connection), now);
}

/** RFC 4821 7.2, bytes: what the peer takes, unless the link, or a router that said so, takes less. */
function mostThatMayFit({ path, peerMss }: ControlBlock): number {
  return Math.min(peerMss + path.headerLength + TCP_HEADER_LENGTH, path.mtu);
}

/** RFC 4821 7.4: whether data that waits may go out as a probe, and does. Call before new data is sent. */
export function maybeMtuProbe(connection: ControlBlock, now: number): number {
  const probing = connection.mtuProbing;
  if (probing === undefined || probing.probeSize > 0 || connection.caState !== CA_OPEN) return PROBE_NOTHING;
  // Options of varying length throw the reckoning off.
  if (connection.cwnd < LEAST_CWND || hasSacks(connection)) return PROBE_NOTHING;
  const { runs, context } = connection;
  currentMss(connection);
  const { searchHigh, searchLow } = probing;
  const size = mssOfMtu(connection, (searchHigh + searchLow) >> 1);
  const narrow = searchHigh - searchLow < context.config.tcp_probe_threshold;
  if (narrow || size > mssOfMtu(connection, searchHigh)) {
    searchAgain(connection, probing, now);
    return PROBE_NOTHING;
  }
  // RFC 4821 7.4: enough behind it that duplicate acknowledgments can tell of its loss.
  const needed = size + (connection.reordering + 1) * connection.sndMss;
  const { sndNxt, sendQueue, sndUna, sndWnd } = connection;
  if (distance(sndNxt, sendQueue.end) < needed || sndWnd < needed) return PROBE_NOTHING;
  if (after((sndNxt + needed) | 0, (sndUna + sndWnd) | 0)) return PROBE_WAITS;
  // It counts for two, so there must be room for two; with nothing in flight there is nothing to wait for.
  if (runs.inFlight() + 2 > connection.cwnd) return runs.inFlight() === 0 ? PROBE_NOTHING : PROBE_WAITS;
  return sendProbe(connection, probing, size, now) ? PROBE_SENT : PROBE_NOTHING;
}

function sendProbe(connection: ControlBlock, probing: MtuProbing, size: number, now: number): boolean {
  const seq = connection.sndNxt;
  const end = (seq + size) | 0;
  if (connection.path.busy || !transmit(connection, seq, size, ACK, size, now)) return false;
  connection.cwnd--;
  connection.sndNxt = end;
  connection.runs.push(seq, end, size, 0, now);
  connection.lastDataSentAt = now;
  probing.probeSize = mtuOfMss(connection, size);
  probing.probeSeq = seq;
  probing.probeEnd = end;
  return true;
}

/** RFC 4821 7.8: the search is over; after tcp_probe_interval the path may have become wider. */
function searchAgain(connection: ControlBlock, probing: MtuProbing, now: number): void {
  if (now - probing.since < connection.context.config.tcp_probe_interval * 1000) return;
  probing.probeSize = 0;
  probing.searchHigh = mostThatMayFit(connection);
  probing.searchLow = mtuOfMss(connection, currentMss(connection));
  probing.since = now;
}

/** The cumulative acknowledgment has moved: if the probe is behind it, RFC 4821 7.6.1: the MSS grows; cwnd stays in bytes what it was. */
export function mtuProbeAcknowledged(connection: ControlBlock): void {
  const probing = connection.mtuProbing;
  if (probing === undefined || probing.probeSize === 0 || after(probing.probeEnd, connection.sndUna)) return;
  const before = mtuOfMss(connection, connection.sndMss);
  connection.cwnd = Math.max(Math.floor((connection.cwnd * before) / probing.probeSize), 1);
  connection.cwndCount = 0;
  connection.ssthresh = currentSsthresh(connection);
  probing.searchLow = probing.probeSize;
  probing.probeSize = 0;
  syncMss(connection);
  connection.context.counters.TCPMTUPSuccess++;
}

/**
 * Something is lost. RFC 4821 7.6.2: when it is the probe alone, before any other loss, it is too large, and nothing is congested: it goes
 * again in segments of the MSS.
 * @returns whether that was it
 */
export function mtuProbeLost(connection: ControlBlock, now: number): boolean {
  const probing = connection.mtuProbing;
  if (probing === undefined || probing.probeSize === 0 || connection.caState >= CA_CWR) return false;
  if (connection.sndUna !== probing.probeSeq) return false;
  probing.searchHigh = probing.probeSize - 1;
  probing.probeSize = 0;
  connection.context.counters.TCPMTUPFail++;
  // What it took when it was sent.
  connection.cwnd++;
  simpleRetransmit(connection, now);
  return true;
}

/** RFC 4821 7.6.3: something is sent again while the probe is out: it proves nothing any more. */
export function mtuProbeInconclusive(connection: ControlBlock): void {
  if (connection.mtuProbing !== undefined) connection.mtuProbing.probeSize = 0;
}

/**
 * RFC 4821 7.7: timeout after timeout (R1): perhaps only what is large is lost. The MSS falls to tcp_base_mss, then by half each time.
 */
export function blackHoleSuspected(connection: ControlBlock, now: number): void {
  const { config } = connection.context;
  if (config.tcp_mtu_probing === 0) return;
  const probing = connection.mtuProbing;
  if (probing === undefined) {
    connection.mtuProbing = newSearch(connection, now);
  } else {
    const half = Math.min(config.tcp_base_mss, mssOfMtu(connection, probing.searchLow) >> 1);
    const mss = Math.max(half, config.tcp_mtu_probe_floor, config.tcp_min_snd_mss);
    probing.searchLow = mtuOfMss(connection, mss);
  }
  syncMss(connection);
}
