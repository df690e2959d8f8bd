/** What comes on a socket's connection: pushed into its stream, or, with `onread`, put into buffers of the user's. */
import type { Closable } from '../../net/descriptor.ts';
import type { StreamOwner } from './connection-handle.ts';
import type { Silence } from './silence.ts';
import type { Socket } from './socket.ts';
import type { OnReadOptions } from './socket-options.ts';
import { callError } from './system-errors.ts';

export class Reader implements StreamOwner, Closable {
  readonly #socket: Socket;
  readonly #silence: Silence;
  readonly #onRead: OnReadOptions | undefined;
  #buffer: Uint8Array | undefined;

  constructor(socket: Socket, silence: Silence, onRead: OnReadOptions | undefined) {
    this.#socket = socket;
    this.#silence = silence;
    this.#onRead = onRead;
  }

  /** Nothing is buffered here: the connection itself starts and stops with `resume` and `pause`. */
  get direct(): boolean {
    return this.#onRead !== undefined;
  }

  get readBuffer(): Uint8Array | undefined {
    return this.#buffer;
  }

  /** A connection begins. */
  begin(): void {
    const buffer = this.#onRead?.buffer;
    this.#buffer = typeof buffer === 'function' ? buffer() : buffer;
  }

  received(bytes: Uint8Array, count: number): boolean {
    const socket = this.#socket;
    this.#silence.touch();
    if (socket.destroyed) return false;
    if (this.#onRead === undefined) return socket.push(bytes);
    const { buffer, callback } = this.#onRead;
    const more = callback.call(socket, count, bytes) !== false;
    if (typeof buffer === 'function') this.#buffer = buffer();
    return more;
  }

  ended(): void {
    this.#silence.touch();
    this.#socket.push(null);
    this.#socket.read(0);
  }

  failed(status: number): void {
    this.#socket.destroy(callError(status, 'read'));
  }

  // For the host, which closes what is open on it.

  get isClosed(): boolean {
    return this.#socket.destroyed;
  }

  close(): void {
    this.#socket.destroy();
  }
}
