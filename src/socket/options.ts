/** Socket options: Linux's names, units, bounds and results. */

import { congestionControl, congestionControls } from '../tcp/congestion/congestion.ts';
import { type TcpInfo, tcpInfo } from '../tcp/info.ts';
import { armKeepalive } from '../tcp/keepalive.ts';
import { syncMss } from '../tcp/mss.ts';
import type { TcpSettings } from '../tcp/settings.ts';
import {
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_TCP,
  SO_ACCEPTCONN,
  SO_DOMAIN,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_PROTOCOL,
  SO_RCVBUF,
  SO_REUSEADDR,
  SO_SNDBUF,
  SO_TYPE,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_CONGESTION,
  TCP_CORK,
  TCP_INFO,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_LINGER2,
  TCP_MAXSEG,
  TCP_NODELAY,
  TCP_QUICKACK,
  TCP_SYNCNT,
  TCP_USER_TIMEOUT,
} from './constants.ts';
import { EINVAL, ENOENT, ENOPROTOOPT } from './errno.ts';
import type { Socket } from './socket.ts';

/** What options are set to: TCP_CONGESTION takes a name, SO_LINGER a structure, all others an integer. */
export type OptionValue = number | string | Linger;

/** SO_LINGER: `linger` in seconds. */
export interface Linger {
  readonly onoff: number;
  readonly linger: number;
}

/** Linux's bounds. */
const MAX_KEEPIDLE = 32_767;
const MAX_KEEPINTVL = 32_767;
const MAX_KEEPCNT = 127;
const MAX_SYNCNT = 127;
const MIN_MAXSEG = 88;
const MAX_MAXSEG = 32_767;
const MIN_SNDBUF = 4608;
const MIN_RCVBUF = 2304;
const MAX_TTL = 255;
const MAX_INT = 0x7fffffff;

/** @returns 0 or -errno */
export function setOption(socket: Socket, level: number, option: number, value: OptionValue): number {
  if (level === IPPROTO_TCP && option === TCP_CONGESTION) return setCongestion(socket, value);
  if (level === SOL_SOCKET && option === SO_LINGER) return setLinger(socket, value);
  if (typeof value !== 'number' || !Number.isInteger(value) || Math.abs(value) > MAX_INT) return -EINVAL;
  if (level === SOL_SOCKET) return setSocketOption(socket, option, value);
  if (level === IPPROTO_TCP) return setTcpOption(socket, option, value);
  if (level === IPPROTO_IP) return setIpOption(socket, option, value);
  return -ENOPROTOOPT;
}

/** @returns the value, or -errno */
export function getOption(socket: Socket, level: number, option: number): OptionValue | TcpInfo {
  if (level === SOL_SOCKET) return getSocketOption(socket, option);
  if (level === IPPROTO_TCP) return getTcpOption(socket, option);
  if (level === IPPROTO_IP) return getIpOption(socket, option);
  return -ENOPROTOOPT;
}

/** A name as a string. @returns -ENOENT for one that there is not */
function setCongestion(socket: Socket, value: OptionValue): number {
  if (typeof value !== 'string') return -EINVAL;
  if (!congestionControls().includes(value)) return -ENOENT;
  socket.settings.congestion = value;
  if (socket.connection !== undefined) socket.connection.congestion = congestionControl(value);
  return 0;
}

function setLinger(socket: Socket, value: OptionValue): number {
  if (typeof value !== 'object' || value === null) return -EINVAL;
  if (!Number.isInteger(value.onoff) || !Number.isInteger(value.linger)) return -EINVAL;
  socket.linger = { onoff: value.onoff === 0 ? 0 : 1, linger: Math.max(value.linger, 0) };
  return 0;
}

function setSocketOption(socket: Socket, option: number, value: number): number {
  const { settings } = socket;
  const { tcp_rmem, tcp_wmem } = socket.stack.sysctl;
  switch (option) {
    case SO_REUSEADDR:
      socket.reuseAddress = value !== 0;
      return 0;
    case SO_KEEPALIVE:
      settings.keepalive = value !== 0;
      return keepaliveChanged(socket);
    // Linux doubles what is asked for, to pay for its own bookkeeping, and shows the double.
    case SO_SNDBUF:
      settings.sndBuf = bufferSize(value, tcp_wmem[2], MIN_SNDBUF);
      return 0;
    case SO_RCVBUF:
      settings.rcvBuf = bufferSize(value, tcp_rmem[2], MIN_RCVBUF);
      return 0;
    default:
      return -ENOPROTOOPT;
  }
}

function bufferSize(value: number, most: number, least: number): number {
  return Math.max(2 * Math.min(Math.max(value, 0), most), least);
}

function setTcpOption(socket: Socket, option: number, value: number): number {
  const { settings } = socket;
  switch (option) {
    case TCP_NODELAY:
      settings.noDelay = value !== 0;
      if (settings.noDelay) socket.push();
      return 0;
    case TCP_CORK:
      settings.cork = value !== 0;
      if (!settings.cork) socket.push();
      return 0;
    case TCP_MAXSEG:
      if (value !== 0 && (value < MIN_MAXSEG || value > MAX_MAXSEG)) return -EINVAL;
      settings.maxSegment = value;
      if (socket.connection !== undefined) syncMss(socket.connection);
      return 0;
    case TCP_KEEPIDLE:
      return bounded(value, 1, MAX_KEEPIDLE, () => setKeepIdle(socket, value));
    case TCP_KEEPINTVL:
      return bounded(value, 1, MAX_KEEPINTVL, () => setField(settings, 'keepInterval', value));
    case TCP_KEEPCNT:
      return bounded(value, 1, MAX_KEEPCNT, () => setField(settings, 'keepCount', value));
    case TCP_SYNCNT:
      return bounded(value, 1, MAX_SYNCNT, () => setField(settings, 'synCount', value));
    case TCP_LINGER2:
      settings.linger2 = value < 0 ? -1 : value === 0 ? socket.stack.sysctl.tcp_fin_timeout : Math.min(value, 120);
      return 0;
    case TCP_USER_TIMEOUT:
      return bounded(value, 0, MAX_INT, () => setField(settings, 'userTimeout', value));
    case TCP_QUICKACK:
      return setQuickAck(socket, value);
    default:
      return -ENOPROTOOPT;
  }
}

/** RFC 9293 3.9.2 [MUST-48], [MUST-49]; [SHLD-21]: both may change while the connection lives. */
function setIpOption(socket: Socket, option: number, value: number): number {
  const { settings, connection } = socket;
  switch (option) {
    case IP_TOS:
      // The ECN bits are the protocol's (Linux).
      settings.tos = value & 0xfc;
      break;
    case IP_TTL:
      // -1: the default again.
      if (value !== -1 && (value < 1 || value > MAX_TTL)) return -EINVAL;
      settings.ttl = value === -1 ? socket.stack.sysctl.ip_default_ttl : value;
      break;
    default:
      return -ENOPROTOOPT;
  }
  if (connection !== undefined) settings.mark(connection.path);
  return 0;
}

function getIpOption(socket: Socket, option: number): number {
  const { settings } = socket;
  switch (option) {
    case IP_TOS:
      return settings.tos;
    case IP_TTL:
      return settings.ttl || socket.stack.sysctl.ip_default_ttl;
    default:
      return -ENOPROTOOPT;
  }
}

function bounded(value: number, least: number, most: number, set: () => number): number {
  return value < least || value > most ? -EINVAL : set();
}

function setField(
  settings: TcpSettings,
  field: 'keepInterval' | 'keepCount' | 'synCount' | 'userTimeout',
  value: number,
): number {
  settings[field] = value;
  return 0;
}

function setKeepIdle(socket: Socket, seconds: number): number {
  socket.settings.keepIdle = seconds;
  return keepaliveChanged(socket);
}

function keepaliveChanged(socket: Socket): number {
  if (socket.connection === undefined) return 0;
  armKeepalive(socket.connection, socket.stack.clock.now());
  socket.stack.wake();
  return 0;
}

/** Not sticky, as on Linux: the connection finds its own way again. */
function setQuickAck(socket: Socket, value: number): number {
  const { connection } = socket;
  if (connection === undefined) return 0;
  connection.pingpong = value === 0;
  if (value !== 0 && connection.ackDelayed) {
    connection.ackNow = true;
    connection.context.markDirty(connection);
  }
  return 0;
}

function getSocketOption(socket: Socket, option: number): number | Linger {
  const { settings } = socket;
  switch (option) {
    case SO_REUSEADDR:
      return Number(socket.reuseAddress);
    case SO_KEEPALIVE:
      return Number(settings.keepalive);
    case SO_SNDBUF:
      return settings.sndBuf;
    case SO_RCVBUF:
      return settings.rcvBuf;
    case SO_LINGER:
      return socket.linger;
    case SO_ERROR:
      return socket.takeError();
    case SO_TYPE:
      return SOCK_STREAM;
    case SO_PROTOCOL:
      return IPPROTO_TCP;
    case SO_DOMAIN:
      return socket.domain;
    case SO_ACCEPTCONN:
      return Number(socket.listening);
    default:
      return -ENOPROTOOPT;
  }
}

function getTcpOption(socket: Socket, option: number): OptionValue | TcpInfo {
  const { settings, connection } = socket;
  switch (option) {
    case TCP_NODELAY:
      return Number(settings.noDelay);
    case TCP_CORK:
      return Number(settings.cork);
    case TCP_MAXSEG:
      return connection?.sndMss ?? (settings.maxSegment || 536);
    case TCP_KEEPIDLE:
      return settings.keepIdle;
    case TCP_KEEPINTVL:
      return settings.keepInterval;
    case TCP_KEEPCNT:
      return settings.keepCount;
    case TCP_SYNCNT:
      return settings.synCount;
    case TCP_LINGER2:
      return settings.linger2;
    case TCP_USER_TIMEOUT:
      return settings.userTimeout;
    case TCP_QUICKACK:
      return Number(connection === undefined || !connection.pingpong);
    case TCP_CONGESTION:
      return settings.congestion;
    case TCP_INFO:
      return connection === undefined ? -EINVAL : tcpInfo(connection, socket.stack.clock.now());
    default:
      return -ENOPROTOOPT;
  }
}
