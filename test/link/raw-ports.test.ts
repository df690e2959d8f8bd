import { expect } from 'chai';
import { RawError } from '../../src/link/raw-error.ts';
import { hasPort, readPorts } from '../../src/link/raw-ports.ts';

describe('ports of a raw link', () => {
  it('are put in order and together', () => {
    expect(readPorts([443, '80-90', 91, '85', '61000-61999', 444])).to.deep.equal([
      { first: 80, last: 91 },
      { first: 443, last: 444 },
      { first: 61_000, last: 61_999 },
    ]);
  });

  it('know what is within', () => {
    const ports = readPorts([7, '61000-61001']);
    expect([6, 7, 8, 60_999, 61_000, 61_001, 61_002].map((port) => hasPort(ports, port))).to.deep.equal([
      false,
      true,
      false,
      false,
      true,
      true,
      false,
    ]);
  });

  for (const wrong of [[], [0], [65_536], ['9-8'], ['http'], [''], ['1-2-3'], [-1], [1.5]]) {
    it(`${JSON.stringify(wrong)} are not taken`, () => {
      expect(() => readPorts(wrong))
        .to.throw(RawError)
        .with.property('code', 'ERR_INVALID_ARG_VALUE');
    });
  }

  it('more ranges than the filter has room for are not taken', () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => 2 * i + 1);
    expect(readPorts(many(64))).to.have.length(64);
    expect(() => readPorts(many(65))).to.throw('1 to 64');
  });
});
