/** The link and the clock under the device under test of wire-peer.ts. */
import type { Link, LinkCapabilities, LinkReceiver } from '../../src/link/link.ts';
import { CHECKSUM_PARTIAL, type Packet, type PacketBatch } from '../../src/link/packet.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';

/** Its deferred work can be done at once: what users did goes out without waiting for a turn of the event loop. */
export class WireClock extends VirtualClock {
  readonly #deferred: (() => void)[] = [];

  override defer(callback: () => void): void {
    this.#deferred.push(callback);
    super.defer(() => this.flush());
  }

  flush(): void {
    for (let next = this.#deferred.shift(); next !== undefined; next = this.#deferred.shift()) next();
  }
}

export class WireLink implements Link {
  readonly name = 'wire';
  readonly capabilities: LinkCapabilities;
  receiver: LinkReceiver | undefined;
  /** How many more packets it takes before it is full. */
  room = Infinity;
  readonly #sent: (bytes: Uint8Array, partial: boolean, segmentSize: number) => void;

  constructor(mtu: number, offload: boolean, sent: (bytes: Uint8Array, partial: boolean, segmentSize: number) => void) {
    this.capabilities = { mtu, checksumOffload: offload, segmentationOffload: offload ? 65_535 : 0 };
    this.#sent = sent;
  }

  attach(receiver: LinkReceiver): void {
    this.receiver = receiver;
  }

  send(batch: PacketBatch): number {
    let taken = 0;
    for (; taken < batch.length && this.room > 0; taken++, this.room--) {
      const packet = batch.packets[taken] as Packet;
      const bytes = new Uint8Array(packet.totalLength());
      packet.copyTo(bytes, 0);
      this.#sent(bytes, packet.checksum === CHECKSUM_PARTIAL, packet.segmentSize);
    }
    return taken;
  }

  close(): void {}
}
