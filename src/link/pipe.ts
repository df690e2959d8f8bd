/**
 * Two links joined in memory: what one sends, the other receives at the end of the turn, or after a latency and at a rate.
 *
 * A packet is copied once, into the receiver's chunks. Packets wait in a ring per direction; without latency and rate the
 * ring is bounded and a sender is held up, with them it is a wire with a queue before it, and what finds the queue full is lost.
 */

import type { Clock, Timer } from '../time/clock.ts';
import { LinkClosedError } from './closed-error.ts';
import { PacketCopier } from './linear.ts';
import type { Link, LinkCapabilities, LinkReceiver } from './link.ts';
import { Packet, type PacketBatch } from './packet.ts';
import type { Chunk } from './slab.ts';

export interface PipeOptions {
  /** The largest IP packet, bytes (68..65535); 1500 by default. */
  mtu?: number;
  /** Whether partial checksums and super-segments pass as they are; true by default. */
  offload?: boolean;
  /** How long a packet is on its way, ms; 0 by default: until the end of the turn. */
  latency?: number;
  /** Bits per second in each direction; Infinity by default. */
  rate?: number;
  /** With a rate: how many packets wait for the wire in each direction before more are lost; 1000 by default. A super-segment is one. */
  queue?: number;
  /** What the ends are called; `pipe0` and `pipe1` by default. */
  names?: readonly [string, string];
}

/** Packets and bytes on their way in one direction of a pipe without latency and rate: what stays in the processor's cache. */
const MAX_PACKETS = 256;
const MAX_BYTES = 1 << 20;
/** Packets that the receiver is handed at a time. */
const BATCH = 64;
const DEFAULT_QUEUE = 1000;
/** RFC 9293 3.1: the data offset stands in the high half of the 13th byte of the TCP header. */
const DATA_OFFSET = 12;

/**
 * The two ends of a pipe, each for one host. Both hosts must be on the same clock.
 * @throws RangeError naming the option, when one is out of range; TypeError when there is none of that name
 */
export function createPipe(options: PipeOptions = {}): [Link, Link] {
  const {
    mtu = 1500,
    offload = true,
    latency = 0,
    rate = Infinity,
    queue,
    names = ['pipe0', 'pipe1'],
    ...rest
  } = options;
  for (const name of Object.keys(rest)) throw new TypeError(`createPipe: there is no option ${name}`);
  if (!(Number.isInteger(mtu) && mtu >= 68 && mtu <= 65_535))
    throw new RangeError(`createPipe: mtu must be an integer in 68..65535, got ${mtu}`);
  if (!(latency >= 0 && latency < Infinity))
    throw new RangeError(`createPipe: latency must be >= 0 ms, got ${latency}`);
  if (!(rate > 0)) throw new RangeError(`createPipe: rate must be > 0 bits/s, got ${rate}`);
  if (queue !== undefined && !(Number.isInteger(queue) && queue >= 1))
    throw new RangeError(`createPipe: queue must be an integer >= 1, got ${queue}`);
  if (queue !== undefined && rate === Infinity)
    throw new RangeError('createPipe: queue needs a rate: without one no packet waits');
  const capabilities: LinkCapabilities = { mtu, checksumOffload: offload, segmentationOffload: offload ? 65_535 : 0 };
  const wire: WireOptions = { latency, msPerByte: 8000 / rate, queue: queue ?? DEFAULT_QUEUE };
  const a = new PipeEnd(names[0], capabilities, wire);
  const b = new PipeEnd(names[1], capabilities, wire);
  a.peer = b;
  b.peer = a;
  return [a, b];
}

interface WireOptions {
  readonly latency: number;
  readonly msPerByte: number;
  readonly queue: number;
}

class PipeEnd implements Link {
  readonly name: string;
  readonly capabilities: LinkCapabilities;
  readonly #wireOptions: WireOptions;
  peer: PipeEnd | undefined;
  receiver: LinkReceiver | undefined;
  /** What is on its way to this end. */
  inbound: Wire | undefined;
  closed = false;

  constructor(name: string, capabilities: LinkCapabilities, wireOptions: WireOptions) {
    this.name = name;
    this.capabilities = capabilities;
    this.#wireOptions = wireOptions;
  }

  attach(receiver: LinkReceiver): void {
    if (this.closed) throw new Error(`${this.name} was closed: a link cannot be attached again`);
    if (this.receiver !== undefined) throw new Error(`${this.name} has a receiver already: a link belongs to one host`);
    const other = this.peer?.receiver;
    if (other !== undefined && other.clock !== receiver.clock) {
      throw new Error(
        `${this.name} and ${this.peer?.name} are on two clocks: give both hosts of a pipe the same clock`,
      );
    }
    this.receiver = receiver;
    this.inbound = new Wire(receiver, this.#wireOptions, () => {
      if (this.peer?.closed === false) this.peer.receiver?.writable();
    });
    if (this.peer?.closed === true) receiver.clock.defer(() => this.lostCarrier());
  }

  send(batch: PacketBatch): number {
    if (this.closed) throw new LinkClosedError(this.name);
    if (this.receiver === undefined) throw new Error(`${this.name} is not attached: nothing can be sent on it yet`);
    for (let i = 0; i < batch.length; i++) this.#check(batch.packets[i] as Packet);
    // A cable whose other end nobody holds loses what is sent.
    return this.peer?.inbound?.take(batch) ?? batch.length;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.inbound?.discard();
    this.inbound = undefined;
    const peer = this.peer;
    peer?.receiver?.clock.defer(() => peer.lostCarrier());
  }

  lostCarrier(): void {
    if (!this.closed) this.receiver?.down();
  }

  #check(packet: Packet): void {
    const { mtu, segmentationOffload } = this.capabilities;
    const length = packet.totalLength();
    if (packet.segmentSize > 0 ? length > segmentationOffload : length > mtu) {
      throw new RangeError(
        `${this.name}: a packet of ${length} bytes was sent, but the link takes ${packet.segmentSize > 0 ? segmentationOffload : mtu}`,
      );
    }
  }
}

/** One direction: a ring of packets, each with the time it arrives. */
class Wire {
  readonly #receiver: LinkReceiver;
  readonly #clock: Clock;
  readonly #latency: number;
  readonly #msPerByte: number;
  readonly #queue: number;
  /** Delivered at the end of the turn, bounded, and never lossy. */
  readonly #immediate: boolean;
  readonly #copier: PacketCopier;
  readonly #writable: () => void;
  readonly #deliver = () => this.#arrive();
  readonly #timer: Timer;
  /** A power of two of slots; the packets on their way are the `#count` from `#first` on. */
  #ring: Packet[] = [];
  #arrivals: number[] = [];
  #departures: number[] = [];
  #first = 0;
  #count = 0;
  #bytes = 0;
  /** How many of the packets on their way have left the queue: they are on the wire. */
  #departed = 0;
  #wireFreeAt = -Infinity;
  #scheduled = false;
  #short = false;
  readonly #batch: { packets: Packet[]; length: number } = { packets: [], length: 0 };

  constructor(receiver: LinkReceiver, options: WireOptions, writable: () => void) {
    this.#receiver = receiver;
    this.#clock = receiver.clock;
    this.#latency = options.latency;
    this.#msPerByte = options.msPerByte;
    this.#queue = options.queue;
    this.#immediate = options.latency === 0 && options.msPerByte === 0;
    this.#copier = new PacketCopier(receiver.slab);
    this.#writable = writable;
    this.#timer = receiver.clock.timer(this.#deliver);
  }

  /** Takes packets from the front of the batch; returns how many it took. A packet that finds the queue full is taken, and lost. */
  take(batch: PacketBatch): number {
    const taken = this.#immediate ? this.#takeBounded(batch) : this.#takeTimed(batch);
    if (this.#count > 0 && !this.#scheduled) this.#schedule();
    return taken;
  }

  #takeBounded(batch: PacketBatch): number {
    for (let i = 0; i < batch.length; i++) {
      if (this.#count === MAX_PACKETS || this.#bytes >= MAX_BYTES) {
        this.#short = true;
        return i;
      }
      this.#add(batch.packets[i] as Packet, 0, 0);
    }
    return batch.length;
  }

  #takeTimed(batch: PacketBatch): number {
    const now = this.#clock.now();
    for (let i = 0; i < batch.length; i++) {
      const packet = batch.packets[i] as Packet;
      while (this.#departed < this.#count && (this.#departures[this.#slot(this.#departed)] as number) <= now)
        this.#departed++;
      if (this.#count - this.#departed >= this.#queue) continue;
      const departure = Math.max(now, this.#wireFreeAt) + wireBytes(packet) * this.#msPerByte;
      this.#wireFreeAt = departure;
      this.#add(packet, departure, departure + this.#latency);
    }
    return batch.length;
  }

  /** What is on its way is lost: its receiver is gone. */
  discard(): void {
    while (this.#count > 0) this.#shift().chunk.release();
    this.#copier.rest();
    this.#timer.clear();
  }

  #slot(i: number): number {
    return (this.#first + i) & (this.#ring.length - 1);
  }

  #add(packet: Packet, departure: number, arrival: number): void {
    if (this.#count === this.#ring.length) this.#grow(packet.chunk);
    const slot = this.#slot(this.#count);
    const copy = this.#ring[slot] as Packet;
    this.#copier.copy(packet, copy);
    this.#departures[slot] = departure;
    this.#arrivals[slot] = arrival;
    this.#bytes += copy.length;
    this.#count++;
  }

  #shift(): Packet {
    const packet = this.#ring[this.#first] as Packet;
    this.#first = this.#slot(1);
    this.#count--;
    this.#bytes -= packet.length;
    if (this.#departed > 0) this.#departed--;
    return packet;
  }

  /** Doubles the ring, unrolled to start at slot 0. `chunk` is what new slots name until they are used. */
  #grow(chunk: Chunk): void {
    const size = Math.max(16, this.#ring.length * 2);
    const order = Array.from({ length: this.#count }, (_, i) => this.#slot(i));
    this.#ring = order.map((slot) => this.#ring[slot] as Packet);
    this.#arrivals = order.map((slot) => this.#arrivals[slot] as number);
    this.#departures = order.map((slot) => this.#departures[slot] as number);
    while (this.#ring.length < size) this.#ring.push(new Packet(chunk, 0));
    this.#first = 0;
  }

  #schedule(): void {
    this.#scheduled = true;
    if (this.#immediate) this.#clock.defer(this.#deliver);
    else this.#timer.set(this.#arrivals[this.#first] as number);
  }

  /** Hands over what has arrived, but nothing that is sent meanwhile: that is for the next turn. */
  #arrive(): void {
    this.#scheduled = false;
    const now = this.#immediate ? 0 : this.#clock.now();
    let due = 0;
    while (due < this.#count && (this.#arrivals[this.#slot(due)] as number) <= now) due++;
    while (due > 0 && this.#count > 0) {
      const length = Math.min(due, BATCH);
      due -= length;
      this.#handOver(length);
    }
    if (this.#count > 0) {
      if (!this.#scheduled) this.#schedule();
    } else this.#copier.rest();
    if (this.#short) {
      this.#short = false;
      this.#writable();
    }
  }

  #handOver(length: number): void {
    const batch = this.#batch;
    for (let i = 0; i < length; i++) {
      // The ring and the batch exchange packets: a slot may be filled again while the batch is still out.
      const slot = this.#first;
      const packet = this.#shift();
      this.#ring[slot] = batch.packets[i] ?? new Packet(packet.chunk, 0);
      batch.packets[i] = packet;
    }
    batch.length = length;
    this.#receiver.receive(batch);
    for (let i = 0; i < length; i++) (batch.packets[i] as Packet).chunk.release();
    batch.length = 0;
  }
}

/** Bytes that the wire carries for a packet: a super-segment goes out as pieces, each under headers of its own. */
function wireBytes(packet: Packet): number {
  const total = packet.totalLength();
  if (packet.segmentSize === 0) return total;
  const transport = packet.transportOffset;
  const headers = transport + (((packet.chunk.bytes[packet.offset + transport + DATA_OFFSET] as number) >> 4) << 2);
  const pieces = Math.ceil((total - headers) / packet.segmentSize);
  return total + (pieces - 1) * headers;
}
