/** net.Server on a host of ours: events, properties, order and errors as Node documents and does them. */
import { captureRejectionSymbol, EventEmitter } from 'node:events';
import { type BlockList, isIP } from 'node:net';
import { getDefaultHighWaterMark } from 'node:stream';
import type { Closable } from '../../net/descriptor.ts';
import { isPath, normalizeArguments } from './arguments.ts';
import { adoptable } from './callable.ts';
import { listens, serverSockets } from './channels.ts';
import { checkBlockList, checkNumber, checkPort, checkSignal, checkString, natural } from './checks.ts';
import type { AddressInfo } from './end-name.ts';
import { wholeSeconds } from './keep-alive.ts';
import { ListenHandle, type ListenOwner } from './listen-handle.ts';
import { hostLookup, type LookedUp } from './lookup.ts';
import { MachineListener } from './machine-listener.ts';
import { alreadyListening, invalidArgType, invalidArgValue, serverNotRunning } from './node-errors.ts';
import type { Place } from './place.ts';
import type { Socket } from './socket.ts';
import type { AcceptedOptions } from './socket-options.ts';
import type { StreamHandle } from './stream-handle.ts';
import { callError, listenError } from './system-errors.ts';

/** As those of net.createServer. */
export interface ServerOptions {
  readonly allowHalfOpen?: boolean | undefined;
  /** Sockets come paused. */
  readonly pauseOnConnect?: boolean | undefined;
  readonly noDelay?: boolean | undefined;
  readonly keepAlive?: boolean | undefined;
  /** Silence before the first probe, ms. */
  readonly keepAliveInitialDelay?: number | undefined;
  /** Of the sockets, bytes. */
  readonly highWaterMark?: number | undefined;
  /** Peers that are turned away. */
  readonly blockList?: BlockList | undefined;
}

export type ConnectionListener = (socket: Socket) => void;
type ListenOptions = Record<string, unknown>;
type CloseCallback = (error?: Error) => void;

/** Node's: room for 512 on Linux. */
const BACKLOG = 511;
const LINK_LOCAL = /^fe[89ab]/i;
const [ANY4, ANY6] = ['0.0.0.0', '::'] as const;

/** Where and how to listen. */
interface ListenPlan {
  readonly port: number;
  readonly backlog: number;
  readonly ipv6Only: boolean;
  readonly reusePort: boolean;
}

export class Server extends adoptable(EventEmitter) {
  allowHalfOpen: boolean;
  pauseOnConnect: boolean;
  noDelay: boolean;
  keepAlive: boolean;
  /** Seconds. */
  keepAliveInitialDelay: number;
  highWaterMark: number;
  /** Connections beyond these are closed, and told of as `drop`; 0: all of them. */
  maxConnections: number | undefined = undefined;
  blockList: BlockList | undefined;
  _connections = 0;
  /** As with sockets: there is none of Node's. */
  readonly _handle = null;
  /** What it listens on: `6::::80`. */
  _connectionKey: string | undefined = undefined;
  readonly #place: Place;
  readonly #makeSocket: (options: AcceptedOptions) => Socket;
  readonly #owner: ListenOwner & Closable;
  #handle: ListenHandle | MachineListener | undefined;
  /** Counts calls of listen and close: a lookup that ends later than its time finds that it is over. */
  #calls = 0;
  #referenced = true;

  /** @throws TypeError for options that Node does not take */
  constructor(
    place: Place,
    makeSocket: (options: AcceptedOptions) => Socket,
    options?: ServerOptions | ConnectionListener | null,
    listener?: ConnectionListener,
  ) {
    super();
    const given: ServerOptions = typeof options === 'object' && options !== null ? options : {};
    if (options != null && typeof options !== 'object' && typeof options !== 'function')
      throw invalidArgType('options', 'of type object', options);
    const onConnection = typeof options === 'function' ? options : listener;
    if (typeof onConnection === 'function') this.on('connection', onConnection);
    if (given.keepAliveInitialDelay !== undefined)
      checkNumber(given.keepAliveInitialDelay, 'options.keepAliveInitialDelay');
    if (given.highWaterMark !== undefined) checkNumber(given.highWaterMark, 'options.highWaterMark');
    checkBlockList(given.blockList);
    this.#place = place;
    this.#makeSocket = makeSocket;
    this.allowHalfOpen = given.allowHalfOpen ?? false;
    this.pauseOnConnect = Boolean(given.pauseOnConnect);
    this.noDelay = Boolean(given.noDelay);
    this.keepAlive = Boolean(given.keepAlive);
    this.keepAliveInitialDelay = wholeSeconds(given.keepAliveInitialDelay);
    this.blockList = given.blockList;
    const mark = given.highWaterMark ?? -1;
    this.highWaterMark = mark < 0 ? getDefaultHighWaterMark(false) : mark;
    const listening = () => this.listening;
    this.#owner = {
      accepted: (status, handle) => this.#accepted(status, handle),
      get isClosed() {
        return !listening();
      },
      close: () => this.close(),
    };
  }

  get listening(): boolean {
    return this.#handle !== undefined;
  }

  /**
   * As net.Server.listen: `(port?, host?, backlog?)` or `(options)`, with a listener of `listening` behind. Without a host it listens on ::,
   * for both families, or on 0.0.0.0 where there is no IPv6. The port is taken when this returns, unless a host was named.
   * @throws TypeError, RangeError for wrong arguments; what goes wrong later is an `error` event
   */
  listen(...args: unknown[]): this {
    const [given, callback] = normalizeArguments(args);
    if (this.#handle !== undefined) throw alreadyListening();
    if (listens.hasSubscribers) listens.asyncStart.publish({ server: this, options: given });
    if (callback !== null) this.once('listening', callback);
    const options = (given['_handle'] || given['handle'] || given) as ListenOptions;
    const calls = ++this.#calls;
    this.#obey(options['signal']);
    const port = wantsAnyPort(args, options) ? 0 : options['port'];
    if (typeof port !== 'number' && typeof port !== 'string') return this.#listenOnMachine(args, options);
    checkPort(port, 'options.port');
    const plan: ListenPlan = {
      port: Number(port) | 0,
      // What is no number throws here, while nothing is taken yet.
      backlog: Number(options['backlog']) || natural(args[1]) || natural(args[2]) || BACKLOG,
      ipv6Only: options['ipv6Only'] === true,
      reusePort: options['reusePort'] === true,
    };
    const host = options['host'] as string | undefined;
    if (host) checkString(host, 'hostname');
    if (host) this.#lookUp(host, plan, calls);
    else this.#listen(undefined, 0, plan);
    return this;
  }

  /** What is no TCP: Node's own server does it, and this one tells of it. */
  #listenOnMachine(args: readonly unknown[], options: ListenOptions): this {
    const { path, fd } = options;
    const descriptor = typeof fd === 'number' && fd >= 0;
    if (
      !(typeof path === 'string' && isPath(path)) &&
      !descriptor &&
      'handle' in options === false &&
      !isHandle(options)
    )
      throw notListenable(options);
    const listener = new MachineListener(
      this,
      args.filter((one) => typeof one !== 'function'),
      () => {
        this.#handle = undefined;
      },
    );
    if (listener.listening) this.#handle = listener;
    if (!this.#referenced) listener.unref();
    return this;
  }

  #obey(signal: unknown): void {
    checkSignal(signal, 'options.signal');
    if (signal === undefined) return;
    const close = () => void this.close();
    if (signal.aborted) {
      process.nextTick(close);
      return;
    }
    signal.addEventListener('abort', close, { once: true });
    this.once('close', () => signal.removeEventListener('abort', close));
  }

  #lookUp(host: string, plan: ListenPlan, calls: number): void {
    const family = isIP(host);
    const found = (error: Error | null, list?: unknown) => {
      if (calls !== this.#calls) return;
      if (error !== null) {
        this.emit('error', error);
        return;
      }
      const addresses = list as readonly LookedUp[];
      // A link-local address says nothing without its zone: any other is better.
      const best = addresses.find(({ address }) => !LINK_LOCAL.test(address)) ?? (addresses[0] as LookedUp);
      this.#listen(best.address, best.family, plan);
    };
    if (family !== 0) process.nextTick(found, null, [{ address: host, family }]);
    else hostLookup(this.#place)(host, { all: true }, found);
  }

  #listen(address: string | undefined, family: number, plan: ListenPlan): void {
    const handle = address === undefined ? this.#bindAny(plan) : this.#bind(address, family, plan);
    const status = typeof handle === 'number' ? handle : handle.listen(plan.backlog);
    if (typeof handle === 'number' || status < 0) {
      if (typeof handle !== 'number') handle.close();
      const where = address ?? (this.#place.hasIpv6 ? ANY6 : ANY4);
      const error = listenError(status, where, plan.port);
      if (listens.hasSubscribers) listens.error.publish({ server: this, error });
      process.nextTick(() => this.emit('error', error));
      return;
    }
    this.#handle = handle;
    this._connectionKey = `${address === undefined ? familyOf(handle) : family}:${address ?? handle.name()?.address}:${plan.port}`;
    handle.owner = this.#owner;
    this.#place.host.open.add(this.#owner);
    if (!this.#referenced) handle.unref();
    if (listens.hasSubscribers) listens.asyncEnd.publish({ server: this });
    process.nextTick(() => {
      if (this.#handle === handle) this.emit('listening');
    });
  }

  #bind(address: string, family: number, plan: ListenPlan): ListenHandle | number {
    return ListenHandle.bind(this.#place, address, plan.port, family, plan);
  }

  #bindAny(plan: ListenPlan): ListenHandle | number {
    const both = this.#place.hasIpv6 ? this.#bind(ANY6, 6, plan) : undefined;
    // Where the port is taken for IPv6 it may be free for IPv4: so Node has it.
    return both === undefined || typeof both === 'number' ? this.#bind(ANY4, 4, plan) : both;
  }

  #accepted(status: number, handle: StreamHandle | undefined): void {
    if (handle === undefined) {
      this.emit('error', callError(status, 'accept'));
      return;
    }
    if (this.maxConnections != null && this._connections >= this.maxConnections) return this.#turnAway(handle);
    if (this.blockList && isBlocked(this.blockList, handle.peerName())) return handle.close();
    const { noDelay, keepAlive, highWaterMark } = this;
    const socket = this.#makeSocket({
      handle,
      allowHalfOpen: this.allowHalfOpen,
      pauseOnCreate: this.pauseOnConnect,
      noDelay,
      keepAlive,
      keepAliveInitialDelay: this.keepAliveInitialDelay * 1000,
      readableHighWaterMark: highWaterMark,
      writableHighWaterMark: highWaterMark,
    });
    this._connections++;
    socket.server = this;
    socket._server = this;
    this.emit('connection', socket);
    if (serverSockets.hasSubscribers) serverSockets.publish({ socket });
  }

  #turnAway(handle: StreamHandle): void {
    const [local, remote] = [handle.localName(), handle.peerName()];
    this.emit('drop', {
      localAddress: local?.address,
      localPort: local?.port,
      localFamily: local?.family,
      remoteAddress: remote?.address,
      remotePort: remote?.port,
      remoteFamily: remote?.family,
    });
    handle.close();
  }

  /** Where it listens; null: it does not. */
  address(): AddressInfo | string | null {
    return this.#handle?.name() ?? null;
  }

  /** The callback gets the number of connections. */
  getConnections(callback: (error: Error | null, count: number) => void): this {
    process.nextTick(callback, null, this._connections);
    return this;
  }

  /**
   * Accepts no more; `close` is emitted when the last connection is gone.
   * @param callback told then; with ERR_SERVER_NOT_RUNNING when it did not listen
   */
  close(callback?: CloseCallback): this {
    this.#calls++;
    if (typeof callback === 'function') {
      if (this.#handle === undefined) this.once('close', () => callback(serverNotRunning()));
      else this.once('close', callback);
    }
    this.#handle?.close();
    this.#handle = undefined;
    this.#place.host.open.delete(this.#owner);
    this.#closeIfDrained();
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#handle === undefined) return;
    await new Promise<void>((resolve, reject) => {
      this.close((error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  ref(): this {
    this.#referenced = true;
    this.#handle?.ref();
    return this;
  }

  unref(): this {
    this.#referenced = false;
    this.#handle?.unref();
    return this;
  }

  /** For a socket of ours: it is closed. */
  _gone(): void {
    this._connections--;
    this.#closeIfDrained();
  }

  #closeIfDrained(): void {
    if (this.#handle !== undefined || this._connections > 0) return;
    process.nextTick(() => this.emit('close'));
  }

  /** A listener of `connection` that rejects loses its socket (events.captureRejections). */
  override [captureRejectionSymbol](error: Error, event: string, socket: Socket): void {
    if (event === 'connection') socket.destroy(error);
    else this.emit('error', error);
  }
}

/** `listen()`, `listen(callback)`, `listen(null)`, `listen({ port: undefined })`. */
function wantsAnyPort(args: readonly unknown[], options: ListenOptions): boolean {
  if (args.length === 0 || typeof args[0] === 'function' || options['port'] === null) return true;
  return 'port' in options && options['port'] === undefined;
}

function notListenable(options: ListenOptions): Error {
  if (!('port' in options) && !('path' in options))
    return invalidArgValue('options', options, 'must have the property "port" or "path"');
  return invalidArgValue('options', options);
}

/** A handle of Node's own that listens already, or can. */
function isHandle(options: ListenOptions): boolean {
  return typeof options['listen'] === 'function' && typeof options['getsockname'] === 'function';
}

function familyOf(handle: ListenHandle): number {
  return handle.name()?.family === 'IPv6' ? 6 : 4;
}

function isBlocked(list: BlockList, peer: AddressInfo | undefined): boolean {
  return peer !== undefined && list.check(peer.address, peer.family === 'IPv6' ? 'ipv6' : 'ipv4');
}
