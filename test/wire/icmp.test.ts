import { expect } from 'chai';
import fc from 'fast-check';
import { checksum, sum } from '../../src/wire/checksum.ts';
import {
  ICMP_FRAGMENTATION_NEEDED,
  ICMP_TTL_EXCEEDED,
  IcmpMessage,
  isIcmpError,
  parseIcmp,
  writeEchoReply,
  writeEchoRequest,
  writeParameterProblem,
  writeTimeExceeded,
  writeUnreachable,
} from '../../src/wire/icmp.ts';
import { ICMP_BAD_CHECKSUM, ICMP_TRUNCATED, OK } from '../../src/wire/reasons.ts';
import { everywhere, fromHex, viewOf } from './everywhere.ts';

/** Writes a message around a payload and reads it again. */
function roundTrip(payload: Uint8Array, write: (view: DataView, length: number) => void): IcmpMessage {
  const bytes = new Uint8Array(8 + payload.length).fill(0xee);
  bytes.set(payload, 8);
  write(viewOf(bytes), bytes.length);
  expect(bytes.slice(8)).to.deep.equal(payload);
  const message = new IcmpMessage();
  expect(parseIcmp(viewOf(bytes), 0, bytes.length, message)).to.equal(OK);
  expect([message.payloadOffset, message.payloadLength]).to.deep.equal([8, payload.length]);
  return message;
}

const payload = fc.uint8Array({ maxLength: 80 });
const uint16 = fc.nat(0xffff);

describe('wire/icmp', () => {
  it('writes an echo reply as the wire has it', () => {
    const bytes = fromHex('0000 0000 0000 0000 6162');
    writeEchoReply(viewOf(bytes), 0, 10, 0x1234, 1);
    expect(Buffer.from(bytes).toString('hex')).to.equal('00008c68123400016162');
  });

  it('reads what it wrote', () => {
    fc.assert(
      fc.property(payload, uint16, uint16, (data, a, b) => {
        const request = roundTrip(data, (view, length) => writeEchoRequest(view, 0, length, a, b));
        expect(request).to.include({ type: 8, code: 0, identifier: a, sequence: b });
        const reply = roundTrip(data, (view, length) => writeEchoReply(view, 0, length, a, b));
        expect(reply).to.include({ type: 0, code: 0, identifier: a, sequence: b });
        const unreachable = roundTrip(data, (view, length) =>
          writeUnreachable(view, 0, length, ICMP_FRAGMENTATION_NEEDED, a),
        );
        expect(unreachable).to.include({ type: 3, code: 4, mtu: a });
        const exceeded = roundTrip(data, (view, length) => writeTimeExceeded(view, 0, length, ICMP_TTL_EXCEEDED));
        expect(exceeded).to.include({ type: 11, code: 0, identifier: 0, mtu: 0 });
        const problem = roundTrip(data, (view, length) => writeParameterProblem(view, 0, length, a & 0xff));
        expect(problem).to.include({ type: 12, code: 0, pointer: a & 0xff });
      }),
    );
  });

  it('[RFC 1122 3.2.2] knows which messages report errors', () => {
    const errors = Array.from({ length: 256 }, (_, type) => type).filter(isIcmpError);
    expect(errors).to.deep.equal([3, 4, 5, 11, 12]);
  });

  it('refuses what is short or damaged', () => {
    const bytes = fromHex('0800 0000 0001 0002 aabb');
    writeEchoRequest(viewOf(bytes), 0, 10, 1, 2);
    const message = new IcmpMessage();
    expect(parseIcmp(viewOf(bytes), 0, 7, message)).to.equal(ICMP_TRUNCATED);
    for (let bit = 0; bit < 80; bit++) {
      const bad = Uint8Array.from(bytes);
      bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(parseIcmp(viewOf(bad), 0, 10, message), `bit ${bit}`).to.equal(ICMP_BAD_CHECKSUM);
    }
  });

  it('takes any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (bytes, sign) => {
        if (sign && bytes.length >= 8) {
          const view = viewOf(bytes);
          view.setUint16(2, 0);
          view.setUint16(2, checksum(sum(view, 0, bytes.length)));
        }
        const { reason } = everywhere(bytes, (view, offset) => {
          const message = new IcmpMessage();
          const reason = parseIcmp(view, offset, bytes.length, message);
          return { reason, ...message, payloadOffset: reason === OK ? message.payloadOffset - offset : 0 };
        });
        if (sign && bytes.length >= 8) expect(reason).to.equal(OK);
      }),
      { numRuns: 500 },
    );
  });
});
