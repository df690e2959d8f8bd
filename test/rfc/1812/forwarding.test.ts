/** RFC 1812: what a router does with IPv4 packets for others. What IPv6 has in common with it stands here too. */
import { expect } from 'chai';
import { address as addressOf, buildDatagram, readDatagram } from '../../support/datagram.ts';
import { Router } from '../../support/router.ts';

const FROM = '10.1.0.7';
const TO = '10.2.0.7';
const FAR = '192.0.2.7';

describe('RFC 1812: forwarding', () => {
  it('5.2.1.2: a packet for a neighbour, or for somebody behind a gateway, leaves on the link of its route, as it came', () => {
    const t = new Router();
    for (const to of [TO, FAR]) {
      t.pass({ from: FROM, to, tos: 0xb9, id: 77, dontFragment: true, length: 1000 });
      const [out, ...more] = t.passed();
      expect(more).to.deep.equal([]);
      expect(out).to.include({ from: FROM, to, tos: 0xb9, id: 77, dontFragment: true, size: 1020 });
      const came = readDatagram(buildDatagram({ from: FROM, to, length: 1000 }));
      expect(Buffer.compare(out?.payload as Uint8Array, came.payload)).to.equal(0);
    }
    expect(t.stack.counters).to.include({ ForwDatagrams: 2, InDelivers: 0, OutRequests: 0, InReceives: 2 });
    expect(t.right.nextHops.map((hop) => hop?.toString())).to.deep.equal([undefined, '10.2.0.9']);
  });

  it('5.2.1.2: an unfinished checksum is finished for a link that cannot, and else nothing is computed', () => {
    const t = new Router();
    for (const length of [100, 1400]) {
      t.passPartial({ from: FROM, to: TO, length });
      const { payload } = readDatagram(buildDatagram({ from: FROM, to: TO, length }));
      expect(Buffer.compare(t.passed()[0]?.payload as Uint8Array, payload)).to.equal(0);
    }
  });

  it('1.3.1: a host forwards nothing unless it is told to', () => {
    const t = new Router({ sysctl: { ip_forward: false } });
    t.pass({ from: FROM, to: TO });
    expect(t.passed()).to.deep.equal([]);
    expect(t.errors()).to.deep.equal([]);
    expect(t.stack.counters).to.include({ InAddrErrors: 1, ForwDatagrams: 0 });
  });

  it('5.2.3: what is for the router itself it keeps, on whichever link that comes in', () => {
    const t = new Router();
    t.pass({ from: FROM, to: '10.2.0.1', protocol: 99 });
    expect(t.passed()).to.deep.equal([]);
    // Protocol unreachable: it was delivered.
    expect(t.errors()).to.have.length(1);
  });

  for (const length of [8, 9, 100, 180, 181, 182, 183, 1480])
    it(`5.2.1.2: ${length} bytes behind the header arrive whole`, () => {
      const t = new Router();
      t.pass({ from: FROM, to: TO, length });
      const [out] = t.passed();
      const { payload } = readDatagram(buildDatagram({ from: FROM, to: TO, length }));
      expect(Buffer.compare(out?.payload as Uint8Array, payload)).to.equal(0);
      expect(t.stack.slab.live).to.equal(0);
    });

  it('5.3.1: the TTL goes down by one, RFC 1624 3: and the checksum follows, whatever it was', () => {
    const t = new Router();
    for (let id = 0; id < 0x10000; id += 97) {
      t.pass({ from: FROM, to: TO, ttl: (id % 254) + 2, id });
      expect(t.passed().map(({ ttl, id }) => [ttl, id])).to.deep.equal([[(id % 254) + 1, id]]);
    }
  });

  it('5.3.1, 5.2.7.3: a TTL that would come to zero ends the way: time exceeded, from the address of the link that it came in on', () => {
    const t = new Router();
    for (const ttl of [0, 1]) {
      t.pass({ from: FROM, to: TO, ttl });
      expect(t.passed()).to.deep.equal([]);
      const [error] = t.errors();
      expect(error).to.include({ from: '10.1.0.1', to: FROM, type: 11, code: 0, parameter: 0 });
      const came = buildDatagram({ from: FROM, to: TO, ttl });
      expect(Buffer.compare(error?.quoted as Uint8Array, came)).to.equal(0);
    }
    expect(t.stack.counters).to.include({ InHdrErrors: 2, IcmpOutTimeExcds: 2, ForwDatagrams: 0 });
  });

  it('5.3.1: it is no reason that the next router will find a TTL of zero', () => {
    const t = new Router();
    t.pass({ from: FROM, to: TO, ttl: 2 });
    expect(t.passed().map(({ ttl }) => ttl)).to.deep.equal([1]);
  });

  it('5.2.7.1: without a route: net unreachable', () => {
    const t = new Router();
    t.pass({ from: FROM, to: '198.51.100.1' });
    expect(t.errors().map(({ type, code }) => [type, code])).to.deep.equal([[3, 0]]);
    expect(t.stack.counters).to.include({ InNoRoutes: 1, IcmpOutDestUnreachs: 1 });
  });

  for (const [rejection, answer] of [
    ['blackhole', []],
    ['unreachable', [[3, 1]]],
    ['prohibit', [[3, 13]]],
  ] as const)
    it(`5.2.7.1: a route that is ${rejection} is answered with ${JSON.stringify(answer)}`, () => {
      const t = new Router();
      t.stack.addRoute({ destination: addressOf(FAR), bits: 32, interface: t.stack.network.nowhere, rejection });
      t.pass({ from: FROM, to: FAR });
      expect(t.errors().map(({ type, code }) => [type, code])).to.deep.equal(answer);
      expect(t.passed()).to.deep.equal([]);
    });

  it('5.2.1.2 (5) before (7): without a route nobody asks for the TTL', () => {
    const t = new Router();
    t.pass({ from: FROM, to: '198.51.100.1', ttl: 1 });
    expect(t.errors().map(({ type }) => type)).to.deep.equal([3]);
  });

  for (const [what, from, to] of [
    ['to the limited broadcast address', FROM, '255.255.255.255'],
    ["to the broadcast address of a link's network (RFC 2644 3)", FROM, '10.2.0.255'],
    ['to network 0', FROM, '0.1.2.3'],
    ['to 127/8', FROM, '127.0.0.1'],
    ['to class E', FROM, '240.0.0.1'],
    ['to a multicast address', FROM, '239.1.1.1'],
    ['to a link-local address (RFC 3927 7)', FROM, '169.254.1.1'],
    ['from a link-local address', '169.254.1.1', TO],
    ['from the unspecified address', '0.0.0.0', TO],
    ['from network 0', '0.0.0.7', TO],
    ['from 127/8', '127.0.0.1', TO],
    ['from class E', '240.0.0.1', TO],
    ['from a multicast address', '224.0.0.1', TO],
    ['from the limited broadcast address', '255.255.255.255', TO],
    ["from a link's broadcast address", '10.1.0.255', TO],
    ['from an address of the router', '10.1.0.1', TO],
  ] as const)
    it(`5.3.7, 5.3.5: nothing ${what} is forwarded, and nobody is told`, () => {
      const t = new Router();
      t.stack.addRoute({ destination: addressOf('0.0.0.0'), bits: 0, interface: t.rightInterface });
      // Not UDP, which may hear a broadcast.
      t.pass({ from, to, protocol: 47 });
      expect(t.right.drain()).to.deep.equal([]);
      expect(t.left.drain()).to.deep.equal([]);
      expect(t.stack.counters).to.include({ InAddrErrors: 1, ForwDatagrams: 0 });
    });

  it('5.3.8: rp_filter, off by default: 1 believes a source on the link that leads back to it, 2 one that any link leads to', () => {
    for (const [mode, seen] of [
      [0, ['10.1.0.7', '10.2.0.8', '198.51.100.1']],
      [1, ['10.1.0.7']],
      [2, ['10.1.0.7', '10.2.0.8']],
    ] as const) {
      const t = new Router(mode === 0 ? {} : { sysctl: { rp_filter: mode } });
      for (const from of ['10.1.0.7', '10.2.0.8', '198.51.100.1']) t.pass({ from, to: TO });
      expect(t.passed().map(({ from }) => from)).to.deep.equal(seen);
      expect(t.left.drain()).to.deep.equal([]);
      expect(t.stack.counters.IPReversePathFilter).to.equal(3 - seen.length);
      // What comes to the router itself, too.
      t.pass({ from: '198.51.100.1', to: '10.1.0.1', protocol: 99 });
      expect(t.left.drain()).to.have.length(mode === 0 ? 1 : 0);
    }
  });

  it('5.2.2: nothing with a wrong header is forwarded', () => {
    const t = new Router();
    for (const at of [8, 10, 1]) {
      const bytes = buildDatagram({ from: FROM, to: TO });
      bytes[at] = (bytes[at] as number) ^ 1;
      t.left.deliver(bytes);
    }
    const short = buildDatagram({ from: FROM, to: TO });
    t.left.deliver(short.subarray(0, 30));
    expect(t.passed()).to.deep.equal([]);
    expect(t.stack.counters).to.include({ InHdrErrors: 4 });
  });

  it('5.2.2: bytes of the frame behind the packet do not go on', () => {
    const t = new Router();
    t.left.deliver(Uint8Array.from([...buildDatagram({ from: FROM, to: TO, length: 8 }), ...new Uint8Array(18)]));
    expect(t.passed().map(({ size }) => size)).to.deep.equal([28]);
  });

  it('4.3.2.5: an error has the TOS of what it is about, and the precedence of internetwork control (Linux)', () => {
    const t = new Router();
    for (const [tos, answered] of [
      [0, 0xc0],
      [0xb9, 0xd8],
      [0xff, 0xde],
      [8, 0xc8],
    ] as const) {
      t.pass({ from: FROM, to: TO, ttl: 1, tos });
      expect(t.left.drain().map((bytes) => readDatagram(bytes).tos)).to.deep.equal([answered]);
    }
  });

  it('4.3.2.7: no error about an error, about a fragment that is not the first, nor to who is not one host', () => {
    const t = new Router();
    const unreachable = Uint8Array.from([3, 1, 0xfc, 0xfe, 0, 0, 0, 0, 0x45]);
    t.pass({ from: FROM, to: TO, ttl: 1, protocol: 1, payload: unreachable });
    t.pass({ from: FROM, to: TO, ttl: 1, offset: 8 });
    expect(t.errors()).to.deep.equal([]);
    t.pass({ from: FROM, to: TO, ttl: 1, protocol: 1, payload: Uint8Array.from([8, 0, 0xf7, 0xff, 0, 0, 0, 0]) });
    t.pass({ from: FROM, to: TO, ttl: 1, moreFragments: true });
    expect(t.errors()).to.have.length(2);
  });

  it('4.3.2.8: errors are limited by time', async () => {
    const t = new Router({ sysctl: { icmp_ratelimit: 1000, icmp_msgs_per_sec: 1000 } });
    for (let i = 0; i < 20; i++) t.pass({ from: FROM, to: TO, ttl: 1 });
    const burst = t.errors().length;
    expect(burst).to.be.within(1, 10);
    await t.clock.advance(1000);
    for (let i = 0; i < 20; i++) t.pass({ from: FROM, to: TO, ttl: 1 });
    expect(t.errors()).to.have.length(1);
    expect(t.stack.counters.IcmpOutRateLimitHost).to.equal(40 - burst - 1);
  });

  it('5.3.6: what finds the queue full is lost, counted, and holds no memory', async () => {
    const t = new Router();
    t.right.room = 0;
    for (let i = 0; i < 200; i++) t.pass({ from: FROM, to: TO, length: 1000, id: i });
    expect(t.stack.counters.OutDiscards).to.equal(200 - 128);
    expect(t.stack.slab.live).to.equal(128);
    t.right.room = Infinity;
    t.right.receiver.writable();
    await t.clock.advance(0);
    expect(t.passed().map(({ id }) => id)).to.deep.equal(Array.from({ length: 128 }, (_, i) => i));
    expect(t.stack.slab.live).to.equal(0);
  });

  it('5.3.12.3: nothing is sent over a link that is down', () => {
    const t = new Router();
    t.right.receiver.down();
    t.pass({ from: FROM, to: TO });
    expect(t.passed()).to.deep.equal([]);
    expect(t.stack.counters.OutDiscards).to.equal(1);
  });
});

describe('RFC 1812: fragments', () => {
  const mtu = 576;

  it('4.2.2.7: what is too large is cut into as few fragments as there can be, in order', () => {
    const t = new Router({ mtu });
    t.pass({ from: FROM, to: TO, length: 1400, id: 9 });
    const pieces = t.passed();
    expect(
      pieces.map(({ size, offset, moreFragments, ttl, id }) => [size, offset, moreFragments, ttl, id]),
    ).to.deep.equal([
      [572, 0, true, 63, 9],
      [572, 552, true, 63, 9],
      [316, 1104, false, 63, 9],
    ]);
    const { payload } = readDatagram(buildDatagram({ from: FROM, to: TO, length: 1400 }));
    expect(Buffer.compare(Buffer.concat(pieces.map((piece) => piece.payload)), payload)).to.equal(0);
    expect(t.stack.counters).to.include({ FragOKs: 1, FragCreates: 3, ForwDatagrams: 1 });
    // A checksum that was left to be completed is of all of them.
    t.passPartial({ from: FROM, to: FAR, length: 1400 });
    const far = readDatagram(buildDatagram({ from: FROM, to: FAR, length: 1400 }));
    const parts = t.passed().map((piece) => piece.payload);
    expect(Buffer.compare(Buffer.concat(parts), far.payload)).to.equal(0);
    expect(t.right.nextHops.slice(-3).map((hop) => hop?.toString())).to.deep.equal(Array(3).fill('10.2.0.9'));
    expect(t.stack.slab.live).to.equal(0);
  });

  it('4.2.2.7: fragments are cut further, and 5.2.6: never put together', () => {
    const t = new Router({ mtu });
    t.pass({ from: FROM, to: TO, length: 800, offset: 1480, moreFragments: true });
    expect(t.passed().map(({ size, offset, moreFragments }) => [size, offset, moreFragments])).to.deep.equal([
      [572, 1480, true],
      [268, 2032, true],
    ]);
    t.pass({ from: FROM, to: TO, length: 800, offset: 1480 });
    expect(t.passed().map(({ moreFragments }) => moreFragments)).to.deep.equal([true, false]);
    t.pass({ from: FROM, to: TO, length: 80, moreFragments: true });
    t.pass({ from: FROM, to: TO, length: 80, offset: 80 });
    expect(t.passed().map(({ size }) => size)).to.deep.equal([100, 100]);
  });

  it('5.2.7.1, RFC 1191 4: with DF set it is fragmentation needed, with the MTU of the next hop', () => {
    const t = new Router({ mtu });
    t.pass({ from: FROM, to: TO, length: 557, dontFragment: true });
    expect(t.passed()).to.deep.equal([]);
    expect(t.errors()[0]).to.include({ from: '10.1.0.1', to: FROM, type: 3, code: 4, parameter: mtu });
    t.pass({ from: FROM, to: TO, length: 556, dontFragment: true });
    expect(t.passed()).to.have.length(1);
    expect(t.stack.counters).to.include({ FragFails: 1, ForwDatagrams: 1 });
  });

  it("the MTU of a route's metrics counts, when it is less", () => {
    const t = new Router();
    const interface_ = t.rightInterface;
    t.stack.addRoute({ destination: addressOf(TO), bits: 32, interface: interface_, metrics: { mtu: 1000 } });
    t.pass({ from: FROM, to: TO, length: 981, dontFragment: true });
    expect(t.errors().map(({ parameter }) => parameter)).to.deep.equal([1000]);
  });

  it('RFC 791 3.1: options that are to be copied stand in every fragment, others in the first', () => {
    const t = new Router({ mtu });
    const security = [130, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    const stream = [1, 136, 4, 1, 2];
    const experimental = [30, 4, 9, 9];
    t.pass({ from: FROM, to: TO, length: 1000, options: [...experimental, ...security, ...stream] });
    const [first, second] = t.passed();
    expect(first?.options).to.deep.equal([...experimental, ...security, ...stream]);
    expect(second?.options).to.deep.equal([...security, ...stream.slice(1), 0]);
    expect(first?.size).to.be.at.most(mtu);
    expect((first?.payload.length ?? 0) + (second?.payload.length ?? 0)).to.equal(1000);
  });
});

describe('RFC 1812: options of forwarded packets', () => {
  it('5.3.13.1: unrecognized ones pass unchanged', () => {
    const t = new Router();
    const options = [30, 4, 9, 9, 94, 2, 0, 0];
    t.pass({ from: FROM, to: TO, options });
    expect(t.passed()[0]?.options).to.deep.equal(options);
  });

  it('5.3.13.5: Record Route gets the address of the link that the packet leaves by, as long as there is room', () => {
    const t = new Router();
    t.pass({ from: FROM, to: TO, options: [7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0] });
    expect(t.passed()[0]?.options).to.deep.equal([7, 11, 8, 10, 2, 0, 1, 0, 0, 0, 0, 0]);
    t.pass({ from: FROM, to: TO, options: [1, 7, 7, 8, 1, 2, 3, 4] });
    expect(t.passed()[0]?.options).to.deep.equal([1, 7, 7, 8, 1, 2, 3, 4]);
  });

  it('5.3.13.6: Timestamp gets the time since midnight, with the address where that is asked for', async () => {
    const t = new Router();
    await t.clock.advance(0x01020304);
    const at = Math.floor(t.clock.wallNow()) % 86_400_000;
    const time = [at >>> 24, (at >> 16) & 255, (at >> 8) & 255, at & 255];
    t.pass({ from: FROM, to: TO, options: [68, 8, 5, 0, 0, 0, 0, 0] });
    expect(t.passed()[0]?.options).to.deep.equal([68, 8, 9, 0, ...time]);
    t.pass({ from: FROM, to: TO, options: [68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0] });
    expect(t.passed()[0]?.options).to.deep.equal([68, 12, 13, 1, 10, 2, 0, 1, ...time]);
    // Only from who is named.
    t.pass({ from: FROM, to: TO, options: [68, 12, 5, 3, 10, 1, 0, 1, 0, 0, 0, 0] });
    expect(t.passed()[0]?.options).to.deep.equal([68, 12, 13, 3, 10, 1, 0, 1, ...time]);
    t.pass({ from: FROM, to: TO, options: [68, 12, 5, 3, 10, 1, 0, 9, 0, 0, 0, 0] });
    expect(t.passed()[0]?.options).to.deep.equal([68, 12, 5, 3, 10, 1, 0, 9, 0, 0, 0, 0]);
    // Who finds no room is counted.
    t.pass({ from: FROM, to: TO, options: [68, 8, 9, 0x20, 1, 2, 3, 4] });
    expect(t.passed()[0]?.options).to.deep.equal([68, 8, 9, 0x30, 1, 2, 3, 4]);
  });

  for (const [what, options, pointer] of [
    ['a length that leads out of the header', [30, 9, 0, 0], 21],
    ['a length of 1', [30, 1, 0, 0], 21],
    ['a Record Route that points into itself', [7, 7, 3, 0, 0, 0, 0], 22],
    ['a Record Route with half a slot', [7, 6, 4, 0, 0, 0], 22],
    ['a Timestamp of an unknown kind', [68, 8, 5, 2, 0, 0, 0, 0], 23],
    ['a Timestamp whose overflow overflows', [68, 8, 9, 0xf0, 0, 0, 0, 0], 23],
  ] as const)
    it(`RFC 1122 3.2.2.5: ${what} is a parameter problem`, () => {
      const t = new Router();
      t.pass({ from: FROM, to: TO, options });
      expect(t.passed()).to.deep.equal([]);
      const [error] = t.errors();
      expect(error).to.include({ type: 12, code: 0, parameter: (pointer << 24) | 0 });
    });

  for (const type of [131, 137])
    it(`source route (option ${type}) is not followed, which differs from 5.3.13.4: RFC 7126 4.3.5, 4.4.5`, () => {
      const t = new Router();
      t.pass({ from: FROM, to: TO, options: [type, 7, 4, 10, 2, 0, 9, 0] });
      expect(t.passed()).to.deep.equal([]);
      expect(t.errors()).to.deep.equal([]);
    });
});
