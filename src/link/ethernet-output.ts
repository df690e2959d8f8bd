/**
 * IP packets on their way into frames: each goes to its neighbour's hardware address, or waits until that is known.
 *
 * Hot path: of packets in a row to one neighbour only the first looks it up, and nothing is allocated.
 */
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, IPV4_GROUP_HIGH, IPV6_GROUP_HIGH, ipv4GroupLow } from '../wire/ethernet.ts';
import { IPV4_HEADER_LENGTH } from '../wire/ipv4.ts';
import { IPV6_HEADER_LENGTH } from '../wire/ipv6.ts';
import type { OwnAddress } from './ethernet-own.ts';
import type { Station } from './ethernet-station.ts';
import type { Neighbour } from './neighbour.ts';
import type { NeighbourTable } from './neighbour-table.ts';
import type { Packet, PacketBatch } from './packet.ts';
import type { PacketQueue, PacketStore } from './packet-queue.ts';

/** What becomes of a packet: it goes, waits for its neighbour or for its source, or is lost. */
const GOES = 0;
const AWAITS_NEIGHBOUR = 1;
const AWAITS_SOURCE = 2;
const LOST = 3;

/** The words before an IPv4 address in an IpAddress. */
const MAPPED = 0xffff;

export class PacketSender {
  readonly #station: Station;
  readonly #store: PacketStore;
  /** Queues that can go: those of neighbours that were found, and those of addresses that may be used. */
  readonly #released: (Neighbour | OwnAddress)[] = [];
  /** What `#route` found: the hardware address and the type of the frame, or what the packet waits for. */
  #high = 0;
  #low = 0;
  #type = 0;
  #source: OwnAddress | undefined;
  /** The neighbour of the packet before. */
  #neighbour: Neighbour | undefined;
  readonly #one: { packets: Packet[]; length: number } = { packets: [], length: 1 };

  constructor(station: Station, store: PacketStore) {
    this.#station = station;
    this.#store = store;
  }

  /** As Link.send. */
  send(batch: PacketBatch, now: number): number {
    return this.drain(now) ? this.#transmit(batch, now) : 0;
  }

  /** One packet of the link's own; when the link beneath is full it is lost. */
  sendOne(packet: Packet, now: number): void {
    this.#one.packets[0] = packet;
    this.#transmit(this.#one, now);
  }

  /** What waits for it can go. */
  release(from: Neighbour | OwnAddress, now: number): void {
    if (from.queue === undefined || from.queue.length === 0) return;
    this.#released.push(from);
    this.drain(now);
  }

  /** Goes on with what was released; returns whether nothing of it is left. */
  drain(now: number): boolean {
    for (let from = this.#released[0]; from !== undefined; from = this.#released[0]) {
      const queue = from.queue as PacketQueue;
      const batch = { packets: queue.packets, length: queue.length };
      const taken = 'entry' in from ? this.#transmit(batch, now) : this.#transmitTo(from, batch);
      this.#store.drop(queue, taken);
      if (queue.length > 0) return false;
      this.#released.shift();
    }
    return true;
  }

  /** What waits for it, taken out of its queue; `giveBack` is to follow. */
  take(from: Neighbour): Packet[] {
    const at = this.#released.indexOf(from);
    if (at >= 0) this.#released.splice(at, 1);
    return from.queue === undefined ? [] : this.#store.take(from.queue, from.queue.length);
  }

  giveBack(packets: readonly Packet[]): void {
    this.#store.giveBack(packets);
  }

  /** What waits for it is lost. */
  discard(from: Neighbour | OwnAddress): void {
    const at = this.#released.indexOf(from);
    if (at >= 0) this.#released.splice(at, 1);
    if (from.queue !== undefined) this.#store.drop(from.queue);
  }

  /** Sends what can go at once, and keeps what has to wait; returns how many packets were dealt with. */
  #transmit(batch: PacketBatch, now: number): number {
    const { frames } = this.#station;
    let first = 0;
    for (let i = 0; i < batch.length; i++) {
      const packet = batch.packets[i] as Packet;
      const fate = this.#route(packet, now);
      if (fate === GOES) {
        frames.add(packet, this.#high, this.#low, this.#type);
        if (!frames.isFull) continue;
      }
      // A packet is dealt with only after all before it have gone.
      const ready = frames.length;
      const taken = this.#flush();
      if (taken < ready) return first + taken;
      first = i + 1;
      if (fate !== GOES) this.#keep(packet, fate, now);
    }
    return first + this.#flush();
  }

  /** Packets that have waited for this neighbour. */
  #transmitTo(neighbour: Neighbour, batch: PacketBatch): number {
    const { frames } = this.#station;
    let done = 0;
    while (done < batch.length) {
      for (let i = done; i < batch.length && !frames.isFull; i++) {
        const packet = batch.packets[i] as Packet;
        frames.add(packet, neighbour.high, neighbour.low, isIpv6(packet) ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4);
      }
      const ready = frames.length;
      const taken = this.#flush();
      done += taken;
      if (taken < ready) break;
    }
    return done;
  }

  #flush(): number {
    const taken = this.#station.frames.flush();
    this.#station.statistics.packetsSent += taken;
    return taken;
  }

  #keep(packet: Packet, fate: number, now: number): void {
    const { statistics } = this.#station;
    if (fate === AWAITS_SOURCE)
      statistics.unresolved_discards += this.#store.add((this.#source as OwnAddress).waiting, packet);
    if (fate !== AWAITS_NEIGHBOUR) return;
    const neighbour = this.#neighbour as Neighbour;
    const { view } = packet.chunk;
    const at = packet.offset;
    const ipv6 = isIpv6(packet);
    neighbour.s0 = ipv6 ? view.getInt32(at + 8) : 0;
    neighbour.s1 = ipv6 ? view.getInt32(at + 12) : 0;
    neighbour.s2 = ipv6 ? view.getInt32(at + 16) : MAPPED;
    neighbour.s3 = ipv6 ? view.getInt32(at + 20) : view.getInt32(at + 12);
    statistics.unresolved_discards += this.#store.add(neighbour.waiting, packet);
    this.#tableOf(ipv6).resolve(neighbour, now);
  }

  #tableOf(ipv6: boolean): NeighbourTable {
    return ipv6 ? this.#station.neighbours6 : this.#station.neighbours4;
  }

  /** Where a packet goes. RFC 1122 3.3.1, RFC 4861 5.2. */
  #route(packet: Packet, now: number): number {
    const { chunk, offset, length, nextHop } = packet;
    const { view } = chunk;
    if (length >= IPV6_HEADER_LENGTH && isIpv6(packet)) {
      const mine = this.#sourceFate(
        view.getInt32(offset + 8),
        view.getInt32(offset + 12),
        view.getInt32(offset + 16),
        view.getInt32(offset + 20),
      );
      if (mine !== GOES) return mine;
      this.#type = ETHERTYPE_IPV6;
      if (nextHop !== undefined) return this.#routeTo(nextHop.bareW0, nextHop.w1, nextHop.w2, nextHop.w3, now);
      const w3 = view.getInt32(offset + 36);
      // RFC 2464 7.
      if (chunk.bytes[offset + 24] === 0xff) return this.#routeToGroup(IPV6_GROUP_HIGH, w3);
      return this.#routeTo(view.getInt32(offset + 24), view.getInt32(offset + 28), view.getInt32(offset + 32), w3, now);
    }
    if (length < IPV4_HEADER_LENGTH) return LOST;
    const mine = this.#sourceFate(0, 0, MAPPED, view.getInt32(offset + 12));
    if (mine !== GOES) return mine;
    this.#type = ETHERTYPE_IPV4;
    if (nextHop !== undefined) return this.#routeTo(0, 0, MAPPED, nextHop.w3, now);
    const destination = view.getInt32(offset + 16);
    // RFC 1112 6.4.
    if (destination >>> 28 === 0xe) return this.#routeToGroup(IPV4_GROUP_HIGH, ipv4GroupLow(destination));
    // RFC 894, RFC 1122 3.3.6: a broadcast of IP is one of Ethernet.
    if (this.#station.own.isBroadcast(destination)) return this.#routeToGroup(0xffff, -1);
    return this.#routeTo(0, 0, MAPPED, destination, now);
  }

  #routeToGroup(high: number, low: number): number {
    this.#high = high;
    this.#low = low;
    return GOES;
  }

  #routeTo(w0: number, w1: number, w2: number, w3: number, now: number): number {
    let neighbour = this.#neighbour;
    if (neighbour === undefined || neighbour.dead || !neighbour.is(w0, w1, w2, w3)) {
      const table = this.#tableOf(this.#type === ETHERTYPE_IPV6);
      neighbour = table.find(w0, w1, w2, w3) ?? table.create(w0, w1, w2, w3, now);
      this.#neighbour = neighbour;
      if (neighbour === undefined) {
        this.#station.statistics.unreachable++;
        return LOST;
      }
    }
    if (!this.#tableOf(this.#type === ETHERTYPE_IPV6).use(neighbour, now)) return AWAITS_NEIGHBOUR;
    this.#high = neighbour.high;
    this.#low = neighbour.low;
    return GOES;
  }

  /** Whether a packet may go out with that source: RFC 5227 2.1, RFC 4862 5.4: not before it is known that nobody else has it. */
  #sourceFate(w0: number, w1: number, w2: number, w3: number): number {
    const own = this.#station.own.find(w0, w1, w2, w3);
    if (own === undefined || own.state === 'preferred') return GOES;
    if (own.state === 'tentative') {
      this.#source = own;
      return AWAITS_SOURCE;
    }
    this.#station.statistics.sourceLost++;
    return LOST;
  }
}

function isIpv6(packet: Packet): boolean {
  return (packet.chunk.bytes[packet.offset] as number) >> 4 === 6;
}
