/**
 * Breaks one rule of the stack at a time and looks whether a test notices. `--help` prints how it is called.
 *
 * The mutations are in test/mutations/*.mjs: `{ name, file, find, replace }`, with `file` below src/ and without its ending, `find` a text
 * that occurs once in it, spaces and line ends as they come. They are applied to a compiled copy outside of the repository, so that
 * nothing here changes, and types in `find` are written as in JavaScript, not at all.
 */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { checkNodeForTests, command, root, SetupError, tool } from './setup.mjs';

const USAGE = `usage: node scripts/mutate.mjs [options] [part of 'file: name' ...]

Breaks one rule of the stack at a time and runs the tests; lists the mutations that no test noticed.

  --jobs N      how many at once (default: 2)
  --list NAME   only those of test/mutations/NAME.mjs
  --tests GLOB  what is run for each, below test/ (default: the tests in memory and on virtual time); may be given again
  --check       only whether each can be applied, and whether two are the same: no tests
  --help        this text

Ends with 1 when a mutation survived or could not be applied.`;
/** The scripts come first: they take two seconds, and notice a lot. */
const FAST_TESTS = [
  'packetdrill/scripts.test.js',
  ...['rfc', 'socket', 'tcp', 'udp', 'ip', 'stack'].map((room) => `${room}/**/*.test.js`),
  // Mocha takes braces for a pattern only beside a `*`, and passes over what does not exist.
  ...['ethernet', 'switch'].map((name) => `link/${name}.test.js`),
];
/** A mutation that makes the tests take so many times as long, and a minute more, never ends: it has been noticed. */
const PATIENCE = 4;

await command(async () => {
  const { values, positionals } = readArguments();
  if (values.help) return console.log(USAGE);
  checkNodeForTests();
  if (!fs.existsSync(tool('typescript/package.json'))) throw new SetupError('the dependencies are missing: npm ci');
  const mutations = await readMutations(values.list, positionals);
  if (mutations.length === 0) throw new SetupError('there is no such mutation');
  const tests = values.tests ?? FAST_TESTS;
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'tunstack-mutate-'));
  try {
    compileTo(path.join(scratch, '0'));
    if (values.check) return checkAll(path.join(scratch, '0'), mutations);
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

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        jobs: { type: 'string', default: '2' },
        list: { type: 'string', default: '' },
        tests: { type: 'string', multiple: true },
        check: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false, short: 'h' },
      },
    });
  } catch (error) {
    throw new SetupError(`${error.message}\n\n${USAGE}`);
  }
}

function label({ file, name }) {
  return `${file}: ${name}`;
}

async function readMutations(list, parts) {
  const directory = path.join(root, 'test', 'mutations');
  const all = fs.readdirSync(directory).filter((file) => file.endsWith('.mjs'));
  const lists = list === '' ? all : all.filter((file) => file === `${list}.mjs`);
  if (lists.length === 0) throw new SetupError(`there is no list '${list}': there is ${all.join(', ')}`);
  const modules = await Promise.all(lists.map((file) => import(pathToFileURL(path.join(directory, file)).href)));
  const mutations = modules.flatMap((module) => module.default);
  // Those that are named in a list and stand in another.
  const named = new Set(
    lists.length < all.length ? modules.flatMap(({ elsewhere = {} }) => Object.values(elsewhere)) : [],
  );
  if (named.size > 0) mutations.push(...(await readMutations('', [])).filter((each) => named.has(label(each))));
  return parts.length === 0 ? mutations : mutations.filter((each) => parts.some((part) => label(each).includes(part)));
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
  // What tests read beside what is compiled.
  const wanted = (source) => fs.statSync(source).isDirectory() || /\.(pkt|json)$/.test(source);
  for (const room of ['packetdrill', 'nettest/facts'])
    fs.cpSync(path.join(root, 'test', room), path.join(directory, 'test', room), { recursive: true, filter: wanted });
}

/** Says which mutations cannot be applied, and which are there twice. */
function checkAll(directory, mutations) {
  const seen = new Map();
  let bad = 0;
  for (const mutation of mutations) {
    const { problem, mutated } = mutate(directory, mutation);
    const same = problem === undefined ? `${mutation.file}\n${mutated.replace(/\s+/g, '')}` : undefined;
    const complaint = problem ?? (seen.has(same) ? `is the same as '${seen.get(same)}'` : undefined);
    if (same !== undefined && !seen.has(same)) seen.set(same, mutation.name);
    if (complaint === undefined) continue;
    bad++;
    console.log(`${label(mutation)}  <- ${complaint}`);
  }
  console.log(`${mutations.length - bad} of ${mutations.length} mutations can be tried`);
  if (bad > 0) process.exitCode = 1;
}

/** @returns the compiled file before and after; or what keeps the mutation from being tried */
function mutate(directory, mutation) {
  const file = path.join(directory, 'src', `${mutation.file}.js`);
  if (!fs.existsSync(file)) return { problem: `there is no src/${mutation.file}.ts` };
  const original = fs.readFileSync(file, 'utf8');
  const pattern = new RegExp(mutation.find.trim().split(/\s+/).map(literally).join('\\s*'), 'g');
  const count = original.match(pattern)?.length ?? 0;
  if (count !== 1) return { problem: `its text occurs ${count} times` };
  const mutated = original.replace(pattern, () => mutation.replace);
  // Every test notices what cannot be parsed.
  const copy = path.join(directory, 'mutated.mjs');
  fs.writeFileSync(copy, mutated);
  const { status } = spawnSync(process.execPath, ['--check', copy], { stdio: 'ignore' });
  if (status !== 0) return { problem: 'what it makes is no JavaScript' };
  return { file, original, mutated };
}

/** @returns whether a test noticed, and which; or why the mutation could not be tried */
async function tryMutation(directory, mutation, tests, limit) {
  const { problem, file, original, mutated } = mutate(directory, mutation);
  if (problem !== undefined) return { killed: false, by: problem };
  fs.writeFileSync(file, mutated);
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
  // A test that fails may leave a timer behind, which would keep the process.
  const args = [tool('mocha/bin/mocha.js'), '--bail', '--exit', '--reporter', 'json', '--timeout', '20000'];
  // A verdict must not depend on what property tests happen to draw.
  args.push('--require', './test/support/property-seed.js', ...tests.map((glob) => `test/${glob}`));
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
    child.on('close', (code) => {
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
