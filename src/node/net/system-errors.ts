/** Errors of calls, as Node words libuv's: `read ECONNRESET`, `connect ECONNREFUSED 10.9.0.1:80`. */
import { getSystemErrorMap } from 'node:util';
import type { NodeNetError } from '../node-error.ts';

const names = getSystemErrorMap();

/** `ECONNRESET` for -104. */
export function codeOf(status: number): string {
  return names.get(status)?.[0] ?? `Unknown system error ${status}`;
}

/** `read ECONNRESET`. @param status a negated errno */
export function callError(status: number, syscall: string): NodeNetError {
  const code = codeOf(status);
  return Object.assign(new Error(`${syscall} ${code}`), { errno: status, code, syscall });
}

/** `connect ECONNREFUSED 10.9.0.1:80 - Local (10.9.0.2:4711)`. @param local what stands in the brackets, when there is something */
export function addressError(
  status: number,
  syscall: string,
  address: string | undefined,
  port: number | undefined,
  local?: string,
): NodeNetError {
  const code = codeOf(status);
  const where = port !== undefined && port > 0 ? ` ${address}:${port}` : address ? ` ${address}` : '';
  const from = local === undefined ? '' : ` - Local (${local})`;
  const error = Object.assign(new Error(`${syscall} ${code}${where}${from}`), { errno: status, code, syscall });
  return withAddress(error, address, port);
}

/** `listen EADDRINUSE: address already in use :::80` */
export function listenError(status: number, address: string | null, port: number): NodeNetError {
  const [code, text] = names.get(status) ?? [codeOf(status), 'unknown error'];
  const where = port > 0 ? ` ${address}:${port}` : address ? ` ${address}` : '';
  const made = new Error(`listen ${code}: ${text}${where}`);
  const error = Object.assign(made, { code, errno: status, syscall: 'listen' });
  return withAddress(error, address ?? undefined, port);
}

/** `getaddrinfo ENOTFOUND name` */
export function lookupError(hostname: string, code = 'ENOTFOUND', cause?: unknown): NodeNetError {
  const errno = code === 'ENOTFOUND' ? -3008 : -3001;
  const made = new Error(`getaddrinfo ${code} ${hostname}`, cause === undefined ? undefined : { cause });
  return Object.assign(made, { errno, code, syscall: 'getaddrinfo', hostname });
}

function withAddress(error: NodeNetError, address: string | undefined, port: number | undefined): NodeNetError {
  if (address !== undefined) error.address = address;
  if (port) error.port = port;
  return error;
}
