/** Options of IPPROTO_IPV6, for sockets of AF_INET6: Linux's names, units, bounds and results. What they say of headers is for IPv6 packets alone. */

import { IPV6_MIN_MTU } from '../wire/ipv6.ts';
import {
  AF_INET,
  AF_INET6,
  IP_PMTUDISC_DONT,
  IP_PMTUDISC_OMIT,
  IPV6_ADDRFORM,
  IPV6_AUTOFLOWLABEL,
  IPV6_FREEBIND,
  IPV6_MTU,
  IPV6_MTU_DISCOVER,
  IPV6_RECVERR,
  IPV6_TCLASS,
  IPV6_TRANSPARENT,
  IPV6_UNICAST_HOPS,
  IPV6_V6ONLY,
} from './constants.ts';
import { EADDRNOTAVAIL, EINVAL, ENOPROTOOPT, ENOTCONN, EOPNOTSUPP } from './errno.ts';
import type { Socket } from './socket.ts';

const BYTE = 255;
/** The lower two bits are ECN's, which are the protocol's. */
const DIFFSERV = 0xfc;

/** @returns 0 or -errno; -ENOPROTOOPT on AF_INET */
export function setIpv6Option(socket: Socket, option: number, value: number): number {
  const { settings, connection } = socket;
  if (socket.domain !== AF_INET6) return -ENOPROTOOPT;
  switch (option) {
    case IPV6_V6ONLY:
      return setV6Only(socket, value !== 0);
    case IPV6_ADDRFORM:
      return setAddressForm(socket, value);
    case IPV6_RECVERR:
      settings.rarely.tellsErrors6 = value !== 0;
      if (value === 0) socket.forgetReports();
      return 0;
    case IPV6_FREEBIND:
      settings.rarely.freeBind = value !== 0;
      return 0;
    case IPV6_TRANSPARENT:
      settings.rarely.transparent = value !== 0;
      return 0;
    case IPV6_AUTOFLOWLABEL:
      settings.rarely.autoFlowLabel = value !== 0;
      break;
    case IPV6_UNICAST_HOPS:
      // -1: the default again.
      if (value < -1 || value > BYTE) return -EINVAL;
      settings.rarely.hopLimit = value === -1 ? socket.stack.sysctl.ip_default_ttl : value;
      break;
    case IPV6_TCLASS:
      if (value < -1 || value > BYTE) return -EINVAL;
      settings.rarely.trafficClass = value === -1 ? 0 : value & DIFFSERV;
      break;
    // Linux: it is where a socket's packets are cut, and those of TCP never are.
    case IPV6_MTU:
      return isIpv6Mtu(value) ? 0 : -EINVAL;
    case IPV6_MTU_DISCOVER:
      if (value < IP_PMTUDISC_DONT || value > IP_PMTUDISC_OMIT) return -EINVAL;
      settings.rarely.discovery6 = value;
      break;
    default:
      return -ENOPROTOOPT;
  }
  if (connection !== undefined) settings.mark(connection.path);
  return 0;
}

/** @returns the value, or -errno; -EOPNOTSUPP on AF_INET */
export function getIpv6Option(socket: Socket, option: number): number {
  const { connection } = socket;
  const { rare } = socket.settings;
  if (socket.domain !== AF_INET6) return -EOPNOTSUPP;
  switch (option) {
    case IPV6_V6ONLY:
      return Number(rare.v6Only);
    case IPV6_ADDRFORM:
      return isConnected(socket) ? socket.domain : -ENOTCONN;
    case IPV6_RECVERR:
      return Number(rare.tellsErrors6);
    case IPV6_FREEBIND:
      return Number(rare.freeBind);
    case IPV6_TRANSPARENT:
      return Number(rare.transparent);
    case IPV6_AUTOFLOWLABEL:
      return Number(rare.autoFlowLabel);
    case IPV6_UNICAST_HOPS:
      return rare.hopLimit < 0 ? socket.stack.sysctl.ip_default_ttl : rare.hopLimit;
    case IPV6_TCLASS:
      return rare.trafficClass;
    case IPV6_MTU_DISCOVER:
      return rare.discovery6;
    case IPV6_MTU:
      return connection === undefined || connection.released ? -ENOTCONN : connection.path.mtu;
    default:
      return -ENOPROTOOPT;
  }
}

/** What IPV6_MTU may be: RFC 8200 5; 0: none. */
export function isIpv6Mtu(value: number): boolean {
  return value === 0 || value >= IPV6_MIN_MTU;
}

/** RFC 3493 5.3; Linux: only before the socket has a port. */
function setV6Only(socket: Socket, only: boolean): number {
  if (socket.isBound) return -EINVAL;
  if (only !== socket.settings.rare.v6Only) socket.settings.rarely.v6Only = only;
  return 0;
}

/** The socket of a connection over IPv4 becomes one of AF_INET, for a program that knows no other (Linux). */
function setAddressForm(socket: Socket, domain: number): number {
  if (domain !== AF_INET) return -EINVAL;
  if (!isConnected(socket)) return -ENOTCONN;
  if (socket.connection?.remote.family !== 4) return -EADDRNOTAVAIL;
  socket.domain = AF_INET;
  return 0;
}

function isConnected(socket: Socket): boolean {
  return typeof socket.getpeername() !== 'number';
}
