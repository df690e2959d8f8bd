/** Our defaults against the kernel's, and what scripts/sysctl-linux.mjs says of the differences. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { defaultConfig } from '../../src/tcp/config.ts';
import { projectRoot } from '../architecture/files.ts';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import * as scenes from './sysctl-scenes.ts';

type Reasons = Readonly<Record<string, string>>;

const { ours, different, ofTheMachine, absent } = (await import(
  pathToFileURL(join(projectRoot, 'scripts', 'sysctl-linux.mjs')).href
)) as { ours: Reasons; different: Reasons; ofTheMachine: Reasons; absent: Reasons };
const run = inNamespace(scenes);
const config = defaultConfig() as unknown as Readonly<Record<string, unknown>>;
/** The kernel that the defaults are of. */
const KNOWN = /^6\.18\./;

function text(value: unknown): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  return Array.isArray(value) ? value.join(' ') : String(value);
}

describeWithTun('our settings and the kernel', () => {
  it('have the same defaults, but for those that differ for a reason', async () => {
    const { release, settings } = await run.kernelDefaults();
    const wrong: string[] = [];
    for (const [name, value] of Object.entries(config)) {
      const theirs = settings[name];
      if (name in ours) {
        if (theirs !== undefined) wrong.push(`${name} is the kernel's, too: ${theirs}`);
      } else if (theirs === undefined) {
        if (KNOWN.test(release) && !(name in ofTheMachine)) wrong.push(`the kernel has no ${name}`);
      } else if (KNOWN.test(release) && !(name in ofTheMachine)) {
        const same = text(value) === theirs;
        if (same && name in different) wrong.push(`${name} does not differ any more`);
        if (!same && !(name in different)) wrong.push(`${name} is ${text(value)}, the kernel's ${theirs}`);
      }
    }
    expect(wrong.join('\n')).to.equal('');
  });

  it('are all of its tcp_ ones, but for those that are missing for a reason', async () => {
    const { release, settings } = await run.kernelDefaults();
    const names = KNOWN.test(release) ? Object.keys(settings).filter((name) => name.startsWith('tcp_')) : [];
    expect(names.filter((name) => !(name in config) && !(name in absent)).join(' ')).to.equal('');
    expect(Object.keys(absent).filter((name) => name in config)).to.deep.equal([]);
  });
});
