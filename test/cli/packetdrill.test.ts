/** `tunstack packetdrill`: what it prints, and its exit status. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const COMMAND = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const GOOD = '0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 listen(3, NUMBER) = 0\n';
const OPEN =
  '0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n+0 < S 0:0(0) win 100\n';

describe('tunstack packetdrill', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'packetdrill-'));
    writeFileSync(join(folder, 'a-good.pkt'), GOOD);
    writeFileSync(join(folder, 'b-bad.pkt'), `${OPEN}+0 > S. 0:0(0) ack 2 <...>\n`);
    writeFileSync(join(folder, 'c-other.pkt'), `${OPEN}+0 > udp (10)\n`);
    writeFileSync(join(folder, 'init.sh'), 'iptables -F\n');
  });
  after(() => rmSync(folder, { recursive: true }));

  function run(...args: string[]) {
    return spawnSync(process.execPath, [COMMAND, 'packetdrill', ...args], { encoding: 'utf8', cwd: folder });
  }

  it('plays a directory: a line each, what is wrong with a ladder, status 1', () => {
    const { status, stdout } = run('-D', 'NUMBER=5', '.');
    expect(status).to.equal(1);
    expect(stdout).to.contain(
      'pass a-good.pkt\nFAIL b-bad.pkt\n  b-bad.pkt:5: this is another packet: it acknowledges 1, not 2',
    );
    expect(stdout).to.contain('time (ms)').and.to.contain('skip c-other.pkt (unsupported: UDP)');
    expect(stdout).to.contain('3 scripts: 1 passed, 1 failed, 1 skipped');
  });

  it('gives status 0 when none failed', () => {
    const { status, stdout } = run('--define', 'NUMBER=5', '--verbose', 'a-good.pkt', 'c-other.pkt');
    expect(status).to.equal(0);
    expect(stdout).to.contain('  0.000000 +0 listen(3, 5) = 0\npass a-good.pkt');
  });

  it('writes JSON', () => {
    const { stdout } = run('--json', 'b-bad.pkt');
    expect(JSON.parse(stdout)).to.include({ script: 'b-bad.pkt', status: 'fail', packets: 2 });
  });

  it('begins with init scripts', () => {
    expect(run('--init_scripts', 'init.sh', '-D', 'NUMBER=1', 'a-good.pkt').stdout).to.contain(
      'unsupported: the command iptables -F',
    );
  });

  it('says when it is used wrongly: status 2', () => {
    expect(run().status).to.equal(2);
    expect(run('-D', 'NUMBER', 'a-good.pkt').stderr).to.contain('NAME=VALUE is taken');
    expect(run('--mtu', 'x', 'a-good.pkt').status).to.equal(2);
    const { status, stderr } = run('nowhere.pkt');
    expect(status).to.equal(2);
    expect(stderr).to.contain('nowhere.pkt');
  });
});
