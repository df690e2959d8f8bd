import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import { LONG, TEST_LIMIT } from './combinations.ts';
import * as scenes from './crowd-scenes.ts';

/** The kernel's connect() slows down beyond half of its 28,000 ports: those of TIME-WAIT are taken. */
const SHORT_ONES = LONG ? 10_000 : 2000;
const run = inNamespace(scenes, { timeout: TEST_LIMIT });

describeWithTun('Many connections with the kernel', function () {
  this.timeout(TEST_LIMIT + 5000);

  for (const offload of [true, false]) {
    it(`1000 kernel clients at once on one listener, offload ${offload}`, async () => {
      const { echoed, established, account } = await run.crowd({ offload }, 1000);
      expect(echoed).to.equal(1000);
      expect(established).to.equal(1000);
      expect(account.counters).to.include({ PassiveOpens: 1000 });
      expect(account.counters).to.not.have.any.keys('ListenOverflows', 'EstabResets', 'OutRsts', 'InCsumErrors');
    });
  }

  it(`${SHORT_ONES} short connections, dialled by the kernel`, async () => {
    const { echoed, account } = await run.churn({}, SHORT_ONES, 32);
    expect(echoed).to.equal(SHORT_ONES);
    expect(account.counters).to.include({ PassiveOpens: SHORT_ONES });
    expect(account.counters).to.not.have.any.keys('ListenOverflows', 'EstabResets', 'OutRsts', 'InCsumErrors');
  });

  it(`${SHORT_ONES} short connections, dialled by tunstack`, async () => {
    const { echoed, account } = await run.churnDialled({}, SHORT_ONES, 32);
    expect(echoed).to.equal(SHORT_ONES);
    expect(account.counters).to.include({ ActiveOpens: SHORT_ONES });
    expect(account.counters).to.not.have.any.keys('AttemptFails', 'EstabResets', 'OutRsts', 'InCsumErrors');
  });
});
