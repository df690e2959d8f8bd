/**
 * A link around a link that shows every packet, both ways, to whoever watches: as pcapng, which Wireshark reads, and as
 * it is. What is shown has complete checksums, whatever was left to the link; a super-segment is shown as the one packet that it is.
 */
import { checkNames } from '../arguments.ts';
import {
  enhancedPacket,
  interfaceDescription,
  LINKTYPE_ETHERNET,
  LINKTYPE_RAW,
  sectionHeader,
} from '../wire/pcapng.ts';
import { completeChecksum } from './linear.ts';
import type { Link, LinkCapabilities, LinkReceiver } from './link.ts';
import { Packet, type PacketBatch } from './packet.ts';
import { Slab } from './slab.ts';

export interface CaptureOptions {
  /** Takes the next bytes of a pcapng file, first its head. The array is the taker's. */
  readonly write?: (bytes: Uint8Array) => void;
  /** What the interface is called in the file; the link's name by default. */
  readonly name?: string;
  /** Says what is to stand beside a packet in the file, if anything. */
  readonly comment?: PacketComment;
  /** How many bytes of a packet are written to the file at most; all by default. */
  readonly snaplen?: number;
  /** Sees each packet, before the host or after the link has got it. */
  readonly onPacket?: PacketWatcher;
}

/**
 * `bytes`: the whole IP packet, valid during the call. `direction`: `out` from the host. `at`: wall time of the clock, ms.
 * `segmentSize`: bytes of payload of the pieces of a super-segment, 0 for any other packet.
 */
export type PacketWatcher = (bytes: Uint8Array, direction: 'in' | 'out', at: number, segmentSize: number) => void;
export type PacketComment = (
  bytes: Uint8Array,
  direction: 'in' | 'out',
  at: number,
  segmentSize: number,
) => string | undefined;

export interface CapturedLink extends Link {
  /** Puts a comment beside the next packet in the file; several before one packet become several lines. Without `write` it does nothing. */
  comment(text: string): void;
}

/**
 * Puts a capture around a link. What `write` or `onPacket` throw comes out of the link, so they had better not.
 * @throws RangeError when `snaplen` is not an integer >= 1
 * @throws TypeError when there is neither `write` nor `onPacket`: nobody would see anything
 */
export function captured(link: Link, options: CaptureOptions): CapturedLink {
  checkNames('captured', options, [
    'write',
    'name',
    'comment',
    'snaplen',
    'onPacket',
  ] satisfies (keyof CaptureOptions)[]);
  const { snaplen } = options;
  if (snaplen !== undefined && !(Number.isInteger(snaplen) && snaplen >= 1))
    throw new RangeError(`captured: snaplen must be an integer >= 1, got ${snaplen}`);
  for (const name of ['write', 'onPacket', 'comment'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'function')
      throw new TypeError(`captured: ${name} must be a function`);
  }
  if (options.write === undefined && options.onPacket === undefined)
    throw new TypeError('captured: give write, onPacket or both');
  return new Captured(link, options);
}

class Captured implements CapturedLink {
  readonly name: string;
  readonly capabilities: LinkCapabilities;
  readonly #link: Link;
  readonly #options: CaptureOptions;
  readonly #snaplen: number;
  /** The copy that is shown. */
  readonly #shown = new Packet(new Slab().take(), 0);
  readonly #comments: string[] = [];
  #receiver: LinkReceiver | undefined;

  constructor(link: Link, options: CaptureOptions) {
    this.#link = link;
    this.#options = options;
    this.#snaplen = options.snaplen ?? Infinity;
    this.name = `captured(${link.name})`;
    this.capabilities = link.capabilities;
    options.write?.(sectionHeader({ userappl: 'tunstack' }));
    const linkType = link.medium === 'ethernet' ? LINKTYPE_ETHERNET : LINKTYPE_RAW;
    options.write?.(interfaceDescription(options.name ?? link.name, options.snaplen ?? 0, linkType));
  }

  get medium(): 'ethernet' | undefined {
    return this.#link.medium;
  }

  get hardwareAddress(): Uint8Array | undefined {
    return this.#link.hardwareAddress;
  }

  attach(receiver: LinkReceiver): void {
    this.#link.attach({
      slab: receiver.slab,
      clock: receiver.clock,
      get addresses() {
        return receiver.addresses;
      },
      get isRouter() {
        return receiver.isRouter === true;
      },
      receive: (batch) => {
        this.#show(batch, batch.length, 'in', receiver);
        receiver.receive(batch);
      },
      writable: () => receiver.writable(),
      up: () => receiver.up(),
      down: () => receiver.down(),
      conflict: (conflict) => receiver.conflict?.(conflict),
      undeliverable: (batch) => receiver.undeliverable?.(batch),
      closed: (reason) => receiver.closed(reason),
    });
    this.#receiver = receiver;
  }

  send(batch: PacketBatch): number {
    const taken = this.#link.send(batch);
    if (this.#receiver !== undefined) this.#show(batch, taken, 'out', this.#receiver);
    return taken;
  }

  receiveNow(): boolean {
    return this.#link.receiveNow?.() === true;
  }

  close(): void {
    this.#link.close();
  }

  comment(text: string): void {
    if (this.#options.write !== undefined) this.#comments.push(text);
  }

  #show(batch: PacketBatch, count: number, direction: 'in' | 'out', receiver: LinkReceiver): void {
    const at = receiver.clock.wallNow();
    for (let i = 0; i < count; i++) {
      const packet = batch.packets[i] as Packet;
      const bytes = this.#complete(packet);
      this.#options.onPacket?.(bytes, direction, at, packet.segmentSize);
      if (this.#options.write !== undefined) this.#write(bytes, direction, at, packet.segmentSize, this.#options.write);
    }
  }

  /** A copy of the packet, its checksum complete. */
  #complete(packet: Packet): Uint8Array {
    const shown = this.#shown;
    shown.length = packet.copyTo(shown.chunk.bytes, 0);
    shown.checksum = packet.checksum;
    shown.transportOffset = packet.transportOffset;
    shown.checksumOffset = packet.checksumOffset;
    completeChecksum(shown);
    return shown.chunk.bytes.subarray(0, shown.length);
  }

  #write(
    bytes: Uint8Array,
    direction: 'in' | 'out',
    at: number,
    segmentSize: number,
    write: (bytes: Uint8Array) => void,
  ): void {
    const remark = this.#options.comment?.(bytes, direction, at, segmentSize);
    if (remark !== undefined) this.#comments.push(remark);
    const comment = this.#comments.length === 0 ? {} : { comment: this.#comments.join('\n') };
    this.#comments.length = 0;
    const kept = bytes.length > this.#snaplen ? bytes.subarray(0, this.#snaplen) : bytes;
    write(enhancedPacket(kept, { interfaceId: 0, at, direction, originalLength: bytes.length, ...comment }));
  }
}
