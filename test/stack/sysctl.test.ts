/** Which settings there may be: names, kinds, Linux's bounds. (How a host shows them: test/host.test.ts.) */
import { expect } from 'chai';
import { checkedSysctl, settingProblem } from '../../src/stack/sysctl.ts';
import { defaultConfig } from '../../src/tcp/config.ts';

describe('settings', () => {
  it('have defaults that they may have', () => {
    for (const [name, value] of Object.entries(defaultConfig()))
      expect(settingProblem(name, value), name).to.equal(undefined);
  });

  for (const [name, value, problem] of [
    ['tcp_nothing', 1, ': there is no such setting'],
    ['toString', 1, ': there is no such setting'],
    ['tcp_sack', 1, ' must be true or false, got 1'],
    ['tcp_retries2', -1, ' must be a number >= 0, got -1'],
    ['tcp_retries2', 255, undefined],
    ['tcp_retries2', 256, ' must be a whole number in 0..255, got 256'],
    ['tcp_syn_retries', 0, ' must be a whole number in 1..127, got 0'],
    ['tcp_syn_retries', 1.5, ' must be a whole number in 1..127, got 1.5'],
    ['tcp_rto_max_ms', 999, ' must be a whole number in 1000..120000, got 999'],
    ['ip_default_ttl', 0, ' must be a whole number in 1..255, got 0'],
    ['tcp_rmem', [1, 2, 3], undefined],
    ['tcp_rmem', [1, 2, -3], ' must be 3 numbers >= 0, got 1,2,-3'],
    ['tcp_rmem', '1 2 3', ' must be 3 numbers >= 0, got 1 2 3'],
    ['ip_local_port_range', [80, 80], undefined],
    ['ip_local_port_range', [0, 80], ' must be two ports, the lower one first, got 0,80'],
    ['ip_local_port_range', [80, 79], ' must be two ports, the lower one first, got 80,79'],
    ['ip_local_port_range', [80, 65_536], ' must be two ports, the lower one first, got 80,65536'],
    ['accept_reset', 'bsd', undefined],
    ['accept_reset', 'mine', ' must be one of linux, posix, bsd, got mine'],
  ] as const) {
    it(`${name} = ${String(value)}: ${problem ?? 'fine'}`, () => {
      expect(settingProblem(name, value)).to.equal(problem);
    });
  }

  it('go through to the table, and lists are copied', () => {
    const config = defaultConfig();
    const sysctl = checkedSysctl(config);
    const list: [number, number] = [1000, 2000];
    sysctl.ip_local_port_range = list;
    sysctl.tcp_sack = false;
    list[0] = 0;
    expect(config.ip_local_port_range).to.deep.equal([1000, 2000]);
    expect(config.tcp_sack).to.equal(false);
    expect(() => {
      (sysctl.ip_local_port_range as [number, number])[0] = 5;
    }).to.throw(TypeError);
  });
});
