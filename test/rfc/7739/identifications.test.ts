/** RFC 7739 5.3, RFC 6864 4.3: identifications that nobody can foresee, and that do not come again soon. */
import { expect } from 'chai';
import { Identifications } from '../../../src/ip/identification.ts';
import { seededRandom } from '../../../src/time/random.ts';
import { IpAddress } from '../../../src/wire/address.ts';

const [a, b] = [IpAddress.v4(0x0a000001), IpAddress.v4(0x0a000002)];
const [a6, b6] = [IpAddress.v6(0xfd000000, 0, 0, 1), IpAddress.v6(0xfd000000, 0, 0, 2)];
const UDP = 17;

describe('RFC 7739 5.3: identifications', () => {
  it('RFC 6864 4.3: to one destination they follow each other, so that each comes again as late as can be', () => {
    for (const [source, destination] of [
      [a, b],
      [a6, b6],
    ] as const) {
      const numbers = new Identifications(seededRandom(1));
      const first = numbers.next(source, destination, UDP, 1);
      for (let i = 1; i < 65_536; i++) expect(numbers.next(source, destination, UDP, 1)).to.equal((first + i) | 0);
    }
  });

  it('several at once', () => {
    const numbers = new Identifications(seededRandom(1));
    const first = numbers.next(a, b, UDP, 44);
    expect(numbers.next(a, b, UDP, 1)).to.equal((first + 44) | 0);
  });

  it('where they start is told by a key of the host', () => {
    const starts = (seed: number) => new Identifications(seededRandom(seed)).next(a6, b6, UDP, 1);
    expect(new Set(Array.from({ length: 100 }, (_, seed) => starts(seed))).size).to.equal(100);
  });

  it('those to one destination say nothing of those to another', () => {
    const numbers = new Identifications(seededRandom(1));
    const toMany = Array.from({ length: 1000 }, (_, i) => numbers.next(a6, IpAddress.v6(0xfd000000, 0, 0, i), UDP, 1));
    expect(new Set(toMany).size).to.equal(1000);
    const gaps = toMany.slice(1).map((number, i) => (number - (toMany[i] as number)) | 0);
    expect(gaps.filter((gap) => Math.abs(gap) < 1 << 20).length).to.be.below(10);
    const before = numbers.next(a6, b6, UDP, 1);
    numbers.next(b6, a6, UDP, 100_000);
    expect(numbers.next(a6, b6, UDP, 1)).to.equal((before + 1) | 0);
    const other = IpAddress.v6(0xfd000000, 0, 0, 9);
    expect(Math.abs((numbers.next(other, b6, UDP, 1) - before) | 0)).to.be.greaterThan(1000);
  });

  it('RFC 791 3.2: IPv4 numbers each protocol by itself, IPv6 does not', () => {
    const numbers = new Identifications(seededRandom(1));
    expect(numbers.next(a, b, UDP, 1)).not.to.equal((numbers.next(a, b, 1, 1) - 1) | 0);
    expect(numbers.next(a6, b6, UDP, 1)).to.equal((numbers.next(a6, b6, 58, 1) - 1) | 0);
  });
});
