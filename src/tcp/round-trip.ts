/** Round-trip times and the retransmission timeout: RFC 6298, with Linux's lower bound. Microseconds. */
import type { ControlBlock } from './control-block.ts';
import { noteLeastRoundTrip } from './least-round-trip.ts';
import { leastRtoUs } from './route-metrics.ts';
import { after } from './sequence.ts';

/** RFC 6298 2.1: before the first sample. */
export const INITIAL_RTO_US = 1_000_000;

/**
 * RFC 6298 2.2, 2.3, with Linux's care: the variance follows the largest deviation of a round trip, and falls slowly when the round trips get
 * shorter, so that the timeout does not come too close.
 * @param sampleUs from the first segment that an acknowledgment tells of
 * @param recentUs from the last one, for the least round trip
 * @param delayed the acknowledgment may have been put off by its sender: no measure of the path
 */
export function sampleRoundTrip(
  connection: ControlBlock,
  sampleUs: number,
  now: number,
  recentUs = sampleUs,
  delayed = false,
): void {
  const rtt = Math.max(Math.round(sampleUs), 1);
  const recent = Math.max(Math.round(recentUs), 1);
  // If all acknowledgments were delayed ones the least of late would be one of them (Linux).
  if (!delayed || recent <= connection.minRttUs) noteLeastRoundTrip(connection, recent, now);
  if (connection.srttUs === 0) {
    connection.srttUs = rtt;
    connection.mdevUs = rtt >> 1;
    connection.rttvarUs = Math.max(connection.mdevUs, leastVariance(connection));
    connection.mdevMaxUs = connection.rttvarUs;
    connection.rttSeq = connection.sndNxt;
  } else {
    adaptVariance(connection, rtt - connection.srttUs);
    // SRTT <- (1 - 1/8) * SRTT + 1/8 * R'
    connection.srttUs = Math.max(Math.round(0.875 * connection.srttUs + 0.125 * rtt), 1);
  }
  // RFC 6298 2.3, 2.4: RTO <- SRTT + max (G, K*RTTVAR). Linux bounds the variance term, not the sum, from below.
  connection.rtoUs = Math.min(connection.srttUs + 4 * connection.rttvarUs, connection.settings.rtoMax * 1000);
}

/** RTTVAR <- (1 - 1/4) * RTTVAR + 1/4 * |SRTT - R'|: as `mdev`; RTTVAR is the largest of a round trip. */
function adaptVariance(connection: ControlBlock, deviation: number): void {
  let change = Math.abs(deviation) - connection.mdevUs;
  // Shorter, and by more than usual: no reason to wait longer. RFC 6298 allows any estimate that is not smaller.
  if (deviation < 0 && change > 0) change /= 8;
  connection.mdevUs = Math.round(connection.mdevUs + change / 4);
  if (connection.mdevUs > connection.mdevMaxUs) {
    connection.mdevMaxUs = connection.mdevUs;
    if (connection.mdevMaxUs > connection.rttvarUs) connection.rttvarUs = connection.mdevMaxUs;
  }
  if (!after(connection.sndUna, connection.rttSeq)) return;
  if (connection.mdevMaxUs < connection.rttvarUs) {
    connection.rttvarUs -= Math.floor((connection.rttvarUs - connection.mdevMaxUs) / 4);
  }
  connection.rttSeq = connection.sndNxt;
  connection.mdevMaxUs = leastVariance(connection);
}

function leastVariance(connection: ControlBlock): number {
  return leastRtoUs(connection) / 4;
}

/** The timeout in force, with its back-off (RFC 6298 5.5), ms. */
export function retransmissionTimeout(connection: ControlBlock): number {
  return Math.min((connection.rtoUs / 1000) * 2 ** connection.backoff, connection.settings.rtoMax);
}

/**
 * How long `count` timeouts take that start at the least RTO and double up to the largest, ms: what a limit
 * counted in retransmissions means (Linux's reading of R2).
 */
export function backedOffTime(rtoMinMs: number, rtoMaxMs: number, count: number): number {
  const doublings = Math.floor(Math.log2(rtoMaxMs / rtoMinMs));
  if (count <= doublings) return (2 ** (count + 1) - 1) * rtoMinMs;
  return (2 ** (doublings + 1) - 1) * rtoMinMs + (count - doublings) * rtoMaxMs;
}
