/** A stack's end of a link, for tests: it keeps a copy of what comes up, and makes packets to send down. */
import type { InterfaceAddress, Link, LinkReceiver } from '../../src/link/link.ts';
import { CHECKSUM_PARTIAL, Packet, type PacketBatch } from '../../src/link/packet.ts';
import { Slab } from '../../src/link/slab.ts';
import type { Clock } from '../../src/time/clock.ts';
import { checksum, fold, sum } from '../../src/wire/checksum.ts';

export interface Received {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly checksum: number;
  readonly segmentSize: number;
}

export class Collector implements LinkReceiver {
  readonly slab = new Slab();
  readonly addresses: readonly InterfaceAddress[] = [];
  readonly clock: Clock;
  readonly received: Received[] = [];
  readonly batches: number[] = [];
  readonly events: string[] = [];
  onReceive: (batch: PacketBatch) => void = () => {};
  onWritable: () => void = () => {};

  constructor(clock: Clock, link?: Link) {
    this.clock = clock;
    link?.attach(this);
  }

  receive(batch: PacketBatch): void {
    this.batches.push(batch.length);
    for (let i = 0; i < batch.length; i++) {
      const packet = batch.packets[i] as Packet;
      if (packet.partCount > 0) throw new Error('an inbound packet must lie in one piece');
      if (packet.chunk.refs < 1) throw new Error('an inbound packet lies in a chunk that nobody holds');
      this.received.push({
        bytes: packet.chunk.bytes.slice(packet.offset, packet.offset + packet.length),
        at: this.clock.now(),
        checksum: packet.checksum,
        segmentSize: packet.segmentSize,
      });
    }
    this.onReceive(batch);
  }

  writable(): void {
    this.events.push('writable');
    this.onWritable();
  }

  up(): void {
    this.events.push('up');
  }

  down(): void {
    this.events.push('down');
  }

  closed(reason: Error | undefined): void {
    this.events.push(`closed: ${reason?.message}`);
  }
}

export function batchOf(...packets: Packet[]): PacketBatch {
  return { packets, length: packets.length };
}

export interface TcpSpec {
  readonly payload?: Uint8Array;
  /** Where the payload is cut into parts, bytes; none: all in one piece with the headers. */
  readonly parts?: readonly number[];
  readonly segmentSize?: number;
  readonly partial?: boolean;
  readonly flags?: number;
  readonly seq?: number;
  readonly urgent?: number;
  readonly identification?: number;
  readonly tcpOptions?: number;
  readonly version?: 4 | 6;
}

/** A TCP packet with true lengths and checksums (or a partial one), on IPv4 or IPv6. */
export function tcpPacket(slab: Slab, spec: TcpSpec = {}): Packet {
  const {
    payload = new Uint8Array(),
    parts,
    segmentSize = 0,
    partial = segmentSize > 0,
    flags = 0x10,
    seq = 1000,
    urgent = 0,
  } = spec;
  const { identification = 7, tcpOptions = 0, version = 4 } = spec;
  const ipLength = version === 4 ? 20 : 40;
  const tcpLength = 20 + tcpOptions;
  const whole = new Uint8Array(ipLength + tcpLength + payload.length);
  const view = new DataView(whole.buffer);
  const transportLength = tcpLength + payload.length;
  if (version === 4) {
    whole[0] = 0x45;
    view.setUint16(2, whole.length);
    view.setUint16(4, identification);
    view.setUint16(6, 0x4000);
    whole[8] = 64;
    whole[9] = 6;
    whole.set([10, 9, 0, 1, 10, 9, 0, 2], 12);
    view.setUint16(10, checksum(sum(view, 0, 20)));
  } else {
    whole[0] = 0x60;
    view.setUint16(4, transportLength);
    whole[6] = 6;
    whole[7] = 64;
    for (let i = 8; i < 40; i++) whole[i] = i * 7;
  }
  view.setUint16(ipLength, 1234);
  view.setUint16(ipLength + 2, 80);
  view.setUint32(ipLength + 4, seq);
  view.setUint32(ipLength + 8, 5000);
  whole[ipLength + 12] = (tcpLength / 4) << 4;
  whole[ipLength + 13] = flags;
  view.setUint16(ipLength + 14, 4096);
  view.setUint16(ipLength + 18, urgent);
  whole.fill(1, ipLength + 20, ipLength + tcpLength);
  whole.set(payload, ipLength + tcpLength);
  const pseudo = pseudoSum(view, transportLength);
  view.setUint16(ipLength + 16, partial ? fold(pseudo) : checksum(sum(view, ipLength, transportLength, pseudo)));
  const packet = packetOf(slab, whole, parts === undefined ? whole.length : ipLength + tcpLength);
  packet.transportOffset = ipLength;
  packet.checksumOffset = 16;
  packet.segmentSize = segmentSize;
  if (partial) packet.checksum = CHECKSUM_PARTIAL;
  let at = ipLength + tcpLength;
  for (const cut of parts === undefined ? [] : [...parts, payload.length]) {
    const end = ipLength + tcpLength + cut;
    const chunk = slab.take();
    const offset = at % 13;
    chunk.bytes.set(whole.subarray(at, end), offset);
    packet.addPart(chunk, offset, end - at);
    chunk.release();
    at = end;
  }
  return packet;
}

/** A packet of these bytes: the first `length` of them are its first piece. */
export function packetOf(slab: Slab, bytes: Uint8Array, length = bytes.length): Packet {
  const packet = new Packet(slab.take(), 11);
  packet.chunk.bytes.set(bytes.subarray(0, length), packet.offset);
  packet.length = length;
  return packet;
}

export function bytesOf(packet: Packet): Uint8Array {
  const bytes = new Uint8Array(packet.totalLength());
  packet.copyTo(bytes, 0);
  return bytes;
}

/** Lets go of everything that the packet holds. */
export function drop(packet: Packet): void {
  packet.clear();
  packet.chunk.release();
}

/** Bytes that differ from those of another seed. */
export function pattern(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let x = seed * 2654435761;
  for (let i = 0; i < length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

/** Whether lengths and all checksums of a TCP packet are right; a text that says what is wrong, or ''. */
export function faultOf(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = (bytes[0] as number) >> 4;
  const ipLength = version === 4 ? 20 : 40;
  if (version === 4 && fold(sum(view, 0, 20)) !== 0xffff) return 'IP header checksum';
  const told = version === 4 ? view.getUint16(2) : view.getUint16(4) + 40;
  if (told !== bytes.length) return `IP length ${told}, packet ${bytes.length}`;
  const transportLength = bytes.length - ipLength;
  if (fold(sum(view, ipLength, transportLength, pseudoSum(view, transportLength))) !== 0xffff) return 'TCP checksum';
  return '';
}

function pseudoSum(view: DataView, transportLength: number): number {
  const version = view.getUint8(0) >> 4;
  return (version === 4 ? sum(view, 12, 8) : sum(view, 8, 32)) + 6 + transportLength;
}
