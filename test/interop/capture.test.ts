import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import * as scenes from './capture-scenes.ts';
import { COMBINATIONS, patient } from './combinations.ts';

const run = inNamespace(scenes, { timeout: 40_000 });
const hasTshark = spawnSync('tshark', ['--version']).error === undefined;
const title = hasTshark ? 'with the kernel' : 'with the kernel [pending: there is no tshark; install it]';

describeWithTun('A capture', function () {
  this.timeout(45_000);

  for (const { title: combination, options } of COMBINATIONS) {
    const outcome = patient(async () => (hasTshark ? run.capture(options, 1_000_000) : undefined));
    (hasTshark ? it : it.skip)(`of a transfer ${title} reads well in tshark, ${combination}`, async () => {
      const { judgement } = (await outcome()) as Awaited<ReturnType<typeof run.capture>>;
      expect(judgement.complaints).to.equal('');
      expect(judgement.wrong).to.deep.equal([]);
      expect(judgement.packets).to.be.above(20);
      expect(judgement.frames).to.equal(judgement.packets);
    });
  }
});
