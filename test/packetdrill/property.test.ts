/** Whatever a script says, there is a verdict: nothing is thrown, and no memory is lost. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { runPacketdrill } from '../../src/packetdrill/run.ts';
import { filesUnder, projectRoot } from '../architecture/files.ts';

const scripts = filesUnder('test/packetdrill')
  .filter((path) => path.endsWith('.pkt') && !path.includes('two-hours'))
  .map((path) => readFileSync(join(projectRoot, path), 'utf8'));

describe('packetdrill verdicts', () => {
  it('exist for scripts with lines missing, twice, or in another order', () => {
    const edit = fc.record({ from: fc.nat(60), to: fc.nat(60), remove: fc.boolean() });
    fc.assert(
      fc.property(fc.constantFrom(...scripts), fc.array(edit, { minLength: 1, maxLength: 4 }), (script, edits) => {
        const lines = script.split('\n');
        for (const { from, to, remove } of edits) {
          const line = lines[from % lines.length] as string;
          lines.splice(to % lines.length, remove ? 1 : 0, line);
        }
        judged(lines.join('\n'));
      }),
      { numRuns: 300 },
    );
  });

  it('exist for scripts with characters changed', () => {
    const change = fc.record({ at: fc.nat(), by: fc.constantFrom(...'0123456789.+<>(){}[],:=~*%`"S F\n') });
    fc.assert(
      fc.property(fc.constantFrom(...scripts), fc.array(change, { minLength: 1, maxLength: 5 }), (script, changes) => {
        let text = script;
        for (const { at, by } of changes) {
          const place = at % text.length;
          text = text.slice(0, place) + by + text.slice(place + 1);
        }
        judged(text);
      }),
      { numRuns: 300 },
    );
  });
});

function judged(text: string): void {
  const result = runPacketdrill(text, { name: 'changed.pkt' });
  // What is wrong with a script is told with its line; a stack of calls would mean that we broke.
  expect(result.message).not.to.match(/\n {4}at /);
  if (result.status === 'fail') expect(result.message).to.match(/^(the call of )?changed\.pkt:\d+: /);
  expect(result.leaked).to.equal(0);
}
