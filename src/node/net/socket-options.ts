/** What a socket is made with: checked as Node checks it, and in the form in which a Duplex takes it. */
import type { BlockList } from 'node:net';
import type { DuplexOptions } from 'node:stream';
import { checkBlockList, checkNumber, checkOctet } from './checks.ts';
import { invalidArgValue } from './node-errors.ts';
import type { StreamHandle } from './stream-handle.ts';

/** Reads into one buffer, or one after the other, in place of emitting `data`. */
export interface OnReadOptions {
  readonly buffer: Uint8Array | (() => Uint8Array);
  /** `bytes` of `buffer` are new. @returns false: no more for now */
  readonly callback: (this: unknown, bytes: number, buffer: Uint8Array) => boolean | undefined;
}

/** As those of `new net.Socket()`; `fd` and sockets of the machine are made by Node's own. */
export interface SocketOptions extends DuplexOptions {
  readonly allowHalfOpen?: boolean;
  readonly onread?: OnReadOptions | undefined;
  readonly noDelay?: boolean | undefined;
  readonly keepAlive?: boolean | undefined;
  /** Silence before the first probe, ms. */
  readonly keepAliveInitialDelay?: number | undefined;
  /** Peers that it does not connect to. */
  readonly blockList?: BlockList | undefined;
  /** IP's octet of Diffserv: see `Socket.setTypeOfService`. */
  readonly typeOfService?: number | undefined;
  readonly signal?: AbortSignal;
}

/** What a server adds. */
export interface AcceptedOptions extends SocketOptions {
  readonly handle?: StreamHandle;
  readonly pauseOnCreate?: boolean;
  readonly readable?: boolean;
}

/** @throws TypeError ERR_INVALID_ARG_VALUE, ERR_INVALID_ARG_TYPE */
export function checkSocketOptions(options: SocketOptions | undefined): void {
  for (const name of ['objectMode', 'readableObjectMode', 'writableObjectMode'] as const) {
    const value = options?.[name];
    if (value) throw invalidArgValue(`options.${name}`, value, 'is not supported');
  }
  if (options?.keepAliveInitialDelay !== undefined)
    checkNumber(options.keepAliveInitialDelay, 'options.keepAliveInitialDelay');
  checkBlockList(options?.blockList);
  if (options?.typeOfService !== undefined) checkOctet(options.typeOfService, 'options.typeOfService');
}

/** As a Duplex takes them: `close` is emitted by the socket, when the connection under it is closed. */
export function streamOptions(options: SocketOptions | undefined): DuplexOptions {
  const allowHalfOpen = Boolean(options?.allowHalfOpen);
  // The signal is for later: it may destroy at once.
  return { ...options, ...WITHOUT_SIGNAL, allowHalfOpen, emitClose: false, autoDestroy: true };
}

const WITHOUT_SIGNAL = { signal: undefined };

/** @returns what `onread` asks for, when it makes sense */
export function onReadOf({ onread }: SocketOptions): OnReadOptions | undefined {
  if (typeof onread !== 'object' || onread === null || typeof onread.callback !== 'function') return undefined;
  return onread.buffer instanceof Uint8Array || typeof onread.buffer === 'function' ? onread : undefined;
}
