import { expect } from 'chai';
import fc from 'fast-check';
import { formatLadder, Ladder, type LadderPacket } from '../../src/lab/ladder.ts';
import {
  ACK,
  FIN,
  PSH,
  RST,
  SYN,
  writeMss,
  writeNop,
  writeSackBlocks,
  writeSackPermitted,
  writeTimestamps,
  writeWindowScale,
} from '../../src/wire/tcp.ts';
import { type SegmentFields, segment } from './segments.ts';

const ESC = '\u001b';
const A = { from: [1, 40000], to: [2, 80] } as const;
const B = { from: [2, 80], to: [1, 40000] } as const;
/** Initial sequence numbers; the second wraps within the connection. */
const [I, J] = [1_000_000, -5];

const synOptions = (tsVal: number, tsEcr: number) => (view: DataView, at: number) =>
  writeWindowScale(
    view,
    writeNop(view, writeTimestamps(view, writeSackPermitted(view, writeMss(view, at, 1460)), tsVal, tsEcr)),
    7,
  );
const timestamps = (tsVal: number, tsEcr: number) => (view: DataView, at: number) =>
  writeTimestamps(view, writeNop(view, writeNop(view, at)), tsVal, tsEcr);
const wscale = (shift: number) => (view: DataView, at: number) => writeWindowScale(view, writeNop(view, at), shift);

function packet(
  at: number,
  direction: 'in' | 'out',
  fields: SegmentFields,
  more: Partial<LadderPacket> = {},
): LadderPacket {
  return { at, direction, bytes: segment(fields), ...more };
}

const names = { left: 'kernel', right: 'tunstack', host: 'right' } as const;

/** The text on each arrow, without the arrow; lines below an arrow as they are. */
function words(packets: readonly LadderPacket[]): string[] {
  return formatLadder(packets, names)
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.slice(13, -1).replace(/[─▶◀]/g, '').trim());
}

const handshake = [
  packet(5, 'in', { ...A, seq: I, flags: SYN, window: 64240, options: synOptions(777, 0) }),
  packet(5.12, 'out', { ...B, seq: J, ack: I + 1, flags: SYN | ACK, window: 65535, options: synOptions(99999, 777) }),
  packet(5.2, 'in', { ...A, seq: I + 1, ack: J + 1, flags: ACK, window: 502, options: timestamps(778, 99999) }),
];

describe('lab/ladder', () => {
  it('shows a request as a newcomer reads it', () => {
    const text = formatLadder(
      [
        ...handshake,
        packet(5.25, 'in', {
          ...A,
          seq: I + 1,
          ack: J + 1,
          flags: PSH | ACK,
          window: 502,
          payload: 'GET / HTTP/1.1\r\nHost: 10.9.0.2\r\n\r\n',
        }),
        packet(1006.25, 'out', {
          ...B,
          seq: J + 1,
          ack: I + 35,
          flags: PSH | ACK,
          window: 512,
          payload: `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(981)}`,
        }),
        packet(1007, 'in', { ...A, seq: I + 35, ack: J + 1001, flags: FIN | ACK, window: 501 }, { note: 'the end' }),
      ],
      names,
    );
    expect(text).to.equal(
      [
        '  time (ms) kernel                                                                          tunstack',
        '      0.000 │── SYN  seq 0  win 64240  mss 1460  sackOK  TS 0/0  wscale 7 ────────────────────────▶│',
        '      0.120 │◀───────────── SYN ACK  seq 0  ack 1  win 65535  mss 1460  sackOK  TS 0/0  wscale 7 ──│',
        '      0.200 │── ACK  seq 1  ack 1  win 64256  TS 1/0 ─────────────────────────────────────────────▶│',
        '      0.250 │── PSH ACK  seq 1:35  len 34  ack 1  win 64256 ──────────────────────────────────────▶│',
        '            │   "GET / HTTP/1.1"                                                                   │',
        '   1001.250 │◀───────────────────────────────── PSH ACK  seq 1:1001  len 1000  ack 35  win 65536 ──│',
        '            │                                                                  "HTTP/1.1 200 OK"   │',
        '   1002.000 │── FIN ACK  seq 35  ack 1001  win 64128 ─────────────────────────────────────────────▶│',
        '            │   the end                                                                            │',
        '',
      ].join('\n'),
    );
  });

  it('points out from the side the host stands on', () => {
    const out = [packet(0, 'out', { seq: 1, flags: SYN })];
    const arrow = (host: 'left' | 'right' | undefined) =>
      formatLadder(out, { left: 'a', right: 'b', ...(host === undefined ? {} : { host }) }).includes('▶');
    expect([arrow('left'), arrow('right'), arrow(undefined)]).to.deep.equal([true, false, true]);
  });

  it('counts the pieces of a super-segment', () => {
    const data = (payload: number, segmentSize?: number) =>
      words([
        ...handshake,
        packet(
          6,
          'out',
          { ...B, seq: J + 1, ack: I + 1, flags: ACK, window: 1, payload },
          segmentSize ? { segmentSize } : {},
        ),
      ])[3];
    expect(data(14480, 1448)).to.equal('ACK  seq 1:14481  len 14480  (10 x 1448)  ack 1  win 128');
    expect(data(3000, 1448)).to.equal('ACK  seq 1:3001  len 3000  (2 x 1448 + 104)  ack 1  win 128');
    expect(data(1448, 1448)).to.equal('ACK  seq 1:1449  len 1448  ack 1  win 128');
    expect(data(14480)).to.equal('ACK  seq 1:14481  len 14480  ack 1  win 128');
  });

  describe('window', () => {
    const shown = (left: ((view: DataView, at: number) => number) | undefined, right: typeof left) =>
      words([
        packet(0, 'in', { ...A, seq: 0, flags: SYN, window: 9, ...(left ? { options: left } : {}) }),
        packet(1, 'out', { ...B, seq: 0, ack: 1, flags: SYN | ACK, window: 9, ...(right ? { options: right } : {}) }),
        packet(2, 'in', { ...A, seq: 1, ack: 1, flags: ACK, window: 9 }),
      ])[2];

    it('[RFC 7323 2.2] is scaled when both SYNs offered it', () => {
      expect(shown(wscale(3), wscale(0))).to.equal('ACK  seq 1  ack 1  win 72');
      expect(shown(wscale(3), undefined)).to.equal('ACK  seq 1  ack 1  win 9');
      expect(shown(undefined, wscale(3))).to.equal('ACK  seq 1  ack 1  win 9');
      expect(shown(wscale(200), wscale(3))).to.equal(`ACK  seq 1  ack 1  win ${9 * 2 ** 14}`);
    });

    it('says when the scale was not seen, and when it is closed', () => {
      expect(words([packet(0, 'in', { ...A, seq: 1, ack: 1, flags: ACK, window: 9 })])[0]).to.equal(
        'ACK  seq 1  ack 1  win 9 (scale unknown)',
      );
      expect(
        words([...handshake, packet(9, 'in', { ...A, seq: I + 1, ack: J + 1, flags: ACK, window: 0 })]).slice(3),
      ).to.deep.equal(['ACK  seq 1  ack 1  win 0', 'window closed']);
    });
  });

  it('counts from 1 when the handshake was not seen', () => {
    expect(
      words([
        packet(0, 'in', { ...A, seq: 5000, ack: 7000, flags: ACK, payload: 100 }),
        packet(1, 'out', { ...B, seq: 7000, ack: 5100, flags: ACK, payload: 9 }),
      ]).map((line) => line.replace(/ {2}win.*/, '')),
    ).to.deep.equal(['ACK  seq 1:101  len 100  ack 1', 'ACK  seq 1:10  len 9  ack 101']);
  });

  it('shows SACK blocks in the numbers of the side they speak of', () => {
    const options = (view: DataView, at: number) =>
      writeSackBlocks(view, writeNop(view, writeNop(view, at)), Int32Array.of(J + 1449, J + 2897, J + 1, J + 2), 2);
    const sack = packet(9, 'in', { ...A, seq: I + 1, ack: J + 1, flags: ACK, window: 1, options });
    expect(words([...handshake, sack])[3]).to.equal('ACK  seq 1  ack 1  win 128  sack 1449:2897  sack 1:2');
  });

  it('notes what is sent again, what is missing, and probes', () => {
    const data = (seq: number, payload: number, flags = ACK) =>
      packet(9, 'in', { ...A, seq: I + seq, ack: J + 1, flags, window: 1, payload });
    const notes = (...packets: LadderPacket[]) =>
      words([...handshake, ...packets])
        .slice(3)
        .filter((line) => !line.includes('seq'));
    expect(notes(data(1, 100), data(101, 50))).to.deep.equal([]);
    expect(notes(data(1, 100), data(1, 100))).to.deep.equal(['sent again, or late']);
    expect(notes(data(101, 100), data(1, 100))).to.deep.equal(['100 missing before this', 'sent again, or late']);
    expect(notes(data(1, 100), data(100, 0))).to.deep.equal(['keep-alive probe']);
    expect(notes(data(1, 0, FIN | ACK), data(1, 0, FIN | ACK))).to.deep.equal(['sent again, or late']);
    expect(notes(handshake[0] as LadderPacket)).to.deep.equal(['sent again, or late']);
  });

  it('numbers connections once there are two, and starts anew when ports are used again', () => {
    const lines = words([
      packet(0, 'in', { ...A, seq: 10, flags: SYN }),
      packet(1, 'in', { from: [1, 40001], to: [2, 80], seq: 500, flags: SYN }),
      packet(2, 'out', { from: [2, 80], to: [1, 40001], seq: 0, ack: 501, flags: RST | ACK, window: 0 }),
      packet(3, 'in', { ...A, seq: 9999, flags: SYN }),
    ]);
    expect(lines).to.deep.equal([
      'SYN  seq 0  win 65535',
      '[2]  SYN  seq 0  win 65535',
      '[2] 10.9.0.1:40001 > 10.9.0.2:80',
      '[2]  RST ACK  seq 0  ack 1',
      '[3]  SYN  seq 0  win 65535',
      '[3] 10.9.0.1:40000 > 10.9.0.2:80',
    ]);
  });

  it('shows short texts and HTTP lines, nothing else of the payload', () => {
    const note = (payload: string) =>
      words([...handshake, packet(9, 'in', { ...A, seq: I + 1, ack: J + 1, flags: ACK, window: 1, payload })])[4];
    expect(note('hello\n')).to.equal('"hello"');
    expect(note('\u001b[31mred')).to.equal(undefined);
    expect(note(`hello ${'x'.repeat(80)}`)).to.equal(undefined);
    expect(note('two\nlines')).to.equal(undefined);
    expect(note(`POST /${'y'.repeat(30)} HTTP/1.1\r\n${'z'.repeat(90)}`)).to.equal(
      `"POST /${'y'.repeat(30)} HTTP/1.1"`,
    );
    expect(note(`GET /${'y'.repeat(130)} HTTP/1.1\r\n`)).to.match(/^"GET \/y+…"$/);
  });

  it('shows other packets in the words of the dissector', () => {
    const bytes = Uint8Array.from(Buffer.from(`4500001e0000400040010000${'00'.repeat(8)}08000000123400016162`, 'hex'));
    expect(words([{ at: 0, direction: 'in', bytes }])).to.deep.equal(['ICMP echo request  id 4660  seq 1  length 10']);
    expect(words([{ at: 0, direction: 'in', bytes: new Uint8Array(3) }])).to.deep.equal([
      'IPv4 header cut short: 3 of 20 bytes',
      'IPv4 header cut short: 3 of 20 bytes',
    ]);
  });

  it('folds a long note at its spaces and cuts a word that has none', () => {
    const lines = words([{ ...(handshake[0] as LadderPacket), note: `${'a'.repeat(70)} ${'b'.repeat(20)}` }]);
    expect(lines.slice(1)).to.deep.equal(['a'.repeat(70), 'b'.repeat(20)]);
    expect(words([{ ...(handshake[0] as LadderPacket), note: 'c'.repeat(200) }])[1]).to.equal(`${'c'.repeat(79)}…`);
  });

  it('colours whole arrows, and nothing unless asked', () => {
    const lines = (color: boolean) => formatLadder(handshake, { left: 'a', right: 'b', color }).split('\n');
    expect(lines(false).join('')).to.not.include('\u001b');
    const [, first] = lines(true) as [string, string];
    expect(first.startsWith(`${ESC}[2m      0.000${ESC}[0m │${ESC}[32m◀`)).to.equal(true);
    expect(first.endsWith(`──${ESC}[0m│`)).to.equal(true);
    const codes = new RegExp(`${ESC}\\[\\d+m`, 'g');
    expect(lines(true).map((line) => line.replace(codes, ''))).to.deep.equal(lines(false));
  });

  it('grows packet by packet into the same text', () => {
    const ladder = new Ladder(names);
    const lines = handshake.flatMap((one) => ladder.add(one));
    expect(`${lines.join('\n')}\n`).to.equal(formatLadder(handshake, names));
    expect(formatLadder([], names)).to.equal('');
  });

  it('keeps to 100 columns and never throws, whatever it is given', () => {
    const fields = fc.record({
      seq: fc.integer(),
      ack: fc.integer(),
      flags: fc.nat(0x1ff),
      window: fc.nat(0xffff),
      payload: fc.oneof(fc.string({ maxLength: 200 }), fc.nat(60_000)),
      options: fc.uint8Array({ minLength: 40, maxLength: 40 }).map((all) => (view: DataView, at: number) => {
        for (const [i, byte] of all.entries()) view.setUint8(at + i, byte);
        return at + 40;
      }),
    });
    const bytes = fc.oneof(fields.map(segment), fc.uint8Array({ maxLength: 60 }));
    const one = fc.record({
      at: fc.integer({ min: 0, max: 9_999_999_999 }),
      bytes,
      direction: fc.constantFrom('in' as const, 'out' as const),
      note: fc.string({ maxLength: 120 }),
      segmentSize: fc.nat(1500),
    });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 4 }), (packets) => {
        for (const line of formatLadder(packets, names).trimEnd().split('\n')) {
          expect(line.length, line).to.equal(100);
        }
      }),
      { numRuns: 200 },
    );
  });
});
