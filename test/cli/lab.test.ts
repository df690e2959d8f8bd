import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import { command, type Ended, MAIN, program, Running } from './command.ts';
import * as scenes from './lab-scenes.ts';

const run = inNamespace(scenes);
const isRoot = process.getuid?.() === 0;

/** Of each ladder the words on its arrows, and which way they point. */
function ladders(text: string): string[][] {
  const parts = text.split(/^ +time \(ms\).*$/m).slice(1);
  return parts.map((part) =>
    part
      .split('\n')
      .filter((line) => /[▶◀]/.test(line))
      .map((line) => `${line.includes('▶') ? '>' : '<'} ${line.slice(13, -1).replace(/[─▶◀]/g, '').trim()}`),
  );
}

/** Flags alone. */
function flags(ladder: readonly string[] | undefined): string[] {
  return (ladder ?? []).map((words) => words.split('  ')[0] as string);
}

function expectTwoLadders(text: string, peer: string): void {
  const [first, second, ...more] = ladders(text);
  expect(more).to.deep.equal([]);
  expect(text).to.match(new RegExp(`^1\\. The ${peer} asks tunstack for http://10\\.9\\.0\\.2/\\.$`, 'm'));
  expect(text).to.match(
    new RegExp(`^2\\. Tunstack asks a server of the ${peer}, http://10\\.9\\.0\\.1:\\d+/\\.$`, 'm'),
  );
  expect(flags(first).slice(0, 4)).to.deep.equal(['> SYN', '< SYN ACK', '> ACK', '> PSH ACK']);
  expect(flags(second).slice(0, 4)).to.deep.equal(['< SYN', '> SYN ACK', '< ACK', '< PSH ACK']);
  for (const ladder of [first, second]) {
    expect(ladder?.[0]).to.match(/seq 0 {2}win \d+ {2}mss 1460 {2}sackOK {2}TS 0\/0 {2}wscale \d+$/);
    // From the SYN to the ACK of the second FIN, of which a loaded machine may send one twice.
    const fins = (ladder ?? []).filter((words) => words.includes('FIN'));
    expect([...new Set(fins.map((words) => words[0]))].sort()).to.deep.equal(['<', '>']);
    expect(ladder?.at(-1)).to.match(/^[<>] ACK {2}seq \d+ {2}ack \d+/);
  }
  for (const line of ['"GET / HTTP/1.1"', '"HTTP/1.1 200 OK"']) {
    expect(text.split(line).length).to.be.at.least(3);
  }
}

/** Processes whose network namespace is the one with this inode. */
function inNetworkNamespace(inode: string): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readlinkSync(`/proc/${name}/ns/net`) === inode;
    } catch {
      return false;
    }
  });
}

describe('tunstack lab', function () {
  this.timeout(25_000);

  it('shows both ladders over a pipe, and ends', async () => {
    const { code, stdout, stderr } = await command('lab', '--link', 'pipe', '--once');
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout).to.match(
      /^A pipe in memory is open: one tunstack host has 10\.9\.0\.1 on it, the other 10\.9\.0\.2\.\n/,
    );
    expectTwoLadders(stdout, 'second host');
    expect(stdout).to.not.include('\u001b');
  });

  it('takes another network', async () => {
    const { code, stdout } = await command('lab', '--link', 'pipe', '--once', '--address', '172.31.99.1/30');
    expect(code).to.equal(0);
    expect(stdout).to.include('one tunstack host has 172.31.99.2 on it, the other 172.31.99.1');
  });

  it('cuts at the mtu, without offload', async () => {
    const { code, stdout } = await command('lab', '--link', 'pipe', '--once', '--mtu', '576', '--no-offload');
    expect(code).to.equal(0);
    expect(stdout)
      .to.include('mss 536')
      .and.not.match(/\(\d+ x \d+/);
    const lengths = [...stdout.matchAll(/ len (\d+) /g)].map(([, length]) => Number(length));
    expect(Math.max(...lengths)).to.equal(524);
  });

  it('writes a capture that begins as pcapng does', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'tunstack-lab-'));
    const file = path.join(folder, 'lab.pcapng');
    try {
      const { code, stdout } = await command('lab', '--link', 'pipe', '--once', '--pcap', file);
      expect(code).to.equal(0);
      const bytes = readFileSync(file);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const types: number[] = [];
      for (let at = 0; at < bytes.length; at += view.getUint32(at + 4, true)) types.push(view.getUint32(at, true));
      const packets = ladders(stdout).flat().length;
      expect(types.slice(0, 2)).to.deep.equal([0x0a0d0d0a, 1]);
      expect(types.slice(2)).to.deep.equal(new Array(packets).fill(6));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('goes on over a pipe until Ctrl-C, with status 0', async () => {
    const lab = new Running(['lab', '--link', 'pipe']);
    await lab.shows(/^Serving; nobody outside can come in/m);
    lab.child.kill('SIGINT');
    expect(await lab.ended).to.include({ code: 0, signal: null, stderr: '' });
  });

  it('answers SIGTERM with 143', async () => {
    const lab = new Running(['lab', '--link', 'pipe']);
    await lab.shows(/^Serving/m);
    lab.child.kill('SIGTERM');
    expect(await lab.ended).to.include({ code: 143, stderr: '' });
  });

  it('ends quietly when nobody reads its output any more', async () => {
    const lab = new Running(['lab', '--link', 'pipe']);
    await lab.shows(/^A pipe/m);
    lab.child.stdout?.destroy();
    expect(await lab.ended).to.include({ code: 0, stderr: '' });
  });

  const wrong: readonly (readonly [args: readonly string[], code: number, message: RegExp])[] = [
    [['--link', 'wire'], 2, /--link <kind>' argument 'wire' is invalid\. Allowed choices are tun, namespace, pipe/],
    [['--mtu', '87'], 2, /--mtu <bytes>' argument '87' is invalid\. 88 to 65535 bytes/],
    [['--mtu', '1e3'], 2, /--mtu/],
    [['--address', '10.9.0'], 2, /"10\.9\.0" is no IPv4 address .*10\.9\.0\.2\/24/],
    [['--address', 'fd00::2/64'], 2, /is no IPv4 address/],
    [['--address', '10.9.0.255/24'], 2, /no address that a host can have/],
    [['--wings'], 2, /unknown option '--wings'/],
    [['--once', 'more'], 2, /too many arguments/],
    [
      ['--link', 'pipe', '--pcap', '/no/such/folder/x'],
      1,
      /^tunstack: cannot write the packets to \/no\/such\/folder\/x: ENOENT/,
    ],
  ];
  for (const [args, code, message] of wrong) {
    it(`refuses ${args.join(' ')}`, async () => {
      const ended = await command('lab', ...args);
      expect(ended).to.include({ code, stdout: '' });
      expect(ended.stderr)
        .to.match(message)
        .and.not.match(/\n +at /);
    });
  }
});

describe('tunstack', () => {
  it('tells its version and its commands', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(await command('--version')).to.deep.include({ code: 0, stdout: `${version}\n` });
    const help = await command('--help');
    expect(help).to.include({ code: 0 });
    expect(help.stdout).to.match(/^ +lab \[options\]/m);
  });

  it('suggests what was meant', async () => {
    const { code, stderr } = await command('labb');
    expect(code).to.equal(2);
    expect(stderr).to.match(/unknown command 'labb'\n\(Did you mean lab\?\)/);
  });
});

describeWithTun('tunstack lab against the kernel', () => {
  /** Runs a command that the lab tells people to type, by the port it reaches, with words behind it and before it. */
  type Type = (port: 80 | 7, more?: string, before?: string) => Promise<Ended>;

  /** Has a lab, types, ends it. @returns how it ended */
  async function advised(body: (type: Type) => Promise<void>) {
    const lab = new Running(['lab', '--link', 'namespace']);
    await lab.shows(/^Serving/m);
    const lines = lab.stdout.split('\n');
    const [curl, echo] = [lines.find((line) => line.includes('curl')), lines.find((line) => line.includes('/dev/tcp'))];
    await body((port, more = '', before = '') => program('sh', '-c', `${before}${port === 80 ? curl : echo}${more}`));
    lab.child.kill('SIGINT');
    return lab.ended;
  }

  function itAsRoot(title: string, body: () => Promise<void>): void {
    if (isRoot) it(title, body);
    else it.skip(`${title} [pending: only root can become somebody else]`, body);
  }

  function needs(test: Mocha.Context, ...programs: readonly string[]): void {
    const missing = programs.filter((name) => spawnSync(name, ['--version']).error !== undefined);
    if (missing.length === 0) return;
    if (test.test !== undefined) test.test.title += ` [pending: needs ${missing.join(', ')}]`;
    test.skip();
  }

  it('shows both ladders in a namespace of its own, and ends', async () => {
    const { code, stdout, stderr } = await command('lab', '--link', 'namespace', '--once');
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout).to.match(/^tun0 is open in a network namespace of its own: the Linux kernel has 10\.9\.0\.1\/24/);
    expectTwoLadders(stdout, 'kernel');
  });

  it('is reached with the commands that it tells', async function () {
    needs(this, 'nsenter', 'curl', 'bash');
    const { stdout, code, stderr } = await advised(async (type) => {
      const page = (await type(80)).stdout;
      expect(page).to.match(/^tunstack\n\nHello 10\.9\.0\.1:\d+\./);
      expect(page).to.match(/options +timestamps, SACK, window scale/);
      expect(flags(ladders(page)[0]).slice(0, 4)).to.deep.equal(['> SYN', '< SYN ACK', '> ACK', '> PSH ACK']);
      expect((await type(7)).stdout).to.equal('hello\n');
      expect((await type(80, 'sockets')).stdout).to.match(/^LISTEN +0 +4096 +10\.9\.0\.2:80 +0\.0\.0\.0:\*$/m);
      expect((await type(80, 'counters')).stdout).to.match(/^PassiveOpens +\d+$/m);
      expect((await type(80, 'nothing')).stdout).to.match(/^There is nothing at \/nothing\./);
    });
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout).to.match(/^\d\d:\d\d:\d\d {2}opened {2}10\.9\.0\.1:\d+ -> 10\.9\.0\.2:7$/m);
    expect(stdout).to.match(/closed {2}10\.9\.0\.1:\d+ -> 10\.9\.0\.2:7 {2}in 6, out 6 bytes, \d+ ms/);
  });

  it('carries megabytes both ways', async function () {
    needs(this, 'nsenter', 'curl');
    const length = 5_000_001;
    const zeros = createHash('sha256').update(new Uint8Array(length)).digest('hex');
    const counting = createHash('sha256')
      .update(Uint8Array.from({ length }, (_, i) => i))
      .digest('hex');
    await advised(async (type) => {
      const down = await type(80, `bytes/${length} -s | sha256sum`);
      expect(down.stdout).to.equal(`${counting}  -\n`);
      const up = await type(80, ' -s -T -', `head -c ${length} /dev/zero | `);
      expect(up.stdout).to.equal(`${length} bytes, SHA-256 ${zeros}\n`);
    });
  });

  it('leaves no namespace behind, however it ends', async () => {
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const lab = new Running(['lab', '--link', 'namespace']);
      await lab.shows(/^Serving/m);
      const inode = readlinkSync(`/proc/${lab.pid}/ns/net`);
      expect(inode).to.not.equal(readlinkSync('/proc/self/ns/net'));
      expect(inNetworkNamespace(inode)).to.deep.equal([`${lab.pid}`]);
      lab.child.kill(signal);
      await lab.ended;
      expect(inNetworkNamespace(inode)).to.deep.equal([]);
    }
  });

  it('shows both ladders on a TUN device here, by default, and leaves none', async () => {
    const { code, stdout, stderr, left } = await run.toTheEnd();
    expect({ code, stderr, left }).to.deep.equal({ code: 0, stderr: '', left: [] });
    expect(stdout).to.match(
      /^tun0 is open in this network namespace:.*\nIn another terminal.*\n {2}curl http:\/\/10\.9\.0\.2\/\n/,
    );
    expectTwoLadders(stdout, 'kernel');
  });

  for (const [signal, code] of [
    ['SIGINT', 0],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    it(`closes the device on ${signal}, with status ${code}`, async () => {
      expect(await run.signalled(signal)).to.deep.equal({ during: ['tun0'], code, by: null, stderr: '', left: [] });
    });
  }

  it('tells its peers that it ends', async () => {
    expect(await run.tellsPeers()).to.deep.equal(['hello', 'end']);
  });

  it('leaves no device when it is killed', async () => {
    const killed = { during: ['tun0'], code: null, by: 'SIGKILL', stderr: '', left: [] };
    expect(await run.signalled('SIGKILL')).to.deep.equal(killed);
  });

  it('says what its network collides with', async () => {
    const { code, stdout, stderr } = await run.collides('10.9.3.1/16');
    expect({ code, stdout }).to.deep.equal({ code: 1, stdout: '' });
    expect(stderr).to.match(
      /^tunstack: 10\.9\.0\.2\/24 collides with the address 10\.9\.3\.1\/16 of other0: .*--address 172/,
    );
    expect(await run.collides('10.8.0.1/24')).to.include({ code: 0 });
  });

  it('says that its device was deleted', async () => {
    const { code, stderr } = await run.deleted();
    expect({ code, stderr }).to.deep.equal({
      code: 1,
      stderr: 'tunstack: tun0 is gone: somebody deleted the interface\n',
    });
  });

  itAsRoot('says why there is no kernel at the other end, and what to do', async () => {
    const { text, problem } = await run.asNobody(undefined);
    expect(problem).to.equal('');
    expect(text).to.match(
      /^No TUN device can be had \(there is no program 'unshare' \(util-linux\)\), so this is the same lab between two tunstack hosts, over a pipe in memory\. With the kernel: sudo npm start\.\n/,
    );
    expectTwoLadders(text, 'second host');
  });

  itAsRoot('says what a machine without the driver, or a container without the device, lacks', async () => {
    const line = `mount -t tmpfs none /dev/net && exec '${process.execPath}' '${MAIN}' lab --once`;
    const { code, stdout, stderr } = await program('unshare', '-n', '-m', 'sh', '-c', line);
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout).to.match(
      /^No TUN device can be had \(.*no such file \(ENOENT\)\), so .* With the kernel: load the driver \(modprobe tun\) .* then npm start\.\n/,
    );
    expectTwoLadders(stdout, 'second host');
  });

  itAsRoot('does not take another link for one that was asked for', async () => {
    const [tun, namespace] = await Promise.all([run.asNobody('tun'), run.asNobody('namespace')]);
    expect(tun.text + namespace.text).to.equal('');
    expect(tun.problem).to.match(/^LabError: a TUN device cannot be had: .*\((EACCES|EPERM)\): run as root/);
    expect(namespace.problem).to.match(
      /^LabError: a network namespace cannot be had: there is no program 'unshare'.*: run as root/,
    );
  });
});
