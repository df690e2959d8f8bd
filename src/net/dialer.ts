/** Dialer and ListenConfig: options that many dials and listens share, as Go's structs of these names. */
import { checkNames } from '../arguments.ts';
import type { DatagramSocket } from '../socket/datagram-socket.ts';
import type { Socket } from '../socket/socket.ts';
import type { DialOptions } from './dial.ts';
import type { KeepAliveConfig } from './keep-alive.ts';
import type { ListenOptions } from './listen.ts';
import type { DialPacketOptions, ListenPacketOptions } from './listen-packet.ts';
import type { Resolver } from './resolver.ts';
import type { TCPAddr } from './tcp-addr.ts';
import type { TCPConn } from './tcp-conn.ts';
import type { TCPListener } from './tcp-listener.ts';
import type { UDPAddr } from './udp-addr.ts';
import type { UDPConn } from './udp-conn.ts';

/** What a Dialer dials on: a host. */
export interface DialHost {
  dial(network: 'udp' | 'udp4' | 'udp6', address: string, options?: DialPacketOptions): Promise<UDPConn>;
  dial(network: string, address: string, options?: DialOptions): Promise<TCPConn>;
}

/** What a ListenConfig listens on: a host. */
export interface ListenHost {
  listen(network: string, address: string, options?: ListenOptions): Promise<TCPListener>;
  listenPacket(network: string, address: string, options?: ListenPacketOptions): Promise<UDPConn>;
}

/** What belongs to one call, in place of Go's context. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** `Control` and `PacketControl` in one: the socket is of the kind that is dialled or listened on; a function that takes one kind alone may be given, too. */
export type AnyControl = {
  control(network: string, address: string, socket: Socket | DatagramSocket): void;
}['control'];

/** The fields of a Dialer. */
export interface DialerOptions extends Omit<DialOptions, 'localAddr' | 'control' | 'signal'> {
  /** This end: a TCPAddr for dials of TCP, a UDPAddr for those of UDP. */
  readonly localAddr?: TCPAddr | UDPAddr | undefined;
  /** Is called with the socket of either kind. */
  readonly control?: AnyControl | undefined;
}

/** The fields are those of Go, and may be changed between dials; see `DialOptions` for what they mean. */
export class Dialer {
  readonly host: DialHost;
  timeout: number | undefined;
  deadline: Date | number | null | undefined;
  localAddr: TCPAddr | UDPAddr | undefined;
  fallbackDelay: number | undefined;
  keepAlive: number | undefined;
  keepAliveConfig: KeepAliveConfig | undefined;
  resolver: Resolver | undefined;
  control: AnyControl | undefined;

  /** @throws TypeError when `host` is none, or a field does not exist */
  constructor(host: DialHost, options: DialerOptions = {}) {
    checkHost('Dialer', host, 'dial');
    this.host = host;
    checkNames('Dialer', options, DIALER_FIELDS);
    Object.assign(this, options);
  }

  /** As `host.dial`, with these options. `signal`: ends this dial (Go: DialContext). */
  dial(network: 'udp' | 'udp4' | 'udp6', address: string, options?: CallOptions): Promise<UDPConn>;
  dial(network: string, address: string, options?: CallOptions): Promise<TCPConn>;
  async dial(network: string, address: string, options: CallOptions = {}): Promise<TCPConn | UDPConn> {
    checkNames('Dialer.dial', options, ['signal']);
    return this.host.dial(network, address, { ...picked(this, DIALER_FIELDS), signal: options.signal } as DialOptions);
  }
}

/** The fields of a ListenConfig. */
export interface ListenConfigOptions extends Omit<ListenOptions, 'control' | 'signal'> {
  /** Is called with the socket of either kind. */
  readonly control?: AnyControl | undefined;
}

/** The fields are those of Go, and may be changed between listens; see `ListenOptions` for what they mean. */
export class ListenConfig {
  readonly host: ListenHost;
  control: AnyControl | undefined;
  keepAlive: number | undefined;
  keepAliveConfig: KeepAliveConfig | undefined;
  backlog: number | undefined;

  /** @throws TypeError when `host` is none, or a field does not exist */
  constructor(host: ListenHost, options: ListenConfigOptions = {}) {
    checkHost('ListenConfig', host, 'listen');
    this.host = host;
    checkNames('ListenConfig', options, LISTEN_FIELDS);
    Object.assign(this, options);
  }

  /** As `host.listen`, with these options. */
  async listen(network: string, address: string, options: CallOptions = {}): Promise<TCPListener> {
    checkNames('ListenConfig.listen', options, ['signal']);
    const { signal } = options;
    return this.host.listen(network, address, { ...picked(this, LISTEN_FIELDS), signal } as ListenOptions);
  }

  /** As `host.listenPacket`, with the `control` of these options. */
  async listenPacket(network: string, address: string, options: CallOptions = {}): Promise<UDPConn> {
    checkNames('ListenConfig.listenPacket', options, ['signal']);
    return this.host.listenPacket(network, address, { control: this.control, signal: options.signal });
  }
}

const DIALER_FIELDS = [
  'timeout',
  'deadline',
  'localAddr',
  'fallbackDelay',
  'keepAlive',
  'keepAliveConfig',
  'resolver',
  'control',
] as const;
const LISTEN_FIELDS = ['control', 'keepAlive', 'keepAliveConfig', 'backlog'] as const;

function picked<T extends object>(from: T, fields: readonly (keyof T)[]): Partial<T> {
  return Object.fromEntries(fields.map((field) => [field, from[field]])) as Partial<T>;
}

function checkHost(name: string, host: unknown, method: string): void {
  const has =
    typeof host === 'object' && host !== null && typeof (host as Record<string, unknown>)[method] === 'function';
  if (!has) throw new TypeError(`${name}: host must be a Host (createHost)`);
}
