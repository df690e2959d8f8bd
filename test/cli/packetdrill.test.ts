/** `tunstack packetdrill`: what it prints, and its exit status. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { projectRoot } from '../architecture/files.ts';

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

  it('knows TCP-MD5, for which it brings the hashes along', () => {
    const { status, stdout } = run(join(projectRoot, 'test/packetdrill/md5/prefix.pkt'));
    expect([status, stdout.startsWith('pass')]).to.deep.equal([0, true]);
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

  it("takes packetdrill's other options as they are", () => {
    const { status, stdout } = run(
      '--mss=1000',
      '--tcp_ts_tick_usecs',
      '1000',
      '--send_omit_free',
      '--dry_run',
      'b-bad.pkt',
    );
    expect(stdout).to.contain('1 passed, 0 failed');
    expect(status).to.equal(0);
    expect(run('--wire_client', '1', 'b-bad.pkt').stdout).to.contain('unsupported: the option --wire_client');
  });

  it('runs code blocks with python3 when they need it, or says that it is not there', () => {
    const opened = `${OPEN}+0 > S. 0:0(0) ack 1 <...>\n+0 < . 1:1(0) ack 1 win 100\n+0 accept(3, ..., ...) = 4\n`;
    writeFileSync(
      join(folder, 'python.pkt'),
      `${opened}+0 %{ import math }%\n+0 %{\nfor i in (1, 2):\n  print(i)\nassert math.pi < tcpi_snd_cwnd < 9, 'no'\n}%\n`,
    );
    const { stdout } = run('-v', 'python.pkt');
    const there = spawnSync('python3', ['--version']).status === 0;
    const said = "python.pkt:9: assert math.pi < tcpi_snd_cwnd < 9, 'no' does not hold (no)";
    expect(stdout).to.contain(there ? said : '(unsupported: `import` in the code block of line 8, without python3)');
    if (there) expect(stdout).to.contain('  1\n  2\n');
    rmSync(join(folder, 'python.pkt'));
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
