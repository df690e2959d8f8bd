/** What stream-kernel.test.ts plays on the kernel, in a network namespace of its own. */
import { spawnSync } from 'node:child_process';
import { kernelSocket } from '../../src/cli/kernel-socket.ts';
import { SOCK_STREAM } from '../../src/socket/constants.ts';
import { type AnyStream, playStreams } from './stream-plays.ts';

export const moduleUrl = import.meta.url;

function open(domain: number): AnyStream {
  const socket = kernelSocket(domain, SOCK_STREAM, 0);
  if (typeof socket === 'number') throw new Error(`the kernel gives no socket: ${socket}`);
  return socket;
}

export async function plays(seeds: readonly number[], calls: number): Promise<string[][]> {
  spawnSync('ip', ['link', 'set', 'lo', 'up']);
  const all: string[][] = [];
  for (const seed of seeds) all.push(await playStreams(open, async () => {}, seed, calls));
  return all;
}
