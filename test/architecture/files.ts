import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder: the nearest one above this file, or above where the tests were started, with a tsconfig.json and a src/. */
export const projectRoot =
  findRoot(dirname(fileURLToPath(import.meta.url))) ?? findRoot(process.cwd()) ?? process.cwd();

function findRoot(folder: string): string | undefined {
  if (existsSync(join(folder, 'tsconfig.json')) && existsSync(join(folder, 'src'))) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : findRoot(parent);
}

/** The committed files, or all that a fresh unpacked tree has, as paths from the project's folder with forward slashes. */
export function committedFiles(): string[] {
  // A clone that belongs to somebody else (root runs the tests) is "dubious" to git unless it is told otherwise.
  const git = spawnSync('git', ['-c', 'safe.directory=*', 'ls-files', '-z'], { cwd: projectRoot, encoding: 'utf8' });
  const listed =
    git.status === 0 ? git.stdout.split('\0').filter((path) => path !== '' && existsSync(join(projectRoot, path))) : [];
  return listed.length > 0 ? listed : filesUnder('.');
}

const MADE_HERE = new Set(['node_modules', 'dist', 'coverage', '.cache', '.git']);

/** The files below a folder of the project, sorted. */
export function filesUnder(folder: string): string[] {
  const from = join(projectRoot, folder);
  return readdirSync(from, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(projectRoot, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !MADE_HERE.has(path.split('/')[0] as string))
    .sort();
}
