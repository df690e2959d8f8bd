/** The host that a program is to run on, as environment variables say (docs/api.md has their table). */
import { openSync, readFileSync, writeSync } from 'node:fs';
import type { Host } from '../../host.ts';
import { captured } from '../../link/captured.ts';
import type { Link } from '../../link/link.ts';
import { openTun } from '../../link/tun.ts';
import type { HostOptions } from '../../net/host-options.ts';
import type { RouteOptions } from '../../net/route-options.ts';
import { createHost } from '../host.ts';
import {
  checkNames,
  type DeviceSettings,
  deviceSettings,
  dnsServers,
  type Environment,
  SettingError,
  sysctlOf,
} from './variables.ts';

/** Which variable an option of `createHost` comes from. */
const ORIGINS = [
  [/^createHost: dns\.servers:? ?/, 'TUNSTACK_DNS: '],
  [/^createHost: sysctl\./, 'TUNSTACK_SYSCTL: '],
  [/^createHost: routes\[\d+\]\.via:? ?/, 'TUNSTACK_GATEWAY: '],
  [/^createHost: address:? ?/, 'TUNSTACK_ADDRESS '],
] as const;

/**
 * Makes the host: on a TUN device when there is a `TUNSTACK_ADDRESS`, else one in memory that owns 127.0.0.0/8 and ::1.
 * @throws SettingError naming the variable that is wrong, TunError
 */
export function hostOf(environment: Environment): Host {
  checkNames(environment);
  const settings = deviceSettings(environment);
  const servers = dnsServers(environment);
  const common: HostOptions = {
    dns: servers === 'system' ? 'system' : { servers },
    sysctl: sysctlOf(environment) as NonNullable<HostOptions['sysctl']>,
  };
  try {
    return settings === undefined ? createHost({ ...common, loopback: true }) : onTun(settings, common);
  } catch (error) {
    throw error instanceof TypeError ? byVariable(error) : error;
  }
}

function byVariable(error: TypeError): Error {
  const origin = ORIGINS.find(([option]) => option.test(error.message));
  if (origin === undefined) return error;
  const [option, variable] = origin;
  return new SettingError(error.message.replace(option, variable), { cause: error });
}

function onTun(settings: DeviceSettings, common: HostOptions): Host {
  const { name, addresses, peers, gateways, mtu, pcap } = settings;
  const file = pcap === undefined ? undefined : openCapture(pcap);
  const isNew = name === undefined || !isThere(name);
  const device = openTun({
    ...(name === undefined ? {} : { name }),
    ...(peers[0] === undefined ? {} : { address: peers[0] }),
    ...(mtu === undefined ? {} : { mtu }),
  });
  for (const other of peers.slice(1)) device.setAddress(other);
  if (isNew && peers.length === 0) process.emitWarning(lonely(device.name), { type: 'TunstackWarning' });
  const link = file === undefined ? device : captureTo(file, device);
  return createHost({ ...common, link, address: addresses, routes: gateways.map(defaultRoute) });
}

/** Whether this namespace has an interface of that name. */
function isThere(name: string): boolean {
  return readFileSync('/proc/net/dev', 'utf8')
    .split('\n')
    .some((line) => line.trimStart().startsWith(`${name}:`));
}

const lonely = (name: string) =>
  `the device ${name} is new, and the kernel has no address on it: TUNSTACK_PEER gives it one, or: ip address add 10.9.0.1/24 dev ${name}`;

function defaultRoute(via: string): RouteOptions {
  return { destination: via.includes(':') ? '::/0' : '0.0.0.0/0', via };
}

function openCapture(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (error) {
    const { message } = error as Error;
    throw new SettingError(`TUNSTACK_PCAP must be a file that can be written; got ${path} (${message})`, {
      cause: error,
    });
  }
}

function captureTo(file: number, link: Link): Link {
  return captured(link, { write: (bytes) => writeSync(file, bytes) });
}
