/** Keepalive and the other options that Go sets or leaves alone on a connection. */
import { checkFlag, checkNames, shown } from '../arguments.ts';
import {
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SOL_SOCKET,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
} from '../socket/constants.ts';
import type { Socket } from '../socket/socket.ts';

/** Times in ms, rounded up to whole seconds; 0 or absent: the default; negative: left as it is. */
export interface KeepAliveConfig {
  /** Whether probes are sent at all. Default: false. */
  readonly enable?: boolean | undefined;
  /** Silence before the first probe, ms. Default: 15,000. */
  readonly idle?: number | undefined;
  /** Between probes, ms. Default: 15,000. */
  readonly interval?: number | undefined;
  /** Unanswered probes after which the connection is given up. Default: 9. */
  readonly count?: number | undefined;
}

/** The two options of dial and listen. */
export interface KeepAliveOptions {
  /** Silence before the first probe, ms; 0 or absent: 15,000; negative: no keepalive. Ignored when `keepAliveConfig` enables it. */
  readonly keepAlive?: number | undefined;
  readonly keepAliveConfig?: KeepAliveConfig | undefined;
}

const IDLE_SECONDS = 15;
const INTERVAL_SECONDS = 15;
const COUNT = 9;

/** @throws TypeError naming the option */
export function checkKeepAliveOptions(caller: string, options: KeepAliveOptions): void {
  checkNumber(`${caller}: keepAlive`, options.keepAlive);
  if (options.keepAliveConfig !== undefined)
    checkKeepAliveConfig(`${caller}: keepAliveConfig`, options.keepAliveConfig);
}

/** @throws TypeError naming the field */
export function checkKeepAliveConfig(name: string, config: KeepAliveConfig): void {
  checkNames(name, config, ['enable', 'idle', 'interval', 'count'] satisfies (keyof KeepAliveConfig)[]);
  if (config.enable !== undefined) checkFlag(`${name}.enable`, config.enable);
  checkNumber(`${name}.idle`, config.idle);
  checkNumber(`${name}.interval`, config.interval);
  checkNumber(`${name}.count`, config.count);
}

/** @throws TypeError */
export function checkMs(name: string, ms: unknown): void {
  if (typeof ms !== 'number' || Number.isNaN(ms)) throw new TypeError(`${name} must be a number, got ${shown(ms)}`);
}

function checkNumber(name: string, value: number | undefined): void {
  if (value !== undefined) checkMs(name, value);
}

/** What a connection gets when it is dialled or accepted (Go: newTCPConn): no Nagle, keepalive at 15 s, 15 s, 9 probes. */
export function setUpConnection(socket: Socket, options: KeepAliveOptions): void {
  socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
  const { keepAlive = 0, keepAliveConfig } = options;
  if (keepAliveConfig?.enable) applyKeepAlive(socket, keepAliveConfig);
  else if (keepAlive >= 0) applyKeepAlive(socket, { enable: true, idle: keepAlive });
}

/** Sets all four; returns 0, or the first -errno, like Go stopping there. */
export function applyKeepAlive(socket: Socket, config: KeepAliveConfig): number {
  const enabled = socket.setsockopt(SOL_SOCKET, SO_KEEPALIVE, config.enable ? 1 : 0);
  if (enabled < 0) return enabled;
  const idle = setSeconds(socket, TCP_KEEPIDLE, config.idle, IDLE_SECONDS);
  if (idle < 0) return idle;
  const interval = setSeconds(socket, TCP_KEEPINTVL, config.interval, INTERVAL_SECONDS);
  return interval < 0 ? interval : setValue(socket, TCP_KEEPCNT, config.count, COUNT);
}

/** The idle time alone, ms, as `KeepAliveConfig.idle`. */
export function applyKeepAliveIdle(socket: Socket, idle: number): number {
  return setSeconds(socket, TCP_KEEPIDLE, idle, IDLE_SECONDS);
}

function setSeconds(socket: Socket, option: number, ms: number | undefined, byDefault: number): number {
  return setValue(socket, option, ms === undefined ? undefined : Math.ceil(ms / 1000), byDefault, ms);
}

/** `sign`: what says whether to set at all; a negative fraction of a second must not round up to "the default". */
function setValue(socket: Socket, option: number, value: number | undefined, byDefault: number, sign = value): number {
  if (sign !== undefined && sign < 0) return 0;
  return socket.setsockopt(IPPROTO_TCP, option, value === undefined || value === 0 ? byDefault : value);
}
