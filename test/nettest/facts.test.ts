/** The recorded facts are facts: the Go of this machine plays the scenes again, and says the same, but for what Go has changed since. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';

const run = promisify(execFile);
type Facts = Record<string, string[]>;
const recorded = JSON.parse(readFileSync('test/nettest/facts/go1.24.json', 'utf8')) as Facts;

/** What an older Go says, as it is said since 1.23; undefined: it cannot be compared. */
function sinceThen(text: string): string | undefined {
  // 1.22: an unknown port is a DNSError, and no network, or ip, is both.
  if (/^(ip)? \S*: address ip/.test(text) || /address ip(\/1 )?:/.test(text)) return undefined;
  const port = text
    .replace(/address ((?:tcp|udp)\/.*?): unknown port/, 'lookup $1: unknown port')
    .replace(/AddrError\(unknown port, (.*)\)$/, 'DNSError(unknown port, $1, , true, false, false)');
  // 1.21: a listener's deadline fails without frills.
  if (text.startsWith('set tcp A: use of closed'))
    return text.replace('set tcp A: ', '').replace('OpError(set tcp - A), ', '');
  // 1.23: the error of a lookup has its cause, and is as temporary as that.
  return port
    .replace(
      /(DNSError\(i\/o timeout, .*), false\), timeout, temporary$/,
      '$1, true), DialTimeoutError, timeout, temporary, context deadline',
    )
    .replace(/(DNSError\(operation was canceled, .*\))$/, '$1, CanceledError, context canceled');
}

/** Why there is nothing to run. */
function problem(): string | undefined {
  if (spawnSync('go', ['version']).error !== undefined) return 'there is no go; install golang-go';
  return spawnSync('unshare', ['-n', 'true']).status === 0 ? undefined : 'it takes a network namespace: run as root';
}

const suite = function (this: Mocha.Suite) {
  this.timeout(120_000);
  let directory: string;
  let said: Facts;
  let isOld: boolean;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'facts-'));
    const binary = join(directory, 'facts');
    // As it was before modules.
    const env = { ...process.env, GO111MODULE: 'off', GOFLAGS: '' };
    await run('go', ['build', '-o', binary, '.'], { cwd: 'test/nettest/facts', env });
    isOld = /go1\.(1\d|2[012])\b/.test((await run('go', ['version'])).stdout);
    // With Go's own resolver.
    const script = `ip link set lo up; GODEBUG=netdns=go exec ${binary}`;
    said = JSON.parse((await run('unshare', ['-n', 'sh', '-c', script], { maxBuffer: 2 ** 24 })).stdout);
  });

  after(() => rmSync(directory, { recursive: true, force: true }));

  it('says what is recorded', () => {
    expect(Object.keys(said).length).to.be.greaterThan(130);
    for (const [name, texts] of Object.entries(said)) {
      for (const [i, text] of texts.entries()) {
        const now = isOld ? sinceThen(text) : text;
        if (now !== undefined) expect(now, name).to.equal(recorded[name]?.[i]);
      }
    }
  });
};

const missing = problem();
if (missing === undefined) describe("Go's net, on this machine", suite);
else describe.skip(`Go's net, on this machine [pending: ${missing}]`, suite);
