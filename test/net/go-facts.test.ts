/** What real Go said in the scenes of test/nettest/facts/main.go, against what a host says in the same ones. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { scenes } from './go-scenes.ts';
import { Stage } from './go-stage.ts';

const facts = JSON.parse(readFileSync('test/nettest/facts/go1.19.json', 'utf8')) as Record<string, string[]>;

/** What Go says otherwise since the version that was asked (as of 1.23): both are the rules here. */
function sinceThen(text: string): string {
  return (
    text
      // 1.22: an unknown port is a DNSError.
      .replace(/address ((?:tcp|udp)\/\S+): unknown port/, 'lookup $1: unknown port')
      // 1.21: a listener's deadline fails without frills.
      .replace('set tcp A: use of closed', 'use of closed')
  );
}

describe('net, as Go 1.23 has it', () => {
  for (const [name, expected] of Object.entries(facts)) {
    it(name, async () => {
      const stage = new Stage();
      const steps = scenes[name];
      if (steps === undefined) throw new Error(`go-scenes.ts has no scene '${name}'`);
      expect(await steps(stage)).to.deep.equal(expected.map(sinceThen));
      await stage.host.close({ timeout: 0 });
      expect(stage.clock.pending.held, 'held').to.equal(0);
    });
  }
});
