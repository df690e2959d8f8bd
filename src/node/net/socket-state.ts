/** What a socket of net is at the moment: its ends, counts and states. */
import type { Buffer } from 'node:buffer';
import { Duplex } from 'node:stream';
import { adoptable } from './callable.ts';
import type { ConnectionHandle } from './connection-handle.ts';
import type { AddressInfo } from './end-name.ts';

export class SocketState extends adoptable(Duplex) {
  /** From `connect` until there is a connection. */
  connecting = false;
  /** What the stream stands on, for the socket itself. */
  protected _connection: ConnectionHandle | undefined = undefined;
  /** Bytes of a write that waits for the connection. */
  protected _pendingBytes = 0;
  #peer: AddressInfo | undefined = undefined;
  #bytesRead = 0;
  #bytesWritten = 0;

  /** The stream lets go of its connection, whose counts stay. */
  protected _release(): ConnectionHandle | undefined {
    const connection = this._connection;
    if (connection === undefined) return undefined;
    this.#bytesRead = connection.bytesRead;
    this.#bytesWritten = connection.bytesWritten;
    this._connection = undefined;
    return connection;
  }

  /** Another connection has another peer. */
  protected _forgetPeer(): void {
    this.#peer = undefined;
  }

  /** This end, or {} when there is none. */
  address(): AddressInfo | Record<string, never> {
    return this._connection?.localName() ?? {};
  }

  /** Not connected, or not any more. */
  get pending(): boolean {
    return this._connection === undefined || this.connecting;
  }

  /** Deprecated name of `connecting`. */
  get _connecting(): boolean {
    return this.connecting;
  }

  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening';
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  /** Bytes that wait to be written; undefined without a connection. */
  get bufferSize(): number | undefined {
    return this._connection === undefined ? undefined : this.writableLength;
  }

  get bytesRead(): number {
    return this._connection?.bytesRead ?? this.#bytesRead;
  }

  /** Bytes handed to the stack, and those that wait for it. */
  get bytesWritten(): number | undefined {
    // Of the prototype there is none, nor an error: some look at all that a prototype has.
    if (!(#bytesRead in this)) return undefined;
    let bytes = this._pendingBytes + (this._connection?.bytesWritten ?? this.#bytesWritten);
    const { writableBuffer } = this as unknown as { writableBuffer: { chunk: Buffer }[] };
    for (const { chunk } of writableBuffer) bytes += chunk.length;
    return bytes;
  }

  get remoteAddress(): string | undefined {
    return this.#peerName()?.address;
  }

  get remoteFamily(): string | undefined {
    return this.#peerName()?.family;
  }

  get remotePort(): number | undefined {
    return this.#peerName()?.port;
  }

  get localAddress(): string | undefined {
    return this._connection?.localName()?.address;
  }

  get localFamily(): string | undefined {
    return this._connection?.localName()?.family;
  }

  get localPort(): number | undefined {
    return this._connection?.localName()?.port;
  }

  #peerName(): AddressInfo | undefined {
    if (!this.connecting) this.#peer ??= this._connection?.peerName();
    return this.#peer;
  }
}
