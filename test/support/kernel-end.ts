/** Sockets of the kernel as the other end of a scene: in the scene's own namespace, or in a neighbour's (veth.ts). */
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { kernelSocket } from '../../src/cli/kernel-socket.ts';
import type { TestSocket } from '../../src/packetdrill/target.ts';
import { SOCK_STREAM } from '../../src/socket/constants.ts';
import { errnoName } from '../../src/socket/errno.ts';
import type { Neighbour } from './veth.ts';

/** A socket is of the namespace that its thread was in when it was made. */
export function openKernelSocket(domain: number, neighbour?: Neighbour): TestSocket {
  const socket = neighbour === undefined ? open(domain) : within(neighbour, () => open(domain));
  if (typeof socket === 'number') throw new Error(`the kernel gives no socket: ${errnoName(-socket)}`);
  return socket;
}

function open(domain: number): TestSocket | number {
  return kernelSocket(domain, SOCK_STREAM, 0);
}

function within<T>(neighbour: Neighbour, act: () => T): T {
  const own = openSync('/proc/thread-self/ns/net', 'r');
  const other = openSync(`/proc/${neighbour.pid}/ns/net`, 'r');
  try {
    enter(other);
    return act();
  } finally {
    enter(own);
    closeSync(own);
    closeSync(other);
  }
}

let setns: ((fd: number, kind: number) => number) | undefined;

function enter(fd: number): void {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  setns ??= koffi.load(null).func('int setns(int fd, int kind)') as (fd: number, kind: number) => number;
  if (setns(fd, 0) !== 0) throw new Error(`setns: ${errnoName(koffi.errno())}`);
}
