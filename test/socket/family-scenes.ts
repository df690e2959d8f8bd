/** What family.test.ts plays on the kernel, in a network namespace of its own. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { kernelSocket } from '../../src/cli/kernel-socket.ts';
import { openDevice } from '../../src/link/tun-device.ts';
import { tunSystem } from '../../src/link/tun-system.ts';
import { SOCK_STREAM } from '../../src/socket/constants.ts';
import { bindFacts, boundFacts, connectFacts, optionFacts } from './family-facts.ts';
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

/** The kernel with an interface as the facts want it. */
export function facts() {
  const { fd } = openDevice(tunSystem(), 'tun0', false);
  for (const line of [
    'link set lo up',
    'link set tun0 up',
    'addr add 10.9.0.2/24 dev tun0',
    'addr add 2001:db8::2/64 dev tun0 nodad',
    'addr add fe80::2/64 dev tun0 nodad',
  ])
    spawnSync('ip', line.split(' '));
  waitForRoutes();
  const all = {
    bind: bindFacts(open),
    connect: connectFacts(open),
    bound: boundFacts(open),
    options: optionFacts(open),
  };
  tunSystem().close(fd);
  return all;
}

/** IPv6 addresses are the host's a moment later. */
function waitForRoutes(): void {
  for (let i = 0; i < 2000; i++) {
    const lines = readFileSync('/proc/thread-self/net/ipv6_route', 'latin1');
    if (
      lines.includes('20010db8000000000000000000000002 80 ') &&
      lines.includes('fe800000000000000000000000000002 80 ')
    )
      return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
  throw new Error('the kernel does not take up the addresses');
}
