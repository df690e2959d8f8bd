/** TCP_MD5SIG and TCP_MD5SIG_EXT: Linux's bounds and results. */
import { keysChanged, SegmentKeys } from '../tcp/segment-keys.ts';
import { IpAddress } from '../wire/address.ts';
import { TCP_MD5SIG } from './constants.ts';
import { EINVAL, EKEYREJECTED, ENOENT } from './errno.ts';
import type { Md5Signature } from './key-values.ts';
import type { Socket } from './socket.ts';
import { addressBits } from './socket-address.ts';

/** TCP_MD5SIG_MAXKEYLEN. */
const MAX_KEY = 80;

/** @returns 0 or -errno */
export function setMd5(socket: Socket, option: number, value: unknown): number {
  const { settings, connection } = socket;
  const given = value as Partial<Md5Signature> | null;
  if (!(given?.address instanceof IpAddress) || !(given.key instanceof Uint8Array)) return -EINVAL;
  const { address, key } = given;
  const bits = addressBits(socket, address);
  if (bits === 0 || (option === TCP_MD5SIG && given.prefixlen !== undefined)) return -EINVAL;
  const prefix = given.prefixlen ?? bits;
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > bits || key.length > MAX_KEY) return -EINVAL;
  // RFC 5925 8.2: not both for one peer.
  if (key.length > 0 && settings.keys?.ao?.requires(address)) return -EKEYREJECTED;
  if (key.length === 0 && settings.keys === undefined) return -ENOENT;
  settings.keys ??= new SegmentKeys();
  const at = settings.keys.md5.findIndex((one) => one.prefix === prefix && one.address.equals(address));
  if (key.length === 0 && at < 0) return -ENOENT;
  if (at >= 0) settings.keys.md5.splice(at, 1);
  if (key.length > 0) settings.keys.md5.push({ address, prefix, key: key.slice() });
  if (connection !== undefined) keysChanged(connection);
  return 0;
}
