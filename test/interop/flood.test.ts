import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import { COMBINATIONS, LONG, TEST_LIMIT } from './combinations.ts';
import type { Kind } from './flood-scenes.ts';
import * as scenes from './flood-scenes.ts';

const FOR = LONG ? 20_000 : 300;
/** What nobody waits for on a machine that has other things to do too, ms: a retransmission timeout twice backed off would. */
const STALL = 1500;
const run = inNamespace(scenes, { timeout: TEST_LIMIT });
const KINDS: Readonly<Record<Kind, string>> = {
  in: 'from the kernel',
  out: 'to the kernel',
  both: 'both ways at once',
  four: 'on four connections, two each way',
};

describeWithTun(`As fast as it goes, for ${FOR} ms`, function () {
  this.timeout(TEST_LIMIT + 5000);
  const seen: string[] = [];

  for (const { title, options } of COMBINATIONS) {
    for (const kind of Object.keys(KINDS) as Kind[]) {
      it(`${KINDS[kind]}, ${title}`, async () => {
        const { flows, account } = await run.flood(options, kind, FOR);
        seen.push(`${title}, ${KINDS[kind]}: ${flows.inRate.toFixed(1)} in, ${flows.outRate.toFixed(1)} out`);
        expect(flows.received).to.equal(flows.sentByKernel);
        expect(flows.receivedByKernel).to.equal(flows.sent);
        expect(flows.longestGap).to.be.below(STALL + account.longestTurn);
        if (kind !== 'out') expect(flows.received).to.be.above(1_000_000);
        if (kind !== 'in') expect(flows.sent).to.be.above(1_000_000);
        expect(account.counters).to.not.have.any.keys('InErrs', 'InCsumErrors', 'OutRsts', 'PAWSEstab');
      });
    }
  }

  // What there is to see, not to judge.
  if (LONG) after(() => console.log(['Gbit/s seen:', ...seen].join('\n    ')));
});
