import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import * as scenes from './ecn-scenes.ts';

const SIZE = 2_000_000;
const run = inNamespace(scenes);

interface Variation {
  readonly title: string;
  readonly dialler: 'kernel' | 'tunstack';
  /** tcp_ecn of each. */
  readonly ours: number;
  readonly kernels: number;
  /** AE, CWR, ECE of the SYN, and of its answer. */
  readonly syn: number;
  readonly synAck: number;
}

const VARIATIONS: readonly Variation[] = [
  { title: 'the kernel asks, we grant', dialler: 'kernel', ours: 2, kernels: 1, syn: 3, synAck: 1 },
  { title: 'the kernel asks, we do not', dialler: 'kernel', ours: 0, kernels: 1, syn: 3, synAck: 0 },
  { title: 'the kernel does not ask', dialler: 'kernel', ours: 1, kernels: 2, syn: 0, synAck: 0 },
  { title: 'we ask, the kernel grants', dialler: 'tunstack', ours: 1, kernels: 2, syn: 3, synAck: 1 },
  { title: 'we ask, the kernel does not', dialler: 'tunstack', ours: 1, kernels: 0, syn: 3, synAck: 0 },
  { title: 'we do not ask', dialler: 'tunstack', ours: 2, kernels: 1, syn: 0, synAck: 0 },
  {
    title: 'we ask for Accurate ECN, the kernel grants RFC 3168',
    dialler: 'tunstack',
    ours: 3,
    kernels: 2,
    syn: 7,
    synAck: 1,
  },
];

describeWithTun('ECN agreed on with the kernel, over a path that marks 2 % both ways', () => {
  for (const { title, dialler, ours: tcp_ecn, kernels: theirs, syn, synAck } of VARIATIONS) {
    it(title, async () => {
      const options = {
        sysctl: { tcp_ecn },
        kernelSysctl: { 'net.ipv4.tcp_ecn': theirs },
        impair: { seed: 1, both: { mark: 0.02, delay: 2 } },
      };
      const { ours, kernels, seen, account } = await run.marks(options, dialler, SIZE);
      const [asks, answers] = dialler === 'kernel' ? [seen.kernels, seen.ours] : [seen.ours, seen.kernels];
      expect([asks.syn, answers.syn]).to.deep.equal([syn, synAck]);
      expect([ours?.received, kernels?.received]).to.deep.equal([SIZE, SIZE]);
      expect(ours?.receivedHash).to.equal(kernels?.sentHash);
      expect(kernels?.receivedHash).to.equal(ours?.sentHash);
      const agreed = synAck === 1;
      for (const [side, { RetransSegs = 0 }] of [
        [seen.ours, account.counters],
        [seen.kernels, account.kernel],
      ] as const) {
        // All new data is; a tail loss probe may be sent again for nothing.
        if (agreed) expect(side.capableData).to.be.at.least(side.data - RetransSegs);
        else expect(side.capableData).to.equal(0);
        expect(side.capableOthers).to.equal(0);
        expect(side.echoes > 0 && side.reductions > 0).to.equal(agreed);
        expect(side.emptyReductions).to.equal(0);
      }
      // Each side has heard of its marks.
      expect((account.counters['TCPDeliveredCE'] ?? 0) > 0).to.equal(agreed);
      expect((account.kernel['TCPDeliveredCE'] ?? 0) > 0).to.equal(agreed);
      expect((account.counters['InCEPkts'] ?? 0) > 0).to.equal(agreed);
    });
  }
});
