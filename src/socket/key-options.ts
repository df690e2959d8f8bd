/** The options of TCP-MD5 and TCP-AO: on a host without a hasher there are none, as on a Linux that was built without them. */

import type { TcpSettings } from '../tcp/settings.ts';
import type { IpAddress } from '../wire/address.ts';
import { getAoInfo, getAoKeys, setAo } from './ao-options.ts';
import {
  TCP_AO_ADD_KEY,
  TCP_AO_DEL_KEY,
  TCP_AO_GET_KEYS,
  TCP_AO_INFO,
  TCP_MD5SIG,
  TCP_MD5SIG_EXT,
} from './constants.ts';
import { EKEYREJECTED, ENOPROTOOPT } from './errno.ts';
import type { AoInfoStatus, AoKeyStatus } from './key-values.ts';
import { setMd5 } from './md5-options.ts';
import type { Socket } from './socket.ts';

export function isKeyOption(option: number): boolean {
  return option === TCP_MD5SIG || option === TCP_MD5SIG_EXT || (option >= TCP_AO_ADD_KEY && option <= TCP_AO_GET_KEYS);
}

/** @returns 0 or -errno */
export function setKeyOption(socket: Socket, option: number, value: unknown): number {
  if (socket.stack.tcp.hasher === undefined) return -ENOPROTOOPT;
  switch (option) {
    case TCP_MD5SIG:
    case TCP_MD5SIG_EXT:
      return setMd5(socket, option, value);
    case TCP_AO_ADD_KEY:
    case TCP_AO_DEL_KEY:
    case TCP_AO_INFO:
      return setAo(socket, option, value);
    default:
      return -ENOPROTOOPT;
  }
}

/** @returns what there is, or -errno: MD5's keys are not told to anybody (Linux) */
export function getKeyOption(socket: Socket, option: number): AoInfoStatus | readonly AoKeyStatus[] | number {
  if (socket.stack.tcp.hasher === undefined) return -ENOPROTOOPT;
  if (option === TCP_AO_INFO) return getAoInfo(socket);
  return option === TCP_AO_GET_KEYS ? getAoKeys(socket) : -ENOPROTOOPT;
}

/**
 * Before a connect: whether the keys for the peer say clearly how to speak to it.
 * @returns 0, or -EKEYREJECTED: both kinds of keys, or TCP-AO without a key for this peer (Linux)
 */
export function checkKeys({ keys }: TcpSettings, remote: IpAddress): number {
  if (keys?.ao === undefined) return 0;
  const hasKey = keys.ao.find(remote, -1, -1) !== undefined;
  const hasMd5 = keys.md5For(remote) !== undefined;
  if (hasMd5 && (hasKey || keys.ao.required)) return -EKEYREJECTED;
  return hasKey || hasMd5 ? 0 : -EKEYREJECTED;
}
