/** IPv6 with the kernel at the other end: both families on one listener, zones, offload, errors. */
import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import { LONG, TEST_LIMIT } from './combinations.ts';
import * as scenes from './ipv6-scenes.ts';

const { KERNEL, OURS } = scenes;
const LARGE = LONG ? 200_000_000 : 20_000_000;
const SMALL = LONG ? LARGE : 3_000_000;
const run = inNamespace(scenes, { timeout: TEST_LIMIT });
const hasCurl = spawnSync('curl', ['--version']).error === undefined;
const hasPing = spawnSync('ping', ['-V']).error === undefined;

describeWithTun('the kernel and tunstack over IPv6', function () {
  this.timeout(TEST_LIMIT + 5000);

  (hasCurl ? it : it.skip)(
    `one listener for curl -4, curl -6 and a zone${hasCurl ? '' : ' [pending: there is no curl]'}`,
    async () => {
      const { answers, counters } = await run.curls();
      expect(answers).to.deep.equal({
        addr: '[::]:80',
        // As Node shows them.
        ipv4: `::ffff:${OURS.ipv4} from ::ffff:${KERNEL.ipv4}`,
        ipv6: `${OURS.ipv6} from ${KERNEL.ipv6}`,
        local: `${OURS.local}%ZONE from ${KERNEL.local}%ZONE`,
        only6: 'six',
        // curl's word for a connection that was refused.
        only4: 'status 7',
        closed: 'status 7',
      });
      expect(counters).to.include({ InErrs: 0, InCsumErrors: 0 });
    },
  );

  for (const [way, dialler, offload, size] of [
    ['ipv6', 'kernel', true, LARGE],
    ['ipv6', 'tunstack', true, SMALL],
    ['ipv6', 'kernel', false, SMALL],
    ['ipv6', 'tunstack', false, LARGE],
    ['local', 'kernel', true, SMALL],
    ['local', 'tunstack', false, SMALL],
    ['ipv4', 'kernel', true, SMALL],
  ] as const) {
    const title = way === 'local' ? 'link-local addresses' : way === 'ipv4' ? 'IPv4 on a listener of both' : 'IPv6';
    it(`${size / 1e6} MB each way, ${title}, dialled by ${dialler}, ${offload ? '' : 'no '}offload`, async () => {
      const { ours, kernels, counters, packets, segments, refusals } = await run.transfer(way, dialler, offload, size);
      expect([ours.sent, ours.received, kernels.sent, kernels.received]).to.deep.equal([size, size, size, size]);
      expect(ours.receivedHash).to.equal(kernels.sentHash);
      expect(kernels.receivedHash).to.equal(ours.sentHash);
      expect(counters).to.include({ InErrs: 0, InCsumErrors: 0 });
      expect(refusals).to.deep.equal([]);
      // A super-segment counts as what it is cut into.
      if (offload) expect(segments).to.be.above(2 * packets);
      else expect(segments).to.equal(packets);
    });
  }

  (hasPing ? it : it.skip)(`answers ping -6${hasPing ? '' : ' [pending: there is no ping]'}`, async () => {
    const { lines } = await run.pings([0, 56, 1452, 1453, 9000]);
    expect(lines).to.deep.equal([]);
  });

  it('what a dial fails with', async () => {
    const { failures, rejects } = await run.refusals();
    expect(failures).to.deep.equal([
      `dial tcp [${KERNEL.ipv6}]:9: connect: connection refused`,
      `dial tcp [${KERNEL.local}%ZONE]:9: connect: connection refused`,
      'dial tcp [2001:db8:a::1]:9: connect: network is unreachable',
      'dial tcp [2001:db8:b::1]:9: connect: permission denied',
      `dial tcp [${KERNEL.local}]:9: connect: invalid argument`,
    ]);
    for (const [i, words] of ['no route to host', 'connection refused', 'permission denied'].entries()) {
      if (rejects[i] !== 'no nft') expect(rejects[i]).to.match(new RegExp(`: connect: ${words}$`));
    }
  });
});
