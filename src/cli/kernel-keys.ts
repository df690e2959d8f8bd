/** The kernel's structures for keys: struct tcp_md5sig and struct tcp_ao_add of linux/tcp.h. */
import type { AoAdd, Md5Signature } from '../socket/key-values.ts';
import type { IpAddress } from '../wire/address.ts';

const AF_INET = 2;
const AF_INET6 = 10;
/** struct sockaddr_storage, which both begin with. */
const STORAGE = 128;
const MD5_LENGTH = 216;
const MD5_PREFIX = 1;
const AO_LENGTH = 288;

/** @param six for a socket of AF_INET6, to which IPv4's addresses are mapped ones */
export function md5Structure({ address, prefixlen, key }: Md5Signature, six: boolean): Uint8Array {
  const bytes = new Uint8Array(MD5_LENGTH);
  const view = new DataView(bytes.buffer);
  writePeer(view, address, six);
  view.setUint8(STORAGE, prefixlen === undefined ? 0 : MD5_PREFIX);
  view.setUint8(STORAGE + 1, prefixlen ?? 0);
  view.setUint16(STORAGE + 2, key.length, true);
  bytes.set(key, STORAGE + 8);
  return bytes;
}

/** @param six as for `md5Structure` */
export function aoStructure(value: AoAdd, six: boolean): Uint8Array {
  const { addr, alg_name, prefix, sndid, rcvid, maclen = 0, keyflags = 0, key, set_current, set_rnext } = value;
  const bytes = new Uint8Array(AO_LENGTH);
  const view = new DataView(bytes.buffer);
  writePeer(view, addr, six);
  bytes.set(new TextEncoder().encode(alg_name), STORAGE);
  view.setUint32(STORAGE + 68, (set_current ? 1 : 0) | (set_rnext ? 2 : 0), true);
  bytes.set([prefix, sndid, rcvid, maclen, keyflags, key.length], STORAGE + 74);
  bytes.set(key, STORAGE + 80);
  return bytes;
}

function writePeer(view: DataView, address: IpAddress, six: boolean): void {
  if (address.family === 4 && !six) {
    view.setUint16(0, AF_INET, true);
    view.setInt32(4, address.w3);
    return;
  }
  view.setUint16(0, AF_INET6, true);
  for (const [i, word] of [address.bareW0, address.w1, address.w2, address.w3].entries())
    view.setInt32(8 + 4 * i, word);
}
