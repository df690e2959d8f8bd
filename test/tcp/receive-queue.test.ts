import { expect } from 'chai';
import { Slab } from '../../src/link/slab.ts';
import { BY_REFERENCE, ReceiveQueue } from '../../src/tcp/receive-queue.ts';

describe('ReceiveQueue: a payload that is kept where the link put it', () => {
  it('is not written behind: what lies there is another packet', () => {
    const slab = new Slab();
    const queue = new ReceiveQueue(slab);
    const [small, large] = [slab.take(), slab.take()];
    small.bytes.fill(1, 0, 10);
    large.bytes.fill(2);
    large.bytes[BY_REFERENCE] = 99;
    queue.append(small, 0, 10);
    queue.append(large, 0, BY_REFERENCE);
    queue.append(small, 0, 10);
    expect(large.bytes[BY_REFERENCE]).to.equal(99);
    const into = new Uint8Array(BY_REFERENCE + 20);
    expect(queue.read(into, 0, into.length, false)).to.equal(into.length);
    expect([into[9], into[10], into[BY_REFERENCE + 9], into[BY_REFERENCE + 10]]).to.deep.equal([1, 2, 2, 1]);
    small.release();
    large.release();
    expect(slab.live).to.equal(0);
  });
});
