/** `net.ipv4.tcp_sack=0`: from Linux's names and forms to the host's table. */
import { settingProblem } from '../stack/sysctl.ts';
import type { TcpConfig } from '../tcp/config.ts';
import { congestionControls } from '../tcp/congestion/congestion.ts';
import { ScriptFailure, UnsupportedFeature } from './errors.ts';

/** Settings that a host in memory has nothing for, and why that does not matter to what a script sees; `values`: as long as it is one of these. */
const FIXED: Readonly<Record<string, { readonly why: string; readonly values?: readonly string[] }>> = {
  tcp_fastopen_cookies: { why: 'no released kernel has it' },
  tcp_limit_output_bytes: { why: 'how much waits in the queue of a device' },
  tcp_autocorking: { why: 'waits for the queue of a device' },
  tcp_no_metrics_save: { why: 'nothing is remembered of a connection for the next' },
  tcp_no_ssthresh_metrics_save: { why: 'nothing is remembered of a connection for the next' },
  tcp_adv_win_scale: { why: 'Linux no longer looks at it' },
  tcp_low_latency: { why: 'Linux no longer looks at it' },
  tcp_fack: { why: 'Linux no longer looks at it' },
  tcp_comp_sack_nr: { why: 'each segment out of order is acknowledged at once', values: ['0'] },
  tcp_comp_sack_delay_ns: { why: 'each segment out of order is acknowledged at once', values: ['0'] },
  tcp_retrans_collapse: { why: 'what was sent apart goes again apart', values: ['0'] },
  tcp_thin_dupack: { why: 'Linux no longer looks at it' },
};

/** Whether the host has a knob of that name. */
export function hasSysctl(config: TcpConfig, assignment: string): boolean {
  return nameIn(assignment) in config;
}

/** A setting as Linux shows it. @throws UnsupportedFeature for a name that is not there */
export function sysctlText(config: TcpConfig, name: string): string {
  const value = (config as unknown as Readonly<Record<string, unknown>>)[nameIn(`${name}=`)];
  if (value === undefined) throw new UnsupportedFeature(`sysctl ${name}`);
  if (typeof value === 'boolean') return value ? '1' : '0';
  return Array.isArray(value) ? value.join('\t') : String(value);
}

function nameIn(assignment: string): string {
  const name = assignment.slice(0, assignment.indexOf('=')).trim();
  return name
    .replace(/^\/(proc\/sys|sys\/module)\//, '')
    .split(/[./]/)
    .at(-1) as string;
}

/**
 * @param assignment `net.ipv4.tcp_sack=0` or `/proc/sys/net/ipv4/tcp_sack=0`
 * @returns what is worth noting
 * @throws UnsupportedFeature when the stack cannot be set so; ScriptFailure when the value makes no sense
 */
export function setSysctl(config: TcpConfig, assignment: string): string | undefined {
  const name = nameIn(assignment);
  const value = assignment.slice(assignment.indexOf('=') + 1).trim();
  if (!(name in config)) return setFixed(name, value);
  const table = config as unknown as Record<string, unknown>;
  const wanted = inKind(name, value, table[name]);
  if (name === 'tcp_congestion_control' && !congestionControls().includes(value)) {
    throw new UnsupportedFeature(`the congestion control ${value}`);
  }
  const problem = settingProblem(name, wanted);
  if (problem !== undefined) throw new ScriptFailure(`sysctl ${name}${problem}`);
  table[name] = wanted;
  return undefined;
}

/** The words of a script as a value of the kind that is there; a list may be shorter, and leaves the rest as it is. */
function inKind(name: string, value: string, present: unknown): unknown {
  if (typeof present === 'string') return value;
  const given = numbers(name, value);
  if (typeof present === 'boolean') return given[0] !== 0;
  return Array.isArray(present) ? present.map((old: number, i) => given[i] ?? old) : given[0];
}

function setFixed(name: string, value: string): string | undefined {
  const fixed = Object.hasOwn(FIXED, name) ? FIXED[name] : undefined;
  if (fixed === undefined) throw new UnsupportedFeature(`sysctl ${name}`);
  if (fixed.values?.includes(value) === false) throw new UnsupportedFeature(`sysctl ${name}=${value}`);
  return `sysctl ${name}=${value}: there is no such knob: ${fixed.why}`;
}

function numbers(name: string, value: string): number[] {
  const given = value.split(/[\s,]+/).map(Number);
  if (given.some((each) => !Number.isFinite(each))) throw new ScriptFailure(`sysctl ${name}: '${value}' is no number`);
  return given;
}
