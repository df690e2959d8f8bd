/** What connected-kernel.test.ts plays on the kernel, in a network namespace of its own. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { type KernelSocket, kernelSocket } from '../../src/cli/kernel-socket.ts';
import { SOCK_STREAM } from '../../src/socket/constants.ts';
import { playConnection, type StageEpoll } from './connected-plays.ts';

export const moduleUrl = import.meta.url;

/** struct epoll_event, packed: 32 bits of events, 64 of data. */
const EVENT = 12;
const MOST = 8;

interface Libc {
  create(flags: number): number;
  ctl(epoll: number, operation: number, fd: number, event: Uint8Array): number;
  wait(epoll: number, events: Uint8Array, most: number, timeout: number): number;
  close(fd: number): number;
}

function libc(): Libc {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const lib = koffi.load(null);
  return {
    create: lib.func('int epoll_create1(int flags)'),
    ctl: lib.func('int epoll_ctl(int epoll, int operation, int fd, void *event)'),
    wait: lib.func('int epoll_wait(int epoll, _Out_ void *events, int most, int timeout)'),
    close: lib.func('int close(int fd)'),
  } as unknown as Libc;
}

function kernelEpoll(calls: Libc): StageEpoll {
  const epoll = calls.create(0);
  return {
    ctl(operation, socket, events, data) {
      const event = new Uint8Array(EVENT);
      const view = new DataView(event.buffer);
      view.setInt32(0, events, true);
      view.setUint32(4, data, true);
      return calls.ctl(epoll, operation, (socket as KernelSocket).fd, event);
    },
    wait() {
      const events = new Uint8Array(EVENT * MOST);
      const count = calls.wait(epoll, events, MOST, 0);
      const view = new DataView(events.buffer);
      return Array.from({ length: count }, (_, i) => ({
        events: view.getInt32(EVENT * i, true),
        data: view.getUint32(EVENT * i + 4, true),
      }));
    },
    close: () => calls.close(epoll),
  };
}

export async function plays(seeds: readonly number[], calls: number): Promise<string[][]> {
  spawnSync('ip', ['link', 'set', 'lo', 'up']);
  const own = libc();
  const stage = {
    open: (domain: number) => kernelSocket(domain, SOCK_STREAM, 0) as KernelSocket,
    epoll: () => kernelEpoll(own),
    settle: async () => {},
  };
  const all: string[][] = [];
  for (const seed of seeds) all.push(await playConnection(stage, seed, calls));
  return all;
}
