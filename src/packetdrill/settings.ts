/** What a script's `--options` and those of the call come to. */
import { IpAddress } from '../wire/address.ts';
import { ScriptSyntaxError, UnsupportedFeature } from './errors.ts';
import { IP_VERSIONS, ipVersion } from './ip-version.ts';
import type { PacketdrillOptions } from './run.ts';
import type { Script, ScriptOption } from './script.ts';

export interface ScriptSettings {
  readonly toleranceUsecs: number;
  readonly local: IpAddress;
  readonly remote: IpAddress;
  /** Prefix length of the local network. */
  readonly bits: number;
  /** Of sockets that the script leaves to the run: AF_INET or AF_INET6. */
  readonly domain: number;
  readonly mtu: number;
  /** Payload beyond which the script's packets come as super-segments of such pieces, bytes; 0: each comes as it is. */
  readonly mss: number;
  readonly bindPort: number;
  readonly connectPort: number;
  readonly strictSegments: boolean;
  /** 0: timestamps are not compared. */
  readonly tickUsecs: number;
  readonly checkEcr: boolean;
  /** Of the time since the event before, a part by which times may be off, too: 0.125. */
  readonly relativeTolerance: number;
  /** What is only noted when it is not as the script says. */
  readonly nonFatal: readonly ('packet' | 'syscall')[];
  /** The script is read and not played. */
  readonly dryRun: boolean;
}

/** packetdrill's defaults. */
const DEFAULTS: Readonly<Record<string, string>> = {
  ip_version: 'ipv4',
  tolerance_usecs: '4000',
  mtu: '1500',
  mss: '0',
  bind_port: '8080',
  connect_port: '8080',
  tcp_ts_tick_usecs: '0',
  tolerance_percent: '12.5',
  non_fatal: '',
};
/** Their defaults are those of the IP version. */
const OF_THE_VERSION: readonly string[] = ['local_ip', 'remote_ip', 'netmask_ip'];
/** Flags: there or not. `check_ts_ecr` is ours. */
const FLAGS: readonly string[] = ['strict_segments', 'check_ts_ecr', 'dry_run'];
/**
 * Of the device, the process and the other machine that packetdrill may need, which are not here: they change nothing. TSecr is always
 * scaled with the distance from a timestamp that the script has named.
 */
const FLAGS_WITHOUT_MEANING: readonly string[] = [
  'tcp_ts_ecr_scaled',
  'send_omit_free',
  'persistent_tun_dev',
  'verbose',
  'debug',
];
const WITHOUT_MEANING: readonly string[] = [
  'gateway_ip',
  'speed',
  'tun_dev',
  'init_scripts',
  'code_command',
  'code_format',
  'code_sockopt',
];
/** What another machine or another library would be tested with. */
const UNSUPPORTED: readonly string[] = [
  'so_filename',
  'so_flags',
  'wire_client',
  'wire_server',
  'wire_client_dev',
  'wire_server_dev',
  'wire_server_ip',
  'wire_server_port',
  'live_remote_ip',
];

/** All options that a script, or a command line for packetdrill, may have; those of `flags` take no value. */
export const OPTION_NAMES = {
  flags: [...FLAGS, ...FLAGS_WITHOUT_MEANING],
  valued: [...Object.keys(DEFAULTS), ...OF_THE_VERSION, ...WITHOUT_MEANING, ...UNSUPPORTED],
} as const;

/** @throws ScriptSyntaxError, UnsupportedFeature */
export function readSettings(script: Script, options: PacketdrillOptions): ScriptSettings {
  const given = new Map<string, ScriptOption>();
  for (const option of script.options) {
    const { name, line } = option;
    if (!OPTION_NAMES.flags.includes(name) && !OPTION_NAMES.valued.includes(name)) {
      throw new ScriptSyntaxError(`${script.name}:${line}: there is no option --${name}`);
    }
    given.set(name, option);
  }
  const overrides = callOptions(options);
  for (const name of UNSUPPORTED) {
    if (given.has(name) || overrides[name] !== undefined) throw new UnsupportedFeature(`the option --${name}`);
  }
  const flag = (name: string) => given.has(name) || overrides[name] !== undefined;
  const text = (name: string) => overrides[name] ?? given.get(name)?.value ?? DEFAULTS[name];
  const where = (name: string) => `${script.name}:${given.get(name)?.line ?? 1}: --${name}=${text(name)}`;
  const number = (name: string, least: number, most: number): number => {
    const value = Number(text(name));
    if (text(name) === '' || !Number.isInteger(value) || value < least || value > most) {
      throw new ScriptSyntaxError(`${where(name)} must be an integer in ${least}..${most}`);
    }
    return value;
  };
  const version = ipVersion(text('ip_version') as string);
  if (version === undefined) {
    throw new ScriptSyntaxError(`${where('ip_version')} must be one of ${Object.keys(IP_VERSIONS).join(', ')}`);
  }
  const { family, domain } = version;
  const address = (name: string, otherwise: string): IpAddress => {
    const given = text(name) ?? otherwise;
    const found = IpAddress.parse(given);
    if (found === undefined) throw new ScriptSyntaxError(`${where(name)} is no address`);
    if (found.family !== family) throw new ScriptSyntaxError(`${where(name)} is no address of IPv${family}`);
    return found;
  };
  const mask = text('netmask_ip');
  return {
    toleranceUsecs: number('tolerance_usecs', 0, 1e9),
    local: address('local_ip', version.local),
    remote: address('remote_ip', version.remote),
    // As in packetdrill, IPv6 has no mask.
    bits: family === 6 || mask === undefined ? version.bits : prefixLength(address('netmask_ip', mask)),
    domain,
    mtu: number('mtu', 68, 65_535),
    mss: number('mss', 0, 65_495),
    bindPort: number('bind_port', 1, 65_535),
    connectPort: number('connect_port', 1, 65_535),
    strictSegments: flag('strict_segments'),
    tickUsecs: number('tcp_ts_tick_usecs', 0, 1e6),
    checkEcr: flag('check_ts_ecr'),
    relativeTolerance: percent(text('tolerance_percent') as string, where('tolerance_percent')),
    nonFatal: kinds(text('non_fatal') as string, where('non_fatal')),
    dryRun: flag('dry_run'),
  };
}

function callOptions(options: PacketdrillOptions): Readonly<Record<string, string | undefined>> {
  const { toleranceUsecs, ipVersion: version, localIp, remoteIp, netmaskIp, mtu, settings } = options;
  const given = {
    tolerance_usecs: toleranceUsecs?.toString(),
    ip_version: version,
    local_ip: localIp,
    remote_ip: remoteIp,
    netmask_ip: netmaskIp,
    mtu: mtu?.toString(),
  };
  return { ...settings, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

/** `12.5` is an eighth. @throws ScriptSyntaxError */
function percent(text: string, where: string): number {
  const value = Number(text);
  if (text === '' || !(value >= 0)) throw new ScriptSyntaxError(`${where} must be a number of percent`);
  return value / 100;
}

/** `packet,syscall`. @throws ScriptSyntaxError */
function kinds(text: string, where: string): ('packet' | 'syscall')[] {
  return text.split(',').flatMap((kind) => {
    if (kind === '') return [];
    if (kind === 'packet' || kind === 'syscall') return [kind];
    throw new ScriptSyntaxError(`${where} must name packet, syscall or both, with a comma between`);
  });
}

/** Ones of a netmask. */
function prefixLength(mask: IpAddress): number {
  return Math.clz32(~mask.w3);
}
