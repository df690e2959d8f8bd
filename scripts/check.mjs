/**
 * `npm run check`: everything that can be said about the code without running it as a whole. All steps run, side by side,
 * whatever fails; the output of those that failed is shown, then one line per step.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { checkNodeForTests, command, root, SetupError, setup, tool } from './setup.mjs';

const node = (file, ...args) => [process.execPath, tool(file), ...args];
const scratch = path.join(root, '.cache', 'check');

const steps = [
  [
    'lint and format (biome)',
    () => run(node('@biomejs/biome/bin/biome', 'ci', '--colors=off', '--max-diagnostics=200', '.')),
  ],
  ['lockfile', () => run([process.execPath, path.join(root, 'scripts', 'lock.mjs')])],
  [
    'arrows, file sizes',
    () => run(node('mocha/bin/mocha.js', '--reporter=dot', 'dist/test/architecture/arrows.test.js')),
  ],
  ['docs/rfc.md', () => run([process.execPath, path.join(root, 'scripts', 'rfc.mjs'), '--check'])],
  ['docs/sysctl.md', () => run([process.execPath, path.join(root, 'scripts', 'sysctl.mjs'), '--check'])],
  ['unused code and dependencies (knip)', () => run(node('knip/bin/knip.js', '--no-progress'))],
  ['the packed package (publint, attw)', checkPackage],
];

/** Packs as `npm pack` does, and lets the two tools look at what came out. */
async function checkPackage() {
  fs.rmSync(scratch, { recursive: true, force: true });
  fs.mkdirSync(scratch, { recursive: true });
  const packed = await run([
    ...npm(),
    'pack',
    '--ignore-scripts',
    '--json',
    '--loglevel=error',
    `--pack-destination=${scratch}`,
  ]);
  if (packed.status !== 0) return packed;
  const file = fs.readdirSync(scratch).find((name) => name.endsWith('.tgz'));
  const tarball = path.join(scratch, file);
  const results = await Promise.all([
    run(node('publint/src/cli.js', 'run', tarball, '--strict')),
    run(node('@arethetypeswrong/cli/dist/index.js', tarball, '--profile=esm-only', '--no-emoji', '--format=ascii')),
    run(['tar', '-tzf', tarball]).then(onlyCompiledCode),
  ]);
  return {
    status: Math.max(...results.map((result) => result.status)),
    output: results.map((result) => result.output).join('\n'),
  };
}

/** No tests, no benches, no sources in the package. */
function onlyCompiledCode(listing) {
  if (listing.status !== 0) return listing;
  const allowed = /^package\/(dist\/src\/.*\.(js|js\.map|d\.ts)|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;
  const strange = listing.output.split('\n').filter((name) => name !== '' && !allowed.test(name));
  return { status: strange.length, output: strange.map((name) => `not meant to be packed: ${name}\n`).join('') };
}

function npm() {
  const path = process.env.npm_execpath ?? '';
  return /npm-cli\.c?js$/.test(path) ? [process.execPath, path] : ['npm'];
}

function run([file, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    child.on('error', (error) => resolve({ status: 1, output: `${file}: ${error.message}\n` }));
    child.on('close', (status) => resolve({ status: status ?? 1, output }));
  });
}

/** tsc is part of the set-up: what it says is this step's result. */
function types() {
  try {
    setup();
    return { status: 0, output: '' };
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return { status: 1, output: `${error.message}\n` };
  }
}

async function timed([name, work]) {
  const start = performance.now();
  const result = await work();
  return { name, seconds: (performance.now() - start) / 1000, ...result };
}

await command(async () => {
  checkNodeForTests();
  const results = [await timed(['types (tsc)', types])];
  results.push(...(await Promise.all(steps.map(timed))));
  for (const { name, status, output } of results) if (status !== 0) console.log(`--- ${name}\n${output.trimEnd()}\n`);
  for (const { name, status, seconds } of results)
    console.log(`${status === 0 ? 'ok    ' : 'FAILED'}  ${seconds.toFixed(1).padStart(5)} s  ${name}`);
  if (results.some(({ status }) => status !== 0)) process.exitCode = 1;
});
