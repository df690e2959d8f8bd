/**
 * net.Socket on a host of ours: events, properties, order and errors as Node documents and does them.
 *
 * Bytes are pushed while the reader wants more, and a write calls back when the stack has taken it: back pressure reaches the peer's window.
 */
import type { Buffer } from 'node:buffer';
import type { BlockList } from 'node:net';
import { addAbortSignal } from 'node:stream';
import { ENOTCONN } from '../../socket/errno.ts';
import { callArguments } from './arguments.ts';
import { checkFunction, checkOctet, timerDuration } from './checks.ts';
import { type Connector, connectPath, connectSocket } from './connect.ts';
import type { ConnectionHandle, KeepAlive } from './connection-handle.ts';
import { type KeepAliveSettings, keepAliveOf, sameKeepAlive } from './keep-alive.ts';
import { closedBeforeConnection, endedByPeer, missingArguments, socketClosed } from './node-errors.ts';
import { PathHandle } from './path-handle.ts';
import type { Place } from './place.ts';
import { Reader } from './reader.ts';
import type { Server } from './server.ts';
import { Silence } from './silence.ts';
import {
  type AcceptedOptions,
  checkSocketOptions,
  onReadOf,
  type SocketOptions,
  streamOptions,
} from './socket-options.ts';
import { SocketState } from './socket-state.ts';
import { StreamHandle } from './stream-handle.ts';
import { callError } from './system-errors.ts';

type Callback = (error?: Error | null) => void;
type WriteCallback = (error: Error | null | undefined) => void;

export class Socket extends SocketState {
  /** Silence after which `timeout` is emitted, ms; undefined: it was never set. */
  timeout: number | undefined = undefined;
  /** `address:port` of each attempt, when there were several addresses. */
  autoSelectFamilyAttemptedAddresses: string[] | undefined = undefined;
  /** Whose connection it is, of those that a server accepted. */
  server: Server | null = null;
  /** For the server alone. */
  _server: Server | null = null;
  /** Whom it does not connect to. */
  blockList: BlockList | undefined;
  /** The name that is looked up. */
  _host: string | null = null;
  /** What may abort it. */
  readonly _signal: AbortSignal | undefined;
  /** There is none of Node's: those who look for one (http, tls) find a plain stream. */
  readonly _handle = null;
  /** TLS sockets look for the timers of what is under them. */
  readonly _parent = null;
  readonly #place: Place;
  readonly #reader: Reader;
  readonly #silence: Silence;
  #noDelay: boolean;
  #keepAlive: KeepAlive;
  #typeOfService: number;
  #resetting = false;
  #endedByPeer = false;
  /** Bytes of the write under way that were not taken when that was last looked at. */
  #lastWriteQueueSize = 0;

  /** `options` as of `new net.Socket()`. @throws TypeError for values that Node does not take */
  constructor(place: Place, options?: SocketOptions) {
    checkSocketOptions(options);
    super(streamOptions(options));
    const given: AcceptedOptions = options ?? {};
    this.#place = place;
    this.#silence = new Silence(place.clock, () => this._onTimeout());
    this.#noDelay = Boolean(given.noDelay);
    this.#keepAlive = keepAliveOf(given.keepAlive, given.keepAliveInitialDelay);
    this.blockList = given.blockList;
    this.#typeOfService = given.typeOfService ?? 0;
    this.#reader = new Reader(this, this.#silence, onReadOf(given));
    this.on('end', this._peerEnded);
    if (given.handle instanceof StreamHandle) this.#begin(given.handle, given);
    this._signal = given.signal;
    if (given.signal) addAbortSignal(given.signal, this);
  }

  /** One that was accepted. */
  #begin(handle: ConnectionHandle, { readable, pauseOnCreate }: AcceptedOptions): void {
    this.#use(handle);
    if (this.#noDelay) handle.setNoDelay(true);
    if (this.#keepAlive.enable) handle.setKeepAlive(this.#keepAlive);
    if (readable === false) return;
    if (pauseOnCreate === true) this.pause();
    else this.read(0);
  }

  #use(handle: ConnectionHandle): void {
    this._connection = handle;
    handle.owner = this.#reader;
    this.#place.host.open.add(this.#reader);
    this.#reader.begin();
  }

  // What comes.

  override _read(size: number): void {
    if (this.pending) this.once('connect', () => this._read(size));
    else if (this._connection?.reading === false) this._connection.readStart();
  }

  override pause(): this {
    if (this.#reader.direct && !this.connecting) this._connection?.readStop();
    return super.pause();
  }

  override resume(): this {
    this.#readAgain();
    return super.resume();
  }

  override read(size?: number): unknown {
    this.#readAgain();
    return super.read(size);
  }

  #readAgain(): void {
    const handle = this._connection;
    if (this.#reader.direct && !this.connecting && handle?.reading === false) handle.readStart();
  }

  // What goes.

  override write(chunk: unknown, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean {
    if (!this.#endedByPeer || !this.writableEnded)
      return super.write(chunk, encoding as BufferEncoding, callback as WriteCallback);
    const done = typeof encoding === 'function' ? encoding : callback;
    const error = endedByPeer();
    if (typeof done === 'function') process.nextTick(done, error);
    this.destroy(error);
    return false;
  }

  override _write(chunk: Buffer, _encoding: string, callback: Callback): void {
    this.#send([chunk], chunk.length, callback);
  }

  override _writev(list: { chunk: Buffer }[], callback: Callback): void {
    const chunks = list.map(({ chunk }) => chunk);
    const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
    this.#send(chunks, bytes, callback);
  }

  #send(list: readonly Uint8Array[], bytes: number, callback: Callback): void {
    if (this.connecting) return this.#sendOnceConnected(list, bytes, callback);
    const handle = this._connection;
    if (handle === undefined) return callback(socketClosed());
    this.#silence.touch();
    const taken = handle.write(list, bytes, (status) => this.#written(status, callback));
    if (taken < 0) return callback(callError(taken, 'write'));
    if (taken === bytes) return callback();
    this.#lastWriteQueueSize = bytes;
  }

  #sendOnceConnected(list: readonly Uint8Array[], bytes: number, callback: Callback): void {
    this._pendingBytes = bytes;
    const closed = () => callback(closedBeforeConnection());
    this.once('connect', () => {
      this.off('close', closed);
      this._pendingBytes = 0;
      this.#send(list, bytes, callback);
    });
    this.once('close', closed);
  }

  #written(status: number, callback: Callback): void {
    // Cancelled by destroy, it fails: Node since 22.
    if (status < 0) return callback(callError(status, 'write'));
    if (this.destroyed) return callback(null);
    this.#silence.touch();
    this.#lastWriteQueueSize = 0;
    callback(null);
  }

  override _final(callback: Callback): void {
    if (this.connecting) return void this.once('connect', () => this._final(callback));
    const status = this._connection?.shutdown() ?? -ENOTCONN;
    if (status === -ENOTCONN) callback();
    else if (status < 0) callback(callError(status, 'shutdown'));
    else process.nextTick(callback);
  }

  // How it begins.

  /**
   * As net.Socket.connect: `(port, host?)` or `(options)`, with a listener of `connect` behind; an ended socket may connect again.
   * @throws TypeError, RangeError for wrong arguments; what goes wrong later is an `error` event
   */
  connect(...args: unknown[]): this {
    const [options, callback] = callArguments(args);
    if (callback !== null) this.once('connect', callback);
    if (options['port'] === undefined && options['path'] == null) throw missingArguments();
    this.#endedByPeer = false;
    if (this.destroyed) this._forgetPeer();
    const { path } = options as { path?: unknown };
    const handle = path ? new PathHandle() : new StreamHandle(this.#place);
    if (this._connection === undefined || path) this.#renew(handle);
    this.#silence.touch();
    this.connecting = true;
    if (handle instanceof PathHandle) connectPath(this.#connector(), handle, path);
    else connectSocket(this.#connector(), options);
    return this;
  }

  /** A stream as at first, on a connection to be made. */
  #renew(handle: ConnectionHandle): void {
    // Duplex has it for those who reuse streams, as net.Socket does; its types do not.
    (this as unknown as { _undestroy(): void })._undestroy();
    this.#use(handle);
  }

  #connector(): Connector {
    return {
      socket: this,
      place: this.#place,
      handle: () => this._connection as StreamHandle,
      renew: () => {
        this._connection?.close();
        this.#renew(new StreamHandle(this.#place));
      },
      touch: () => this.#silence.touch(),
      connected: () => this.#connected(),
    };
  }

  #connected(): void {
    const handle = this._connection as ConnectionHandle;
    this.connecting = false;
    this.#silence.touch();
    if (this.#noDelay) handle.setNoDelay(true);
    if (this.#keepAlive.enable) handle.setKeepAlive(this.#keepAlive);
    if (this.#typeOfService !== 0) handle.setTypeOfService(this.#typeOfService);
    this.emit('connect');
    this.emit('ready');
    // The first read, or the end at once.
    if (!this.isPaused()) this.read(0);
  }

  // How it ends.

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.connecting = false;
    this.#silence.clear();
    const handle = this._release();
    if (handle === undefined) {
      callback(error);
      process.nextTick(() => this.emit('close'));
    } else {
      this.#place.host.open.delete(this.#reader);
      const closed = () => this.emit('close', error !== null);
      if (this.#resetting) handle.reset(closed);
      else handle.close(closed);
      this.#resetting = false;
      callback(error);
    }
    this._server?._gone();
  }

  /** Closes with a RST; while it connects, as soon as it has. */
  resetAndDestroy(): this {
    if (this._connection === undefined) return this.destroy(socketClosed());
    if (this.connecting) this.once('connect', () => this.#reset());
    else this.#reset();
    return this;
  }

  #reset(): void {
    this.#resetting = true;
    this.destroy();
  }

  /** Ends, and destroys when all is written. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', this.destroy);
  }

  /** For the listener of `end`: a write from now on is one too many, unless this side stays open. */
  _peerEnded(): void {
    if (!this.allowHalfOpen) this.#endedByPeer = true;
  }

  // How it behaves.

  /** Emits `timeout` after so many ms without traffic; 0: never. @throws TypeError, RangeError */
  setTimeout(ms: number, callback?: () => void): this {
    if (this.destroyed) return this;
    this.timeout = ms;
    const duration = timerDuration(ms, 'msecs');
    this.#silence.set(duration);
    if (callback === undefined) return this;
    checkFunction(callback, 'callback');
    if (duration === 0) this.off('timeout', callback);
    else this.once('timeout', callback);
    return this;
  }

  /** The time is up; that a write gets on is traffic too. */
  _onTimeout(): void {
    const left = this._connection?.writeQueueSize;
    if (this.#lastWriteQueueSize > 0 && left !== undefined && left !== this.#lastWriteQueueSize) {
      this.#lastWriteQueueSize = left;
      this.#silence.touch();
      return;
    }
    this.emit('timeout');
  }

  setNoDelay(noDelay?: boolean): this {
    const wanted = noDelay === undefined || Boolean(noDelay);
    if (wanted !== this.#noDelay && !this.connecting) this._connection?.setNoDelay(wanted);
    this.#noDelay = wanted;
    return this;
  }

  /**
   * Probes the peer when nothing comes; all may be given as one object too: `{ enable, initialDelay, interval, count }`.
   * @param initialDelay silence before the first probe, ms; 0: as it is
   * @param interval between probes, ms; 1000 by default
   * @param count of probes without an answer; 10 by default
   */
  setKeepAlive(enable?: boolean | KeepAliveSettings, initialDelay?: number, interval?: number, count?: number): this {
    const wanted = keepAliveOf(enable, initialDelay, interval, count);
    if (!sameKeepAlive(wanted, this.#keepAlive) && !this.connecting) this._connection?.setKeepAlive(wanted);
    this.#keepAlive = wanted;
    return this;
  }

  /**
   * The octet of Diffserv, 0 to 255, of what is sent from now on (its lowest two bits are ECN's, and stay).
   * @throws TypeError, RangeError
   */
  setTypeOfService(tos: number): this {
    checkOctet(tos, 'tos');
    if (!this.connecting) this._connection?.setTypeOfService(tos);
    this.#typeOfService = tos;
    return this;
  }

  getTypeOfService(): number {
    return (this.connecting ? undefined : this._connection?.typeOfService()) ?? this.#typeOfService;
  }

  /** Keeps the process alive while it waits for something: so it is at first. */
  ref(): this {
    if (this._connection === undefined) return this.once('connect', this.ref);
    this._connection.ref();
    return this;
  }

  unref(): this {
    if (this._connection === undefined) return this.once('connect', this.unref);
    this._connection.unref();
    return this;
  }
}
