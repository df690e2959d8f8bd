/** /etc/resolv.conf, as resolv.conf(5) and Go's dnsReadConfig have it. */
import { rooted } from './dns-names.ts';
import { joinHostPort } from './host-port.ts';
import { parseIPAddr } from './ip-addr.ts';

/** How names are asked for. */
export interface DnsConfig {
  /** `host:port` each, in order. */
  readonly servers: readonly string[];
  /** Suffixes, rooted. */
  readonly search: readonly string[];
  /** So many dots in a name, and it is first asked for as it is. */
  readonly ndots: number;
  /** For one question to one server, ms. */
  readonly timeout: number;
  /** How often all servers are gone through. */
  readonly attempts: number;
  /** Each question begins with the next server. */
  readonly rotate: boolean;
  /** TCP from the start. */
  readonly useTcp: boolean;
  /** A and AAAA one after the other. */
  readonly singleRequest: boolean;
  /** Whether questions carry the AD bit. */
  readonly trustAd: boolean;
  /** The file is not read again. */
  readonly noReload: boolean;
}

export const DNS_DEFAULTS: DnsConfig = {
  servers: [],
  search: [],
  ndots: 1,
  timeout: 5000,
  attempts: 2,
  rotate: false,
  useTcp: false,
  singleRequest: false,
  trustAd: false,
  noReload: false,
};

const MAX_SERVERS = 3;
export const MAX_NDOTS = 15;

/** `hostname`: the name of the machine, whose domain is searched when the file names none. */
export function parseResolvConf(text: string, hostname: string): DnsConfig {
  const servers: string[] = [];
  let search: string[] = [];
  let options: Partial<DnsConfig> = {};
  for (const line of text.split('\n')) {
    // A comment is a keyword that nobody knows.
    const [keyword, ...values] = line.split(/[ \t\r]+/).filter((field) => field !== '');
    const first = values[0];
    if (first === undefined) continue;
    if (keyword === 'nameserver' && servers.length < MAX_SERVERS && parseIPAddr(first) !== undefined)
      servers.push(joinHostPort(first, 53));
    else if (keyword === 'domain') search = suffixes([first]);
    else if (keyword === 'search') search = suffixes(values);
    else if (keyword === 'options') options = values.reduce(withOption, options);
  }
  if (servers.length === 0) servers.push('127.0.0.1:53', '[::1]:53');
  if (search.length === 0) search = domainOf(hostname);
  return { ...DNS_DEFAULTS, ...options, servers, search };
}

/** The root is none: every name is asked for without a suffix, too. */
function suffixes(names: readonly string[]): string[] {
  return names.map(rooted).filter((suffix) => suffix !== '.');
}

function domainOf(hostname: string): string[] {
  const dot = hostname.indexOf('.');
  return dot >= 0 && dot < hostname.length - 1 ? [rooted(hostname.slice(dot + 1))] : [];
}

function withOption(options: Partial<DnsConfig>, option: string): Partial<DnsConfig> {
  const [name, value = ''] = option.split(':', 2) as [string, string?];
  // Go: digits up to the first other character; a number of none is 0.
  const number = Number.parseInt(/^[0-9]*/.exec(value)?.[0] || '0', 10);
  switch (name) {
    case 'ndots':
      return { ...options, ndots: Math.min(number, MAX_NDOTS) };
    case 'timeout':
      return { ...options, timeout: Math.max(number, 1) * 1000 };
    case 'attempts':
      return { ...options, attempts: Math.max(number, 1) };
    case 'rotate':
      return { ...options, rotate: true };
    case 'single-request':
    case 'single-request-reopen':
      return { ...options, singleRequest: true };
    case 'use-vc':
    case 'usevc':
    case 'tcp':
      return { ...options, useTcp: true };
    case 'trust-ad':
      return { ...options, trustAd: true };
    case 'no-reload':
      return { ...options, noReload: true };
    default:
      return options;
  }
}
