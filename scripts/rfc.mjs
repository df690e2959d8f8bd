/**
 * `npm run rfc` writes docs/rfc.md from the citations in source and tests; `--check` (in `npm run check`) says whether it is what it should be.
 * Lines are not in it, so that it changes with citations alone.
 */
import fs from 'node:fs';
import path from 'node:path';
import { readProject } from './rfc-citations.mjs';
import { makePage } from './rfc-page.mjs';
import { root } from './setup.mjs';

const file = path.join(root, 'docs', 'rfc.md');
const { text, errors } = makePage(root, readProject(root));
if (errors.length > 0) {
  console.error(`${[...new Set(errors)].join('\n')}\n`);
  console.error(
    'docs/rfc.md: citations and register disagree (above). docs/README.md says how to cite; the register is scripts/rfc-register.mjs and rfc-9293.mjs.',
  );
  process.exitCode = 1;
}
const before = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
if (!process.argv.includes('--check')) fs.writeFileSync(file, text);
else if (before !== text) {
  console.error(
    'docs/rfc.md is stale: citations have changed. Run `npm run rfc` and commit it (after a merge conflict in it, too: run it again).',
  );
  process.exitCode = 1;
}
