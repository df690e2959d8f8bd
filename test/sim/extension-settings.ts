/** Settings of hosts, routes and sockets that a seed may choose, beside those of scenario.ts. */
import {
  IP_MTU_DISCOVER,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_TCP,
  SO_MAX_PACING_RATE,
  SO_RCVLOWAT,
  SOL_SOCKET,
  TCP_CONGESTION,
  TCP_LINGER2,
  TCP_NOTSENT_LOWAT,
  TCP_RTO_MAX_MS,
  TCP_WINDOW_CLAMP,
} from '../../src/socket/constants.ts';
import type { TcpConfig } from '../../src/tcp/config.ts';
import type { PathMetrics } from '../../src/tcp/path.ts';
import type { Script } from '../support/transfer.ts';
import type { Draw } from './draw.ts';

const CONTROLS = ['cubic', 'reno', 'bbr', 'dctcp'] as const;

/** A theme is drawn as a whole, or not at all: what belongs together meets. */
const THEMES: readonly ((draw: Draw) => Partial<TcpConfig>)[] = [
  congestion,
  recovery,
  ecn,
  buffers,
  pacing,
  closing,
  handshake,
  probing,
  windows,
];

/** @param probability of each theme */
export function drawSettings(draw: Draw, probability: number): Partial<TcpConfig> {
  const drawn: Partial<TcpConfig> = {};
  for (const theme of THEMES) if (draw.chance(probability)) Object.assign(drawn, theme(draw));
  return drawn;
}

function congestion(draw: Draw): Partial<TcpConfig> {
  return {
    tcp_congestion_control: draw.pick(CONTROLS),
    hystart: draw.integer(0, 2),
    hystart_detect: draw.integer(0, 3),
    hystart_low_window: draw.pick([2, 16, 64]),
    tcp_init_cwnd: draw.pick([1, 2, 10, 40]),
    dctcp_shift_g: draw.pick([1, 4, 10]),
    dctcp_alpha_on_init: draw.pick([0, 512, 1024]),
  };
}

function recovery(draw: Draw): Partial<TcpConfig> {
  return {
    tcp_recovery: draw.integer(0, 7),
    tcp_early_retrans: draw.pick([0, 3, 4]),
    tcp_frto: draw.pick([0, 2]),
    tcp_reordering: draw.pick([1, 3, 10]),
    tcp_max_reordering: draw.pick([3, 30, 300]),
    tcp_rto_max_ms: draw.pick([1000, 20_000, 120_000]),
    tcp_delack_max_ms: draw.pick([40, 200, 499]),
  };
}

function ecn(draw: Draw): Partial<TcpConfig> {
  return {
    tcp_ecn: draw.integer(0, 5),
    tcp_ecn_option: draw.integer(0, 3),
    tcp_ecn_option_beacon: draw.pick([1, 3]),
    tcp_ecn_fallback: draw.chance(0.7),
    tcp_abe: draw.chance(0.5),
  };
}

function buffers(draw: Draw): Partial<TcpConfig> {
  const [least, most] = [draw.logarithmic(2304, 100_000), draw.logarithmic(4096, 1_000_000)];
  return {
    tcp_rmem: [4096, least, Math.max(least, most)],
    tcp_wmem: [4096, draw.logarithmic(4608, 100_000), draw.logarithmic(100_000, 1_000_000)],
    tcp_moderate_rcvbuf: draw.chance(0.6),
    tcp_notsent_lowat: draw.chance(0.5) ? 0xffffffff : draw.logarithmic(1, 100_000),
    ...(draw.chance(0.3) && { tcp_mem: drawPages(draw) }),
  };
}

/** Pages; a chunk of 64 KiB has 16. */
function drawPages(draw: Draw): [number, number, number] {
  const low = draw.logarithmic(64, 400);
  const pressure = low + draw.logarithmic(1, 200);
  return [low, pressure, pressure + draw.logarithmic(1, 200)];
}

function pacing(draw: Draw): Partial<TcpConfig> {
  return {
    default_qdisc: 'fq',
    tcp_pacing_ss_ratio: draw.pick([100, 200, 400]),
    tcp_pacing_ca_ratio: draw.pick([100, 120, 200]),
    tcp_min_tso_segs: draw.pick([1, 2, 8]),
    tcp_tso_win_divisor: draw.pick([0, 1, 3, 10]),
    tcp_tso_rtt_log: draw.pick([0, 9, 12]),
  };
}

function closing(draw: Draw): Partial<TcpConfig> {
  return {
    tcp_tw_reuse: draw.integer(0, 2),
    tcp_tw_reuse_delay: draw.pick([0, 1000]),
    tcp_max_tw_buckets: draw.pick([0, 1, 131_072]),
    tcp_fin_timeout: draw.pick([1, 60]),
    tcp_rfc1337: draw.chance(0.5),
    tcp_invalid_ratelimit: draw.pick([0, 500]),
    accept_reset: draw.pick(['linux', 'posix', 'bsd'] as const),
  };
}

function handshake(draw: Draw): Partial<TcpConfig> {
  return {
    tcp_syn_linear_timeouts: draw.pick([0, 4]),
    tcp_pingpong_thresh: draw.pick([1, 3]),
    tcp_challenge_ack_limit: draw.pick([10, 1000, 0x7fffffff]),
  };
}

function probing(draw: Draw): Partial<TcpConfig> {
  return {
    tcp_mtu_probing: draw.integer(0, 2),
    tcp_base_mss: draw.pick([256, 512, 1024]),
    tcp_mtu_probe_floor: draw.pick([48, 200]),
    tcp_probe_interval: draw.pick([1, 600]),
    tcp_probe_threshold: draw.pick([1, 8, 100]),
    ip_no_pmtu_disc: draw.integer(0, 3),
  };
}

function windows(draw: Draw): Partial<TcpConfig> {
  return {
    tcp_app_win: draw.pick([0, 2, 31]),
    tcp_shrink_window: draw.chance(0.5),
    tcp_stdurg: draw.chance(0.5),
  };
}

export function drawMetrics(draw: Draw, mtu: number): PathMetrics {
  const drawn: { -readonly [K in keyof PathMetrics]: PathMetrics[K] } = {};
  if (draw.chance(0.4) && mtu > 600) drawn.mtu = draw.integer(576, Math.min(mtu, 9000));
  if (drawn.mtu !== undefined) drawn.mtuLocked = draw.chance(0.5);
  if (draw.chance(0.3)) drawn.advmss = draw.logarithmic(200, 9000);
  if (draw.chance(0.3)) drawn.window = draw.logarithmic(2000, 100_000);
  if (draw.chance(0.4)) drawn.initcwnd = draw.logarithmic(1, 60);
  if (draw.chance(0.4)) drawn.initrwnd = draw.logarithmic(1, 60);
  if (draw.chance(0.3)) drawn.rtoMin = draw.pick([200, 1000]);
  if (draw.chance(0.3)) drawn.quickack = true;
  if (draw.chance(0.3)) drawn.congctl = draw.pick(CONTROLS);
  if (draw.chance(0.2)) drawn.ecn = true;
  if (draw.chance(0.3)) drawn.reordering = draw.integer(1, 20);
  return drawn;
}

export function drawMoreOptions(draw: Draw): Script['options'] {
  const options: [number, number, number | string][] = [];
  if (draw.chance(0.3)) options.push([IPPROTO_TCP, TCP_CONGESTION, draw.pick(CONTROLS)]);
  if (draw.chance(0.15)) options.push([IPPROTO_TCP, TCP_WINDOW_CLAMP, draw.logarithmic(1, 100_000)]);
  if (draw.chance(0.2)) options.push([SOL_SOCKET, SO_RCVLOWAT, draw.logarithmic(1, 200_000)]);
  if (draw.chance(0.2)) options.push([IPPROTO_TCP, TCP_NOTSENT_LOWAT, draw.logarithmic(1, 100_000)]);
  if (draw.chance(0.1)) options.push([IPPROTO_TCP, TCP_LINGER2, draw.pick([-1, 1, 30])]);
  if (draw.chance(0.1)) options.push([IPPROTO_TCP, TCP_RTO_MAX_MS, draw.logarithmic(1000, 120_000)]);
  if (draw.chance(0.15)) options.push([SOL_SOCKET, SO_MAX_PACING_RATE, draw.logarithmic(20_000, 100_000_000)]);
  if (draw.chance(0.1)) options.push([IPPROTO_IP, IP_TOS, draw.pick([0x10, 0xff])]);
  if (draw.chance(0.15)) options.push([IPPROTO_IP, IP_MTU_DISCOVER, draw.integer(0, 5)]);
  return options;
}
