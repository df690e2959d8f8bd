import { expect } from 'chai';
import fc from 'fast-check';
import { checksum, pseudoHeaderSum4, sum } from '../../src/wire/checksum.ts';
import { OK, TCP_BAD_DATA_OFFSET, TCP_TRUNCATED } from '../../src/wire/reasons.ts';
import {
  ACK,
  AE,
  flagNames,
  OPT_BROKEN,
  OPT_SACK,
  OPT_TIMESTAMPS,
  PSH,
  parseTcp,
  SYN,
  setTcpChecksum,
  TcpSegment,
  tcpChecksumOk,
  writeNop,
  writeSackBlocks,
  writeTcpHeader,
  writeTimestamps,
} from '../../src/wire/tcp.ts';
import { everywhere, viewOf } from './everywhere.ts';

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const uint16 = fc.nat(0xffff);
const optionKind = fc.constantFrom(0, 1, 2, 3, 4, 5, 8, 19, 28, 29, 34, 69, 172, 174, 253, 254);
/** Options that look like options: a known kind, any length, any bytes. */
const optionBytes = fc
  .array(fc.tuple(optionKind, fc.nat(20), fc.uint8Array({ maxLength: 18 })), { maxLength: 6 })
  .map((all) => Uint8Array.from(all.flatMap(([kind, length, body]) => [kind, length, ...body])).slice(0, 40));

/** Everything a record says about options, with offsets made relative to `offset`. */
function optionsOf(segment: TcpSegment, offset: number): object {
  const { optionBits, mss, windowScale, tsVal, tsEcr, sackCount, userTimeout, userTimeoutInMinutes, aoKeyId } = segment;
  return {
    optionBits,
    mss,
    windowScale,
    tsVal,
    tsEcr,
    userTimeout,
    userTimeoutInMinutes,
    aoKeyId,
    sackCount,
    blocks: [...segment.sackBlocks.subarray(0, 2 * sackCount)],
    fastOpen: (optionBits & 0x40) !== 0 ? [segment.fastOpenOffset - offset, segment.fastOpenLength] : [],
    md5: (optionBits & 0x80) !== 0 ? segment.md5Offset - offset : 0,
    ao: (optionBits & 0x100) !== 0 ? [segment.aoOffset - offset, segment.aoLength] : [],
    accEcn: (optionBits & 0x200) !== 0 ? [segment.accEcnOffset - offset, segment.accEcnLength] : [],
  };
}

describe('wire/tcp', () => {
  it('writes the header of RFC 9293 3.1', () => {
    const bytes = new Uint8Array(24).fill(0xee);
    writeTcpHeader(viewOf(bytes), 2, 0x1234, 80, 0x89abcdef, 0x01020304, AE | ACK | SYN, 0xfedc, 0x55aa, 40);
    expect(Buffer.from(bytes).toString('hex')).to.equal('eeee1234005089abcdef01020304a112fedc000055aaeeee');
  });

  it('reads what it wrote', () => {
    fc.assert(
      fc.property(
        fc.record({
          sourcePort: uint16,
          destinationPort: uint16,
          seq: int32,
          ack: int32,
          flags: fc.nat(0x1ff),
          window: uint16,
          urgentPointer: uint16,
        }),
        fc.nat(50),
        fc.constantFrom(0, 4, 40),
        (fields, payloadLength, optionLength) => {
          const bytes = new Uint8Array(20 + optionLength + payloadLength);
          const { sourcePort, destinationPort, seq, ack, flags, window, urgentPointer } = fields;
          const headerLength = 20 + optionLength;
          writeTcpHeader(
            viewOf(bytes),
            0,
            sourcePort,
            destinationPort,
            seq,
            ack,
            flags,
            window,
            urgentPointer,
            headerLength,
          );
          const segment = new TcpSegment();
          expect(parseTcp(viewOf(bytes), 0, bytes.length, segment)).to.equal(OK);
          expect(segment).to.include({
            ...fields,
            headerLength,
            payloadOffset: headerLength,
            payloadLength,
            optionBits: 0,
          });
        },
      ),
    );
  });

  it('forgets the segment before', () => {
    const view = new DataView(new ArrayBuffer(20));
    writeTcpHeader(view, 0, 1, 2, 3, 4, ACK, 5, 0, 20);
    const segment = Object.assign(new TcpSegment(), {
      optionBits: -1,
      sackCount: 4,
      pieces: 9,
      pieceSize: 1448,
      ecn: 3,
    });
    expect(parseTcp(view, 0, 20, segment)).to.equal(OK);
    expect(segment).to.include({ optionBits: 0, sackCount: 0, pieces: 1, pieceSize: 0, ecn: 0 });
  });

  it('reads the usual timestamps layout as it reads any other', () => {
    const usual = new DataView(new ArrayBuffer(32));
    writeTcpHeader(usual, 0, 1, 2, 3, 4, ACK, 5, 0, 32);
    writeTimestamps(usual, writeNop(usual, writeNop(usual, 20)), -5, 0x7fffffff);
    const other = new DataView(new ArrayBuffer(32));
    writeTcpHeader(other, 0, 1, 2, 3, 4, ACK, 5, 0, 32);
    writeNop(other, writeNop(other, writeTimestamps(other, 20, -5, 0x7fffffff)));
    for (const view of [usual, other]) {
      const segment = new TcpSegment();
      expect(parseTcp(view, 0, 32, segment)).to.equal(OK);
      expect(segment).to.include({ optionBits: OPT_TIMESTAMPS, tsVal: -5, tsEcr: 0x7fffffff });
    }
  });

  it('reads what follows the timestamps', () => {
    const view = new DataView(new ArrayBuffer(44));
    writeTcpHeader(view, 0, 1, 2, 3, 4, ACK, 5, 0, 44);
    const at = writeTimestamps(view, writeNop(view, writeNop(view, 20)), 1, 2);
    writeSackBlocks(view, writeNop(view, writeNop(view, at)), Int32Array.of(7, 8), 1);
    const segment = new TcpSegment();
    expect(parseTcp(view, 0, 44, segment)).to.equal(OK);
    expect(segment).to.include({ optionBits: OPT_TIMESTAMPS | OPT_SACK, sackCount: 1 });
    expect([...segment.sackBlocks.subarray(0, 2)]).to.deep.equal([7, 8]);
  });

  it('gives each fault its reason', () => {
    const view = new DataView(new ArrayBuffer(40));
    const segment = new TcpSegment();
    expect(parseTcp(view, 0, 0, segment)).to.equal(TCP_TRUNCATED);
    expect(parseTcp(view, 0, 19, segment)).to.equal(TCP_TRUNCATED);
    for (const [headerLength, reason] of [
      [0, TCP_BAD_DATA_OFFSET],
      [16, TCP_BAD_DATA_OFFSET],
      [20, OK],
      [40, OK],
      [44, TCP_BAD_DATA_OFFSET],
      [60, TCP_BAD_DATA_OFFSET],
    ] as const) {
      writeTcpHeader(view, 0, 1, 2, 3, 4, ACK, 5, 0, headerLength);
      expect(parseTcp(view, 0, 40, segment), `${headerLength}`).to.equal(reason);
    }
  });

  it('[RFC 9293 3.1 MUST-2, MUST-3] verifies the checksum over pseudo-header, header and payload', () => {
    fc.assert(
      fc.property(int32, int32, fc.uint8Array({ maxLength: 100 }), fc.nat(), (source, destination, payload, at) => {
        const bytes = new Uint8Array(20 + payload.length);
        const view = viewOf(bytes);
        writeTcpHeader(view, 0, 1, 2, 3, 4, PSH | ACK, 5, 0, 20);
        bytes.set(payload, 20);
        const pseudo = pseudoHeaderSum4(source, destination, 6);
        setTcpChecksum(view, 0, checksum(sum(view, 0, bytes.length, pseudo + bytes.length)));
        expect(tcpChecksumOk(view, 0, bytes.length, pseudo)).to.equal(true);
        expect(tcpChecksumOk(view, 0, bytes.length, pseudo + 1)).to.equal(false);
        const bit = at % (bytes.length * 8);
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(tcpChecksumOk(view, 0, bytes.length, pseudo)).to.equal(false);
      }),
    );
  });

  it('takes any bytes', () => {
    const anything = fc.uint8Array({ maxLength: 80 });
    fc.assert(
      fc.property(anything, optionBytes, fc.boolean(), fc.boolean(), (bytes, options, shape, whole) => {
        if (bytes.length >= 20 && shape) {
          bytes.set(options.subarray(0, bytes.length - 20), 20);
          const headerLength = Math.min(60, bytes.length & ~3, whole ? 60 : 20 + ((options.length + 3) & ~3));
          bytes[12] = (headerLength << 2) & 0xf0;
          if (whole) bytes.set([1, 1, 8, 10].slice(0, bytes.length - 20), 20);
        }
        everywhere(bytes, (view, offset) => {
          const segment = new TcpSegment();
          const reason = parseTcp(view, offset, bytes.length, segment);
          if (reason !== OK) return { reason };
          expect(segment.headerLength).to.be.within(20, 60);
          expect(segment.payloadOffset).to.equal(offset + segment.headerLength);
          expect(segment.headerLength + segment.payloadLength).to.equal(bytes.length);
          const end = offset + segment.headerLength;
          expect(segment.sackCount).to.be.within(0, 4);
          if (segment.optionBits & 0x40) expect(segment.fastOpenOffset + segment.fastOpenLength).to.be.at.most(end);
          if (segment.optionBits & 0x80) expect(segment.md5Offset + 16).to.be.at.most(end);
          if (segment.optionBits & 0x100) expect(segment.aoOffset + segment.aoLength).to.be.at.most(end);
          if (segment.optionBits & 0x200) expect(segment.accEcnOffset + segment.accEcnLength).to.be.at.most(end);
          return { reason, flags: segment.flags, ...optionsOf(segment, offset) };
        });
      }),
      { numRuns: 2000 },
    );
  });

  it('[RFC 9293 3.1 MUST-7] an option cut off by the header ends the options, not the segment', () => {
    const view = new DataView(new ArrayBuffer(24));
    writeTcpHeader(view, 0, 1, 2, 3, 4, SYN, 5, 0, 24);
    view.setUint32(20, 0x0101080a);
    const segment = new TcpSegment();
    expect(parseTcp(view, 0, 24, segment)).to.equal(OK);
    expect(segment.optionBits).to.equal(OPT_BROKEN);
  });

  it('names flags', () => {
    expect(flagNames(0)).to.equal('none');
    expect(flagNames(SYN | ACK)).to.equal('SYN ACK');
    expect(flagNames(0x1ff)).to.equal('FIN SYN RST PSH ACK URG ECE CWR AE');
  });
});
