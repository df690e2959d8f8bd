/**
 * A connection as Node's streams and `http` want it: a Duplex with the manners of net.Socket.
 *
 * Bytes are read when the reader asks for more, and a write calls back when the stack has taken it: backpressure reaches the peer's window.
 */

import { Duplex } from 'node:stream';
import { shown } from '../arguments.ts';
import type { TCPConn } from '../net/tcp-conn.ts';
import type { TcpInfo } from '../tcp/info.ts';
import type { Timer } from '../time/clock.ts';
import { type AddressInfo, nodeAddress } from './node-address.ts';
import { closedBeforeConnection, nodeError } from './node-error.ts';

export type { AddressInfo };

export interface DuplexOptions {
  /** Whether the end of the peer's stream leaves this side open for writing; false, as with net.connect: this side ends too. */
  readonly allowHalfOpen?: boolean | undefined;
  /** Bytes that the stream holds before it stops reading. Default: Node's. */
  readonly highWaterMark?: number | undefined;
}

/**
 * The duplex of a connection, or of one that is still being dialled: then it is `connecting`, emits `connect` and `ready` when it is there, and
 * what is written meanwhile waits.
 */
export function duplex(conn: TCPConn | Promise<TCPConn>, options: DuplexOptions = {}): ConnDuplex {
  return new ConnDuplex(conn, options);
}

export class ConnDuplex extends Duplex {
  /** True until the connection is there. */
  connecting: boolean;
  /** Silence after which `timeout` is emitted, ms; 0: never. */
  timeout = 0;
  bytesRead = 0;
  #accepted = 0;
  #conn: TCPConn | undefined;
  #noDelay: boolean | undefined;
  #keepAlive: readonly [boolean, number] | undefined;
  #referenced = true;
  #timer: Timer | undefined;

  /** For `duplex` alone. */
  constructor(conn: TCPConn | Promise<TCPConn>, options: DuplexOptions) {
    super({
      allowHalfOpen: options.allowHalfOpen ?? false,
      ...(options.highWaterMark === undefined ? {} : { highWaterMark: options.highWaterMark }),
      emitClose: true,
      autoDestroy: true,
    });
    this.connecting = conn instanceof Promise;
    if (!(conn instanceof Promise)) this.#conn = conn;
    else
      conn.then(
        (made) => this.#settled(made),
        (error: Error) => this.#fail(error),
      );
  }

  #settled(conn: TCPConn): void {
    // Nobody wants it any more.
    if (this.destroyed) {
      close(conn);
      return;
    }
    this.connecting = false;
    this.#connected(conn);
    this.emit('connect');
    this.emit('ready');
  }

  /** Does to the connection what was asked for before it was there. */
  #connected(conn: TCPConn): void {
    this.#conn = conn;
    if (this.#noDelay !== undefined) conn.setNoDelay(this.#noDelay);
    if (this.#keepAlive !== undefined) this.setKeepAlive(...this.#keepAlive);
    if (!this.#referenced) conn.unref();
    this.setTimeout(this.timeout);
  }

  override _read(): void {
    if (this.connecting) {
      this.once('connect', () => this._read());
      return;
    }
    this.#conn?.readChunk().then(
      (chunk) => {
        if (this.destroyed) return;
        this.#touch();
        if (chunk !== null) this.bytesRead += chunk.length;
        this.push(chunk);
      },
      (error: Error) => this.#fail(error),
    );
  }

  override _write(bytes: Buffer, _encoding: string, callback: (error?: Error | null) => void): void {
    this.#write([bytes], callback);
  }

  override _writev(list: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this.#write(
      list.map(({ chunk }) => chunk),
      callback,
    );
  }

  #write(list: readonly Uint8Array[], callback: (error?: Error | null) => void): void {
    if (this.connecting) {
      this.#writeOnceConnected(list, callback);
      return;
    }
    this.#touch();
    this.#conn?.writev(list).then(
      (written) => {
        this.#accepted += written;
        this.#touch();
        callback();
      },
      (error: Error) => {
        this.#fail(error);
        callback(nodeError(error));
      },
    );
  }

  #writeOnceConnected(list: readonly Uint8Array[], callback: (error?: Error | null) => void): void {
    const closed = () => callback(closedBeforeConnection());
    const connected = () => {
      this.off('close', closed);
      this.#write(list, callback);
    };
    this.once('connect', connected);
    this.once('close', closed);
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (this.connecting) {
      this.once('connect', () => this._final(callback));
      return;
    }
    try {
      this.#conn?.closeWrite();
      callback();
    } catch (error) {
      // A connection that has ended both ways, or was reset, has no end left to send.
      callback((error as { code?: string }).code === 'ENOTCONN' ? null : nodeError(error as Error));
    }
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#timer?.clear();
    this.#timer = undefined;
    this.connecting = false;
    const conn = this.#conn;
    this.#conn = undefined;
    if (conn !== undefined) {
      // Destroyed with an error: the peer must not take what it got for all there was.
      if (error !== null) setLingerZero(conn);
      close(conn);
    }
    callback(error);
  }

  /** Closes with a reset, whatever is still to be sent. */
  resetAndDestroy(): this {
    if (this.#conn !== undefined) setLingerZero(this.#conn);
    return this.destroy();
  }

  /** Ends, and destroys when all is written. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** Emits `timeout` after `ms` without traffic; 0: never. The connection is not touched: that is for who listens. */
  setTimeout(ms: number, callback?: () => void): this {
    if (typeof ms !== 'number' || !(ms >= 0))
      throw new RangeError(`setTimeout: ms must be a number >= 0, got ${shown(ms)}`);
    this.timeout = ms;
    if (callback !== undefined) {
      if (ms === 0) this.off('timeout', callback);
      else this.once('timeout', callback);
    }
    this.#touch();
    return this;
  }

  setNoDelay(noDelay = true): this {
    this.#noDelay = noDelay;
    if (this.#conn !== undefined) attempt(() => this.#conn?.setNoDelay(noDelay));
    return this;
  }

  /** `initialDelay`: silence before the first probe, ms; 0: as it is. */
  setKeepAlive(enable = false, initialDelay = 0): this {
    this.#keepAlive = [enable, initialDelay];
    const conn = this.#conn;
    if (conn === undefined) return this;
    attempt(() => {
      conn.setKeepAlive(enable);
      if (enable && initialDelay > 0) conn.setKeepAlivePeriod(initialDelay);
    });
    return this;
  }

  ref(): this {
    this.#referenced = true;
    this.#conn?.ref();
    return this;
  }

  unref(): this {
    this.#referenced = false;
    this.#conn?.unref();
    return this;
  }

  /** This end, or {} when there is none. */
  address(): AddressInfo | Record<string, never> {
    return nodeAddress(this.#conn, 'local') ?? {};
  }

  /** What the stack knows of the connection now; undefined when there is none. */
  tcpInfo(): TcpInfo | undefined {
    return this.#conn?.tcpInfo();
  }

  /** Not connected yet. */
  get pending(): boolean {
    return this.#conn === undefined;
  }

  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening';
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  /** Bytes handed to the stack, and those that wait for it. */
  get bytesWritten(): number {
    return this.#accepted + this.writableLength;
  }

  get remoteAddress(): string | undefined {
    return nodeAddress(this.#conn, 'remote')?.address;
  }

  get remotePort(): number | undefined {
    return this.#conn?.remoteAddr().port;
  }

  get remoteFamily(): string | undefined {
    return nodeAddress(this.#conn, 'remote')?.family;
  }

  get localAddress(): string | undefined {
    return nodeAddress(this.#conn, 'local')?.address;
  }

  get localPort(): number | undefined {
    return this.#conn?.localAddr().port;
  }

  get localFamily(): string | undefined {
    return nodeAddress(this.#conn, 'local')?.family;
  }

  #fail(error: Error): void {
    if (this.destroyed) return;
    // Somebody closed the connection, or its host, under the stream: that is an end like destroy(), not a failure.
    if ((error as { code?: string }).code === 'ERR_CLOSED') this.destroy();
    else this.destroy(nodeError(error));
  }

  /** There was traffic: the silence starts anew. */
  #touch(): void {
    const conn = this.#conn;
    if (conn === undefined || this.timeout === 0) {
      this.#timer?.clear();
      return;
    }
    // Node: a socket's timeout does not keep the process alive.
    this.#timer ??= conn.clock.timer(() => this.emit('timeout'), true);
    this.#timer.set(conn.clock.now() + this.timeout);
  }
}

function setLingerZero(conn: TCPConn): void {
  attempt(() => conn.setLinger(0));
}

function close(conn: TCPConn): void {
  attempt(() => conn.close());
}

/** For calls whose failure says no more than that the connection is gone: the stream reports that itself. */
function attempt(call: () => void): void {
  try {
    call();
  } catch (error) {
    if ((error as { name?: string }).name !== 'OpError') throw error;
  }
}
