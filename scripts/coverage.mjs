/** `npm run coverage`: the suite under c8; a summary here, the lines in coverage/index.html. Arguments go to mocha. */
import { spawnSync } from 'node:child_process';
import { checkNodeForTests, command, root, setup, tool } from './setup.mjs';

await command(() => {
  setup();
  checkNodeForTests();
  const args = [
    tool('c8/bin/c8.js'),
    process.execPath,
    tool('mocha/bin/mocha.js'),
    'dist/test/**/*.test.js',
    ...process.argv.slice(2),
  ];
  process.exitCode = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
});
