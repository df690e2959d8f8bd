/** The runner must be able to say no: scripts that are wrong in one thing each. */
import { expect } from 'chai';
import { substitute } from '../../src/packetdrill/defines.ts';
import { type PacketdrillOptions, type PacketdrillResult, runPacketdrill } from '../../src/packetdrill/run.ts';

const OPEN = `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop,nop,wscale 7>
+0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK,nop,wscale 10>
+.1 < . 1:1(0) ack 1 win 257
+0 accept(3, ..., ...) = 4
`;

function play(text: string, options: PacketdrillOptions = {}): PacketdrillResult {
  return runPacketdrill(text, { name: 't.pkt', ...options });
}

/** After a handshake, lines 8 and on. */
function opened(lines: string, options: PacketdrillOptions = {}): PacketdrillResult {
  return play(OPEN + lines, options);
}

describe('packetdrill runner', () => {
  it('an option that does not exist is a TypeError', () => {
    expect(() => play('', { toleranceUsec: 1 } as PacketdrillOptions)).to.throw(TypeError, 'no option toleranceUsec');
    expect(() => runPacketdrill('', 5 as never)).to.throw(TypeError, 'options must be an object');
  });

  it('passes what is right, and gives all memory back', () => {
    const result = opened('+0 write(4, ..., 1000) = 1000\n+0 > P. 1:1001(1000) ack 1\n+.1 < . 1:1(0) ack 1001 win 257');
    expect(result).to.include({ status: 'pass', message: '', leaked: 0 });
    expect(result.packets.map(({ direction }) => direction).join(' ')).to.equal('in out in out in');
  });

  for (const [what, lines, message] of [
    [
      'another number',
      '+0 > P. 2:1002(1000) ack 1',
      't.pkt:9: this is another packet: its sequence number is 1, not 2',
    ],
    ['another length', '+0 > P. 1:501(500) ack 1', 'it carries 1000 bytes, not 500'],
    ['another flag', '+0 > FP. 1:1001(1000) ack 1', 'its flags are P., not FP.'],
    ['a PSH that is missing', '+0 > . 1:1001(1000) ack 1', 'its flags are P., not .'],
    ['another acknowledgment', '+0 > P. 1:1001(1000) ack 2', 'it acknowledges 1, not 2'],
    ['another window', '+0 > P. 1:1001(1000) ack 1 win 1', 'its window is 63, not 1'],
    ['an urgent pointer', '+0 > P. 1:1001(1000) ack 1 urg 3', 'its urgent pointer is 0, not 3'],
    [
      'an option',
      '+0 > P. 1:1001(1000) ack 1 <nop,nop,TS val 1 ecr 1>',
      'its options are none, not <nop,nop,TS val 1 ecr 1>',
    ],
    ['another ECN field', '+0 > [ect0] P. 1:1001(1000) ack 1', 'its ECN field is 0, not 2'],
    ['another TTL', '+0 > [ttl 3] P. 1:1001(1000) ack 1', 'its time to live is 64, not 3'],
    ['a packet too early', '+.1 > P. 1:1001(1000) ack 1', 'it came 100000 us too early (12500 us are allowed)'],
    [
      'a packet that does not come',
      '+0 > P. 1:1001(1000) ack 1\n+.1 > . 1:1(0) ack 1',
      't.pkt:10: the packet did not come: > . 1:1(0) ack 1',
    ],
    [
      'a packet too late',
      '+0 > P. 1:1001(1000) ack 1\n+.15~+.17 > P. 1:1001(1000) ack 1',
      't.pkt:10: the packet did not come',
    ],
    [
      'a packet too many before',
      '+0 > P. 1:1001(1000) ack 1\n+.5 < P. 1:11(10) ack 1001 win 257\n+0 > . 1001:1001(0) ack 11',
      't.pkt:11: this is another packet: its flags are P., not .',
    ],
  ] as const) {
    it(`sees ${what}`, () => {
      const result = opened(`+0 write(4, ..., 1000) = 1000\n${lines}`);
      expect(result.status).to.equal('fail');
      expect(result.message).to.contain(message);
    });
  }

  it('shows both packets in the notation of scripts', () => {
    const { message } = opened('+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 2');
    expect(message)
      .to.contain('expected: 0.100000 > P. 1:11(10) ack 2')
      .and.to.contain('actual:   0.100000 > P. 1:11(10) ack 1 win 63');
  });

  for (const [what, lines, message] of [
    ['another result', '+0 write(4, ..., 1000) = 999', 't.pkt:8: write() gives 1000, not 999'],
    [
      'another errno',
      '+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n+0 read(4, ..., 1000) = -1 ECONNRESET (x)',
      't.pkt:9: read() gives -1 EAGAIN, not -1 ECONNRESET',
    ],
    ['an error that does not come', '+0 write(4, ..., 1) = -1', 'write() gives 1, not -1'],
    ['a call that would wait', '+0 read(4, ..., 1000) = 1000', 'read() would wait'],
    [
      'a call that waits too long',
      '+0...0.2 read(4, ..., 1000) = 1000',
      't.pkt:8: read() has not returned at 0.300000',
    ],
    [
      'a call that returns early',
      '+0...0.2 read(4, ..., 1000) = 1000\n+.1 < P. 1:1001(1000) ack 1 win 257',
      'read() returned at 0.200000, not at 0.300000',
    ],
    ['a closed descriptor', '+0 close(4) = 0\n+0 write(4, ..., 1) = 1', 'write() gives -1 EBADF, not 1'],
    [
      'another option value',
      '+0 getsockopt(4, SOL_TCP, TCP_MAXSEG, [1460], [4]) = 0',
      'getsockopt() gives [1000], not [1460]',
    ],
    [
      'other readiness',
      '+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLIN}], 1, 0) = 1',
      'poll() gives revents 0x4',
    ],
    [
      'an assertion',
      '+0 %{ assert tcpi_snd_cwnd == 11 }%',
      't.pkt:8: assert tcpi_snd_cwnd == 11 does not hold: tcpi_snd_cwnd = 10',
    ],
    ['a command that fails', '+0 `false`', 'gives 1'],
  ] as const) {
    it(`sees ${what}`, () => {
      const result = opened(lines);
      expect(result.status, result.message).to.equal('fail');
      expect(result.message).to.contain(message);
    });
  }

  for (const lines of [
    '+0 setsockopt(4, SOL_TCP, TCP_CONGESTION, "reno", 4) = 0\n+0 getsockopt(4, SOL_TCP, TCP_CONGESTION, "reno", [16]) = 0',
    '+0 getsockopt(4, SOL_TCP, TCP_CONGESTION, ["cubic"], [16]) = 0\n+0 getsockopt(4, SOL_TCP, TCP_NODELAY, [0], [4]) = 0',
    '+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=5}, 8) = 0\n+0 getsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=5}, [8]) = 0',
    '+0 getsockopt(4, SOL_TCP, TCP_INFO, {tcpi_state=1, snd_cwnd=10, tcpi_rtt=...}, ...) = 0',
    '+0 getpeername(4, {sa_family = AF_INET, sin_port = htons(40000), sin_addr = inet_addr("192.0.2.1")}, [16]) = 0',
    '+0 < icmp echo_request id 7\n+0 > icmp echo_reply id 7',
    '+0 write(4, "abc"..., 3) = 3\n+0 < icmp echo_request\n+0 > icmp echo_reply\n+0 > P. 1:4(3) ack 1',
    '+0 < icmp time_exceeded [1:1(0)]\n+0 < icmp parameter_problem\n+0 < icmp source_quench\n+0 < icmp redirect host_redirect [udp (8)]',
  ]) {
    it(`passes ${JSON.stringify(lines)}`, () => {
      const text = `\`sysctl -q net.ipv4.tcp_congestion_control=cubic\`\n${OPEN}${lines}`;
      expect(play(text)).to.include({ status: 'pass', message: '', leaked: 0 });
    });
  }

  for (const [lines, message] of [
    ['+0 getsockopt(4, SOL_TCP, TCP_CONGESTION, "reno", [16]) = 0', 'gives [cubic], not [reno]'],
    ['+0 getsockopt(4, SOL_TCP, TCP_NODELAY, [0], [8]) = 0', 'gives a length of [4], not [8]'],
    ['+0 getsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, [8]) = 0', 'gives onoff=0, not 1'],
    ['+0 getsockopt(4, SOL_TCP, TCP_INFO, {tcpi_snd_cwnd=11}, ...) = 0', 'gives tcpi_snd_cwnd=10, not 11'],
    [
      '+0 getpeername(4, {sa_family = AF_INET, sin_port = htons(1), sin_addr = inet_addr("192.0.2.1")}, [16]) = 0',
      'gives 192.0.2.1:40000',
    ],
    ['+0 getpeername(4, ..., [28]) = 0', 'an address of [16] bytes, not [28]'],
    ['+0 < icmp echo_request id 7\n+0 > icmp echo_reply id 8', 'its identifier is 7, not 8'],
    ['+0 < icmp echo_request\n+0 > icmp unreachable port_unreachable', 'its type is 0, not 3'],
    ['+0 < icmp echo_request\n+.1 > icmp echo_reply', 'it came 100000 us too early'],
    ['+0 > icmp echo_reply', 'the packet did not come: > icmp echo_reply'],
    ['+0 < icmp nonsense', 'there is no ICMP type nonsense'],
    ['+0 < icmp unreachable nonsense', 'ICMP unreachable has no code nonsense'],
    ['+0 write(4, ..., 10) = 10\n+0 > [ect01] P. 1:11(10) ack 1', 'its ECN field is 0, not 1 or 2'],
  ] as const) {
    it(`sees what is wrong in ${JSON.stringify(lines)}`, () => {
      const result = play(`\`sysctl -q net.ipv4.tcp_congestion_control=cubic\`\n${OPEN}${lines}`);
      expect(result.status, result.message).to.equal('fail');
      expect(result.message).to.contain(message);
    });
  }

  it("takes packetdrill's other options by their names", () => {
    const lines = '+0 write(4, ..., 2500) = 2500\n+0 > P. 1:2501(2500) ack 1\n';
    expect(opened(lines, { settings: { strict_segments: '' } }).message).to.contain('it carries 1000 bytes');
    const late = '+0 write(4, ..., 10) = 10\n+.9 > P. 1:11(10) ack 1\n';
    expect(opened(late, { settings: { tolerance_percent: '100' } }).status).to.equal('pass');
    expect(opened(late, { settings: { tolerance_percent: '50' } }).status).to.equal('fail');
    expect(opened('+0 close(4) = 77', { settings: { dry_run: '' } }).status).to.equal('pass');
    expect(opened('', { settings: { wire_client: '' } }).message).to.equal('the option --wire_client');
    expect(opened('', { settings: { non_fatal: 'code' } }).message).to.contain('must name packet, syscall or both');
  });

  it('--non_fatal notes what is not as the script says, and goes on', () => {
    const log: string[] = [];
    const lines = '+0 write(4, ..., 10) = 9\n+0 > P. 1:11(10) ack 2\n+.1 < . 1:1(0) ack 11 win 257\n';
    const play = (non_fatal: string) =>
      opened(lines, { settings: { non_fatal }, log: (line) => log.push(line) }).status;
    expect(play('packet,syscall')).to.equal('pass');
    expect(log.join('\n'))
      .to.contain('note: t.pkt:8: write() gives 10, not 9')
      .and.to.contain('note: t.pkt:9: this is');
    expect(play('packet')).to.equal('fail');
    expect(play('syscall')).to.equal('fail');
  });

  it('hands all code blocks to Python when one needs it, and says what is missing without', () => {
    const code = '+0 %{ x = 1 }%\n+0 %{ import math }%\n';
    expect(opened(code).message).to.equal('`import` in the code block of line 9, without python3');
    const given: (readonly [number, string, number])[] = [];
    const result = opened(code, {
      python: (_, blocks) => {
        for (const { line, code, values } of blocks) given.push([line, code.trim(), values['tcpi_state'] as number]);
        return { printed: [], failure: { line: 9, message: 'no' } };
      },
    });
    expect(given).to.deep.equal([
      [8, 'x = 1', 1],
      [9, 'import math', 1],
    ]);
    expect(result).to.include({ status: 'fail', message: 't.pkt:9: no' });
  });

  for (const [lines, message] of [
    ['+0 setsockopt(4, SOL_TCP, TCP_REPAIR, [1], 4) = 0', 'setsockopt() of TCP_REPAIR'],
    ['+0 `sysctl -q net.ipv4.tcp_retrans_collapse=1`', 'sysctl tcp_retrans_collapse=1'],
    ['+0 `iptables -F`', 'the command iptables -F'],
    ['+0 splice(4, 5) = 0', 'the system call splice(): there are no pipes'],
    ['+0 constructor(4) = 0', 'the system call constructor()'],
    ['+0 > udp (10)', 'UDP'],
    ['+0 %{ assert tcpi_nothing }%', "TCP_INFO's tcpi_nothing"],
    ['+0 sendto(4, ..., 10, MSG_ZEROCOPY, ..., ...) = 10', 'sendto() with the flags MSG_ZEROCOPY'],
  ] as const) {
    it(`calls ${message} unsupported`, () => {
      expect(opened(lines)).to.include({ status: 'unsupported', message });
    });
  }

  it('joins what a segmentation offload could have sent, unless it must not', () => {
    const lines = '+0 write(4, ..., 2500) = 2500\n+0 > P. 1:2501(2500) ack 1\n';
    expect(opened(lines).status).to.equal('pass');
    expect(play(`--strict_segments\n${OPEN}${lines}`).message).to.contain('it carries 1000 bytes, not 2500');
  });

  it('compares PSH inside the written data only when told to', () => {
    const lines = '+0 write(4, ..., 2000) = 2000\n+0 > P. 1:1001(1000) ack 1\n+0 > P. 1001:2001(1000) ack 1\n';
    expect(opened(lines).status).to.equal('pass');
    expect(opened(lines, { strictPush: true }).message).to.contain('its flags are ., not P.');
  });

  it('replaces words', () => {
    const lines = '+0 write(4, ..., SOME) = SOME\n+0 > P. 1:11(SOME) ack 1\n';
    expect(opened(lines, { defines: { SOME: '10' } }).status).to.equal('pass');
  });

  it("knows the words of Linux's own collection: cookies of the addresses under test", () => {
    const cookies = (text: string, options: PacketdrillOptions = {}) =>
      /FO (\w+) (\w+)/.exec(substitute(`${text}FO TFO_COOKIE TFO_COOKIE_ZERO`, options))?.slice(1);
    expect(cookies('')).to.deep.equal(['3021b9d889017eeb', 'b7c12350a90dc8f5']);
    expect(cookies('', { defines: { TFO_COOKIE: 'x' } })?.[0]).to.equal('x');
    const elsewhere = cookies('--remote_ip=192.0.2.9\n');
    expect(elsewhere).not.to.deep.equal(cookies(''));
    expect(cookies('', { remoteIp: '192.0.2.9' })).to.deep.equal(elsewhere);
  });

  it('lets tolerance be said in the script, and the call have the last word', () => {
    const lines = '+0 write(4, ..., 10) = 10\n+.2 > P. 1:11(10) ack 1\n';
    expect(play(`--tolerance_usecs=200000\n${OPEN}${lines}`).status).to.equal('pass');
    expect(play(`--tolerance_usecs=200000\n${OPEN}${lines}`, { toleranceUsecs: 4000 }).status).to.equal('fail');
    expect(play(`--tolerance=1\n${OPEN}`).message).to.equal('t.pkt:1: there is no option --tolerance');
  });

  it('takes timestamps by name, and compares them when it knows the tick', () => {
    const open = (second: string) => `--tcp_ts_tick_usecs=1000
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32792 <mss 1000,sackOK,TS val 5 ecr 0>
+0 > S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 100 ecr 5>
+.05 < . 1:1(0) ack 1 win 1000 <nop,nop,TS val 6 ecr 100>
+0 accept(3, ..., ...) = 4
+0 write(4, ..., 10) = 10
+0 > P. 1:11(10) ack 1 <nop,nop,TS val ${second} ecr 6>`;
    expect(play(open('150')).status).to.equal('pass');
    expect(play(open('250')).status).to.equal('fail');
  });

  it('runs init scripts first, notes what has no knob, and logs', () => {
    const log: string[] = [];
    const result = opened('', { initScripts: ['#!/bin/sh\n./defaults.sh\n'], log: (line) => log.push(line) });
    // defaults.sh brings another window scale than the handshake above expects.
    expect(result.message).to.contain('its options are <mss 1460,nop,nop,sackOK,nop,wscale 8>');
    expect(log.join('\n')).to.contain('0.000000 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3');
  });

  it('throws for what is no text', () => {
    for (const text of [5, undefined, null, new Uint8Array(3)]) {
      expect(() => runPacketdrill(text as unknown as string)).to.throw(
        TypeError,
        'the script must be its text, a string, got ',
      );
    }
  });
});
