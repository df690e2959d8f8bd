/** The pacer by itself: bursts in time. */
import { expect } from 'chai';
import { Pacer } from '../../src/tcp/pacer.ts';

const MSS = 1000;
/** Bytes per second: a segment takes a millisecond. */
const RATE = 1_000_000;

/** Behind the ten segments that are not paced, at time 0. */
function warm(): Pacer {
  const pacer = new Pacer();
  pacer.sent(9 * MSS, 9, RATE, -1000);
  return pacer;
}

describe('Pacer', () => {
  it('the first ten segments of a connection leave at once (Linux, as its fq)', () => {
    const pacer = new Pacer();
    for (let i = 0; i < 9; i++) {
      expect(pacer.holds(5)).to.equal(false);
      pacer.sent(MSS, 1, RATE, 5);
    }
    pacer.sent(MSS, 1, RATE, 5);
    expect(pacer.holds(5)).to.equal(true);
  });

  it('the next burst leaves after the time of this one at the rate', () => {
    const pacer = warm();
    pacer.nextAt = 100;
    pacer.sent(4 * MSS, 4, RATE, 100);
    expect(pacer.nextAt).to.equal(104);
    expect(pacer.holds(103.9)).to.equal(true);
    expect(pacer.holds(104)).to.equal(false);
  });

  it('a timer that is late finds several bursts due: the rate holds', () => {
    const pacer = warm();
    pacer.nextAt = 100;
    let sent = 0;
    let now = 100;
    for (let tick = 0; tick < 50; tick++) {
      // Each wake-up is 7 ms late.
      now = pacer.nextAt + 7;
      while (!pacer.holds(now)) {
        pacer.sent(2 * MSS, 2, RATE, now);
        sent += 2;
      }
    }
    expect(sent / (now - 100)).to.be.within(0.95, 1.1);
  });

  it('but not for more than 20 ms of lateness', () => {
    const pacer = warm();
    pacer.nextAt = 100;
    expect(pacer.holds(99)).to.equal(true);
    pacer.sent(MSS, 1, RATE, 1099);
    expect(pacer.nextAt).to.equal(1099 - 20 + 1);
  });

  it('time in which there was nothing to send is worth half a burst (Linux)', () => {
    const pacer = warm();
    pacer.nextAt = 100;
    expect(pacer.holds(99)).to.equal(true);
    pacer.rest();
    pacer.sent(4 * MSS, 4, RATE, 500);
    expect(pacer.nextAt).to.equal(502);
  });

  it('without a rate nothing waits', () => {
    for (const rate of [0, Infinity]) {
      const pacer = warm();
      pacer.sent(4 * MSS, 4, rate, 100);
      expect(pacer.holds(100)).to.equal(false);
    }
  });
});
