/** One number for everything that two hosts sent and received, and when: two runs of a seed must agree in it. */
import { createHash } from 'node:crypto';
import type { PacketWatcher } from '../../src/link/captured.ts';

const HEAD = 16;

/** Give `watch(end)` to a capture around each end's link; `digest` ends it. */
export class TraceHash {
  readonly #hash = createHash('sha256');
  readonly #head = new DataView(new ArrayBuffer(HEAD));
  /** Packets seen at all ends, both ways. */
  packets = 0;

  watch(end: number): PacketWatcher {
    return (bytes, direction, at, segmentSize) => {
      this.packets++;
      this.#head.setFloat64(0, at);
      this.#head.setUint32(8, segmentSize);
      this.#head.setUint32(12, (end << 24) | ((direction === 'in' ? 1 : 0) << 23) | (bytes.length & 0x7fffff));
      this.#hash.update(new Uint8Array(this.#head.buffer)).update(bytes);
    };
  }

  digest(): string {
    return this.#hash.digest('hex').slice(0, 32);
  }
}
