/** A link that keeps what a stack sends on it, for tests that look at packets rather than at a connection. */
import type { Link, LinkCapabilities, LinkReceiver } from '../../src/link/link.ts';
import { Packet, type PacketBatch } from '../../src/link/packet.ts';
import { Stack, type StackOptions } from '../../src/stack/stack.ts';
import { seededRandom } from '../../src/time/random.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { IpAddress, parsePrefix } from '../../src/wire/address.ts';
import { buildSegment, type WireSegment } from '../support/wire-segment.ts';

export class TapLink implements Link {
  readonly name: string;
  readonly capabilities: LinkCapabilities;
  /** IP packets, as they went. */
  readonly sent: Uint8Array[] = [];
  /** The neighbours that they were for, of all that ever were sent; undefined: their own destinations. */
  readonly nextHops: (IpAddress | undefined)[] = [];
  /** How many more packets it takes. */
  room = Infinity;
  isClosed = false;
  #receiver: LinkReceiver | undefined;

  constructor(name = 'tap', mtu = 1500) {
    this.name = name;
    this.capabilities = { mtu, checksumOffload: false, segmentationOffload: 0 };
  }

  get receiver(): LinkReceiver {
    if (this.#receiver === undefined) throw new Error(`${this.name} is not attached`);
    return this.#receiver;
  }

  attach(receiver: LinkReceiver): void {
    this.#receiver = receiver;
  }

  send(batch: PacketBatch): number {
    let taken = 0;
    for (; taken < batch.length && this.room > 0; taken++, this.room--) {
      const packet = batch.packets[taken] as Packet;
      const bytes = new Uint8Array(packet.totalLength());
      packet.copyTo(bytes, 0);
      this.sent.push(bytes);
      this.nextHops.push(packet.nextHop);
    }
    return taken;
  }

  close(): void {
    this.isClosed = true;
  }

  /** A packet comes. */
  deliver(bytes: Uint8Array): void {
    const packet = new Packet(this.receiver.slab.take(), 0);
    packet.chunk.bytes.set(bytes, 0);
    packet.length = bytes.length;
    this.receiver.receive({ packets: [packet], length: 1 });
    packet.chunk.release();
  }

  /** Takes what was sent. */
  drain(): Uint8Array[] {
    return this.sent.splice(0);
  }
}

export interface Bench {
  readonly stack: Stack;
  readonly clock: VirtualClock;
}

/** A stack without links. */
export function bench(options: Partial<StackOptions> = {}): Bench {
  const clock = new VirtualClock();
  return { stack: new Stack({ clock, random: seededRandom(1), ...options }), clock };
}

export function address(text: string): IpAddress {
  const parsed = IpAddress.parse(text);
  if (parsed === undefined) throw new Error(`${text} is no address`);
  return parsed;
}

/** `10.0.0.1/24` */
export function prefix(text: string): { address: IpAddress; bits: number } {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new Error(`${text} is no prefix`);
  return parsed;
}

/** A SYN from port 40000 to port 80, unless something else is said. */
export function syn(source: string, destination: string, more: Partial<WireSegment> = {}, spoil = false): Uint8Array {
  const segment: WireSegment = {
    source: address(source).w3,
    destination: address(destination).w3,
    sourcePort: 40_000,
    destinationPort: 80,
    seq: 100,
    ack: 0,
    flags: 'S',
    win: 65_535,
    urg: 0,
    data: new Uint8Array(),
    options: {},
    ...more,
  };
  return buildSegment(segment, spoil);
}
