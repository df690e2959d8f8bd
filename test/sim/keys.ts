/** Users who sign their segments (RFC 2385, RFC 5925), and who change the key while data flows. */
import {
  IPPROTO_TCP,
  TCP_AO_ADD_KEY,
  TCP_AO_INFO,
  TCP_AO_KEYF_EXCLUDE_OPT,
  TCP_MD5SIG,
} from '../../src/socket/constants.ts';
import { EBADF, ENOENT, errnoName } from '../../src/socket/errno.ts';
import type { KeyValue } from '../../src/socket/key-values.ts';
import type { Socket } from '../../src/socket/socket.ts';
import type { Family } from '../support/wire-family.ts';
import { peerOf } from './addresses.ts';
import type { Keys } from './extensions.ts';
import type { SideName } from './scenario.ts';

const SECRETS = ['a secret', 'another secret'] as const;

/** Before connect or listen: the keys for the peer. */
export function setKeys(socket: Socket, side: SideName, family: Family, keys: Keys, changed: boolean): void {
  if (keys.kind === 'md5') return setMd5(socket, side, family, changed ? 1 : 0);
  const addr = peerOf(side, family);
  // The one added last is the first choice of who connects.
  const order = [1, 0];
  for (const which of order) {
    const ids = side === 'client' ? [10 + which, 20 + which] : [20 + which, 10 + which];
    set(socket, TCP_AO_ADD_KEY, {
      addr,
      prefix: addr.family === 4 ? 32 : 128,
      alg_name: keys.cmac ? 'cmac(aes128)' : 'hmac(sha1)',
      sndid: ids[0] as number,
      rcvid: ids[1] as number,
      maclen: keys.macLength,
      keyflags: keys.excludeOptions ? TCP_AO_KEYF_EXCLUDE_OPT : 0,
      key: new TextEncoder().encode(SECRETS[which]),
    });
  }
}

/** A connection, or a listener, goes over to the other key. */
export function changeKey(socket: Socket, side: SideName, family: Family, keys: Keys): void {
  if (keys.kind === 'md5') return setMd5(socket, side, family, 1);
  if (socket.listening) return;
  const [sndid, rcvid] = side === 'client' ? [11, 21] : [21, 11];
  // RFC 5925 7.5: either signs with it at once, as the peer has it, or asks the peer to.
  const choice = keys.ask ? { set_rnext: true, rnext: rcvid } : { set_current: true, current_key: sndid };
  set(socket, TCP_AO_INFO, choice);
}

function setMd5(socket: Socket, side: SideName, family: Family, which: number): void {
  const address = peerOf(side, family);
  set(socket, TCP_MD5SIG, { address, key: new TextEncoder().encode(SECRETS[which]) });
}

function set(socket: Socket, option: number, value: KeyValue): void {
  const result = socket.setsockopt(IPPROTO_TCP, option, value);
  if (result !== 0 && result !== -ENOENT && result !== -EBADF)
    throw new Error(`setsockopt(${option}): ${errnoName(-result)}`);
}
