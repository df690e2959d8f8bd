import { expect } from 'chai';
import fc from 'fast-check';
import { DatagramQueue, QueuedDatagram } from '../../src/udp/queue.ts';
import { type RingBuffer, RingPool } from '../../src/udp/ring-pool.ts';
import { pattern } from '../support/pair.ts';

function datagram(length: number, mark: number): QueuedDatagram {
  return Object.assign(new QueuedDatagram(), {
    length,
    memory: length + 100,
    sourcePort: mark & 0xffff,
    tos: mark & 255,
    ttl: (mark >> 3) & 255,
    s3: mark | 0,
    d0: -mark | 0,
    interfaceIndex: mark & 7,
  });
}

describe('udp/queue', () => {
  it('gives datagrams back as they were put in, whatever the order of puts and takes', () => {
    const actions = fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.integer({ min: 0, max: 3000 }).map((length) => ({ put: length })) },
        { weight: 2, arbitrary: fc.constant({ put: -1 }) },
        { weight: 1, arbitrary: fc.constant({ put: 65_527 }) },
      ),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(actions, (list) => {
        const pool = new RingPool();
        const queue = new DatagramQueue(pool);
        const held: { datagram: QueuedDatagram; bytes: Uint8Array }[] = [];
        const out = new QueuedDatagram();
        for (const [i, { put }] of list.entries()) {
          if (put >= 0) {
            const one = { datagram: datagram(put, i * 77_777), bytes: pattern(put, i) };
            held.push(one);
            const around = new Uint8Array(put + 9);
            around.set(one.bytes, 5);
            queue.push(one.datagram, around, 5);
          } else if (held.length > 0) {
            const wanted = held.shift() as (typeof held)[number];
            expect(queue.first(out)).to.equal(true);
            expect({ ...out }).to.deep.equal({ ...wanted.datagram });
            const bytes = new Uint8Array(out.length);
            expect(queue.copy(bytes, 0)).to.equal(out.length);
            expect(Buffer.compare(bytes, wanted.bytes)).to.equal(0);
            queue.shift();
          }
          expect(queue.count).to.equal(held.length);
          expect(queue.bytes).to.equal(held.reduce((sum, { bytes }) => sum + bytes.length, 0));
          expect(queue.memory).to.equal(queue.bytes + 100 * held.length);
          expect(pool.live).to.equal(held.length === 0 ? 0 : 1);
        }
        queue.clear();
        expect([queue.count, queue.memory, queue.bytes, pool.live]).to.deep.equal([0, 0, 0, 0]);
      }),
      { numRuns: 150 },
    );
  });

  it('copies a datagram from any of its bytes on, and no further than its end', () => {
    const queue = new DatagramQueue(new RingPool());
    queue.push(datagram(10, 1), pattern(10), 0);
    queue.push(datagram(10, 2), pattern(10, 50), 0);
    const into = new Uint8Array(100);
    expect(queue.copy(into, 7)).to.equal(3);
    expect(into.subarray(0, 4)).to.deep.equal(Uint8Array.of(...pattern(3, 7), 0));
    expect(queue.copy(into, 10)).to.equal(0);
    expect(queue.copy(into, 11)).to.equal(0);
    expect(queue.firstLength).to.equal(10);
  });

  it('memory follows what is queued, and goes when nothing is', () => {
    const pool = new RingPool();
    const queue = new DatagramQueue(pool);
    for (let i = 0; i < 1000; i++) {
      queue.push(datagram(20, i), pattern(20), 0);
      queue.push(datagram(20, i), pattern(20), 0);
      queue.shift();
      queue.shift();
    }
    expect(pool.live).to.equal(0);
    for (let i = 0; i < 100; i++) queue.push(datagram(952, i), pattern(952), 0);
    expect(pool.live).to.equal(1);
    // Through a ring of the size that is there: 60 of them stay while 1000 pass.
    for (let i = 0; i < 40; i++) queue.shift();
    const before = queue.count;
    for (let i = 0; i < 1000; i++) {
      queue.push(datagram(952, i), pattern(952), 0);
      queue.shift();
    }
    expect(queue.count).to.equal(before);
    queue.clear();
    expect(pool.live).to.equal(0);
  });

  it('what passes through a ring that has room goes round in it', () => {
    let taken = 0;
    class CountingPool extends RingPool {
      override take(least: number): RingBuffer {
        taken++;
        return super.take(least);
      }
    }
    const queue = new DatagramQueue(new CountingPool());
    for (let i = 0; i < 10; i++) queue.push(datagram(952, i), pattern(952, i), 0);
    for (let i = 0; i < 5; i++) queue.shift();
    const before = taken;
    for (let i = 0; i < 1000; i++) {
      queue.push(datagram(952, i), pattern(952, i), 0);
      queue.shift();
    }
    expect(taken).to.equal(before);
  });

  it('the pool keeps no more than 4 MiB', () => {
    const pool = new RingPool();
    const sizes = Array.from({ length: 20 }, () => pool.take(1_000_000).bytes.length);
    expect(new Set(sizes)).to.deep.equal(new Set([1_048_576]));
    expect(pool.live).to.equal(20);
    const buffers = Array.from({ length: 20 }, () => pool.take(1_000_000));
    for (const buffer of buffers) pool.give(buffer);
    const again = Array.from({ length: 20 }, () => pool.take(1_000_000));
    expect(again.filter((buffer) => buffers.includes(buffer))).to.have.length(4);
  });
});
