/**
 * `npm start`: sets up, then is the lab. `npm start -- --once` passes `--once` on.
 * The lab runs in this process, not in a child: a signal arrives once, and the exit status is the lab's.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { endWithParent } from './parent.mjs';
import { command, dist, setup } from './setup.mjs';

await command(async () => {
  setup();
  process.setSourceMapsEnabled(true);
  // The lab may start itself anew in a user namespace, with the options of this process: it takes the parent's watch along.
  if (process.env.npm_lifecycle_event !== undefined) {
    endWithParent();
    process.execArgv.push('--import', new URL('watch-parent.mjs', import.meta.url).href);
  }
  const main = path.join(dist, 'src', 'cli', 'main.js');
  process.argv = [process.execPath, main, 'lab', ...process.argv.slice(2)];
  await import(pathToFileURL(main).href);
});
