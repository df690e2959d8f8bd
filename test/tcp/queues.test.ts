/** The three byte queues of a connection against plain arrays, with numbers that wrap, and with every chunk given back. */
import { expect } from 'chai';
import fc from 'fast-check';
import { Packet } from '../../src/link/packet.ts';
import { CHUNK_SIZE, type Chunk, Slab } from '../../src/link/slab.ts';
import { Reassembly } from '../../src/tcp/reassembly.ts';
import { BY_REFERENCE, ReceiveQueue } from '../../src/tcp/receive-queue.ts';
import { SendQueue } from '../../src/tcp/send-queue.ts';

/** Sequence numbers to start from: beside 2^31, beside 2^32, and any. */
const base = fc.oneof(
  fc.integer({ min: 2 ** 31 - 3000, max: 2 ** 31 - 1 }),
  fc.integer({ min: -3000, max: 0 }),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
);
/** Bytes of a write or a payload: small ones, those that are kept by reference, and more than a chunk. */
const length = fc.oneof(
  fc.integer({ min: 1, max: 50 }),
  fc.integer({ min: 1, max: 3000 }),
  fc.constantFrom(BY_REFERENCE - 1, BY_REFERENCE, BY_REFERENCE + 1, 65_495),
);

/** Bytes that no other call gives. */
function bytesOf(count: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => Math.imul(seed * 7919 + i + 1, 0x9e37_79b1) >>> 24);
}

/** A chunk with the bytes at some offset, as a link would hand it over; the caller's. */
function chunkWith(slab: Slab, bytes: Uint8Array, offset: number): Chunk {
  const chunk = slab.take();
  chunk.bytes.set(bytes, offset);
  return chunk;
}

describe('SendQueue', () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('append' as const),
      count: fc.oneof(length, fc.constantFrom(CHUNK_SIZE, 2 * CHUNK_SIZE + 5)),
      from: fc.nat(9),
    }),
    fc.record({
      do: fc.constant('gather' as const),
      a: fc.double({ min: 0, max: 1, noNaN: true }),
      b: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    fc.record({ do: fc.constant('acknowledge' as const), a: fc.double({ min: 0, max: 1, noNaN: true }) }),
  );

  it('gives what was written, by sequence number', () => {
    fc.assert(
      fc.property(base, fc.array(step, { maxLength: 20 }), (start, steps) => {
        const slab = new Slab();
        const queue = new SendQueue(slab, start);
        let model = new Uint8Array(0);
        let una = start;
        steps.forEach((each, seed) => {
          if (each.do === 'append') {
            const bytes = bytesOf(each.count + each.from, seed);
            queue.append(bytes, each.from, each.count);
            model = Buffer.concat([model, bytes.subarray(each.from)]);
          } else if (each.do === 'acknowledge') {
            const count = Math.floor(each.a * model.length);
            una = (una + count) | 0;
            queue.acknowledge(una);
            model = model.subarray(count);
          } else {
            const [from, to] = [each.a, each.b]
              .map((part) => Math.floor(part * model.length))
              .sort((x, y) => x - y) as [number, number];
            expect(gathered(queue, (una + from) | 0, to - from).equals(model.subarray(from, to))).to.equal(true);
          }
          expect([queue.length, queue.base, queue.end]).to.deep.equal([model.length, una, (una + model.length) | 0]);
          if (model.length === 0) expect(slab.live, 'chunks of an empty queue').to.equal(0);
        });
        expect(gathered(queue, una, model.length).equals(model)).to.equal(true);
        // Old and repeated acknowledgments are nothing to it.
        queue.acknowledge((una - 1) | 0);
        expect(queue.length).to.equal(model.length);
        queue.clear();
        expect([slab.live, queue.length]).to.deep.equal([0, 0]);
      }),
      { numRuns: 150 },
    );
  });

  function gathered(queue: SendQueue, seq: number, count: number): Buffer {
    const arena = new Slab().take();
    const packet = new Packet(arena, 0);
    queue.gather(packet, seq, count);
    const bytes = Buffer.alloc(count);
    expect(packet.copyTo(bytes, 0)).to.equal(count);
    packet.clear();
    return bytes;
  }
});

describe('ReceiveQueue', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('append' as const), count: length, offset: fc.nat(60) }),
    fc.record({ do: fc.constant('read' as const), count: fc.oneof(length, fc.constant(200_000)), peek: fc.boolean() }),
  );

  it('gives what came, once and in order; a peek takes nothing', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const slab = new Slab();
        const queue = new ReceiveQueue(slab);
        let model: Buffer = Buffer.alloc(0);
        steps.forEach((each, seed) => {
          if (each.do === 'append') {
            const bytes = bytesOf(each.count, seed);
            const chunk = chunkWith(slab, bytes, each.offset);
            queue.append(chunk, each.offset, each.count);
            // The link uses a chunk again that nobody retained.
            if (chunk.refs === 1) chunk.bytes.fill(0xee);
            chunk.release();
            model = Buffer.concat([model, bytes]);
          } else {
            const into = Buffer.alloc(each.count + 3);
            const got = queue.read(into, 3, each.count, each.peek);
            expect(got).to.equal(Math.min(each.count, model.length));
            expect(into.subarray(3, 3 + got).equals(model.subarray(0, got))).to.equal(true);
            if (!each.peek) model = model.subarray(got);
          }
          expect(queue.length).to.equal(model.length);
          if (model.length === 0) expect(slab.live, 'chunks of an empty queue').to.equal(0);
        });
        queue.clear();
        expect([slab.live, queue.length]).to.deep.equal([0, 0]);
      }),
      { numRuns: 150 },
    );
  });
});

describe('Reassembly', () => {
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('insert' as const),
        at: fc.integer({ min: 1, max: 4000 }),
        count: length,
        offset: fc.nat(9),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('drain' as const), by: fc.integer({ min: 0, max: 6000 }) }) },
  );

  it('keeps the first of every byte, knows its ranges, and gives them once they are in order', () => {
    fc.assert(
      fc.property(base, fc.array(step, { maxLength: 25 }), (start, steps) => {
        const slab = new Slab();
        const reassembly = new Reassembly(slab);
        const queue = new ReceiveQueue(slab);
        const model = new Map<number, number>();
        const wire = (at: number) => (start + at) | 0;
        let next = 0;
        steps.forEach((each, seed) => {
          if (each.do === 'insert') {
            const at = next + each.at;
            const bytes = bytesOf(each.count, seed);
            const chunk = chunkWith(slab, bytes, each.offset);
            const added = reassembly.insert(wire(at), chunk, each.offset, each.count);
            if (chunk.refs === 1) chunk.bytes.fill(0xee);
            chunk.release();
            expect(added).to.equal(addTo(model, at, bytes));
            expect([reassembly.left, reassembly.right]).to.deep.equal(rangeOf(model, at).map(wire));
            expect(reassembly.rangeAt(wire(at))).to.equal(true);
            expect(reassembly.rangeAt(wire(at - 1))).to.equal(model.has(at - 1));
          } else {
            // A segment in order has come as far as this: over some of what is here, perhaps.
            const from = next + each.by;
            const expected = takeFrom(model, from);
            const got = reassembly.drainTo(queue, wire(from));
            expect(got).to.equal(wire(from + expected.length));
            const into = Buffer.alloc(expected.length);
            expect(queue.read(into, 0, into.length, false)).to.equal(expected.length);
            expect(into.equals(expected)).to.equal(true);
            expect(queue.length).to.equal(0);
            next = from + expected.length;
          }
          expect([reassembly.length, reassembly.empty]).to.deep.equal([model.size, model.size === 0]);
        });
        reassembly.clear();
        expect([slab.live, reassembly.length]).to.deep.equal([0, 0]);
      }),
      { numRuns: 150 },
    );
  });

  it('holds no chunk when it is empty again', () => {
    const slab = new Slab();
    const [reassembly, queue] = [new Reassembly(slab), new ReceiveQueue(slab)];
    const chunk = chunkWith(slab, bytesOf(100, 1), 0);
    reassembly.insert(10, chunk, 0, 100);
    chunk.release();
    reassembly.drainTo(queue, 110);
    expect([slab.live, reassembly.empty]).to.deep.equal([0, true]);
  });

  /** @returns how many were new */
  function addTo(model: Map<number, number>, at: number, bytes: Uint8Array): number {
    const before = model.size;
    bytes.forEach((byte, i) => {
      if (!model.has(at + i)) model.set(at + i, byte);
    });
    return model.size - before;
  }

  function rangeOf(model: Map<number, number>, at: number): [number, number] {
    let [left, right] = [at, at];
    while (model.has(left - 1)) left--;
    while (model.has(right)) right++;
    return [left, right];
  }

  /** Takes out what continues `from`, and drops what lies before. */
  function takeFrom(model: Map<number, number>, from: number): Buffer {
    const bytes: number[] = [];
    for (let at = from; model.has(at); at++) bytes.push(model.get(at) as number);
    // What is not reached by the continuation, and not before it, stays.
    for (const at of [...model.keys()]) if (at < from + bytes.length) model.delete(at);
    return Buffer.from(bytes);
  }
});
