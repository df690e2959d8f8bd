/** A link with the host's addresses on it, and the batch of packets that goes out on it next. */
import { LinkClosedError } from '../link/closed-error.ts';
import { Edge } from '../link/cut.ts';
import type { AddressConflict, InterfaceAddress, Link, LinkReceiver } from '../link/link.ts';
import { Packet, type PacketBatch } from '../link/packet.ts';
import { Slab } from '../link/slab.ts';
import type { Clock } from '../time/clock.ts';
import type { IpAddress } from '../wire/address.ts';

/** Packets of a batch. */
const CAPACITY = 128;
/**
 * Packets, as the link gets them, after which data waits for the next flush. To write a window of 4 MB at MTU 1500 takes 10 ms and
 * more, in which nobody else is served and no acknowledgment read; `bench/main.ts`, ping-pong beside bulk.
 */
const FLUSH_PACKETS = 128;
/** Room for headers in the arena: what a link or an IP layer puts before the transport header, and that with what an ICMP error quotes. */
const HEADROOM = 96;
const SLOT = HEADROOM + 128;

/** Linux's. */
export const LOOPBACK_INDEX = 1;

/** What an interface tells its stack. */
export interface InterfaceOwner {
  readonly slab: Slab;
  readonly clock: Clock;
  /** It forwards IPv6. */
  readonly isRouter: boolean;
  received(from: Interface, batch: PacketBatch): void;
  writable(): void;
  /** A link has a carrier again, or none any more: other routes may serve. */
  carrierChanged(): void;
  linkClosed(from: Interface, reason: Error | undefined): void;
  /** Another host uses an address of ours. */
  conflict(from: Interface, conflict: AddressConflict): void;
  /** Packets that were to be forwarded over an interface found no neighbour there. */
  undeliverable(over: Interface, batch: PacketBatch): void;
  /** A packet (a super-segment counts as one) of this host's is to be sent. */
  requested(family: 4 | 6): void;
  /** The link is down or full for good and packets were thrown away. */
  discarded(count: number): void;
}

class OutboundPacket extends Packet {
  /** Where its header area begins. */
  home = 0;
}

export class Interface implements LinkReceiver {
  readonly name: string;
  /** 1 is the loopback's, as on Linux; the others follow in the order that they were added in. It is the zone of link-local addresses on it. */
  readonly index: number;
  readonly link: Link;
  readonly addresses: readonly InterfaceAddress[];
  /** Whatever unicast address a packet that comes in here is for, it is for this host. */
  acceptAny = false;
  /** With `acceptAny`: echo requests to addresses that are nobody's are answered. */
  echoAny = false;
  readonly #owner: InterfaceOwner;
  readonly #edge: Edge;
  readonly #batch: { packets: OutboundPacket[]; length: number } = { packets: [], length: 0 };
  /** Packets of this flush. */
  #sent = 0;
  #isUp = true;
  /** Without zones. */
  #lost: IpAddress[] = [];
  #isClosed = false;
  /** Why the link takes nothing any more, until the stack has been told. */
  #reason: LinkClosedError | undefined;
  #queueLimit = CAPACITY;

  constructor(owner: InterfaceOwner, link: Link, name: string, index: number, addresses: readonly InterfaceAddress[]) {
    this.#owner = owner;
    this.link = link;
    this.name = name;
    this.index = index;
    this.addresses = addresses;
    this.#edge = new Edge(link, owner.slab);
    link.attach(this);
  }

  get slab(): Slab {
    return this.#owner.slab;
  }

  get isRouter(): boolean {
    return this.#owner.isRouter;
  }

  get clock(): Clock {
    return this.#owner.clock;
  }

  get mtu(): number {
    return this.link.capabilities.mtu;
  }

  /** Packets that wait for the link at most; 0: nothing leaves. */
  get queueLimit(): number {
    return this.#queueLimit;
  }

  set queueLimit(most: number) {
    this.#queueLimit = Math.min(most, CAPACITY);
    if (most > 0) this.#owner.writable();
  }

  /** Packets that the link has not taken yet. */
  get waiting(): number {
    return this.#batch.length + this.#edge.held;
  }

  /** The link has a carrier. */
  get isUp(): boolean {
    return this.#isUp && !this.#isClosed;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** What was sent before counts no more. */
  beginFlush(): void {
    this.#sent = 0;
  }

  /** Those of its addresses that may be spoken from: not the ones that turned out to be another host's. */
  get sources(): readonly InterfaceAddress[] {
    return this.#lost.length === 0 ? this.addresses : this.addresses.filter(({ address }) => !this.hasLost(address));
  }

  /** Another host has that address of ours. */
  hasLost(address: IpAddress): boolean {
    return this.#lost.some((lost) => lost.equals(address.withZone(0)));
  }

  // What the network layer calls.

  get busy(): boolean {
    return this.#sent >= FLUSH_PACKETS;
  }

  take(): Packet | undefined {
    const batch = this.#batch;
    if (batch.length >= this.#queueLimit && (!this.flush() || this.#queueLimit === 0)) return undefined;
    if (batch.packets.length === 0) this.#makePackets();
    const packet = batch.packets[batch.length] as OutboundPacket;
    packet.offset = packet.home + HEADROOM;
    return packet;
  }

  commit(packet: Packet): void {
    this.#owner.requested((packet.chunk.bytes[packet.offset] as number) >> 4 === 6 ? 6 : 4);
    this.relay(packet);
  }

  relay(packet: Packet): void {
    if (packet !== this.#batch.packets[this.#batch.length])
      throw new Error(`${this.name}: commit of a packet that take did not give`);
    this.#batch.length++;
    this.#sent += this.#piecesOf(packet);
  }

  /** Hands the batch to the link. @returns whether the link took all of it */
  flush(): boolean {
    const batch = this.#batch;
    if (batch.length === 0 && (this.#edge.held === 0 || !this.isUp)) return true;
    let taken = batch.length;
    if (this.isUp) {
      try {
        if (taken === 0) return this.#edge.flush();
        taken = this.#edge.send(batch);
      } catch (error) {
        if (!(error instanceof LinkClosedError)) throw error;
        this.#broken(error);
        return true;
      }
    } else {
      this.#owner.discarded(taken);
    }
    this.#drop(taken);
    return batch.length === 0;
  }

  /** The link takes nothing any more: whoever made it has closed it. As when it ends by itself, but not in the midst of what is being sent. */
  #broken(error: LinkClosedError): void {
    this.#owner.discarded(this.#batch.length);
    this.#isClosed = true;
    this.#reason = error;
    this.#drop(this.#batch.length);
    this.#edge.discard();
    this.clock.defer(() => {
      if (this.#reason === undefined) return;
      // Of links around the one that was closed, for what they hold.
      this.link.close();
      this.#owner.linkClosed(this, this.#reason);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#reason = undefined;
    this.#drop(this.#batch.length);
    this.#edge.discard();
    this.link.close();
  }

  // What the link calls.

  receive(batch: PacketBatch): void {
    this.#owner.received(this, batch);
  }

  writable(): void {
    this.#owner.writable();
  }

  up(): void {
    this.#isUp = true;
    // RFC 5227 2.1: with the carrier addresses are tried out anew.
    this.#lost = [];
    this.#owner.carrierChanged();
  }

  down(): void {
    this.#isUp = false;
    this.#edge.discard();
    this.#owner.carrierChanged();
  }

  conflict(conflict: AddressConflict): void {
    const address = conflict.address.withZone(0);
    if (!conflict.kept && !this.hasLost(address)) this.#lost.push(address);
    this.#owner.conflict(this, conflict);
  }

  undeliverable(batch: PacketBatch): void {
    this.#owner.undeliverable(this, batch);
  }

  closed(reason: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#drop(this.#batch.length);
    this.#edge.discard();
    this.link.close();
    this.#owner.linkClosed(this, reason);
  }

  #piecesOf(packet: Packet): number {
    if (packet.segmentSize === 0 || this.link.capabilities.segmentationOffload > 0) return 1;
    return Math.ceil(packet.totalLength() / packet.segmentSize);
  }

  /** Lets go of the first `count` packets; the others move to the front. */
  #drop(count: number): void {
    const { packets } = this.#batch;
    const left = this.#batch.length - count;
    for (let i = 0; i < count; i++) (packets[i] as Packet).clear();
    for (let i = 0; i < left && count > 0; i++) {
      const packet = packets[i + count] as OutboundPacket;
      packets[i + count] = packets[i] as OutboundPacket;
      packets[i] = packet;
    }
    this.#batch.length = left;
  }

  /** Header areas lie in a chunk of the interface's own, which no slab counts. */
  #makePackets(): void {
    const arena = new Slab().take();
    for (let i = 0; i < CAPACITY; i++) {
      const packet = new OutboundPacket(arena, 0);
      packet.home = i * SLOT;
      this.#batch.packets.push(packet);
    }
  }
}
