/** Floods over a TUN device: memory stays bounded, and who uses the host is served. In memory, with all tables looked at: test/stack/floods.test.ts. */
import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import * as scenes from './assault-scenes.ts';
import { LONG, patient, TEST_LIMIT } from './combinations.ts';

const run = inNamespace(scenes, { timeout: TEST_LIMIT });
const COUNT = LONG ? 300_000 : 4000;
/** Both limits of fragments, what waits in buffers, and what the collector has not looked at yet. */
const MOST_GROWN = 60_000_000;

describeWithTun('floods from behind the kernel', () => {
  const played = patient(() => run.assaults(COUNT));
  for (const what of scenes.ASSAULTS) {
    it(`of ${what}`, async () => {
      const { outcomes } = await played();
      const outcome = outcomes.find((one) => one.what === what);
      expect(outcome?.sent, 'packets of the flood').to.be.at.least(COUNT);
      // Whoever got no answer at all ended the scene with an error.
      for (const answered of ['echoes', 'dialled', 'datagrams'] as const) {
        expect(outcome?.[answered], answered).to.be.at.least(3);
      }
      expect(outcome?.grown, 'memory').to.be.at.most(MOST_GROWN);
    });
  }
});
