import { expect } from 'chai';
import fc from 'fast-check';
import { describe as describePacket } from '../../src/lab/describe.ts';
import { dissect } from '../../src/lab/dissect.ts';
import { checksum, sum } from '../../src/wire/checksum.ts';
import { Ipv4Header, parseIpv4, writeIpv4 } from '../../src/wire/ipv4.ts';
import { OK } from '../../src/wire/reasons.ts';
import { OPT_MSS, OPT_SACK, OPT_TIMESTAMPS, OPT_WSCALE, parseTcp, TcpSegment } from '../../src/wire/tcp.ts';
import { buildIcmp6, buildIp6, fragmentHeader, optionsHeader } from '../support/wire6.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s+/g, ''), 'hex'));

/** An IPv4 packet from 10.9.0.1 to 10.9.0.2 around these bytes. */
function packet(protocol: number, body: Uint8Array | string): Uint8Array {
  const payload = typeof body === 'string' ? hex(body) : body;
  const bytes = new Uint8Array(20 + payload.length);
  writeIpv4(new DataView(bytes.buffer), 0, bytes.length, 0, 7, true, 64, protocol, 0x0a090001, 0x0a090002);
  bytes.set(payload, 20);
  return bytes;
}

const tcp = (rest: string) => packet(6, `9c40 0050 ${rest}`);
const syn = tcp('00000001 00000000 a002 faf0 0000 0000 020405b4 0402080a 0a1b2c3d 00000000 01030307');

describe('lab/dissect', () => {
  it('reads a SYN to the last option', () => {
    const { ip, tcp, payload, error } = dissect(syn);
    expect(error).to.equal(undefined);
    expect(ip).to.deep.equal({
      version: 4,
      headerLength: 20,
      tos: 0,
      totalLength: 60,
      identification: 7,
      dontFragment: true,
      moreFragments: false,
      fragmentOffset: 0,
      ttl: 64,
      protocol: 6,
      source: '10.9.0.1',
      destination: '10.9.0.2',
      checksumOk: true,
    });
    expect(tcp).to.deep.equal({
      sourcePort: 40000,
      destinationPort: 80,
      seq: 1,
      ack: 0,
      headerLength: 40,
      flags: 2,
      window: 64240,
      checksum: 0,
      urgentPointer: 0,
      options: [
        { name: 'mss', mss: 1460 },
        { name: 'sackOK' },
        { name: 'timestamps', tsVal: 0x0a1b2c3d, tsEcr: 0 },
        { name: 'nop' },
        { name: 'wscale', shift: 7 },
      ],
    });
    expect(payload).to.have.length(0);
  });

  const lines: [string, Uint8Array, string][] = [
    [
      'a SYN',
      syn,
      'IP 10.9.0.1.40000 > 10.9.0.2.80: Flags [S], seq 1, win 64240, options [mss 1460,sackOK,TS val 169552957 ecr 0,nop,wscale 7], length 0',
    ],
    [
      'data',
      tcp('ffffffff 00000002 5018 0100 0000 0000 6869'),
      'IP 10.9.0.1.40000 > 10.9.0.2.80: Flags [P.], seq 4294967295:1, ack 2, win 256, length 2',
    ],
    [
      'an ACK with AE, CWR, ECE, URG',
      tcp('00000001 00000002 51f0 0100 0000 0009'),
      'IP 10.9.0.1.40000 > 10.9.0.2.80: Flags [.UEWe], ack 2, win 256, urg 9, length 0',
    ],
    [
      'SACK',
      tcp('00000001 00000002 8010 0100 0000 0000 0101050a 00000003 00000009'),
      'IP 10.9.0.1.40000 > 10.9.0.2.80: Flags [.], ack 2, win 256, options [nop,nop,sack 1 {3:9}], length 0',
    ],
    [
      'a Fast Open cookie, AO, Accurate ECN',
      tcp('00000001 00000002 c002 0100 0000 0000 2206aabbccdd 1d060102eeff ac0b000001000002000003 1e0300 0000'),
      'IP 10.9.0.1.40000 > 10.9.0.2.80: Flags [S], seq 1, win 256, options [tfo cookie aabbccdd,ao keyid 1 rnext 2 mac eeff,accecn0 1/2/3,opt-30:00,eol], length 0',
    ],
    [
      'a user timeout, MD5',
      tcp('00000001 00000002 b004 0100 0000 0000 1c048005 1312 00000000000000000000000000000000 0101'),
      'IP 10.9.0.1.40000 > 10.9.0.2.80: Flags [R], seq 1, win 256, options [user-timeout 5 min,md5,nop,nop], length 0',
    ],
    [
      'no flags',
      tcp('00000001 00000002 5000 0100 0000 0000'),
      'IP 10.9.0.1.40000 > 10.9.0.2.80: Flags [none], win 256, length 0',
    ],
    [
      'an echo request',
      packet(1, '0800 0000 1234 0001 6162'),
      'IP 10.9.0.1 > 10.9.0.2: ICMP echo request, id 4660, seq 1, length 10',
    ],
    [
      'an unreachable about a segment',
      packet(1, ['0304 0000 0000 0500', Buffer.from(syn.subarray(0, 28)).toString('hex')].join('')),
      'IP 10.9.0.1 > 10.9.0.2: ICMP unreachable: fragmentation needed, mtu 1280 (about 10.9.0.1.40000 > 10.9.0.2.80), length 36',
    ],
    ['UDP', packet(17, '0009 0007 000a 0000 6162'), 'IP 10.9.0.1.9 > 10.9.0.2.7: UDP, length 2'],
    [
      'a DNS query',
      packet(17, '9c40 0035 0025 0000 1234 0100 0001 0000 0000 0000 036e6574 07 6578616d706c65 00 001c 0001'),
      'IP 10.9.0.1.40000 > 10.9.0.2.53: DNS query 4660: AAAA net.example, length 29',
    ],
    [
      'a DNS answer',
      packet(
        17,
        '0035 9c40 002b 0000 1234 8180 0001 0001 0000 0000 0161 00 0001 0001 c00c 0001 0001 0000 0001 0004 c0000201',
      ),
      'IP 10.9.0.1.53 > 10.9.0.2.40000: DNS response 4660: A a: A 192.0.2.1, length 35',
    ],
    [
      'a name that there is not',
      packet(17, '0035 9c40 001b 0000 1234 8183 0001 0000 0000 0000 0161 00 0001 0001'),
      'IP 10.9.0.1.53 > 10.9.0.2.40000: DNS response 4660: A a: NXDOMAIN, length 19',
    ],
    [
      'garbage at the port of DNS',
      packet(17, '9c40 0035 0014 0000 1234 0100 0001 0000 0000 0000'),
      'IP 10.9.0.1.40000 > 10.9.0.2.53: UDP, length 12',
    ],
    ['another protocol', packet(47, '0000'), 'IP 10.9.0.1 > 10.9.0.2: protocol 47, length 2'],
    ['nothing', hex(''), 'IP [IPv4 header cut short: 0 of 20 bytes]'],
    ['another version', hex(`70${'00'.repeat(39)}`), 'IP [not IP: version 7]'],
    ['IPv6 cut short', hex(`60${'00'.repeat(38)}`), 'IP [IPv6 header cut short: 39 of 40 bytes]'],
    [
      'a SYN over IPv6, behind options',
      buildIp6(6, syn.subarray(20), { extensions: [optionsHeader(0)] }),
      'IP6 fd00::1.40000 > fd00::2.80: Flags [S], seq 1, win 64240, options [mss 1460,sackOK,TS val 169552957 ecr 0,nop,wscale 7], length 0',
    ],
    [
      'an IPv6 echo',
      buildIcmp6(128, 0, 0x12340001, hex('6162')),
      'IP6 fd00::1 > fd00::2: ICMPv6 echo request, id 4660, seq 1, length 10',
    ],
    [
      'packet too big',
      buildIcmp6(2, 0, 1280, buildIp6(17, hex('0009 0007 0008 0000'))),
      'IP6 fd00::1 > fd00::2: ICMPv6 packet too big, mtu 1280 (about fd00::1.9 > fd00::2.7), length 56',
    ],
    [
      'an unreachable over IPv6 about a segment',
      buildIcmp6(1, 4, 0, buildIp6(6, syn.subarray(20, 28))),
      'IP6 fd00::1 > fd00::2: ICMPv6 unreachable: port (about fd00::1.40000 > fd00::2.80), length 56',
    ],
    [
      'a parameter problem',
      buildIcmp6(4, 1, 6, hex('')),
      'IP6 fd00::1 > fd00::2: ICMPv6 parameter problem: next header at byte 6, length 8',
    ],
    [
      'neighbour discovery',
      buildIcmp6(135, 0, 0, hex('')),
      'IP6 fd00::1 > fd00::2: ICMPv6 neighbour solicitation, length 8',
    ],
    [
      'a later fragment over IPv6',
      buildIp6(17, hex('0102'), { extensions: [fragmentHeader(1448, true, 9)] }),
      'IP6 fd00::1 > fd00::2: fragment of 9 at 1448, length 2',
    ],
    [
      'an extension header cut short',
      buildIp6(6, hex('0001'), { extensions: [], payloadLength: 2 }).fill(60, 6, 7),
      'IP6 fd00::1 > fd00::2: protocol 60, length 0 [extension header 60 cut short: 2 of 16 bytes]',
    ],
  ];
  for (const [name, bytes, line] of lines) {
    it(`describes ${name}`, () => expect(describePacket(bytes)).to.equal(line));
  }

  it('says what is wrong, after what could be read', () => {
    const error = (bytes: Uint8Array) => dissect(bytes).error;
    expect(error(syn.slice(0, 36))).to.equal('packet cut short: 36 of 60 bytes');
    expect(error(packet(6, '0102'))).to.equal('TCP header cut short: 2 of 20 bytes');
    expect(error(tcp('00000001 00000002 4010 0100 0000 0000'))).to.equal('TCP header length 16 is below 20');
    expect(error(tcp('00000001 00000002 6010 0100 0000 0000'))).to.equal('TCP header cut short: 20 of 24 bytes');
    expect(error(packet(17, '0009 0007 000b 0000 6162'))).to.equal('UDP datagram cut short: 10 of 11 bytes');
    expect(error(packet(17, '0009 0007 0007 0000'))).to.equal("UDP length 7 is below its header's 8");
    expect(error(packet(1, '08'))).to.equal('ICMP header cut short: 1 of 8 bytes');
    const bad = Uint8Array.from(syn);
    bad[8] = 1;
    expect(describePacket(bad)).to.match(/length 0 \[bad IP checksum\]$/);
  });

  it('says so of IPv4 lengths that cannot be', () => {
    const long = Uint8Array.from(syn.slice(0, 24));
    long[0] = 0x4f;
    expect(dissect(long).error).to.equal('IPv4 header cut short: 24 of 60 bytes');
    const short = Uint8Array.from(syn);
    short.set([0, 19], 2);
    expect(dissect(short).error).to.equal("IPv4 total length 19 is below its header's 20");
    expect(dissect(short).tcp).to.equal(undefined);
    short[0] = 0x44;
    expect(dissect(short).error).to.equal('IPv4 header length 16 is below 20');
  });

  it('sees no header in a later fragment', () => {
    const bytes = Uint8Array.from(syn);
    writeIpv4(new DataView(bytes.buffer), 0, 60, 0, 7, false, 64, 6, 0x0a090001, 0x0a090002, 185);
    expect(dissect(bytes).tcp).to.equal(undefined);
    expect(describePacket(bytes)).to.equal('IP 10.9.0.1 > 10.9.0.2: fragment of 7 at 1480, length 40');
  });

  it('gives no payload, and no DNS header, to a datagram that has no room for them', () => {
    expect(dissect(packet(17, '0009 0007 0004 0000 6162')).payload).to.have.length(0);
    const { dns, payload, error } = dissect(packet(17, '9c40 0035 0010 0000 1234 0100 0001 0000'));
    expect([dns, payload?.length, error]).to.deep.equal([undefined, 8, undefined]);
  });

  it('reads no quote within a quote, however deep garbage nests them', () => {
    let bytes: Uint8Array = new Uint8Array(0);
    while (bytes.length < 3000) bytes = packet(1, Uint8Array.of(3, 1, 0, 0, 0, 0, 0, 0, ...bytes));
    const quoted = dissect(bytes).icmp?.quoted;
    expect([quoted?.error, quoted?.icmp, quoted?.ip?.protocol]).to.deep.equal(['quotes an ICMP message', undefined, 1]);
  });

  it('takes a known kind with a length that is not its own as another', () => {
    const option = (text: string) =>
      dissect(tcp(`00000001 00000002 8002 0100 0000 0000 ${text}`)).tcp?.options[0]?.name;
    for (const bad of [
      '0203aa',
      '0302',
      '040300',
      '0502',
      '0509aaaaaaaaaaaaaa',
      '0809aaaaaaaaaaaaaa',
      '1303aa',
      '1c03aa',
      '1d03aa',
      'ac04aaaa',
    ]) {
      expect(option(bad.padEnd(24, '0')), bad).to.equal('other');
    }
  });

  it('tells Fast Open from other experiments', () => {
    const options = (text: string) => dissect(tcp(`00000001 00000002 7002 0100 0000 0000 ${text}`)).tcp?.options[0];
    expect(options('fe06f989aabb0000')).to.deep.equal({ name: 'fast-open', experimental: true, cookie: hex('aabb') });
    expect(options('fe06e2d4aabb0000')).to.deep.equal({ name: 'other', kind: 254, body: hex('e2d4aabb') });
  });

  it('reads a DNS message', () => {
    const { dns } = dissect(packet(17, '0035 9c40 001b 0000 0001 8783 0001 0000 0000 0000 0161 00 0001 0001'));
    expect(dns).to.deep.equal({
      id: 1,
      response: true,
      truncated: true,
      rcode: 'NXDOMAIN',
      questions: ['A a'],
      answers: [],
    });
  });

  it('keeps the options before a broken one', () => {
    for (const bad of ['02000000', '02010000', '0101ff02'.replace('02', '29'), '01010102']) {
      const { tcp: read } = dissect(tcp(`00000001 00000002 7010 0100 0000 0000 020405b4 ${bad}`));
      expect(read?.options[0], bad).to.deep.equal({ name: 'mss', mss: 1460 });
      expect(read?.options.at(-1), bad).to.deep.equal({ name: 'broken' });
    }
  });

  it('takes any bytes', () => {
    const kind = fc.constantFrom(0, 1, 2, 3, 4, 5, 8, 19, 28, 29, 34, 172, 174, 253, 254, 99);
    const option = fc.tuple(kind, fc.nat(20), fc.uint8Array({ maxLength: 12 })).map(([k, n, body]) => [k, n, ...body]);
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 90 }),
      fc
        .array(option, { maxLength: 5 })
        .map((all) => Uint8Array.from([...hex('9c4000500000000100000002f0100100'), 0, 0, 0, 0, ...all.flat()])),
      fc.uint8Array({ maxLength: 60 }).map((quoted) => Uint8Array.from([3, 4, 0, 0, 0, 0, 0, 0, ...packet(6, quoted)])),
    );
    fc.assert(
      fc.property(body, fc.constantFrom(1, 6, 17, 99), fc.nat(100), fc.boolean(), (bytes, protocol, cut, bare) => {
        const all = bare
          ? bytes
          : packet(protocol, bytes).slice(0, Math.max(0, bytes.length + 20 - (cut > 60 ? cut - 60 : 0)));
        const found = dissect(all);
        expect(found.ip !== undefined || found.error !== undefined).to.equal(true);
        expect(describePacket(all)).to.match(/^IP/);
      }),
      { numRuns: 1000 },
    );
  });

  it('agrees with the codec of the hot path', () => {
    const words = fc.uint8Array({ minLength: 40, maxLength: 90 });
    fc.assert(
      fc.property(words, fc.integer({ min: 5, max: 15 }), (bytes, dataWords) => {
        bytes.set(hex('4500'));
        const view = new DataView(bytes.buffer);
        view.setUint16(2, bytes.length);
        bytes[9] = 6;
        bytes[32] = (dataWords << 4) | ((bytes[32] as number) & 0xf);
        view.setUint16(6, 0);
        view.setUint16(10, 0);
        view.setUint16(10, checksum(sum(view, 0, 20)));
        const [header, segment] = [new Ipv4Header(), new TcpSegment()];
        expect(parseIpv4(view, 0, bytes.length, header)).to.equal(OK);
        const reason = parseTcp(view, 20, bytes.length - 20, segment);
        const { ip, tcp: read, payload, error } = dissect(bytes);
        expect(error === undefined).to.equal(reason === OK);
        if (reason !== OK || read === undefined) return;
        expect(ip).to.include({
          totalLength: header.totalLength,
          ttl: header.ttl,
          identification: header.identification,
        });
        const { sourcePort, destinationPort, flags, window, urgentPointer, headerLength } = segment;
        expect(read).to.include({ sourcePort, destinationPort, flags, window, urgentPointer, headerLength });
        expect([read.seq | 0, read.ack | 0, payload?.length]).to.deep.equal([
          segment.seq,
          segment.ack,
          segment.payloadLength,
        ]);
        const last = <N extends string>(name: N) => read.options.findLast((option) => option.name === name);
        expect(last('mss')).to.deep.equal(segment.optionBits & OPT_MSS ? { name: 'mss', mss: segment.mss } : undefined);
        expect(last('wscale')).to.deep.equal(
          segment.optionBits & OPT_WSCALE ? { name: 'wscale', shift: segment.windowScale } : undefined,
        );
        expect(last('sack') !== undefined).to.equal((segment.optionBits & OPT_SACK) !== 0);
        expect(last('timestamps') !== undefined).to.equal((segment.optionBits & OPT_TIMESTAMPS) !== 0);
      }),
      { numRuns: 500 },
    );
  });
});
