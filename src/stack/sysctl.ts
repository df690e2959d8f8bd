/** What settings may be: names that exist, values of their kind, within Linux's bounds. A wrong one would fail deep in the stack, unexplained. */
import { shown } from '../arguments.ts';
import { defaultConfig, type TcpConfig } from '../tcp/config.ts';
import { congestionControls } from '../tcp/congestion/congestion.ts';
import { keysFromText } from '../tcp/fast-open-cookie.ts';

const BYTE = 255;

/** Linux's bounds where it has some (net/ipv4/sysctl_net_ipv4.c); whole numbers all of them. Others are any number from 0 on. */
const BOUNDS: Readonly<Partial<Record<string, readonly [least: number, most: number]>>> = {
  hystart: [0, 2],
  hystart_detect: [0, 3],
  tcp_min_tso_segs: [1, BYTE],
  tcp_tso_rtt_log: [0, BYTE],
  tcp_tso_win_divisor: [0, BYTE],
  tcp_syn_retries: [1, 127],
  tcp_syn_linear_timeouts: [0, 127],
  tcp_synack_retries: [0, BYTE],
  tcp_retries1: [0, BYTE],
  tcp_retries2: [0, BYTE],
  tcp_orphan_retries: [0, BYTE],
  tcp_keepalive_probes: [0, BYTE],
  tcp_ecn: [0, 5],
  tcp_ecn_option: [0, 3],
  tcp_ecn_option_beacon: [0, 3],
  dctcp_shift_g: [0, 10],
  dctcp_alpha_on_init: [0, 1024],
  tcp_rto_min_us: [1, 120_000_000],
  tcp_rto_max_ms: [1000, 120_000],
  tcp_recovery: [0, BYTE],
  tcp_early_retrans: [0, 4],
  tcp_frto: [0, BYTE],
  tcp_syncookies: [0, 2],
  tcp_tw_reuse: [0, 2],
  tcp_tw_reuse_delay: [1, 60_000],
  tcp_mtu_probing: [0, 2],
  tcp_min_snd_mss: [48, 65_535],
  tcp_pacing_ss_ratio: [0, 1000],
  tcp_pacing_ca_ratio: [0, 1000],
  tcp_min_rtt_wlen: [0, 86_400],
  tcp_pingpong_thresh: [1, BYTE],
  ip_default_ttl: [1, BYTE],
  ip_no_pmtu_disc: [0, 3],
  rp_filter: [0, 2],
  ipfrag_high_thresh: [0, Number.MAX_SAFE_INTEGER],
  ip6frag_high_thresh: [0, Number.MAX_SAFE_INTEGER],
  ipfrag_time: [0, 2_147_483],
  ip6frag_time: [0, 2_147_483],
  ipfrag_max_dist: [0, 0x7fffffff],
};

/** The settings that are names, and which names there are. */
const NAMES: Readonly<Partial<Record<string, () => readonly string[]>>> = {
  tcp_congestion_control: congestionControls,
  default_qdisc: () => ['pfifo_fast', 'fq'],
  accept_reset: () => ['linux', 'posix', 'bsd'],
};

const defaults: ReadonlyMap<string, unknown> = new Map(Object.entries(defaultConfig()));

/**
 * What is wrong with a setting, to be put behind its name: ` must be true or false, got 0`.
 * @returns undefined: nothing
 */
export function settingProblem(name: string, value: unknown): string | undefined {
  const byDefault = defaults.get(name);
  if (byDefault === undefined) return ': there is no such setting';
  const kind = kindOf(byDefault);
  if (kindOf(value) !== kind) return ` must be ${kind}, got ${shown(value)}`;
  const names = NAMES[name]?.();
  if (names?.includes(value as string) === false) return ` must be one of ${names.join(', ')}, got ${shown(value)}`;
  if (name === 'tcp_fastopen_key' && value !== '' && keysFromText(value as string) === undefined) {
    return ` must be four words in hexadecimal, 1-2-3-4, or two such keys with a comma between, got ${value}`;
  }
  const bounds = BOUNDS[name];
  if (bounds !== undefined && !within(value as number, bounds)) {
    return ` must be a whole number in ${bounds[0]}..${bounds[1]}, got ${shown(value)}`;
  }
  if (name === 'ip_local_port_range' && !isPortRange(value as readonly number[])) {
    return ` must be two ports, the lower one first, got ${shown(value)}`;
  }
  return undefined;
}

/**
 * The table for users: reads and writes go through, but for wrong ones.
 * @throws TypeError on assignment: `sysctl.tcp_sack must be true or false, got 0`
 */
export function checkedSysctl(config: TcpConfig): TcpConfig {
  return new Proxy(config, {
    set(target, name, value: unknown): boolean {
      const problem = settingProblem(String(name), value);
      if (problem !== undefined) throw new TypeError(`sysctl.${String(name)}${problem}`);
      // Whoever keeps the list that was given cannot change the setting with it.
      return Reflect.set(target, name, Array.isArray(value) ? Object.freeze([...value]) : value);
    },
    defineProperty(target, name, descriptor): boolean {
      const problem = settingProblem(String(name), descriptor.value);
      if (problem !== undefined) throw new TypeError(`sysctl.${String(name)}${problem}`);
      return Reflect.defineProperty(target, name, descriptor);
    },
    deleteProperty(_, name): boolean {
      throw new TypeError(`sysctl.${String(name)} cannot be taken away`);
    },
  });
}

function kindOf(value: unknown): string {
  const isCount = (one: unknown) => typeof one === 'number' && one >= 0;
  if (Array.isArray(value)) return value.every(isCount) ? `${value.length} numbers >= 0` : 'something else';
  if (typeof value === 'number') return isCount(value) ? 'a number >= 0' : 'something else';
  return typeof value === 'boolean' ? 'true or false' : `a ${typeof value}`;
}

function within(value: number, [least, most]: readonly [number, number]): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function isPortRange([low = 0, high = 0]: readonly number[]): boolean {
  return within(low, [1, 65_535]) && within(high, [low, 65_535]);
}
