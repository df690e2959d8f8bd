/** Keys on the kernel's sockets, for scenes with node:net, which has no setsockopt. */
import { createRequire } from 'node:module';
import { type Server, Socket } from 'node:net';
import { aoStructure, md5Structure } from '../../src/cli/kernel-keys.ts';
import { IPPROTO_TCP, TCP_AO_ADD_KEY, TCP_MD5SIG } from '../../src/socket/constants.ts';
import type { AoAdd } from '../../src/socket/key-values.ts';
import { IpAddress } from '../../src/wire/address.ts';

/** Of TCP-MD5, or of TCP-AO with the same ID both ways. */
export type SharedKey =
  | { readonly md5: string }
  | { readonly ao: string; readonly id: number; readonly algorithm: AoAdd['alg_name'] };

const AF_INET = 2;
const SOCK_STREAM = 1;

interface Calls {
  socket(family: number, type: number, protocol: number): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number;
  close(fd: number): number;
  errno(): number;
}

function calls(): Calls {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const lib = koffi.load(null);
  return {
    socket: lib.func('int socket(int family, int type, int protocol)'),
    setsockopt: lib.func('int setsockopt(int fd, int level, int option, void *value, uint32_t length)'),
    close: lib.func('int close(int fd)'),
    errno: koffi.errno,
  } as unknown as Calls;
}

/** What the key is called as an option of ours, and its value. */
export function optionOf(key: SharedKey, peer: string): readonly [option: number, value: object] {
  const address = IpAddress.parse(peer) as IpAddress;
  const bytes = (text: string) => new TextEncoder().encode(text);
  if ('md5' in key) return [TCP_MD5SIG, { address, key: bytes(key.md5) }];
  const { ao, id, algorithm } = key;
  return [TCP_AO_ADD_KEY, { addr: address, prefix: 32, alg_name: algorithm, sndid: id, rcvid: id, key: bytes(ao) }];
}

function setKey(fd: number, key: SharedKey, peer: string): void {
  const [option, value] = optionOf(key, peer);
  const structure = 'md5' in key ? md5Structure(value as never, false) : aoStructure(value as never, false);
  const { setsockopt, errno } = calls();
  if (setsockopt(fd, IPPROTO_TCP, option, structure, structure.length) < 0)
    throw new Error(`setsockopt: errno ${errno()}`);
}

/** A server that listens already. */
export function setServerKey(server: Server, key: SharedKey, peer: string): void {
  setKey((server as unknown as { _handle: { fd: number } })._handle.fd, key, peer);
}

/** A socket with the key, to call connect on. */
export function socketWithKey(key: SharedKey, peer: string): Socket {
  const fd = calls().socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  setKey(fd, key, peer);
  return new Socket({ fd, allowHalfOpen: true, readable: true, writable: true, manualStart: true } as never);
}

/** Whether this kernel has TCP-AO (CONFIG_TCP_AO). */
export function kernelHasAo(): boolean {
  const { socket, close } = calls();
  const fd = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  try {
    setKey(fd, { ao: 'probe', id: 1, algorithm: 'hmac(sha1)' }, '10.9.0.2');
    return true;
  } catch {
    return false;
  } finally {
    close(fd);
  }
}
