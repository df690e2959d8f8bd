/** Connections and the kernel's: the same calls on both ends give the same results, readiness and events of epoll. */
import { expect } from 'chai';
import { createHost } from '../../src/host.ts';
import { SOCK_STREAM } from '../../src/socket/constants.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import { playConnection, type StageEpoll } from './connected-plays.ts';
import * as scenes from './connected-scenes.ts';

const run = inNamespace(scenes);
const SEEDS = Array.from({ length: 40 }, (_, seed) => seed);
const CALLS = 80;

describeWithTun('a connection and the kernel', () => {
  it(`give the same for ${SEEDS.length} times ${CALLS} calls`, async () => {
    const theirs = await run.plays(SEEDS, CALLS);
    for (const seed of SEEDS) {
      const clock = new VirtualClock();
      const host = createHost({ clock, seed });
      const stage = {
        open: (domain: number) => host.socket(domain, SOCK_STREAM) as Socket,
        epoll: () => host.epoll<number>() as unknown as StageEpoll,
        settle: () => clock.advance(0.02),
      };
      const ours = await playConnection(stage, seed, CALLS);
      await host.close({ timeout: 0 });
      const wanted = theirs[seed] as string[];
      const first = ours.findIndex((line, i) => line !== wanted[i]);
      const before = ours.slice(Math.max(first - 25, 0), first).join('\n');
      expect(first, `seed ${seed}:\n${before}\nours:   ${ours[first]}\nkernel: ${wanted[first]}`).to.equal(-1);
    }
  });
});
