/** For tests with wire-peer.ts: a DUT that signs, as the fixture does. */
import { IPPROTO_TCP, TCP_AO_ADD_KEY, TCP_AO_KEYF_EXCLUDE_OPT, TCP_MD5SIG } from '../../src/socket/constants.ts';
import type { AoAdd } from '../../src/socket/key-values.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { IPV4_ANY, IPV6_ANY, type IpAddress } from '../../src/wire/address.ts';
import { FAMILY } from './wire-family.ts';
import { type AoSpec, bytesOf, PEER, type PeerOptions } from './wire-peer.ts';

export const ANYBODY: IpAddress = FAMILY === '6' ? IPV6_ANY : IPV4_ANY;

/** Sets the key for the peer. @returns what setsockopt gives */
export function setMd5Key(socket: Socket, key: string, address: IpAddress = PEER): number {
  return socket.setsockopt(IPPROTO_TCP, TCP_MD5SIG, { address, key: bytesOf(key) });
}

/** Both sides have this key. */
export function withMd5(key: string, options: PeerOptions = {}): PeerOptions {
  return {
    ...options,
    md5: key,
    setup(socket) {
      options.setup?.(socket);
      if (setMd5Key(socket, key) !== 0) throw new Error('TCP_MD5SIG failed');
    },
  };
}

export const AO_KEY: AoSpec = { key: 'a secret', sndid: 100, rcvid: 200 };
export const AO_NEXT: AoSpec = { key: 'another secret', sndid: 101, rcvid: 201, cmac: true };

/** The key as TCP_AO_ADD_KEY takes it, for the peer. */
export function addition(spec: AoSpec, more: Partial<AoAdd> = {}): AoAdd {
  const { key, sndid, rcvid, cmac = false, macLength, excludeOptions = false } = spec;
  return {
    addr: PEER,
    prefix: PEER.family === 4 ? 32 : 128,
    alg_name: cmac ? 'cmac(aes128)' : 'hmac(sha1)',
    sndid,
    rcvid,
    ...(macLength !== undefined && { maclen: macLength }),
    ...(excludeOptions && { keyflags: TCP_AO_KEYF_EXCLUDE_OPT }),
    key: bytesOf(key),
    ...more,
  };
}

export function addAoKey(socket: Socket, spec: AoSpec, more: Partial<AoAdd> = {}): number {
  return socket.setsockopt(IPPROTO_TCP, TCP_AO_ADD_KEY, addition(spec, more));
}

/** Both sides have these keys, and begin with the first. */
export function withAo(keys: readonly AoSpec[], options: PeerOptions = {}): PeerOptions {
  return {
    ...options,
    ao: keys,
    setup(socket) {
      options.setup?.(socket);
      // The one that was added last would be the first choice of an active open.
      for (const key of [...keys].reverse()) if (addAoKey(socket, key) !== 0) throw new Error('TCP_AO_ADD_KEY failed');
    },
  };
}
