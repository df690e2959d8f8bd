import { expect } from 'chai';
import { type SRV, sortMX, sortSRV } from '../../src/net/dns-sort.ts';
import { seededRandom } from '../../src/time/random.ts';

describe('net/dns-sort', () => {
  const random = seededRandom(1);
  const srv = (target: string, priority: number, weight: number): SRV => ({ target, port: 80, priority, weight });
  /** How often each goes first in so many sorts. */
  const firsts = (sort: () => string[], times = 2000) => {
    const counts: Record<string, number> = {};
    for (let i = 0; i < times; i++) {
      const [first] = sort() as [string];
      counts[first] = (counts[first] ?? 0) + 1;
    }
    return counts;
  };

  it('has mail exchangers by preference, equals in any order', () => {
    const records = [30, 10, 20, 10].map((pref, i) => ({ host: `${'abcd'[i]}.`, pref }));
    const orders = new Set<string>();
    for (let i = 0; i < 100; i++) {
      const sorted = sortMX(records, random);
      expect(sorted.map(({ pref }) => pref)).to.deep.equal([10, 10, 20, 30]);
      orders.add(sorted.map(({ host }) => host).join(''));
    }
    expect([...orders].sort()).to.deep.equal(['b.d.c.a.', 'd.b.c.a.']);
  });

  it('RFC 2782: has services by priority', () => {
    const records = [srv('c', 3, 100), srv('a', 1, 0), srv('b', 2, 50)];
    for (let i = 0; i < 20; i++) {
      expect(sortSRV(records, random).map(({ target }) => target)).to.deep.equal(['a', 'b', 'c']);
    }
    expect(sortSRV([], random)).to.deep.equal([]);
  });

  it('RFC 2782: within a priority has the next by chance, in proportion to its weight', () => {
    const records = [srv('a', 1, 75), srv('b', 1, 25), srv('c', 1, 0), srv('z', 2, 1000)];
    const counts = firsts(() => sortSRV(records, random).map(({ target }) => target));
    expect(counts['a']).to.be.within(1350, 1600);
    expect(counts['b']).to.be.within(400, 600);
    // A weight of 0 is a small chance, but one.
    expect(counts['c']).to.be.within(1, 60);
    expect(counts).to.not.have.property('z');
  });

  it('RFC 2782: weights of 0 are equals', () => {
    const records = ['a', 'b'].map((target) => srv(target, 1, 0));
    expect(sortSRV(records, random)).to.have.lengthOf(2);
    expect(sortSRV([srv('a', 1, 10), srv('b', 1, 10)], random).map(({ target }) => target)).to.have.members(['a', 'b']);
  });
});
