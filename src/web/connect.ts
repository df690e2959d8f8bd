/**
 * `connect()` as WinterTC has it (the Sockets API draft of ECMA's TC55): a TCP connection as two streams, and promises of its beginning and end.
 */
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
  return (address, options = {}) => {
    const { hostname, port } = readAddress(address);
    const kind = readKind(options, secure);
    const { allowHalfOpen, sni, alpn } = options;
    const conn = dial(host, joinHostPort(hostname, port));
    const closed = withResolvers();
    const streams = new ConnStreams(conn, {
      allowHalfOpen: allowHalfOpen ?? false,
      ended: (reason) => (reason === undefined ? closed.resolve() : closed.reject(asSocketError(reason))),
    });
    // Who does not ask for it is not told by an unhandled rejection.
    closed.promise.catch(() => {});
    const base = { conn, streams, closed: closed.promise, secure, servername: sni ?? hostname, alpn: alpn ?? [] };
    conn.catch((error) => streams.close(error));
    return kind === 'on'
      ? secured(base, streams)
      : new Socket(base, streams, infoOf(conn, Promise.resolve(null)), kind);
  };
}

/** What the sockets of one connection share. */
interface Base {
  readonly conn: Promise<TCPConn>;
  readonly streams: ConnStreams;
  readonly closed: Promise<void>;
  readonly secure: Secure | undefined;
  readonly servername: string;
  readonly alpn: readonly string[];
}

export class Socket implements BytePair {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<ByteSource>;
  /** Settles when the connection is there, with its two ends; rejects with a SocketError. */
  readonly opened: Promise<SocketInfo>;
  /** Settles when both directions have ended; rejects with a SocketError when the connection failed. */
  readonly closed: Promise<void>;
  readonly secureTransport: SecureTransportKind;
  readonly #base: Base;
  #upgraded = false;

  /** For `connect` alone. */
  constructor(base: Base, pair: BytePair, opened: Promise<SocketInfo>, secureTransport: SecureTransportKind) {
    this.readable = pair.readable;
    this.writable = pair.writable;
    this.opened = opened;
    this.closed = base.closed;
    this.secureTransport = secureTransport;
    this.#base = base;
    opened.catch(() => {});
  }

  /** `startTls` was called: this socket is done with. */
  get upgraded(): boolean {
    return this.#upgraded;
  }

  /** Ends both directions: what the stack has taken is still delivered. @returns `closed` */
  close(): Promise<void> {
    this.#base.streams.close();
    return this.closed;
  }

  /**
   * A socket that goes on under TLS on the same connection. This one's streams must not be locked, and are not to be used any more.
   * @throws SocketError unless it was made with `secureTransport: 'starttls'`, or when it was called before
   */
  startTls(): Socket {
    if (this.secureTransport !== 'starttls')
      throw new SocketError("startTls: the socket was not made with secureTransport: 'starttls'");
    if (this.#upgraded) throw new SocketError('startTls: it was called before');
    this.#upgraded = true;
    return secured(this.#base, this);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** TLS over the streams of a connection: what is written meanwhile waits for the handshake. */
function secured(base: Base, plain: BytePair): Socket {
  const { conn, servername, alpn, streams } = base;
  const inward = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  const outward = new TransformStream<ByteSource, ByteSource>();
  const made = conn.then(() =>
    (base.secure as Secure)({ readable: plain.readable, writable: plain.writable }, { servername, alpn }),
  );
  made
    .then(({ readable, writable }) =>
      Promise.all([readable.pipeTo(inward.writable), outward.readable.pipeTo(writable)]),
    )
    .catch((error) => {
      inward.writable.abort(error).catch(() => {});
      outward.readable.cancel(error).catch(() => {});
      streams.close(error);
    });
  const pair = { readable: inward.readable, writable: outward.writable };
  return new Socket(
    base,
    pair,
    infoOf(
      conn,
      made.then(({ alpn: chosen }) => chosen ?? null),
    ),
    'on',
  );
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

async function dial(host: Host, address: string): Promise<TCPConn> {
  return await host.dial('tcp', address);
}

/** @throws SocketError (TypeError) */
function readAddress(address: AnySocketAddress): SocketAddress {
  if (typeof address !== 'string') {
    const { hostname, port } = address ?? {};
    if (typeof hostname !== 'string' || hostname === '') throw new SocketError('hostname must be a non-empty string');
    return { hostname, port: checkPort(port) };
  }
  try {
    const { host, port } = splitHostPort(address);
    if (host === '') throw new Error(`no host in ${JSON.stringify(address)}`);
    return { hostname: host, port: checkPort(port === '' ? undefined : Number(port)) };
  } catch (cause) {
    if (cause instanceof SocketError) throw cause;
    throw new SocketError((cause as Error).message, { cause });
  }
}

function checkPort(port: unknown): number {
  if (!Number.isInteger(port) || (port as number) < 1 || (port as number) > 65_535)
    throw new SocketError(`port must be an integer from 1 to 65535, got ${String(port)}`);
  return port as number;
}

function readKind({ secureTransport = 'off' }: SocketOptions, secure: Secure | undefined): SecureTransportKind {
  if (secureTransport !== 'off' && secureTransport !== 'on' && secureTransport !== 'starttls')
    throw new TypeError(`connect: secureTransport must be off, on or starttls, got ${String(secureTransport)}`);
  if (secureTransport !== 'off' && secure === undefined)
    throw new SocketError(
      `secureTransport: '${secureTransport}' needs TLS, which this host has not: give createConnect a secure function`,
    );
  return secureTransport;
}

function asSocketError(reason: unknown): SocketError {
  if (reason instanceof SocketError) return reason;
  return new SocketError(reason instanceof Error ? reason.message : String(reason), { cause: reason });
}

/** Promise.withResolvers, which Node.js 20 has not. */
function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (reason: unknown) => void } {
  let resolve = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<void>((settle, fail) => {
    [resolve, reject] = [settle, fail];
  });
  return { promise, resolve, reject };
}
