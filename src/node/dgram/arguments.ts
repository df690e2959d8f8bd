/** What dgram's calls may be given: Node's many ways to say the same. */

import { codedError, invalidArgType } from '../net/node-errors.ts';

export type Message = string | NodeJS.ArrayBufferView;
export type SendCallback = (error: Error | null, bytes: number) => void;

export interface SendArguments {
  readonly list: readonly Uint8Array[];
  readonly port: number | undefined;
  readonly address: string | undefined;
  readonly callback: SendCallback | undefined;
}

/**
 * `send(msg[, offset, length][, port][, address][, callback])`, told apart as Node does.
 * @param connected there is a peer: then neither port nor address is said
 * @throws TypeError, RangeError with Node's codes
 */
export function sendArguments(args: readonly unknown[], connected: boolean): SendArguments {
  const [message, first, second, third, fourth, fifth] = args;
  if (connected) {
    const sliced = typeof second === 'number';
    if (sliced && third !== undefined && typeof third !== 'function')
      throw codedError(Error, 'ERR_SOCKET_DGRAM_IS_CONNECTED', 'Already connected');
    const list = sliced ? [slice(message, first, second)] : messageList(message);
    return { list, port: undefined, address: undefined, callback: callbackOf(sliced ? third : first) };
  }
  const sliced = fourth || (third && typeof third !== 'function');
  const list = sliced ? [slice(message, first, second)] : messageList(message);
  const [port, address, callback] = sliced ? [third, fourth, fifth] : [first, second, third];
  const named = typeof address === 'function' ? undefined : addressOf(address);
  return {
    list,
    port: portOf(port, false),
    address: named,
    callback: callbackOf(typeof address === 'function' ? address : callback),
  };
}

function callbackOf(value: unknown): SendCallback | undefined {
  return typeof value === 'function' ? (value as SendCallback) : undefined;
}

function shown(port: unknown): string {
  if (port === undefined || port === null) return String(port);
  return `type ${typeof port} (${typeof port === 'string' ? `'${port}'` : String(port)})`;
}

/** @throws RangeError ERR_SOCKET_BAD_PORT */
export function portOf(port: unknown, zero: boolean): number {
  const number = typeof port === 'string' && /^\s*\d+\s*$/.test(port) ? Number(port) : port;
  if (typeof number === 'number' && Number.isInteger(number) && number >= (zero ? 0 : 1) && number < 65_536)
    return number;
  const range = zero ? '>= 0 and < 65536' : '> 0 and < 65536';
  throw codedError(RangeError, 'ERR_SOCKET_BAD_PORT', `Port should be ${range}. Received ${shown(port)}.`);
}

function addressOf(address: unknown): string | undefined {
  if (address === undefined || address === null || address === '') return undefined;
  if (typeof address === 'string') return address;
  throw invalidArgType('address', 'of type string', address);
}

function messageList(message: unknown): Uint8Array[] {
  return Array.isArray(message) ? message.map(bytesOf) : [bytesOf(message)];
}

function bytesOf(message: unknown): Uint8Array {
  if (typeof message === 'string') return Buffer.from(message);
  if (ArrayBuffer.isView(message)) return new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
  throw invalidBuffer(message);
}

function slice(message: unknown, offset: unknown, length: unknown): Uint8Array {
  const bytes = bytesOf(message);
  const [from, count] = [Number(offset) >>> 0, Number(length) >>> 0];
  if (from > bytes.length)
    throw codedError(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', '"offset" is outside of buffer bounds');
  if (from + count > bytes.length)
    throw codedError(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', '"length" is outside of buffer bounds');
  return bytes.subarray(from, from + count);
}

function invalidBuffer(message: unknown): Error {
  return invalidArgType('buffer', 'of type string or an instance of Buffer, TypedArray, or DataView', message);
}
