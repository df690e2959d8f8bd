/**
 * Frames on their way down: a header before each packet, and small messages of the link's own.
 *
 * Hot path: the Ethernet header and the first bytes of the packet are copied together into an arena; the rest of the packet stays where
 * it lies, as parts. (To write the header before the packet where it lies would be a copy less, but what lies there may be another's packet.)
 */
import { ETHERNET_HEADER_LENGTH, writeEthernet } from '../wire/ethernet.ts';
import type { Link } from './link.ts';
import { Packet, type PacketBatch } from './packet.ts';
import { type Chunk, Slab } from './slab.ts';

/** Frames that are handed down at a time. */
const CAPACITY = 64;
/** Bytes of a packet that are copied: IP and TCP headers, which a link that cuts needs in one piece, with all the extension headers that a router passes on. */
const COPIED = 192;
/** The frame starts so that the IP header lies at a multiple of 4. */
const FRAME_OFFSET = 2;
const SLOT = FRAME_OFFSET + ETHERNET_HEADER_LENGTH + COPIED;
const IP_OFFSET = FRAME_OFFSET + ETHERNET_HEADER_LENGTH;

export class FrameWriter {
  readonly #link: Link;
  readonly #send: (batch: PacketBatch) => number;
  readonly #high: number;
  readonly #low: number;
  readonly #arena: Chunk = new Slab().take();
  readonly #batch: { packets: Packet[]; length: number } = { packets: [], length: 0 };
  readonly #message: { packets: Packet[]; length: number };

  /** `high`, `low`: our hardware address; `send`: the link's. */
  constructor(link: Link, high: number, low: number, send: (batch: PacketBatch) => number) {
    this.#link = link;
    this.#send = send;
    this.#high = high;
    this.#low = low;
    for (let i = 0; i < CAPACITY; i++) this.#batch.packets.push(new Packet(this.#arena, i * SLOT + FRAME_OFFSET));
    this.#message = { packets: [new Packet(this.#arena, CAPACITY * SLOT + FRAME_OFFSET)], length: 1 };
  }

  /** Frames that `flush` hands down. */
  get length(): number {
    return this.#batch.length;
  }

  get isFull(): boolean {
    return this.#batch.length === CAPACITY;
  }

  /** Puts the packet in a frame behind the others; it must stay as it is until `flush`. */
  add(packet: Packet, high: number, low: number, type: number): void {
    const frame = this.#batch.packets[this.#batch.length++] as Packet;
    const { bytes, view } = this.#arena;
    writeEthernet(view, frame.offset, high, low, this.#high, this.#low, type);
    const ip = frame.offset + ETHERNET_HEADER_LENGTH;
    const copied = Math.min(packet.length, COPIED);
    bytes.set(packet.chunk.bytes.subarray(packet.offset, packet.offset + copied), ip);
    frame.length = ETHERNET_HEADER_LENGTH + copied;
    if (packet.length > copied) frame.addPart(packet.chunk, packet.offset + copied, packet.length - copied);
    for (let i = 0; i < packet.partCount; i++)
      frame.addPart(packet.partChunk[i] as Chunk, packet.partOffset[i] as number, packet.partLength[i] as number);
    frame.checksum = packet.checksum;
    frame.transportOffset = packet.transportOffset + ETHERNET_HEADER_LENGTH;
    frame.checksumOffset = packet.checksumOffset;
    frame.segmentSize = packet.segmentSize;
  }

  /** @returns how many of the frames the link beneath took; the others are forgotten */
  flush(): number {
    const batch = this.#batch;
    if (batch.length === 0) return 0;
    const taken = this.#send(batch);
    for (let i = 0; i < batch.length; i++) (batch.packets[i] as Packet).clear();
    batch.length = 0;
    return taken;
  }

  /** Where the contents of a message of the link's own go, up to `COPIED` bytes; `sendMessage` sends it. */
  get message(): { readonly chunk: Chunk; readonly view: DataView; readonly offset: number } {
    return { chunk: this.#arena, view: this.#arena.view, offset: CAPACITY * SLOT + IP_OFFSET };
  }

  /** The longest IP packet, bytes. */
  get mtu(): number {
    return this.#link.capabilities.mtu - ETHERNET_HEADER_LENGTH;
  }

  /** When the link beneath is full, or does not take as much, the message is lost: it will be asked again. */
  sendMessage(length: number, high: number, low: number, type: number): void {
    if (length > this.mtu) return;
    const frame = this.#message.packets[0] as Packet;
    writeEthernet(this.#arena.view, frame.offset, high, low, this.#high, this.#low, type);
    frame.length = ETHERNET_HEADER_LENGTH + length;
    this.#send(this.#message as PacketBatch);
  }
}
