import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import { LONG, patient, TEST_LIMIT } from './combinations.ts';
import type { GroundOptions } from './ground.ts';
import * as scenes from './transfer-scenes.ts';

const SIZE = LONG ? 50_000_000 : 2_000_000;
const LIMIT = LONG ? 150_000 : 20_000;
/** A loss of the same segment three times in a row (1 of 125,000) is 200 + 400 + 800 ms, and more for what the round trip adds. */
const STALL = 5000;
const run = inNamespace(scenes, { timeout: TEST_LIMIT });

const both = { loss: 0.02, reorder: 0.02, duplicate: 0.01, corrupt: 0.001 };

const NETWORKS: readonly { readonly title: string; readonly options: GroundOptions }[] = [
  { title: 'mtu 1500, offload', options: {} },
  { title: 'mtu 1500, no offload', options: { offload: false } },
  { title: 'mtu 65535, offload', options: { mtu: 65_535 } },
  { title: 'mtu 1500, the kernel without SACK', options: { kernelSysctl: { 'net.ipv4.tcp_sack': 0 } } },
];

describeWithTun('2 % loss, 2 % reordering, 1 % duplication, 0.1 % corruption, both ways', function () {
  this.timeout(TEST_LIMIT + 5000);

  for (const { title, options } of NETWORKS) {
    for (const [i, dialler] of (['tunstack', 'kernel'] as const).entries()) {
      const play = dialler === 'kernel' ? run.listens : run.dials;
      const outcome = patient(() => play({ ...options, impair: { seed: i + 1, both } }, SIZE, LIMIT));

      it(`${SIZE / 1e6} MB each way arrive whole, ${title}, dialled by ${dialler}`, async () => {
        const { ours, kernels, account } = await outcome();
        expect([ours.received, kernels.received]).to.deep.equal([SIZE, SIZE]);
        expect(ours.receivedHash).to.equal(kernels.sentHash);
        expect(kernels.receivedHash).to.equal(ours.sentHash);
        expect(Math.max(ours.longestGap, kernels.longestGap)).to.be.below(STALL + account.longestTurn);
        // With an mtu of 65535 there are too few packets for each kind of trouble in each direction.
        if (options.mtu !== undefined) return;
        const { impaired, counters } = account;
        expect(impaired?.in.lost).to.be.above(0);
        expect(impaired?.out.lost).to.be.above(0);
        expect(counters['RetransSegs']).to.be.above(0);
      });
    }
  }
});
