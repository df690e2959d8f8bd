/** An Ethernet link at work, between the link of frames beneath it and the stack above. */

import type { Random } from '../time/random.ts';
import { IpAddress } from '../wire/address.ts';
import { hardwareAddressText } from '../wire/ethernet.ts';
import type { Ethernet, NeighbourInfo } from './ethernet.ts';
import { Arp } from './ethernet-arp.ts';
import { writeHostUnreachable } from './ethernet-error.ts';
import { FrameWriter } from './ethernet-frames.ts';
import { FrameReader } from './ethernet-input.ts';
import { ListenerReports } from './ethernet-mld.ts';
import { NeighbourDiscovery } from './ethernet-nd.ts';
import type { EthernetOptions } from './ethernet-options.ts';
import { PacketSender } from './ethernet-output.ts';
import { type AddressState, type OwnAddress, OwnAddresses } from './ethernet-own.ts';
import type { EthernetStatistics, Station } from './ethernet-station.ts';
import { guarded } from './guarded.ts';
import { PacketCopier } from './linear.ts';
import type { Link, LinkReceiver } from './link.ts';
import { NEIGHBOUR_STATES, type Neighbour } from './neighbour.ts';
import type { NeighbourSettings } from './neighbour-settings.ts';
import { type NeighbourActions, NeighbourTable } from './neighbour-table.ts';
import { Packet, type PacketBatch } from './packet.ts';
import { PacketStore } from './packet-queue.ts';

/** Bytes of packets that wait, for all neighbours and addresses together. */
const WAITING_BYTES = 4 << 20;

export class EthernetEngine implements Station {
  readonly high: number;
  readonly low: number;
  readonly settings: NeighbourSettings;
  readonly statistics: EthernetStatistics;
  readonly frames: FrameWriter;
  readonly own: OwnAddresses;
  readonly neighbours4: NeighbourTable;
  readonly neighbours6: NeighbourTable;
  readonly #receiver: LinkReceiver;
  readonly #onConflict: EthernetOptions['onConflict'];
  readonly #sender: PacketSender;
  readonly #reader: FrameReader;
  readonly #arp: Arp;
  readonly #discovery: NeighbourDiscovery;
  readonly #reports: ListenerReports;
  readonly #copier: PacketCopier;
  #closed = false;

  constructor(frames: Link, receiver: LinkReceiver, link: Ethernet, options: EthernetOptions, random: Random) {
    const { hardwareAddress, statistics } = link;
    const { clock, slab } = receiver;
    const { duplicateDetection: detection = true, defence = 'once' } = options;
    const bytes = new DataView(hardwareAddress.buffer, hardwareAddress.byteOffset);
    this.high = bytes.getUint16(0);
    this.low = bytes.getInt32(2);
    this.statistics = statistics;
    this.settings = link.settings;
    const closed = (reason: Error | undefined) => {
      if (this.#closed) return;
      this.close();
      receiver.closed(reason);
    };
    this.frames = new FrameWriter(frames, this.high, this.low, guarded(frames, clock, closed));
    this.#receiver = receiver;
    this.#onConflict = options.onConflict;
    this.#arp = new Arp(this);
    this.#discovery = new NeighbourDiscovery(this);
    this.#reports = new ListenerReports(this, clock, random);
    this.#copier = new PacketCopier(slab);
    const { unres_qlen: packets, unres_qlen_bytes: most } = this.settings;
    this.#sender = new PacketSender(this, new PacketStore(slab, { packets, bytes: most, total: WAITING_BYTES }));
    this.#reader = new FrameReader(this, this.#arp, this.#discovery, this.#reports);
    this.neighbours4 = this.#table(this.#arp, random);
    this.neighbours6 = this.#table(this.#discovery, random);
    this.own = new OwnAddresses(() => receiver.addresses, this.#ownActions(), { detection, defence }, clock, random);
    this.#attach(frames, closed);
    this.own.list();
  }

  get isRouter(): boolean {
    return this.#receiver.isRouter === true;
  }

  output(packet: Packet): void {
    this.#sender.sendOne(packet, this.#receiver.clock.now());
  }

  send(batch: PacketBatch): number {
    return this.#sender.send(batch, this.#receiver.clock.now());
  }

  close(): void {
    this.#closed = true;
    this.#forget();
    for (const each of this.own.list()) this.#sender.discard(each);
    this.own.close();
    this.#reports.close();
    this.neighbours4.close();
    this.neighbours6.close();
  }

  neighbours(): NeighbourInfo[] {
    return [...this.neighbours4.list(), ...this.neighbours6.list()].map((each) => ({
      address: IpAddress.v6(each.w0, each.w1, each.w2, each.w3),
      hardwareAddress: each.isValid ? hardwareAddressText(each.high, each.low) : undefined,
      state: NEIGHBOUR_STATES[each.state] as NeighbourInfo['state'],
      isRouter: each.isRouter,
    }));
  }

  addresses(): { readonly address: IpAddress; readonly state: AddressState }[] {
    return this.own.list().map(({ entry, state }) => ({ address: entry.address, state }));
  }

  #attach(frames: Link, closed: LinkReceiver['closed']): void {
    const receiver = this.#receiver;
    frames.attach({
      slab: receiver.slab,
      clock: receiver.clock,
      get addresses() {
        return receiver.addresses;
      },
      receive: (batch) => this.#received(batch),
      writable: () => {
        if (this.#sender.drain(receiver.clock.now())) receiver.writable();
      },
      up: () => {
        this.own.restart();
        receiver.up();
      },
      down: () => {
        this.#forget();
        receiver.down();
      },
      closed,
    });
  }

  #received(batch: PacketBatch): void {
    if (this.#closed) return;
    const up = this.#reader.read(batch, this.#receiver.clock.now());
    if (up.length > 0) this.#receiver.receive(up);
  }

  /** Neighbours are forgotten, and what waits for them is lost. */
  #forget(): void {
    for (const table of [this.neighbours4, this.neighbours6]) {
      for (const each of table.list()) this.#sender.discard(each);
      table.clear();
    }
  }

  #table(protocol: Arp | NeighbourDiscovery, random: Random): NeighbourTable {
    const actions: NeighbourActions = {
      solicit: (neighbour, unicast) => protocol.solicit(neighbour, unicast),
      resolved: (neighbour) => this.#sender.release(neighbour, this.#receiver.clock.now()),
      failed: (neighbour) => this.#failed(neighbour),
    };
    return new NeighbourTable(actions, this.settings, this.statistics, this.#receiver.clock, random);
  }

  #ownActions() {
    return {
      joined: (own: OwnAddress) => this.#reports.joined(own),
      probe: (own: OwnAddress) => (own.isIpv4 ? this.#arp : this.#discovery).probe(own),
      announce: (own: OwnAddress) => this.#arp.announce(own),
      preferred: (own: OwnAddress) => this.#sender.release(own, this.#receiver.clock.now()),
      lost: (own: OwnAddress) => this.#sender.discard(own),
      conflict: (own: OwnAddress, high: number, low: number, kept: boolean, then?: () => void) =>
        this.#conflict(own, high, low, kept, then),
    };
  }

  #conflict(
    { entry: { address } }: OwnAddress,
    high: number,
    low: number,
    kept: boolean,
    then: (() => void) | undefined,
  ): void {
    const conflict = { address, hardwareAddress: hardwareAddressText(high, low), kept };
    const onConflict = this.#onConflict;
    // A link calls nobody from within a batch.
    const { clock } = this.#receiver;
    clock.defer(() => {
      if (this.#closed) return;
      this.#receiver.conflict?.(conflict);
      // What the host says to that goes out at the end of this turn.
      if (then !== undefined) clock.defer(then);
      onConflict?.(conflict);
    });
  }

  /** RFC 4861 7.2.2, RFC 1812 5.2.7.1: for each packet that has waited in vain its sender is told: the host itself, or who sent what it forwarded. */
  #failed(neighbour: Neighbour): void {
    const waiting = this.#sender.take(neighbour);
    this.statistics.unreachable += waiting.length;
    const errors: Packet[] = [];
    const forwarded: Packet[] = [];
    for (const packet of waiting) {
      if (!this.#isOurs(packet)) {
        forwarded.push(packet);
        continue;
      }
      const error = new Packet(packet.chunk, 0);
      writeHostUnreachable(packet, this.#copier, error);
      errors.push(error);
    }
    this.#copier.rest();
    if (errors.length > 0) this.#receiver.receive({ packets: errors, length: errors.length });
    for (const error of errors) error.chunk.release();
    if (forwarded.length > 0) this.#receiver.undeliverable?.({ packets: forwarded, length: forwarded.length });
    this.#sender.giveBack(waiting);
  }

  #isOurs({ chunk: { bytes, view }, offset }: Packet): boolean {
    if ((bytes[offset] as number) >> 4 === 4)
      return this.own.find(0, 0, 0xffff, view.getInt32(offset + 12)) !== undefined;
    const word = (i: number) => view.getInt32(offset + 8 + 4 * i);
    return this.own.find(word(0), word(1), word(2), word(3)) !== undefined;
  }
}
