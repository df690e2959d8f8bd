/** What openRaw is told of its options before it opens anything. */
import { expect } from 'chai';
import { openRaw, type RawOptions } from '../../src/link/raw.ts';

describe('openRaw: options', () => {
  it('one that does not exist, none at all, and values that cannot be shown are told of as wrong arguments', () => {
    const address = '192.0.2.7';
    const wrong: [unknown, RegExp][] = [
      [{ address, prots: [80] }, /there is no option prots; there are address, ports/],
      [undefined, /options must be an object/],
      [Symbol('s'), /options must be an object/],
      [{ address, interface: 'nowhere', guard: Symbol('s') }, /wrong guard Symbol\(s\)/],
      [{ address, interface: 'nowhere', guard: 1n }, /wrong guard 1/],
      [{ address, interface: 'nowhere', receiveBuffer: Symbol('s') }, /wrong receiveBuffer Symbol\(s\)/],
      [{ address, interface: 'nowhere', receiveBuffer: Number.NaN }, /wrong receiveBuffer NaN/],
    ];
    for (const [options, message] of wrong)
      expect(() => openRaw(options as RawOptions))
        .to.throw(message)
        .with.property('code', 'ERR_INVALID_ARG_VALUE');
  });
});
