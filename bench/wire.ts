/**
 * What reading a segment costs: the hot codec against binary-parser, and the checksum.
 * Run: `npm run build && node dist/bench/wire.js`. The figures are recorded in docs/decisions/binary-parser.md.
 */
import os from 'node:os';
// The package's entry for `import` has no types; this, its other entry, has.
import { Parser } from 'binary-parser/dist/binary_parser.js';
import { dissect } from '../src/lab/dissect.ts';
import { checksum, pseudoHeaderSum4, sum, sum20 } from '../src/wire/checksum.ts';
import { Ipv4Header, parseIpv4, writeIpv4 } from '../src/wire/ipv4.ts';
import { halfSipHash13 } from '../src/wire/siphash.ts';
import {
  ACK,
  parseTcp,
  setTcpChecksum,
  TcpSegment,
  tcpChecksumOk,
  writeNop,
  writeTcpHeader,
  writeTimestamps,
} from '../src/wire/tcp.ts';

const [SOURCE, DESTINATION] = [0x0a090001, 0x0a090002];
const ROUNDS = 5;
/** What the measured code returns goes here, so that none of it can be left out. */
let sink = 0;

/** The best of five rounds of about 0.2 s, in ns per call. */
function measure(name: string, body: () => number): number {
  let count = 1000;
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round <= ROUNDS; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < count; i++) sink += body();
    const each = Number(process.hrtime.bigint() - start) / count;
    // The first round warms up, and says how many calls make 0.2 s.
    if (round > 0) best = Math.min(best, each);
    count = Math.max(1000, Math.min(20_000_000, Math.round(2e8 / each)));
  }
  console.log(`${name.padEnd(58)}${best.toFixed(1).padStart(10)} ns`);
  return best;
}

/** An IPv4 / TCP segment with timestamps and right checksums. */
function segment(payload: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(52 + payload).map((_, i) => i * 37);
  const view = new DataView(bytes.buffer);
  writeIpv4(view, 0, bytes.length, 0, 7, true, 64, 6, SOURCE, DESTINATION);
  writeTcpHeader(view, 20, 40_000, 80, 1, 2, ACK, 502, 0, 32);
  writeTimestamps(view, writeNop(view, writeNop(view, 40)), 1, 2);
  const length = bytes.length - 20;
  setTcpChecksum(view, 20, checksum(sum(view, 20, length, pseudoHeaderSum4(SOURCE, DESTINATION, 6) + length)));
  return bytes;
}

/** The two headers as plain as binary-parser can have them: numbers only, no formatter, options skipped. */
const plainParser = new Parser()
  .bit4('version')
  .bit4('headerWords')
  .uint8('tos')
  .uint16('totalLength')
  .uint16('identification')
  .bit3('flags')
  .bit13('fragment')
  .uint8('ttl')
  .uint8('protocol')
  .uint16('checksum')
  .int32('source')
  .int32('destination')
  .uint16('sourcePort')
  .uint16('destinationPort')
  .int32('seq')
  .int32('ack')
  .bit4('dataWords')
  .bit12('control')
  .uint16('window')
  .uint16('tcpChecksum')
  .uint16('urgentPointer')
  .uint16('padding')
  .uint16('timestamps')
  .int32('tsVal')
  .int32('tsEcr');

const header = new Ipv4Header();
const record = new TcpSegment();

function parse(view: DataView, length: number): number {
  const reason = parseIpv4(view, 0, length, header);
  return reason + parseTcp(view, header.headerLength, header.totalLength - header.headerLength, record);
}

function verify(view: DataView): number {
  const length = header.totalLength - header.headerLength;
  const pseudo = pseudoHeaderSum4(header.source, header.destination, header.protocol);
  return tcpChecksumOk(view, header.headerLength, length, pseudo) ? 1 : 0;
}

console.log(`Node.js ${process.version}, ${os.cpus()[0]?.model ?? 'unknown processor'}, best of ${ROUNDS}\n`);
const bytes = segment(1448);
const view = new DataView(bytes.buffer);
if (parse(view, bytes.length) !== 0 || verify(view) !== 1) throw new Error('the segment of the bench does not verify');

const hot = measure('wire: parse IPv4 (checksum verified) + TCP, timestamps', () => parse(view, bytes.length));
const plain = measure('binary-parser: the same fields, nothing checked', () => plainParser.parse(bytes).seq as number);
const full = measure('binary-parser: dissect() of src/lab', () => dissect(bytes).payload?.length ?? 0);
measure('wire: parse + verify the TCP checksum over 1448 B', () => parse(view, bytes.length) + verify(view));
console.log(`\nbinary-parser / wire: ${(plain / hot).toFixed(0)} x plain, ${(full / hot).toFixed(0)} x dissected\n`);

const large = new DataView(new Uint8Array(65_552).map((_, i) => i * 37).buffer);
measure('HalfSipHash-1-3 of a flow', () => halfSipHash13(1, 2, SOURCE, DESTINATION, 40_000));
measure('wire: checksum of 20 B in integers', () => sum20(large, 2));
for (const length of [20, 1500, 65_536]) {
  const each = measure(`wire: checksum of ${length} B`, () => sum(large, 2, length));
  if (length > 1000) console.log(`${''.padEnd(58)}${(length / each).toFixed(1).padStart(10)} GB/s`);
}
if (sink === 0) console.log('nothing was measured');
