import { expect } from 'chai';
import packet, { type Answer } from 'dns-packet';
import fc from 'fast-check';
import { nodeDnsCodec } from '../../src/node/dns-codec.ts';

const QUERY = { id: 0x1234, name: 'web.example.', type: 'A', udpSize: 1232, authenticData: false } as const;

const ANSWERS: Answer[] = [
  { type: 'A', name: 'web.example', data: '10.9.0.7' },
  { type: 'AAAA', name: 'web.example', data: 'fd00::7' },
  { type: 'CNAME', name: 'www.example', data: 'web.example' },
  { type: 'MX', name: 'example', data: { preference: 10, exchange: 'mail.example' } },
  { type: 'TXT', name: 'example', data: ['a', 'b'] },
  { type: 'SRV', name: '_x._tcp.example', data: { priority: 1, weight: 2, port: 3, target: 'web.example' } },
  { type: 'SOA', name: 'example', data: { mname: 'ns.example', rname: 'me.example' } },
];
const MESSAGE = packet.encode({
  type: 'response',
  id: 7,
  flags: 0x180,
  questions: [{ type: 'A', name: 'web.example' }],
  answers: ANSWERS,
});
/** The question `A web.example.`, after a header with so many answers. */
const head = (answers: number, rest: readonly number[]) =>
  Uint8Array.of(
    0,
    7,
    0x81,
    0x80,
    0,
    1,
    answers >>> 8,
    answers & 0xff,
    0,
    0,
    0,
    0,
    ...MESSAGE.subarray(12, 29),
    ...rest,
  );

describe('node/dns-codec', () => {
  it('writes a query that others read', () => {
    const query = packet.decode(Buffer.from(nodeDnsCodec.encodeQuery(QUERY) as Uint8Array));
    expect(query).to.include({ type: 'query', id: 0x1234, flag_rd: true, flag_ad: false, opcode: 'QUERY' });
    expect(query.questions).to.deep.equal([{ type: 'A', name: 'web.example', class: 'IN' }]);
    expect(query.additionals?.[0]).to.include({
      type: 'OPT',
      name: '.',
      udpPayloadSize: 1232,
      extendedRcode: 0,
      flags: 0,
    });
    const trusting = nodeDnsCodec.encodeQuery({ ...QUERY, authenticData: true }) as Uint8Array;
    expect(packet.decode(Buffer.from(trusting)).flag_ad).to.equal(true);
    expect(nodeDnsCodec.encodeQuery({ ...QUERY, name: '.' })).to.have.lengthOf(28);
  });

  for (const [what, name] of [
    ['an empty label', 'a..b.'],
    ['a label of 64 bytes', `${'x'.repeat(64)}.`],
    ['a label of 64 bytes in 32 characters', `${'ä'.repeat(32)}.`],
    ['256 bytes', `${[63, 63, 63, 62].map((length) => 'x'.repeat(length)).join('.')}.`],
  ] as const) {
    it(`does not write a name with ${what}`, () => {
      expect(nodeDnsCodec.encodeQuery({ ...QUERY, name })).to.equal(undefined);
    });
  }

  it('writes a name of 255 bytes', () => {
    const name = `${[63, 63, 63, 61].map((length) => 'x'.repeat(length)).join('.')}.`;
    expect(nodeDnsCodec.encodeQuery({ ...QUERY, name })).to.have.lengthOf(12 + 255 + 4 + 11);
  });

  it('reads what others write', () => {
    const message = nodeDnsCodec.decode(MESSAGE);
    expect(message).to.include({
      id: 7,
      isResponse: true,
      isAuthoritative: false,
      isTruncated: false,
      recursionAvailable: true,
      rcode: 0,
      questions: 1,
      answersAreCut: false,
      hasAdditional: false,
    });
    expect(message?.question).to.deep.equal({ name: 'web.example.', type: 'A', isInternet: true });
    const [first, second, ...rest] = message?.answers ?? [];
    expect(first).to.include({ type: 'A', name: 'web.example.' });
    expect([first, second].map((one) => `${(one as { address?: unknown }).address}`)).to.deep.equal([
      '10.9.0.7',
      'fd00::7',
    ]);
    expect(rest).to.deep.equal([
      { type: 'CNAME', name: 'www.example.', target: 'web.example.' },
      { type: 'MX', name: 'example.', preference: 10, target: 'mail.example.' },
      { type: 'TXT', name: 'example.', text: 'ab' },
      { type: 'SRV', name: '_x._tcp.example.', priority: 1, weight: 2, port: 3, target: 'web.example.' },
      { type: 'other', name: 'example.' },
    ]);
  });

  const RECORD = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60];
  for (const [what, bytes] of [
    ['an address of 3 bytes', head(1, [...RECORD, 0, 3, 10, 9, 0, 7])],
    ['an address of 5 bytes', head(1, [...RECORD, 0, 5, 10, 9, 0, 7, 8])],
    ['a record that is longer than its message', head(1, [...RECORD, 0, 5, 10, 9, 0, 7])],
    ['a name that points at itself', head(1, [0xc0, 29, ...RECORD.slice(2), 0, 4, 10, 9, 0, 7])],
    ['names that point at each other', head(2, [0xc0, 31, 0xc0, 29, ...RECORD.slice(2), 0, 4, 10, 9, 0, 7])],
    ['a name that points ahead', head(1, [0xc0, 200, ...RECORD.slice(2), 0, 4, 10, 9, 0, 7])],
    ['a label of an unknown kind', head(1, [0x80, 12, ...RECORD.slice(2), 0, 4, 10, 9, 0, 7])],
    ['a label with a dot in it', head(1, [3, 0x61, 0x2e, 0x62, 0, ...RECORD.slice(2), 0, 4, 10, 9, 0, 7])],
    ['a text that is longer than its record', head(1, [0xc0, 12, 0, 16, ...RECORD.slice(4), 0, 3, 3, 0x61, 0x62])],
    ['a record of any kind that is longer than its message', head(1, [0xc0, 12, 0, 6, ...RECORD.slice(4), 0, 3, 1, 2])],
    ['an alias that ends before its record does', head(1, [0xc0, 12, 0, 5, ...RECORD.slice(4), 0, 3, 0xc0, 12, 0])],
  ] as const) {
    it(`reads no further than ${what}`, () => {
      const message = nodeDnsCodec.decode(bytes);
      expect(message?.answersAreCut).to.equal(true);
      expect(message?.answers).to.deep.equal([]);
    });
  }

  it('RFC 6891 6.1.3: takes the upper bits of the RCODE from an OPT record, wherever it stands', () => {
    const of = (additionals: Answer[]) =>
      nodeDnsCodec.decode(
        packet.encode({
          type: 'response',
          flags: 3,
          questions: [{ type: 'A', name: 'x' }],
          authorities: ANSWERS.slice(0, 1),
          additionals,
        }),
      );
    const opt: Answer = {
      type: 'OPT',
      name: '.',
      extendedRcode: 5,
      udpPayloadSize: 512,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [],
    };
    expect(of([])).to.include({ rcode: 3, hasAdditional: false });
    expect(of([opt])).to.include({ rcode: 0x53, hasAdditional: true });
    expect(of([ANSWERS[0] as Answer, opt])).to.include({ rcode: 0x53, hasAdditional: true });
    expect(of([ANSWERS[0] as Answer])).to.include({ rcode: 3, hasAdditional: true });
  });

  it('reads on after further questions', () => {
    const questions = ['a.example', 'b.example'].map((name) => ({ type: 'A', name }) as const);
    const message = nodeDnsCodec.decode(packet.encode({ type: 'response', questions, answers: ANSWERS.slice(0, 1) }));
    expect(message).to.include({ questions: 2, answersAreCut: false });
    expect(message?.question.name).to.equal('a.example.');
    expect(message?.answers.map(({ name }) => name)).to.deep.equal(['web.example.']);
  });

  it('reads any bytes without a throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        nodeDnsCodec.decode(bytes);
      }),
    );
  });

  it('reads any change of a message without a throw, and nothing from beyond its end', () => {
    const changes = fc.array(fc.tuple(fc.nat(MESSAGE.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(changes, fc.nat(MESSAGE.length), (list, length) => {
        const bytes = Uint8Array.from(MESSAGE);
        for (const [at, value] of list) bytes[at] = value;
        const alone = nodeDnsCodec.decode(bytes.slice(0, length));
        const within = nodeDnsCodec.decode(bytes.subarray(0, length));
        expect(within).to.deep.equal(alone);
      }),
      { numRuns: 500 },
    );
  });

  it('reads the most that 64 KiB can hold', () => {
    // Each record names itself by way of the one before it: the longest chains there are.
    const bytes = new Uint8Array(65_535);
    bytes.set(head(65_535, []));
    for (let at = 29; at + 14 <= bytes.length; at += 14)
      bytes.set([0x01, 0x61, 0xc0, 12, 0, 99, 0, 1, 0, 0, 0, 0, 0, 0], at);
    const message = nodeDnsCodec.decode(bytes);
    expect(message?.answersAreCut).to.equal(true);
    expect(message?.answers).to.have.lengthOf(Math.floor((65_535 - 29) / 14));
  });
});
