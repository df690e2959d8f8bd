/** RFC 8200 (and RFC 4443, RFC 4291): what a router does with IPv6 packets for others. */
import { expect } from 'chai';
import { fold, sum } from '../../../src/wire/checksum.ts';
import { address, buildDatagram, pseudoSum, readDatagram } from '../../support/datagram.ts';
import { Router } from '../../support/router.ts';
import { buildIp6, optionsHeader } from '../../support/wire6.ts';

const FROM = '2001:db8:1::7';
const TO = '2001:db8:2::7';
const FAR = '2001:db8:ffff::7';
const LEFT = '2001:db8:1::1';

describe('RFC 8200: forwarding', () => {
  it('3: a packet leaves on the link of its route, one hop shorter, and else as it came', () => {
    const t = new Router();
    for (const to of [TO, FAR]) {
      t.pass({ from: FROM, to, tos: 0xb9, length: 1000, ttl: 9 });
      const [out, ...more] = t.passed();
      expect(more).to.deep.equal([]);
      expect(out).to.include({ from: FROM, to, tos: 0xb9, ttl: 8, size: 1040 });
      const { payload } = readDatagram(buildDatagram({ from: FROM, to, length: 1000 }));
      expect(Buffer.compare(out?.payload as Uint8Array, payload)).to.equal(0);
    }
    expect(t.stack.counters).to.include({ Ip6OutForwDatagrams: 2, Ip6InDelivers: 0, Ip6OutRequests: 0 });
    expect(t.stack.slab.live).to.equal(0);
  });

  it('a host forwards nothing unless it is told to', () => {
    const t = new Router({ sysctl: { forwarding: false } });
    t.pass({ from: FROM, to: TO });
    expect(t.passed()).to.deep.equal([]);
    expect(t.errors()).to.deep.equal([]);
    expect(t.stack.counters).to.include({ Ip6InAddrErrors: 1 });
  });

  it('4: extension headers are for their destination: a router passes those that it does not know, and broken ones', () => {
    const t = new Router();
    for (const payload of [
      // A routing header of an unknown type, destination options that ask for an answer, a header that nobody knows.
      [43, [59, 0, 99, 7, 0, 0, 0, 0]],
      [60, [59, 0, 0x80, 4, 0, 0, 0, 0]],
      [200, [1, 2, 3, 4, 5, 6, 7, 8]],
      [60, [59, 9, 0, 0, 0, 0, 0, 0]],
    ] as const) {
      const [protocol, bytes] = payload;
      t.pass({ from: FROM, to: TO, protocol, payload: Uint8Array.from(bytes) });
      expect(t.passed().map((out) => [out.protocol, [...out.payload]])).to.deep.equal([[protocol, [...bytes]]]);
    }
    expect(t.errors()).to.deep.equal([]);
  });

  it('3, RFC 4443 3.3: a hop limit that would come to zero ends the way: time exceeded', () => {
    const t = new Router();
    for (const ttl of [0, 1]) {
      t.pass({ from: FROM, to: TO, ttl });
      expect(t.passed()).to.deep.equal([]);
      const [error] = t.errors();
      expect(error).to.include({ from: LEFT, to: FROM, type: 3, code: 0, parameter: 0 });
      const came = buildDatagram({ from: FROM, to: TO, ttl });
      expect(Buffer.compare(error?.quoted as Uint8Array, came)).to.equal(0);
    }
    expect(t.stack.counters).to.include({ Ip6InHdrErrors: 2, Icmp6OutTimeExcds: 2 });
  });

  it('3: one that is for the router itself is taken with a hop limit of 0', () => {
    const t = new Router();
    t.pass({ from: FROM, to: '2001:db8:2::1', ttl: 0 });
    // Port unreachable: it was delivered.
    expect(t.errors().map(({ type, code }) => [type, code])).to.deep.equal([[1, 4]]);
  });

  it('RFC 4443 3.1: without a route: no route to destination', () => {
    const t = new Router();
    t.pass({ from: FROM, to: '2001:db8:eeee::1' });
    expect(t.errors().map(({ type, code }) => [type, code])).to.deep.equal([[1, 0]]);
    expect(t.stack.counters).to.include({ Ip6InNoRoutes: 1, Icmp6OutDestUnreachs: 1 });
  });

  for (const [rejection, answer] of [
    ['blackhole', []],
    // Linux: as good as none.
    ['unreachable', [[1, 0]]],
    ['prohibit', [[1, 1]]],
  ] as const)
    it(`RFC 4443 3.1: a route that is ${rejection} is answered with ${JSON.stringify(answer)}`, () => {
      const t = new Router();
      t.stack.addRoute({ destination: address(FAR), bits: 128, interface: t.stack.network.nowhere, rejection });
      t.pass({ from: FROM, to: FAR });
      expect(t.errors().map(({ type, code }) => [type, code])).to.deep.equal(answer);
      expect(t.passed()).to.deep.equal([]);
    });

  it('5, RFC 4443 3.2: what is too large for the next link is not cut: packet too big, with its MTU', () => {
    const t = new Router({ mtu: 1400 });
    t.pass({ from: FROM, to: TO, length: 1361 });
    expect(t.passed()).to.deep.equal([]);
    const [error] = t.errors();
    expect(error).to.include({ from: LEFT, to: FROM, type: 2, code: 0, parameter: 1400 });
    // RFC 4443 2.4 (c): as much of it as fits into 1280 bytes.
    expect(error?.quoted.length).to.equal(1280 - 48);
    t.pass({ from: FROM, to: TO, length: 1360 });
    expect(t.passed()).to.have.length(1);
    expect(t.stack.counters).to.include({ Ip6InTooBigErrors: 1, Ip6FragFails: 1, Icmp6OutPktTooBigs: 1 });
  });

  it('5: a link that takes less than 1280 bytes is not said to: nobody would believe it', () => {
    const t = new Router({ mtu: 1000 });
    t.pass({ from: FROM, to: TO, length: 1000 });
    expect(t.errors().map(({ parameter }) => parameter)).to.deep.equal([1280]);
  });

  for (const [what, from, to] of [
    ['to a multicast address', FROM, 'ff0e::1'],
    ['to a link-local address (RFC 4291 2.5.6)', FROM, 'fe80::7'],
    ['to the loopback address (2.5.3)', FROM, '::1'],
    ['to the unspecified address (2.5.2)', FROM, '::'],
    ['from the unspecified address', '::', TO],
    ['from the loopback address', '::1', TO],
    ['from a multicast address (2.7)', 'ff0e::1', TO],
    ['from an address of the router', LEFT, TO],
  ] as const)
    it(`RFC 4291 2.5, 2.7: nothing ${what} is forwarded, and nobody is told`, () => {
      const t = new Router();
      t.stack.addRoute({ destination: address('::'), bits: 0, interface: t.rightInterface });
      t.pass({ from, to });
      expect(t.right.drain()).to.deep.equal([]);
      expect(t.left.drain()).to.deep.equal([]);
      expect(t.stack.counters).to.include({ Ip6InAddrErrors: 1, Ip6OutForwDatagrams: 0 });
    });

  it('RFC 4443 3.1, RFC 4007 9: from a link-local address nothing leaves its link, and that is told: beyond the scope of the source', () => {
    const t = new Router();
    t.pass({ from: 'fe80::7', to: TO });
    expect(t.passed()).to.deep.equal([]);
    const [error] = t.errors();
    expect(error).to.include({ to: 'fe80::7', type: 1, code: 2 });
    expect(error?.from).to.match(/^fe80::/);
    expect(t.stack.counters).to.include({ Ip6InAddrErrors: 1, Ip6OutForwDatagrams: 0 });
  });

  it('RFC 4443 2.4 (e): no error about an error, nor (e.6) to who is not one host', () => {
    const t = new Router();
    t.pass({ from: FROM, to: TO, ttl: 1, protocol: 58, payload: Uint8Array.from([1, 0, 0, 0, 0, 0, 0, 0]) });
    expect(t.errors()).to.deep.equal([]);
    t.pass({ from: FROM, to: TO, ttl: 1, protocol: 58, payload: Uint8Array.from([128, 0, 0, 0, 0, 0, 0, 0]) });
    expect(t.errors()).to.have.length(1);
  });

  for (const length of [60, 132, 160, 220, 1200])
    it(`4: behind ${length} bytes of options: a partial checksum is completed where it lies, a super-segment is cut or goes nowhere`, () => {
      const t = new Router();
      const passed = (segmentSize: number) => {
        const payload = Uint8Array.from({ length: 20 + 2 * segmentSize }, (_, i) => i);
        payload[12] = 0x50;
        const extensions = [optionsHeader(60, ...new Uint8Array(length))];
        const ends = { source: address(FROM), destination: address(TO) };
        const bytes = buildIp6(6, payload, { ...ends, extensions });
        const at = bytes.length - payload.length;
        const view = new DataView(bytes.buffer);
        view.setUint16(at + 16, fold(pseudoSum(ends.source, ends.destination, 6) + payload.length));
        t.passOffloaded(bytes, at, 16, segmentSize);
        return t.right.drain();
      };
      const [out, ...more] = passed(0);
      expect(more).to.deep.equal([]);
      expect(isRight(out as Uint8Array)).to.equal(true);
      const pieces = passed(100);
      const canBeCut = length < 100;
      expect(pieces.map(isRight)).to.deep.equal(canBeCut ? [true, true] : []);
      expect(t.stack.counters.Ip6OutDiscards).to.equal(canBeCut ? 0 : 1);
      expect(t.stack.slab.live).to.equal(0);
    });
});

/** Whether the checksum of a segment behind destination options is right. */
function isRight(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const at = 40 + ((view.getUint8(41) + 1) << 3);
  const length = bytes.length - at;
  return fold(sum(view, at, length, sum(view, 8, 32)) + 6 + length) === 0xffff;
}
