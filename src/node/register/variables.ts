/**
 * The environment variables of `tunstack/register`, read and held against what they may be before anything is opened, so that a mistake is told by the
 * name of its variable.
 */
import { IpAddress, type Prefix, parsePrefix } from '../../wire/address.ts';

/** The variables, for people who misspell one. */
const NAMES = [
  'TUNSTACK_TUN',
  'TUNSTACK_ADDRESS',
  'TUNSTACK_PEER',
  'TUNSTACK_GATEWAY',
  'TUNSTACK_MTU',
  'TUNSTACK_DNS',
  'TUNSTACK_PCAP',
  'TUNSTACK_SYSCTL',
] as const;

/** What acts on a device, and would be nothing without one. */
const OF_A_DEVICE = ['TUNSTACK_TUN', 'TUNSTACK_PEER', 'TUNSTACK_GATEWAY', 'TUNSTACK_MTU', 'TUNSTACK_PCAP'] as const;

/** Of the tests and of the lab, and the mark that children know themselves by. */
const IGNORED = /^TUNSTACK_(REGISTERED$|LONG|REQUIRE_|FAMILY|SEED|JOBS|BENCH)/;

const PREFIXES = 'addresses with the lengths of their prefixes, such as 10.9.0.2/24,2001:db8::2/64';
const ADDRESSES = 'addresses, such as 10.9.0.1,2001:db8::1';

export type Environment = Readonly<Record<string, string | undefined>>;
type Name = (typeof NAMES)[number];

/** A variable that is wrong. The message names it, and says what was expected and what was found. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}

/** Where the program is to be: on a device. */
export interface DeviceSettings {
  readonly name: string | undefined;
  readonly addresses: readonly string[];
  readonly peers: readonly string[];
  readonly gateways: readonly string[];
  readonly mtu: number | undefined;
  readonly pcap: string | undefined;
}

/** @throws SettingError for a name that begins as ours do, and is none */
export function checkNames(environment: Environment): void {
  for (const name of Object.keys(environment)) {
    if (name.startsWith('TUNSTACK_') && !(NAMES as readonly string[]).includes(name) && !IGNORED.test(name))
      throw new SettingError(`there is no ${name}; there are ${NAMES.join(', ')}`);
  }
}

/** undefined: without a device, in memory. @throws SettingError */
export function deviceSettings(environment: Environment): DeviceSettings | undefined {
  const { TUNSTACK_ADDRESS: address, TUNSTACK_PEER: peer, TUNSTACK_GATEWAY: gateway } = environment;
  const { TUNSTACK_TUN: name, TUNSTACK_PCAP: pcap } = environment;
  if (address === undefined) {
    const lonely = OF_A_DEVICE.find((one) => environment[one] !== undefined);
    if (lonely === undefined) return undefined;
    throw new SettingError(`${lonely} needs TUNSTACK_ADDRESS, such as 10.9.0.2/24,2001:db8::2/64`);
  }
  if (name !== undefined && !isDeviceName(name))
    throw wrong('TUNSTACK_TUN', "a device's name: 1 to 15 bytes without spaces, / and :", name);
  if (pcap === '') throw wrong('TUNSTACK_PCAP', 'the name of a file', pcap);
  const own = prefixesOf('TUNSTACK_ADDRESS', address);
  const others = peer === undefined ? [] : prefixesOf('TUNSTACK_PEER', peer);
  const same = others.find((one) => own.some((mine) => mine.address.equals(one.address)));
  if (same !== undefined)
    throw new SettingError(
      `TUNSTACK_PEER is the kernel's end, but ${same.address} is the host's own (TUNSTACK_ADDRESS)`,
    );
  return {
    name,
    addresses: listOf(address),
    peers: peer === undefined ? [] : listOf(peer),
    gateways: gateway === undefined ? others.map((one) => one.address.toString()) : gatewaysOf(gateway, own),
    mtu: mtuOf(environment['TUNSTACK_MTU']),
    pcap,
  };
}

/** @throws SettingError */
export function dnsServers(environment: Environment): string[] | 'system' {
  const { TUNSTACK_DNS: text = 'system' } = environment;
  if (text === '') throw wrong('TUNSTACK_DNS', 'system, or addresses of servers, such as 10.9.0.1,10.9.0.3:5353', text);
  return text === 'system' ? 'system' : listOf(text);
}

/** `tcp_sack=false,tcp_congestion_control=bbr,tcp_rmem=4096 131072 6291456` @throws SettingError */
export function sysctlOf(environment: Environment): Record<string, unknown> {
  const { TUNSTACK_SYSCTL: text } = environment;
  if (text === undefined) return {};
  const pairs = listOf(text).map((one) => {
    const [name, value, ...more] = one.split('=');
    if (name === undefined || value === undefined || more.length > 0)
      throw wrong('TUNSTACK_SYSCTL', 'name=value,..., such as tcp_sack=false,tcp_congestion_control=bbr', text);
    return [name, settingOf(value)] as const;
  });
  return Object.fromEntries(pairs);
}

function settingOf(value: string): unknown {
  if (value === 'true' || value === 'false') return value === 'true';
  if (/^-?\d+$/.test(value)) return Number(value);
  const parts = value.split(' ');
  return parts.length > 1 && parts.every((part) => /^\d+$/.test(part)) ? parts.map(Number) : value;
}

/** As the kernel takes them for interfaces. */
function isDeviceName(name: string): boolean {
  return /^[^\s/:]+$/.test(name) && name !== '.' && name !== '..' && new TextEncoder().encode(name).length <= 15;
}

function prefixesOf(variable: Name, text: string): Prefix[] {
  return listOf(text).map((one) => {
    const prefix = parsePrefix(one);
    if (prefix === undefined) throw wrong(variable, PREFIXES, text);
    return prefix;
  });
}

function gatewaysOf(text: string, own: readonly Prefix[]): string[] {
  const gateways = listOf(text);
  for (const one of gateways) {
    const gateway = IpAddress.parse(one);
    if (gateway === undefined) throw wrong('TUNSTACK_GATEWAY', ADDRESSES, text);
    if (own.some(({ address }) => address.equals(gateway)))
      throw new SettingError(`TUNSTACK_GATEWAY must be somebody else: ${one} is the host's own (TUNSTACK_ADDRESS)`);
  }
  return gateways;
}

function mtuOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const mtu = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (mtu < 68 || mtu > 65_535) throw wrong('TUNSTACK_MTU', 'an integer from 68 to 65535 (bytes)', text);
  return mtu;
}

function listOf(text: string): string[] {
  return text.split(',').map((one) => one.trim());
}

function wrong(variable: Name, expected: string, text: string): SettingError {
  return new SettingError(`${variable} must be ${expected}; got ${text === '' ? 'nothing' : text}`);
}
