/** Scripts played against Linux itself (`--target kernel`), side by side in child processes, as most of their time is waiting. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { projectRoot } from '../architecture/files.ts';

export interface Verdict {
  readonly script: string;
  readonly status: string;
  readonly message: string;
}

export interface PlannedScript {
  readonly path: string;
  /** Virtual time that it takes on the stack, ms. */
  readonly duration: number;
}

const COMMAND = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
/** Real time on a busy machine. */
const TOLERANCE = '200000';
const SIDE_BY_SIDE = 20;

/** What became of them, by their paths as the command gives them: relative to the project's folder. */
export async function playOnKernel(list: readonly PlannedScript[]): Promise<Map<string, Verdict>> {
  const verdicts = new Map<string, Verdict>();
  await playAll(list, verdicts);
  // A machine that was away for a moment is no verdict: what failed has another chance, alone.
  for (const script of list) if (verdicts.get(script.path)?.status !== 'pass') await play([script], verdicts);
  return verdicts;
}

/** The longest first, each to whoever has the least to do. */
async function playAll(list: readonly PlannedScript[], verdicts: Map<string, Verdict>): Promise<void> {
  const shares = Array.from({ length: SIDE_BY_SIDE }, () => ({ work: 0, scripts: [] as PlannedScript[] }));
  for (const script of list.toSorted((a, b) => b.duration - a.duration)) {
    const share = shares.reduce((least, each) => (each.work < least.work ? each : least));
    share.scripts.push(script);
    // A namespace and a device take their time, too.
    share.work += script.duration + 100;
  }
  await Promise.all(shares.filter((share) => share.scripts.length > 0).map((share) => play(share.scripts, verdicts)));
}

function play(list: readonly PlannedScript[], verdicts: Map<string, Verdict>): Promise<void> {
  const files = list.map(({ path }) => path);
  const args = [COMMAND, 'packetdrill', '--json', '--target', 'kernel', '--tolerance_usecs', TOLERANCE, ...files];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: projectRoot, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.once('error', reject);
    child.once('close', () => {
      for (const line of output.split('\n')) {
        if (line === '') continue;
        const verdict = JSON.parse(line) as Verdict;
        verdicts.set(verdict.script, verdict);
      }
      resolve();
    });
  });
}
