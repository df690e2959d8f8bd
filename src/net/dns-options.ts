/** The option `dns` of createHost: how names are looked up. Every wrong option is an error that names it. */
import { checkNames, shown } from '../arguments.ts';
import type { Clock } from '../time/clock.ts';
import type { DnsCodec } from './dns-codec.ts';
import { isDomainName, rooted } from './dns-names.ts';
import { joinHostPort, splitHostPort } from './host-port.ts';
import { HostsTable } from './hosts-file.ts';
import { parseIPAddr } from './ip-addr.ts';
import { parsePort } from './ports.ts';
import { DNS_DEFAULTS, type DnsConfig, MAX_NDOTS, parseResolvConf } from './resolv-conf.ts';
import { parseServices, type Services } from './services-file.ts';
import { SystemFile, type SystemFiles } from './system-files.ts';

/** The names are those of resolv.conf(5). */
export interface DnsOptions {
  /** Literals, with a port when it is not 53: `10.9.0.1`, `10.9.0.1:5353`, `fe80::1%eth0`, `[fd00::1]:5353`. Default: none, and only `hosts` is known. */
  readonly servers?: readonly string[] | undefined;
  /** Suffixes for names with fewer than `ndots` dots, and for others that do not exist. Default: none. */
  readonly search?: readonly string[] | undefined;
  /** So many dots in a name, and it is first asked for as it is: 0..15. Default: 1. */
  readonly ndots?: number | undefined;
  /** For one question to one server, ms. Default: 5,000. */
  readonly timeout?: number | undefined;
  /** How often all servers are gone through. Default: 2. */
  readonly attempts?: number | undefined;
  /** Each question begins with the next server. Default: false. */
  readonly rotate?: boolean | undefined;
  /** Asks over TCP from the start. Default: false. */
  readonly useTcp?: boolean | undefined;
  /** Asks for A and AAAA one after the other. Default: false. */
  readonly singleRequest?: boolean | undefined;
  /** Sets the AD bit in questions. Default: false. */
  readonly trustAd?: boolean | undefined;
  /** Names that are known without asking: `{ db: '10.9.0.7', web: ['10.9.0.8', 'fd00::8'] }`; or the machine's /etc/hosts: `system`. Default: none. */
  readonly hosts?: Readonly<Record<string, string | readonly string[]>> | 'system' | undefined;
}

export interface DnsHostOptions {
  /** Default: nothing but `localhost` is known, and nobody is asked. `system`: as the machine's /etc/resolv.conf and /etc/hosts have it. */
  readonly dns?: DnsOptions | 'system' | undefined;
  /** Reads and writes DNS messages. Default: none, and so no `dns` with servers; `createHost` of `tunstack/node` has one. */
  readonly dnsCodec?: DnsCodec | undefined;
  /** Reads the machine's files: /etc/services, and what `system` names. Default: none; `createHost` of `tunstack/node` has one. */
  readonly systemFiles?: SystemFiles | undefined;
}

export interface DnsPlan {
  readonly codec: DnsCodec | undefined;
  readonly config: () => DnsConfig;
  readonly hosts: () => HostsTable;
  readonly services: () => Services;
}

const NAMES: readonly (keyof DnsOptions)[] = [
  'servers',
  'search',
  'ndots',
  'timeout',
  'attempts',
  'rotate',
  'useTcp',
  'singleRequest',
  'trustAd',
  'hosts',
];

/** @throws TypeError, RangeError naming the option */
export function dnsPlanOf({ dns = {}, dnsCodec, systemFiles }: DnsHostOptions, clock: Clock): DnsPlan {
  checkCodec(dnsCodec);
  checkFiles(systemFiles);
  if (dns !== 'system' && (typeof dns !== 'object' || dns === null || Array.isArray(dns)))
    throw new TypeError(`createHost: dns must be 'system' or an object { servers, search, ... }; got ${shown(dns)}`);
  const services = systemFiles && new SystemFile(systemFiles, '/etc/services', clock, parseServices);
  const noServices: Services = new Map();
  const given = dns === 'system' ? undefined : configOf(dns);
  if (dnsCodec === undefined && (given === undefined || given.servers.length > 0))
    throw new TypeError('createHost: dns needs a dnsCodec; createHost of tunstack/node has one');
  return {
    codec: dnsCodec,
    config: given === undefined ? systemConfig(needed(systemFiles, 'dns'), clock) : () => given,
    hosts: hostsOf(dns === 'system' ? 'system' : dns.hosts, systemFiles, clock),
    services: () => services?.value ?? noServices,
  };
}

function systemConfig(files: SystemFiles, clock: Clock): () => DnsConfig {
  const file = new SystemFile(files, '/etc/resolv.conf', clock, (text) => parseResolvConf(text, files.hostname()));
  return () => {
    const config = file.value;
    file.reloads = !config.noReload;
    return config;
  };
}

function needed(files: SystemFiles | undefined, option: string): SystemFiles {
  if (files !== undefined) return files;
  throw new TypeError(`createHost: ${option} 'system' needs systemFiles; createHost of tunstack/node has some`);
}

function checkCodec(codec: DnsCodec | undefined): void {
  if (codec === undefined || (typeof codec?.encodeQuery === 'function' && typeof codec.decode === 'function')) return;
  throw new TypeError('createHost: dnsCodec must be a DnsCodec { encodeQuery, decode }');
}

function checkFiles(files: SystemFiles | undefined): void {
  const names = ['stamp', 'read', 'hostname'] as const;
  if (files !== undefined && names.some((name) => typeof files?.[name] !== 'function'))
    throw new TypeError(`createHost: systemFiles must be a SystemFiles { ${names.join(', ')} }`);
}

function configOf(options: DnsOptions): DnsConfig {
  checkNames('createHost: dns', options, NAMES);
  const { ndots = DNS_DEFAULTS.ndots, timeout = DNS_DEFAULTS.timeout, attempts = DNS_DEFAULTS.attempts } = options;
  if (!Number.isInteger(ndots) || ndots < 0 || ndots > MAX_NDOTS)
    throw new RangeError(`createHost: dns.ndots must be an integer from 0 to ${MAX_NDOTS}, got ${shown(ndots)}`);
  if (!(typeof timeout === 'number' && timeout > 0 && timeout < Infinity))
    throw new RangeError(`createHost: dns.timeout must be a number of ms > 0, got ${shown(timeout)}`);
  if (!Number.isInteger(attempts) || attempts < 1)
    throw new RangeError(`createHost: dns.attempts must be an integer >= 1, got ${shown(attempts)}`);
  return {
    ...DNS_DEFAULTS,
    servers: listOf('servers', options.servers).map(serverOf),
    search: listOf('search', options.search).map(suffixOf),
    ndots,
    timeout,
    attempts,
    rotate: flagOf('rotate', options.rotate),
    useTcp: flagOf('useTcp', options.useTcp),
    singleRequest: flagOf('singleRequest', options.singleRequest),
    trustAd: flagOf('trustAd', options.trustAd),
  };
}

function listOf(name: string, list: readonly string[] | undefined): readonly string[] {
  if (list === undefined) return [];
  if (Array.isArray(list) && list.every((text) => typeof text === 'string')) return list;
  throw new TypeError(`createHost: dns.${name} must be an array of strings`);
}

function flagOf(name: string, value: boolean | undefined): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  throw new TypeError(`createHost: dns.${name} must be true or false, got ${shown(value)}`);
}

function serverOf(text: string): string {
  const server = parseIPAddr(text) === undefined ? text : joinHostPort(text, 53);
  try {
    const { host, port } = splitHostPort(server);
    const number = parsePort(port);
    if (parseIPAddr(host) !== undefined && number !== undefined && number > 0 && number <= 65_535) return server;
  } catch {
    // The message below says what is expected.
  }
  throw new TypeError(`createHost: dns.servers: ${text} is not an address, or an address with a port: '10.9.0.1:53'`);
}

function suffixOf(text: string): string {
  if (isDomainName(text) && text !== '.') return rooted(text);
  throw new TypeError(`createHost: dns.search: ${text} is not a domain name`);
}

function hostsOf(hosts: DnsOptions['hosts'], files: SystemFiles | undefined, clock: Clock): () => HostsTable {
  if (hosts === 'system') {
    const file = new SystemFile(needed(files, 'dns.hosts'), '/etc/hosts', clock, HostsTable.parse);
    return () => file.value;
  }
  const table = new HostsTable();
  if (hosts !== undefined && (typeof hosts !== 'object' || hosts === null || Array.isArray(hosts)))
    throw new TypeError("createHost: dns.hosts must be 'system' or an object { name: address }");
  for (const [name, given] of Object.entries(hosts ?? {})) {
    for (const text of Array.isArray(given) ? given : [given]) {
      const address = typeof text === 'string' ? parseIPAddr(text) : undefined;
      if (address === undefined) throw new TypeError(`createHost: dns.hosts.${name}: ${shown(text)} is not an address`);
      table.add(address, [name]);
    }
  }
  return () => table;
}
