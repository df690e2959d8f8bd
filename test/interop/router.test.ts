/** Routers of ours between two kernels: traceroute, ping, and a narrow hop in the middle. */
import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import { vethProblem } from '../support/veth.ts';
import * as scenes from './router-scenes.ts';

const run = inNamespace(scenes);

function needs(problem: string | undefined): (this: Mocha.Context) => void {
  return function () {
    if (problem === undefined) return;
    console.log(`      pending: ${problem}`);
    this.skip();
  };
}

describeWithTun('routers between two kernels', () => {
  before(needs(vethProblem()));

  it('traceroute names them, with UDP, ICMP and TCP, of both families', async function () {
    needs(spawnSync('traceroute', ['--version']).error === undefined ? undefined : 'needs traceroute').call(this);
    const kinds = [[], ['-I'], ['-T', '-p', '9']];
    const runs = [...kinds.map((kind) => [...kind, '10.2.0.1']), ...kinds.map((kind) => ['-6', ...kind, 'fd02::1'])];
    const four = ['1 10.1.0.254', '2 10.3.0.2', '3 10.2.0.1'];
    const six = ['1 fd01::fe', '2 fd03::2', '3 fd02::1'];
    expect(await run.trace(runs)).to.deep.equal([four, four, four, six, six, six]);
  });

  it('ping: time exceeded on the way, record route, and datagrams that are cut and put together by the kernels', async () => {
    const { said, counters } = await run.pings([
      ['-t', '1', '10.2.0.1'],
      ['-t', '2', 'fd02::1'],
      ['-t', '3', '10.2.0.1'],
      ['-R', '10.2.0.1'],
      ['-M', 'dont', '-s', '65507', '10.2.0.1'],
      ['-s', '1400', '-M', 'do', '10.2.0.1'],
    ]);
    expect(said[0]).to.include('From 10.1.0.254 icmp_seq=1 Time to live exceeded');
    expect(said[1]).to.include('From fd03::2 icmp_seq=1 Time exceeded: Hop limit');
    expect(said[2]).to.include('ttl=62');
    expect(
      said[3]?.match(/10\.3\.0\.1\s+10\.2\.0\.254\s+10\.2\.0\.1\s+10\.2\.0\.1\s+10\.3\.0\.2\s+10\.1\.0\.254/),
    ).to.not.equal(null);
    expect(said[4]).to.include('65515 bytes from 10.2.0.1');
    expect(said[5]).to.match(/frag needed|mtu=1280/i);
    expect(counters[0]?.FragCreates).to.be.greaterThan(80);
  });

  for (const [family, offload] of [
    [4, true],
    [4, false],
    [6, true],
  ] as const)
    it(`IPv${family}, ${offload ? 'with' : 'without'} offloads: both kernels learn of the narrow hop, and data passes both ways`, async () => {
      const { got, mtus, counters } = await run.transfer(family, offload, 2_000_000);
      expect(got).to.equal(2_000_000);
      expect(mtus).to.deep.equal([1280, 1280]);
      for (const router of counters) {
        const failed = family === 4 ? router.FragFails : router.Ip6FragFails;
        expect(failed).to.be.greaterThan(0);
        expect(router.OutDiscards + router.Ip6OutDiscards + router.InHdrErrors + router.Ip6InHdrErrors).to.equal(0);
      }
    });
});
