/** What `tunstack/register` is told by environment variables: the host that the program runs on. */
import { openSync, writeSync } from 'node:fs';
import type { Host } from '../../host.ts';
import { captured } from '../../link/captured.ts';
import type { Link } from '../../link/link.ts';
import { openTun } from '../../link/tun.ts';
import type { HostOptions } from '../../net/host-options.ts';
import type { RouteOptions } from '../../net/route-options.ts';
import { createHost } from '../host.ts';

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
  'TUNSTACK_REGISTERED',
];

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Makes the host: on a TUN device when there is a `TUNSTACK_TUN` or a `TUNSTACK_ADDRESS`, else one in memory that owns 127.0.0.0/8 and ::1.
 * @throws Error naming the variable that is wrong, TunError
 */
export function hostOf(environment: Environment): Host {
  for (const name of Object.keys(environment)) {
    if (name.startsWith('TUNSTACK_') && !NAMES.includes(name) && !IGNORED.test(name))
      throw new Error(`tunstack/register: there is no ${name}; there are ${NAMES.slice(0, -1).join(', ')}`);
  }
  const { TUNSTACK_DNS: dns = 'system', TUNSTACK_SYSCTL: sysctl } = environment;
  const common: HostOptions = {
    dns: dns === 'system' ? 'system' : { servers: listOf(dns) },
    ...(sysctl === undefined ? {} : { sysctl: sysctlOf(sysctl) }),
  };
  const { TUNSTACK_TUN: name, TUNSTACK_ADDRESS: address } = environment;
  if (name === undefined && address === undefined) return createHost({ ...common, loopback: true });
  if (address === undefined)
    throw new Error('tunstack/register: TUNSTACK_TUN needs TUNSTACK_ADDRESS, such as 10.9.0.2/24,2001:db8::2/64');
  return onTun(environment, name, listOf(address), common);
}

/** Of the tests, and of the lab. */
const IGNORED = /^TUNSTACK_(LONG|REQUIRE_|FAMILY|SEED|JOBS|BENCH)/;

function onTun(
  environment: Environment,
  name: string | undefined,
  addresses: readonly string[],
  common: HostOptions,
): Host {
  const { TUNSTACK_PEER: peer, TUNSTACK_GATEWAY: gateway, TUNSTACK_MTU: mtu, TUNSTACK_PCAP: pcap } = environment;
  const peers = peer === undefined ? [] : listOf(peer);
  const device = openTun({
    ...(name === undefined ? {} : { name }),
    ...(peers[0] === undefined ? {} : { address: peers[0] }),
    ...(mtu === undefined ? {} : { mtu: integerOf('TUNSTACK_MTU', mtu) }),
  });
  for (const other of peers.slice(1)) device.setAddress(other);
  const gateways = gateway === undefined ? peers.map((text) => text.split('/')[0] as string) : listOf(gateway);
  const link = pcap === undefined ? device : captureTo(pcap, device);
  return createHost({ ...common, link, address: addresses, routes: gateways.map(defaultRoute) });
}

function defaultRoute(via: string): RouteOptions {
  return { destination: via.includes(':') ? '::/0' : '0.0.0.0/0', via };
}

function captureTo(path: string, link: Link): Link {
  const file = openSync(path, 'w');
  return captured(link, { write: (bytes) => writeSync(file, bytes) });
}

function listOf(text: string): string[] {
  return text.split(',').map((one) => one.trim());
}

function integerOf(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`tunstack/register: ${name} must be an integer, got ${text}`);
  return Number(text);
}

/** `tcp_sack=false,tcp_congestion_control=bbr,tcp_rmem=4096 131072 6291456` */
function sysctlOf(text: string): NonNullable<HostOptions['sysctl']> {
  const pairs = listOf(text).map((one) => {
    const [name, value, ...more] = one.split('=');
    if (name === undefined || value === undefined || more.length > 0)
      throw new Error(`tunstack/register: TUNSTACK_SYSCTL must be name=value,..., got ${one}`);
    return [name, settingOf(value)] as const;
  });
  return Object.fromEntries(pairs) as NonNullable<HostOptions['sysctl']>;
}

function settingOf(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  if (/^-?\d+$/.test(text)) return Number(text);
  const parts = text.split(' ');
  return parts.length > 1 && parts.every((part) => /^\d+$/.test(part)) ? parts.map(Number) : text;
}
