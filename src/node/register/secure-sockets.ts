/**
 * TLS sockets stand on sockets of ours. One that was given no stream, as `tls.connect` and `new tls.TLSSocket()` make it, would have Node's own on the
 * machine: it gets one of the host, and connects that.
 */
import type { EventEmitter } from 'node:events';
import { TLSSocket } from 'node:tls';
import { callArguments } from '../net/arguments.ts';
import type { HostNet } from '../net/net.ts';
import { socketClosed } from '../net/node-errors.ts';
import { Socket } from '../net/socket.ts';
import { streamUnder, type Wrap, type WrapClass } from './wrap.ts';

/** What a TLS socket tells of its connecting, besides that it has. */
const EVENTS = ['lookup', 'connectionAttempt', 'connectionAttemptFailed', 'connectionAttemptTimeout'] as const;

/** Of a TLS socket's inside what is called here, as of Node 20 to 26. */
interface SecureSocket extends EventEmitter {
  readonly _tlsOptions: Record<string, unknown>;
  readonly destroyed: boolean;
  _parent: unknown;
  /** @param handle undefined: it was given no stream */
  _wrapHandle(wrap: Wrap | null, handle: unknown, ...more: unknown[]): unknown;
  _init(stream: unknown, ...more: unknown[]): void;
  connect(...args: unknown[]): this;
  destroy(error?: Error): this;
}

export function giveSockets(ours: HostNet, WrapHere: WrapClass): void {
  const prototype = TLSSocket.prototype as unknown as SecureSocket;
  const { _wrapHandle: wrapHandle, _init: init, connect } = prototype;
  const given = new WeakMap<SecureSocket, Socket>();

  prototype._wrapHandle = function (wrap, handle, ...more) {
    // Paths are the machine's.
    if (handle || this._tlsOptions['pipe']) return wrapHandle.call(this, wrap, handle, ...more);
    const socket = new ours.Socket();
    given.set(this, socket);
    const made = new WrapHere(socket);
    made.on('error', (error) => this.destroy(error));
    return wrapHandle.call(this, made, made._handle, ...more);
  };

  prototype._init = function (stream, ...more) {
    init.call(this, stream, ...more);
    const own = given.get(this);
    const socket = own ?? stream;
    if (!(socket instanceof Socket)) return;
    // The peer's end is the TLS socket's to answer: it has something to write then.
    socket.allowHalfOpen = true;
    socket.once('close', () => this.destroy());
    if (own !== undefined) tellConnecting(this, own);
  };

  prototype.connect = function (...args) {
    const socket = streamUnder(this);
    if (socket === undefined) return connect.apply(this, args) as typeof this;
    const [options, callback] = callArguments(args);
    if (callback !== null) this.once('connect', callback);
    if (socket.connecting) return this;
    if (this.destroyed) throw socketClosed();
    const { noDelay, keepAlive, keepAliveInitialDelay, signal } = { ...this._tlsOptions, ...options };
    // A signal that was aborted before acts on the TLS socket before that has a handle to close.
    if ((signal as AbortSignal | undefined)?.aborted) {
      socket.destroy();
      return this;
    }
    if (noDelay) socket.setNoDelay(true);
    if (keepAlive) socket.setKeepAlive(true, keepAliveInitialDelay as number | undefined);
    socket.connect(options);
    return this;
  };
}

function tellConnecting(secure: SecureSocket, own: Socket): void {
  secure._parent = own;
  for (const name of EVENTS) own.on(name, (...args) => secure.emit(name, ...args));
  own.on('connect', () => {
    secure.emit('connect');
    secure.emit('ready');
  });
  Object.defineProperty(secure, 'autoSelectFamilyAttemptedAddresses', {
    configurable: true,
    get: () => own.autoSelectFamilyAttemptedAddresses,
  });
}
