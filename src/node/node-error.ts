/** Errors as Node's net words them. */
import { DNSError } from '../net/errors.ts';
import { OpError } from '../net/op-error.ts';
import { TCPAddr } from '../net/tcp-addr.ts';

/** What an error of node:net carries. */
export interface NodeNetError extends Error {
  code: string;
  errno?: number;
  syscall?: string;
  address?: string;
  port?: number;
  /** The name that was looked up in vain. */
  hostname?: string;
}

/** `connect ECONNREFUSED 10.9.0.1:80`, `read ECONNRESET`, with the error of `net/` as its cause; anything else stays as it is. */
export function nodeError(error: Error): Error {
  if (!(error instanceof OpError) || error.code === '') return error;
  if (error.err instanceof DNSError) return lookupError(error, error.err);
  const name = error.syscall ?? (error.op === 'dial' ? 'connect' : error.op);
  // Node says so of writes of several chunks, too.
  const syscall = name === 'writev' ? 'write' : name;
  const target = error.op === 'dial' && error.addr instanceof TCPAddr ? error.addr : undefined;
  const message = target === undefined ? `${syscall} ${error.code}` : `${syscall} ${error.code} ${target}`;
  const made = new Error(message, { cause: error }) as NodeNetError;
  made.code = error.code;
  made.syscall = syscall;
  if (error.errno !== undefined) made.errno = error.errno;
  if (target?.ip !== undefined) made.address = target.ip.toString();
  if (target !== undefined) made.port = target.port;
  return made;
}

/** `getaddrinfo ENOTFOUND name` */
function lookupError(cause: OpError, { code, host }: DNSError): NodeNetError {
  const made = new Error(`getaddrinfo ${code} ${host}`, { cause }) as NodeNetError;
  return Object.assign(made, { code, syscall: 'getaddrinfo', hostname: host });
}

/** What a write gets whose stream was destroyed before it was connected. */
export function closedBeforeConnection(): NodeNetError {
  const error = new Error('Socket closed before the connection was established') as NodeNetError;
  error.code = 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION';
  return error;
}
