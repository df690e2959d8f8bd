/** Port texts: numbers as Go reads them, and the names of services. */
import { checkFunction } from '../arguments.ts';
import { AddrError, DNSError } from './errors.ts';
import { checkText } from './host-port.ts';
import type { Services } from './services-file.ts';

/** Go's built-in names, and the few others that a lab uses daily: known without any /etc/services. */
const TCP_SERVICES = new Map([
  ['echo', 7],
  ['discard', 9],
  ['chargen', 19],
  ['ftp', 21],
  ['ssh', 22],
  ['telnet', 23],
  ['smtp', 25],
  ['domain', 53],
  ['gopher', 70],
  ['http', 80],
  ['pop3', 110],
  ['imap2', 143],
  ['imap', 143],
  ['imap3', 220],
  ['https', 443],
  ['submissions', 465],
  ['submission', 587],
  ['ftps', 990],
  ['imaps', 993],
  ['pop3s', 995],
]);
const UDP_SERVICES = new Map([
  ['echo', 7],
  ['discard', 9],
  ['chargen', 19],
  ['domain', 53],
]);

/** Numbers saturate here, as in Go; far outside of the range of ports either way. */
const LIMIT = 1 << 30;

/** A decimal number with an optional sign, the empty text being 0; undefined: a name, to be looked up. */
export function parsePort(text: string): number | undefined {
  const [, sign, digits, rest] = /^([+-]?)([0-9]*)(.*)$/s.exec(text) as unknown as [string, string, string, string];
  // Go: a number that is far too large is read no further, whatever stands behind it.
  if (rest !== '' && Number(digits.slice(0, -1)) < LIMIT) return undefined;
  const value = Number(digits);
  return sign === '-' ? -Math.min(value, LIMIT) | 0 : Math.min(value, LIMIT - 1);
}

/**
 * The port that `service` (a number or a name, in any case) stands for on `network` (tcp, tcp4, tcp6, udp, udp4, udp6; '' and ip are either).
 * `services`: what /etc/services says, which goes before what is built in; asked for when there is a name to look up.
 * @throws AddrError invalid port, unknown network
 * @throws DNSError unknown port
 */
export function lookupPort(network: string, service: string, services?: () => Services): number {
  checkText('lookupPort: network', network);
  checkText('lookupPort: service', service);
  if (services !== undefined) checkFunction('lookupPort: services', services);
  const port = parsePort(service) ?? lookupService(network, service, services);
  if (port < 0 || port > 65_535) throw new AddrError('invalid port', service);
  return port;
}

function lookupService(network: string, service: string, services?: () => Services): number {
  const name = service.toLowerCase();
  // Go: no network, or ip, is either.
  const protocol = network === '' || network === 'ip' ? 'ip' : /^(tcp|udp)[46]?$/.exec(network)?.[1];
  if (protocol === undefined) throw new AddrError('unknown network', network);
  const listed = services?.();
  const tcp = protocol === 'udp' ? undefined : (listed?.get('tcp')?.get(name) ?? TCP_SERVICES.get(name));
  const port = tcp ?? (protocol === 'tcp' ? undefined : (listed?.get('udp')?.get(name) ?? UDP_SERVICES.get(name)));
  if (port === undefined) throw new DNSError('unknown port', `${protocol}/${service}`, { isNotFound: true });
  return port;
}
