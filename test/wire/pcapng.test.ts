import { expect } from 'chai';
import fc from 'fast-check';
import { enhancedPacket, interfaceDescription, sectionHeader } from '../../src/wire/pcapng.ts';
import { viewOf } from './everywhere.ts';

interface Block {
  type: number;
  body: DataView;
  options: Map<number, Uint8Array>;
}

/** Reads one block by the draft; `fixed` is the bytes before data and options, `dataAt` where the data's length stands. */
function readBlock(bytes: Uint8Array, fixed: number, dataAt = -1): Block {
  const view = viewOf(bytes);
  expect(view.getUint32(4, true)).to.equal(bytes.length);
  expect(view.getUint32(bytes.length - 4, true)).to.equal(bytes.length);
  expect(bytes.length % 4).to.equal(0);
  const body = new DataView(bytes.buffer, 8, bytes.length - 12);
  const options = new Map<number, Uint8Array>();
  let at = fixed + (dataAt < 0 ? 0 : (body.getUint32(dataAt, true) + 3) & ~3);
  while (at < body.byteLength) {
    const [code, length] = [body.getUint16(at, true), body.getUint16(at + 2, true)];
    if (code === 0) {
      expect([length, at + 4]).to.deep.equal([0, body.byteLength]);
      break;
    }
    options.set(code, bytes.slice(8 + at + 4, 8 + at + 4 + length));
    at += 4 + ((length + 3) & ~3);
  }
  return { type: view.getUint32(0, true), body, options };
}

const text = (bytes: Uint8Array | undefined) => new TextDecoder('utf-8', { fatal: true }).decode(bytes);

describe('wire/pcapng', () => {
  it('begins a section', () => {
    expect(Buffer.from(sectionHeader()).toString('hex')).to.equal(
      '0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000',
    );
    const { type, options } = readBlock(sectionHeader({ hardware: 'x', os: 'Linux', userappl: 'tunstack 0.1.0' }), 16);
    expect(type).to.equal(0x0a0d0d0a);
    expect([text(options.get(2)), text(options.get(3)), text(options.get(4))]).to.deep.equal([
      'x',
      'Linux',
      'tunstack 0.1.0',
    ]);
  });

  it('describes an interface: raw IP, nanoseconds', () => {
    const { type, body, options } = readBlock(interfaceDescription('tun0', 262144), 8);
    expect([type, body.getUint16(0, true), body.getUint16(2, true), body.getUint32(4, true)]).to.deep.equal([
      1, 101, 0, 262144,
    ]);
    expect(text(options.get(2))).to.equal('tun0');
    expect([...(options.get(9) as Uint8Array)]).to.deep.equal([9]);
  });

  it('keeps packet, lengths, direction and comment', () => {
    const comments = fc.option(fc.string({ unit: 'grapheme', maxLength: 40 }), { nil: undefined });
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 70 }),
        fc.constantFrom('in' as const, 'out' as const),
        comments,
        fc.nat(9),
        (packet, direction, comment, id) => {
          const info = { interfaceId: id, at: 0, direction, originalLength: 1500 };
          const bytes = enhancedPacket(packet, comment === undefined ? info : { ...info, comment });
          const { type, body, options } = readBlock(bytes, 20, 12);
          expect(type).to.equal(6);
          expect([body.getUint32(0, true), body.getUint32(12, true), body.getUint32(16, true)]).to.deep.equal([
            id,
            packet.length,
            1500,
          ]);
          expect(bytes.slice(28, 28 + packet.length)).to.deep.equal(packet);
          expect([...(options.get(2) as Uint8Array)]).to.deep.equal([direction === 'in' ? 1 : 2, 0, 0, 0]);
          expect(options.has(1) ? text(options.get(1)) : undefined).to.equal(comment);
        },
      ),
    );
  });

  it('keeps the time to the nanosecond', () => {
    const stamp = (at: number) => {
      const view = viewOf(enhancedPacket(new Uint8Array(0), { interfaceId: 0, at, direction: 'in' }));
      return (BigInt(view.getUint32(12, true)) << 32n) | BigInt(view.getUint32(16, true));
    };
    expect(stamp(0.000001)).to.equal(1n);
    expect(stamp(1.5)).to.equal(1_500_000n);
    expect(stamp(1_763_812_345_678)).to.equal(1_763_812_345_678_000_000n);
    expect(stamp(1_763_812_345_678.25)).to.equal(1_763_812_345_678_250_000n);
    expect(stamp(4_102_444_800_000.5)).to.equal(4_102_444_800_000_500_000n);
    expect(stamp(0.9999999)).to.equal(1_000_000n);
  });

  it('cuts a comment that no option can hold, at a character', () => {
    const { options } = readBlock(
      enhancedPacket(new Uint8Array(3), { interfaceId: 0, at: 0, direction: 'in', comment: 'é'.repeat(40_000) }),
      20,
      12,
    );
    expect(text(options.get(1))).to.equal('é'.repeat(32_767));
  });
});
