/**
 * The raw link at work: packets between raw sockets of the kernel and the stack above.
 *
 * The receiver is called from one place, `#turn`, which runs as an immediate: never from within `send`, and not from the package's poll callback, where an
 * exception would pass through native code. A packet costs a system call each way, a copy, and the package's strings.
 */
import type { Timer } from '../time/clock.ts';
import { IpAddress } from '../wire/address.ts';
import { PacketCopier } from './linear.ts';
import type { Link, LinkCapabilities, LinkReceiver } from './link.ts';
import { Packet, type PacketBatch } from './packet.ts';
import { RawError } from './raw-error.ts';
import type { GuardKind } from './raw-guard.ts';
import { Inbox, TCP, UDP } from './raw-inbox.ts';
import type { RawSocket } from './raw-package.ts';
import { hasPort, type PortRange } from './raw-ports.ts';
import { Slab } from './slab.ts';

/** What a packet points at that has not been read yet. */
const nowhere = new Slab().take();
/** As the TUN link has them: what goes up as one batch, and what one turn of the event loop gives to this link. */
const BATCH_PACKETS = 64;
const BATCH_BYTES = 1 << 20;
const TURN_BATCHES = 4;
const TURN_TIME = 5;
/** How long a queue of the kernel's that is full is left alone, ms. */
const QUEUE_REST = 1;
/** Destinations that are remembered as text. */
const MOST_DESTINATIONS = 1024;

export interface RawStatistics {
  packetsReceived: number;
  /** Bytes of IP packets, here and below. */
  bytesReceived: number;
  packetsSent: number;
  bytesSent: number;
  /** Packets that the kernel did not take. */
  packetsLost: number;
  /** Packets from a port, or an address, that is not the link's: they are not sent. */
  packetsForeign: number;
  /** Turns of the event loop in which there was something to read. */
  wakes: number;
  /** How often the kernel refused a packet, by errno name. */
  readonly refusals: Map<string, number>;
}

/** What `openRaw` has put together. */
export interface RawParts {
  readonly name: string;
  readonly address: IpAddress;
  readonly ports: readonly PortRange[];
  readonly guard: GuardKind;
  /** The first one sends. */
  readonly sockets: readonly [RawSocket, ...RawSocket[]];
  /** For destinations that mean nothing without it (fe80::1). */
  readonly interfaceName: string;
  /** The interface's, as it is now; bytes. */
  readonly readMtu: () => number;
  /** The sockets are closed: what else there is goes too. */
  readonly released: () => void;
}

export class RawLink implements Link {
  readonly name: string;
  readonly address: IpAddress;
  /** The host's ports; the kernel gets nothing that comes to them. */
  readonly ports: readonly PortRange[];
  /** What keeps the kernel from answering. */
  readonly guard: GuardKind;
  readonly statistics: RawStatistics = {
    packetsReceived: 0,
    bytesReceived: 0,
    packetsSent: 0,
    bytesSent: 0,
    packetsLost: 0,
    packetsForeign: 0,
    wakes: 0,
    refusals: new Map(),
  };
  readonly #parts: RawParts;
  readonly #capabilities: { mtu: number; checksumOffload: boolean; segmentationOffload: number };
  readonly #inbox: Inbox;
  readonly #outgoing = Buffer.alloc(65_536);
  readonly #destinations = new Map<number, { readonly address: IpAddress; readonly text: string }>();
  readonly #batch: { packets: Packet[]; length: number } = { packets: [], length: 0 };
  readonly #readable = new Set<RawSocket>();
  #receiver: LinkReceiver | undefined;
  #copier: PacketCopier | undefined;
  #rest: Timer | undefined;
  #wantsRoom = false;
  #room = false;
  #turnComes = false;
  #failure: RawError | undefined;
  #closed = false;

  /** For `openRaw` alone. */
  constructor(parts: RawParts) {
    this.name = parts.name;
    this.address = parts.address;
    this.ports = parts.ports;
    this.guard = parts.guard;
    this.#parts = parts;
    this.#capabilities = { mtu: parts.readMtu(), checksumOffload: false, segmentationOffload: 0 };
    this.#inbox = new Inbox(parts.address, () => this.#capabilities.mtu);
    process.on('exit', this.#close);
  }

  /** `mtu` is the interface's, looked at again when a packet was too long for it. */
  get capabilities(): LinkCapabilities {
    return this.#capabilities;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Packets that found a receive buffer full. */
  get receiveDrops(): number {
    return this.#closed ? 0 : this.#parts.sockets.reduce((sum, socket) => sum + socket.drops, 0);
  }

  /** From now until it is closed the link keeps the process alive. */
  attach(receiver: LinkReceiver): void {
    if (this.#closed) throw new Error(`${this.name} is closed: open it again`);
    if (this.#receiver !== undefined) {
      throw new Error(`${this.name} has a receiver already: open a link for each stack`);
    }
    this.#receiver = receiver;
    this.#copier = new PacketCopier(receiver.slab);
    this.#rest = receiver.clock.timer(() => this.#hasRoom());
    for (const socket of this.#parts.sockets) {
      socket.watch({
        readable: () => this.#hasPackets(socket),
        writable: () => this.#hasRoom(),
        failed: (error) => this.#fail(error),
      });
    }
  }

  send(batch: PacketBatch): number {
    for (let i = 0; i < batch.length; i++) {
      if (this.#closed || this.#failure !== undefined) {
        this.statistics.packetsLost += batch.length - i;
        break;
      }
      if (!this.#write(batch.packets[i] as Packet)) return i;
    }
    return batch.length;
  }

  close(): void {
    this.#close();
  }

  readonly #close = (): void => {
    if (this.#closed) return;
    this.#closed = true;
    process.off('exit', this.#close);
    this.#rest?.clear();
    for (const socket of this.#parts.sockets) socket.close();
    this.#parts.released();
  };

  #hasPackets(socket: RawSocket): void {
    this.#readable.add(socket);
    // The package reports one of the two; whether there is room too is tried.
    if (this.#wantsRoom) this.#room = true;
    this.#comeBack();
  }

  #hasRoom(): void {
    this.#room = true;
    this.#comeBack();
  }

  #fail(error: Error): void {
    this.#failure ??= new RawError('EIO', `${this.name}: the raw socket failed (${error.message})`, { cause: error });
    this.#comeBack();
  }

  #comeBack(): void {
    if (this.#turnComes) return;
    this.#turnComes = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#turnComes = false;
    const receiver = this.#receiver as LinkReceiver;
    for (const socket of this.#readable) if (!this.#closed) this.#drain(socket, receiver);
    this.#readable.clear();
    if (!this.#closed && this.#failure !== undefined) {
      this.close();
      receiver.closed(this.#failure);
    }
    if (this.#closed || !this.#room) return;
    this.#room = this.#wantsRoom = false;
    this.#parts.sockets[0].wantsRoom(false);
    receiver.writable();
  };

  /** Hands up what there is, within the turn's bounds; what is left, the poll reports again. */
  #drain(socket: RawSocket, receiver: LinkReceiver): void {
    this.statistics.wakes++;
    const { clock } = receiver;
    const until = clock.now() + TURN_TIME;
    for (let i = 0; i < TURN_BATCHES && !this.#closed; i++) {
      const more = this.#fill(socket);
      try {
        if (this.#batch.length > 0) receiver.receive(this.#batch);
      } finally {
        this.#letGo();
      }
      if (!more || clock.now() >= until) break;
    }
    this.#copier?.rest();
  }

  #letGo(): void {
    for (let i = 0; i < this.#batch.length; i++) (this.#batch.packets[i] as Packet).chunk.release();
    this.#batch.length = 0;
  }

  /** Reads a batch; returns whether there may be more to read. */
  #fill(socket: RawSocket): boolean {
    const { statistics } = this;
    const { packets } = this.#batch;
    const copier = this.#copier as PacketCopier;
    let bytes = 0;
    while (this.#batch.length < BATCH_PACKETS && bytes < BATCH_BYTES) {
      const packet = packets[this.#batch.length] ?? new Packet(nowhere, 0);
      packets[this.#batch.length] = packet;
      if (!this.#inbox.read(socket, copier, packet)) {
        if (socket.error === 'EINTR') continue;
        if (socket.error !== 'EAGAIN') this.#countRefusal(socket.error);
        return false;
      }
      this.#batch.length++;
      bytes += packet.length;
      statistics.packetsReceived++;
      statistics.bytesReceived += packet.length;
    }
    return true;
  }

  /** Returns whether the packet is dealt with: sent, or lost; false: there is no room now. */
  #write(packet: Packet): boolean {
    const [socket] = this.#parts.sockets;
    const length = packet.copyTo(this.#outgoing, 0);
    if (!this.#isOurs()) {
      this.statistics.packetsForeign++;
      return true;
    }
    const destination = this.#destination();
    for (;;) {
      if (socket.send(this.#outgoing, length, destination)) {
        this.statistics.packetsSent++;
        this.statistics.bytesSent += length;
        return true;
      }
      if (socket.error === 'EINTR') continue;
      return this.#writeFailed(socket);
    }
  }

  #writeFailed(socket: RawSocket): boolean {
    this.#countRefusal(socket.error);
    if (socket.error === 'EAGAIN') {
      this.#wantsRoom = true;
      socket.wantsRoom(true);
      return false;
    }
    // The queue of the interface, or memory: no event tells when it is better.
    if (socket.error === 'ENOBUFS' || socket.error === 'ENOMEM') {
      this.#rest?.set((this.#receiver as LinkReceiver).clock.now() + QUEUE_REST);
      return false;
    }
    if (socket.error === 'EMSGSIZE') this.#capabilities.mtu = this.#parts.readMtu();
    this.statistics.packetsLost++;
    return true;
  }

  #countRefusal(error: string): void {
    const { refusals } = this.statistics;
    refusals.set(error, (refusals.get(error) ?? 0) + 1);
  }

  /** Whether the packet in `#outgoing` comes from the link's address and, where it has ports, from one of its ports. */
  #isOurs(): boolean {
    const { address, ports } = this;
    const bytes = this.#outgoing;
    const ipv4 = address.family === 4;
    if ((bytes[0] as number) >> 4 !== address.family) return false;
    if (bytes.readInt32BE(ipv4 ? 12 : 20) !== address.w3) return false;
    if (ipv4 && (bytes.readUInt16BE(6) & 0x1fff) !== 0) return true;
    const protocol = bytes[ipv4 ? 9 : 6];
    if (protocol !== TCP && protocol !== UDP) return true;
    return hasPort(ports, bytes.readUInt16BE(ipv4 ? ((bytes[0] as number) & 0xf) << 2 : 40));
  }

  /** Where the packet in `#outgoing` goes, as the package wants to hear it. */
  #destination(): string {
    const bytes = this.#outgoing;
    const ipv4 = this.address.family === 4;
    const at = ipv4 ? 16 : 36;
    const key = bytes.readInt32BE(at);
    const known = this.#destinations.get(key);
    if (known !== undefined && (ipv4 || isAt(bytes, known.address))) return known.text;
    const address = ipv4
      ? IpAddress.v4(key)
      : IpAddress.v6(bytes.readInt32BE(24), bytes.readInt32BE(28), bytes.readInt32BE(32), key);
    const scope = !ipv4 && isLinkLocal(address) ? `%${this.#parts.interfaceName}` : '';
    const text = `${address}${scope}`;
    if (this.#destinations.size >= MOST_DESTINATIONS) this.#destinations.clear();
    this.#destinations.set(key, { address, text });
    return text;
  }
}

function isAt(bytes: Buffer, { w0, w1, w2 }: IpAddress): boolean {
  return bytes.readInt32BE(24) === w0 && bytes.readInt32BE(28) === w1 && bytes.readInt32BE(32) === w2;
}

/** fe80::/10, or ff02::/16. */
function isLinkLocal({ w0 }: IpAddress): boolean {
  return w0 >>> 22 === 0x3fa || w0 >>> 16 === 0xff02;
}
