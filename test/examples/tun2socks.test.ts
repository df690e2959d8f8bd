/** examples/tun2socks: curl through the proxy. */
import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import { vethProblem } from '../support/veth.ts';
import * as scenes from './tun2socks-scenes.ts';

const run = inNamespace(scenes);
const SIZE = 20_000_000;

describeWithTun('examples/tun2socks', () => {
  let played: Awaited<ReturnType<typeof run.play>>;
  before(async function () {
    const curl = spawnSync('curl', ['--version']).error === undefined ? undefined : 'needs curl';
    const problem = vethProblem() ?? curl;
    if (problem === undefined) {
      played = await run.play(SIZE);
      return;
    }
    console.log(`      pending: ${problem}`);
    this.skip();
  });

  for (const [i, family] of [4, 6].entries())
    it(`IPv${family}: curl downloads 20 MB, whole`, () => {
      expect(played.downloads[i]).to.deep.equal({ bytes: SIZE, equal: true, said: '' });
    });

  it('a closed port is refused, not opened and closed', () => {
    const { status, said } = played.closed;
    expect(status, said).to.equal(7);
    expect(said).to.match(/refused|Failed to connect|Could not connect/);
  });

  it('the end of one direction passes, and the other goes on; pings are not answered', () => {
    expect(played.returned).to.equal(1_000_000);
    expect(played.ping).to.equal(1);
  });
});
