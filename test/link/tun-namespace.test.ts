import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import * as scenes from './tun-namespace-scenes.ts';

const run = inNamespace(scenes);

/** The message of what the promise is rejected with. */
async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  return 'no failure';
}

describeWithTun('network namespaces', () => {
  it('have lo up and settings of their own', async () => {
    const before = scenes.readTtl();
    const found = await run.surroundings();
    expect(found).to.deep.equal({ dotted: '33', slashed: '34', lo: true, congestionControl: 'reno' });
    expect(scenes.readTtl()).to.equal(before);
    expect(await run.nested()).to.not.equal('33');
  });

  it('say which setting was refused, and why', async () => {
    expect(await run.refused('net.ipv4.no_such_thing', '1')).to.match(
      /^(ENOENT|EACCES): cannot set net\.ipv4\.no_such_thing to 1/,
    );
    expect(await run.refused('net.ipv4.ip_default_ttl', 'much')).to.equal(
      'EINVAL: cannot set net.ipv4.ip_default_ttl to much (EINVAL)',
    );
  });

  it('hand arguments and results over as they are', async () => {
    const value = { bytes: new Uint8Array([1, 2]), big: 7n, map: new Map([['a', undefined]]) };
    expect(await run.echoes(value)).to.deep.equal(value);
  });

  it('tell a failed scene with its stack and what it wrote', async () => {
    const message = await failure(run.fails());
    expect(message)
      .to.match(/^scene fails: TypeError: the scene failed\n +at .*fails/)
      .and.match(/what the child had to say/);
    expect(await failure(run.dies())).to.match(/^scene dies ended without a result \(SIGTERM/);
    expect(await failure(inNamespace(scenes, { timeout: 500 }).hangs())).to.match(
      /^scene hangs ended without a result \(SIGKILL, limit 500 ms\)/,
    );
  });
});
