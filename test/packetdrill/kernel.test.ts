/** `--target kernel`: a few quick scripts against Linux itself. In a child process, which is left in the last script's network. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { projectRoot } from '../architecture/files.ts';
import { namespaceProblem } from '../support/namespace.ts';

const COMMAND = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const QUICK = [
  'handshake/passive',
  'handshake/active',
  'loss/fast-retransmit-sack',
  'close/active-fin-and-ack',
  'nagle/holds',
];
/** Real time on a busy machine. */
const TOLERANCE = '200000';

const isRoot = process.getuid?.() === 0;
const problem = isRoot ? namespaceProblem : 'needs root';

describe(`packetdrill scripts against the kernel${problem === undefined ? '' : ` [pending: ${problem}]`}`, () => {
  (problem === undefined ? it : it.skip)('pass', function () {
    this.timeout(60_000);
    const files = QUICK.map((name) => join(projectRoot, 'test', 'packetdrill', `${name}.pkt`));
    const args = [COMMAND, 'packetdrill', '--target', 'kernel', '--tolerance_usecs', TOLERANCE, ...files];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stdout + stderr).to.contain(`${QUICK.length} scripts: ${QUICK.length} passed, 0 failed, 0 skipped`);
    expect(status).to.equal(0);
  });
});
