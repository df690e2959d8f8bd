/**
 * A link over any object-mode Duplex whose chunks are IP packets, as the `Tun` of the package tuntap2 is.
 *
 * What a stream hands up is passed on at the end of the turn: a stream may answer a write within the write, a link may not.
 */

import { checkNames, shown } from '../arguments.ts';
import { LinkClosedError } from './closed-error.ts';
import { PacketCopier } from './linear.ts';
import type { Link, LinkCapabilities, LinkReceiver } from './link.ts';
import { Packet, type PacketBatch } from './packet.ts';
import type { Slab } from './slab.ts';

/** What is used of a `stream.Duplex`. */
export interface PacketDuplex {
  on(event: 'data', listener: (packet: Uint8Array) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'drain' | 'end' | 'close', listener: () => void): unknown;
  /** Takes a packet; false: wait for `drain` before the next. */
  write(packet: Uint8Array): boolean;
  pause?(): unknown;
  resume?(): unknown;
  destroy?(): unknown;
  readonly readableObjectMode?: boolean;
  readonly writableObjectMode?: boolean;
}

export interface DuplexLinkOptions {
  /** The largest IP packet, bytes (68..65535); 1500 by default. */
  mtu?: number;
  /** `duplex` by default. */
  name?: string;
  /** The packets are Ethernet frames, for `createEthernet` or a switch; `mtu` is that of frames then, 1514 by default. */
  medium?: 'ethernet';
}

/** Packets that wait for the end of the turn before the stream is asked to pause. */
const MAX_WAITING = 256;
/** Packets handed up at a time. */
const BATCH = 64;
const LONGEST_PACKET = 65_535;

/**
 * Makes a link of a stream. It has no offloads: packets go out whole, with their checksums. The link ends when the stream does, with
 * its error if there was one; closing the link destroys the stream.
 * @throws RangeError when `mtu` is out of range
 * @throws TypeError when this is no stream, or one of bytes: it would lose where packets begin and end
 */
export function linkFromDuplex(stream: PacketDuplex, options: DuplexLinkOptions = {}): Link {
  checkNames('linkFromDuplex', options, ['mtu', 'name', 'medium'] satisfies (keyof DuplexLinkOptions)[]);
  const { medium, mtu = medium === 'ethernet' ? 1514 : 1500, name = 'duplex' } = options;
  if (!(Number.isInteger(mtu) && mtu >= 68 && mtu <= LONGEST_PACKET))
    throw new RangeError(`linkFromDuplex: mtu must be an integer in 68..65535, got ${mtu}`);
  if (medium !== undefined && medium !== 'ethernet')
    throw new TypeError(`linkFromDuplex: medium must be 'ethernet', or left out; got ${shown(medium)}`);
  if (typeof stream?.on !== 'function' || typeof stream.write !== 'function')
    throw new TypeError('linkFromDuplex: a Duplex stream is needed, with on() and write()');
  if (stream.readableObjectMode === false || stream.writableObjectMode === false) {
    throw new TypeError(
      'linkFromDuplex: the stream must be in object mode, one packet per chunk; make it with { objectMode: true }',
    );
  }
  return new DuplexLink(stream, mtu, name, medium);
}

class DuplexLink implements Link {
  readonly name: string;
  readonly medium: 'ethernet' | undefined;
  readonly capabilities: LinkCapabilities;
  readonly #stream: PacketDuplex;
  #receiver: LinkReceiver | undefined;
  #copier: PacketCopier | undefined;
  /** Packets that came in this turn: the first `#waitingCount` are meant. */
  readonly #waiting: Packet[] = [];
  #waitingCount = 0;
  readonly #batch: { packets: Packet[]; length: number } = { packets: [], length: 0 };
  readonly #deliver = () => this.#handUp();
  #scheduled = false;
  #paused = false;
  #full = false;
  #short = false;
  /** The stream has ended, and why. */
  #ended = false;
  #reason: Error | undefined;
  #closed = false;

  constructor(stream: PacketDuplex, mtu: number, name: string, medium: 'ethernet' | undefined) {
    this.#stream = stream;
    this.name = name;
    this.medium = medium;
    this.capabilities = { mtu, checksumOffload: false, segmentationOffload: 0 };
    stream.on('error', (error) => this.#end(error));
    stream.on('end', () => this.#end(undefined));
    stream.on('close', () => this.#end(undefined));
  }

  attach(receiver: LinkReceiver): void {
    if (this.#closed) throw new Error(`${this.name} was closed: a link cannot be attached again`);
    if (this.#receiver !== undefined)
      throw new Error(`${this.name} has a receiver already: a link belongs to one host`);
    this.#receiver = receiver;
    this.#stream.on('drain', () => this.#drained());
    this.#stream.on('data', (packet) => this.#arrived(packet));
    if (this.#ended) this.#schedule();
  }

  send(batch: PacketBatch): number {
    if (this.#closed) throw new LinkClosedError(this.name);
    for (let i = 0; i < batch.length; i++) {
      if (this.#full) {
        this.#short = true;
        return i;
      }
      const packet = batch.packets[i] as Packet;
      const length = packet.totalLength();
      if (length > this.capabilities.mtu)
        throw new RangeError(
          `${this.name}: a packet of ${length} bytes was sent, but the link takes ${this.capabilities.mtu}`,
        );
      // What a stream that has ended does not take any more is lost; the receiver hears of it at the end of the turn.
      if (this.#ended) continue;
      // The stream keeps what it is given, so each packet is an array of its own.
      const bytes = new Uint8Array(length);
      packet.copyTo(bytes, 0);
      if (!this.#stream.write(bytes)) this.#full = true;
    }
    return batch.length;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (let i = 0; i < this.#waitingCount; i++) (this.#waiting[i] as Packet).chunk.release();
    this.#waitingCount = 0;
    this.#copier?.rest();
    this.#stream.destroy?.();
  }

  #arrived(bytes: Uint8Array): void {
    if (this.#closed || this.#ended || this.#receiver === undefined) return;
    if (!(bytes instanceof Uint8Array)) {
      this.#end(
        new TypeError(
          `${this.name}: the stream gave a chunk that is no Uint8Array (${typeof bytes}): one IP packet per chunk is needed`,
        ),
      );
      return;
    }
    // Nothing outside these bounds is an IP packet.
    if (bytes.length === 0 || bytes.length > LONGEST_PACKET) return;
    const { slab } = this.#receiver;
    this.#copier ??= new PacketCopier(slab);
    this.#waiting[this.#waitingCount] ??= blankPacket(slab);
    const packet = this.#waiting[this.#waitingCount] as Packet;
    this.#copier.place(bytes.length, packet).bytes.set(bytes, packet.offset);
    if (++this.#waitingCount >= MAX_WAITING && !this.#paused) {
      this.#paused = true;
      this.#stream.pause?.();
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#receiver === undefined) return;
    this.#scheduled = true;
    this.#receiver.clock.defer(this.#deliver);
  }

  #handUp(): void {
    this.#scheduled = false;
    const receiver = this.#receiver as LinkReceiver;
    // What comes in answer, within the receiver's own sends, is for the next turn.
    let due = this.#waitingCount;
    while (due > 0 && this.#waitingCount > 0) {
      const packets = this.#waiting.splice(0, Math.min(BATCH, due));
      due -= packets.length;
      this.#waitingCount -= packets.length;
      this.#batch.packets = packets;
      this.#batch.length = packets.length;
      receiver.receive(this.#batch);
      for (const packet of packets) packet.chunk.release();
      this.#waiting.push(...packets);
    }
    if (this.#waitingCount > 0) return;
    this.#copier?.rest();
    if (this.#paused && !this.#closed) {
      this.#paused = false;
      this.#stream.resume?.();
    }
    if (this.#ended && !this.#closed) receiver.closed(this.#reason);
  }

  #drained(): void {
    this.#full = false;
    if (!this.#short || this.#closed || this.#ended) return;
    this.#short = false;
    this.#receiver?.writable();
  }

  /** The stream is over; the first reason counts. */
  #end(reason: Error | undefined): void {
    if (this.#ended || this.#closed) return;
    this.#ended = true;
    this.#reason = reason;
    this.#stream.destroy?.();
    this.#schedule();
  }
}

/** A packet that holds nothing yet. */
function blankPacket(slab: Slab): Packet {
  const chunk = slab.take();
  chunk.release();
  return new Packet(chunk, 0);
}
