/** `struct tcp_info` of Linux (include/uapi/linux/tcp.h): all of its fields that scripts ask for. */
import type { TcpInfo } from '../tcp/info.ts';

/** Bytes at the head, then 32-bit words from 8 on; where the layout changes, offsets stand. */
const BYTES = ['state', 'ca_state', 'retransmits', 'probes', 'backoff', 'options'];
const WORDS_AT_8 =
  'rto ato snd_mss rcv_mss unacked sacked lost retrans fackets last_data_sent last_ack_sent last_data_recv ' +
  'last_ack_recv pmtu rcv_ssthresh rtt rttvar snd_ssthresh snd_cwnd advmss reordering rcv_rtt rcv_space total_retrans';
const LONGS_AT_104 = 'pacing_rate max_pacing_rate bytes_acked bytes_received';
const WORDS_AT_136 = 'segs_out segs_in notsent_bytes min_rtt data_segs_in data_segs_out';
const LONGS_AT_160 = 'delivery_rate busy_time rwnd_limited sndbuf_limited';
const WORDS_AT_192 = 'delivered delivered_ce';
const LONGS_AT_200 = 'bytes_sent bytes_retrans';
const WORDS_AT_216 = 'dsack_dups reord_seen rcv_ooopack snd_wnd rcv_wnd rehash';
const HALVES_AT_240 = 'total_rto total_rto_recoveries';
const WORDS_AT_244 = 'total_rto_time';
const WORDS_AT_248 =
  'received_ce delivered_e1_bytes delivered_e0_bytes delivered_ce_bytes received_e1_bytes received_e0_bytes received_ce_bytes';

/** @param length how much of it the kernel filled, bytes */
export function readTcpInfo(view: DataView, length: number): TcpInfo {
  const info: Record<string, number> = {};
  for (const [at, name] of BYTES.entries()) info[`tcpi_${name}`] = view.getUint8(at);
  info['tcpi_snd_wscale'] = view.getUint8(6) & 15;
  info['tcpi_rcv_wscale'] = view.getUint8(6) >>> 4;
  info['tcpi_fastopen_client_fail'] = (view.getUint8(7) >>> 1) & 3;
  const words = (names: string, from: number) => {
    for (const [i, name] of names.split(' ').entries()) {
      if (from + 4 * i + 4 <= length) info[`tcpi_${name}`] = view.getUint32(from + 4 * i, true);
    }
  };
  const longs = (names: string, from: number) => {
    for (const [i, name] of names.split(' ').entries()) {
      if (from + 8 * i + 8 <= length) info[`tcpi_${name}`] = Number(view.getBigUint64(from + 8 * i, true));
    }
  };
  words(WORDS_AT_8, 8);
  longs(LONGS_AT_104, 104);
  words(WORDS_AT_136, 136);
  longs(LONGS_AT_160, 160);
  words(WORDS_AT_192, 192);
  longs(LONGS_AT_200, 200);
  words(WORDS_AT_216, 216);
  for (const [i, name] of HALVES_AT_240.split(' ').entries()) {
    if (length >= 244) info[`tcpi_${name}`] = view.getUint16(240 + 2 * i, true);
  }
  words(WORDS_AT_244, 244);
  words(WORDS_AT_248, 248);
  return info as unknown as TcpInfo;
}
