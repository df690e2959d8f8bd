/** `host:port` texts: taken apart and put together as Go's SplitHostPort and JoinHostPort do. */
import { shown } from '../arguments.ts';
import { AddrError } from './errors.ts';

export interface HostPort {
  /** Without brackets; with its %zone; may be empty. */
  readonly host: string;
  /** As written: a number, a service name, or empty. */
  readonly port: string;
}

/**
 * Takes `host:port`, `[host]:port` or `[ipv6%zone]:port` apart at the last colon. A host with a colon in it must be in brackets.
 * @throws TypeError for what is no text
 * @throws AddrError missing port in address, too many colons in address, missing ']' in address, unexpected '[' in address,
 * unexpected ']' in address
 */
export function splitHostPort(address: string): HostPort {
  checkText('splitHostPort: address', address);
  const colon = address.lastIndexOf(':');
  if (colon < 0) throw new AddrError('missing port in address', address);
  const bracketed = address.startsWith('[');
  const end = bracketed ? endOfBrackets(address, colon) : colon;
  const host = address.slice(bracketed ? 1 : 0, end);
  if (!bracketed && host.includes(':')) throw new AddrError('too many colons in address', address);
  // The brackets that were meant are behind us: any other is a slip.
  if (address.includes('[', bracketed ? 1 : 0)) throw new AddrError("unexpected '[' in address", address);
  if (address.includes(']', bracketed ? end + 1 : 0)) throw new AddrError("unexpected ']' in address", address);
  return { host, port: address.slice(colon + 1) };
}

/** Where the `]` stands that closes a leading `[`; it must stand just before the last colon. */
function endOfBrackets(address: string, colon: number): number {
  const end = address.indexOf(']');
  if (end < 0) throw new AddrError("missing ']' in address", address);
  if (end + 1 === colon) return end;
  // Either nothing or no colon follows the bracket, or a colon does that is not the last.
  const tooMany = address[end + 1] === ':';
  throw new AddrError(tooMany ? 'too many colons in address' : 'missing port in address', address);
}

/** `host:port`; a host with a colon in it (an IPv6 address, with or without zone) gets brackets. */
export function joinHostPort(host: string, port: string | number): string {
  checkText('joinHostPort: host', host);
  if (typeof port !== 'string' && typeof port !== 'number')
    throw new TypeError(`joinHostPort: port must be a string or a number, got ${shown(port)}`);
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** @throws TypeError */
export function checkText(what: string, text: unknown): void {
  if (typeof text !== 'string')
    throw new TypeError(`${what} must be a string, got ${text === null ? 'null' : typeof text}`);
}
