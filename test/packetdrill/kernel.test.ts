/**
 * Our scripts against Linux itself (`--target kernel`), so that one which the kernel does not pass is not trusted. A script that it cannot
 * pass, or that takes hours, says so: `// kernel: differs, because ...`. They are played side by side, as most of their time is waiting,
 * in child processes, each of which is left in its last script's network.
 */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { nodeHasher } from '../../src/node/segment-hasher.ts';
import { runPacketdrill } from '../../src/packetdrill/run.ts';
import { filesUnder, projectRoot } from '../architecture/files.ts';
import { namespaceProblem } from '../support/namespace.ts';
import { type PlannedScript, playOnKernel, type Verdict } from './kernel-player.ts';

interface MarkedScript extends PlannedScript {
  /** What follows `kernel:`. */
  readonly marker: string | undefined;
}

/** What nobody wants to wait for, ms. */
const LONGEST = 30_000;

const scripts: MarkedScript[] = filesUnder('test/packetdrill')
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
  let verdicts = new Map<string, Verdict>();

  before(async function () {
    if (problem !== undefined) return;
    this.timeout(170_000);
    verdicts = await playOnKernel(played);
  });

  for (const { path } of played) {
    (problem === undefined ? it : it.skip)(path.replace('test/packetdrill/', '').replace('.pkt', ''), () => {
      const verdict = verdicts.get(path);
      expect(verdict?.status, verdict?.message ?? `${basename(path)} was not played`).to.equal('pass');
    });
  }
});
