/**
 * `connect()` as WinterTC has it (the Sockets API draft of ECMA's TC55): a TCP connection as two streams, and promises of its beginning and end.
 */
import { shown } from '../arguments.ts';
import type { Host } from '../host.ts';
import { type ByteSource, ConnStreams } from '../net/conn-streams.ts';
import { joinHostPort, splitHostPort } from '../net/host-port.ts';
import type { TCPConn } from '../net/tcp-conn.ts';

export interface SocketAddress {
  readonly hostname: string;
  /** 1..65535. */
  readonly port: number;
}

/** A host and a port as one text, `10.9.0.2:80`, `[fd00::2]:80`, `example.com:80`; or apart. */
export type AnySocketAddress = string | SocketAddress;

/** `off`: plain TCP; `on`: TLS from the start; `starttls`: plain at first, `startTls()` later. */
export type SecureTransportKind = 'off' | 'on' | 'starttls';

export interface SocketOptions {
  /** Default: `off`. The others need a `secure` function; see `createConnect`. */
  readonly secureTransport?: SecureTransportKind | undefined;
  /** Whether the writable stays open when the readable ends. Default: false: it is closed. */
  readonly allowHalfOpen?: boolean | undefined;
  /** The name in the certificate. Default: the address's. */
  readonly sni?: string | undefined;
  /** Application protocols to offer. */
  readonly alpn?: readonly string[] | undefined;
}

export interface SocketInfo {
  /** `10.9.0.2:80` */
  readonly remoteAddress: string | null;
  readonly localAddress: string | null;
  /** What TLS agreed on. */
  readonly alpn: string | null;
}

/** Both directions of a byte stream. */
export interface BytePair {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<ByteSource>;
}

/** Makes a secured pair of a plain one. It is handed in: the core has no TLS. */
export type Secure = (
  plain: BytePair,
  options: { readonly servername: string; readonly alpn: readonly string[] },
) => Promise<BytePair & { readonly alpn?: string | null | undefined }>;

/** The draft's: what connect and its socket fail with. */
export class SocketError extends TypeError {
  override readonly name = 'SocketError';

  constructor(message: string, options?: ErrorOptions) {
    super(`SocketError: ${message}`, options);
  }
}

export interface ConnectSettings {
  /** For `secureTransport` on and starttls. Default: none, and those fail. */
  readonly secure?: Secure | undefined;
}

export type Connect = (address: AnySocketAddress, options?: SocketOptions) => Socket;

/**
 * The `connect` of a host.
 *
 *     const connect = createConnect(host);
 *     const socket = connect('10.9.0.2:80');
 *     await socket.opened;
 */
export function createConnect(host: Host, settings: ConnectSettings = {}): Connect {
  const { secure } = settings;
  if (secure !== undefined && typeof secure !== 'function')
    throw new TypeError('createConnect: secure must be a function (plain, options) => Promise of a pair of streams');
  return (address, options) => {
    const { hostname, port } = readAddress(address);
    const { kind, allowHalfOpen, sni, alpn } = readOptions(options, secure);
    const dialling = new AbortController();
    const conn = host.dial('tcp', joinHostPort(hostname, port), { signal: dialling.signal });
    const closed = handled<void>();
    const streams = new ConnStreams(conn, {
      allowHalfOpen,
      ended: (reason) => (reason === undefined ? closed.resolve() : closed.reject(asSocketError(reason))),
    });
    conn.catch((error) => streams.fail(error));
    const close = (reason: unknown) => {
      streams.close(reason);
      // A connection that is there has nothing to do with it any more.
      dialling.abort();
    };
    const base = { conn, streams, closed: closed.promise, close, secure, servername: sni ?? hostname, alpn };
    return kind === 'on'
      ? secured(base, streams)
      : new Socket(base, streams, infoOf(conn, Promise.resolve(null)), kind, close);
  };
}

/** What the sockets of one connection share. */
interface Base {
  readonly conn: Promise<TCPConn>;
  readonly streams: ConnStreams;
  /** The connection's. */
  readonly closed: Promise<void>;
  /** Ends both directions of the connection, and the dialling. */
  readonly close: (reason: unknown) => void;
  readonly secure: Secure | undefined;
  readonly servername: string;
  readonly alpn: readonly string[];
}

export class Socket implements BytePair {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<ByteSource>;
  /** Settles when the connection is there, with its two ends; rejects with a SocketError. */
  readonly opened: Promise<SocketInfo>;
  /** Settles when both directions have ended, or with `startTls`; rejects with a SocketError when the connection failed. */
  readonly closed: Promise<void>;
  readonly secureTransport: SecureTransportKind;
  readonly #base: Base;
  readonly #close: (reason: unknown) => void;
  readonly #replaced = handled<void>();
  #upgraded = false;

  /** For `connect` alone. */
  constructor(
    base: Base,
    pair: BytePair,
    opened: Promise<SocketInfo>,
    secureTransport: SecureTransportKind,
    close: (reason: unknown) => void,
  ) {
    this.readable = pair.readable;
    this.writable = pair.writable;
    this.opened = opened;
    this.closed = secureTransport === 'starttls' ? Promise.race([base.closed, this.#replaced.promise]) : base.closed;
    this.secureTransport = secureTransport;
    this.#base = base;
    this.#close = close;
    // Who does not ask for them is not told by an unhandled rejection.
    opened.catch(() => {});
    this.closed.catch(() => {});
  }

  /** `startTls` was called: this socket is done with. */
  get upgraded(): boolean {
    return this.#upgraded;
  }

  /**
   * Ends both directions, the readable as if it were cancelled, the writable as if aborted with `reason`: what the stack has taken is still delivered.
   * Before the connection is there, `opened` fails.
   * @returns `closed`
   */
  close(reason: unknown = new SocketError('the socket was closed')): Promise<void> {
    if (!this.#upgraded) this.#close(reason);
    return this.closed;
  }

  /**
   * A socket that goes on under TLS on the same connection. This one is closed: its streams are not to be used any more.
   * @throws SocketError unless it was made with `secureTransport: 'starttls'`, when it was called before, or while a reader or a writer holds a stream
   */
  startTls(): Socket {
    if (this.secureTransport !== 'starttls')
      throw new SocketError("startTls: the socket was not made with secureTransport: 'starttls'");
    if (this.#upgraded) throw new SocketError('startTls: it was called before');
    if (this.readable.locked || this.writable.locked)
      throw new SocketError('startTls: a reader or a writer holds a stream of the socket: release its lock first');
    this.#upgraded = true;
    this.#replaced.resolve();
    return secured(this.#base, this);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** TLS over the streams of a connection: what is written meanwhile waits for the handshake. */
function secured(base: Base, plain: BytePair): Socket {
  const { conn, servername, alpn, streams } = base;
  const inward = passage<Uint8Array<ArrayBuffer>>();
  const outward = passage<ByteSource>();
  const made = conn.then(() =>
    (base.secure as Secure)({ readable: plain.readable, writable: plain.writable }, { servername, alpn }),
  );
  made
    .then(({ readable, writable }) =>
      Promise.all([readable.pipeTo(inward.pair.writable), outward.pair.readable.pipeTo(writable)]),
    )
    .catch((error) => {
      inward.controller.error(error);
      outward.controller.error(error);
      streams.fail(error);
    });
  const pair = { readable: inward.pair.readable, writable: outward.pair.writable };
  const closing = handled<never>();
  const agreed = made.then((chosen) => chosen.alpn ?? null);
  const opened = infoOf(conn, Promise.race([agreed, closing.promise]));
  return new Socket(base, pair, opened, 'on', (reason) => {
    closing.reject(new SocketError('the socket was closed before TLS was agreed on'));
    inward.controller.terminate();
    outward.controller.error(reason);
    base.close(reason);
  });
}

/** Streams that can be ended from outside. */
function passage<T>(): { pair: TransformStream<T, T>; controller: TransformStreamDefaultController<T> } {
  let controller!: TransformStreamDefaultController<T>;
  const pair = new TransformStream<T, T>({
    start: (own) => {
      controller = own;
    },
  });
  return { pair, controller };
}

async function infoOf(conn: Promise<TCPConn>, alpn: Promise<string | null>): Promise<SocketInfo> {
  try {
    const made = await conn;
    const chosen = await alpn;
    return { remoteAddress: `${made.remoteAddr()}`, localAddress: `${made.localAddr()}`, alpn: chosen };
  } catch (error) {
    throw asSocketError(error);
  }
}

/** @throws SocketError (TypeError) */
function readAddress(address: AnySocketAddress): SocketAddress {
  if (typeof address !== 'string') {
    const { hostname, port } = address ?? {};
    if (typeof hostname !== 'string' || hostname === '') throw new SocketError('hostname must be a non-empty string');
    // As `url.hostname` and `url.port` have them.
    return { hostname: hostname.replace(/^\[(.*)\]$/, '$1'), port: readPort(port) };
  }
  try {
    const { host, port } = splitHostPort(address);
    if (host === '') throw new Error(`no host in ${JSON.stringify(address)}`);
    return { hostname: host, port: readPort(port) };
  } catch (cause) {
    if (cause instanceof SocketError) throw cause;
    throw new SocketError((cause as Error).message, { cause });
  }
}

function readPort(given: unknown): number {
  const port = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given;
  if (!Number.isInteger(port) || (port as number) < 1 || (port as number) > 65_535)
    throw new SocketError(`port must be an integer from 1 to 65535, got ${shown(given)}`);
  return port as number;
}

/** @throws TypeError for what is no option; SocketError when TLS is asked for and there is none */
function readOptions(given: SocketOptions | null | undefined, secure: Secure | undefined) {
  if (typeof (given ?? {}) !== 'object') throw new TypeError(`connect: options must be an object, got ${typeof given}`);
  const { secureTransport: kind = 'off', allowHalfOpen = false, sni, alpn = [] } = given ?? {};
  if (kind !== 'off' && kind !== 'on' && kind !== 'starttls')
    throw new TypeError(`connect: secureTransport must be off, on or starttls, got ${shown(kind)}`);
  if (sni !== undefined && typeof sni !== 'string')
    throw new TypeError(`connect: sni must be a string, got ${typeof sni}`);
  if (!Array.isArray(alpn) || alpn.some((name) => typeof name !== 'string'))
    throw new TypeError('connect: alpn must be an array of strings');
  if (kind !== 'off' && secure === undefined)
    throw new SocketError(
      `secureTransport: '${kind}' needs TLS, which this host has not: give createConnect a secure function`,
    );
  return { kind, allowHalfOpen: Boolean(allowHalfOpen), sni, alpn };
}

function asSocketError(reason: unknown): SocketError {
  if (reason instanceof SocketError) return reason;
  return new SocketError(reason instanceof Error ? reason.message : String(reason), { cause: reason });
}

/** Promise.withResolvers, which Node.js 20 has not, of a promise that nobody need look at. */
function handled<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (reason: unknown) => void } {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((settle, fail) => {
    [resolve, reject] = [settle, fail];
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}
