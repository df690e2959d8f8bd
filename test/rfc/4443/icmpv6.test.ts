/** RFC 4443: ICMPv6 that the host answers and sends. */
import { expect } from 'chai';
import { address } from '../../stack/tap.ts';
import { Router } from '../../support/router.ts';
import { buildIcmp6, buildIp6, buildUdp6, HOST, optionsHeader, Wire6 } from '../../support/wire6.ts';

const filler = (length: number) => Uint8Array.from({ length }, (_, i) => i * 7);
describe('RFC 4443 4: echo', () => {
  for (const length of [0, 1, 56, 57, 1232, 1452]) {
    it(`4.2: a request with ${length} bytes is answered with the same, from the address that it went to`, () => {
      const t = new Wire6();
      t.inject(buildIcmp6(128, 0, 0x12345678, filler(length)));
      const seen = t.expectIcmp({ type: 129, code: 0 });
      expect([seen.parameter, `${seen.source}`, `${seen.destination}`]).to.deep.equal([
        0x12345678,
        'fd00::2',
        'fd00::1',
      ]);
      expect([...seen.body]).to.deep.equal([...filler(length)]);
      expect([t.stack.counters.Icmp6InEchos, t.stack.counters.Icmp6OutEchoReplies]).to.deep.equal([1, 1]);
      t.expectClean();
    });
  }

  it('4.2: one to all nodes is answered from an address of the interface, in the scope of who asked', () => {
    const t = new Wire6();
    t.inject(buildIcmp6(128, 0, 1, filler(8), { source: address('fe80::9'), destination: address('ff02::1') }));
    const seen = t.expectIcmp({ type: 129, code: 0 });
    expect([`${seen.source}`, `${seen.destination}`]).to.deep.equal([`${t.linkLocal.withZone(0)}`, 'fe80::9']);
    t.inject(buildIcmp6(128, 0, 1, filler(8), { destination: address('ff02::1') }));
    expect(`${t.expectIcmp({ type: 129, code: 0 }).source}`).to.equal('fd00::2');
  });

  it('2.3: a wrong checksum is dropped and counted', () => {
    const t = new Wire6();
    const bytes = buildIcmp6(128, 0, 1, filler(8));
    bytes[42] = (bytes[42] as number) ^ 1;
    t.inject(bytes);
    t.inject(buildIp6(58, filler(7)));
    t.expectNothing();
    expect([t.stack.counters.Icmp6InErrors, t.stack.counters.Icmp6InCsumErrors]).to.deep.equal([2, 1]);
  });

  it('ICMP and ICMPv6 do not stand in for each other', () => {
    const t = new Wire6();
    t.inject(buildIp6(1, filler(16)));
    t.expectIcmp({ type: 4, code: 1 });
  });

  it('2.4 (b): informational messages that are not known are silently discarded', () => {
    const t = new Wire6();
    for (const type of [130, 143, 200, 255]) t.inject(buildIcmp6(type, 0, 0, filler(8)));
    t.expectNothing();
  });
});

describe('RFC 4443 2.4, 3: errors', () => {
  it('3.1: a datagram for a port that nobody has: port unreachable, from the address that it went to', () => {
    const t = new Wire6();
    const bytes = buildUdp6(20);
    t.inject(bytes);
    const seen = t.expectIcmp({ type: 1, code: 4 });
    expect([seen.parameter, `${seen.source}`, [...seen.body]]).to.deep.equal([0, 'fd00::2', [...bytes]]);
    expect(t.stack.counters.Icmp6OutDestUnreachs).to.equal(1);
  });

  it('2.4 (c): as much is quoted as fits into 1,280 bytes', () => {
    const t = new Wire6();
    const bytes = buildUdp6(1400);
    t.inject(bytes);
    const seen = t.expectIcmp({ type: 1, code: 4 });
    expect([seen.bytes.length, [...seen.body]]).to.deep.equal([1280, [...bytes.subarray(0, 1232)]]);
    t.expectClean();
  });

  it('2.4 (e.1, e.2): none about an error, or a redirect', () => {
    const t = new Wire6();
    for (const type of [1, 2, 3, 4, 100, 127, 137]) t.inject(buildIcmp6(type, 0, 0, buildIp6(200, filler(8))));
    t.expectNothing();
    t.inject(buildIcmp6(1, 4, 0, filler(48), { extensions: [optionsHeader(60, 0xbe, 0)] }));
    t.expectNothing();
    t.inject(buildIcmp6(128, 0, 0, filler(48), { extensions: [optionsHeader(60, 0xbe, 0)] }));
    t.expectIcmp({ type: 4, code: 2 });
  });

  it('2.4 (e.3, e.5): none about what went to many', () => {
    const t = new Wire6();
    t.inject(buildUdp6(4, { destination: address('ff02::1') }));
    t.inject(buildIp6(200, filler(12), { destination: address('ff02::1') }));
    t.expectNothing();
  });

  it('2.4 (e.6): none about a source that is not one host', () => {
    const t = new Wire6();
    t.inject(buildUdp6(4, { source: address('::') }));
    t.inject(buildUdp6(4, { source: HOST }));
    t.expectNothing();
  });

  for (const family of [4, 6] as const)
    it(`IPv${family}, 2.4 (f): as on Linux no limit holds up what path MTUs are found out by`, () => {
      const t = new Router({ mtu: 1300, sysctl: { icmp_ratelimit: 1000, icmp_msgs_per_sec: 10 } });
      const [from, to] = family === 4 ? ['10.1.0.7', '10.2.0.'] : ['2001:db8:1::7', '2001:db8:2::'];
      for (let i = 20; i < 70; i++) t.pass({ from, to: `${to}${i}`, length: 1400, dontFragment: true });
      expect(t.errors()).to.have.length(50);
    });

  it('2.4 (f): no more than the limits allow, per network of the sender and in all', async () => {
    const t = new Wire6();
    for (let i = 0; i < 50; i++) t.inject(buildUdp6(4));
    expect(t.link.drain().length).to.equal(6);
    expect(t.stack.counters.Icmp6OutRateLimitHost).to.equal(44);
    t.inject(buildUdp6(4, { source: address('2001:db8::1') }));
    t.expectIcmp({ type: 1, code: 4 });
    await t.clock.advance(3000);
    for (let i = 0; i < 50; i++) t.inject(buildUdp6(4));
    expect(t.link.drain().length).to.equal(3);
  });
});
