/** What real Go said in the scenes of test/nettest/facts, against what a host says in the same ones: word for word. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { scenes as addresses } from './go-address-scenes.ts';
import { scenes as away } from './go-away-scenes.ts';
import { scenes as ends } from './go-ends-scenes.ts';
import { scenes as first } from './go-scenes.ts';
import { Stage } from './go-stage.ts';

const scenes = { ...first, ...addresses, ...ends, ...away };
const facts = JSON.parse(readFileSync('test/nettest/facts/go1.24.json', 'utf8')) as Record<string, string[]>;

describe('net, as Go 1.24 has it', () => {
  for (const [name, expected] of Object.entries(facts)) {
    it(name, async () => {
      const stage = new Stage();
      const steps = scenes[name];
      if (steps === undefined) throw new Error(`there is no scene '${name}'`);
      expect(await steps(stage)).to.deep.equal(expected);
      await stage.host.close({ timeout: 0 });
      expect(stage.clock.pending.held, 'held').to.equal(0);
    });
  }
});
