/** What family.test.ts plays on the kernel, in a network namespace of its own. */
import { spawnSync } from 'node:child_process';
import { kernelSocket } from '../../src/cli/kernel-socket.ts';
import { SOCK_STREAM } from '../../src/socket/constants.ts';
import { MANNERS, playConflicts } from './port-conflicts.ts';

export const moduleUrl = import.meta.url;

function open(domain: number) {
  const socket = kernelSocket(domain, SOCK_STREAM, 0);
  if (typeof socket === 'number') throw new Error(`the kernel gives no socket: ${socket}`);
  return socket;
}

export function conflicts(): Record<string, string[]> {
  spawnSync('ip', ['link', 'set', 'lo', 'up']);
  return Object.fromEntries(Object.entries(MANNERS).map(([name, manner]) => [name, playConflicts(open, manner)]));
}
