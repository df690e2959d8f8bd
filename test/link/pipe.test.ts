import { expect } from 'chai';
import fc from 'fast-check';
import type { Link } from '../../src/link/link.ts';
import { CHECKSUM_NONE, CHECKSUM_PARTIAL, type Packet } from '../../src/link/packet.ts';
import { createPipe, type PipeOptions } from '../../src/link/pipe.ts';
import { Slab } from '../../src/link/slab.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { batchOf, bytesOf, Collector, packetOf, pattern, tcpPacket } from './collector.ts';

interface Ends {
  clock: VirtualClock;
  slab: Slab;
  a: Link;
  b: Link;
  left: Collector;
  right: Collector;
}

function joined(options: PipeOptions = {}): Ends {
  const clock = new VirtualClock();
  const [a, b] = createPipe(options);
  return { clock, slab: new Slab(), a, b, left: new Collector(clock, a), right: new Collector(clock, b) };
}

const numbered = (slab: Slab, n: number, length = 100) =>
  Array.from({ length: n }, (_, i) => packetOf(slab, pattern(length, i)));

describe('createPipe', () => {
  it('hands packets over at the end of the turn, in order, as one batch, in one piece', async () => {
    const { clock, slab, a, left, right } = joined();
    const packets = [
      tcpPacket(slab, { payload: pattern(1001), parts: [1, 500], partial: true }),
      tcpPacket(slab, { payload: pattern(40_000, 2), parts: [17], segmentSize: 1448, tcpOptions: 12 }),
      packetOf(slab, pattern(68)),
    ];
    const sent = packets.map(bytesOf);
    expect(a.send(batchOf(...packets))).to.equal(3);
    for (const packet of packets) packet.chunk.bytes.fill(0xee);
    expect(right.received, 'not within the call').to.have.length(0);
    await clock.advance(0);
    expect(right.received.map((p) => p.bytes)).to.deep.equal(sent);
    expect(right.received.map((p) => [p.checksum, p.segmentSize])).to.deep.equal([
      [CHECKSUM_PARTIAL, 0],
      [CHECKSUM_PARTIAL, 1448],
      [CHECKSUM_NONE, 0],
    ]);
    expect(right.batches).to.deep.equal([3]);
    expect(left.received).to.have.length(0);
    expect(right.slab.live, 'the chunks are back').to.equal(0);
  });

  it('a chunk that the receiver keeps is its own until it releases it', async () => {
    const { clock, slab, a, right } = joined();
    const kept: Packet['chunk'][] = [];
    right.onReceive = ({ packets }) => {
      const chunk = (packets[0] as Packet).chunk;
      chunk.retain();
      kept.push(chunk);
    };
    a.send(batchOf(packetOf(slab, pattern(1500, 1))));
    await clock.advance(0);
    a.send(batchOf(packetOf(slab, pattern(1500, 2))));
    await clock.advance(0);
    expect(kept[0]).not.to.equal(kept[1]);
    expect(kept[0]?.bytes.slice(0, 1500)).to.deep.equal(pattern(1500, 1));
    for (const chunk of kept) chunk.release();
    expect(right.slab.live).to.equal(0);
  });

  it('is bounded: a sender is held up, and told when there is room', async () => {
    const { clock, slab, a, left, right } = joined();
    const packets = numbered(slab, 600);
    const sent = packets.map(bytesOf);
    const rest = () => {
      const taken = a.send(batchOf(...packets));
      packets.splice(0, taken);
      return taken;
    };
    expect(rest()).to.equal(256);
    expect(rest()).to.equal(0);
    left.onWritable = () => void rest();
    await clock.advance(0);
    expect(left.events).to.deep.equal(['writable', 'writable']);
    expect(right.received.map((p) => p.bytes)).to.deep.equal(sent);
    expect(right.slab.live).to.equal(0);
  });

  it('is bounded in bytes too: what is on its way fits a cache', () => {
    const { slab, a } = joined({ mtu: 65_535 });
    expect(a.send(batchOf(...numbered(slab, 30, 65_535)))).to.equal(17);
  });

  it('what a receiver sends back goes out in the next turn, and a flood of one does not starve the other', async () => {
    const { clock, slab, a, b, left, right } = joined();
    let echoes = 0;
    right.onReceive = (batch) => {
      echoes += b.send(batch);
    };
    a.send(batchOf(...numbered(slab, 100)));
    await clock.advance(0);
    expect(echoes).to.equal(100);
    expect(left.received.map((p) => p.bytes)).to.deep.equal(right.received.map((p) => p.bytes));
  });

  it('without offload says so', () => {
    const [a] = createPipe({ offload: false, mtu: 576, names: ['wan', 'lan'] });
    expect(a.capabilities).to.deep.equal({ mtu: 576, checksumOffload: false, segmentationOffload: 0 });
    expect(a.name).to.equal('wan');
    const [b] = createPipe();
    expect(b.capabilities).to.deep.equal({ mtu: 1500, checksumOffload: true, segmentationOffload: 65_535 });
  });

  it('latency: packets arrive that much later, each at its time', async () => {
    const { clock, slab, a, right } = joined({ latency: 10.5 });
    a.send(batchOf(...numbered(slab, 2)));
    await clock.advance(4);
    a.send(batchOf(packetOf(slab, pattern(50))));
    await clock.run();
    expect(right.received.map((p) => p.at)).to.deep.equal([10.5, 10.5, 14.5]);
    expect(right.slab.live).to.equal(0);
  });

  it('rate: packets follow each other at the rate, and what finds the queue full is lost', async () => {
    const { clock, slab, a, right } = joined({ rate: 800_000, latency: 5, queue: 3 });
    const packets = numbered(slab, 5);
    const sent = packets.map(bytesOf);
    expect(a.send(batchOf(...packets))).to.equal(5);
    await clock.advance(1.5);
    a.send(batchOf(packetOf(slab, pattern(100, 77)), packetOf(slab, pattern(100, 78))));
    await clock.run();
    expect(right.received.map((p) => p.at)).to.deep.equal([6, 7, 8, 9]);
    expect(right.received.map((p) => p.bytes)).to.deep.equal([...sent.slice(0, 3), pattern(100, 77)]);
  });

  it('rate: the queue is empty again once everything has gone', async () => {
    const { clock, slab, a, right } = joined({ rate: 800_000, latency: 5, queue: 3 });
    a.send(batchOf(...numbered(slab, 3)));
    await clock.advance(1);
    a.send(batchOf(...numbered(slab, 1)));
    await clock.run();
    expect(right.received).to.have.length(4);
    a.send(batchOf(...numbered(slab, 5)));
    await clock.run();
    expect(right.received).to.have.length(7);
  });

  it('rate: a super-segment takes as long as its pieces with their headers', async () => {
    const { clock, slab, a, right } = joined({ rate: 8000 });
    a.send(batchOf(tcpPacket(slab, { payload: pattern(2500), segmentSize: 1000 })));
    await clock.run();
    expect(right.received[0]?.at).to.equal(2500 + 3 * 40);
  });

  it('carries any run of packets whole, with any timing', async () => {
    const burst = fc.record({
      pause: fc.constantFrom(0, 0, 1, 7.5),
      lengths: fc.array(fc.integer({ min: 1, max: 9000 }), { maxLength: 40 }),
    });
    const wire = fc.constantFrom<PipeOptions>(
      { mtu: 9000 },
      { mtu: 9000, latency: 3 },
      { mtu: 9000, rate: 1e7, queue: 10_000 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(burst, { maxLength: 10 }), wire, async (bursts, options) => {
        const { clock, slab, a, right } = joined(options);
        const sent: Uint8Array[] = [];
        for (const { pause, lengths } of bursts) {
          const packets = lengths.map((length, i) => packetOf(slab, pattern(length, i)));
          sent.push(...packets.map(bytesOf));
          expect(a.send(batchOf(...packets))).to.equal(packets.length);
          await clock.advance(pause);
        }
        await clock.run();
        expect(right.received.map((p) => p.bytes)).to.deep.equal(sent);
        expect(right.slab.live).to.equal(0);
      }),
      { numRuns: 60 },
    );
  });

  it('close: what was sent before arrives, then the other end has no carrier and loses what it sends', async () => {
    const { clock, slab, a, b, left, right } = joined();
    a.send(batchOf(packetOf(slab, pattern(50))));
    b.send(batchOf(packetOf(slab, pattern(60))));
    a.close();
    a.close();
    expect(right.events).to.deep.equal([]);
    await clock.advance(0);
    expect(right.received).to.have.length(1);
    expect(left.received, 'one that closed hears nothing more').to.have.length(0);
    expect([left.events, right.events]).to.deep.equal([[], ['down']]);
    expect(b.send(batchOf(packetOf(slab, pattern(60))))).to.equal(1);
    b.close();
    await clock.advance(0);
    expect(right.events).to.deep.equal(['down']);
    expect([left.slab.live, right.slab.live]).to.deep.equal([0, 0]);
    expect(() => a.send(batchOf())).to.throw(Error, 'pipe0 was closed');
  });

  it('close in the middle: whatever is on its way is freed, whoever is held up goes on', async () => {
    for (const latency of [0, 10]) {
      const { clock, slab, a, b, left, right } = joined({ latency });
      expect(a.send(batchOf(...numbered(slab, 300)))).to.equal(latency === 0 ? 256 : 300);
      right.onReceive = () => b.close();
      await clock.advance(20);
      expect(right.received).to.have.length(64);
      expect(right.slab.live).to.equal(0);
      expect(left.events).to.deep.equal(latency === 0 ? ['writable', 'down'] : ['down']);
      expect(clock.pending.foreground).to.equal(0);
    }
  });

  it('an end that nobody holds loses what comes', async () => {
    const clock = new VirtualClock();
    const [a, b] = createPipe();
    const left = new Collector(clock);
    expect(() => a.send(batchOf())).to.throw(Error, 'not attached');
    a.attach(left);
    expect(a.send(batchOf(packetOf(new Slab(), pattern(50))))).to.equal(1);
    b.close();
    const late = createPipe();
    late[0].close();
    const right = new Collector(clock, late[1]);
    await clock.advance(0);
    expect([left.events, right.events]).to.deep.equal([['down'], ['down']]);
  });

  it('refuses wrong use', () => {
    const { a, b, clock, slab } = joined();
    expect(() => a.attach(new Collector(clock))).to.throw(Error, 'pipe0 has a receiver already');
    expect(() => a.send(batchOf(packetOf(slab, pattern(1501))))).to.throw(
      RangeError,
      'pipe0: a packet of 1501 bytes was sent, but the link takes 1500',
    );
    b.close();
    expect(() => b.attach(new Collector(clock))).to.throw(Error, 'closed');
    const [c, d] = createPipe();
    new Collector(new VirtualClock(), c);
    expect(() => new Collector(new VirtualClock(), d)).to.throw(Error, 'same clock');
    for (const options of [
      { mtu: 67 },
      { mtu: 65_536 },
      { latency: -1 },
      { latency: Number.NaN },
      { rate: 0 },
      { rate: 1e6, queue: 0.5 },
      { queue: 5 },
    ]) {
      const name = Object.keys(options).at(-1) as string;
      expect(() => createPipe(options), name).to.throw(RangeError, name);
    }
    expect(() => createPipe({ mut: 1500 } as PipeOptions)).to.throw(TypeError, 'there is no option mut');
  });
});
