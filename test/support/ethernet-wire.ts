/**
 * An Ethernet link between a test in the place of the stack and a test in the place of the wire, on virtual time.
 *
 *     const wire = ethernetWire();                      // 10.0.0.1/24 and fd00::1/64 at 02:00:00:00:00:01, no duplicate detection
 *     wire.down(ipPacket('10.0.0.1', '10.0.0.2', 7));   // the host sends
 *     expect(wire.said()).to.deep.equal(['us>all arp who-has 10.0.0.2 tell 10.0.0.1']);
 *     wire.arrives(arpFrame({ op: 'reply', sender: '10.0.0.2', target: '10.0.0.1' }));
 */
import { createEthernet, type EthernetLink, type EthernetOptions } from '../../src/link/ethernet.ts';
import type { AddressConflict, InterfaceAddress, Link, LinkCapabilities, LinkReceiver } from '../../src/link/link.ts';
import { Packet, type PacketBatch } from '../../src/link/packet.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { IpAddress, parsePrefix } from '../../src/wire/address.ts';
import { Collector } from '../link/collector.ts';
import { told, US } from './ethernet-frames.ts';

/** The frames beneath: what goes down is kept, and has room as the test says. */
class FrameLink implements Link {
  readonly name = 'wire';
  readonly capabilities: LinkCapabilities;
  readonly sent: Uint8Array[] = [];
  /** Offload state of what was sent, frame by frame. */
  readonly offload: { readonly checksum: number; readonly transportOffset: number; readonly segmentSize: number }[] =
    [];
  room = Infinity;
  receiver: LinkReceiver | undefined;
  closed = false;

  constructor(offload: boolean) {
    this.capabilities = { mtu: 1514, checksumOffload: offload, segmentationOffload: offload ? 65_549 : 0 };
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
      this.sent.push(bytes);
      const { checksum, transportOffset, segmentSize } = packet;
      this.offload.push({ checksum, transportOffset, segmentSize });
    }
    return taken;
  }

  close(): void {
    this.closed = true;
  }
}

class Host extends Collector {
  override readonly addresses: InterfaceAddress[] = [];
  readonly conflicts: AddressConflict[] = [];
  isRouter = false;

  conflict(conflict: AddressConflict): void {
    this.conflicts.push(conflict);
  }
}

export interface EthernetWireOptions extends EthernetOptions {
  readonly addresses?: readonly string[];
  readonly offload?: boolean;
}

export class EthernetWire {
  readonly clock = new VirtualClock();
  readonly frames: FrameLink;
  readonly link: EthernetLink;
  readonly host: Host;
  #told = 0;
  readonly #reports: string[] = [];

  constructor(options: EthernetWireOptions = {}) {
    const { addresses = ['10.0.0.1/24', 'fd00::1/64'], offload = false, ...others } = options;
    this.frames = new FrameLink(offload);
    const quiet = { hardwareAddress: US, duplicateDetection: false };
    this.link = createEthernet(this.frames, {
      ...(others.random === undefined ? { seed: 1 } : {}),
      ...quiet,
      ...others,
    });
    this.host = new Host(this.clock);
    for (const text of addresses) this.host.addresses.push(parsePrefix(text) as InterfaceAddress);
    this.link.attach(this.host);
  }

  /** The host sends IP packets; returns how many were taken. */
  down(...packets: Uint8Array[]): number {
    return this.sendVia(undefined, ...packets);
  }

  /** As `down`, to the neighbour with that address. */
  sendVia(gateway: string | undefined, ...packets: Uint8Array[]): number {
    const batch = packets.map((bytes) => {
      const packet = new Packet(this.host.slab.take(), 8);
      packet.chunk.bytes.set(bytes, 8);
      packet.length = bytes.length;
      packet.nextHop = gateway === undefined ? undefined : IpAddress.parse(gateway);
      return packet;
    });
    const taken = this.link.send({ packets: batch, length: batch.length });
    for (const packet of batch) packet.chunk.release();
    return taken;
  }

  /** Frames come in, as one batch. */
  arrives(...frames: Uint8Array[]): void {
    const { slab } = this.host;
    const packets = frames.map((bytes) => {
      const packet = new Packet(slab.take(), 16);
      packet.chunk.bytes.set(bytes, 16);
      packet.length = bytes.length;
      return packet;
    });
    this.frames.receiver?.receive({ packets, length: packets.length });
    for (const packet of packets) packet.chunk.release();
  }

  /** What was sent since the last call, a line each; without reports of groups. */
  said(): string[] {
    const lines = this.frames.sent.slice(this.#told).map(told);
    this.#told = this.frames.sent.length;
    this.#reports.push(...lines.filter(isReport));
    return lines.filter((line) => !isReport(line));
  }

  /** The reports of groups among what `said` has left out since the last call. */
  reported(): string[] {
    return this.#reports.splice(0);
  }

  /** The IP packets that came up since the last call. */
  heard(): Uint8Array[] {
    return this.host.received.splice(0).map(({ bytes }) => bytes);
  }

  /** The neighbours in a line each: `10.0.0.2 peer REACHABLE`. */
  neighbours(): string[] {
    return this.link.neighbours().map(({ address, hardwareAddress = '-', state, isRouter }) => {
      return `${address} ${hardwareAddress} ${state}${isRouter ? ' router' : ''}`;
    });
  }
}

export function ethernetWire(options: EthernetWireOptions = {}): EthernetWire {
  return new EthernetWire(options);
}

function isReport(line: string): boolean {
  return line.includes(' mld');
}
