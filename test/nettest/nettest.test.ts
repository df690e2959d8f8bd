/** golang.org/x/net/nettest's TestConn, as Debian packages it, over our connections: conn_test.go speaks to bridge.ts. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';

const run = promisify(execFile);
const GOPATH = '/usr/share/gocode';
const HERE = 'test/nettest';

/** The kinds of connections of bridge.ts; in `npm test` not all, as one stream of TCP is like the other. */
const KINDS = [
  'two-hosts-IPv4',
  'pipe',
  ...(process.env['TUNSTACK_LONG'] ? ['two-hosts-IPv6', 'loopback', 'lossy'] : []),
];
/** The tests that there are: one that went missing would be no success. */
const TESTS = [
  'BasicIO',
  'PingPong',
  'RacyRead',
  'RacyWrite',
  'ReadTimeout',
  'WriteTimeout',
  'PastTimeout',
  'PresentTimeout',
  'FutureTimeout',
  'CloseTimeout',
  'ConcurrentMethods',
];

/** Why there is nothing to run. */
const problem =
  spawnSync('go', ['version']).error === undefined
    ? existsSync(`${GOPATH}/src/golang.org/x/net/nettest`)
      ? undefined
      : 'there is no nettest; install golang-golang-x-net-dev'
    : 'there is no go; install golang-go';

const suite = function (this: Mocha.Suite) {
  this.timeout(120_000);
  let directory: string;
  let output = '';

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'nettest-'));
    const binary = join(directory, 'conn.test');
    // As it was before modules: the packages are where Debian puts them, and nothing is downloaded.
    const env = { ...process.env, GO111MODULE: 'off', GOPATH, GOFLAGS: '' };
    await run('go', ['test', '-c', '-o', binary, './conn_test.go'], { cwd: HERE, env });
    const settings = { NETTEST_BRIDGE: resolve('dist', HERE, 'bridge.js'), NETTEST_KINDS: KINDS.join(' ') };
    const failed = (error: { stdout?: string; stderr?: string }) => `${error.stdout}${error.stderr}`;
    output = await run(binary, ['-test.v', '-test.timeout=100s'], { env: { ...process.env, ...settings } }).then(
      ({ stdout }) => stdout,
      failed,
    );
  });

  after(() => rmSync(directory, { recursive: true, force: true }));

  for (const kind of KINDS) {
    for (const test of TESTS) {
      it(`${test}, ${kind}`, () => {
        expect(output).to.match(new RegExp(`--- PASS: TestConn/${kind}/${test} `));
      });
    }
  }

  it('nothing else failed', () => expect(output).to.match(/^PASS$/m));
};

if (problem === undefined) describe("Go's nettest.TestConn", suite);
else describe.skip(`Go's nettest.TestConn [pending: ${problem}]`, suite);
