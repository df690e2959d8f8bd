import { expect } from 'chai';
import fc from 'fast-check';
import {
  KIND_ACCECN0,
  KIND_ACCECN1,
  OPT_ACCECN,
  OPT_AO,
  OPT_BROKEN,
  OPT_EXPERIMENTAL,
  OPT_FASTOPEN,
  OPT_MD5,
  OPT_MSS,
  OPT_SACK,
  OPT_SACK_PERMITTED,
  OPT_SIGNATURE_BROKEN,
  OPT_TIMESTAMPS,
  OPT_UNKNOWN,
  OPT_USER_TIMEOUT,
  OPT_WSCALE,
  parseOptions,
  TcpSegment,
  writeAo,
  writeEnd,
  writeFastOpen,
  writeMd5,
  writeMss,
  writeNop,
  writeSackBlocks,
  writeSackPermitted,
  writeTimestamps,
  writeUserTimeout,
  writeWindowScale,
} from '../../src/wire/tcp.ts';
import { fromHex, viewOf } from './everywhere.ts';

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

/** What the options in these bytes are read as. */
function read(bytes: Uint8Array | string): TcpSegment {
  const all = typeof bytes === 'string' ? fromHex(bytes) : bytes;
  const segment = new TcpSegment();
  parseOptions(viewOf(all), 0, all.length, segment);
  return segment;
}

/** Writes into 40 bytes with guards around; returns what was written, and checks that nothing else was. */
function written(write: (view: DataView, offset: number) => number): Uint8Array {
  const room = new Uint8Array(80).fill(0xee);
  const end = write(viewOf(room), 7);
  expect([...room.slice(0, 7), ...room.slice(end)].every((byte) => byte === 0xee)).to.equal(true);
  return room.slice(7, end);
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('wire/tcp-options', () => {
  it('writes the options as their RFCs draw them', () => {
    expect(hex(written((view, at) => writeMss(view, at, 1460)))).to.equal('020405b4');
    expect(hex(written((view, at) => writeWindowScale(view, at, 7)))).to.equal('030307');
    expect(hex(written((view, at) => writeSackPermitted(view, at)))).to.equal('0402');
    expect(hex(written((view, at) => writeTimestamps(view, at, -1, 0x01020304)))).to.equal('080affffffff01020304');
    expect(hex(written((view, at) => writeSackBlocks(view, at, Int32Array.of(1, 2, -2, -1, 9, 9), 2)))).to.equal(
      '05120000000100000002fffffffeffffffff',
    );
    expect(hex(written((view, at) => writeUserTimeout(view, at, 300, false)))).to.equal('1c04012c');
    expect(hex(written((view, at) => writeUserTimeout(view, at, 5, true)))).to.equal('1c048005');
    expect(hex(written((view, at) => writeFastOpen(view, at, Uint8Array.of(1, 2, 3, 4), false)))).to.equal(
      '220601020304',
    );
    expect(hex(written((view, at) => writeFastOpen(view, at, Uint8Array.of(1, 2, 3, 4), true)))).to.equal(
      'fe08f98901020304',
    );
    expect(hex(written((view, at) => writeFastOpen(view, at, new Uint8Array(0), false)))).to.equal('2202');
    expect(hex(written((view, at) => writeMd5(view, at)))).to.equal(`1312${'00'.repeat(16)}`);
    expect(hex(written((view, at) => writeAo(view, at, 61, 84, 12)))).to.equal(`1d103d54${'00'.repeat(12)}`);
    expect(hex(written((view, at) => writeEnd(view, writeNop(view, at))))).to.equal('0100');
  });

  it('reads a SYN of Linux', () => {
    const segment = read('020405b4 0402080a 0a1b2c3d 00000000 01030307');
    expect(segment.optionBits).to.equal(OPT_MSS | OPT_SACK_PERMITTED | OPT_TIMESTAMPS | OPT_WSCALE);
    expect(segment).to.include({ mss: 1460, windowScale: 7, tsVal: 0x0a1b2c3d, tsEcr: 0 });
  });

  it('reads what it wrote, in any order, with no-operations between', () => {
    const part = fc.oneof(
      fc.record({ kind: fc.constant('mss' as const), value: fc.nat(0xffff) }),
      fc.record({ kind: fc.constant('wscale' as const), value: fc.nat(255) }),
      fc.record({ kind: fc.constant('timestamps' as const), value: int32 }),
      fc.record({ kind: fc.constant('sack' as const), value: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ kind: fc.constant('timeout' as const), value: fc.nat(0x7fff) }),
      fc.record({ kind: fc.constant('cookie' as const), value: fc.nat(16) }),
      fc.record({ kind: fc.constant('nop' as const), value: fc.constant(0) }),
    );
    const blocks = Int32Array.of(1, -2, 3, -4, 5, -6, 7, -8);
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), fc.boolean(), (parts, flag) => {
        const bytes = new Uint8Array(400);
        const view = viewOf(bytes);
        const expected = new TcpSegment();
        let at = 0;
        for (const { kind, value } of parts) {
          if (kind === 'mss') {
            at = writeMss(view, at, value);
            Object.assign(expected, { mss: value, optionBits: expected.optionBits | OPT_MSS });
          } else if (kind === 'wscale') {
            at = writeWindowScale(view, at, value);
            Object.assign(expected, { windowScale: value, optionBits: expected.optionBits | OPT_WSCALE });
          } else if (kind === 'timestamps') {
            at = writeTimestamps(view, at, value, ~value);
            Object.assign(expected, { tsVal: value, tsEcr: ~value, optionBits: expected.optionBits | OPT_TIMESTAMPS });
          } else if (kind === 'sack') {
            at = writeSackBlocks(view, at, blocks, value);
            expected.sackBlocks.set(blocks.subarray(0, 2 * value));
            Object.assign(expected, { sackCount: value, optionBits: expected.optionBits | OPT_SACK });
          } else if (kind === 'timeout') {
            at = writeUserTimeout(view, at, value, flag);
            Object.assign(expected, {
              userTimeout: value,
              userTimeoutInMinutes: flag,
              optionBits: expected.optionBits | OPT_USER_TIMEOUT,
            });
          } else if (kind === 'cookie') {
            at = writeFastOpen(view, at, new Uint8Array(value), flag);
            const place = { fastOpenOffset: at - value, fastOpenLength: value, fastOpenExperimental: flag };
            Object.assign(expected, { ...place, optionBits: expected.optionBits | OPT_FASTOPEN });
          } else {
            at = writeNop(view, at);
          }
        }
        expect({ ...read(bytes.slice(0, at)) }).to.deep.equal({ ...expected });
      }),
      { numRuns: 500 },
    );
  });

  it('says where the bytes of variable options lie', () => {
    expect(read(`01 1312 ${'ab'.repeat(16)}`)).to.include({ optionBits: OPT_MD5, md5Offset: 3 });
    expect(read(`01 1d10 3d54 ${'ab'.repeat(12)}`)).to.include({
      optionBits: OPT_AO,
      aoKeyId: 61,
      aoRnextKeyId: 84,
      aoOffset: 5,
      aoLength: 12,
    });
    expect(read('ac0b 000001 000002 000003')).to.include({
      optionBits: OPT_ACCECN,
      accEcnKind: KIND_ACCECN0,
      accEcnOffset: 2,
      accEcnLength: 9,
    });
    expect(read('ae02')).to.include({ optionBits: OPT_ACCECN, accEcnKind: KIND_ACCECN1, accEcnLength: 0 });
    expect(read('2202')).to.include({ optionBits: OPT_FASTOPEN, fastOpenLength: 0, fastOpenExperimental: false });
    expect(read('fe04f989')).to.include({ optionBits: OPT_FASTOPEN, fastOpenLength: 0, fastOpenExperimental: true });
  });

  it('[RFC 5925 2.2] shows an AO too short for its own fields, or without a MAC, as broken', () => {
    expect(read('1d02').optionBits).to.equal(OPT_AO | OPT_SIGNATURE_BROKEN);
    expect(read('1d040102').optionBits).to.equal(OPT_AO | OPT_SIGNATURE_BROKEN);
    expect(read('1d05010203').optionBits).to.equal(OPT_AO);
    expect(read('1d02').aoLength).to.be.below(0);
    expect(read('1d0301').aoLength).to.be.below(0);
  });

  it('[RFC 5925 2.2] shows two signatures in one segment, of one kind or both, as broken', () => {
    const [md5, ao] = [`1312${'ab'.repeat(16)}`, '1d0801020a0b0c0d'];
    expect(read(`${ao} ${ao}`).optionBits & OPT_SIGNATURE_BROKEN).to.not.equal(0);
    expect(read(`${md5} ${ao}`).optionBits & OPT_SIGNATURE_BROKEN).to.not.equal(0);
    expect(read(`${ao} ${md5}`).optionBits & OPT_SIGNATURE_BROKEN).to.not.equal(0);
    expect(read(`${md5} ${md5}`).optionBits & OPT_SIGNATURE_BROKEN).to.not.equal(0);
    expect(read('1303aa').optionBits & OPT_SIGNATURE_BROKEN).to.not.equal(0);
    expect(read(`${md5} 020405b4`).optionBits).to.equal(OPT_MD5 | OPT_MSS);
  });

  it('tells other experiments from Fast Open', () => {
    expect(read('fd04f989').optionBits).to.equal(OPT_EXPERIMENTAL);
    expect(read('fe04e2d4').optionBits).to.equal(OPT_EXPERIMENTAL);
    expect(read('fe03f9').optionBits).to.equal(OPT_EXPERIMENTAL);
  });

  it('[RFC 9293 3.1 MUST-6] skips what it does not know, by its length', () => {
    expect(read('1e04aabb 020405b4')).to.include({ optionBits: OPT_UNKNOWN | OPT_MSS, mss: 1460 });
  });

  it('skips a known kind with a length that is not its own', () => {
    for (const bad of [
      '0203aa',
      '0205aabbcc',
      '0302',
      '030407aa',
      '040300',
      '050a',
      '0509aaaaaaaaaaaaaa',
      '0502',
      '0809aaaaaaaaaaaaaa',
      '1303aa',
      '1c03aa',
    ]) {
      const bytes = fromHex(bad);
      // A fixed tail shows that reading went on after it.
      const whole = (bytes[1] as number) <= bytes.length;
      const segment = read(`${bad}${whole ? '0402' : ''}`);
      expect(segment.optionBits & ~OPT_SIGNATURE_BROKEN, bad).to.equal(
        whole ? OPT_UNKNOWN | OPT_SACK_PERMITTED : OPT_BROKEN,
      );
    }
  });

  it('[RFC 9293 3.1 MUST-7] survives illegal lengths, keeping what came before', () => {
    for (const bad of ['0200', '0201', '02', '0204', '020405', '08', '080a', '0500', 'ff00', '0100ff']) {
      const segment = read(`020405dc${bad}`);
      expect(segment.optionBits & ~OPT_BROKEN, bad).to.equal(OPT_MSS);
      expect(segment.mss, bad).to.equal(1500);
    }
  });

  it('stops at the end of the list, and takes the last of two', () => {
    expect(read('00 020405b4').optionBits).to.equal(0);
    expect(read('020405b4 020405dc').mss).to.equal(1500);
  });

  it('reads four SACK blocks and no more', () => {
    expect(read(`0522${'01'.repeat(32)}`)).to.include({ optionBits: OPT_SACK, sackCount: 4 });
    expect(read(`052a${'01'.repeat(40)}`)).to.include({ optionBits: OPT_UNKNOWN, sackCount: 0 });
  });
});
