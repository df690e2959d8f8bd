/** Arguments as Node checks them: the same order, errors and texts. */
import { BlockList } from 'node:net';
import { badPort, invalidArgType, invalidArgValue, outOfRange } from './node-errors.ts';

/** The longest that a timer takes, ms. */
const TIMEOUT_MAX = 2 ** 31 - 1;
/** Node's least pause between two attempts to connect, ms. */
const LEAST_ATTEMPT_TIMEOUT = 10;

export function checkBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== 'boolean') throw invalidArgType(name, 'of type boolean', value);
}

export function checkNumber(value: unknown, name: string): asserts value is number {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
}

export function checkFunction(value: unknown, name: string): asserts value is (...args: never[]) => unknown {
  if (typeof value !== 'function') throw invalidArgType(name, 'of type function', value);
}

export function checkString(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw invalidArgType(name, 'of type string', value);
}

export function checkSignal(value: unknown, name: string): asserts value is AbortSignal | undefined {
  if (value === undefined) return;
  if (typeof value !== 'object' || value === null || !('aborted' in value))
    throw invalidArgType(name, 'an instance of AbortSignal', value);
}

/** The pause after which the next address is tried, ms: an integer from 1, at least 10 in effect. */
export function attemptTimeout(value: unknown, name: string): number {
  checkNumber(value, name);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < 1 || value > TIMEOUT_MAX) throw outOfRange(name, `>= 1 && <= ${TIMEOUT_MAX}`, value);
  return Math.max(value, LEAST_ATTEMPT_TIMEOUT);
}

export function checkBlockList(value: unknown): void {
  if (!value || value instanceof BlockList) return;
  throw invalidArgType('options.blockList', 'an instance of net.BlockList', value);
}

/** A host's name or address: texts end for others where a null byte is. */
export function checkHost(value: unknown, name: string): asserts value is string {
  checkString(value, name);
  if (value.includes('\0')) throw invalidArgValue(name, value, 'must be a string without null bytes');
}

/** An integer of one octet. */
export function checkOctet(value: unknown, name: string): void {
  checkNumber(value, name);
  if (Number.isNaN(value)) throw invalidArgType(name, 'of type number', value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < 0 || value > 255) throw outOfRange(name, '>= 0 && <= 255', value);
}

/** A port as a number, or as text in decimal, octal or hexadecimal. */
export function checkPort(port: unknown, name = 'Port'): void {
  const isNumber = typeof port === 'number' || (typeof port === 'string' && port.trim().length > 0);
  if (!isNumber || Number(port) !== Number(port) >>> 0 || Number(port) > 0xffff) throw badPort(name, port);
}

/** The time of a timer, ms; more than one takes is cut, with a warning. */
export function timerDuration(ms: unknown, name: string): number {
  checkNumber(ms, name);
  if (ms < 0 || !Number.isFinite(ms)) throw outOfRange(name, 'a non-negative finite number', ms);
  if (ms <= TIMEOUT_MAX) return ms;
  process.emitWarning(
    `${ms} does not fit into a 32-bit signed integer.\nTimer duration was truncated to ${TIMEOUT_MAX}.`,
    'TimeoutOverflowWarning',
  );
  return TIMEOUT_MAX;
}

/** A number of 0 or more, or nothing. */
export function natural(value: unknown): number | undefined {
  const number = Number(value);
  return number >= 0 ? number : undefined;
}
