/** The options of Fast Open: RFC 7413 appendix A, Linux's names, bounds and results. */
import { FAST_OPEN_DEFAULTS, type FastOpenSettings } from '../tcp/fast-open.ts';
import { keysFromBytes, keysToBytes } from '../tcp/fast-open-cookie.ts';
import { CLIENT_ENABLE } from '../tcp/fast-open-host.ts';
import { TCP_FASTOPEN, TCP_FASTOPEN_CONNECT, TCP_FASTOPEN_KEY, TCP_FASTOPEN_NO_COOKIE } from './constants.ts';
import { EINVAL, EOPNOTSUPP } from './errno.ts';
import type { OptionValue } from './option-value.ts';
import type { Socket } from './socket.ts';

const NO_KEY = new Uint8Array(0);

export function isFastOpenOption(option: number): boolean {
  return (
    option === TCP_FASTOPEN ||
    option === TCP_FASTOPEN_CONNECT ||
    option === TCP_FASTOPEN_KEY ||
    option === TCP_FASTOPEN_NO_COOKIE
  );
}

/** @returns 0, -EINVAL (the value, or not at this time), -EOPNOTSUPP (tcp_fastopen) */
export function setFastOpenOption(socket: Socket, option: number, value: OptionValue): number {
  if (option === TCP_FASTOPEN_KEY) {
    const keys = value instanceof Uint8Array ? keysFromBytes(value) : undefined;
    return keys === undefined ? -EINVAL : change(socket, { keys });
  }
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) return -EINVAL;
  const { connection } = socket;
  const unconnected = connection === undefined || connection.released;
  if (option === TCP_FASTOPEN) return unconnected ? change(socket, { queueLength: value }) : -EINVAL;
  if (value > 1) return -EINVAL;
  if (option === TCP_FASTOPEN_NO_COOKIE) return unconnected ? change(socket, { noCookie: value === 1 }) : -EINVAL;
  if ((socket.stack.sysctl.tcp_fastopen & CLIENT_ENABLE) === 0) return -EOPNOTSUPP;
  return unconnected && !socket.listening ? change(socket, { connect: value === 1 }) : -EINVAL;
}

function change(socket: Socket, what: Partial<FastOpenSettings>): number {
  const { settings } = socket;
  settings.fastOpen = { ...(settings.fastOpen ?? FAST_OPEN_DEFAULTS), ...what };
  socket.fastOpenChanged();
  return 0;
}

export function getFastOpenOption(socket: Socket, option: number): number | Uint8Array {
  const { queueLength, keys, connect, noCookie } = socket.settings.fastOpen ?? FAST_OPEN_DEFAULTS;
  switch (option) {
    case TCP_FASTOPEN:
      return Math.min(queueLength, socket.stack.sysctl.somaxconn);
    case TCP_FASTOPEN_CONNECT:
      return Number(connect);
    case TCP_FASTOPEN_NO_COOKIE:
      return Number(noCookie);
    default:
      return keys === undefined ? NO_KEY : keysToBytes(keys);
  }
}
