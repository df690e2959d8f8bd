/**
 * What every command here needs before it can run: the pinned dependencies in node_modules/ and the compiled code in dist/.
 * Does nothing, in a few milliseconds, when both are fresh. Plain JavaScript with no dependency: it runs in a bare clone.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
export const dist = path.join(root, 'dist');
const modules = path.join(root, 'node_modules');
const fingerprintFile = path.join(dist, '.fingerprint');
const OLDEST_NODE = [20, 19];

/** A failure that a person can act on: printed without a stack. */
export class SetupError extends Error {}

/**
 * Installs and compiles what is missing or stale.
 * @param {{ install?: boolean }} [options] `install: false`: leave node_modules as it is (npm itself is at work on it)
 * @throws {SetupError} saying what to do
 */
export function setup(options = {}) {
  checkNode();
  if (options.install !== false && dependenciesStale()) locked(() => dependenciesStale() && install());
  if (compiledStale()) locked(() => compiledStale() && compile());
}

/** Runs a command's body; a SetupError ends the process with its message alone and status 1. */
export async function command(body) {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`tunstack: ${error.message}`);
    process.exitCode = 1;
  }
}

/**
 * Mocha (and c8, and knip) load ES modules with `require`, which Node.js 21 and 22.0 to 22.11 do not; the package itself runs there.
 * @throws {SetupError}
 */
export function checkNodeForTests() {
  if (process.features.require_module === true) return;
  throw new SetupError(
    `the tests need Node.js 20.19 or newer in 20.x, or 22.12 or newer; this is ${process.versions.node}. The lab (npm start) runs here.`,
  );
}

/** The path of a tool in node_modules, to be run by this same node. */
export function tool(file) {
  return path.join(modules, ...file.split('/'));
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  throw new SetupError(
    `Node.js ${OLDEST_NODE.join('.')} or newer is needed; this is ${process.versions.node} (${process.execPath}). Install a newer one and run the command again.`,
  );
}

function say(text) {
  process.stderr.write(`tunstack: ${text}\n`);
}

/**
 * npm writes node_modules/.package-lock.json as the last act of a whole install: what is in it is what is there.
 * Optional packages may be absent (no compiler, another platform), but not at another version.
 */
function dependenciesStale() {
  let installed;
  try {
    installed = readJson(path.join(modules, '.package-lock.json')).packages;
  } catch {
    return true;
  }
  const wanted = readJson(path.join(root, 'package-lock.json')).packages;
  return Object.entries(wanted).some(([where, entry]) => {
    if (where === '') return false;
    const found = installed[where];
    return found === undefined ? entry.optional !== true : found.version !== entry.version;
  });
}

function install() {
  mustBeWritable('install the dependencies');
  say('installing the pinned dependencies (npm ci) ...');
  // NODE_ENV=production or omit=optional in someone's npm configuration would leave out what compiles and opens a TUN.
  const args = [
    'ci',
    '--include=dev',
    '--include=optional',
    '--loglevel=error',
    '--no-audit',
    '--no-fund',
    '--no-progress',
  ];
  const result = runNpm(args, { TUNSTACK_SETUP: '1' });
  giveToOwner(modules);
  if (result.status === 0) return;
  throw new SetupError(`npm ci failed${reason(result)}. It said:\n${result.stdout ?? ''}${result.stderr ?? ''}`);
}

/** Runs npm (the one that started us, when one did) in the project, nothing asked, its output kept. */
export function runNpm(args, env = {}, cwd = root) {
  const npm = process.env.npm_execpath ?? '';
  const ours = /npm-cli\.c?js$/.test(npm) && fs.existsSync(npm);
  const [file, first] = ours ? [process.execPath, [npm]] : ['npm', []];
  return spawnSync(file, [...first, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
}

/** A hash over all that the compiler's output depends on. */
function fingerprint() {
  const hash = createHash('sha256');
  for (const file of [...sources(), 'tsconfig.json', 'package.json', 'package-lock.json']) {
    hash
      .update(`${file}\0`)
      .update(fs.readFileSync(path.join(root, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

function sources() {
  return ['src', 'test', 'bench']
    .flatMap((folder) => walk(path.join(root, folder)))
    .map((file) => path.relative(root, file))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .sort();
}

function outputsMissing() {
  return sources().some((file) => !fs.existsSync(path.join(dist, `${file.slice(0, -3)}.js`)));
}

function compiledStale() {
  try {
    return fs.readFileSync(fingerprintFile, 'utf8') !== fingerprint() || outputsMissing();
  } catch {
    return true;
  }
}

function compile() {
  mustBeWritable('compile');
  const compiler = tool('typescript/bin/tsc');
  if (!fs.existsSync(compiler)) throw new SetupError('the TypeScript compiler is not installed: run `npm ci`.');
  say('compiling (tsc) ...');
  const before = fingerprint();
  fs.rmSync(fingerprintFile, { force: true });
  // The incremental state believes that what it wrote is still there.
  if (outputsMissing()) fs.rmSync(path.join(dist, '.tsbuildinfo'), { force: true });
  removeOrphans();
  const result = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.json', '--pretty', 'false'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  if (result.status === 0) fs.writeFileSync(fingerprintFile, before);
  giveToOwner(dist);
  if (result.status === 0) return;
  throw new SetupError(`tsc failed${reason(result)}:\n${result.stdout ?? ''}${compilerTrouble(result.stderr ?? '')}`);
}

/** The compiler is native code in a package per platform, which npm takes for optional: an install can succeed without it. */
function compilerTrouble(text) {
  const native = `@typescript/typescript-${process.platform}-${process.arch}`;
  if (fs.existsSync(path.join(modules, native))) return text;
  return `${native} is not in node_modules: npm could not fetch it, and went on because it is an optional package.\nRemove node_modules and run the command again.\n`;
}

/** Deletes what was compiled from a source that is gone: an old test would still be run. */
function removeOrphans() {
  for (const file of walk(dist)) {
    const from = path.relative(dist, file);
    const source = from.replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts');
    if (source !== from && !fs.existsSync(path.join(root, source))) fs.rmSync(file);
  }
}

/** Runs `work` while no other process does so in this clone (`npm test` and `npm start` begun side by side). */
function locked(work) {
  const lock = path.join(root, '.setup.lock');
  for (;;) {
    try {
      fs.writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') return work(); // a clone that cannot be written is reported by what needs to write
      if (!holderLives(lock)) fs.rmSync(lock, { force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }
  try {
    return work();
  } finally {
    fs.rmSync(lock, { force: true });
  }
}

function holderLives(lock) {
  try {
    const pid = Number(fs.readFileSync(lock, 'utf8'));
    // Empty: made this instant, or its maker died between making and writing; its age tells.
    if (pid === 0) return Date.now() - fs.statSync(lock).mtimeMs < 5000;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function mustBeWritable(purpose) {
  try {
    for (const folder of [root, modules, dist]) if (fs.existsSync(folder)) fs.accessSync(folder, fs.constants.W_OK);
  } catch (error) {
    const owner = fs.statSync(root).uid;
    throw new SetupError(
      `cannot ${purpose}: ${error.path ?? root} is not writable by this user (uid ${process.getuid?.()}, the clone belongs to uid ${owner}). ` +
        'Run `npm test` once as its owner (after that everybody can run it), or work in a clone of your own.',
    );
  }
}

/** What root makes in somebody's clone (`sudo npm start`) belongs to that somebody, who could not renew it otherwise. */
function giveToOwner(folder) {
  const { uid, gid } = fs.statSync(root);
  if (process.getuid?.() !== 0 || uid === 0 || !fs.existsSync(folder)) return;
  fs.lchownSync(folder, uid, gid);
  for (const entry of fs.readdirSync(folder, { withFileTypes: true, recursive: true })) {
    fs.lchownSync(path.join(entry.parentPath, entry.name), uid, gid);
  }
}

function walk(folder) {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

function readJson(file) {
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

function reason(result) {
  if (result.error) return ` (${result.error.message})`;
  return result.signal ? ` (killed by ${result.signal})` : ` (status ${result.status})`;
}
