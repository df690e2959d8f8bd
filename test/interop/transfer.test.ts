import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import { COMBINATIONS, LONG, TEST_LIMIT } from './combinations.ts';
import type { Outcome } from './flow.ts';
import * as scenes from './transfer-scenes.ts';

const SIZE = LONG ? 200_000_000 : 20_000_000;
const LIMIT = LONG ? 60_000 : 10_000;
const run = inNamespace(scenes, { timeout: TEST_LIMIT });
const hasCurl = spawnSync('curl', ['--version']).error === undefined;

function expectEqual(ours: Outcome, kernels: Outcome): void {
  expect([ours.sent, ours.received, kernels.sent, kernels.received]).to.deep.equal([SIZE, SIZE, SIZE, SIZE]);
  expect(ours.receivedHash).to.equal(kernels.sentHash);
  expect(kernels.receivedHash).to.equal(ours.sentHash);
}

describeWithTun(`${SIZE / 1e6} MB between the kernel and tunstack`, function () {
  this.timeout(TEST_LIMIT + 5000);

  for (const { title, options } of COMBINATIONS) {
    (hasCurl ? it : it.skip)(
      `curl down and up, ${title}${hasCurl ? '' : ' [pending: there is no curl; install it]'}`,
      async () => {
        const { down, up, account } = await run.curls(options, SIZE, LIMIT);
        expect(down.received).to.equal(down.sent);
        expect(up.received).to.equal(up.sent);
        expect(account.counters).to.not.have.any.keys('InErrs', 'InCsumErrors', 'TCPTimeouts', 'OutRsts');
        // A kernel that was away for a moment is probed (RFC 8985 7), and that is all that may go twice.
        const { RetransSegs = 0, TCPLossProbes = 0 } = account.counters as Record<string, number>;
        expect(RetransSegs).to.be.at.most(TCPLossProbes);
        expect(account.refusals).to.deep.equal([]);
      },
    );

    it(`both ways at once, dialled by tunstack, ${title}`, async () => {
      const { ours, kernels, account } = await run.dials(options, SIZE, LIMIT);
      expectEqual(ours, kernels);
      expect(account.counters).to.include({ ActiveOpens: 1 }).and.not.have.any.keys('InErrs', 'InCsumErrors');
    });

    it(`both ways at once, dialled by the kernel, ${title}`, async () => {
      const { ours, kernels, account } = await run.listens(options, SIZE, LIMIT);
      expectEqual(ours, kernels);
      expect(account.counters).to.include({ PassiveOpens: 1 }).and.not.have.any.keys('InErrs', 'InCsumErrors');
    });
  }
});
