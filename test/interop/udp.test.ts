import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import { LONG, patient } from './combinations.ts';
import * as scenes from './udp-scenes.ts';

const run = inNamespace(scenes);
const SIZES = LONG
  ? Array.from({ length: 656 }, (_, i) => Math.min(i * 100, 65_507))
  : [0, 1, 3, 111, 112, 113, 1000, 1452, 1453, 1472, 1473, 4000, 16_385, 65_507];

describeWithTun('UDP with the kernel', () => {
  for (const family of [4, 6] as const) {
    for (const offload of [true, false]) {
      const outcome = patient(() => run.exchange({ family, offload }, SIZES));
      it(`asks and answers, with 0 to 65,507 bytes, IPv${family}, offload ${offload}`, async () => {
        const { wrong, kernelErrors, sockets, counters } = await outcome();
        expect(wrong).to.deep.equal([]);
        expect(kernelErrors).to.equal(0);
        expect(sockets).to.equal(0);
        const name = family === 4 ? 'Udp' : 'Udp6';
        expect(counters[`${name}InDatagrams`]).to.equal(2 * SIZES.length);
        expect(counters[`${name}OutDatagrams`]).to.equal(2 * SIZES.length);
        expect(counters[`${name}InErrors`]).to.equal(0);
      });
    }

    const refused = patient(() => run.refusals({ family }));
    it(`both sides hear that nobody listens, IPv${family}`, async () => {
      const { code, told } = await refused();
      const kernel = family === 4 ? '10.9.0.1' : '[fd09::1]';
      expect(code).to.equal('ECONNREFUSED');
      expect(told).to.equal(`read udp HERE->${kernel}:9: read: connection refused`);
    });
  }

  const said = patient(() => run.broadcasts({ family: 4 }));
  it('both sides hear what is said to all', async () => {
    const { texts, said: reply } = await said();
    expect(texts).to.deep.equal(['67', '68']);
    expect(reply).to.equal('to all');
  });

  const flooded = patient(() => run.flood({ family: 4 }, 2000));
  it('a flood takes no more memory than the receive buffer', async () => {
    const { kept, memory, counters } = await flooded();
    expect(memory).to.be.at.most(212_992);
    expect(kept).to.be.at.least(90);
    expect(counters.UdpRcvbufErrors).to.be.greaterThan(0);
    expect(counters.UdpRcvbufErrors).to.equal(counters.UdpInErrors);
  });
});
