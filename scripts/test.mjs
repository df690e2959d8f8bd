/**
 * `npm test`: sets up, then is mocha over the compiled tests; the exit status is mocha's. Arguments are passed on
 * (`npm test -- --grep x`); a test file among them (`npm test -- test/wire/tcp.test.ts`) takes the place of the whole suite. The whole suite runs
 * in as many processes as there are processors (at most 4), unless `--no-parallel` is said.
 */
import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import { checkNodeForTests, command, root, setup, tool } from './setup.mjs';

const WHOLE_SUITE = 'dist/test/**/*.test.js';

await command(async () => {
  setup();
  checkNodeForTests();
  process.setSourceMapsEnabled(true);
  process.chdir(root);
  const main = tool('mocha/bin/mocha.js');
  const args = process.argv.slice(2).map((arg) => arg.replace(/^(?:\.\/)?(test\/.*\.test)\.ts$/, 'dist/$1.js'));
  const jobs = Math.min(availableParallelism(), 4);
  if (!args.some((arg) => arg.endsWith('.test.js'))) {
    args.push(WHOLE_SUITE);
    if (jobs > 1 && !args.some((arg) => /^--(no-)?parallel$/.test(arg)))
      args.unshift('--parallel', '--jobs', String(jobs));
  }
  for (const hook of ['property-seed', 'leaks']) args.unshift('--require', `./dist/test/support/${hook}.js`);
  process.argv = [process.execPath, main, ...args];
  await import(pathToFileURL(main).href);
});
