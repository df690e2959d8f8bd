/** Options of a socket of UDP, by level: Linux's names, units, bounds and results. */
import { deviceName } from '../stack/devices.ts';
import { bufferSize, MIN_RCVBUF } from './buffer-options.ts';
import {
  AF_INET,
  AF_INET6,
  IP_FREEBIND,
  IP_LOCAL_PORT_RANGE,
  IP_MTU,
  IP_MTU_DISCOVER,
  IP_PKTINFO,
  IP_PMTUDISC_DONT,
  IP_PMTUDISC_OMIT,
  IP_RECVERR,
  IP_RECVTOS,
  IP_RECVTTL,
  IP_TOS,
  IP_TRANSPARENT,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  IPV6_FREEBIND,
  IPV6_MTU,
  IPV6_MTU_DISCOVER,
  IPV6_RECVERR,
  IPV6_RECVHOPLIMIT,
  IPV6_RECVPKTINFO,
  IPV6_RECVTCLASS,
  IPV6_TCLASS,
  IPV6_TRANSPARENT,
  IPV6_UNICAST_HOPS,
  IPV6_V6ONLY,
  SO_ACCEPTCONN,
  SO_BINDTODEVICE,
  SO_BINDTOIFINDEX,
  SO_BROADCAST,
  SO_DOMAIN,
  SO_ERROR,
  SO_PROTOCOL,
  SO_RCVBUF,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_SNDBUF,
  SO_TYPE,
  SOCK_DGRAM,
  SOL_SOCKET,
} from './constants.ts';
import type { DatagramSocket } from './datagram-socket.ts';
import { deviceNamed } from './device-option.ts';
import { EINVAL, ENOPROTOOPT, EOPNOTSUPP } from './errno.ts';
import { isIpv6Mtu } from './ipv6-options.ts';
import { MAX_INT, type OptionValue } from './option-value.ts';

/** Linux's bounds. */
const MIN_SNDBUF = 4608;
const BYTE = 255;

/** @returns 0 or -errno */
export function setDatagramOption(socket: DatagramSocket, level: number, option: number, value: OptionValue): number {
  if (level === SOL_SOCKET && option === SO_BINDTODEVICE) return setDevice(socket, deviceNamed(socket.stack, value));
  if (typeof value !== 'number' || !Number.isInteger(value) || value < -MAX_INT - 1 || value > 2 * MAX_INT + 1)
    return -EINVAL;
  switch (level) {
    case SOL_SOCKET:
      return setSocketOption(socket, option, value | 0);
    case IPPROTO_IP:
      return setIpOption(socket, option, value | 0);
    case IPPROTO_IPV6:
      return socket.domain === AF_INET6 ? setIpv6Option(socket, option, value | 0) : -ENOPROTOOPT;
    default:
      return -ENOPROTOOPT;
  }
}

/** @returns the value, or -errno */
export function getDatagramOption(socket: DatagramSocket, level: number, option: number): number | string {
  if (level === SOL_SOCKET && option === SO_BINDTODEVICE)
    return deviceName(socket.stack.network, socket.endpoint.device) ?? '';
  switch (level) {
    case SOL_SOCKET:
      return getSocketOption(socket, option);
    case IPPROTO_IP:
      return getIpOption(socket, option);
    case IPPROTO_IPV6:
      if (socket.domain === AF_INET6) return getIpv6Option(socket, option);
      break;
    default:
  }
  // Linux: what is asked for is no protocol of this family.
  return socket.domain === AF_INET ? -EOPNOTSUPP : -ENOPROTOOPT;
}

function setSocketOption(socket: DatagramSocket, option: number, value: number): number {
  const { endpoint, settings, stack } = socket;
  const { rmem_max, wmem_max } = stack.sysctl;
  switch (option) {
    case SO_REUSEADDR:
      endpoint.reuseAddress = value !== 0;
      return 0;
    case SO_REUSEPORT:
      endpoint.reusePort = value !== 0;
      return 0;
    case SO_BROADCAST:
      settings.broadcast = value !== 0;
      return 0;
    case SO_BINDTOIFINDEX:
      return setDevice(socket, value < 0 ? -EINVAL : value);
    case SO_RCVBUF:
      endpoint.rcvBuf = bufferSize(value, rmem_max, MIN_RCVBUF);
      return 0;
    case SO_SNDBUF:
      settings.sndBuf = bufferSize(value, wmem_max, MIN_SNDBUF);
      return 0;
    default:
      return -ENOPROTOOPT;
  }
}

function getSocketOption(socket: DatagramSocket, option: number): number {
  const { endpoint, settings } = socket;
  switch (option) {
    case SO_REUSEADDR:
      return Number(endpoint.reuseAddress);
    case SO_REUSEPORT:
      return Number(endpoint.reusePort);
    case SO_BROADCAST:
      return Number(settings.broadcast);
    case SO_BINDTOIFINDEX:
      return endpoint.device;
    case SO_RCVBUF:
      return endpoint.rcvBuf;
    case SO_SNDBUF:
      return settings.sndBuf;
    case SO_ERROR:
      return socket.takeError();
    case SO_TYPE:
      return SOCK_DGRAM;
    case SO_PROTOCOL:
      return IPPROTO_UDP;
    case SO_DOMAIN:
      return socket.domain;
    case SO_ACCEPTCONN:
      return 0;
    default:
      return -ENOPROTOOPT;
  }
}

/** @param index of an interface, 0 for any, or what is wrong with it: a negative errno */
function setDevice(socket: DatagramSocket, index: number): number {
  if (index < 0) return index;
  socket.endpoint.device = index;
  socket.settingsChanged();
  return 0;
}

/** RFC 1122 4.1.4: what the user says for the IP header. */
function setIpOption(socket: DatagramSocket, option: number, value: number): number {
  const { endpoint, settings } = socket;
  switch (option) {
    case IP_TOS:
      settings.tos = value & BYTE;
      break;
    case IP_TTL:
      // -1: the default again.
      if (value !== -1 && (value < 1 || value > BYTE)) return -EINVAL;
      settings.ttl = Math.max(value, 0);
      break;
    case IP_MTU_DISCOVER:
      if (value < IP_PMTUDISC_DONT || value > IP_PMTUDISC_OMIT) return -EINVAL;
      endpoint.discovery = value;
      break;
    case IP_FREEBIND:
      settings.freeBind = value !== 0;
      return 0;
    case IP_TRANSPARENT:
      settings.transparent = value !== 0;
      return 0;
    case IP_LOCAL_PORT_RANGE:
      return setPortRange(socket, value);
    case IP_RECVERR:
      endpoint.keepsErrors = value !== 0;
      if (value === 0) endpoint.forgetErrors();
      return 0;
    case IP_RECVTTL:
      settings.receiveTtl = value !== 0;
      break;
    case IP_RECVTOS:
      settings.receiveTos = value !== 0;
      break;
    case IP_PKTINFO:
      settings.receiveTo = value !== 0;
      break;
    default:
      return -ENOPROTOOPT;
  }
  socket.settingsChanged();
  return 0;
}

function getIpOption(socket: DatagramSocket, option: number): number {
  const { endpoint, settings, stack } = socket;
  switch (option) {
    case IP_TOS:
      return settings.tos;
    case IP_TTL:
      return settings.ttl || stack.sysctl.ip_default_ttl;
    case IP_MTU_DISCOVER:
      return endpoint.discovery;
    case IP_MTU:
      return socket.pathMtu();
    case IP_FREEBIND:
      return Number(settings.freeBind);
    case IP_TRANSPARENT:
      return Number(settings.transparent);
    case IP_LOCAL_PORT_RANGE:
      return (settings.localPortHigh << 16) | settings.localPortLow;
    case IP_RECVERR:
      return Number(endpoint.keepsErrors);
    case IP_RECVTTL:
      return Number(settings.receiveTtl);
    case IP_RECVTOS:
      return Number(settings.receiveTos);
    case IP_PKTINFO:
      return Number(settings.receiveTo);
    default:
      return -ENOPROTOOPT;
  }
}

function setIpv6Option(socket: DatagramSocket, option: number, value: number): number {
  const { endpoint, settings } = socket;
  switch (option) {
    case IPV6_V6ONLY:
      // RFC 3493 5.3: it says what a bind means.
      if (endpoint.localPort !== 0) return -EINVAL;
      endpoint.v6Only = value !== 0;
      return 0;
    case IPV6_UNICAST_HOPS:
      if (value < -1 || value > BYTE) return -EINVAL;
      settings.hops = value;
      break;
    case IPV6_TCLASS:
      if (value < -1 || value > BYTE) return -EINVAL;
      settings.trafficClass = value;
      break;
    case IPV6_MTU_DISCOVER:
      if (value < IP_PMTUDISC_DONT || value > IP_PMTUDISC_OMIT) return -EINVAL;
      endpoint.discovery6 = value;
      break;
    case IPV6_MTU:
      if (!isIpv6Mtu(value)) return -EINVAL;
      settings.mtu = value;
      break;
    case IPV6_FREEBIND:
      settings.freeBind = value !== 0;
      return 0;
    case IPV6_TRANSPARENT:
      settings.transparent = value !== 0;
      return 0;
    case IPV6_RECVERR:
      endpoint.keepsErrors6 = value !== 0;
      if (value === 0) endpoint.forgetErrors();
      return 0;
    case IPV6_RECVHOPLIMIT:
      settings.receiveTtl = value !== 0;
      return 0;
    case IPV6_RECVTCLASS:
      settings.receiveTos = value !== 0;
      return 0;
    case IPV6_RECVPKTINFO:
      settings.receiveTo = value !== 0;
      return 0;
    default:
      return -ENOPROTOOPT;
  }
  socket.settingsChanged();
  return 0;
}

function getIpv6Option(socket: DatagramSocket, option: number): number {
  const { endpoint, settings, stack } = socket;
  switch (option) {
    case IPV6_V6ONLY:
      return Number(endpoint.v6Only);
    case IPV6_UNICAST_HOPS:
      return settings.hops < 0 ? stack.sysctl.ip_default_ttl : settings.hops;
    case IPV6_TCLASS:
      return Math.max(settings.trafficClass, 0);
    case IPV6_MTU_DISCOVER:
      return endpoint.discovery6;
    case IPV6_MTU:
      return socket.pathMtu();
    case IPV6_FREEBIND:
      return Number(settings.freeBind);
    case IPV6_TRANSPARENT:
      return Number(settings.transparent);
    case IPV6_RECVERR:
      return Number(endpoint.keepsErrors6);
    case IPV6_RECVHOPLIMIT:
      return Number(settings.receiveTtl);
    case IPV6_RECVTCLASS:
      return Number(settings.receiveTos);
    case IPV6_RECVPKTINFO:
      return Number(settings.receiveTo);
    default:
      return -ENOPROTOOPT;
  }
}

/** The first port in the lower 16 bits, the last in the upper; 0: as the host has it. */
function setPortRange({ settings }: DatagramSocket, value: number): number {
  const [low, high] = [value & 0xffff, value >>> 16];
  if (low !== 0 && high !== 0 && low > high) return -EINVAL;
  settings.localPortLow = low;
  settings.localPortHigh = high;
  return 0;
}

/** The domain's unspecified address is of this family. */
export function familyOf(domain: number): 4 | 6 {
  return domain === AF_INET ? 4 : 6;
}
