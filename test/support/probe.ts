/** The end of a link that nobody's stack is on: packets are put in and looked at by hand. */
import type { Link, LinkReceiver } from '../../src/link/link.ts';
import { Packet, type PacketBatch } from '../../src/link/packet.ts';
import { Slab } from '../../src/link/slab.ts';
import type { Clock } from '../../src/time/clock.ts';

export class Probe {
  readonly #link: Link;
  readonly #packet = new Packet(new Slab().take(), 0);
  #came: Uint8Array[] = [];

  constructor(link: Link, clock: Clock) {
    this.#link = link;
    const receiver: LinkReceiver = {
      slab: new Slab(),
      addresses: [],
      clock,
      receive: (batch: PacketBatch) => {
        for (let i = 0; i < batch.length; i++) {
          const { chunk, offset, length } = batch.packets[i] as Packet;
          this.#came.push(chunk.bytes.slice(offset, offset + length));
        }
      },
      writable: () => {},
      up: () => {},
      down: () => {},
      closed: () => {},
    };
    link.attach(receiver);
  }

  send(bytes: Uint8Array): void {
    this.#packet.chunk.bytes.set(bytes);
    this.#packet.length = bytes.length;
    this.#link.send({ packets: [this.#packet], length: 1 });
  }

  /** What came since the last call. */
  drain(): Uint8Array[] {
    return this.#came.splice(0);
  }
}
