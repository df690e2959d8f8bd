/** `npm test`: sets up, then is mocha over the compiled tests. `npm test -- --grep x` passes `--grep x` on; the exit status is mocha's. */
import { pathToFileURL } from 'node:url';
import { command, root, setup, tool } from './setup.mjs';

await command(async () => {
  setup();
  process.setSourceMapsEnabled(true);
  process.chdir(root);
  const main = tool('mocha/bin/mocha.js');
  process.argv = [process.execPath, main, ...process.argv.slice(2)];
  await import(pathToFileURL(main).href);
});
