/**
 * One direction of an impaired link: packets come in, suffer, and go on at their time.
 *
 * Packets under way stand in a deadline table, one row each, whatever delayed them; those that nothing delays pass through it in the
 * same call. What arrives at the same time arrives in the order in which it came.
 */
import type { Clock, Timer } from '../time/clock.ts';
import { Deadlines } from '../time/deadlines.ts';
import type { Random } from '../time/random.ts';
import { markCongestion } from './congestion-mark.ts';
import { Cutter } from './cut.ts';
import type { CompleteImpairment, Direction } from './impaired-options.ts';
import { completeChecksum, PacketCopier } from './linear.ts';
import { CHECKSUM_NONE, Packet, type PacketBatch } from './packet.ts';
import type { Slab } from './slab.ts';

/** Packets handed on at a time. */
const BATCH = 64;
/** The only kind of deadline in the table. */
const ARRIVAL = 0;

/** What became of the packets of one direction. A packet may count under several causes. */
export interface PathStatistics {
  /** Came in, super-segments counted as their pieces. */
  packets: number;
  /** Went on, duplicates too. */
  delivered: number;
  /** Lost by `loss` or `burstLoss`. */
  lost: number;
  duplicated: number;
  reordered: number;
  corrupted: number;
  /** Lost because the queue before the rate was full. */
  queueDropped: number;
  /** Marked CE. */
  marked: number;
  /** Dropped or delayed by the rule. */
  ruled: number;
}

/** A packet that waits until others have overtaken it. */
interface Held {
  readonly row: number;
  overtakers: number;
}

export class ImpairedPath {
  readonly statistics: PathStatistics = {
    packets: 0,
    delivered: 0,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    corrupted: 0,
    queueDropped: 0,
    marked: 0,
    ruled: 0,
  };
  readonly #impairment: CompleteImpairment;
  readonly #direction: Direction;
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #deliver: (batch: PacketBatch) => number;
  readonly #cutter: Cutter;
  /** Bytes before each IP header, of frames. */
  readonly #before: number;
  readonly #copier: PacketCopier;
  readonly #timer: Timer;
  readonly #arrivals = new Deadlines(1);
  /** The packet of each row of `#arrivals`. */
  readonly #flights: Packet[] = [];
  /** Packet objects that nothing is in. */
  readonly #spare: Packet[] = [];
  readonly #out: { packets: Packet[]; length: number } = { packets: [], length: 0 };
  #handing = false;
  #held: Held[] = [];
  #bad = false;
  /** When the packets in the queue before the rate will have left it, oldest first, and their lengths. */
  readonly #departures: number[] = [];
  readonly #queuedLengths: number[] = [];
  #queuedBytes = 0;
  #wireFreeAt = -Infinity;
  #lastArrival = -Infinity;

  /** `deliver` says how many it took of a batch; when that is not all of it, `resume` is to be called once there is room. */
  constructor(
    impairment: CompleteImpairment,
    direction: Direction,
    random: Random,
    slab: Slab,
    clock: Clock,
    deliver: (batch: PacketBatch) => number,
    before = 0,
  ) {
    this.#impairment = impairment;
    this.#direction = direction;
    this.#random = random;
    this.#clock = clock;
    this.#deliver = deliver;
    this.#cutter = new Cutter(slab, before);
    this.#before = before;
    this.#copier = new PacketCopier(slab);
    this.#timer = clock.timer(() => this.resume());
  }

  /** Packets that were to go on, and could not yet: nothing more should be taken. */
  get stalled(): boolean {
    return this.#out.length > 0;
  }

  take(batch: PacketBatch): void {
    const now = this.#clock.now();
    for (let i = 0; i < batch.length; i++) {
      const packet = batch.packets[i] as Packet;
      if (packet.segmentSize === 0) {
        this.#takeOne(packet, now);
        continue;
      }
      // One bit or one loss must hit one segment of the wire, and the checksum must tell: so before anything else it is cut.
      const pieces = this.#cutter.cut(packet, true);
      for (let j = 0; j < pieces.length; j++) this.#takeOne(pieces.packets[j] as Packet, now);
      this.#cutter.release();
    }
    this.resume();
  }

  /** Hands on what is due. */
  resume(): void {
    const now = this.#clock.now();
    let row = 0;
    while (row >= 0) {
      while (this.#out.length < BATCH) {
        row = this.#arrivals.popDue(now);
        if (row < 0) break;
        this.#out.packets[this.#out.length++] = this.#land(row);
      }
      if (this.#out.length > 0 && !this.#handOn()) {
        this.#timer.clear();
        return;
      }
    }
    if (this.#arrivals.size === 0) this.#copier.rest();
    this.#timer.set(this.#arrivals.next());
  }

  /** What is under way is lost: the link has closed. A batch that is just being handed on is left to whoever has it. */
  discard(): void {
    if (!this.#handing) this.#drop(this.#out.length);
    for (let row = this.#arrivals.popDue(Infinity); row >= 0; row = this.#arrivals.popDue(Infinity)) {
      this.#recycle(this.#land(row));
    }
    this.#held = [];
    this.#copier.rest();
    this.#timer.clear();
  }

  #takeOne(original: Packet, now: number): void {
    const index = this.statistics.packets++;
    const packet = this.#copy(original);
    completeChecksum(packet);
    // Whoever has looked at the checksum below has looked at other bytes.
    packet.checksum = CHECKSUM_NONE;
    const ruling = this.#rule(packet, index, now);
    const departure = ruling < 0 || this.#isLost() ? Infinity : this.#depart(packet.length, now);
    if (departure === Infinity) {
      this.#recycle(packet);
      return;
    }
    this.#mark(packet);
    const { duplicate } = this.#impairment;
    if (duplicate > 0 && this.#random.float() < duplicate) {
      this.statistics.duplicated++;
      const twin = this.#copy(packet);
      this.#fly(packet, departure, ruling);
      this.#fly(twin, departure, ruling);
    } else {
      this.#fly(packet, departure, ruling);
    }
  }

  /** What the rule says: a delay in ms, or -1: drop. */
  #rule(packet: Packet, index: number, at: number): number {
    const { rule } = this.#impairment;
    if (rule === undefined) return 0;
    const bytes = packet.chunk.bytes.subarray(packet.offset, packet.offset + packet.length);
    const ruling = rule(bytes, { direction: this.#direction, index, at });
    if (ruling === 'pass') return 0;
    this.statistics.ruled++;
    if (ruling === 'drop') return -1;
    if (!(ruling >= 0 && ruling < Infinity)) {
      throw new RangeError(
        `impaired: the rule must return 'pass', 'drop' or a delay >= 0 ms, and returned ${ruling} for packet ${index}`,
      );
    }
    return ruling;
  }

  #isLost(): boolean {
    const { loss, burstLoss } = this.#impairment;
    let lost = loss > 0 && this.#random.float() < loss;
    if (burstLoss !== undefined) {
      if (this.#random.float() < (this.#bad ? burstLoss.r : burstLoss.p)) this.#bad = !this.#bad;
      if (this.#random.float() < (this.#bad ? burstLoss.lossBad : burstLoss.lossGood)) lost = true;
    }
    if (lost) this.statistics.lost++;
    return lost;
  }

  /** When a packet of this length has left the queue before the rate; Infinity: it found the queue full. */
  #depart(length: number, now: number): number {
    const { rate, queue, queueBytes } = this.#impairment;
    if (rate === Infinity) return now;
    while (this.#departures.length > 0 && (this.#departures[0] as number) <= now) {
      this.#departures.shift();
      this.#queuedBytes -= this.#queuedLengths.shift() as number;
    }
    if (this.#departures.length >= queue || this.#queuedBytes + length > queueBytes) {
      this.statistics.queueDropped++;
      return Infinity;
    }
    this.#wireFreeAt = Math.max(now, this.#wireFreeAt) + (length * 8000) / rate;
    this.#departures.push(this.#wireFreeAt);
    this.#queuedLengths.push(length);
    this.#queuedBytes += length;
    return this.#wireFreeAt;
  }

  #mark(packet: Packet): void {
    const { mark, markAbove } = this.#impairment;
    // It waits itself by now.
    const full = this.#departures.length - 1 > markAbove;
    if ((full || (mark > 0 && this.#random.float() < mark)) && markCongestion(packet, this.#before))
      this.statistics.marked++;
  }

  /** Sends a packet on its way: everything that may happen to it after the queue. */
  #fly(packet: Packet, departure: number, extra: number): void {
    const { corrupt, reorder, delay, jitter, keepOrder } = this.#impairment;
    if (corrupt > 0 && this.#random.float() < corrupt) this.#flipBit(packet);
    let arrival = departure + delay + (jitter > 0 ? this.#random.float() * jitter : 0);
    if (keepOrder) {
      arrival = Math.max(arrival, this.#lastArrival);
      this.#lastArrival = arrival;
    }
    arrival += extra;
    const row = this.#arrivals.allocate();
    this.#flights[row] = packet;
    if (reorder.probability > 0 && this.#random.float() < reorder.probability) {
      this.statistics.reordered++;
      this.#arrivals.set(row, ARRIVAL, arrival + reorder.delay);
      if (reorder.packets < Infinity) this.#held.push({ row, overtakers: reorder.packets });
      return;
    }
    this.#arrivals.set(row, ARRIVAL, arrival);
    if (this.#held.length > 0) this.#overtake(arrival);
  }

  /** One more packet has passed those that are held: who has been passed often enough arrives right after it. */
  #overtake(arrival: number): void {
    let released = false;
    for (const held of this.#held) {
      if (--held.overtakers > 0) continue;
      released = true;
      if (arrival < this.#arrivals.at(held.row, ARRIVAL)) this.#arrivals.set(held.row, ARRIVAL, arrival);
    }
    if (released) this.#held = this.#held.filter((held) => held.overtakers > 0);
  }

  #flipBit(packet: Packet): void {
    this.statistics.corrupted++;
    const bit = Math.floor(this.#random.float() * packet.length * 8);
    const at = packet.offset + (bit >> 3);
    packet.chunk.bytes[at] = (packet.chunk.bytes[at] as number) ^ (1 << (bit & 7));
  }

  /** Takes the packet of a row out of the table. */
  #land(row: number): Packet {
    this.#arrivals.free(row);
    if (this.#held.length > 0) this.#held = this.#held.filter((held) => held.row !== row);
    return this.#flights[row] as Packet;
  }

  /** Hands the batch on; returns whether all of it was taken. */
  #handOn(): boolean {
    this.#handing = true;
    const taken = this.#deliver(this.#out);
    this.#handing = false;
    this.statistics.delivered += taken;
    this.#drop(taken);
    return this.#out.length === 0;
  }

  #drop(count: number): void {
    const gone = this.#out.packets.splice(0, count);
    this.#out.length -= gone.length;
    for (const packet of gone) this.#recycle(packet);
  }

  #copy(original: Packet): Packet {
    const packet = this.#spare.pop() ?? new Packet(original.chunk, 0);
    this.#copier.copy(original, packet);
    return packet;
  }

  #recycle(packet: Packet): void {
    packet.chunk.release();
    this.#spare.push(packet);
  }
}
