/** Options of SOL_SOCKET that few set: their values lie in the settings' rare part. */

import { setUpPacing } from '../tcp/pacer.ts';
import {
  SO_MARK,
  SO_MAX_PACING_RATE,
  SO_MEMINFO,
  SO_PRIORITY,
  SO_RCVTIMEO,
  SO_REUSEPORT,
  SO_SNDTIMEO,
} from './constants.ts';
import { EDOM, EINVAL, ENOPROTOOPT } from './errno.ts';
import { MAX_INT, type OptionResult, type OptionValue, type Timeval } from './option-value.ts';
import type { Socket } from './socket.ts';

/** @returns 0 or -errno */
export function setRareOption(socket: Socket, option: number, value: OptionValue): number {
  const { settings } = socket;
  switch (option) {
    case SO_RCVTIMEO:
    case SO_SNDTIMEO:
      return setTimeout(socket, option, value);
    case SO_MAX_PACING_RATE:
      return setPacingRate(socket, value);
    default:
  }
  if (!isInt(value)) return -EINVAL;
  switch (option) {
    case SO_PRIORITY:
      settings.rarely.priority = value;
      return 0;
    case SO_MARK:
      settings.rarely.mark = value;
      return 0;
    case SO_REUSEPORT:
      settings.rarely.reusePort = value !== 0;
      socket.bindingChanged();
      return 0;
    default:
      return -ENOPROTOOPT;
  }
}

/** @returns the value, or -errno */
export function getRareOption(socket: Socket, option: number): OptionResult {
  const { rare } = socket.settings;
  switch (option) {
    case SO_MEMINFO:
      return memoryInfo(socket);
    case SO_PRIORITY:
      return rare.priority;
    case SO_MARK:
      return rare.mark;
    case SO_REUSEPORT:
      return Number(rare.reusePort);
    case SO_RCVTIMEO:
      return timeval(rare.receiveTimeout);
    case SO_SNDTIMEO:
      return timeval(rare.sendTimeout);
    case SO_MAX_PACING_RATE:
      return rare.maxPacingRate;
    default:
      return -ENOPROTOOPT;
  }
}

/**
 * SO_MEMINFO: bytes, nine numbers of 32 bits in the machine's order as Linux has them: received, SO_RCVBUF, on its way out, SO_SNDBUF, reserved, to be sent,
 * for options, in the backlog, and packets dropped. What we have not is 0.
 */
function memoryInfo({ settings, connection }: Socket): Uint8Array {
  const received = connection?.receiveSpace?.memory.used ?? 0;
  const sending = connection?.sendQueue.charge ?? 0;
  return new Uint8Array(Uint32Array.of(received, settings.rcvBuf, 0, settings.sndBuf, 0, sending, 0, 0, 0).buffer);
}

function isInt(value: OptionValue): value is number {
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= MAX_INT;
}

/** Negative seconds are none; a fraction of a second that is none is -EDOM. */
function setTimeout({ settings }: Socket, option: number, value: OptionValue): number {
  if (typeof value !== 'object' || value === null || !('sec' in value)) return -EINVAL;
  const { sec, usec } = value;
  if (!Number.isInteger(sec) || !Number.isInteger(usec)) return -EINVAL;
  if (usec < 0 || usec >= 1_000_000) return -EDOM;
  const ms = sec < 0 ? 0 : sec * 1000 + usec / 1000;
  if (option === SO_RCVTIMEO) settings.rarely.receiveTimeout = ms;
  else settings.rarely.sendTimeout = ms;
  return 0;
}

function timeval(ms: number): Timeval {
  const sec = Math.floor(ms / 1000);
  return { sec, usec: Math.round((ms - sec * 1000) * 1000) };
}

/** Bytes a second; negative, or 2^32 - 1: no limit. */
function setPacingRate({ settings, connection }: Socket, value: OptionValue): number {
  if (typeof value !== 'number' || Number.isNaN(value)) return -EINVAL;
  settings.rarely.maxPacingRate = value < 0 || value === 0xffffffff ? Infinity : Math.floor(value);
  if (connection !== undefined) setUpPacing(connection);
  return 0;
}
