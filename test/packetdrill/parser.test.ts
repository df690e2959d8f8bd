import { expect } from 'chai';
import { ScriptSyntaxError } from '../../src/packetdrill/errors.ts';
import { specText } from '../../src/packetdrill/notation.ts';
import { parseScript } from '../../src/packetdrill/parser.ts';
import type { Action, CallAction, PacketAction, TcpSpec } from '../../src/packetdrill/script.ts';

function events(text: string) {
  return parseScript('t.pkt', text).events;
}

function only(text: string): Action {
  const [event, ...more] = events(text);
  expect(more).to.have.length(0);
  return (event as { action: Action }).action;
}

function tcp(text: string): TcpSpec {
  return (only(`0 ${text}`) as PacketAction).packet as TcpSpec;
}

describe('packetdrill parser', () => {
  it('reads options, and comments of three kinds', () => {
    const script = parseScript(
      't.pkt',
      '--tolerance_usecs=10000 // so much\n--strict_segments\n--mtu 1400\n/* a\n comment */ # another\n0 close(3) = 0 // last',
    );
    expect(script.options.map(({ name, value, line }) => [name, value, line])).to.deep.equal([
      ['tolerance_usecs', '10000', 1],
      ['strict_segments', '', 2],
      ['mtu', '1400', 3],
    ]);
    expect(script.events.map(({ line, text }) => [line, text])).to.deep.equal([[6, '0 close(3) = 0']]);
  });

  it('reads every way to say when', () => {
    const text =
      '0.000 `a`\n+0 `b`\n+.1 `c`\n1.5 `d`\n* > . 1:1(0) ack 1\n+.1~+.2 > . 1:1(0) ack 1\n3~3.5 > . 1:1(0) ack 1\n`e`';
    expect(events(text).map(({ time }) => time)).to.deep.equal([
      { kind: 'absolute', at: 0 },
      { kind: 'relative', at: 0 },
      { kind: 'relative', at: 100 },
      { kind: 'absolute', at: 1500 },
      { kind: 'any' },
      { kind: 'range', at: 100, to: 200, relative: true },
      { kind: 'range', at: 3000, to: 3500, relative: false },
      { kind: 'none' },
    ]);
  });

  it('reads when a call ends that waits', () => {
    const [event] = events('+0...0.250 accept(3, ..., ...) = 4');
    expect(event?.until).to.equal(250);
  });

  it('reads a segment with everything', () => {
    const text = '< [ect0, ttl 3] FP. 1:1001(1000) ack 2 win 257 urg 5 <nop,nop,TS val 100 ecr 200>';
    const spec = tcp(text);
    expect(spec.ip).to.deep.equal({ ecn: 2, ttl: 3 });
    expect(spec).to.include({ flags: 0x19, seq: 1, length: 1000, ack: 2, win: 257, urg: 5 });
    expect(specText('in', spec)).to.equal(text);
  });

  for (const options of [
    'mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7',
    'nop,nop,sack 1001:2001 3001:4001',
    'mss 1460,nop,nop,FO a1b2c3d4',
    'FOEXP a1b2,nop,nop',
    'md5 00112233445566778899aabbccddeeff',
    'ao 1 2 00112233445566778899aabb',
    'ECN e1b 1 ceb 0 e0b 1',
    'kind 253 0102',
    'TS val first ecr 0',
    'eol',
    '...',
  ]) {
    it(`reads and prints the options <${options}>`, () => {
      expect(specText('out', tcp(`> S 0:0(0) <${options}>`))).to.equal(`> S 0:0(0) <${options}>`);
    });
  }

  for (const [written, meant] of [
    ['uto 30', 'kind 28 001e'],
    ['uto 5m', 'kind 28 8005'],
    ['exp-f989 A1B2', 'FOEXP a1b2'],
    ['exp-E2D4 00', 'kind 254 e2d400'],
  ]) {
    it(`reads the option <${written}> as <${meant}>`, () => {
      expect(specText('out', tcp(`> S 0:0(0) <${written}>`))).to.equal(`> S 0:0(0) <${meant}>`);
    });
  }

  it('reads flags: all letters, none, any', () => {
    expect(tcp('< FSRPUEWA. 0:0(0) ack 0').flags).to.equal(0x1ff);
    expect(tcp('< - 0:0(0)').flags).to.equal(0);
    expect(tcp('> * 0:0(0)').flags).to.equal('any');
  });

  it('reads ICMP and UDP', () => {
    const icmp = only('0 < icmp unreachable frag_needed mtu 1400 [1:1461(1460)]') as PacketAction;
    expect(icmp.packet).to.deep.equal({
      protocol: 'icmp',
      ip: {},
      type: 'unreachable',
      code: 'frag_needed',
      mtu: 1400,
      id: undefined,
      quoted: { protocol: 'tcp', seq: 1, length: 1460 },
    });
    expect((only('0 > udp (512)') as PacketAction).packet).to.deep.equal({ protocol: 'udp', ip: {}, length: 512 });
    expect(events('0 < icmp unreachable\n+0 close(3) = 0')).to.have.length(2);
    expect(events('0 < icmp unreachable\n1 close(3) = 0')).to.have.length(2);
    for (const [text, fields] of [
      ['echo_request id 7', { type: 'echo_request', code: undefined, id: 7 }],
      ['11 1 [udp (100)]', { type: '11', code: '1', quoted: { protocol: 'udp', length: 100 } }],
      ['parameter_problem [raw (8)]', { quoted: { protocol: 'raw', length: 8 } }],
    ] as const) {
      expect((only(`0 < icmp ${text}`) as PacketAction).packet).to.deep.include(fields);
    }
  });

  it('reads calls: flags, structures, lists, strings, results', () => {
    const call = only(
      '0 sendmsg(4, {msg_name(...)=..., msg_iov(2)=[{..., 10}, {"a\\x41", 0x14}], msg_flags=0}, MSG_DONTWAIT|MSG_MORE) = -1 EAGAIN (try again)',
    ) as CallAction;
    expect(call.errno).to.equal('EAGAIN');
    expect(call.args[2]).to.deep.equal({
      kind: 'or',
      parts: [
        { kind: 'name', name: 'MSG_DONTWAIT' },
        { kind: 'name', name: 'MSG_MORE' },
      ],
    });
    const [, message] = call.args;
    expect(message).to.deep.include({ kind: 'struct' });
    expect(JSON.stringify(message)).to.contain('"aA"').and.to.contain('"value":20');
  });

  it('reads IP headers: ECN by name, ECT of either kind, type of service, time to live', () => {
    expect(tcp('> [ect01] . 1:1(0) ack 1').ip).to.deep.equal({ ecn: 'ect' });
    expect(tcp('> (tos 0x10, ttl 3) . 1:1(0) ack 1').ip).to.deep.equal({ tos: 16, ttl: 3 });
    expect(specText('out', tcp('> [ect01] . 1:1(0) ack 1'))).to.equal('> [ect01] . 1:1(0) ack 1');
  });

  it("reads strace's marks: a string that was cut short, a call that did not return", () => {
    const call = only('0 write(4, "ab"..., 2) = ?') as CallAction;
    expect(call.args[1]).to.deep.equal({ kind: 'string', value: 'ab' });
    expect(call.result).to.equal(undefined);
  });

  for (const [what, text, message] of [
    ['a late first event', '0.1 close(3) = 0', 't.pkt:1: the first event must be at 0 or +0'],
    ['no time', '0 close(3) = 0\nclose(3) = 0', 't.pkt:2: expected a time'],
    ['numbers that do not add up', '0 < P. 1:1001(999) ack 1', 't.pkt:1: 1 and 999 bytes do not end at 1001'],
    ['an unknown option', '0 < S 0:0(0) <mss 1460,foo>', 't.pkt:1: a TCP option must be'],
    ['no action', '0 close(3) = 0\n\n+0 ! 1', 't.pkt:3: expected a packet'],
    ['an open comment of code', '0 %{ assert 1', 't.pkt:1: the code block has no end'],
    ['a packet that waits', '+0...1 < . 1:1(0) ack 1', 't.pkt:1: only a system call can wait'],
    ['a flag twice', '0 < SS 0:0(0)', 't.pkt:1: a flag stands there twice'],
    [
      'a range backwards',
      '0 close(3) = 0\n+.2~+.1 > . 1:1(0) ack 1',
      't.pkt:2: the range of times ends before it starts',
    ],
    ['the end', '0 < S 0:0(0) <mss 1', 't.pkt:1: expected `>`, found the end of the script'],
  ] as const) {
    it(`refuses ${what}, and says where`, () => {
      expect(() => events(text)).to.throw(ScriptSyntaxError, message);
    });
  }
});
