import { expect } from 'chai';
import fc from 'fast-check';
import { checksum, pseudoHeaderSum4, sum } from '../../src/wire/checksum.ts';
import { OK, UDP_BAD_LENGTH, UDP_TRUNCATED } from '../../src/wire/reasons.ts';
import { parseUdp, setUdpChecksum, UdpHeader, udpChecksumOk, writeUdpHeader } from '../../src/wire/udp.ts';
import { everywhere, viewOf } from './everywhere.ts';

const port = fc.nat(0xffff);

describe('wire/udp', () => {
  it('reads what it wrote', () => {
    fc.assert(
      fc.property(port, port, fc.uint8Array({ maxLength: 64 }), fc.nat(3), (source, destination, payload, trailing) => {
        const bytes = new Uint8Array(8 + payload.length + trailing);
        bytes.set(payload, 8);
        const view = viewOf(bytes);
        const length = 8 + payload.length;
        const pseudo = pseudoHeaderSum4(0x0a090001, 0x0a090002, 17);
        writeUdpHeader(view, 0, source, destination, length);
        setUdpChecksum(view, 0, checksum(sum(view, 0, length, pseudo + length)));
        const header = new UdpHeader();
        expect(parseUdp(view, 0, bytes.length, header)).to.equal(OK);
        expect(header.checksum).to.not.equal(0);
        expect({ ...header, checksum: 0 }).to.deep.equal({
          sourcePort: source,
          destinationPort: destination,
          length,
          checksum: 0,
          payloadOffset: 8,
          payloadLength: payload.length,
        });
        expect(udpChecksumOk(view, 0, length, pseudo)).to.equal(true);
        bytes[0] = (bytes[0] as number) ^ 1;
        expect(udpChecksumOk(view, 0, length, pseudo)).to.equal(false);
      }),
    );
  });

  it('[RFC 768] takes no checksum, and sends zero as all ones', () => {
    const view = new DataView(new ArrayBuffer(8));
    writeUdpHeader(view, 0, 1, 2, 8);
    expect(udpChecksumOk(view, 0, 8, 12345)).to.equal(true);
    setUdpChecksum(view, 0, 0);
    expect(view.getUint16(6)).to.equal(0xffff);
  });

  it('gives each fault its reason', () => {
    const view = new DataView(new ArrayBuffer(12));
    const header = new UdpHeader();
    for (const [claimed, reason] of [
      [7, UDP_BAD_LENGTH],
      [0, UDP_BAD_LENGTH],
      [8, OK],
      [12, OK],
      [13, UDP_TRUNCATED],
    ] as const) {
      writeUdpHeader(view, 0, 1, 2, claimed);
      expect(parseUdp(view, 0, 12, header), `${claimed}`).to.equal(reason);
    }
    expect(parseUdp(view, 0, 7, header)).to.equal(UDP_TRUNCATED);
  });

  it('takes any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        if (bytes.length > 4) bytes[4] = 0;
        const header = new UdpHeader();
        everywhere(bytes, (view, offset) => {
          const reason = parseUdp(view, offset, bytes.length, header);
          if (reason !== OK) return { reason };
          expect(header.payloadOffset - offset + header.payloadLength).to.be.at.most(bytes.length);
          return { reason, ...header, payloadOffset: 8, fine: udpChecksumOk(view, offset, header.length, 7) };
        });
      }),
      { numRuns: 500 },
    );
  });
});
