/** The experiments of `npm run experiments`, cut short and with bounds that leave room: a control that has lost its way shows. */
import { expect } from 'chai';
import { averageWindow, fairness, linkShare } from '../../experiments/measures.ts';

const SHORT = { from: 3, to: 8 };

describe('congestion control on a simulated bottleneck', function () {
  this.timeout(60_000);

  for (const control of ['cubic', 'reno', 'bbr']) {
    it(`${control} fills the link`, () => {
      expect(linkShare(control, SHORT)).to.be.within(0.9, 1.001);
    });
  }

  // RFC 8312 5.1, table 1, and 1.22 / sqrt(p).
  for (const [control, period, window] of [
    ['cubic', 100, 12],
    ['cubic', 1000, 38],
    ['reno', 100, 12.2],
    ['reno', 1000, 38.6],
  ] as const) {
    it(`${control}: the window at one loss in ${period} packets`, () => {
      expect(averageWindow(control, period, window, 30) / window).to.be.within(0.7, 1.3);
    });
  }

  for (const control of ['cubic', 'reno', 'bbr']) {
    it(`two flows of ${control} share`, () => {
      expect(fairness(control, 2, 40, 20)).to.be.above(0.9);
    });
  }

  it('bbr does not mind 1 % of random loss', () => {
    expect(linkShare('bbr', { ...SHORT, loss: 0.01 })).to.be.above(0.8);
  });
});
