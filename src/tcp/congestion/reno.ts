/** RFC 9293 3.8.2 [MUST-19]: Reno: RFC 5681 3.1, counted in segments. */
import type { ControlBlock } from '../control-block.ts';
import type { CongestionControl } from './congestion.ts';

export const reno: CongestionControl = {
  name: 'reno',

  // RFC 5681 3.1 (4): ssthresh = max (FlightSize / 2, 2*SMSS); what is in use stands for FlightSize, as the caller lets cwnd
  // grow only while it is in use.
  ssthresh(connection: ControlBlock): number {
    return Math.max(connection.cwnd >> 1, 2);
  },

  // RFC 8511 3: beta_{ecn} = 0.8: a queue that marks is short, and emptied by less.
  markedSsthresh(connection: ControlBlock): number {
    return Math.max(Math.floor(connection.cwnd * 0.8), 2);
  },

  acknowledged(connection: ControlBlock, acked: number): void {
    let left = acked;
    if (connection.cwnd < connection.ssthresh) {
      left = slowStart(connection, acked);
      if (left === 0) return;
    }
    congestionAvoidance(connection, left);
  },
};

/**
 * RFC 5681 3.1: cwnd grows by a segment for each one acknowledged (byte counting, RFC 3465 with no limit, as Linux), up to ssthresh.
 * @returns the segments left over when ssthresh was met
 */
export function slowStart(connection: ControlBlock, acked: number): number {
  const cwnd = Math.min(connection.cwnd + acked, connection.ssthresh);
  const left = acked - (cwnd - connection.cwnd);
  connection.cwnd = cwnd;
  return left;
}

/** RFC 5681 3.1: about one segment per round trip: one for each cwnd of segments acknowledged. */
function congestionAvoidance(connection: ControlBlock, acked: number): void {
  connection.cwndCount += acked;
  if (connection.cwndCount < connection.cwnd) return;
  const grow = Math.floor(connection.cwndCount / connection.cwnd);
  connection.cwndCount -= grow * connection.cwnd;
  connection.cwnd += grow;
}
