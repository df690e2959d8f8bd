import { expect } from 'chai';
import fc from 'fast-check';
import { checksum, sum } from '../../src/wire/checksum.ts';
import { Ipv4Header, MORE_FRAGMENTS, parseIpv4, parseQuotedIpv4, writeIpv4 } from '../../src/wire/ipv4.ts';
import {
  IP_BAD_CHECKSUM,
  IP_BAD_HEADER_LENGTH,
  IP_BAD_TOTAL_LENGTH,
  IP_BAD_VERSION,
  IP_TRUNCATED,
  OK,
} from '../../src/wire/reasons.ts';
import { everywhere, fromHex, viewOf } from './everywhere.ts';

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

function parse(bytes: Uint8Array): { reason: number; header: Ipv4Header } {
  const header = new Ipv4Header();
  return { reason: parseIpv4(viewOf(bytes), 0, bytes.length, header), header };
}

/** A packet whose bytes were changed, with the checksum made anew. */
function changed(change: (bytes: Uint8Array, view: DataView) => void): Uint8Array {
  const bytes = fromHex('4500 001c 1c46 4000 4006 0000 ac10 0a63 ac10 0a0c 0102 0304 0506 0708');
  const view = viewOf(bytes);
  change(bytes, view);
  view.setUint16(10, 0);
  view.setUint16(10, checksum(sum(view, 0, Math.min((view.getUint8(0) & 0xf) * 4, bytes.length))));
  return bytes;
}

describe('wire/ipv4', () => {
  it('reads a header of the wild', () => {
    // A TCP packet whose checksum 0xb1e6 is known.
    const bytes = new Uint8Array(60);
    bytes.set(fromHex('4500 003c 1c46 4000 4006 b1e6 ac10 0a63 ac10 0a0c'));
    const { reason, header } = parse(bytes);
    expect(reason).to.equal(OK);
    expect({ ...header }).to.deep.equal({
      headerLength: 20,
      totalLength: 60,
      tos: 0,
      identification: 0x1c46,
      dontFragment: true,
      moreFragments: false,
      fragmentOffset: 0,
      ttl: 64,
      protocol: 6,
      source: 0xac100a63 | 0,
      destination: 0xac100a0c | 0,
    });
  });

  it('writes that header', () => {
    const bytes = new Uint8Array(20);
    writeIpv4(viewOf(bytes), 0, 60, 0, 0x1c46, true, 64, 6, 0xac100a63, 0xac100a0c);
    expect(bytes).to.deep.equal(fromHex('4500 003c 1c46 4000 4006 b1e6 ac10 0a63 ac10 0a0c'));
  });

  it('reads what it wrote, fragments too', () => {
    fc.assert(
      fc.property(
        fc.record({
          totalLength: fc.integer({ min: 20, max: 200 }),
          tos: fc.nat(255),
          identification: fc.nat(0xffff),
          dontFragment: fc.boolean(),
          moreFragments: fc.boolean(),
          fragmentOffset: fc.nat(0x1fff).map((units) => units * 8),
          ttl: fc.nat(255),
          protocol: fc.nat(255),
          source: int32,
          destination: int32,
        }),
        fc.nat(3),
        (fields, trailing) => {
          const bytes = new Uint8Array(fields.totalLength + trailing);
          const fragment = (fields.moreFragments ? MORE_FRAGMENTS : 0) | (fields.fragmentOffset >> 3);
          const { totalLength, tos, identification, dontFragment, ttl, protocol, source, destination } = fields;
          const view = viewOf(bytes);
          writeIpv4(
            view,
            0,
            totalLength,
            tos,
            identification,
            dontFragment,
            ttl,
            protocol,
            source,
            destination,
            fragment,
          );
          const { reason, header } = parse(bytes);
          expect(reason).to.equal(OK);
          expect({ ...header }).to.deep.equal({ headerLength: 20, ...fields });
        },
      ),
    );
  });

  it('writes nothing but its 20 bytes', () => {
    const bytes = new Uint8Array(30).fill(0xee);
    writeIpv4(viewOf(bytes), 5, 60, 0, 1, true, 64, 6, 1, 2);
    expect([...bytes.slice(0, 5), ...bytes.slice(25)]).to.deep.equal(new Array(10).fill(0xee));
  });

  it('skips options by the header length', () => {
    const bytes = changed((all, view) => {
      all[0] = 0x47;
      view.setUint16(2, 28);
    });
    const { reason, header } = parse(bytes);
    expect([reason, header.headerLength, header.totalLength]).to.deep.equal([OK, 28, 28]);
  });

  it('gives each fault its reason', () => {
    const good = changed(() => {});
    expect(parse(good).reason).to.equal(OK);
    expect(parse(new Uint8Array(0)).reason).to.equal(IP_TRUNCATED);
    expect(parse(good.slice(0, 19)).reason).to.equal(IP_TRUNCATED);
    expect(parse(good.slice(0, 27)).reason).to.equal(IP_TRUNCATED);
    expect(parse(changed((bytes) => (bytes[0] = 0x65))).reason).to.equal(IP_BAD_VERSION);
    expect(parse(changed((bytes) => (bytes[0] = 0x44))).reason).to.equal(IP_BAD_HEADER_LENGTH);
    expect(parse(changed((bytes) => (bytes[0] = 0x4f))).reason).to.equal(IP_TRUNCATED);
    expect(parse(changed((_, view) => view.setUint16(2, 19))).reason).to.equal(IP_BAD_TOTAL_LENGTH);
    expect(parse(changed((_, view) => view.setUint16(2, 29))).reason).to.equal(IP_TRUNCATED);
    expect(parse(changed((_, view) => view.setUint32(0, 0x46000014))).reason).to.equal(IP_BAD_TOTAL_LENGTH);
  });

  it('[RFC 1122 3.2.1.2] refuses every flipped bit of the header', () => {
    const good = changed(() => {});
    for (let bit = 32; bit < 160; bit++) {
      const bad = Uint8Array.from(good);
      bad[bit >> 3] = (bad[bit >> 3] as number) ^ (0x80 >> (bit & 7));
      expect(parse(bad).reason, `bit ${bit}`).to.equal(IP_BAD_CHECKSUM);
    }
  });

  it('reads a quoted header that is cut short and was changed on its way', () => {
    const bytes = fromHex('4500 05dc 1c46 4000 0106 dead ac10 0a63 ac10 0a0c 0102 0304 0506 0708');
    const header = new Ipv4Header();
    expect(parseQuotedIpv4(viewOf(bytes), 0, bytes.length, header)).to.equal(OK);
    expect([header.totalLength, header.ttl, header.headerLength]).to.deep.equal([1500, 1, 20]);
    expect(parseQuotedIpv4(viewOf(bytes), 0, 19, header)).to.equal(IP_TRUNCATED);
    bytes[0] = 0x47;
    expect(parseQuotedIpv4(viewOf(bytes), 0, 28, header)).to.equal(OK);
    expect(parseQuotedIpv4(viewOf(bytes), 0, 27, header)).to.equal(IP_TRUNCATED);
  });

  it('takes any bytes', () => {
    const start = fc.constantFrom(0x45, 0x46, 0x4f, 0x44, 0x60);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), start, fc.boolean(), fc.boolean(), (bytes, first, shape, sign) => {
        if (shape && bytes.length >= 20) {
          bytes[0] = first;
          bytes[2] = 0;
          const view = viewOf(bytes);
          view.setUint16(10, 0);
          if (sign) view.setUint16(10, checksum(sum(view, 0, Math.min((first & 0xf) * 4, bytes.length))));
        }
        const header = new Ipv4Header();
        const { reason } = everywhere(bytes, (view, offset) => {
          const reason = parseIpv4(view, offset, bytes.length, header);
          return { reason, header: reason === OK ? { ...header } : undefined };
        });
        everywhere(bytes, (view, offset) => parseQuotedIpv4(view, offset, bytes.length, header));
        if (reason !== OK) return;
        expect(header.headerLength).to.be.within(20, header.totalLength);
        expect(header.totalLength).to.be.at.most(bytes.length);
      }),
      { numRuns: 1000 },
    );
  });
});
