/** What dgram.test.ts plays with Node's own sockets, in a network namespace of its own. */
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { type Create, playAll } from './dgram-plays.ts';

export const moduleUrl = import.meta.url;

export function nodes(): Promise<Record<string, string[]>> {
  spawnSync('ip', ['link', 'set', 'lo', 'up']);
  return playAll(createSocket as unknown as Create);
}
