import { inNamespace, namespaceProblem } from '../support/namespace.ts';
import { rawProblem } from '../support/raw-problem.ts';
import { plays } from './cases.ts';
import { VARIANTS } from './ground.ts';
import * as scenes from './kernel-scenes.ts';

const run = inNamespace(scenes, { timeout: 60_000 });

function suite(kind: scenes.LinkKind, problem: string | undefined): void {
  const title = `TCP with the kernel over ${kind}`;
  if (problem !== undefined) {
    describe.skip(`${title} [pending: ${problem}; run as root]`, () => it('all cases', () => {}));
    return;
  }
  describe(title, () => {
    let results: scenes.Result[] = [];
    before(async function () {
      this.timeout(65_000);
      results = await run.playAll(kind);
    });
    for (const variant of VARIANTS) {
      for (const { title: of } of plays(false)) {
        it(`${variant}: ${of}`, () => {
          const result = results.find((one) => one.variant === variant && one.title === of);
          if (result === undefined) throw new Error('it was not played');
          if (result.error !== undefined) throw new Error(result.error);
        });
      }
    }
  });
}

suite('TUN', namespaceProblem);
suite('TAP', namespaceProblem);
suite('raw sockets', rawProblem());
