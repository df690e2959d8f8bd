/**
 * What can go wrong with a raw link, as an error that says what happened, to whom, and what to do.
 */

interface RawErrorOptions {
  /** What to do about it, for the end of the message. */
  readonly advice?: string | undefined;
  readonly cause?: unknown;
}

/** `code` is the errno's name (`EPERM`, `EADDRINUSE`, ...), `ERR_INVALID_ARG_VALUE` for a wrong argument, `ERR_DLOPEN_FAILED` without the package. */
export class RawError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options: RawErrorOptions = {}) {
    super(
      options.advice === undefined ? message : `${message}: ${options.advice}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = 'RawError';
    this.code = code;
  }
}

export const PRIVILEGE_ADVICE = "run as root (sudo), or with CAP_NET_RAW and CAP_NET_ADMIN ('setcap' on node)";

/** strerror(3)'s texts: the package throws them, and says no number. Those of glibc and musl are the same. */
const CODES: Readonly<Record<string, string>> = {
  'Address family not supported by protocol': 'EAFNOSUPPORT',
  'Bad file descriptor': 'EBADF',
  'Cannot allocate memory': 'ENOMEM',
  'Interrupted system call': 'EINTR',
  'Invalid argument': 'EINVAL',
  'Message too long': 'EMSGSIZE',
  'Network is down': 'ENETDOWN',
  'Network is unreachable': 'ENETUNREACH',
  'No buffer space available': 'ENOBUFS',
  'No route to host': 'EHOSTUNREACH',
  'No such device': 'ENODEV',
  'Operation not permitted': 'EPERM',
  'Permission denied': 'EACCES',
  'Resource temporarily unavailable': 'EAGAIN',
};

/** The errno's name of what the package threw; its text when that is not known. */
export function codeOf(error: unknown): string {
  const { message } = error as Error;
  return CODES[message] ?? message;
}

/** A wrong argument, found before anything was opened. */
export function wrongRawArgument(message: string): RawError {
  return new RawError('ERR_INVALID_ARG_VALUE', message);
}
