/** Node's own errors of wrong arguments and wrong states: its classes, codes and texts. */
import { format, inspect } from 'node:util';

type ErrorClass = new (message: string) => Error;

/** An error with a `code`, that prints as Node's do: `TypeError [ERR_CODE]: text`. */
export function codedError(Base: ErrorClass, code: string, message: string): Error & { code: string } {
  const error = Object.assign(new Base(message), { code });
  const { name } = error;
  // The stack is written once, when it is first looked at: with the code in it, as Node's.
  error.name = `${name} [${code}]`;
  void error.stack;
  Reflect.deleteProperty(error, 'name');
  Object.defineProperty(error, 'toString', {
    value: () => `${name} [${code}]: ${message}`,
    enumerable: false,
    configurable: true,
    writable: true,
  });
  return error;
}

export function invalidArgType(name: string, expected: string, value: unknown): Error {
  return codedError(
    TypeError,
    'ERR_INVALID_ARG_TYPE',
    `The ${quoted(name)} must be ${expected}. Received ${kindOf(value)}`,
  );
}

export function invalidArgValue(name: string, value: unknown, reason = 'is invalid'): Error {
  const shown = inspect(value);
  const kind = name.includes('.') ? 'property' : 'argument';
  return codedError(
    TypeError,
    'ERR_INVALID_ARG_VALUE',
    `The ${kind} '${name}' ${reason}. Received ${shown.length > 128 ? `${shown.slice(0, 128)}...` : shown}`,
  );
}

export function outOfRange(name: string, range: string, value: unknown): Error {
  return codedError(
    RangeError,
    'ERR_OUT_OF_RANGE',
    `The value of "${name}" is out of range. It must be ${range}. Received ${grouped(value)}`,
  );
}

export function badPort(name: string, value: unknown): Error {
  return codedError(
    RangeError,
    'ERR_SOCKET_BAD_PORT',
    `${name} should be >= 0 and < 65536. Received ${kindOf(value)}.`,
  );
}

export function invalidAddress(text: unknown): Error {
  return codedError(TypeError, 'ERR_INVALID_IP_ADDRESS', format('Invalid IP address: %s', text));
}

export function invalidFamily(family: unknown, host: unknown, port: unknown): Error {
  const error = codedError(
    RangeError,
    'ERR_INVALID_ADDRESS_FAMILY',
    `Invalid address family: ${String(family)} ${String(host)}:${String(port)}`,
  );
  return Object.assign(error, { host, port });
}

export function missingArguments(): Error {
  return codedError(TypeError, 'ERR_MISSING_ARGS', 'The "options" or "port" or "path" argument must be specified');
}

export function alreadyListening(): Error {
  return codedError(
    Error,
    'ERR_SERVER_ALREADY_LISTEN',
    'Listen method has been called more than once without closing.',
  );
}

export function serverNotRunning(): Error {
  return codedError(Error, 'ERR_SERVER_NOT_RUNNING', 'Server is not running.');
}

export function socketClosed(): Error {
  return codedError(Error, 'ERR_SOCKET_CLOSED', 'Socket is closed');
}

export function closedBeforeConnection(): Error {
  return codedError(
    Error,
    'ERR_SOCKET_CLOSED_BEFORE_CONNECTION',
    'Socket closed before the connection was established',
  );
}

export function connectionTimeout(): Error {
  return codedError(Error, 'ERR_SOCKET_CONNECTION_TIMEOUT', 'Socket connection timeout');
}

export function blockedAddress(address: string): Error {
  return codedError(Error, 'ERR_IP_BLOCKED', `IP(${address}) is blocked by net.BlockList`);
}

/** A write to a stream that its peer has ended, where this side ends with it. */
export function endedByPeer(): Error {
  return Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' });
}

/** Large integers with underscores: `1_000_000_000_000`. */
function grouped(value: unknown): string {
  if (!Number.isInteger(value) || Math.abs(value as number) <= 2 ** 32) return inspect(value);
  return String(value).replace(/\B(?=(\d{3})+$)/g, '_');
}

function quoted(name: string): string {
  if (name.endsWith(' argument')) return name;
  return `"${name}" ${name.includes('.') ? 'property' : 'argument'}`;
}

/** `undefined`, `function f`, `an instance of Foo`, `type number (5)` */
function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'object') {
    const name = value.constructor?.name;
    return name === undefined || name === '' ? inspect(value, { depth: -1 }) : `an instance of ${name}`;
  }
  if (typeof value !== 'string') return `type ${typeof value} (${inspect(value, { colors: false })})`;
  const shown = value.length > 28 ? `${value.slice(0, 25)}...` : value;
  return `type string (${shown.includes("'") ? JSON.stringify(shown) : `'${shown}'`})`;
}
