/**
 * `npm run test:families`: the tests by clause and those of the protocol, played over IPv6, and over IPv4 through sockets of AF_INET6. Arguments go to mocha.
 */
import { spawnSync } from 'node:child_process';
import { command, root, setup, tool } from './setup.mjs';

const TESTS = ['dist/test/rfc/**/*.test.js', 'dist/test/tcp/**/*.test.js'];

await command(async () => {
  setup();
  for (const family of ['6', 'mapped']) {
    process.stdout.write(`family ${family}\n`);
    const mocha = [
      tool('mocha/bin/mocha.js'),
      '--require',
      './dist/test/support/property-seed.js',
      '--reporter',
      'dot',
    ];
    const { status } = spawnSync(
      process.execPath,
      ['--enable-source-maps', ...mocha, ...process.argv.slice(2), ...TESTS],
      {
        cwd: root,
        env: { ...process.env, TUNSTACK_FAMILY: family },
        stdio: 'inherit',
      },
    );
    if (status !== 0) process.exitCode = 1;
  }
});
