import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import type { GroundOptions } from './ground.ts';
import * as scenes from './options-scenes.ts';

const SIZE = 600_000;
const run = inNamespace(scenes);

/** In Linux's order, which is ours. */
const ALL = ['mss', 'sackOK', 'timestamps', 'wscale'];
const without = (...names: string[]) => ALL.filter((name) => !names.includes(name));

interface Variation {
  readonly title: string;
  readonly options: GroundOptions;
  /** What the kernel's SYN has, and ours. */
  readonly kernel: readonly string[];
  readonly ours: readonly string[];
}

const VARIATIONS: readonly Variation[] = [
  { title: 'all of them', options: {}, kernel: ALL, ours: ALL },
  {
    title: 'the kernel without timestamps',
    options: { kernelSysctl: { 'net.ipv4.tcp_timestamps': 0 } },
    kernel: without('timestamps'),
    ours: ALL,
  },
  {
    title: 'the kernel without SACK',
    options: { kernelSysctl: { 'net.ipv4.tcp_sack': 0 } },
    kernel: without('sackOK'),
    ours: ALL,
  },
  {
    title: 'the kernel without window scaling',
    options: { kernelSysctl: { 'net.ipv4.tcp_window_scaling': 0 } },
    kernel: without('wscale'),
    ours: ALL,
  },
  {
    title: 'the kernel without any of the three, no offload',
    options: {
      offload: false,
      kernelSysctl: { 'net.ipv4.tcp_timestamps': 0, 'net.ipv4.tcp_sack': 0, 'net.ipv4.tcp_window_scaling': 0 },
    },
    kernel: ['mss'],
    ours: ALL,
  },
  ...(['timestamps', 'sack', 'window_scaling'] as const).map((name) => ({
    title: `tunstack without ${name.replace('_', ' ')}`,
    options: { sysctl: { [`tcp_${name}`]: false } },
    kernel: ALL,
    ours: without({ timestamps: 'timestamps', sack: 'sackOK', window_scaling: 'wscale' }[name]),
  })),
  {
    title: 'tunstack without any of the three',
    options: { sysctl: { tcp_timestamps: false, tcp_sack: false, tcp_window_scaling: false } },
    kernel: ALL,
    ours: ['mss'],
  },
];

describeWithTun('Options agreed on with the kernel', () => {
  for (const { title, options, kernel, ours: own } of VARIATIONS) {
    for (const dialler of ['kernel', 'tunstack'] as const) {
      it(`${title}; dialled by ${dialler}`, async () => {
        // What is lost both ways tells whether SACK is used.
        const impair = { seed: 1, both: { loss: 0.03 } };
        const scene = await run.agrees({ ...options, impair }, dialler, SIZE);
        const { ours, kernels, syn, synAck, later, furthest, account } = scene;
        const both = kernel.filter((name) => own.includes(name));
        expect(syn).to.deep.equal(dialler === 'kernel' ? kernel : own);
        expect(synAck).to.deep.equal(both);
        expect(later.filter((name) => name !== 'sack')).to.deep.equal(both.filter((name) => name === 'timestamps'));
        expect(later.includes('sack')).to.equal(both.includes('sackOK'));
        if (!both.includes('wscale')) expect(furthest).to.be.at.most(65_535);
        else expect(furthest).to.be.above(65_535);
        expect([ours.received, kernels.received]).to.deep.equal([SIZE, SIZE]);
        expect(ours.receivedHash).to.equal(kernels.sentHash);
        expect(kernels.receivedHash).to.equal(ours.sentHash);
        expect(account.counters).to.not.have.any.keys('InErrs', 'InCsumErrors', 'OutRsts');
      });
    }
  }
});
