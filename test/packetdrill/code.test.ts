import { expect } from 'chai';
import { parseCode } from '../../src/packetdrill/code-parser.ts';
import { Namespace } from '../../src/packetdrill/code-run.ts';
import { ScriptFailure, ScriptSyntaxError, UnsupportedFeature } from '../../src/packetdrill/errors.ts';

function run(code: string, values: Record<string, number> = {}): string[] {
  const namespace = new Namespace({ TCP_ESTABLISHED: 1 });
  namespace.run(parseCode('t.pkt', 10, code), values);
  return namespace.printed;
}

describe('packetdrill code blocks', () => {
  for (const [code, printed] of [
    ['print(1 + 2 * 3 - 4 // 3, 7 % 4, -7 // 2, -7 % 3, 2 ** 3 ** 2)', '6 3 -4 2 512'],
    ['print(7 / 2, 0x10, 1e3, ~5, 6 & 3 | 8, 1 << 4 >> 2, 5 ^ 1)', '3.5 16 1000 -6 10 4 4'],
    ['print(1 < 2 < 3, 1 < 3 < 2, not 1 == 2, 1 in (1, 2), 3 not in [1, 2])', 'True False True True True'],
    ['print(0 or 5, 1 and 2, 1 if 0 else 2, min(3, 1), max([4, 9]), abs(-2), int(2.9), len("abc"))', '5 2 2 1 9 2 2 3'],
    ["print('%d of %s, %5.2f|%-4d|%04x' % (3, 'x', 1.5, 7, 255))", '3 of x,  1.50|7   |00ff'],
    ["print('%d%%' % 5, 'a' 'b', \"it's\")", "5% ab it's"],
    ['a = 1; a += 4\na *= 2 # twice\nprint(a)', '10'],
    ['print((1,\n  2)[1], \\\n  3)\\\n', '2 3'],
    ['print(True == 1, None is None, (1, 2) == (1, 2))', 'True True True'],
  ] as const) {
    it(`runs ${JSON.stringify(code)}`, () => {
      expect(run(code)).to.deep.equal([printed]);
    });
  }

  it('sees the values of TCP_INFO, and the constants', () => {
    expect(
      run('assert tcpi_state == TCP_ESTABLISHED\nassert 9 <= tcpi_snd_cwnd <= 10, tcpi_snd_cwnd', {
        tcpi_state: 1,
        tcpi_snd_cwnd: 10,
      }),
    ).to.deep.equal([]);
  });

  it('says what does not hold, and why', () => {
    expect(() =>
      run('assert tcpi_snd_cwnd == 10 and x, "cwnd of %d" % tcpi_snd_cwnd', { tcpi_snd_cwnd: 7, x: 1 }),
    ).to.throw(ScriptFailure, 'assert tcpi_snd_cwnd == 10 and x does not hold: tcpi_snd_cwnd = 7, x = 1 (cwnd of 7)');
  });

  it('knows a field that the stack does not have from a name that nobody assigned', () => {
    expect(() => run('assert tcpi_busy_time > 1')).to.throw(UnsupportedFeature, "TCP_INFO's tcpi_busy_time");
    expect(() => run('assert foo')).to.throw(ScriptFailure, 'foo, which nobody has assigned');
    expect(() => run('x = open(1)')).to.throw(UnsupportedFeature, 'open()');
  });

  it('says where the code makes no sense', () => {
    expect(() => run('a = 1\nassert (a ==')).to.throw(
      ScriptSyntaxError,
      't.pkt:11: in the code block: expected a value',
    );
    expect(() => run('a = 1 2')).to.throw(ScriptSyntaxError, 't.pkt:10: in the code block: expected the end');
    expect(() => run('a = $')).to.throw(ScriptSyntaxError, 'no Python that scripts use');
    expect(() => run('a = 1 / 0')).to.throw(ScriptFailure, 'divides by zero');
  });
});
