/** Sockets of UDP and the kernel's: the same calls give the same, on a host that talks to itself. */
import { expect } from 'chai';
import { createHost } from '../../src/host.ts';
import { SOCK_DGRAM } from '../../src/socket/constants.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import { playDatagrams } from './datagram-plays.ts';
import * as scenes from './datagram-scenes.ts';

const run = inNamespace(scenes);
const LONG = process.env['TUNSTACK_LONG'] === '1';
const SEEDS = Array.from({ length: LONG ? 800 : 100 }, (_, seed) => seed);
const CALLS = 60;

describeWithTun('socket/datagram and the kernel', () => {
  it(`give the same for ${SEEDS.length} times ${CALLS} calls`, async () => {
    const theirs = await run.plays(SEEDS, CALLS);
    for (const seed of SEEDS) {
      const clock = new VirtualClock();
      const host = createHost({ clock, seed });
      const open = (domain: number) => host.socket(domain, SOCK_DGRAM);
      const ours = await playDatagrams(open, () => clock.advance(1), seed, CALLS);
      await host.close({ timeout: 0 });
      const wanted = theirs[seed] as string[];
      const first = ours.findIndex((line, i) => line !== wanted[i]);
      const before = ours.slice(Math.max(first - 25, 0), first).join('\n');
      expect(first, `seed ${seed}:\n${before}\nours:   ${ours[first]}\nkernel: ${wanted[first]}`).to.equal(-1);
    }
  });
});
