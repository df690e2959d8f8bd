/** The three kinds of port of a switch: a link for a host, a pair of calls for a machine outside, and a cable to another link of frames. */

import type { Clock } from '../time/clock.ts';
import { ETHERNET_HEADER_LENGTH, ETHERNET_SHORTEST, ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from '../wire/ethernet.ts';
import { LinkClosedError } from './closed-error.ts';
import { Cutter, Edge } from './cut.ts';
import { completeChecksum } from './linear.ts';
import type { Link, LinkCapabilities, LinkReceiver } from './link.ts';
import { Packet, type PacketBatch } from './packet.ts';
import { PacketQueue, PacketStore } from './packet-queue.ts';
import { Slab } from './slab.ts';

/** Frames that a port hands on at a time. */
const BATCH = 64;
/** Bytes of a VLAN tag: frames with one may be so much longer (IEEE 802.3 3.2.7). */
const VLAN_TAG_LENGTH = 4;

/** What a port knows of its switch. */
export interface SwitchCore {
  /** Frames that wait at a port at most. */
  readonly queue: number;
  readonly capabilities: LinkCapabilities;
  /** A frame came in at a port: it is copied to those that it is for. */
  forward(from: SwitchPort, frame: Packet): void;
  drop(cause: string): void;
  remove(port: SwitchPort): void;
  /** Whoever was behind the port may be elsewhere. */
  forget(port: SwitchPort): void;
  /** The one clock of all ports; the first port that has one brings it. */
  useClock(name: string, clock: Clock): void;
  clock(): Clock;
}

/** A port has a queue of frames that are to leave the switch, at the end of the turn. */
export abstract class SwitchPort {
  readonly name: string;
  protected readonly core: SwitchCore;
  protected readonly queue = new PacketQueue();
  /** undefined: nobody holds the other end. */
  protected store: PacketStore | undefined;
  #scheduled = false;
  readonly #leave = () => {
    this.#scheduled = false;
    if (this.store !== undefined) this.deliver(this.store);
  };

  constructor(core: SwitchCore, name: string) {
    this.core = core;
    this.name = name;
  }

  /** Queues a copy of the frame. What finds the queue full is lost, and what comes to a port that nobody holds. */
  take(frame: Packet): void {
    if (this.store === undefined) return this.core.drop('no-carrier');
    if (this.queue.length >= this.core.queue) return this.core.drop('queue-full');
    this.store.add(this.queue, frame);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.core.clock().defer(this.#leave);
  }

  /** Frames can leave, through chunks of that slab. */
  protected plug(slab: Slab): void {
    this.store = new PacketStore(slab, { packets: Infinity, bytes: Infinity, total: Infinity });
  }

  /** Frames that wait are lost, and none leaves any more. */
  protected unplug(): void {
    this.store?.drop(this.queue);
    this.store = undefined;
    this.core.forget(this);
  }

  /** Hands on what was there when it was called. */
  protected abstract deliver(store: PacketStore): void;
}

/** Whether a super-segment can be cut: TCP over IP, without a VLAN tag before it. */
function canBeCut({ chunk, offset }: Packet): boolean {
  const type = chunk.view.getUint16(offset + ETHERNET_HEADER_LENGTH - 2);
  return type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6;
}

/** For a host: a link of frames. */
export class HostPort extends SwitchPort implements Link {
  readonly medium = 'ethernet';
  readonly hardwareAddress: Uint8Array;
  #receiver: LinkReceiver | undefined;
  #closed = false;

  constructor(core: SwitchCore, name: string, hardwareAddress: Uint8Array) {
    super(core, name);
    this.hardwareAddress = hardwareAddress;
  }

  get capabilities(): LinkCapabilities {
    return this.core.capabilities;
  }

  attach(receiver: LinkReceiver): void {
    if (this.#closed) throw new Error(`${this.name} was closed: a link cannot be attached again`);
    if (this.#receiver !== undefined)
      throw new Error(`${this.name} has a receiver already: a link belongs to one host`);
    this.core.useClock(this.name, receiver.clock);
    this.#receiver = receiver;
    this.plug(receiver.slab);
  }

  send(batch: PacketBatch): number {
    if (this.#closed) throw new LinkClosedError(this.name);
    if (this.#receiver === undefined) throw new Error(`${this.name} is not attached: nothing can be sent on it yet`);
    const { mtu, segmentationOffload } = this.capabilities;
    for (let i = 0; i < batch.length; i++) {
      const frame = batch.packets[i] as Packet;
      const most = frame.segmentSize > 0 ? segmentationOffload : mtu;
      if (frame.totalLength() > most)
        throw new RangeError(
          `${this.name}: a frame of ${frame.totalLength()} bytes was sent, but the link takes ${most}`,
        );
      this.core.forward(this, frame);
    }
    return batch.length;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.unplug();
    this.core.remove(this);
  }

  /** The switch is off. */
  loseCarrier(): void {
    if (!this.#closed) this.#receiver?.down();
  }

  protected deliver(store: PacketStore): void {
    for (let due = this.queue.length; due > 0 && !this.#closed; ) {
      const packets = store.take(this.queue, Math.min(due, BATCH));
      due -= packets.length;
      this.#receiver?.receive({ packets, length: packets.length });
      store.giveBack(packets);
    }
  }
}

/** For a machine that is no link: an emulator in the browser, a test, a WebSocket. */
export interface FramePort {
  readonly name: string;
  /** A frame from the machine; it is copied. One that is too short or too long for Ethernet is dropped, and counted. */
  send(frame: Uint8Array): void;
  /** Unplugs it. Twice does nothing. */
  close(): void;
}

export class OutsidePort extends SwitchPort implements FramePort {
  readonly #onFrame: (frame: Uint8Array) => void;
  readonly #frame: Packet;
  readonly #cutter: Cutter;
  #closed = false;

  constructor(core: SwitchCore, name: string, onFrame: (frame: Uint8Array) => void) {
    super(core, name);
    this.#onFrame = onFrame;
    const slab = new Slab();
    this.#frame = new Packet(new Slab().take(), 0);
    this.#cutter = new Cutter(slab, ETHERNET_HEADER_LENGTH);
    this.plug(slab);
  }

  send(frame: Uint8Array): void {
    if (this.#closed) return;
    if (!(frame instanceof Uint8Array)) throw new TypeError(`${this.name}: send takes a frame as a Uint8Array`);
    if (frame.length > this.core.capabilities.mtu + VLAN_TAG_LENGTH) return this.core.drop('too-long');
    this.#frame.chunk.bytes.set(frame);
    this.#frame.length = frame.length;
    this.core.forward(this, this.#frame);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.unplug();
    this.core.remove(this);
  }

  protected deliver(store: PacketStore): void {
    const packets = store.take(this.queue, this.queue.length);
    for (const packet of packets) {
      if (packet.segmentSize === 0) this.#give(packet);
      else if (!canBeCut(packet)) this.core.drop('uncuttable');
      else {
        const pieces = this.#cutter.cut(packet, true);
        for (let i = 0; i < pieces.length; i++) this.#give(pieces.packets[i] as Packet);
        this.#cutter.release();
      }
    }
    store.giveBack(packets);
  }

  /** The machine's card expects what a cable carries: whole checksums, and padding (IEEE 802.3 4.2.3.3). */
  #give(packet: Packet): void {
    if (this.#closed) return;
    completeChecksum(packet);
    const bytes = new Uint8Array(Math.max(packet.totalLength(), ETHERNET_SHORTEST));
    packet.copyTo(bytes, 0);
    this.#onFrame(bytes);
  }
}

/** A cable to another link of frames: a TAP device, a port of another switch. */
export class CablePort extends SwitchPort {
  readonly #link: Link;
  readonly #slab = new Slab();
  readonly #edge: Edge;
  #closed = false;

  constructor(core: SwitchCore, link: Link) {
    super(core, link.name);
    this.#link = link;
    this.#edge = new Edge(link, this.#slab, ETHERNET_HEADER_LENGTH);
  }

  attach(): void {
    this.#link.attach({
      slab: this.#slab,
      clock: this.core.clock(),
      addresses: [],
      receive: ({ packets, length }) => {
        for (let i = 0; i < length && !this.#closed; i++) this.core.forward(this, packets[i] as Packet);
      },
      writable: () => this.#goOn(),
      up: () => this.plug(this.#slab),
      down: () => this.#lose(),
      closed: () => this.#end(),
    });
    this.plug(this.#slab);
  }

  override take(frame: Packet): void {
    const { mtu, segmentationOffload } = this.#link.capabilities;
    if (frame.segmentSize === 0 ? frame.totalLength() > mtu : segmentationOffload === 0 && !canBeCut(frame))
      return this.core.drop('too-long');
    super.take(frame);
  }

  close(): void {
    if (this.#closed) return;
    this.#end();
    this.#link.close();
  }

  protected deliver(): void {
    this.#goOn();
  }

  /** Sends what the link takes; the rest waits until there is room. */
  #goOn(): void {
    try {
      if (this.store === undefined || !this.#edge.flush()) return;
      const { packets } = this.queue;
      this.store.drop(this.queue, this.#edge.send({ packets, length: packets.length }));
    } catch (error) {
      if (!(error instanceof LinkClosedError)) throw error;
      this.core.clock().defer(() => this.close());
    }
  }

  #lose(): void {
    this.unplug();
    this.#edge.discard();
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#lose();
    this.core.remove(this);
  }
}
