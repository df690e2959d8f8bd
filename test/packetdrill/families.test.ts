/**
 * The same scripts over IPv6, and over sockets of AF_INET6 that speak IPv4: TCP does not know which. Scripts that IPv6 has no like of say so, or
 * speak of what it has not (in-ipv6.ts).
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { expect } from 'chai';
import { formatLadder } from '../../src/lab/ladder.ts';
import { nodeHasher } from '../../src/node/segment-hasher.ts';
import { type PacketdrillOptions, runPacketdrill } from '../../src/packetdrill/run.ts';
import { filesUnder, projectRoot } from '../architecture/files.ts';
import { namespaceProblem } from '../support/namespace.ts';
import { inIpv6 } from './in-ipv6.ts';
import { playOnKernel } from './kernel-player.ts';

const FOLDER = 'test/packetdrill/';
const scripts = filesUnder(FOLDER)
  .filter((path) => path.endsWith('.pkt'))
  .map((path) => ({ path, name: path.slice(FOLDER.length, -'.pkt'.length), text: textOf(path) }))
  .filter(({ text }) => !/^--ip_version/m.test(text));
const translated = scripts.map((script) => ({ ...script, translation: inIpv6(script.text) }));
const overIpv6 = translated.flatMap(({ translation, ...script }) =>
  'text' in translation ? [{ ...script, text: translation.text }] : [],
);
const LONG = process.env['TUNSTACK_LONG'] === '1';
const isRoot = process.getuid?.() === 0;
const problem = isRoot ? namespaceProblem : 'needs root';

describe('packetdrill scripts over other families', () => {
  it('are not played over IPv6 for a reason', () => {
    const reasons = translated.flatMap(({ name, translation }) =>
      'reason' in translation ? [`${name}: ${translation.reason}`] : [],
    );
    expect(reasons.length, reasons.join('\n')).to.be.below(scripts.length / 8);
    for (const reason of reasons) expect(reason).to.match(/: (differs, because \w.{10,}|.* (is of IPv4|has no .*))$/);
  });

  describe('sockets of AF_INET6, packets of IPv4', () => {
    for (const { name, text } of scripts) it(name, () => plays(name, text, { ipVersion: 'ipv4-mapped-ipv6' }));
  });

  describe('IPv6', () => {
    for (const { name, text } of overIpv6) it(name, () => plays(name, text, {}));
  });
});

const note = problem === undefined ? '' : ` [pending: ${problem}]`;
// `npm run soak:kernel`.
(LONG ? describe : () => {})(`packetdrill scripts over IPv6 against the kernel${note}`, () => {
  (problem === undefined ? it : it.skip)('pass', async function () {
    this.timeout(600_000);
    const folder = mkdtempSync(join(tmpdir(), 'tunstack-ipv6-'));
    try {
      const planned = overIpv6
        .filter(({ text }) => !/^\/\/ kernel: /m.test(text))
        .map(({ path, text }) => {
          const file = join(folder, path);
          mkdirSync(dirname(file), { recursive: true });
          writeFileSync(file, text);
          const { duration } = runPacketdrill(text, { name: path, hasher: nodeHasher });
          return { path: relative(projectRoot, file), duration };
        });
      const verdicts = [...(await playOnKernel(planned)).values()];
      expect(verdicts.filter(({ status }) => status !== 'pass').map(({ message }) => message)).to.deep.equal([]);
      expect(verdicts.length).to.equal(planned.length);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function plays(name: string, text: string, options: PacketdrillOptions): void {
  const { status, message, packets, leaked } = runPacketdrill(text, { name, hasher: nodeHasher, ...options });
  if (status !== 'pass') {
    const ladder = formatLadder(packets, { left: 'tunstack', right: 'script' });
    throw new Error(`${status}: ${message}\n${ladder}`);
  }
  expect(leaked, 'chunks of memory that were not given back').to.equal(0);
}

function textOf(path: string): string {
  return readFileSync(join(projectRoot, path), 'utf8');
}
