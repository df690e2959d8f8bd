/** A link around a link that remembers the last packets, can fall silent, and tells what the slab holds. */
import type { LadderPacket } from '../../src/lab/ladder.ts';
import type { Link, LinkCapabilities, LinkReceiver } from '../../src/link/link.ts';
import type { Packet, PacketBatch } from '../../src/link/packet.ts';
import type { Slab } from '../../src/link/slab.ts';
import type { Clock } from '../../src/time/clock.ts';

/** Packets that are remembered. */
const KEPT = 40;
/** Of each packet, bytes: the headers, and with them all of a packet without payload. */
const KEPT_BYTES = 120;
const ACK_ONLY = 0x10;

interface Kept {
  at: number;
  direction: 'in' | 'out';
  segmentSize: number;
  length: number;
  readonly bytes: Uint8Array;
}

/** What went one way. */
export interface Tally {
  /** Packets; a super-segment is one. */
  packets: number;
  /** Of these TCP segments with an ACK, no other flag and no payload. */
  bareAcks: number;
  /** TCP segments but RSTs whose window is zero. */
  zeroWindows: number;
  /** Segments of the wire, as which they count. */
  segments: number;
}

export class Watch implements Link {
  readonly name: string;
  readonly capabilities: LinkCapabilities;
  readonly tally: Readonly<Record<'in' | 'out', Tally>> = { in: emptyTally(), out: emptyTally() };
  /** Nothing gets through in either direction, and nobody is told. */
  isSilent = false;
  readonly #link: Link;
  readonly #kept: Kept[] = [];
  #next = 0;
  #slab: Slab | undefined;
  #clock: Clock | undefined;

  constructor(link: Link) {
    this.#link = link;
    this.name = link.name;
    this.capabilities = link.capabilities;
  }

  /** Chunks that somebody holds. */
  get liveChunks(): number {
    return this.#slab?.live ?? 0;
  }

  attach(receiver: LinkReceiver): void {
    this.#slab = receiver.slab;
    this.#clock = receiver.clock;
    this.#link.attach({
      slab: receiver.slab,
      get addresses() {
        return receiver.addresses;
      },
      clock: receiver.clock,
      receive: (batch) => {
        if (this.isSilent) return;
        this.#note(batch, batch.length, 'in');
        receiver.receive(batch);
      },
      writable: () => receiver.writable(),
      up: () => receiver.up(),
      down: () => receiver.down(),
      closed: (reason) => receiver.closed(reason),
    });
  }

  send(batch: PacketBatch): number {
    if (this.isSilent) return batch.length;
    const taken = this.#link.send(batch);
    this.#note(batch, taken, 'out');
    return taken;
  }

  close(): void {
    this.#link.close();
  }

  /** The last packets, oldest first; payloads are cut short. */
  lastPackets(): LadderPacket[] {
    const from = this.#next;
    const ordered = [...this.#kept.slice(from), ...this.#kept.slice(0, from)];
    return ordered.map(({ at, direction, segmentSize, length, bytes }) => {
      const whole = new Uint8Array(length);
      whole.set(bytes.subarray(0, Math.min(length, KEPT_BYTES)));
      return { at, direction, segmentSize, bytes: whole };
    });
  }

  #note(batch: PacketBatch, count: number, direction: 'in' | 'out'): void {
    const at = this.#clock?.now() ?? 0;
    for (let i = 0; i < count; i++) this.#keep(batch.packets[i] as Packet, direction, at);
  }

  #keep(packet: Packet, direction: 'in' | 'out', at: number): void {
    let slot = this.#kept[this.#next];
    if (slot === undefined) {
      slot = { at, direction, segmentSize: 0, length: 0, bytes: new Uint8Array(KEPT_BYTES) };
      this.#kept[this.#next] = slot;
    }
    this.#next = (this.#next + 1) % KEPT;
    slot.at = at;
    slot.direction = direction;
    slot.segmentSize = packet.segmentSize;
    slot.length = packet.totalLength();
    const { bytes } = packet.chunk;
    for (let i = 0; i < KEPT_BYTES && i < packet.length; i++) {
      slot.bytes[i] = bytes[packet.offset + i] as number;
    }
    count(this.tally[direction], slot);
  }
}

function emptyTally(): Tally {
  return { packets: 0, bareAcks: 0, zeroWindows: 0, segments: 0 };
}

function count(tally: Tally, { bytes, length, segmentSize }: Kept): void {
  tally.packets++;
  const six = (bytes[0] as number) >> 4 === 6;
  if (bytes[six ? 6 : 9] !== 6) return;
  const at = six ? 40 : 20;
  const headers = at + ((bytes[at + 12] as number) >> 4) * 4;
  const flags = bytes[at + 13] as number;
  const payload = length - headers;
  tally.segments += segmentSize > 0 ? Math.ceil(payload / segmentSize) : 1;
  if (flags === ACK_ONLY && payload === 0) tally.bareAcks++;
  if ((flags & 4) === 0 && bytes[at + 14] === 0 && bytes[at + 15] === 0) tally.zeroWindows++;
}
