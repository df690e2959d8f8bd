/**
 * The codec of DNS messages on the package dns-packet.
 *
 * The package reads a message as a whole or not at all, and its readers of record data trust the lengths in it. So only its pieces are used: names (whose
 * compression pointers it follows only backwards, so that no loop can hold it), addresses and texts; data that does not end where its record does is none.
 */
import packet from 'dns-packet';
import type { DnsCodec, DnsMessage, DnsQuery, DnsQuestion, DnsRecord } from '../net/dns-codec.ts';
import { rooted } from '../net/dns-names.ts';
import { IpAddress } from '../wire/address.ts';

/** A codec of the package: it leaves the number of bytes that it took in `decode.bytes`, and throws when it cannot read them. */
interface Piece<T> {
  decode: { (buffer: Buffer, offset: number, options?: { mail: boolean }): T; bytes: number };
}

/** What the package has and its types do not tell. */
const pieces = packet as unknown as {
  name: Piece<string>;
  a: Piece<string>;
  aaaa: Piece<string>;
  txt: Piece<Uint8Array[]>;
};

// RFC 1035 4.1.1: the header.
const HEADER = 12;
const QR = 0x8000;
const AA = 0x0400;
const TC = 0x0200;
const RA = 0x0080;
const CLASS_IN = 1;
/** RFC 6891 6.1.1. */
const OPT = 41;

/** RFC 1035 3.2.2, RFC 3596 2.1, RFC 2782. */
const TYPES = new Map([
  [1, 'A'],
  [2, 'NS'],
  [5, 'CNAME'],
  [12, 'PTR'],
  [15, 'MX'],
  [16, 'TXT'],
  [28, 'AAAA'],
  [33, 'SRV'],
]);

export const nodeDnsCodec: DnsCodec = {
  encodeQuery({ id, name, type, udpSize, authenticData }: DnsQuery): Uint8Array | undefined {
    if (!isWritable(name)) return undefined;
    return packet.encode({
      type: 'query',
      id,
      flags: packet.RECURSION_DESIRED | (authenticData ? packet.AUTHENTIC_DATA : 0),
      questions: [{ type, name }],
      additionals: [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: udpSize,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: [],
        },
      ],
    });
  },

  decode(bytes: Uint8Array): DnsMessage | undefined {
    const reader = new Reader(bytes);
    try {
      return reader.message();
    } catch {
      return undefined;
    }
  },
};

// RFC 1035 2.3.4: the package would write the length of a longer label into the bits of a pointer.
function isWritable(name: string): boolean {
  const labels = rooted(name).split('.').slice(0, -1);
  const lengths = labels.map((label) => Buffer.byteLength(label));
  if (name === '.') return true;
  return (
    lengths.every((length) => length > 0 && length <= 63) && lengths.reduce((sum, length) => sum + length + 1, 1) <= 255
  );
}

/** Reads one message from its start. Its methods throw where the bytes end, or are none of a message. */
class Reader {
  readonly #buffer: Buffer;
  #at = HEADER;

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  message(): DnsMessage {
    const buffer = this.#buffer;
    const flags = buffer.readUInt16BE(2);
    const [questions, answers, authorities, additionals] = [4, 6, 8, 10].map((at) => buffer.readUInt16BE(at)) as [
      number,
      number,
      number,
      number,
    ];
    if (questions === 0) throw new RangeError('no question');
    const question = this.#question();
    for (let i = 1; i < questions; i++) this.#question();
    const records: DnsRecord[] = [];
    const answersAreCut = !this.#records(answers, (record) => records.push(record));
    const extra = answersAreCut ? NOTHING_ADDED : this.#additional(authorities, additionals);
    return {
      id: buffer.readUInt16BE(0),
      isResponse: (flags & QR) !== 0,
      isAuthoritative: (flags & AA) !== 0,
      isTruncated: (flags & TC) !== 0,
      recursionAvailable: (flags & RA) !== 0,
      rcode: extra.upperRcode | (flags & 0xf),
      questions,
      question,
      answers: records,
      answersAreCut,
      hasAdditional: extra.any,
    };
  }

  #question(): DnsQuestion {
    const name = this.#name();
    const type = this.#uint16();
    return { name, type: TYPES.get(type) ?? `TYPE${type}`, isInternet: this.#uint16() === CLASS_IN };
  }

  /** @returns false when one of them cannot be read */
  #records(count: number, take: (record: DnsRecord) => void): boolean {
    try {
      for (let i = 0; i < count; i++) take(this.#record(this.#head()));
      return true;
    } catch {
      return false;
    }
  }

  /** RFC 6891 6.1.3: the upper bits of the RCODE lie in an OPT record. What cannot be read here does not spoil the answers. */
  #additional(authorities: number, count: number): { any: boolean; upperRcode: number } {
    let any = false;
    try {
      for (let i = 0; i < authorities; i++) this.#at = this.#head().end;
      for (let i = 0; i < count; i++) {
        const { type, ttl, end } = this.#head();
        any = true;
        if (type === OPT) return { any, upperRcode: (ttl >>> 24) << 4 };
        this.#at = end;
      }
    } catch {
      // As many as there are.
    }
    return { any, upperRcode: 0 };
  }

  /** Up to the length of a record's data. */
  #head(): Head {
    const name = this.#name();
    const type = this.#uint16();
    this.#uint16();
    const ttl = this.#buffer.readUInt32BE(this.#at);
    this.#at += 4;
    const end = this.#at + 2 + this.#buffer.readUInt16BE(this.#at);
    if (end > this.#buffer.length) throw new RangeError('a record is longer than its message');
    return { name, type, ttl, end };
  }

  #record({ name, type, end }: Head): DnsRecord {
    const from = this.#at;
    this.#at += 2;
    const record = this.#data(name, TYPES.get(type), from);
    // RFC 1035 4.1.3: RDLENGTH tells how long the data is; a reader that found another end has read something else.
    if (record.type !== 'other' && this.#at !== end) throw new RangeError('the data does not end where it should');
    this.#at = end;
    return record;
  }

  /** `from`: where its length stands; what is read begins behind that. */
  #data(name: string, type: string | undefined, from: number): DnsRecord {
    switch (type) {
      case 'A':
        return { type, name, address: this.#address(pieces.a, from) };
      case 'AAAA':
        return { type, name, address: this.#address(pieces.aaaa, from) };
      case 'CNAME':
      case 'NS':
      case 'PTR':
        return { type, name, target: this.#name() };
      case 'MX':
        return { type, name, preference: this.#uint16(), target: this.#name() };
      case 'SRV':
        return {
          type,
          name,
          priority: this.#uint16(),
          weight: this.#uint16(),
          port: this.#uint16(),
          target: this.#name(),
        };
      case 'TXT':
        return { type, name, text: Buffer.concat(this.#piece(pieces.txt, from)).toString() };
      default:
        return { type: 'other', name };
    }
  }

  #address(piece: Piece<string>, from: number): IpAddress {
    const address = IpAddress.parse(this.#piece(piece, from));
    if (address === undefined) throw new RangeError('no address');
    return address;
  }

  #piece<T>({ decode }: Piece<T>, from: number): T {
    const data = decode(this.#buffer, from);
    this.#at = from + decode.bytes;
    return data;
  }

  #name(): string {
    const { decode } = pieces.name;
    const name = decode(this.#buffer, this.#at, ESCAPED);
    this.#at += decode.bytes;
    // Go: a label with a dot in it would read as two.
    if (name.includes('\\')) throw new RangeError('a dot within a label');
    return rooted(name);
  }

  #uint16(): number {
    const value = this.#buffer.readUInt16BE(this.#at);
    this.#at += 2;
    return value;
  }
}

interface Head {
  readonly name: string;
  readonly type: number;
  readonly ttl: number;
  /** Where the record ends. */
  readonly end: number;
}

const NOTHING_ADDED = { any: false, upperRcode: 0 };
/** Has dots within labels marked with a backslash. */
const ESCAPED = { mail: true };
