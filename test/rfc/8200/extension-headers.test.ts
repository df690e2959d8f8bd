/** RFC 8200 3, 4: the IPv6 header, and extension headers at the node that a packet is for. */
import { expect } from 'chai';
import fc from 'fast-check';
import { address } from '../../stack/tap.ts';
import {
  buildIcmp6,
  buildIp6,
  type Extension,
  fragmentHeader,
  type Ip6Spec,
  optionsHeader,
  Wire6,
} from '../../support/wire6.ts';

const DATA = Uint8Array.of(1, 2, 3, 4, 5);
const echo = (spec: Ip6Spec = {}) => buildIcmp6(128, 0, 0x00010002, DATA, spec);
const ALL_NODES = address('ff02::1');

function answers(extensions: readonly Extension[]): void {
  const t = new Wire6();
  t.inject(echo({ extensions }));
  expect([...t.expectIcmp({ type: 129, code: 0 }).body]).to.deep.equal([...DATA]);
  t.expectClean();
}

describe('RFC 8200 3: the IPv6 header', () => {
  it('bytes after the payload length are not part of the packet', () => {
    const t = new Wire6();
    const bytes = new Uint8Array(100);
    bytes.set(echo());
    t.inject(bytes);
    expect([...t.expectIcmp({ type: 129, code: 0 }).body]).to.deep.equal([...DATA]);
  });

  it('a packet shorter than its payload length is dropped and counted', () => {
    const t = new Wire6();
    t.inject(echo({ payloadLength: 14 }));
    t.inject(echo().subarray(0, 39));
    t.expectNothing();
    expect(t.stack.counters.Ip6InTruncatedPkts).to.equal(2);
  });

  it('addresses that may not be on the wire are dropped and counted: mapped ones, multicast sources (RFC 4291 2.7), bits where there are zeros (RFC 4291 2.5.6)', () => {
    const t = new Wire6();
    const mapped = echo();
    mapped.set([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1], 8);
    t.inject(mapped);
    t.inject(echo({ source: ALL_NODES }));
    const zoned = echo({ source: address('fe80::1') });
    zoned[11] = 2;
    t.inject(zoned);
    t.expectNothing();
    expect(t.stack.counters.Ip6InAddrErrors).to.equal(3);
  });

  it('what is for another host is not answered', () => {
    const t = new Wire6();
    t.inject(echo({ destination: address('fd00::3') }));
    t.inject(echo({ destination: address('::1') }));
    t.inject(echo({ source: address('::1') }));
    t.inject(echo({ destination: address('ff02::1:ff00:3') }));
    t.inject(echo({ destination: address('ff02::2') }));
    t.expectNothing();
    expect(t.stack.counters.Ip6InAddrErrors).to.equal(5);
  });
});

describe('RFC 8200 4: extension headers', () => {
  it('4.3, 4.6: options headers with padding alone are passed over, one or many', () => {
    answers([optionsHeader(0)]);
    answers([optionsHeader(60), optionsHeader(60)]);
    answers([optionsHeader(0, 0, 0, 0, 0, 0, 0), optionsHeader(60, 1, 12, ...new Array(12).fill(0))]);
  });

  it('4.1: at most one hop-by-hop header is taken, and only as the first', () => {
    const t = new Wire6();
    t.inject(echo({ extensions: [optionsHeader(60), optionsHeader(0)] }));
    expect(t.expectIcmp({ type: 4, code: 1 }).parameter).to.equal(40);
  });

  it('4.2: an option that is not known is skipped when its type begins with 00', () => {
    answers([optionsHeader(60, 0x05, 2, 0, 0)]);
    answers([optionsHeader(0, 0x3e, 0)]);
  });

  it('4.2: 01 discards the packet, and nothing is said', () => {
    const t = new Wire6();
    t.inject(echo({ extensions: [optionsHeader(60, 0x7e, 0)] }));
    t.expectNothing();
    expect(t.stack.counters.Ip6InHdrErrors).to.equal(1);
  });

  it('4.2: 10 discards it, and says so with a pointer to the option, even of a packet to many', () => {
    const t = new Wire6();
    t.inject(echo({ extensions: [optionsHeader(0, 0, 0, 0xbe, 0)] }));
    const seen = t.expectIcmp({ type: 4, code: 2 });
    expect([seen.parameter, `${seen.source}`]).to.deep.equal([44, 'fd00::2']);
    t.inject(echo({ destination: ALL_NODES, extensions: [optionsHeader(60, 0xbe, 0)] }));
    const many = t.expectIcmp({ type: 4, code: 2 });
    expect([many.parameter, `${many.source}`]).to.deep.equal([42, 'fd00::2']);
  });

  it('4.2: 11 discards it, and says so unless it went to many', () => {
    const t = new Wire6();
    t.inject(echo({ extensions: [optionsHeader(60, 0xfe, 0)] }));
    expect(t.expectIcmp({ type: 4, code: 2 }).parameter).to.equal(42);
    t.inject(echo({ destination: ALL_NODES, extensions: [optionsHeader(60, 0xfe, 0)] }));
    t.expectNothing();
  });

  it('4: a Next Header value that is not known: parameter problem, code 1, with a pointer to it', () => {
    const t = new Wire6();
    t.inject(buildIp6(200, DATA, { extensions: [optionsHeader(60)] }));
    const { parameter, body } = t.expectIcmp({ type: 4, code: 1 });
    expect([parameter, body.length]).to.deep.equal([40, 40 + 8 + DATA.length]);
    t.inject(buildIp6(200, DATA));
    expect(t.expectIcmp({ type: 4, code: 1 }).parameter).to.equal(6);
    expect(t.stack.counters.Ip6InUnknownProtos).to.equal(2);
  });

  it('4.7: no next header: what follows is ignored', () => {
    const t = new Wire6();
    t.inject(buildIp6(59, DATA));
    t.expectNothing();
    expect(t.stack.counters.Ip6InHdrErrors).to.equal(0);
  });

  it('4.4, RFC 5095 3: a routing header of unknown type is passed over when no segments are left', () => {
    answers([[43, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0)]]);
    answers([[43, Uint8Array.of(0, 0, 77, 0, 0, 0, 0, 0)]]);
  });

  it('4.4, RFC 5095 3: with segments left it is discarded: parameter problem, code 0, with a pointer to the type', () => {
    const t = new Wire6();
    t.inject(echo({ extensions: [optionsHeader(60), [43, Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 0)]] }));
    expect(t.expectIcmp({ type: 4, code: 0 }).parameter).to.equal(50);
  });

  it('RFC 6946 4: an atomic fragment is whole by itself', () => {
    answers([fragmentHeader(0, false, 7)]);
    answers([optionsHeader(0), fragmentHeader(0, false, 7), optionsHeader(60)]);
  });

  it('a header that is cut short, or longer than the packet, ends it', () => {
    const t = new Wire6();
    t.inject(buildIp6(58, new Uint8Array(0), { extensions: [[60, Uint8Array.of(0, 0, 1)]] }));
    t.inject(buildIp6(58, DATA, { extensions: [[60, Uint8Array.of(0, 9, 1, 4, 0, 0, 0, 0)]] }));
    t.inject(buildIp6(58, DATA, { extensions: [[60, Uint8Array.of(0, 0, 1, 9, 0, 0, 0, 0)]] }));
    t.inject(buildIp6(58, DATA, { extensions: [[60, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 5)]] }));
    t.expectNothing();
    expect(t.stack.counters.Ip6InHdrErrors).to.equal(4);
  });

  it('any chain of headers is taken: nothing is thrown, nothing is kept', () => {
    const t = new Wire6({ sysctl: { icmp_ratelimit: 0, icmp_msgs_per_sec: 1_000_000 } });
    const kind = fc.constantFrom(0, 43, 44, 60, 50, 51, 58, 59, 6, 17, 135);
    const header = fc.tuple(kind, fc.uint8Array({ minLength: 0, maxLength: 24 }));
    fc.assert(
      fc.property(
        fc.array(header, { maxLength: 6 }),
        kind,
        fc.uint8Array({ maxLength: 40 }),
        (extensions, last, payload) => {
          t.inject(buildIp6(last, payload, { extensions }));
          for (const bytes of t.link.drain()) expect((bytes[0] as number) >> 4).to.equal(6);
        },
      ),
    );
  });
});
