/** Round-trip times and the retransmission timeout: RFC 6298, with Linux's lower bound. Microseconds. */
import type { ControlBlock } from './control-block.ts';
import { leastRtoUs } from './route-metrics.ts';

/** RFC 6298 2.1: before the first sample. */
export const INITIAL_RTO_US = 1_000_000;

/** RFC 6298 2.2, 2.3. */
export function sampleRoundTrip(connection: ControlBlock, sampleUs: number): void {
  const rtt = Math.max(Math.round(sampleUs), 1);
  if (rtt < connection.minRttUs) connection.minRttUs = rtt;
  if (connection.srttUs === 0) {
    connection.srttUs = rtt;
    connection.rttvarUs = rtt >> 1;
  } else {
    // RTTVAR <- (1 - 1/4) * RTTVAR + 1/4 * |SRTT - R'|; then SRTT <- (1 - 1/8) * SRTT + 1/8 * R'
    connection.rttvarUs = Math.round(0.75 * connection.rttvarUs + 0.25 * Math.abs(connection.srttUs - rtt));
    connection.srttUs = Math.max(Math.round(0.875 * connection.srttUs + 0.125 * rtt), 1);
  }
  // RFC 6298 2.3, 2.4: RTO <- SRTT + max (G, K*RTTVAR). Linux bounds the variance term, not the sum, from below.
  const config = connection.context.config;
  const variance = Math.max(4 * connection.rttvarUs, leastRtoUs(connection));
  connection.rtoUs = Math.min(connection.srttUs + variance, config.tcp_rto_max_ms * 1000);
}

/** The timeout in force, with its back-off (RFC 6298 5.5), ms. */
export function retransmissionTimeout(connection: ControlBlock): number {
  return Math.min((connection.rtoUs / 1000) * 2 ** connection.backoff, connection.context.config.tcp_rto_max_ms);
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
