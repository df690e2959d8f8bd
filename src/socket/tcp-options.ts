/** Options of IPPROTO_TCP: Linux's names, units, bounds and results. */

import { congestionControl, congestionControls } from '../tcp/congestion/congestion.ts';
import { changeControl } from '../tcp/congestion-choice.ts';
import { secondsToTimeouts, timeoutsToSeconds } from '../tcp/defer-accept.ts';
import { inPingpong, setQuickAck } from '../tcp/delayed-ack.ts';
import { type TcpInfo, tcpInfo } from '../tcp/info.ts';
import type { TcpSettings } from '../tcp/settings.ts';
import { CLOSED } from '../tcp/state.ts';
import { setClamp, setNotsentLowat } from './buffer-options.ts';
import {
  TCP_CC_INFO,
  TCP_CONGESTION,
  TCP_CORK,
  TCP_DEFER_ACCEPT,
  TCP_INFO,
  TCP_INQ,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_LINGER2,
  TCP_MAXSEG,
  TCP_NODELAY,
  TCP_NOTSENT_LOWAT,
  TCP_QUICKACK,
  TCP_RTO_MAX_MS,
  TCP_SAVE_SYN,
  TCP_SAVED_SYN,
  TCP_SYNCNT,
  TCP_THIN_DUPACK,
  TCP_THIN_LINEAR_TIMEOUTS,
  TCP_USER_TIMEOUT,
  TCP_WINDOW_CLAMP,
} from './constants.ts';
import { EINVAL, ENOENT, ENOPROTOOPT } from './errno.ts';
import { keepaliveChanged } from './keepalive-option.ts';
import { MAX_INT, type OptionValue } from './option-value.ts';
import type { Socket } from './socket.ts';

/** Linux's bounds. */
const MAX_KEEPIDLE = 32_767;
const MAX_KEEPINTVL = 32_767;
const MAX_KEEPCNT = 127;
const MAX_SYNCNT = 127;
/** ms */
const MIN_RTO_MAX = 1000;
const MAX_RTO_MAX = 120_000;
const MIN_MAXSEG = 88;
const MAX_MAXSEG = 32_767;

/** @returns 0 or -errno */
export function setTcpOption(socket: Socket, option: number, value: number): number {
  const { settings, connection } = socket;
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
      settings.rarely.maxSegment = value;
      return 0;
    case TCP_KEEPIDLE:
      return bounded(value, 1, MAX_KEEPIDLE, () => setKeepIdle(socket, value));
    case TCP_KEEPINTVL:
      return bounded(value, 1, MAX_KEEPINTVL, () => setField(settings, 'keepInterval', value));
    case TCP_KEEPCNT:
      return bounded(value, 1, MAX_KEEPCNT, () => setField(settings, 'keepCount', value));
    case TCP_SYNCNT:
      return bounded(value, 1, MAX_SYNCNT, () => setField(settings.rarely, 'synCount', value));
    case TCP_RTO_MAX_MS:
      return bounded(value, MIN_RTO_MAX, MAX_RTO_MAX, () => setField(settings, 'rtoMax', value));
    case TCP_DEFER_ACCEPT:
      settings.rarely.deferAccept = secondsToTimeouts(value);
      return 0;
    case TCP_LINGER2:
      settings.rarely.linger2 = value < 0 ? -1 : Math.min(value, 120);
      return 0;
    case TCP_USER_TIMEOUT:
      return bounded(value, 0, MAX_INT, () => setField(settings.rarely, 'userTimeout', value));
    case TCP_QUICKACK:
      if (connection !== undefined) setQuickAck(connection, value);
      return 0;
    case TCP_WINDOW_CLAMP:
      return setClamp(socket, value);
    case TCP_NOTSENT_LOWAT:
      return setNotsentLowat(socket, value);
    case TCP_INQ:
      return bounded(value, 0, 1, () => setInq(settings, value));
    case TCP_SAVE_SYN:
      return bounded(value, 0, 2, () => setField(settings.rarely, 'saveSyn', value));
    case TCP_THIN_LINEAR_TIMEOUTS:
      return bounded(value, 0, 1, () => setThinLinear(settings, value));
    // Linux takes it and does nothing: recovery has no need of it any more.
    case TCP_THIN_DUPACK:
      return bounded(value, 0, 1, () => 0);
    default:
      return -ENOPROTOOPT;
  }
}

function bounded(value: number, least: number, most: number, set: () => number): number {
  return value < least || value > most ? -EINVAL : set();
}

function setField<Field extends string>(settings: Record<Field, number>, field: Field, value: number): number {
  settings[field] = value;
  return 0;
}

function setInq(settings: TcpSettings, value: number): number {
  settings.rarely.inq = value === 1;
  return 0;
}

function setThinLinear(settings: TcpSettings, value: number): number {
  settings.rarely.thinLinear = value === 1;
  return 0;
}

/** The headers of the SYN that opened the connection, once; empty: they were read, or are not kept. */
function takeSyn(settings: TcpSettings): Uint8Array {
  const { savedSyn } = settings.rare;
  if (savedSyn === undefined) return new Uint8Array(0);
  settings.rarely.savedSyn = undefined;
  return savedSyn;
}

function setKeepIdle(socket: Socket, seconds: number): number {
  socket.settings.keepIdle = seconds;
  return keepaliveChanged(socket);
}

/** A name as a string. @returns -ENOENT for one that there is not */
export function setCongestion(socket: Socket, value: OptionValue): number {
  if (typeof value !== 'string') return -EINVAL;
  if (!congestionControls().includes(value)) return -ENOENT;
  socket.settings.congestion = value;
  socket.settings.rarely.congestionChosen = true;
  if (socket.connection !== undefined) changeControl(socket.connection, value, socket.stack.clock.now());
  return 0;
}

/** What the congestion control tells of itself, in Linux's structure: most have none. */
function congestionInfo({ settings, connection }: Socket): Uint8Array {
  const { congestion } = connection ?? { congestion: congestionControl(settings.congestion) };
  return new Uint8Array(congestion.info?.(connection).buffer ?? new ArrayBuffer(0));
}

/** @returns the value, or -errno */
export function getTcpOption(socket: Socket, option: number): number | string | Uint8Array | TcpInfo {
  const { settings, connection } = socket;
  switch (option) {
    case TCP_NODELAY:
      return Number(settings.noDelay);
    case TCP_CORK:
      return Number(settings.cork);
    case TCP_MAXSEG:
      // Linux: what the user set while there is no connection, and then what is sent.
      if (connection === undefined || connection.state === CLOSED)
        return settings.rare.maxSegment || connection?.sndMss || 536;
      return connection.sndMss;
    case TCP_KEEPIDLE:
      return settings.keepIdle;
    case TCP_KEEPINTVL:
      return settings.keepInterval;
    case TCP_KEEPCNT:
      return settings.keepCount;
    case TCP_RTO_MAX_MS:
      return settings.rtoMax;
    case TCP_SYNCNT:
      return settings.rare.synCount || socket.stack.sysctl.tcp_syn_retries;
    case TCP_DEFER_ACCEPT:
      return timeoutsToSeconds(settings.rare.deferAccept);
    case TCP_LINGER2:
      return settings.rare.linger2 || socket.stack.sysctl.tcp_fin_timeout;
    case TCP_USER_TIMEOUT:
      return settings.rare.userTimeout;
    case TCP_QUICKACK:
      return Number(connection === undefined || !inPingpong(connection));
    case TCP_WINDOW_CLAMP:
      return settings.windowClamp;
    case TCP_NOTSENT_LOWAT:
      return settings.rare.notsentLowat;
    case TCP_INQ:
      return Number(settings.rare.inq);
    case TCP_THIN_DUPACK:
      return 0;
    case TCP_THIN_LINEAR_TIMEOUTS:
      return Number(settings.rare.thinLinear);
    case TCP_CC_INFO:
      return congestionInfo(socket);
    case TCP_SAVE_SYN:
      return settings.rare.saveSyn;
    case TCP_SAVED_SYN:
      return takeSyn(settings);
    case TCP_CONGESTION:
      return connection?.congestion.name ?? settings.congestion;
    case TCP_INFO:
      return connection === undefined ? -EINVAL : tcpInfo(connection, socket.stack.clock.now());
    default:
      return -ENOPROTOOPT;
  }
}
