/** What datagram-kernel.test.ts plays on the kernel, in a network namespace of its own. */
import { spawnSync } from 'node:child_process';
import { kernelSocket } from '../../src/cli/kernel-socket.ts';
import { SOCK_DGRAM } from '../../src/socket/constants.ts';
import { type AnySocket, playDatagrams } from './datagram-plays.ts';

export const moduleUrl = import.meta.url;

function open(domain: number): AnySocket {
  const socket = kernelSocket(domain, SOCK_DGRAM, 0);
  if (typeof socket === 'number') throw new Error(`the kernel gives no socket: ${socket}`);
  return socket;
}

export async function plays(seeds: readonly number[], calls: number): Promise<string[][]> {
  spawnSync('ip', ['link', 'set', 'lo', 'up']);
  const all: string[][] = [];
  for (const seed of seeds) all.push(await playDatagrams(open, async () => {}, seed, calls));
  return all;
}
