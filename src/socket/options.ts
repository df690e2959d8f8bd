/** Socket options, by level: Linux's names, units, bounds and results. */

import {
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  SO_BINDTODEVICE,
  SO_BINDTOIFINDEX,
  SO_ERROR,
  SO_LINGER,
  SO_MARK,
  SO_MAX_PACING_RATE,
  SO_PRIORITY,
  SO_RCVTIMEO,
  SO_REUSEPORT,
  SO_SNDTIMEO,
  SOL_SOCKET,
  TCP_CONGESTION,
  TCP_SAVED_SYN,
} from './constants.ts';
import { getDeviceIndex, getDeviceName, setDeviceByIndex, setDeviceByName } from './device-option.ts';
import { EINVAL, ENOPROTOOPT } from './errno.ts';
import { getFastOpenOption, isFastOpenOption, setFastOpenOption } from './fast-open-options.ts';
import { getIpOption, setIpOption } from './ip-options.ts';
import { getIpv6Option, setIpv6Option } from './ipv6-options.ts';
import { getKeyOption, isKeyOption, setKeyOption } from './key-options.ts';
import { MAX_INT, type OptionResult, type OptionValue } from './option-value.ts';
import { setRareOption } from './rare-options.ts';
import type { Socket } from './socket.ts';
import { getSocketOption, setLinger, setSocketOption } from './socket-options.ts';
import { getTcpOption, setCongestion, setTcpOption } from './tcp-options.ts';

/** Those whose values are not all integers are sorted out there. */
const RARE = new Set([SO_PRIORITY, SO_MARK, SO_REUSEPORT, SO_RCVTIMEO, SO_SNDTIMEO, SO_MAX_PACING_RATE]);
const MAX_UINT = 0xffffffff;

/** @returns 0 or -errno */
export function setOption(socket: Socket, level: number, option: number, value: OptionValue): number {
  if (level === IPPROTO_TCP && option === TCP_CONGESTION) return setCongestion(socket, value);
  if (level === SOL_SOCKET && option === SO_LINGER) return setLinger(socket, value);
  if (level === IPPROTO_TCP && isKeyOption(option)) return setKeyOption(socket, option, value);
  if (level === SOL_SOCKET && option === SO_BINDTODEVICE) return setDeviceByName(socket, value);
  if (level === SOL_SOCKET && option === SO_BINDTOIFINDEX) return setDeviceByIndex(socket, value);
  if (level === SOL_SOCKET && RARE.has(option)) return setRareOption(socket, option, value);
  if (level === IPPROTO_TCP && isFastOpenOption(option)) return setFastOpenOption(socket, option, value);
  if (typeof value !== 'number' || !Number.isInteger(value) || value < -MAX_INT - 1 || value > MAX_UINT) {
    return isKnown(socket, level, option) ? -EINVAL : -ENOPROTOOPT;
  }
  if (level === SOL_SOCKET) return setSocketOption(socket, option, value | 0);
  if (level === IPPROTO_TCP) return setTcpOption(socket, option, value | 0);
  if (level === IPPROTO_IP) return setIpOption(socket, option, value | 0);
  if (level === IPPROTO_IPV6) return setIpv6Option(socket, option, value | 0);
  return -ENOPROTOOPT;
}

/** There is such an option, whatever it is set to. Two that a look would change are for reading alone. */
function isKnown(socket: Socket, level: number, option: number): boolean {
  if (level === SOL_SOCKET && option === SO_ERROR) return false;
  if (level === IPPROTO_TCP && option === TCP_SAVED_SYN) return false;
  return getOption(socket, level, option) !== -ENOPROTOOPT;
}

/** @returns the value, or -errno */
export function getOption(socket: Socket, level: number, option: number): OptionResult {
  if (level === SOL_SOCKET && option === SO_BINDTODEVICE) return getDeviceName(socket);
  if (level === SOL_SOCKET && option === SO_BINDTOIFINDEX) return getDeviceIndex(socket);
  if (level === SOL_SOCKET) return getSocketOption(socket, option);
  if (level === IPPROTO_TCP && isFastOpenOption(option)) return getFastOpenOption(socket, option);
  if (level === IPPROTO_TCP) return isKeyOption(option) ? getKeyOption(socket, option) : getTcpOption(socket, option);
  if (level === IPPROTO_IP) return getIpOption(socket, option);
  if (level === IPPROTO_IPV6) return getIpv6Option(socket, option);
  return -ENOPROTOOPT;
}
