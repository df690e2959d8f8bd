/** RFC 768: User Datagram Protocol; RFC 8200 8.1 for what IPv6 changes. */
import { expect } from 'chai';
import fc from 'fast-check';
import { checksum, pseudoHeaderSum4, sum } from '../../../src/wire/checksum.ts';
import { pattern } from '../../support/pair.ts';
import { HOST, PEER, to, UdpWire } from '../../support/udp-wire.ts';
import { readUdp } from '../../support/wire-datagram.ts';

describe('RFC 768: datagrams', () => {
  let t: UdpWire;
  beforeEach(() => {
    t = new UdpWire();
  });
  afterEach(() => t.end());

  for (const family of [4, 6] as const) {
    const counted = (name: string) =>
      (t.stack.counters as Readonly<Record<string, number>>)[`${family === 4 ? 'Udp' : 'Udp6'}${name}`];

    describe(`over IPv${family}`, () => {
      it('Fields: ports, length, checksum and data are those that were sent', async () => {
        t.socket(family, 1234).send(pattern(501), 0, to(family));
        const out = await t.datagram();
        expect(out).to.include({ sourcePort: 1234, destinationPort: 9000, length: 509, isRight: true });
        expect(out.data).to.deep.equal(pattern(501));
      });

      it('Fields: a datagram goes to who has its port, with its data and its sender', () => {
        const [one, other] = [t.socket(family, 53), t.socket(family, 54)];
        t.inject({ family, data: pattern(99), sourcePort: 7 });
        const got = t.received(one);
        expect(got?.data).to.deep.equal(pattern(99));
        expect(got?.from).to.deep.equal({ address: PEER[family], port: 7 });
        expect(t.received(other)).to.equal(undefined);
      });

      it('Length: a datagram may be empty', async () => {
        const socket = t.socket(family, 53);
        t.inject({ family });
        expect(t.received(socket)?.length).to.equal(0);
        socket.send(new Uint8Array(), 0, to(family));
        expect(await t.datagram()).to.include({ length: 8, isRight: true });
      });

      it('Length: bytes behind it are not part of the datagram', () => {
        const socket = t.socket(family, 53);
        t.inject({ family, data: pattern(20), length: 18, checksum: 0xffff }, (view) => {
          // The sum is of the 18 bytes alone.
          const at = family === 4 ? 20 : 40;
          view.setUint16(at + 6, 0);
          const words = sum(view, family === 4 ? 12 : 8, family === 4 ? 8 : 32) + 17 + 18;
          view.setUint16(at + 6, checksum(sum(view, at, 18, words)));
        });
        expect(t.received(socket)?.data).to.deep.equal(pattern(10));
      });

      for (const length of [0, 7, 29, 65_535]) {
        it(`Length: ${length} for a datagram of 28 bytes is dropped and counted`, () => {
          const socket = t.socket(family, 53);
          t.inject({ family, data: pattern(20), length });
          expect(t.received(socket)).to.equal(undefined);
          expect([counted('InErrors'), counted('InCsumErrors'), counted('NoPorts')]).to.deep.equal([1, 0, 0]);
        });
      }

      it('Checksum: one that is wrong is dropped silently and counted', async () => {
        const socket = t.socket(family, 53);
        t.inject({ family, data: pattern(20), checksum: 0x1234 });
        t.inject({ family, data: pattern(20), checksum: 0x1234, destinationPort: 54 });
        expect(t.received(socket)).to.equal(undefined);
        expect(await t.sent()).to.deep.equal([]);
        expect([counted('InErrors'), counted('InCsumErrors')]).to.deep.equal([2, 2]);
      });

      it('Checksum: it is of the pseudo-header, too: another destination is noticed', () => {
        const socket = t.socket(family, 53);
        t.inject({ family, data: pattern(4) }, (view) => {
          // The ports are changed against each other, but for the sum of one.
          const at = family === 4 ? 20 : 40;
          view.setUint16(at, view.getUint16(at) + 1);
        });
        expect(t.received(socket)).to.equal(undefined);
        expect(counted('InCsumErrors')).to.equal(1);
      });

      it('Checksum: one that comes to zero goes out as all ones', async () => {
        const socket = t.socket(family, 1234);
        // The two bytes of data are made so that the sum is all ones.
        socket.send(Uint8Array.of(0, 0), 0, to(family));
        const { checksum: field } = await t.datagram();
        socket.send(Uint8Array.of(field >> 8, field & 255), 0, to(family));
        const zero = await t.datagram();
        expect(zero).to.include({ checksum: 0xffff, isRight: true });
        t.inject({
          family,
          data: zero.data,
          checksum: 0xffff,
          source: PEER[family],
          sourcePort: 9000,
          destinationPort: 1234,
        });
        expect(t.received(socket)?.data).to.deep.equal(zero.data);
      });
    });
  }

  it('Checksum: zero says that there is none', () => {
    const socket = t.socket(4, 53);
    t.inject({ data: pattern(20), checksum: 0 });
    expect(t.received(socket)?.data).to.deep.equal(pattern(20));
    expect(t.stack.counters.UdpInCsumErrors).to.equal(0);
  });

  it('RFC 8200 8.1: over IPv6 a datagram without a checksum is dropped and counted, for nobody, too', async () => {
    const socket = t.socket(6, 53);
    t.inject({ family: 6, data: pattern(20), checksum: 0 });
    t.inject({ family: 6, data: pattern(20), checksum: 0, destinationPort: 54 });
    expect(t.received(socket)).to.equal(undefined);
    expect(t.stack.counters).to.include({ Udp6InCsumErrors: 2, Udp6InErrors: 2, Udp6NoPorts: 0 });
    expect(await t.sent()).to.deep.equal([]);
  });

  it('whatever the data, and in however many pieces, the checksum is right', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(4 as const, 6 as const),
        fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 5 }),
        async (family, lengths) => {
          const socket = t.socket(family);
          const list = lengths.map((length, i) => pattern(length, i));
          const total = lengths.reduce((a, b) => a + b, 0);
          expect(socket.sendv(list, 0, to(family))).to.equal(total);
          const packets = await t.sent();
          if (packets.length > 1) return;
          const out = readUdp(packets[0] as Uint8Array);
          expect(out.isRight).to.equal(true);
          expect(out.data).to.deep.equal(Uint8Array.from(list.flatMap((bytes) => [...bytes])));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('the pseudo-header is of both addresses, the protocol and the length', async () => {
    t.socket(4, 1).send(Uint8Array.of(1, 2), 0, to(4, 2));
    const { checksum: field } = await t.datagram();
    const words = pseudoHeaderSum4(HOST[4].w3, PEER[4].w3, 17) + 10 + 1 + 2 + 10 + 0x0102;
    expect(field).to.equal(checksum(words));
  });
});
