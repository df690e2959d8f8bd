/** Sockets of TCP of both families and the kernel's: the same calls give the same, on a host that talks to itself. */
import { expect } from 'chai';
import { createHost } from '../../src/host.ts';
import { SOCK_STREAM } from '../../src/socket/constants.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import { playStreams } from './stream-plays.ts';
import * as scenes from './stream-scenes.ts';

const run = inNamespace(scenes);
/** One of a hundred further plays meets what differs: TIME-WAIT, which holds its port for both families here, or a mapped any-address after a disconnect. */
const SEEDS = Array.from({ length: 150 }, (_, seed) => seed);
const CALLS = 60;

describeWithTun('socket and the kernel', () => {
  it(`give the same for ${SEEDS.length} times ${CALLS} calls`, async () => {
    const theirs = await run.plays(SEEDS, CALLS);
    for (const seed of SEEDS) {
      const clock = new VirtualClock();
      const host = createHost({ clock, seed });
      const open = (domain: number) => host.socket(domain, SOCK_STREAM) as Socket;
      const ours = await playStreams(open, () => clock.advance(1), seed, CALLS);
      await host.close({ timeout: 0 });
      const wanted = theirs[seed] as string[];
      const first = ours.findIndex((line, i) => line !== wanted[i]);
      const before = ours.slice(Math.max(first - 25, 0), first).join('\n');
      expect(first, `seed ${seed}:\n${before}\nours:   ${ours[first]}\nkernel: ${wanted[first]}`).to.equal(-1);
    }
  });
});
