/** RFC 1122 3.2.1.8, 3.2.2.5: IP options of packets that are for the host. Of those that it forwards: test/rfc/1812. */
import { expect } from 'chai';
import { FragmentBench } from '../../support/wire-fragment.ts';

const PARAMETER_PROBLEM = 12;

describe('RFC 1122 3.2.1.8: IP options', () => {
  for (const [what, options] of [
    ['none but padding', [1, 1, 0, 77]],
    ['one that is not known', [200, 4, 1, 2]],
    ['a router alert', [148, 4, 0, 0]],
    ['a record of the route, with room and without', [7, 7, 4, 0, 0, 0, 0, 7, 3, 4, 0, 0]],
    ['timestamps, with room and without', [68, 8, 5, 0, 0, 0, 0, 0, 68, 4, 5, 0x10]],
  ] as const) {
    it(`${what}: passed over`, () => {
      const t = new FragmentBench(4);
      const ping = t.ping(100);
      t.send(t.piece(ping, 0, 100, { options: Uint8Array.from(options) }));
      t.expectEcho(ping);
    });
  }

  for (const [what, options, pointer] of [
    ['one that says no length', [1, 1, 1, 7], 24],
    ['one that says a length of 1', [200, 1, 0, 0], 21],
    ['one that is longer than the header', [200, 5, 0, 0], 21],
    ['a record of the route that points into its own header', [7, 7, 3, 0, 0, 0, 0, 0], 22],
    ['timestamps that point nowhere', [68, 8, 6, 0, 0, 0, 0, 0], 22],
    ['timestamps of no known kind', [68, 8, 5, 2, 0, 0, 0, 0], 23],
    ['timestamps without room, counted 15 times', [68, 4, 5, 0xf0], 23],
  ] as const) {
    it(`3.2.2.5: ${what}: dropped, parameter problem at byte ${pointer}`, () => {
      const t = new FragmentBench(4);
      const packet = t.piece(t.ping(100), 0, 100, { options: Uint8Array.from(options) });
      t.send(packet);
      const quoted = t.expectError(PARAMETER_PROBLEM, 0, pointer * 0x1000000);
      expect(Buffer.from(quoted).equals(packet), 'as it came').to.equal(true);
      expect(t.stack.counters).to.include({ InHdrErrors: 1, IcmpOutParmProbs: 1, IcmpInEchos: 0 });
    });
  }
});
