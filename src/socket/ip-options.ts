/** Options of IPPROTO_IP: Linux's names, units, bounds and results. */

import { IP_TOS, IP_TTL } from './constants.ts';
import { EINVAL, ENOPROTOOPT } from './errno.ts';
import type { Socket } from './socket.ts';

/** Linux's bound. */
const MAX_TTL = 255;

/** RFC 9293 3.9.2 [MUST-48], [MUST-49]; [SHLD-21]: both may change while the connection lives. @returns 0 or -errno */
export function setIpOption(socket: Socket, option: number, value: number): number {
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

/** @returns the value, or -errno */
export function getIpOption(socket: Socket, option: number): number {
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
