/** The recipes of docs/recipes, played from their texts. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import * as scenes from './recipe-scenes.ts';

const run = inNamespace(scenes, { timeout: 60_000 });

/** What each needs beside Node.js: a command, and the Debian package that has it. */
const NEEDS: Record<string, readonly (readonly [string, string])[]> = {
  'http.md': [
    ['curl', 'curl'],
    ['wrk', 'wrk'],
  ],
  'http2.md': [
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

const isMissing = ([command]: readonly [string, string]) =>
  spawnSync('sh', ['-c', `command -v ${command}`]).status !== 0;

describeWithTun('recipes', function () {
  this.timeout(70_000);
  const names = readdirSync(fileURLToPath(new URL('../../../docs/recipes', import.meta.url))).filter(
    (name) => name !== 'README.md',
  );

  it('are all known here', () => expect(names.sort()).to.deep.equal(Object.keys(NEEDS).sort()));

  // Two at a time: most of the time they wait for each other's programs to start.
  const playing = new Map<string, Promise<scenes.Played>>();
  before(() => {
    const ready = names.filter((name) => (NEEDS[name] ?? []).every((need) => !isMissing(need)));
    for (const [i, name] of ready.entries()) {
      const earlier = playing.get(ready[i - 2] ?? '') ?? Promise.resolve();
      const played = earlier.then(
        () => run.play(name),
        () => run.play(name),
      );
      played.catch(() => {});
      playing.set(name, played);
    }
  });

  for (const name of names) {
    const missing = (NEEDS[name] ?? []).filter(isMissing).map(([, debianPackage]) => debianPackage);
    const note = missing.length === 0 ? '' : ` [pending: install ${missing.join(', ')}]`;
    (missing.length === 0 ? it : it.skip)(`${name}${note}`, async () => {
      const { lines, errors } = (await playing.get(name)) as scenes.Played;
      expect(lines.map(({ said }) => said).join('\n') + errors).to.equal(
        lines.map(({ promised }) => promised).join('\n'),
      );
      expect(lines.length).to.be.greaterThan(0);
    });
  }
});
