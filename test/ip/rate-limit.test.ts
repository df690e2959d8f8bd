import { expect } from 'chai';
import fc from 'fast-check';
import { IcmpRateLimit } from '../../src/ip/rate-limit.ts';

const INTERVAL = 1000;
const PER_SECOND = 1000;

describe('IcmpRateLimit', () => {
  it('in any stretch of time, no more than the burst and the rate, to each and in all', () => {
    const event = fc.record({
      destination: fc.integer({ min: 1, max: 4 }),
      wait: fc.constantFrom(0, 0, 1, 10, 400, 1000, 7000),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 120 }), (events) => {
        const limit = new IcmpRateLimit();
        const allowed: { destination: number; at: number }[] = [];
        let now = 0;
        for (const { destination, wait } of events) {
          now += wait;
          if (limit.allow(destination, INTERVAL, PER_SECOND, now)) allowed.push({ destination, at: now });
        }
        allowed.forEach(({ destination, at: from }, i) => {
          const later = allowed.slice(i);
          later.forEach(({ at: to }, j) => {
            const span = to - from;
            const mine = later.slice(0, j + 1).filter((other) => other.destination === destination);
            expect(mine.length).to.be.at.most(6 + span / INTERVAL + 1e-9);
            expect(j + 1).to.be.at.most(PER_SECOND / 20 + (span * PER_SECOND) / 1000 + 1);
          });
        });
      }),
      { numRuns: 150 },
    );
  });

  it('none a second are none (Linux, icmp_msgs_per_sec)', () => {
    const limit = new IcmpRateLimit();
    expect(limit.allow(7, INTERVAL, 0, 0)).to.equal(false);
    expect(limit.allow(7, INTERVAL, 0, 5000)).to.equal(false);
    expect(limit.allow(7, INTERVAL, PER_SECOND, 5000)).to.equal(true);
  });

  it('who was quiet gets six in a row, then one an interval', () => {
    const limit = new IcmpRateLimit();
    const tries = (now: number, count: number) =>
      Array.from({ length: count }, () => limit.allow(7, INTERVAL, PER_SECOND, now)).filter(Boolean).length;
    expect(tries(0, 10)).to.equal(6);
    expect(tries(999, 10)).to.equal(0);
    expect(tries(1000, 10)).to.equal(1);
    expect(tries(100_000, 10)).to.equal(6);
  });

  it('the host as a whole: a twentieth of a second in a row', () => {
    const limit = new IcmpRateLimit();
    let allowed = 0;
    for (let destination = 0; destination < 200; destination++) {
      if (limit.allow(destination, INTERVAL, PER_SECOND, 0)) allowed++;
    }
    expect(allowed).to.equal(50);
  });
});
