/** RFC 791 3.2, RFC 8200 4.5: fragments that the kernel made, and that it puts together. */
import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import { LONG, patient } from './combinations.ts';
import * as scenes from './fragment-scenes.ts';

const run = inNamespace(scenes);
const hasPing = spawnSync('ping', ['-V']).error === undefined;

/** Data of a ping, or of a datagram: around what one and two fragments of MTU 1500 carry, and the largest. */
function sizes(most: number): number[] {
  const around = [0, 1, 8, 1432, 1440, 1448, 1452, 1472, 1473, 1480, 2960, 9000].flatMap((size) => [size, size + 3]);
  const every = LONG ? Array.from({ length: 655 }, (_, i) => i * 100 + 7) : [20_001, 40_000, 64_999];
  return [...around, ...every, most - 8, most - 1, most];
}

describeWithTun('fragments with the kernel', () => {
  for (const family of [4, 6] as const) {
    for (const { mtu, offload } of [
      { mtu: 1500, offload: true },
      { mtu: 65_535, offload: false },
    ]) {
      const title = `IPv${family}, mtu ${mtu}, offload ${offload}`;
      const options = { family, mtu, offload };
      // What IPv4 and IPv6 can say.
      const most = family === 4 ? 65_507 : 65_527;
      const pings = patient(async () => (hasPing ? run.pings(options, sizes(most)) : undefined));
      (hasPing ? it : it.skip)(
        `pings of 0 to ${most} bytes, ${title}${hasPing ? '' : ' [pending: there is no ping; install iputils-ping]'}`,
        async () => {
          const { failed, counters, kernel } = (await pings()) as Awaited<ReturnType<typeof run.pings>>;
          expect(failed).to.deep.equal([]);
          const ours = counters as unknown as Record<string, number>;
          // None was lost here.
          const asked = ours[family === 4 ? 'IcmpInEchos' : 'Icmp6InEchos'];
          expect(asked).to.be.at.least(sizes(most).length);
          expect(ours[family === 4 ? 'IcmpOutEchoReps' : 'Icmp6OutEchoReplies']).to.equal(asked);
          if (family === 4 && mtu === 65_535) return;
          const prefix = family === 4 ? '' : 'Ip6';
          // All that one side cut the other put together.
          expect(ours[`${prefix}ReasmOKs`]).to.equal(kernel[`${prefix}FragOKs`]).and.to.be.greaterThan(0);
          expect(ours[`${prefix}FragOKs`]).to.equal(kernel[`${prefix}ReasmOKs`]).and.to.be.greaterThan(0);
          expect(ours[`${prefix}ReasmFails`]).to.equal(0);
          expect(kernel[`${prefix}ReasmFails`]).to.equal(0);
        },
      );

      const datagrams = patient(() => run.datagrams(options, sizes(family === 4 ? 65_507 : 65_527)));
      it(`datagrams of 0 to ${most} bytes, there and back, ${title}`, async () => {
        const { wrong } = await datagrams();
        expect(wrong).to.deep.equal([]);
      });
    }

    const narrow = patient(() => run.narrow(family, [1000, 1252, 1253, 1400, 1472, 1473, 5000, 40_000]));
    it(`RFC ${family === 4 ? 1191 : 8201}: datagrams pass a hop of 1280 bytes, once the kernel has said that it is so, IPv${family}`, async () => {
      const { tries, counters } = await narrow();
      expect(Object.values(tries).filter((count) => count > 8)).to.deep.equal([]);
      const [near] = counters as unknown as Record<string, number>[];
      expect(near?.[family === 4 ? 'IcmpInDestUnreachs' : 'Icmp6InPktTooBigs']).to.equal(1);
      expect(near?.[family === 4 ? 'FragOKs' : 'Ip6FragOKs']).to.be.at.least(6);
    });
  }
});
