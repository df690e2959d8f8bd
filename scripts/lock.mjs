/**
 * Looks whether package-lock.json names every optional package that its packages list; `--fix` adds those that are missing.
 *
 * Tools made of native code list one package per platform. npm leaves out of the lockfile those that the registry in use does
 * not have at that moment, and from then on `npm ci` refuses the lockfile everywhere. An added entry has no integrity hash
 * (nobody here has seen the package); on its platform npm installs it as it comes.
 */
import fs from 'node:fs';
import path from 'node:path';
import { root } from './setup.mjs';

const systems = ['android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const file = path.join(root, 'package-lock.json');
const lock = JSON.parse(fs.readFileSync(file, 'utf8'));
const missing = [];

for (const [where, entry] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    if (lock.packages[`node_modules/${name}`] || lock.packages[`${where}/node_modules/${name}`]) continue;
    missing.push([name, platformEntry(name, range, entry)]);
  }
}

/** A lockfile entry, its platform read from the name: `@scope/binding-linux-x64-musl`. */
function platformEntry(name, range, parent) {
  const words = name.split('/').at(-1).split('-');
  const at = words.findIndex((word) => systems.includes(word));
  if (at === -1 || !/^\d/.test(range))
    throw new Error(`${name}@${range} is not a platform package: run npm install for it`);
  const [os, cpu, libc = ''] = words.slice(at);
  return {
    version: range,
    cpu: [cpu],
    ...(parent.dev ? { dev: true } : {}),
    ...(os === 'linux' && /^(musl|gnu)/.test(libc) ? { libc: [libc.startsWith('musl') ? 'musl' : 'glibc'] } : {}),
    optional: true,
    os: [os],
  };
}

if (missing.length > 0 && process.argv.includes('--fix')) {
  for (const [name, entry] of missing) lock.packages[`node_modules/${name}`] = entry;
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
  fs.writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`added: ${missing.map(([name]) => name).join(', ')}`);
} else if (missing.length > 0) {
  console.error(
    `package-lock.json lacks ${missing.map(([name]) => name).join(', ')}: npm ci would refuse it. Run: node scripts/lock.mjs --fix`,
  );
  process.exitCode = 1;
}
