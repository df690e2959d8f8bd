/**
 * `npm run experiments`: congestion control on a simulated bottleneck (100 Mbit/s, 40 ms, one bandwidth-delay product of queue), in
 * virtual time. Prints a table of what was measured and what is asked; the exit status is 1 when a goal was missed.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { command, dist, setup } from './setup.mjs';

await command(async () => {
  setup();
  process.setSourceMapsEnabled(true);
  const { runExperiments } = await import(pathToFileURL(path.join(dist, 'test/experiments/goals.js')).href);
  const start = performance.now();
  console.log('| experiment | control | measured | goal | |\n|---|---|---|---|---|');
  const reached = runExperiments(({ what, control, measured, goal, reached: one }) => {
    console.log(`| ${what} | ${control} | ${measured} | ${goal} | ${goal === '' ? '' : one ? 'reached' : 'MISSED'} |`);
  });
  console.log(`\n${((performance.now() - start) / 1000).toFixed(0)} s`);
  process.exitCode = reached ? 0 : 1;
});
