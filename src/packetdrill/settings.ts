/** What a script's `--options` and those of the call come to. */
import { IpAddress } from '../wire/address.ts';
import { ScriptSyntaxError, UnsupportedFeature } from './errors.ts';
import type { PacketdrillOptions } from './run.ts';
import type { Script, ScriptOption } from './script.ts';

export interface ScriptSettings {
  readonly toleranceUsecs: number;
  readonly local: IpAddress;
  readonly remote: IpAddress;
  /** Prefix length of the local network. */
  readonly bits: number;
  readonly mtu: number;
  readonly bindPort: number;
  readonly connectPort: number;
  readonly strictSegments: boolean;
  /** 0: timestamps are not compared. */
  readonly tickUsecs: number;
  readonly checkEcr: boolean;
}

/** packetdrill's defaults. */
const DEFAULTS: Readonly<Record<string, string>> = {
  ip_version: 'ipv4',
  tolerance_usecs: '4000',
  local_ip: '192.168.0.1',
  remote_ip: '192.0.2.1',
  netmask_ip: '255.255.0.0',
  mtu: '1500',
  bind_port: '8080',
  connect_port: '8080',
  tcp_ts_tick_usecs: '0',
};
/** Flags: there or not. `check_ts_ecr` is ours. */
const FLAGS = ['strict_segments', 'check_ts_ecr', 'tcp_ts_ecr_scaled'];
/** Of the device and the process that packetdrill needs, which are not here: they change nothing. */
const WITHOUT_MEANING = [
  'mss',
  'gateway_ip',
  'speed',
  'verbose',
  'send_omit_free',
  'persistent_tun_dev',
  'init_scripts',
  'dry_run',
];

/** @throws ScriptSyntaxError, UnsupportedFeature */
export function readSettings(script: Script, options: PacketdrillOptions): ScriptSettings {
  const given = new Map<string, ScriptOption>();
  for (const option of script.options) {
    const { name, line } = option;
    if (!(name in DEFAULTS) && !FLAGS.includes(name) && !WITHOUT_MEANING.includes(name)) {
      throw new ScriptSyntaxError(`${script.name}:${line}: there is no option --${name}`);
    }
    given.set(name, option);
  }
  const overrides = callOptions(options);
  const text = (name: string) => overrides[name] ?? given.get(name)?.value ?? (DEFAULTS[name] as string);
  const where = (name: string) => `${script.name}:${given.get(name)?.line ?? 1}: --${name}=${text(name)}`;
  const number = (name: string, least: number, most: number): number => {
    const value = Number(text(name));
    if (text(name) === '' || !Number.isInteger(value) || value < least || value > most) {
      throw new ScriptSyntaxError(`${where(name)} must be an integer in ${least}..${most}`);
    }
    return value;
  };
  const address = (name: string): IpAddress => {
    const found = IpAddress.parse(text(name));
    if (found === undefined) throw new ScriptSyntaxError(`${where(name)} is no address`);
    if (found.family !== 4) throw new UnsupportedFeature('IPv6');
    return found;
  };
  const version = text('ip_version');
  if (version !== 'ipv4') throw new UnsupportedFeature(version === 'ipv6' ? 'IPv6' : `--ip_version=${version}`);
  return {
    toleranceUsecs: number('tolerance_usecs', 0, 1e9),
    local: address('local_ip'),
    remote: address('remote_ip'),
    bits: prefixLength(address('netmask_ip')),
    mtu: number('mtu', 68, 65_535),
    bindPort: number('bind_port', 1, 65_535),
    connectPort: number('connect_port', 1, 65_535),
    strictSegments: given.has('strict_segments'),
    tickUsecs: number('tcp_ts_tick_usecs', 0, 1e6),
    checkEcr: given.has('check_ts_ecr'),
  };
}

function callOptions(options: PacketdrillOptions): Readonly<Record<string, string | undefined>> {
  const { toleranceUsecs, ipVersion, localIp, remoteIp, netmaskIp, mtu } = options;
  return {
    tolerance_usecs: toleranceUsecs?.toString(),
    ip_version: ipVersion,
    local_ip: localIp,
    remote_ip: remoteIp,
    netmask_ip: netmaskIp,
    mtu: mtu?.toString(),
  };
}

/** Ones of a netmask. */
function prefixLength(mask: IpAddress): number {
  return Math.clz32(~mask.w3);
}
