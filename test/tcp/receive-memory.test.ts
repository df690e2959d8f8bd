/** What a packet takes of the receive buffer's memory. */
import { expect } from 'chai';
import { ReceiveMemory, segmentMemory, truesize } from '../../src/tcp/receive-memory.ts';
import type { TcpSegment } from '../../src/wire/tcp.ts';

/** 256 bytes in all with the header of IPv4, and 276 with that of IPv6: on both sides of a step. */
const segment = { headerLength: 20, payloadLength: 216 } as TcpSegment;

describe('ReceiveMemory', () => {
  it("counts the header of the packet's family", () => {
    expect(truesize(256)).to.be.lessThan(truesize(276));
    for (const [header, size] of [
      [20, truesize(256)],
      [40, truesize(276)],
    ] as const) {
      expect(segmentMemory(segment, header)).to.equal(size);
      const memory = new ReceiveMemory(0, header);
      memory.take(segment, segment.payloadLength);
      expect(memory.used).to.equal(size);
      memory.takeStray(segment);
      expect(memory.used).to.equal(2 * size);
    }
  });
});
