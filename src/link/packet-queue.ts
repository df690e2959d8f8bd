/** Packets that wait inside a link: copied into chunks, in queues with limits, the oldest lost first. */
import { PacketCopier } from './linear.ts';
import { Packet } from './packet.ts';
import type { Slab } from './slab.ts';

/** One queue of a store; empty, it is two fields. */
export class PacketQueue {
  readonly packets: Packet[] = [];
  /** Of all packets in it. */
  bytes = 0;

  get length(): number {
    return this.packets.length;
  }
}

export interface QueueLimits {
  /** Packets and bytes of one queue. */
  readonly packets: number;
  readonly bytes: number;
  /** Bytes of all queues together. */
  readonly total: number;
}

/** What all queues of a link have in common: the chunks, and the bound on all of them together. */
export class PacketStore {
  readonly #slab: Slab;
  readonly #copier: PacketCopier;
  readonly #limits: QueueLimits;
  readonly #spare: Packet[] = [];
  #count = 0;
  #bytes = 0;

  constructor(slab: Slab, limits: QueueLimits) {
    this.#slab = slab;
    this.#copier = new PacketCopier(slab);
    this.#limits = limits;
  }

  /** Puts a copy at the end. RFC 4861 7.2.2: when the queue overflows, the oldest makes room; when the store does, the new one is lost. @returns how many were lost */
  add(queue: PacketQueue, packet: Packet): number {
    const length = packet.totalLength();
    const { packets, bytes, total } = this.#limits;
    let oldest = 0;
    let freed = 0;
    while (oldest < queue.length && (queue.length - oldest >= packets || queue.bytes - freed + length > bytes))
      freed += (queue.packets[oldest++] as Packet).length;
    this.drop(queue, oldest);
    if (this.#bytes + length > total || length > bytes) return oldest + 1;
    const copy = this.#spare.pop() ?? this.#blank();
    this.#copier.copy(packet, copy);
    queue.packets.push(copy);
    queue.bytes += length;
    this.#bytes += length;
    this.#count++;
    return oldest;
  }

  /** Lets go of the first `count` packets of a queue. */
  drop(queue: PacketQueue, count = queue.length): void {
    if (count > 0) this.giveBack(this.take(queue, count));
  }

  /** Takes the first `count` packets out of a queue; `giveBack` is to follow. */
  take(queue: PacketQueue, count: number): Packet[] {
    const packets = queue.packets.splice(0, count);
    for (const { length } of packets) {
      queue.bytes -= length;
      this.#bytes -= length;
    }
    this.#count -= packets.length;
    return packets;
  }

  /** What was taken is done with, whatever its fields say by now. */
  giveBack(packets: readonly Packet[]): void {
    for (const packet of packets) {
      packet.chunk.release();
      packet.nextHop = undefined;
      this.#spare.push(packet);
    }
    if (this.#count === 0) this.#rest();
  }

  /** Nothing waits: the chunk that was being filled goes, and the packet objects to the collector. */
  #rest(): void {
    this.#copier.rest();
    this.#spare.length = 0;
  }

  #blank(): Packet {
    const chunk = this.#slab.take();
    chunk.release();
    return new Packet(chunk, 0);
  }
}
