/**
 * The errors of `net/`, with Go's texts to the letter: the message says which operation, between whom, and why.
 *
 * Every class has `timeout` and `temporary`, as Go's net.Error; the ones with a cause in the system carry Node's `code`, `errno`
 * (negative, so that `util.getSystemErrorName` reads it) and `syscall` too. Tell errors apart by `code`, class or identity with
 * the constants below, never by text.
 */
import { EAGAIN, EINTR, EMFILE, ENFILE, ETIMEDOUT, errnoName, errnoText } from '../socket/errno.ts';

/** What an error of `net/` says about itself. */
export interface NetError extends Error {
  /** Waiting longer might have helped. */
  readonly timeout: boolean;
  /** The same call may succeed later. */
  readonly temporary: boolean;
  /** Stable, for programs: `ECONNREFUSED`, `ERR_CLOSED`, ... */
  readonly code: string;
}

/** The connection or listener was closed on this side (Go: net.ErrClosed). */
export class ClosedError extends Error implements NetError {
  override readonly name = 'ClosedError';
  readonly code = 'ERR_CLOSED';
  readonly timeout = false;
  readonly temporary = false;

  constructor() {
    super('use of closed network connection');
  }
}

/** A deadline set on a connection or listener passed (Go: os.ErrDeadlineExceeded). */
export class DeadlineExceededError extends Error implements NetError {
  override readonly name = 'DeadlineExceededError';
  readonly code = 'ERR_DEADLINE_EXCEEDED';
  readonly timeout = true;
  readonly temporary = true;

  constructor() {
    super('i/o timeout');
  }
}

/** The time given to a dial ran out (Go: context.DeadlineExceeded); the same text as a deadline's, and another error. */
export class DialTimeoutError extends Error implements NetError {
  override readonly name = 'DialTimeoutError';
  readonly code = 'ERR_DIAL_TIMEOUT';
  readonly timeout = true;
  readonly temporary = true;

  /** `cause`: the reason of the signal that ended the dial, when there was one. */
  constructor(cause?: unknown) {
    super('i/o timeout', cause === undefined ? undefined : { cause });
  }
}

/** An AbortSignal ended the operation (Go: context.Canceled); `cause` is the signal's reason. */
export class CanceledError extends Error implements NetError {
  override readonly name = 'CanceledError';
  readonly code = 'ABORT_ERR';
  readonly timeout = false;
  readonly temporary = false;

  constructor(reason?: unknown) {
    super('operation was canceled', { cause: reason });
  }
}

/** Either end of a `pipe()` was closed (Go: io.ErrClosedPipe). */
export class ClosedPipeError extends Error implements NetError {
  override readonly name = 'ClosedPipeError';
  readonly code = 'ERR_CLOSED_PIPE';
  readonly timeout = false;
  readonly temporary = false;
  /** Bytes that had been read of a write before. */
  readonly bytesWritten: number;

  constructor(bytesWritten = 0) {
    super('io: read/write on closed pipe');
    this.bytesWritten = bytesWritten;
  }
}

/** `writeTo` on a connection that has a peer (Go: net.ErrWriteToConnected). */
export class WriteToConnectedError extends Error implements NetError {
  override readonly name = 'WriteToConnectedError';
  readonly code = 'ERR_WRITE_TO_CONNECTED';
  readonly timeout = false;
  readonly temporary = false;

  constructor() {
    super('use of WriteTo with pre-connected connection');
  }
}

export const errWriteToConnected: WriteToConnectedError = withoutStack(new WriteToConnectedError());
export const errClosed: ClosedError = withoutStack(new ClosedError());
export const errDeadlineExceeded: DeadlineExceededError = withoutStack(new DeadlineExceededError());
export const errTimeout: DialTimeoutError = withoutStack(new DialTimeoutError());

/** The one error of each kind is made when the module loads: its stack would lead nowhere. */
function withoutStack<E extends Error>(error: E): E {
  error.stack = `${error.name}: ${error.message}`;
  return error;
}

/** The error of an aborted signal: a timeout when the signal is an `AbortSignal.timeout`, else a cancellation. */
export function abortError(signal: AbortSignal): CanceledError | DialTimeoutError {
  const reason: unknown = signal.reason;
  // One of ours, handed on: it is the error that it stands for.
  if (reason instanceof CanceledError || reason instanceof DialTimeoutError) return reason;
  const timedOut = reason instanceof Error && reason.name === 'TimeoutError';
  return timedOut ? new DialTimeoutError(reason) : new CanceledError(reason);
}

/** An error number of the socket layer, bare (Go: syscall.Errno). */
export class Errno extends Error implements NetError {
  override readonly name = 'Errno';
  /** Node's: the negative of POSIX's. */
  readonly errno: number;
  readonly code: string;
  readonly timeout: boolean;
  readonly temporary: boolean;

  /** `errno`: positive, as in `socket/errno.ts`. */
  constructor(errno: number) {
    super(errnoText(errno));
    this.errno = -errno;
    this.code = errnoName(errno);
    this.timeout = errno === ETIMEDOUT || errno === EAGAIN;
    this.temporary = this.timeout || errno === EINTR || errno === EMFILE || errno === ENFILE;
  }
}

/** A socket call that failed: `connect: connection refused` (Go: os.SyscallError). */
export class SyscallError extends Error implements NetError {
  override readonly name = 'SyscallError';
  readonly syscall: string;
  readonly err: Errno;

  /** `errno`: positive. */
  constructor(syscall: string, errno: number) {
    const err = new Errno(errno);
    super(`${syscall}: ${err.message}`, { cause: err });
    this.syscall = syscall;
    this.err = err;
  }

  get errno(): number {
    return this.err.errno;
  }

  get code(): string {
    return this.err.code;
  }

  get timeout(): boolean {
    return this.err.timeout;
  }

  get temporary(): boolean {
    return this.err.temporary;
  }
}

/** An address text that cannot be read or used; `addr` is the text, or the part of it that is wrong. */
export class AddrError extends Error implements NetError {
  override readonly name = 'AddrError';
  readonly code = 'ERR_ADDRESS';
  readonly timeout = false;
  readonly temporary = false;
  readonly err: string;
  readonly addr: string;

  constructor(err: string, addr: string) {
    super(addr === '' ? err : `address ${addr}: ${err}`);
    this.err = err;
    this.addr = addr;
  }
}

/** A literal that is not what `type` says: `invalid CIDR address: 10.9.0.2`. */
export class ParseError extends Error implements NetError {
  override readonly name = 'ParseError';
  readonly code = 'ERR_PARSE';
  readonly timeout = false;
  readonly temporary = false;
  readonly type: string;
  readonly text: string;

  constructor(type: string, text: string) {
    super(`invalid ${type}: ${text}`);
    this.type = type;
    this.text = text;
  }
}

/** A network name that is not one of tcp, tcp4, tcp6. */
export class UnknownNetworkError extends Error implements NetError {
  override readonly name = 'UnknownNetworkError';
  readonly code = 'ERR_UNKNOWN_NETWORK';
  readonly timeout = false;
  readonly temporary = false;
  readonly network: string;

  constructor(network: string) {
    super(`unknown network ${network}`);
    this.network = network;
  }
}

/** An address value that makes no sense; the message is all there is. */
export class InvalidAddrError extends Error implements NetError {
  override readonly name = 'InvalidAddrError';
  readonly code = 'ERR_INVALID_ADDRESS';
  readonly timeout = false;
  readonly temporary = false;
}

export interface DNSErrorDetails {
  /** The server asked. */
  server?: string;
  isTimeout?: boolean;
  isTemporary?: boolean;
  /** The name does not exist, as opposed to: nobody answered. */
  isNotFound?: boolean;
  cause?: unknown;
}

/** A name (or the name of a port) that cannot be resolved: `lookup NAME on SERVER: no such host`. */
export class DNSError extends Error implements NetError {
  override readonly name = 'DNSError';
  readonly err: string;
  /** The name looked up. */
  readonly host: string;
  readonly server: string;
  readonly isTimeout: boolean;
  readonly isTemporary: boolean;
  readonly isNotFound: boolean;

  constructor(err: string, host: string, details: DNSErrorDetails = {}) {
    const server = details.server ?? '';
    const options = details.cause === undefined ? undefined : { cause: details.cause };
    super(`lookup ${host}${server === '' ? '' : ` on ${server}`}: ${err}`, options);
    this.err = err;
    this.host = host;
    this.server = server;
    this.isTimeout = details.isTimeout ?? false;
    this.isTemporary = details.isTemporary ?? false;
    this.isNotFound = details.isNotFound ?? false;
  }

  get code(): string {
    if (this.isNotFound) return 'ENOTFOUND';
    return this.isTimeout ? 'ETIMEOUT' : 'ERR_LOOKUP';
  }

  get timeout(): boolean {
    return this.isTimeout;
  }

  get temporary(): boolean {
    return this.isTimeout || this.isTemporary;
  }
}
