/** STATUS (RFC 9293 3.10.6), as Linux's TCP_INFO tells it. */
import { busyTimes } from './busy-time.ts';
import { type ControlBlock, UNKNOWN_RTT } from './control-block.ts';
import { pacingRate } from './pacer.ts';
import { deliveryRate } from './rate-sample.ts';
import { firstSpace } from './receive-space.ts';
import { currentWindow } from './receive-window.ts';
import type { RecoveryState } from './recovery-state.ts';
import {
  CLOSE_WAIT,
  CLOSED,
  CLOSING,
  ESTABLISHED,
  FIN_WAIT_1,
  FIN_WAIT_2,
  LAST_ACK,
  LISTEN,
  SYN_RECEIVED,
  SYN_SENT,
  TIME_WAIT,
} from './state.ts';
import { Traffic } from './traffic.ts';
import { TIMESTAMPS_LENGTH } from './transmit.ts';

/** Bits of `tcpi_options`. */
export const TCPI_OPT_TIMESTAMPS = 1;
export const TCPI_OPT_SACK = 2;
export const TCPI_OPT_WSCALE = 4;
export const TCPI_OPT_ECN = 8;
/** An ECN-capable packet has come. */
export const TCPI_OPT_ECN_SEEN = 16;
/** Fast Open: the data of the SYN was acknowledged, by either side; the SYN opened the connection. */
export const TCPI_OPT_SYN_DATA = 32;
export const TCPI_OPT_TFO_CHILD = 128;

/** Times `*_ms` in Linux's milliseconds, `rtt` and `rto` in microseconds, windows in segments or bytes as Linux has them. */
export interface TcpInfo {
  /** Linux's number of the state: 1 ESTABLISHED ... 11 CLOSING. */
  readonly tcpi_state: number;
  /** 0 Open, 1 Disorder, 2 CWR, 3 Recovery, 4 Loss. */
  readonly tcpi_ca_state: number;
  /** Timeouts in a row. RFC 9293 3.8.3 [SHLD-9]: a user who looks sees the trouble between R1 and R2. */
  readonly tcpi_retransmits: number;
  readonly tcpi_probes: number;
  readonly tcpi_backoff: number;
  readonly tcpi_options: number;
  /** Why Fast Open as a client came to nothing: 0 it did not, 1 no cookie, 2 the data was not acknowledged, 3 nor after a timeout. */
  readonly tcpi_fastopen_client_fail: number;
  readonly tcpi_snd_wscale: number;
  readonly tcpi_rcv_wscale: number;
  /** Microseconds. */
  readonly tcpi_rto: number;
  readonly tcpi_ato: number;
  /** Bytes. */
  readonly tcpi_snd_mss: number;
  readonly tcpi_rcv_mss: number;
  /** Segments. */
  readonly tcpi_unacked: number;
  readonly tcpi_sacked: number;
  readonly tcpi_lost: number;
  readonly tcpi_retrans: number;
  /** Milliseconds ago. */
  readonly tcpi_last_data_sent: number;
  /** Always 0, as tcpi_fackets: Linux keeps the fields, and nothing in them. */
  readonly tcpi_last_ack_sent: number;
  readonly tcpi_last_data_recv: number;
  readonly tcpi_last_ack_recv: number;
  /** Bytes. */
  readonly tcpi_pmtu: number;
  readonly tcpi_advmss: number;
  /** Segments. */
  readonly tcpi_snd_ssthresh: number;
  readonly tcpi_snd_cwnd: number;
  /** Microseconds. */
  readonly tcpi_rtt: number;
  readonly tcpi_rttvar: number;
  readonly tcpi_min_rtt: number;
  readonly tcpi_fackets: number;
  /** How far our window may open for now, bytes; the round trip as the receiver knows it, microseconds (0: not); most bytes that the user read in one. */
  readonly tcpi_rcv_ssthresh: number;
  readonly tcpi_rcv_rtt: number;
  readonly tcpi_rcv_space: number;
  /** Segments that came out of order. */
  readonly tcpi_rcv_ooopack: number;
  /** Always 0: there is no flow hash that another could take the place of. */
  readonly tcpi_rehash: number;
  /** Retransmission timeouts, in how many rows, and how long those took until what was lost was repaired, ms. */
  readonly tcpi_total_rto: number;
  readonly tcpi_total_rto_recoveries: number;
  readonly tcpi_total_rto_time: number;
  readonly tcpi_total_retrans: number;
  /** DupThresh, segments, as reordering made it; and how often reordering was seen. */
  readonly tcpi_reordering: number;
  readonly tcpi_reord_seen: number;
  /** Segments that D-SACKs have reported. */
  readonly tcpi_dsack_dups: number;
  /** Segments delivered, counted each time. */
  readonly tcpi_delivered: number;
  /** Microseconds with something unsent or unacknowledged, and of that limited by the peer's window, and by the send buffer. */
  readonly tcpi_busy_time: number;
  readonly tcpi_rwnd_limited: number;
  readonly tcpi_sndbuf_limited: number;
  /** Bytes of data sent (retransmissions too), sent again, acknowledged (the SYN of an active open is one), received in order; all segments, those with data. */
  readonly tcpi_bytes_sent: number;
  readonly tcpi_bytes_retrans: number;
  readonly tcpi_bytes_acked: number;
  readonly tcpi_bytes_received: number;
  readonly tcpi_segs_in: number;
  readonly tcpi_segs_out: number;
  readonly tcpi_data_segs_in: number;
  readonly tcpi_data_segs_out: number;
  /** Bytes queued and not sent. */
  readonly tcpi_notsent_bytes: number;
  /** Bytes per second: how fast the network delivered lately (0: not known), and whether the application was what limited that. */
  readonly tcpi_delivery_rate: number;
  readonly tcpi_delivery_rate_app_limited: number;
  /** Bytes per second: the rate at which segments leave, were they paced, and its bound; 2^64 when there is none. */
  readonly tcpi_pacing_rate: number;
  readonly tcpi_max_pacing_rate: number;
  /** Bytes: the peer's window, and ours. */
  readonly tcpi_snd_wnd: number;
  readonly tcpi_rcv_wnd: number;
  /** Packets of ours that came marked CE, as the peer tells, and of the peer's; 0 without ECN. */
  readonly tcpi_delivered_ce: number;
  readonly tcpi_received_ce: number;
  /** Payload bytes by ECN field: of ours, as Accurate ECN's option tells; of the peer's. */
  readonly tcpi_delivered_e1_bytes: number;
  readonly tcpi_delivered_e0_bytes: number;
  readonly tcpi_delivered_ce_bytes: number;
  readonly tcpi_received_e1_bytes: number;
  readonly tcpi_received_e0_bytes: number;
  readonly tcpi_received_ce_bytes: number;
}

const NO_TRAFFIC = new Traffic();

const linuxState: Record<number, number> = {
  [ESTABLISHED]: 1,
  [SYN_SENT]: 2,
  [SYN_RECEIVED]: 3,
  [FIN_WAIT_1]: 4,
  [FIN_WAIT_2]: 5,
  [TIME_WAIT]: 6,
  [CLOSED]: 7,
  [CLOSE_WAIT]: 8,
  [LAST_ACK]: 9,
  [LISTEN]: 10,
  [CLOSING]: 11,
};

/** Linux's number for a state of state.ts. */
export function linuxStateNumber(state: number): number {
  return linuxState[state] ?? 7;
}

/** Linux's ~0ULL, as near as a number comes. */
const NO_RATE = 2 ** 64;

/** ms */
function timeoutTime(recovery: RecoveryState | undefined, now: number): number {
  if (recovery === undefined) return 0;
  return recovery.timeoutTime + (recovery.timeoutSince < 0 ? 0 : now - recovery.timeoutSince);
}

export function tcpInfo(connection: ControlBlock, now: number): TcpInfo {
  const { runs, ecn, recovery } = connection;
  const stamped = connection.timestampsOk && (connection.state & (SYN_SENT | SYN_RECEIVED)) === 0;
  const options =
    (connection.timestampsOk ? TCPI_OPT_TIMESTAMPS : 0) |
    (connection.sackOk ? TCPI_OPT_SACK : 0) |
    (connection.windowScaleOk ? TCPI_OPT_WSCALE : 0) |
    (ecn !== undefined ? TCPI_OPT_ECN : 0) |
    (ecn?.seen === true ? TCPI_OPT_ECN_SEEN : 0) |
    (connection.fastOpen?.synDataAcked === true ? TCPI_OPT_SYN_DATA : 0) |
    (connection.fastOpen?.child === true ? TCPI_OPT_TFO_CHILD : 0);
  const [busy, rwndLimited, sndbufLimited] = busyTimes(connection, now);
  const { traffic = NO_TRAFFIC } = connection;
  return {
    tcpi_state: linuxStateNumber(connection.state),
    tcpi_ca_state: connection.caState,
    tcpi_retransmits: connection.retransmits,
    tcpi_probes: connection.probesOut,
    tcpi_backoff: connection.backoff || connection.probeBackoff,
    tcpi_options: options,
    tcpi_fastopen_client_fail: connection.fastOpen?.failure ?? 0,
    tcpi_snd_wscale: connection.sndWindShift,
    tcpi_rcv_wscale: connection.rcvWindShift,
    tcpi_rto: Math.round(connection.rtoUs * 2 ** connection.backoff),
    tcpi_ato: Math.round(connection.ato * 1000),
    tcpi_snd_mss: connection.sndMss,
    tcpi_rcv_mss: connection.seenMss || connection.rcvMss,
    tcpi_unacked: runs.packetsOut,
    tcpi_sacked: runs.sackedOut,
    tcpi_lost: runs.lostOut,
    tcpi_retrans: runs.retransOut,
    tcpi_last_data_sent: Math.floor(now - connection.lastDataSentAt),
    tcpi_last_ack_sent: 0,
    tcpi_last_data_recv: Math.floor(now - connection.lastDataReceivedAt),
    tcpi_last_ack_recv: Math.floor(now - connection.lastReceivedAt),
    tcpi_pmtu: connection.pathMtu,
    // Linux: once both sides stamp, what the stamps take is off.
    tcpi_advmss: connection.rcvMss - (stamped ? TIMESTAMPS_LENGTH : 0),
    tcpi_snd_ssthresh: connection.ssthresh,
    tcpi_snd_cwnd: connection.cwnd,
    tcpi_rtt: connection.srttUs,
    tcpi_rttvar: connection.mdevUs,
    tcpi_min_rtt: connection.minRttUs === UNKNOWN_RTT ? 0 : connection.minRttUs,
    tcpi_fackets: 0,
    tcpi_rcv_ssthresh: connection.rcvSsthresh,
    tcpi_rcv_rtt: connection.receiveSpace?.roundTrip ?? 0,
    tcpi_rcv_space: connection.receiveSpace?.space ?? firstSpace(connection),
    tcpi_rcv_ooopack: traffic.outOfOrder,
    tcpi_rehash: 0,
    tcpi_total_rto: recovery?.timeouts ?? 0,
    tcpi_total_rto_recoveries: recovery?.timeoutRows ?? 0,
    tcpi_total_rto_time: Math.floor(timeoutTime(recovery, now)),
    tcpi_total_retrans: connection.totalRetrans,
    tcpi_reordering: connection.reordering,
    tcpi_reord_seen: recovery?.reorderings ?? 0,
    tcpi_dsack_dups: recovery?.duplicates ?? 0,
    tcpi_delivered: runs.delivered,
    tcpi_busy_time: busy,
    tcpi_rwnd_limited: rwndLimited,
    tcpi_sndbuf_limited: sndbufLimited,
    tcpi_bytes_sent: traffic.bytesSent,
    tcpi_bytes_retrans: traffic.bytesRetrans,
    // Linux: our SYN counts, but not our SYN-ACK.
    tcpi_bytes_acked: traffic.bytesAcked + Number(connection.active && connection.sndUna !== connection.iss),
    tcpi_bytes_received: traffic.bytesReceived + Number(connection.finReceived),
    tcpi_segs_in: connection.segsIn,
    tcpi_segs_out: connection.segsOut,
    tcpi_data_segs_in: traffic.dataSegsIn,
    tcpi_data_segs_out: traffic.dataSegsOut,
    tcpi_notsent_bytes: Math.max((connection.sendQueue.end - connection.sndNxt) | 0, 0),
    tcpi_delivery_rate: deliveryRate(connection),
    tcpi_delivery_rate_app_limited: Number(connection.rate?.limited ?? false),
    tcpi_pacing_rate: Math.min(Math.floor(pacingRate(connection)), NO_RATE),
    tcpi_max_pacing_rate: Math.min(connection.settings.rare.maxPacingRate, NO_RATE),
    tcpi_snd_wnd: connection.sndWnd,
    tcpi_rcv_wnd: currentWindow(connection),
    tcpi_delivered_ce: ecn?.deliveredCe ?? 0,
    tcpi_received_ce: ecn?.receivedCe ?? 0,
    tcpi_delivered_e1_bytes: ecn?.accurate?.deliveredBytes[0] ?? 0,
    tcpi_delivered_e0_bytes: ecn?.accurate?.deliveredBytes[1] ?? 0,
    tcpi_delivered_ce_bytes: ecn?.accurate?.deliveredBytes[2] ?? 0,
    tcpi_received_e1_bytes: ecn?.receivedEct1Bytes ?? 0,
    tcpi_received_e0_bytes: ecn?.receivedEct0Bytes ?? 0,
    tcpi_received_ce_bytes: ecn?.receivedCeBytes ?? 0,
  };
}
