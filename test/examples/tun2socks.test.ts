/** examples/tun2socks: curl through the proxy. */
import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import { vethProblem } from '../support/veth.ts';
import * as scenes from './tun2socks-scenes.ts';

const run = inNamespace(scenes);

describeWithTun('examples/tun2socks', () => {
  before(function () {
    const curl = spawnSync('curl', ['--version']).error === undefined ? undefined : 'needs curl';
    const problem = vethProblem() ?? curl;
    if (problem === undefined) return;
    console.log(`      pending: ${problem}`);
    this.skip();
  });

  for (const [family, bytes] of [
    [4, 20_000_000],
    [6, 2_000_000],
  ] as const)
    it(`IPv${family}: curl downloads ${bytes / 1e6} MB, whole`, async () => {
      expect(await run.download(family, bytes)).to.deep.equal({ bytes, equal: true, said: '' });
    });

  it('a closed port is refused, not opened and closed; the end of one direction passes, and the other goes on', async () => {
    const { curl, said, got, ping } = await run.manners(1_000_000);
    expect(curl, said).to.equal(7);
    expect(said).to.match(/refused|Failed to connect|Could not connect/);
    expect(got).to.equal(1_000_000);
    expect(ping).to.equal(1);
  });
});
