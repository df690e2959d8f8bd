/** The recipes of docs/recipes, played from their texts. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import * as scenes from './recipe-scenes.ts';

const run = inNamespace(scenes, { timeout: 100_000 });

/** What each needs beside Node.js: a command, and the Debian package that has it. */
const NEEDS: Record<string, readonly (readonly [string, string])[]> = {
  'fetch.md': [['openssl', 'openssl']],
  'http.md': [
    ['curl', 'curl'],
    ['nc', 'netcat-openbsd'],
    ['wrk', 'wrk'],
  ],
  'https.md': [
    ['curl', 'curl'],
    ['openssl', 'openssl'],
  ],
  'netcat.md': [
    ['nc', 'netcat-openbsd'],
    ['iperf3', 'iperf3'],
  ],
  'nginx.md': [['nginx', 'nginx-light']],
  'postgresql.md': [['/usr/lib/postgresql/*/bin/postgres', 'postgresql']],
  'redis.md': [['redis-server', 'redis-server']],
  'ssh.md': [['/usr/sbin/sshd', 'openssh-server']],
  'websocket.md': [],
};

/** Whose servers change their user, which a user namespace does not have. */
const NEED_ROOT = ['postgresql.md', 'ssh.md'];

const isMissing = ([command]: readonly [string, string]) =>
  spawnSync('sh', ['-c', `command -v ${command}`]).status !== 0;

/** Why a page cannot be played here; undefined: it can. */
function hindranceOf(name: string): string | undefined {
  const packages = (NEEDS[name] ?? []).filter(isMissing).map(([, debianPackage]) => debianPackage);
  if (packages.length > 0) return ` [pending: install ${packages.join(', ')}]`;
  return NEED_ROOT.includes(name) && process.getuid?.() !== 0 ? ' [pending: run as root]' : undefined;
}

describeWithTun('recipes', function () {
  this.timeout(110_000);
  const names = readdirSync(fileURLToPath(new URL('../../../docs/recipes', import.meta.url))).filter(
    (name) => name !== 'README.md',
  );
  const hindrances = new Map(names.map((name) => [name, hindranceOf(name)]));

  it('are all known here', () => expect(names.sort()).to.deep.equal(Object.keys(NEEDS).sort()));

  // Two at a time: most of the time they wait for each other's programs to start.
  let playing: Promise<Record<string, scenes.Played>>[] = [];
  before(() => {
    const ready = names.filter((name) => hindrances.get(name) === undefined);
    playing = [0, 1].map((lane) => run.play(ready.filter((_, i) => i % 2 === lane)));
  });

  for (const name of names) {
    const hindrance = hindrances.get(name);
    (hindrance === undefined ? it : it.skip)(`${name}${hindrance ?? ''}`, async () => {
      const { lines, errors } = Object.assign({}, ...(await Promise.all(playing)))[name] as scenes.Played;
      expect(lines.map(({ said }) => said).join('\n') + errors).to.equal(
        lines.map(({ promised }) => promised).join('\n'),
      );
      expect(lines.length).to.be.greaterThan(0);
    });
  }
});
