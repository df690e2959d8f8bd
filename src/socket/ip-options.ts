/** Options of IPPROTO_IP: Linux's names, units, bounds and results. */

import {
  IP_BIND_ADDRESS_NO_PORT,
  IP_FREEBIND,
  IP_LOCAL_PORT_RANGE,
  IP_MTU,
  IP_MTU_DISCOVER,
  IP_PMTUDISC_DONT,
  IP_PMTUDISC_OMIT,
  IP_RECVERR,
  IP_TOS,
  IP_TRANSPARENT,
  IP_TTL,
} from './constants.ts';
import { EINVAL, ENOPROTOOPT, ENOTCONN } from './errno.ts';
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
    case IP_MTU_DISCOVER:
      if (value < IP_PMTUDISC_DONT || value > IP_PMTUDISC_OMIT) return -EINVAL;
      settings.discovery = value;
      break;
    case IP_RECVERR:
      settings.rarely.tellsErrors = value !== 0;
      if (value === 0) socket.forgetReports();
      return 0;
    case IP_FREEBIND:
      settings.rarely.freeBind = value !== 0;
      return 0;
    case IP_TRANSPARENT:
      settings.rarely.transparent = value !== 0;
      return 0;
    case IP_BIND_ADDRESS_NO_PORT:
      settings.rarely.bindNoPort = value !== 0;
      return 0;
    case IP_LOCAL_PORT_RANGE:
      return setPortRange(socket, value);
    default:
      return -ENOPROTOOPT;
  }
  if (connection !== undefined) settings.mark(connection.path);
  return 0;
}

/** @returns the value, or -errno */
export function getIpOption(socket: Socket, option: number): number {
  const { settings, connection } = socket;
  switch (option) {
    case IP_TOS:
      return settings.tos;
    case IP_TTL:
      return settings.ttl || socket.stack.sysctl.ip_default_ttl;
    case IP_MTU_DISCOVER:
      return settings.discovery;
    case IP_RECVERR:
      return Number(settings.rare.tellsErrors);
    case IP_FREEBIND:
      return Number(settings.rare.freeBind);
    case IP_TRANSPARENT:
      return Number(settings.rare.transparent);
    case IP_BIND_ADDRESS_NO_PORT:
      return Number(settings.rare.bindNoPort);
    case IP_LOCAL_PORT_RANGE:
      return (settings.rare.localPortHigh << 16) | settings.rare.localPortLow;
    // Of the path, as it is known now.
    case IP_MTU:
      return connection === undefined || connection.released ? -ENOTCONN : connection.path.mtu;
    default:
      return -ENOPROTOOPT;
  }
}

/** The first port in the lower 16 bits, the last in the upper; 0: as the host has it. */
function setPortRange({ settings }: Socket, value: number): number {
  const [low, high] = [value & 0xffff, value >>> 16];
  if (low !== 0 && high !== 0 && low > high) return -EINVAL;
  settings.rarely.localPortLow = low;
  settings.rarely.localPortHigh = high;
  return 0;
}
