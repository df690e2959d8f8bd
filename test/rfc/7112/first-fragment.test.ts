/** RFC 7112 5, RFC 8200 4.5: the first fragment has all headers, up to that of the upper layer. */
import { expect } from 'chai';
import { buildIp6, FragmentBench } from '../../support/wire-fragment.ts';

const PARAMETER_PROBLEM = 4;
const INCOMPLETE = 3;

const first = (protocol: number, bytes: readonly number[]) =>
  buildIp6(Uint8Array.from(bytes), { protocol, more: true, identification: 7 });
const zeros = (count: number) => new Array<number>(count).fill(0);
/** A header of options: 8 bytes, or said to be longer. */
const options = (next: number, units = 0) => [next, units, 1, 4, 0, 0, 0, 0];

describe('RFC 7112 5: a first fragment without all headers is dropped, and reported: parameter problem, code 3', () => {
  for (const [what, protocol, bytes] of [
    ['16 bytes of TCP', 6, zeros(16)],
    ['no byte of UDP', 17, []],
    ['no byte of ICMPv6', 58, []],
    ['no byte of an unknown protocol', 253, []],
    ['options and nothing else', 60, options(58)],
    ['options that go on behind the fragment', 60, options(58, 1)],
    ['authentication, of 12 bytes, and a piece of UDP', 51, [17, 1, ...zeros(10), ...zeros(4)]],
    ['a routing header, and half of TCP', 43, [...options(6), ...zeros(8)]],
  ] as const) {
    it(what, () => {
      const t = new FragmentBench(6);
      const packet = first(protocol, bytes);
      t.send(packet);
      const quoted = t.expectError(PARAMETER_PROBLEM, INCOMPLETE, 0);
      expect(Buffer.from(quoted).equals(packet)).to.equal(true);
      expect(t.stack.counters).to.include({ Ip6InHdrErrors: 1, Icmp6OutParmProblems: 1 });
      t.expectEmpty();
    });
  }

  for (const [what, protocol, bytes] of [
    ['TCP, without options', 6, zeros(24)],
    ['UDP', 17, zeros(8)],
    ['ICMPv6', 58, zeros(8)],
    ['authentication, of 16 bytes, and UDP', 51, [17, 2, ...zeros(14), ...zeros(8)]],
    ['options and UDP', 60, [...options(17), ...zeros(8)]],
    ['an unknown protocol', 253, zeros(8)],
    ['nothing, when nothing is to follow', 60, options(59)],
  ] as const) {
    it(`enough is ${what}`, () => {
      const t = new FragmentBench(6);
      t.send(first(protocol, bytes));
      t.expectNothing();
      expect(t.stack.reassembly.size).to.equal(1);
      t.close();
    });
  }

  it('of the others nothing is asked', () => {
    const t = new FragmentBench(6);
    t.send(buildIp6(new Uint8Array(8), { protocol: 6, more: true, offset: 8 }));
    t.expectNothing();
    expect(t.stack.reassembly.size).to.equal(1);
    t.close();
  });
});
