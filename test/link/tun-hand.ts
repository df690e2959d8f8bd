/** A host at the other end of a TUN link that does nothing by itself: it notes what comes, and sends IPv4 packets made by hand. */
import type { Link, LinkReceiver } from '../../src/link/link.ts';
import type { PacketBatch } from '../../src/link/packet.ts';
import { CHECKSUM_NONE, CHECKSUM_PARTIAL, Packet } from '../../src/link/packet.ts';
import { Slab } from '../../src/link/slab.ts';
import { RealClock } from '../../src/time/real-clock.ts';
import { checksum, fold, pseudoHeaderSum4, sum } from '../../src/wire/checksum.ts';

export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;

/** Bytes from a transport header to its checksum field. */
const CHECKSUM_OFFSET: Readonly<Record<number, number>> = { [ICMP]: 2, [TCP]: 16, [UDP]: 6 };

/** A packet that came, as a copy. */
export interface Seen {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly protocol: number;
  readonly headerLength: number;
  readonly checksum: number;
  readonly segmentSize: number;
  readonly transportOffset: number;
  readonly checksumOffset: number;
}

export class Hand implements LinkReceiver {
  readonly slab = new Slab();
  readonly addresses = [];
  readonly clock = new RealClock();
  readonly seen: Seen[] = [];
  readonly events: string[] = [];
  readonly link: Link;
  /** Runs within `receive`. */
  onReceive: (() => void) | undefined;
  #changed: (() => void)[] = [];

  constructor(link: Link) {
    this.link = link;
    link.attach(this);
  }

  receive(batch: PacketBatch): void {
    for (const packet of batch.packets.slice(0, batch.length)) this.seen.push(copyOf(packet));
    this.onReceive?.();
    this.#wake();
  }
  writable(): void {
    this.#event('writable');
  }
  up(): void {
    this.#event('up');
  }
  down(): void {
    this.#event('down');
  }
  closed(reason: Error | undefined): void {
    this.#event(`closed ${(reason as { code?: string } | undefined)?.code}`);
  }

  /** Waits until the first packet that fits has come, and takes it out of `seen`. The caller's time limit ends a wait in vain. */
  async take(fits: (packet: Seen) => boolean): Promise<Seen> {
    for (;;) {
      const at = this.seen.findIndex(fits);
      if (at >= 0) return this.seen.splice(at, 1)[0] as Seen;
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
  }

  async event(name: string): Promise<void> {
    while (!this.events.includes(name)) await new Promise<void>((resolve) => this.#changed.push(resolve));
  }

  #event(name: string): void {
    this.events.push(name);
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#changed;
    this.#changed = [];
    for (const resolve of waiting) resolve();
  }

  /**
   * Sends one packet: the headers as the first piece, `payload` in two parts.
   * @param transport the transport header, its checksum field zero
   * @param segmentSize not 0: as a super-segment with a partial checksum
   */
  send(
    protocol: number,
    source: number,
    destination: number,
    transport: Uint8Array,
    payload: Uint8Array,
    segmentSize = 0,
  ): number {
    const chunk = this.slab.take();
    const rest = this.slab.take();
    const packet = new Packet(chunk, 100);
    const length = transport.length + payload.length;
    writeIpv4Header(chunk.view, 100, protocol, source, destination, 20 + length);
    chunk.bytes.set(transport, 120);
    packet.length = 20 + transport.length;
    rest.bytes.set(payload);
    const half = Math.min(3, payload.length);
    if (half > 0) packet.addPart(rest, 0, half);
    if (payload.length > half) packet.addPart(rest, half, payload.length - half);
    const field = 120 + (CHECKSUM_OFFSET[protocol] as number);
    const pseudo = protocol === ICMP ? 0 : pseudoHeaderSum4(source, destination, protocol) + length;
    packet.transportOffset = 20;
    packet.checksumOffset = field - 120;
    packet.segmentSize = segmentSize;
    packet.checksum = segmentSize > 0 ? CHECKSUM_PARTIAL : CHECKSUM_NONE;
    if (segmentSize > 0) chunk.view.setUint16(field, fold(pseudo));
    else chunk.view.setUint16(field, checksum(sumOf(payload, sum(chunk.view, 120, transport.length, pseudo))));
    const taken = this.link.send({ packets: [packet], length: 1 });
    packet.clear();
    chunk.release();
    rest.release();
    return taken;
  }
}

export function udpHeader(source: number, destination: number, payload: number): Uint8Array {
  return words16(source, destination, 8 + payload, 0);
}

export function echoRequest(identifier: number, sequence: number): Uint8Array {
  return words16(0x0800, 0, identifier, sequence);
}

/** A TCP header with a window of 65535 << 7 after the SYN, whose options are MSS 1460 and window scale 7. */
export function tcpHeader(source: number, destination: number, seq: number, ack: number, flags: number): Uint8Array {
  const options = (flags & SYN) === 0 ? [] : [0x0204, 1460, 0x0103, 0x0307];
  const offset = 5 + options.length / 2;
  return words16(
    source,
    destination,
    seq >>> 16,
    seq & 0xffff,
    ack >>> 16,
    ack & 0xffff,
    (offset << 12) | flags,
    0xffff,
    0,
    0,
    ...options,
  );
}

/** Whether the transport checksum of a packet that came is complete and right. */
export function checksumHolds(packet: Seen): boolean {
  const length = packet.bytes.length - packet.headerLength;
  const source = packet.view.getUint32(12);
  const destination = packet.view.getUint32(16);
  const pseudo = packet.protocol === ICMP ? 0 : pseudoHeaderSum4(source, destination, packet.protocol) + length;
  return checksum(sum(packet.view, packet.headerLength, length, pseudo)) === 0;
}

function copyOf(packet: Packet): Seen {
  const bytes = new Uint8Array(packet.totalLength());
  packet.copyTo(bytes, 0);
  const view = new DataView(bytes.buffer);
  return {
    bytes,
    view,
    protocol: bytes[9] as number,
    headerLength: ((bytes[0] as number) & 15) * 4,
    checksum: packet.checksum,
    segmentSize: packet.segmentSize,
    transportOffset: packet.transportOffset,
    checksumOffset: packet.checksumOffset,
  };
}

function words16(...words: number[]): Uint8Array {
  const bytes = new Uint8Array(2 * words.length);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of words.entries()) view.setUint16(2 * i, word);
  return bytes;
}

function sumOf(bytes: Uint8Array, initial: number): number {
  return sum(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length, initial);
}

function writeIpv4Header(
  view: DataView,
  at: number,
  protocol: number,
  source: number,
  destination: number,
  length: number,
): void {
  for (const [i, word] of [0x4500, length, 0, 0x4000, 0x4000 | protocol, 0].entries()) view.setUint16(at + 2 * i, word);
  view.setUint32(at + 12, source);
  view.setUint32(at + 16, destination);
  view.setUint16(at + 10, checksum(sum(view, at, 20)));
}
