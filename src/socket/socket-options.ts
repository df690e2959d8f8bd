/** Options of SOL_SOCKET: Linux's names, units, bounds and results. */

import { REASON_NONE } from '../tcp/close-reason.ts';
import { setBufferLock, setInline, setReceiveBuffer, setReceiveLowat, setSendBuffer } from './buffer-options.ts';
import {
  IPPROTO_TCP,
  SO_ACCEPTCONN,
  SO_BUF_LOCK,
  SO_DOMAIN,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_OOBINLINE,
  SO_PROTOCOL,
  SO_RCVBUF,
  SO_RCVLOWAT,
  SO_REUSEADDR,
  SO_SNDBUF,
  SO_SNDLOWAT,
  SO_TYPE,
  SOCK_STREAM,
} from './constants.ts';
import { EINVAL, ENOPROTOOPT } from './errno.ts';
import { keepaliveChanged } from './keepalive-option.ts';
import type { OptionResult, OptionValue } from './option-value.ts';
import { getRareOption } from './rare-options.ts';
import { errnoOf } from './reason-errno.ts';
import type { Socket } from './socket.ts';

/** @returns 0 or -errno */
export function setSocketOption(socket: Socket, option: number, value: number): number {
  const { settings } = socket;
  switch (option) {
    case SO_REUSEADDR:
      socket.reuseAddress = value !== 0;
      socket.bindingChanged();
      return 0;
    case SO_KEEPALIVE:
      settings.keepalive = value !== 0;
      return keepaliveChanged(socket);
    case SO_SNDBUF:
      return setSendBuffer(socket, value);
    case SO_RCVBUF:
      return setReceiveBuffer(socket, value);
    case SO_BUF_LOCK:
      return setBufferLock(socket, value);
    case SO_RCVLOWAT:
      return setReceiveLowat(socket, value);
    case SO_OOBINLINE:
      return setInline(socket, value !== 0);
    default:
      return -ENOPROTOOPT;
  }
}

/** SO_LINGER's structure. @returns 0 or -errno */
export function setLinger(socket: Socket, value: OptionValue): number {
  if (typeof value !== 'object' || value === null || !('onoff' in value)) return -EINVAL;
  if (!Number.isInteger(value.onoff) || !Number.isInteger(value.linger)) return -EINVAL;
  socket.linger = { onoff: value.onoff === 0 ? 0 : 1, linger: Math.max(value.linger, 0) };
  return 0;
}

/** @returns the value, or -errno */
export function getSocketOption(socket: Socket, option: number): OptionResult {
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
      return socket.takeError() || takeSoftError(socket);
    case SO_TYPE:
      return SOCK_STREAM;
    case SO_PROTOCOL:
      return IPPROTO_TCP;
    case SO_DOMAIN:
      return socket.domain;
    case SO_ACCEPTCONN:
      return Number(socket.listening);
    case SO_BUF_LOCK:
      return settings.bufferLocks;
    case SO_RCVLOWAT:
      return settings.rcvLowat;
    case SO_SNDLOWAT:
      return 1;
    case SO_OOBINLINE:
      return Number(settings.rare.oobInline);
    default:
      return getRareOption(socket, option);
  }
}

/** RFC 9293 3.9.1.8 [MUST-47]: what ICMP said and has ended nothing is told to who asks, once (Linux's sk_err_soft). */
function takeSoftError({ connection }: Socket): number {
  if (connection === undefined || connection.released) return 0;
  const errno = errnoOf(connection.softReason);
  connection.softReason = REASON_NONE;
  return errno;
}
