import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import { COMBINATIONS, patient } from './combinations.ts';
import * as scenes from './icmp-scenes.ts';

const run = inNamespace(scenes);
const hasPing = spawnSync('ping', ['-V']).error === undefined;

describeWithTun('ICMP with the kernel', () => {
  for (const { title, options } of COMBINATIONS) {
    const outcome = patient(async () => (hasPing ? run.pings(options, options.mtu - 28) : undefined));
    (hasPing ? it : it.skip)(
      `answers ping, ${title}${hasPing ? '' : ' [pending: there is no ping; install iputils-ping]'}`,
      async () => {
        const { said, account } = (await outcome()) as Awaited<ReturnType<typeof run.pings>>;
        expect(said).to.include('3 packets transmitted, 3 received, 0% packet loss').and.not.include('wrong data');
        expect(account.counters).to.include({ IcmpInEchos: 3, IcmpOutEchoReps: 3 });
      },
    );
  }

  for (const offload of [true, false]) {
    it(`a UDP socket of the kernel's gets ECONNREFUSED, offload ${offload}`, async () => {
      const { code, account } = await run.closedUdp(offload);
      expect(code).to.equal('ECONNREFUSED');
      expect(account.counters).to.include({ IcmpOutDestUnreachs: 1 });
    });

    it(`connections to closed ports are refused, both ways, offload ${offload}`, async () => {
      const { code, ours } = await run.closedTcp(offload);
      expect(code).to.equal('ECONNREFUSED');
      expect(ours).to.equal('dial tcp 10.9.0.1:9: connect: connection refused');
    });
  }
});
