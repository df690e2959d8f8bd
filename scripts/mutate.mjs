/**
 * Breaks one rule of the stack at a time and looks whether a test notices: `node scripts/mutate.mjs [options] [part of a name ...]`.
 *
 * The rules are in test/mutations/*.mjs: `{ name, file, find, replace }`, with `file` below src/ and without its ending, `find` a text that
 * occurs once in it, spaces and line ends as they come. They are applied to a compiled copy outside of the repository, so that nothing
 * here changes, and types in `find` are written as in JavaScript, not at all. With names, only the rules whose `file: name` has one of them.
 *
 *   --jobs N      how many at once (default: 2)
 *   --list NAME   only the rules of test/mutations/NAME.mjs
 *   --tests GLOB  what is run for each, below test/ (default: the tests in memory and on virtual time)
 *
 * Ends with 1 when a mutation survived, or could not be applied.
 */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { checkNodeForTests, command, root, SetupError, tool } from './setup.mjs';

const FAST_TESTS = ['rfc', 'socket', 'tcp', 'ip', 'stack'].map((room) => `${room}/**/*.test.js`);
/** A mutation that makes the tests take so many times as long, and a minute more, never ends: it has been noticed. */
const PATIENCE = 4;

await command(async () => {
  checkNodeForTests();
  if (!fs.existsSync(tool('typescript/package.json'))) throw new SetupError('the dependencies are missing: npm ci');
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      jobs: { type: 'string', default: '2' },
      list: { type: 'string', default: '' },
      tests: { type: 'string', multiple: true },
    },
  });
  const mutations = await readMutations(values.list, positionals);
  const tests = values.tests ?? FAST_TESTS;
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'tunstack-mutate-'));
  try {
    compileTo(path.join(scratch, '0'));
    const start = Date.now();
    const untouched = await runTests(path.join(scratch, '0'), tests, 600_000);
    const limit = 60_000 + PATIENCE * (Date.now() - start);
    if (untouched !== undefined) throw new SetupError(`the tests fail without any mutation: ${untouched}`);
    const jobs = Math.max(1, Number(values.jobs) || 1);
    for (let job = 1; job < jobs; job++) {
      fs.cpSync(path.join(scratch, '0'), path.join(scratch, String(job)), { recursive: true, verbatimSymlinks: true });
    }
    const queue = [...mutations];
    const unnoticed = [];
    const work = async (directory) => {
      for (let mutation = queue.shift(); mutation !== undefined; mutation = queue.shift()) {
        const verdict = await tryMutation(directory, mutation, tests, limit);
        console.log(
          `${verdict.killed ? 'noticed ' : 'SURVIVED'}  ${label(mutation)}${verdict.by ? `  <- ${verdict.by}` : ''}`,
        );
        if (!verdict.killed) unnoticed.push(`${label(mutation)}${verdict.by ? ` (${verdict.by})` : ''}`);
      }
    };
    await Promise.all(Array.from({ length: jobs }, (_, job) => work(path.join(scratch, String(job)))));
    console.log(`\n${mutations.length - unnoticed.length} of ${mutations.length} mutations noticed`);
    for (const each of unnoticed) console.log(`  ${each}`);
    if (unnoticed.length > 0) process.exitCode = 1;
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
});

function label({ file, name }) {
  return `${file}: ${name}`;
}

async function readMutations(list, parts) {
  const directory = path.join(root, 'test', 'mutations');
  const lists = fs
    .readdirSync(directory)
    .filter((file) => (list === '' ? file.endsWith('.mjs') : file === `${list}.mjs`));
  const modules = await Promise.all(lists.map((file) => import(pathToFileURL(path.join(directory, file)).href)));
  const all = modules.flatMap((module) => module.default);
  return parts.length === 0 ? all : all.filter((each) => parts.some((part) => label(each).includes(part)));
}

function compileTo(directory) {
  fs.mkdirSync(directory, { recursive: true });
  const info = path.join(directory, '.info');
  const options = [
    '--outDir',
    directory,
    '--tsBuildInfoFile',
    info,
    '--sourceMap',
    'false',
    '--declaration',
    'false',
    '--inlineSources',
    'false',
  ];
  const result = spawnSync(process.execPath, [tool('typescript/bin/tsc'), '-p', root, ...options], {
    encoding: 'utf8',
  });
  if (!fs.existsSync(path.join(directory, 'src', 'index.js'))) throw new SetupError(`tsc failed:\n${result.stdout}`);
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(directory, 'node_modules'));
  fs.copyFileSync(path.join(root, 'package.json'), path.join(directory, 'package.json'));
}

/** @returns whether a test noticed, and which; or why the mutation could not be tried */
async function tryMutation(directory, mutation, tests, limit) {
  const file = path.join(directory, 'src', `${mutation.file}.js`);
  const original = fs.readFileSync(file, 'utf8');
  const pattern = new RegExp(mutation.find.trim().split(/\s+/).map(literally).join('\\s*'), 'g');
  const count = original.match(pattern)?.length ?? 0;
  if (count !== 1) return { killed: false, by: `its text occurs ${count} times` };
  fs.writeFileSync(
    file,
    original.replace(pattern, () => mutation.replace),
  );
  try {
    const by = await runTests(directory, tests, limit);
    return { killed: by !== undefined, by };
  } finally {
    fs.writeFileSync(file, original);
  }
}

function literally(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** @returns what failed first; undefined: nothing */
function runTests(directory, tests, limit) {
  const args = [tool('mocha/bin/mocha.js'), '--bail', '--reporter', 'json', '--timeout', '20000'];
  args.push(...tests.map((glob) => `test/${glob}`));
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', () => {});
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, limit);
    child.on('exit', (code) => {
      clearTimeout(timer);
      if (late) resolve(`no end after ${Math.round(limit / 1000)} s`);
      else if (code === 0) resolve(undefined);
      else resolve(firstFailure(out) ?? `exit status ${code}`);
    });
  });
}

function firstFailure(out) {
  try {
    return JSON.parse(out.slice(out.indexOf('{\n'))).failures[0]?.fullTitle;
  } catch {
    return undefined;
  }
}
