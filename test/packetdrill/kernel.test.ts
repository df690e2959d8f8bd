/**
 * Our scripts against Linux itself (`--target kernel`), so that one which the kernel does not pass is not trusted. A script that it cannot
 * pass, or that takes hours, says so: `// kernel: differs, because ...`. They are played side by side, as most of their time is waiting,
 * in child processes, each of which is left in its last script's network.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { nodeHasher } from '../../src/node/segment-hasher.ts';
import { runPacketdrill } from '../../src/packetdrill/run.ts';
import { filesUnder, projectRoot } from '../architecture/files.ts';
import { namespaceProblem } from '../support/namespace.ts';

interface Verdict {
  readonly script: string;
  readonly status: string;
  readonly message: string;
}

interface PlannedScript {
  readonly path: string;
  /** Virtual time that it takes on the stack, ms. */
  readonly duration: number;
  /** What follows `kernel:`. */
  readonly marker: string | undefined;
}

const COMMAND = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
/** Real time on a busy machine. */
const TOLERANCE = '200000';
const SIDE_BY_SIDE = 20;
/** What nobody wants to wait for, ms. */
const LONGEST = 30_000;

const scripts: PlannedScript[] = filesUnder('test/packetdrill')
  .filter((path) => path.endsWith('.pkt'))
  .map((path) => {
    const text = readFileSync(join(projectRoot, path), 'utf8');
    const { duration } = runPacketdrill(text, { name: path, hasher: nodeHasher });
    return { path, duration, marker: /^\/\/ kernel: (.*)$/m.exec(text)?.[1] };
  });
const played = scripts.filter(({ marker }) => marker === undefined);

const isRoot = process.getuid?.() === 0;
const problem = isRoot ? namespaceProblem : 'needs root';

describe('packetdrill scripts that the kernel does not play', () => {
  it('say why', () => {
    const reasons = scripts.flatMap(({ path, marker }) => (marker === undefined ? [] : [`${path}: ${marker}`]));
    for (const reason of reasons) expect(reason).to.match(/: differs, because \w.{20,}$/);
    expect(reasons.length).to.be.below(scripts.length / 10);
  });

  it('are not left out for taking long, unless they do', () => {
    for (const { path, duration } of played) expect(duration, path).to.be.below(LONGEST);
  });
});

describe(`packetdrill scripts against the kernel${problem === undefined ? '' : ` [pending: ${problem}]`}`, () => {
  const verdicts = new Map<string, Verdict>();

  before(async function () {
    if (problem !== undefined) return;
    this.timeout(170_000);
    await playAll(played, verdicts);
    // A machine that was away for a moment is no verdict: what failed has another chance, alone.
    for (const script of played) if (verdicts.get(script.path)?.status !== 'pass') await play([script], verdicts);
  });

  for (const { path } of played) {
    (problem === undefined ? it : it.skip)(path.replace('test/packetdrill/', '').replace('.pkt', ''), () => {
      const verdict = verdicts.get(path);
      expect(verdict?.status, verdict?.message ?? `${basename(path)} was not played`).to.equal('pass');
    });
  }
});

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
