/**
 * `npm test`: sets up, then is mocha over the compiled tests; the exit status is mocha's. Arguments are passed on
 * (`npm test -- --grep x`); a test file among them (`npm test -- test/wire/tcp.test.ts`) takes the place of the whole suite.
 */
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
  if (!args.some((arg) => arg.endsWith('.test.js'))) args.push(WHOLE_SUITE);
  for (const hook of ['property-seed', 'leaks']) args.unshift('--require', `./dist/test/support/${hook}.js`);
  process.argv = [process.execPath, main, ...args];
  await import(pathToFileURL(main).href);
});
