/**
 * The TUN link at work: packets between a descriptor of /dev/net/tun and the stack above.
 *
 * Hot path: nothing is allocated per packet, and a system call takes numbers only. Packets are read straight into
 * chunks of the slab, the virtio-net header just before the IP header; they are written with one `writev` from where they lie.
 *
 * The receiver is called from one place, `#turn`, which runs as an immediate: never from within `send`, and not from koffi's poll callback,
 * where an exception would vanish without an `uncaughtException`.
 */
import { VirtioNetHeader, VNET_HEADER_LENGTH } from '../wire/virtio-net.ts';
import type { Link, LinkCapabilities, LinkReceiver } from './link.ts';
import type { PacketBatch } from './packet.ts';
import { Packet } from './packet.ts';
import type { Chunk, Slab } from './slab.ts';
import { CHUNK_SIZE } from './slab.ts';
import type { TunDevice } from './tun-device.ts';
import {
  EAGAIN,
  EBADF,
  EBADFD,
  EFAULT,
  EINTR,
  EIO,
  ENODEV,
  errnoName,
  systemError,
  type TunError,
} from './tun-error.ts';
import { readOffload, writeOffload } from './tun-offload.ts';
import type { PollHandle, TunSystem } from './tun-system.ts';

/** Packets and bytes that go up as one batch: enough to share the cost of a turn, few enough to stay in the processor's cache. */
const BATCH_PACKETS = 64;
const BATCH_BYTES = 1 << 20;
/**
 * What one turn of the event loop gives to this link: timers, other descriptors and readers on promises wait no longer than this (batches; ms).
 * 4 MiB are the default receive buffer: with 16, readers on promises found it full (`npm run bench -- --only 'kernel -> peer, 4'`: a third less).
 */
const TURN_BATCHES = 4;
const TURN_TIME = 5;

/** Where the IP header lies in a chunk; the link's own header goes right before it. */
const PACKET_OFFSET = 16;
const LONGEST_PACKET = 65_535;
/** Pairs of address and length that one writev takes (IOV_MAX of Linux), and 32-bit words of such a pair. */
const VECTORS = 1024;
const VECTOR_WORDS = 4;
const TWO_32 = 0x1_0000_0000;

export interface TunStatistics {
  packetsReceived: number;
  /** Bytes of IP packets, or of frames; here and below. */
  bytesReceived: number;
  packetsSent: number;
  bytesSent: number;
  /** Packets that the kernel did not take, or that were sent while the interface was down. */
  packetsLost: number;
  /** Reads that were no packet with a header that makes sense. */
  packetsInvalid: number;
  /** Turns of the event loop in which there was something to read. */
  wakes: number;
  /** How often the kernel refused a packet, by errno name; EIO is "interface down". */
  readonly refusals: Map<string, number>;
}

/** Waiting for it to change is to sleep. */
const NOTHING = new Int32Array(new SharedArrayBuffer(4));

/**
 * The links that watch a descriptor. At the end of the process Node.js runs the event loop once more, where no JavaScript may run: koffi's
 * poll callback would abort the process there. So whoever has not closed a link by then has it closed.
 */
const watching = new Set<VnetLink>();

function closeAll(): void {
  for (const link of watching) link.close();
}

/** A link over a descriptor that gives and takes one packet per call, each behind a virtio-net header. */
export abstract class VnetLink implements Link {
  readonly name: string;
  readonly statistics: TunStatistics = {
    packetsReceived: 0,
    bytesReceived: 0,
    packetsSent: 0,
    bytesSent: 0,
    packetsLost: 0,
    packetsInvalid: 0,
    wakes: 0,
    refusals: new Map(),
  };
  readonly #capabilities: { mtu: number; checksumOffload: boolean; segmentationOffload: number };
  readonly #system: TunSystem;
  readonly #fd: number;
  /** Bytes before each IP header: what the link's packets are longer than IP packets. */
  readonly #before: number;
  #receiver: LinkReceiver | undefined;
  #poll: PollHandle | undefined;
  #closed = false;

  readonly #batch: { packets: Packet[]; length: number } = { packets: [], length: 0 };
  /** The first so many packets of the batch hold a reference to their chunk; none does between turns. */
  #held = 0;
  readonly #inHeader = new VirtioNetHeader();
  readonly #outHeader = new DataView(new ArrayBuffer(128));
  readonly #vectors = new Uint32Array(VECTORS * VECTOR_WORDS);
  readonly #vectorsAddress: number;
  #copy: Uint8Array | undefined;

  /** What the poll said, and what the receiver has not been told yet. */
  #turnComes = false;
  #readable = false;
  #room = false;
  #failure: TunError | undefined;
  #wantsRoom = false;
  #down = false;
  #downTold = false;

  /** `mtu` is that of IP packets; `before`: bytes of the header that a frame has before its IP packet. */
  constructor(system: TunSystem, device: TunDevice, mtu: number, offload: boolean, up: boolean, before = 0) {
    this.name = device.name;
    this.#system = system;
    this.#fd = device.fd;
    this.#before = before;
    this.#capabilities = {
      mtu: mtu + before,
      checksumOffload: offload,
      segmentationOffload: offload ? LONGEST_PACKET + before : 0,
    };
    this.#down = !up;
    this.#vectorsAddress = system.addressOf(new Uint8Array(this.#vectors.buffer));
    this.#setVector(0, system.addressOf(new Uint8Array(this.#outHeader.buffer)), VNET_HEADER_LENGTH);
  }

  /** `mtu` follows `setMtu`. */
  get capabilities(): LinkCapabilities {
    return this.#capabilities;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** An attached link alone does not keep the process alive: `Clock.hold` does that, for those who wait for something. */
  attach(receiver: LinkReceiver): void {
    if (this.#closed) throw new Error(`${this.name} is closed: open it again`);
    if (this.#receiver !== undefined) {
      throw new Error(`${this.name} has a receiver already: open a link for each stack`);
    }
    this.#receiver = receiver;
    this.#poll = this.#system.poll(this.#fd);
    this.#poll.unref();
    if (watching.size === 0) process.on('exit', closeAll);
    watching.add(this);
    this.#watch();
    if (this.#down || this.#failure !== undefined) this.#comeBack();
  }

  /** Writes each packet with one system call. What the kernel refuses is lost and counted, as on any wire. */
  send(batch: PacketBatch): number {
    for (let i = 0; i < batch.length; i++) {
      if (this.#down || this.#closed || this.#failure !== undefined) {
        this.statistics.packetsLost += batch.length - i;
        break;
      }
      if (this.#write(batch.packets[i] as Packet)) continue;
      this.#wantsRoom = true;
      this.#watch();
      return i;
    }
    return batch.length;
  }

  receiveNow(): boolean {
    if (this.#closed || this.#down || this.#failure !== undefined || this.#receiver === undefined) return false;
    const before = this.statistics.packetsReceived;
    this.#drain(this.#receiver);
    if (this.statistics.packetsReceived === before) Atomics.wait(NOTHING, 0, 0, 1);
    return true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#poll?.close();
    this.#poll = undefined;
    watching.delete(this);
    if (watching.size === 0) process.off('exit', closeAll);
    this.#system.close(this.#fd);
    this.released();
  }

  /** The descriptor is closed: what else there is goes too. */
  protected abstract released(): void;

  protected mtuChanged(mtu: number): void {
    this.#capabilities.mtu = mtu + this.#before;
  }

  /** Packets are lost until the descriptor becomes writable, which it is only while the interface is up. */
  protected carrierLost(): void {
    if (this.#down || this.#closed) return;
    this.#down = true;
    this.#watch();
    this.#comeBack();
  }

  #watch(): void {
    this.#poll?.start({ readable: true, writable: this.#down || this.#wantsRoom }, this.#ready);
  }

  readonly #ready = (status: number, ready: { readonly readable: boolean; readonly writable: boolean }): void => {
    // libuv reports EPOLLERR as a status, EBADF, and watches no longer. TUN raises it when the interface was deleted.
    if (status < 0) this.#fail(EBADFD);
    if (ready.readable) this.#readable = true;
    if (ready.writable) this.#room = true;
    this.#comeBack();
  };

  #comeBack(): void {
    if (this.#turnComes || this.#receiver === undefined) return;
    this.#turnComes = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#turnComes = false;
    const receiver = this.#receiver as LinkReceiver;
    if (!this.#closed && this.#readable) {
      this.#readable = false;
      this.#drain(receiver);
    }
    if (!this.#closed && this.#failure !== undefined) {
      this.close();
      receiver.closed(this.#failure);
    }
    if (!this.#closed && this.#down && !this.#downTold) {
      this.#downTold = true;
      receiver.down();
    }
    if (!this.#closed && this.#room) this.#tellRoom(receiver);
  };

  #tellRoom(receiver: LinkReceiver): void {
    const cameUp = this.#down;
    const hasRoom = this.#wantsRoom;
    this.#room = this.#down = this.#downTold = this.#wantsRoom = false;
    this.#watch();
    if (cameUp) receiver.up();
    if (hasRoom && !this.#closed) receiver.writable();
  }

  #fail(errno: number): void {
    this.#failure ??= systemError(`TUN device ${this.name}`, errno, 'somebody deleted it: open the link again');
    this.#comeBack();
  }

  /** Hands up what there is, within the turn's bounds; what is left, the poll reports again. */
  #drain(receiver: LinkReceiver): void {
    this.statistics.wakes++;
    const { clock, slab } = receiver;
    const until = clock.now() + TURN_TIME;
    try {
      for (let i = 0; i < TURN_BATCHES && !this.#closed; i++) {
        const more = this.#fill(slab);
        if (this.#batch.length > 0) receiver.receive(this.#batch);
        if (!more || clock.now() >= until) return;
      }
    } finally {
      this.#letGo();
    }
  }

  #letGo(): void {
    for (let i = 0; i < this.#held; i++) (this.#batch.packets[i] as Packet).chunk.release();
    this.#held = 0;
    this.#batch.length = 0;
  }

  /** Reads a batch; returns whether there may be more to read. */
  #fill(slab: Slab): boolean {
    const batch = this.#batch;
    let bytes = 0;
    batch.length = 0;
    while (batch.length < BATCH_PACKETS && bytes < BATCH_BYTES) {
      const packet = this.#freshPacket(slab, batch.length);
      const address = this.#addressOf(packet.chunk) + PACKET_OFFSET - VNET_HEADER_LENGTH;
      const length = this.#system.read(this.#fd, address, VNET_HEADER_LENGTH + LONGEST_PACKET + this.#before);
      if (length < 0) {
        const errno = this.#system.errno();
        if (errno === EINTR) continue;
        this.#readFailed(errno);
        return false;
      }
      if (this.#accept(packet, length)) batch.length++;
      bytes += length;
    }
    return true;
  }

  /** The batch's packet at `i`, over a chunk that nobody else holds. */
  #freshPacket(slab: Slab, i: number): Packet {
    const packets = this.#batch.packets;
    if (i === packets.length) packets.push(new Packet(slab.take(), PACKET_OFFSET));
    else if (i === this.#held) (packets[i] as Packet).chunk = slab.take();
    const packet = packets[i] as Packet;
    if (i === this.#held) this.#held++;
    if (packet.chunk.refs > 1) {
      packet.chunk.release();
      packet.chunk = slab.take();
    }
    return packet;
  }

  #readFailed(errno: number): void {
    if (errno === EAGAIN) return;
    if (errno === EIO) this.carrierLost();
    // EFAULT: the driver's answer to a reader whose interface is being deleted.
    else if (errno === EBADFD || errno === EBADF || errno === ENODEV || errno === EFAULT) this.#fail(EBADFD);
    else this.#countRefusal(errno);
  }

  /** Fills in the packet that was read into its chunk; false: it is none. */
  #accept(packet: Packet, length: number): boolean {
    packet.offset = PACKET_OFFSET;
    packet.length = length - VNET_HEADER_LENGTH;
    if (!readOffload(packet, this.#inHeader)) {
      this.statistics.packetsInvalid++;
      return false;
    }
    this.statistics.packetsReceived++;
    this.statistics.bytesReceived += packet.length;
    return true;
  }

  /** Returns whether the packet is dealt with: sent, or lost; false: there is no room now. */
  #write(packet: Packet): boolean {
    const vectors = packet.partCount + 2 <= VECTORS ? this.#gather(packet) : this.#gatherCopy(packet);
    writeOffload(this.#outHeader, packet, this.#before);
    for (;;) {
      const written = this.#system.writev(this.#fd, this.#vectorsAddress, vectors);
      if (written >= 0) {
        this.statistics.packetsSent++;
        this.statistics.bytesSent += written - VNET_HEADER_LENGTH;
        return true;
      }
      const errno = this.#system.errno();
      if (errno === EAGAIN) return false;
      if (errno === EINTR) continue;
      this.#writeFailed(errno);
      return true;
    }
  }

  #writeFailed(errno: number): void {
    this.statistics.packetsLost++;
    this.#countRefusal(errno);
    if (errno === EIO) this.carrierLost();
    else if (errno === EBADFD || errno === EBADF || errno === ENODEV) this.#fail(errno);
  }

  #countRefusal(errno: number): void {
    const { refusals } = this.statistics;
    const name = errnoName(errno);
    refusals.set(name, (refusals.get(name) ?? 0) + 1);
  }

  /** Points the vectors at the packet where it lies; returns how many there are. */
  #gather(packet: Packet): number {
    this.#setVector(1, this.#addressOf(packet.chunk) + packet.offset, packet.length);
    for (let i = 0; i < packet.partCount; i++) {
      const address = this.#addressOf(packet.partChunk[i] as Chunk) + (packet.partOffset[i] as number);
      this.#setVector(i + 2, address, packet.partLength[i] as number);
    }
    return packet.partCount + 2;
  }

  /** For a packet in more pieces than one writev takes. */
  #gatherCopy(packet: Packet): number {
    this.#copy ??= new Uint8Array(CHUNK_SIZE);
    const length = packet.copyTo(this.#copy, 0);
    this.#setVector(1, this.#system.addressOf(this.#copy), length);
    return 2;
  }

  #setVector(i: number, address: number, length: number): void {
    const at = i * VECTOR_WORDS;
    this.#vectors[at] = address >>> 0;
    this.#vectors[at + 1] = address / TWO_32;
    this.#vectors[at + 2] = length;
  }

  #addressOf(chunk: Chunk): number {
    if (chunk.address === 0) chunk.address = this.#system.addressOf(chunk.bytes);
    return chunk.address;
  }
}
