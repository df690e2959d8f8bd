import { expect } from 'chai';
import fc from 'fast-check';
import { Cutter, Edge } from '../../src/link/cut.ts';
import { completeChecksum } from '../../src/link/linear.ts';
import type { Link } from '../../src/link/link.ts';
import { CHECKSUM_NONE, CHECKSUM_PARTIAL, type Packet, type PacketBatch } from '../../src/link/packet.ts';
import { Slab } from '../../src/link/slab.ts';
import { batchOf, bytesOf, drop, faultOf, packetOf, pattern, type TcpSpec, tcpPacket } from './collector.ts';

const FIN = 0x01;
const PSH = 0x08;
const URG = 0x20;
const CWR = 0x80;

interface Fields {
  readonly id: number;
  readonly seq: number;
  readonly flags: number;
  readonly urgent: number;
  readonly payload: Uint8Array;
}

function fieldsOf(bytes: Uint8Array): Fields {
  const view = new DataView(bytes.buffer);
  const ip = (bytes[0] as number) >> 4 === 4 ? 20 : 40;
  return {
    id: ip === 20 ? view.getUint16(4) : 0,
    seq: view.getUint32(ip + 4),
    flags: view.getUint8(ip + 13),
    urgent: view.getUint16(ip + 18),
    payload: bytes.slice(ip + (((bytes[ip + 12] as number) >> 4) << 2)),
  };
}

/** Cuts; the pieces' bytes, each without fault. */
function pieces(spec: TcpSpec & { segmentSize: number }): Uint8Array[] {
  const slab = new Slab();
  const cutter = new Cutter(slab);
  const packet = tcpPacket(slab, spec);
  const batch = cutter.cut(packet, true);
  drop(packet);
  const all = batch.packets.slice(0, batch.length).map((piece) => {
    expect([piece.checksum, piece.segmentSize]).to.deep.equal([CHECKSUM_NONE, 0]);
    return bytesOf(piece);
  });
  for (const bytes of all) expect(faultOf(bytes)).to.equal('');
  cutter.release();
  expect(slab.live, 'everything is let go').to.equal(0);
  return all;
}

describe('Cutter', () => {
  it('gives the segments of the wire, whatever the super-segment', () => {
    const spec = fc.record({
      version: fc.constantFrom(4 as const, 6 as const),
      length: fc.integer({ min: 0, max: 6000 }),
      segmentSize: fc.integer({ min: 40, max: 3000 }),
      cuts: fc.option(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }), { nil: undefined }),
      flags: fc.integer({ min: 0, max: 255 }),
      seq: fc.integer({ min: 0, max: 0xffff_ffff }),
      urgent: fc.integer({ min: 0, max: 7000 }),
      identification: fc.integer({ min: 0, max: 0xffff }),
      tcpOptions: fc.constantFrom(0, 12, 40),
    });
    fc.assert(
      fc.property(spec, ({ length, cuts, ...rest }) => {
        const payload = pattern(length);
        const parts = cuts?.map((cut) => Math.floor(cut * length)).sort((a, b) => a - b);
        const all = pieces({ ...rest, payload, ...(parts === undefined ? {} : { parts }) }).map(fieldsOf);
        expect(all).to.have.length(Math.max(1, Math.ceil(length / rest.segmentSize)));
        const { flags, seq, urgent } = rest;
        all.forEach((piece, i) => {
          const at = i * rest.segmentSize;
          const last = i === all.length - 1;
          expect(piece.payload).to.deep.equal(payload.slice(at, at + rest.segmentSize));
          expect(piece.seq).to.equal((seq + at) >>> 0);
          if (rest.version === 4) expect(piece.id).to.equal((rest.identification + i) & 0xffff);
          expect(piece.flags & CWR).to.equal(i === 0 ? flags & CWR : 0);
          expect(piece.flags & (FIN | PSH)).to.equal(last ? flags & (FIN | PSH) : 0);
          const points = (flags & URG) !== 0 && urgent > at;
          expect(piece.flags & URG).to.equal(points ? URG : 0);
          if ((flags & URG) !== 0) expect(piece.urgent).to.equal(points ? urgent - at : 0);
          const others = ~(CWR | FIN | PSH | URG);
          expect(piece.flags & others).to.equal(flags & others);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('leaves the payload where it lies', () => {
    const slab = new Slab();
    const cutter = new Cutter(slab);
    const packet = tcpPacket(slab, { payload: pattern(3000), parts: [1000], segmentSize: 1400 });
    const batch = cutter.cut(packet, true);
    const [first, second] = batch.packets as [Packet, Packet];
    expect(first.partChunk.slice(0, first.partCount)).to.deep.equal(packet.partChunk.slice(0, 2));
    expect([first.partOffset[1], first.partLength[1]]).to.deep.equal([packet.partOffset[1], 400]);
    expect([second.partOffset[0], second.partLength[0]]).to.deep.equal([(packet.partOffset[1] as number) + 400, 1400]);
  });

  it('cuts into any number of pieces: 123 at an MSS of 536, thousands at the least MTU', () => {
    expect(pieces({ payload: pattern(65_495), segmentSize: 536 })).to.have.length(123);
    const many = pieces({ payload: pattern(65_400), segmentSize: 28 });
    expect(many).to.have.length(2336);
    expect(Buffer.concat(many.map((bytes) => fieldsOf(bytes).payload)).equals(Buffer.from(pattern(65_400)))).to.equal(
      true,
    );
  });

  it('partial checksums, when asked, become right when completed', () => {
    const slab = new Slab();
    for (const version of [4, 6] as const) {
      const batch = new Cutter(slab).cut(
        tcpPacket(slab, { version, payload: pattern(2001), parts: [333], segmentSize: 777 }),
        false,
      );
      for (const piece of batch.packets.slice(0, batch.length)) {
        expect(piece.checksum).to.equal(CHECKSUM_PARTIAL);
        expect(faultOf(bytesOf(piece))).to.equal('TCP checksum');
        completeChecksum(piece);
        expect(faultOf(bytesOf(piece))).to.equal('');
      }
    }
  });

  it('sends nothing of one whose TCP header is not whole', () => {
    const slab = new Slab();
    const packet = tcpPacket(slab, { payload: pattern(100), parts: [], segmentSize: 50 });
    packet.chunk.bytes[packet.offset + 20 + 12] = 0x60;
    expect(new Cutter(slab).cut(packet, true).length).to.equal(0);
    packet.chunk.bytes[packet.offset + 20 + 12] = 0x10;
    expect(new Cutter(slab).cut(packet, true).length).to.equal(0);
  });

  it('refuses wrong use', () => {
    const slab = new Slab();
    const cutter = new Cutter(slab);
    expect(() => cutter.cut(tcpPacket(slab), true)).to.throw(Error, 'not a super-segment');
    cutter.cut(tcpPacket(slab, { payload: pattern(100), segmentSize: 50 }), true);
    expect(() => cutter.cut(tcpPacket(slab, { payload: pattern(100), segmentSize: 50 }), true)).to.throw(
      Error,
      'pieces of another',
    );
  });
});

describe('completeChecksum', () => {
  it('sums the parts wherever they are cut', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.array(fc.nat({ max: 300 }), { maxLength: 5 }),
        (payload, cuts) => {
          const slab = new Slab();
          const parts = cuts.map((cut) => Math.min(cut, payload.length)).sort((a, b) => a - b);
          const packet = tcpPacket(slab, { payload, parts, partial: true });
          completeChecksum(packet);
          expect(packet.checksum).to.equal(CHECKSUM_NONE);
          expect(faultOf(bytesOf(packet))).to.equal('');
          expect(bytesOf(packet)).to.deep.equal(bytesOf(tcpPacket(slab, { payload })));
        },
      ),
    );
  });

  it('writes a UDP checksum of 0 as all ones (RFC 768), and a TCP one as it is', () => {
    for (const [checksumOffset, field] of [
      [6, 0xffff],
      [16, 0],
    ] as const) {
      const bytes = new Uint8Array(40);
      bytes[20 + checksumOffset] = 0xff;
      bytes[20 + checksumOffset + 1] = 0xff;
      const packet = packetOf(new Slab(), bytes);
      Object.assign(packet, { checksum: CHECKSUM_PARTIAL, transportOffset: 20, checksumOffset });
      completeChecksum(packet);
      expect(packet.chunk.view.getUint16(packet.offset + 20 + checksumOffset)).to.equal(field);
    }
  });

  it('leaves complete packets alone and refuses super-segments', () => {
    const slab = new Slab();
    const packet = packetOf(slab, pattern(60));
    completeChecksum(packet);
    expect(bytesOf(packet)).to.deep.equal(pattern(60));
    expect(() => completeChecksum(tcpPacket(slab, { payload: pattern(100), segmentSize: 50 }))).to.throw(
      Error,
      'must be cut',
    );
  });
});

/** A link that takes as much as it is told to, and keeps a copy. */
class Sink implements Link {
  readonly name = 'sink';
  readonly capabilities: Link['capabilities'];
  readonly sent: Uint8Array[] = [];
  readonly calls: number[] = [];
  room = Infinity;
  onSend: () => void = () => {};

  constructor(checksumOffload: boolean, segmentationOffload: number) {
    this.capabilities = { mtu: 1500, checksumOffload, segmentationOffload };
  }

  attach(): void {}

  send(batch: PacketBatch): number {
    const taken = Math.min(batch.length, this.room);
    this.room -= taken;
    this.calls.push(batch.length);
    this.onSend();
    for (let i = 0; i < taken; i++) this.sent.push(bytesOf(batch.packets[i] as Packet));
    return taken;
  }

  close(): void {}
}

describe('Edge', () => {
  const mixed = (slab: Slab) => [
    tcpPacket(slab, { payload: pattern(10), partial: true }),
    tcpPacket(slab, { payload: pattern(3000, 2), parts: [100], segmentSize: 1000 }),
    tcpPacket(slab, { payload: pattern(20, 3) }),
    tcpPacket(slab, { payload: pattern(5000, 4), segmentSize: 1000 }),
    tcpPacket(slab, { payload: pattern(30, 5), partial: true }),
  ];

  it('hands a batch through as it is to a link that takes everything', () => {
    const slab = new Slab();
    const sink = new Sink(true, 65_535);
    const packets = mixed(slab);
    expect(new Edge(sink, slab).send(batchOf(...packets))).to.equal(5);
    expect(sink.calls).to.deep.equal([5]);
    expect(sink.sent).to.deep.equal(packets.map(bytesOf));
  });

  it('cuts and completes for a link that takes nothing of the kind, in order', () => {
    const slab = new Slab();
    const sink = new Sink(false, 0);
    const packets = mixed(slab);
    expect(new Edge(sink, slab).send(batchOf(...packets))).to.equal(5);
    expect(sink.sent.map(faultOf)).to.deep.equal(new Array(11).fill(''));
    expect(sink.sent.map((bytes) => fieldsOf(bytes).payload.length)).to.deep.equal([
      10, 1000, 1000, 1000, 20, 1000, 1000, 1000, 1000, 1000, 30,
    ]);
    for (const packet of packets) drop(packet);
    expect(slab.live).to.equal(0);
  });

  it('cuts what is longer than the link takes, and leaves it partial checksums', () => {
    const slab = new Slab();
    const sink = new Sink(true, 4000);
    new Edge(sink, slab).send(batchOf(...mixed(slab)));
    expect(sink.sent.map((bytes) => fieldsOf(bytes).payload.length)).to.deep.equal([
      10, 3000, 20, 1000, 1000, 1000, 1000, 1000, 30,
    ]);
    expect(sink.sent.map(faultOf).filter((fault) => fault === 'TCP checksum')).to.have.length(8);
  });

  it('goes on after a short send where the link stopped, wherever that was', () => {
    for (let room = 0; room <= 11; room++) {
      const slab = new Slab();
      const whole = new Sink(false, 0);
      new Edge(whole, slab).send(batchOf(...mixed(slab)));
      const sink = new Sink(false, 0);
      const edge = new Edge(sink, slab);
      const left = mixed(slab);
      sink.room = room;
      for (let turns = 0; left.length > 0 || edge.held > 0; turns++) {
        expect(turns).to.be.below(12);
        const taken = edge.flush() ? edge.send(batchOf(...left)) : 0;
        for (const packet of left.splice(0, taken)) drop(packet);
        sink.room = 1;
      }
      expect(sink.sent).to.deep.equal(whole.sent);
    }
  });

  it('does not begin with a super-segment before the one before it has gone', () => {
    const slab = new Slab();
    const sink = new Sink(false, 0);
    const edge = new Edge(sink, slab);
    const packets = [1, 2].map((seed) => tcpPacket(slab, { payload: pattern(2000, seed), segmentSize: 1000 }));
    sink.room = 1;
    expect(edge.send(batchOf(...packets))).to.equal(1);
    sink.room = 9;
    expect(edge.send(batchOf(packets[1] as Packet))).to.equal(1);
    expect(sink.sent.map((bytes) => fieldsOf(bytes).payload[0])).to.deep.equal(
      [1, 2].flatMap((seed) => [pattern(2000, seed)[0], pattern(2000, seed)[1000]]),
    );
  });

  it('lets go of everything when the link closes within the send', () => {
    const slab = new Slab();
    const sink = new Sink(false, 0);
    const edge = new Edge(sink, slab);
    sink.onSend = () => edge.discard();
    sink.room = 2;
    const packet = tcpPacket(slab, { payload: pattern(3000), parts: [], segmentSize: 1000 });
    expect(edge.send(batchOf(packet))).to.equal(1);
    drop(packet);
    expect(sink.sent.map((bytes) => bytes.length)).to.deep.equal([1040, 1040]);
    expect([edge.held, slab.live]).to.deep.equal([0, 0]);
  });

  it('takes nothing while pieces are held, and lets go of them when told to', () => {
    const slab = new Slab();
    const sink = new Sink(false, 0);
    const edge = new Edge(sink, slab);
    const packet = tcpPacket(slab, { payload: pattern(3000), parts: [], segmentSize: 1000 });
    sink.room = 1;
    expect(edge.send(batchOf(packet))).to.equal(1);
    drop(packet);
    expect(edge.held).to.equal(2);
    const next = tcpPacket(slab);
    expect(edge.send(batchOf(next))).to.equal(0);
    drop(next);
    edge.discard();
    expect([edge.held, slab.live]).to.deep.equal([0, 0]);
  });
});
