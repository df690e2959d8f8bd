/**
 * What can go wrong with a TUN device, as an error that says what happened, to whom, and what to do.
 */
import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';

/** Linux's numbers that `node:os` has no constants for; they are the same on every machine that runs Node.js. */
export const EBADFD = 77;

export const { EAGAIN, EBADF, EBUSY, EFAULT, EINTR, EINVAL, EIO, ENODEV, ENOENT, EPERM, EACCES } = constants.errno;

/** The texts that a reader meets most; the others are told by their name. */
const TEXTS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EADDRNOTAVAIL: 'address not available',
  EBADFD: 'the device is gone',
  EBUSY: 'device busy',
  EINVAL: 'invalid argument',
  ENETDOWN: 'network is down',
  ENODEV: 'no such device',
  ENOENT: 'no such file',
  EPERM: 'operation not permitted',
};

interface TunErrorOptions {
  /** What to do about it, for the end of the message. */
  readonly advice?: string;
  readonly cause?: unknown;
}

/** `code` is the errno's name (`EPERM`, `EBUSY`, ...), or `ERR_INVALID_ARG_VALUE` for a wrong argument. */
export class TunError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options: TunErrorOptions = {}) {
    super(
      options.advice === undefined ? message : `${message}: ${options.advice}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = 'TunError';
    this.code = code;
  }
}

/** `EPERM` for 1. */
export function errnoName(errno: number): string {
  return errno === EBADFD ? 'EBADFD' : getSystemErrorName(-errno);
}

/** `<what>: operation not permitted (EPERM)`, with the advice behind it. */
export function systemError(what: string, errno: number, advice?: string): TunError {
  const code = errnoName(errno);
  const text = TEXTS[code];
  const message = text === undefined ? `${what}: ${code}` : `${what}: ${text} (${code})`;
  return new TunError(code, message, advice === undefined ? {} : { advice });
}

/** A wrong argument, found before anything was opened. */
export function wrongArgument(message: string): TunError {
  return new TunError('ERR_INVALID_ARG_VALUE', message);
}
