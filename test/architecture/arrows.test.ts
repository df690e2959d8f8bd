import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { violations } from './arrows.ts';
import { committedFiles, filesUnder, projectRoot } from './files.ts';

const LONGEST_FILE = 420;

/** Checks one made-up file of src/. */
function check(path: string, text: string): string[] {
  return violations([{ path, text }]);
}

function read(path: string): string {
  return readFileSync(join(projectRoot, path), 'utf8');
}

describe('the floors', () => {
  const sources = filesUnder('src').filter((path) => path.endsWith('.ts'));

  it('have imports that only point down, and protocols without a clock', () => {
    expect(sources).not.to.be.empty;
    const files = sources.map((path) => ({ path: path.slice('src/'.length), text: read(path) }));
    expect(violations(files).join('\n')).to.equal('');
  });

  it(`have files of at most ${LONGEST_FILE} lines`, () => {
    const long = sources
      .map((path) => `${path}: ${read(path).trimEnd().split('\n').length}`)
      .filter((line) => Number(line.split(': ')[1]) > LONGEST_FILE);
    expect(long.join('\n')).to.equal('');
  });

  it('have no note of work left to do in any committed file', () => {
    const note = new RegExp(`\\b(${['TO', 'FIX'].map((start, i) => start + ['DO', 'ME'][i]).join('|')})\\b`);
    const found = committedFiles().flatMap((path) =>
      read(path)
        .split('\n')
        .flatMap((line, i) => (note.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : [])),
    );
    expect(found.join('\n')).to.equal('');
  });
});

describe('the checker of the floors', () => {
  it('lets an import point down, however it is written', () => {
    expect(
      check('tcp/input.ts', "import type { Clock } from '../time/clock.ts';\nexport { x } from './output.ts';"),
    ).to.deep.equal([]);
    expect(check('index.ts', "export * from './host.ts';\nexport * from './link/pipe.ts';")).to.deep.equal([]);
    expect(
      check('lab/lab.ts', "import { createHost } from '../host.ts';\nimport * as http from 'node:http';"),
    ).to.deep.equal([]);
  });

  const wrong: [rule: string, path: string, text: string, expected: string[]][] = [
    [
      'up',
      'wire/tcp.ts',
      "\nimport { a } from '../link/link.ts';",
      ['src/wire/tcp.ts:2: wire imports link/link.ts: the arrow points up'],
    ],
    [
      'up as a type',
      'link/pipe.ts',
      "import type { A } from '../stack/a.ts';",
      ['src/link/pipe.ts:1: link imports stack/a.ts: the arrow points up'],
    ],
    [
      'up over several lines',
      'net/a.ts',
      "import {\n  a,\n  b,\n} from '../host.ts';",
      ['src/net/a.ts:4: net imports host.ts: the arrow points up'],
    ],
    [
      'up as an export',
      'ip/a.ts',
      "export * from '../stack/a.ts';",
      ['src/ip/a.ts:1: ip imports stack/a.ts: the arrow points up'],
    ],
    [
      'up dynamically',
      'socket/a.ts',
      "const a = () => import('../net/a.ts');",
      ['src/socket/a.ts:1: socket imports net/a.ts: the arrow points up'],
    ],
    [
      'up as a type query',
      'ip/a.ts',
      "let a: import('../stack/a.ts').A;",
      ['src/ip/a.ts:1: ip imports stack/a.ts: the arrow points up'],
    ],
    [
      'up inside a template',
      'ip/a.ts',
      "`${`}${import('../stack/a.ts')}`}`",
      ['src/ip/a.ts:1: ip imports stack/a.ts: the arrow points up'],
    ],
    [
      'for effects',
      'time/a.ts',
      "import '../host.ts';",
      ['src/time/a.ts:1: time imports host.ts: the arrow points up'],
    ],
    [
      'sideways between protocols',
      'tcp/a.ts',
      "import { a } from '../ip/a.ts';",
      ['src/tcp/a.ts:1: tcp imports ip/a.ts: the arrow points sideways'],
    ],
    [
      'sideways between leaves',
      'trace/a.ts',
      "import { a } from '../wire/a.ts';",
      ['src/trace/a.ts:1: trace imports wire/a.ts: the arrow points sideways'],
    ],
    [
      'into cli',
      'index.ts',
      "import { a } from './cli/main.ts';",
      ['src/index.ts:1: index.ts imports cli/main.ts: nothing imports cli/'],
    ],
    [
      'out of src',
      'cli/main.ts',
      "import p from '../../package.json';",
      ['src/cli/main.ts:1: imports ../../package.json, which lies outside src/'],
    ],
    ['computed', 'net/a.ts', 'await import(name);', ['src/net/a.ts:1: an import that is computed: write its path out']],
    [
      'of a folder without a floor',
      'net/a.ts',
      "import { a } from '../util/a.ts';",
      ['src/net/a.ts:1: net imports util/a.ts, which is on no floor'],
    ],
    [
      'from a folder without a floor',
      'util/a.ts',
      '',
      ['src/util/a.ts:1: util is on no floor: give it one in test/architecture/arrows.ts and docs/architecture.md'],
    ],
  ];
  for (const [rule, path, text, expected] of wrong) {
    it(`finds an import ${rule}`, () => expect(check(path, text)).to.deep.equal(expected));
  }

  it('finds what reaches around sockets into TCP', () => {
    for (const path of ['net/a.ts', 'packetdrill/a.ts']) {
      const own = path.slice(0, path.indexOf('/'));
      expect(check(path, "import { abort } from '../tcp/release.ts';")).to.deep.equal([
        `src/${path}:1: ${own} imports tcp/release.ts: it stands on socket/`,
      ]);
      expect(check(path, "import type { TcpInfo } from '../tcp/info.ts';")).to.deep.equal([]);
      for (const code of ['stack.tcp.counters', 'socket.connection', 'a?.demux'])
        expect(check(path, code), code)
          .to.have.length(1)
          .and.match(/:1: \w+ takes \.\w+: what it needs of TCP is asked of sockets, or of the stack$/);
    }
    expect(check('socket/a.ts', "import { abort } from '../tcp/release.ts';\nsocket.connection;")).to.deep.equal([]);
  });

  it('finds node:* and dependencies outside their rooms', () => {
    for (const name of ['node:fs', 'fs', 'koffi', '@scope/name']) {
      const text = `import { a } from '${name}';`;
      for (const path of [
        'link/pipe.ts',
        'net/conn.ts',
        'host.ts',
        'index.ts',
        'sim/a.ts',
        'link/tunnel/../pipe.ts'.replace('tunnel/../', ''),
      ]) {
        expect(check(path, text), path)
          .to.have.length(1)
          .and.match(/^src\/.*:1: imports /);
      }
      for (const path of [
        'link/tun.ts',
        'link/tun/device.ts',
        'link/tun-ioctl.ts',
        'link/raw.ts',
        'node/http.ts',
        'lab/a.ts',
        'cli/main.ts',
        'node.ts',
      ]) {
        expect(check(path, text), path).to.deep.equal([]);
      }
    }
  });

  it('finds clocks, timers, randomness and promises in the protocols', () => {
    const impure = [
      'Date.now()',
      'new Date()',
      'performance.now()',
      'setTimeout(f, 1)',
      'globalThis.setTimeout(f, 1)',
      'setInterval(f, 1)',
      'setImmediate(f)',
      'queueMicrotask(f)',
      'Math.random()',
      'let p: Promise<void>',
      'async () => 1',
      'await x',
      'class A extends EventEmitter {}',
      'crypto.subtle',
      'process.hrtime()',
    ];
    for (const line of impure) {
      for (const folder of ['wire', 'ip', 'tcp', 'udp'])
        expect(check(`${folder}/a.ts`, `\n\n${line}`), line)
          .to.have.length(1)
          .and.match(/^src\/\w+\/a\.ts:3: /);
      for (const path of ['time/a.ts', 'net/a.ts']) expect(check(path, line), line).to.deep.equal([]);
    }
  });

  it('is not deceived by comments, strings, templates, regular expressions and members', () => {
    const text = [
      "// import '../host.ts'; Date.now()",
      "/* await import('../host.ts') */",
      `const a = "import '../host.ts'; setTimeout()" + 'it\\'s Date';`,
      'const b = `Promise ${a} await {import("../host.ts")} ${`async`}`;',
      'const c = /Date[\'"`]/.test(a) ? 4 / 2 : a / b;',
      "const d = Array.from('Date') + options.random() + clock.performance + this.process;",
    ].join('\n');
    expect(check('tcp/a.ts', text)).to.deep.equal([]);
    expect(check('tcp/a.ts', `${text}\nDate.now();`)).to.deep.equal([
      'src/tcp/a.ts:7: tcp uses Date: it must be handed in from above',
    ]);
  });
});
