/** RFC 6528 and RFC 9293 3.4.1: initial sequence numbers. */
import { expect } from 'chai';
import { InitialNumbers } from '../../../src/tcp/initial-numbers.ts';
import { seededRandom } from '../../../src/time/random.ts';
import { IpAddress } from '../../../src/wire/address.ts';
import { listening } from '../../support/wire-peer.ts';

const HERE = IpAddress.parse('10.0.0.1') as IpAddress;
const THERE = IpAddress.parse('10.0.0.2') as IpAddress;
const ELSEWHERE = IpAddress.parse('10.0.0.3') as IpAddress;

describe('RFC 6528: initial sequence numbers', () => {
  const numbers = new InitialNumbers(seededRandom(1));
  const first = numbers.isn(HERE, 80, THERE, 1000, 0);

  it('MUST-8: ISN = M + F(...), M a clock of 4 microseconds', () => {
    expect((numbers.isn(HERE, 80, THERE, 1000, 0.004) - first) | 0).to.equal(1);
    expect((numbers.isn(HERE, 80, THERE, 1000, 1) - first) | 0).to.equal(250);
    expect((numbers.isn(HERE, 80, THERE, 1000, 3600_000) - first) | 0).to.equal((3600 * 250_000) | 0);
  });

  it('MUST-8: M wraps with the number space, in 4.77 hours', () => {
    expect(numbers.isn(HERE, 80, THERE, 1000, 2 ** 32 / 250)).to.equal(first);
  });

  it('SHLD-1: F depends on each of the four, unpredictably', () => {
    const others = [
      numbers.isn(HERE, 81, THERE, 1000, 0),
      numbers.isn(HERE, 80, THERE, 1001, 0),
      numbers.isn(HERE, 80, ELSEWHERE, 1000, 0),
      numbers.isn(ELSEWHERE, 80, THERE, 1000, 0),
      numbers.isn(HERE, 1000, THERE, 80, 0),
      numbers.isn(THERE, 1000, HERE, 80, 0),
    ];
    expect(new Set([first, ...others]).size).to.equal(7);
    const steps = Array.from({ length: 100 }, (_, i) => numbers.isn(HERE, 80, THERE, 1000 + i, 0) >>> 0);
    const mean = steps.reduce((total, each) => total + each, 0) / 100 / 2 ** 32;
    expect(mean).to.be.within(0.35, 0.65);
  });

  it('MUST-9: F has a secret: another host gives other numbers', () => {
    expect(new InitialNumbers(seededRandom(2)).isn(HERE, 80, THERE, 1000, 0)).to.not.equal(first);
  });

  it('the same four at one instant, as happens on a virtual clock, get numbers that differ', () => {
    const fresh = new InitialNumbers(seededRandom(1));
    const [one, two] = [fresh.isn(HERE, 80, THERE, 1000, 5), fresh.isn(HERE, 80, THERE, 1000, 5)];
    expect((two - one) | 0).to.equal(1);
    expect(fresh.isn(HERE, 80, THERE, 1000, 6)).to.equal((one + 250) | 0);
  });

  it('a SYN,ACK has it, and a second connection a second later lies 250,000 further on', async () => {
    const t = listening();
    t.inject({ seq: 0, flags: 'S' });
    t.expect({ flags: 'SA' });
    const before = t.dutIsn();
    t.inject({ seq: 1, flags: 'R' });
    await t.advance(1000);
    t.inject({ seq: 0, flags: 'S' });
    t.expect({ flags: 'SA' });
    expect((t.dutIsn() - before) | 0).to.equal(250_000);
  });

  it('timestamps have an offset of their own for each peer (RFC 7323 7.1)', () => {
    const offset = numbers.timestampOffset(HERE, THERE);
    expect(numbers.timestampOffset(HERE, ELSEWHERE)).to.not.equal(offset);
    expect(numbers.timestampOffset(HERE, THERE)).to.equal(offset);
  });
});
