/**
 * Which connection a segment belongs to: an open-addressing table by a keyed hash of both endpoints, without objects or strings as keys, and
 * the listeners by port.
 */
import type { InboundPacket } from '../ip/inbound.ts';
import type { TableEntry } from '../tcp/context.ts';
import type { Listener } from '../tcp/listener.ts';
import type { Random } from '../time/random.ts';
import type { IpAddress } from '../wire/address.ts';
import { halfSipHash13, halfSipHashWords } from '../wire/siphash.ts';
import { hashAddress, hashOfAddress } from './hash-address.ts';

/** Those of one port: at addresses of their own, by the hash of the address, and at all. */
interface PortListeners {
  readonly at: Map<number, Listener[]>;
  anywhere: Listener[];
}

const FIRST_SLOTS = 64;
const words = new Int32Array(9);

export class Demux {
  readonly #key0: number;
  readonly #key1: number;
  #slots: (TableEntry | undefined)[] = new Array(FIRST_SLOTS).fill(undefined);
  #hashes = new Int32Array(FIRST_SLOTS);
  #size = 0;
  /** How many entries there are for each local port. */
  readonly #portUse = new Map<number, number>();
  readonly #listeners = new Map<number, PortListeners>();

  constructor(random: Random) {
    this.#key0 = random.uint32() | 0;
    this.#key1 = random.uint32() | 0;
  }

  /** Connections, embryos and TIME-WAIT records. */
  get size(): number {
    return this.#size;
  }

  /** The entry for a segment that came from outside. */
  find(packet: InboundPacket, localPort: number, remotePort: number): TableEntry | undefined {
    const hash = this.#hashOfPacket(packet, localPort, remotePort);
    const mask = this.#slots.length - 1;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const entry = this.#slots[i];
      if (entry === undefined) return undefined;
      if (this.#hashes[i] !== hash || entry.remotePort !== remotePort || entry.localPort !== localPort) continue;
      if (
        isAt(entry.remote, packet.s0, packet.s1, packet.s2, packet.s3) &&
        isAt(entry.local, packet.d0, packet.d1, packet.d2, packet.d3)
      ) {
        return entry;
      }
    }
  }

  has(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): boolean {
    return this.get(local, localPort, remote, remotePort) !== undefined;
  }

  get(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): TableEntry | undefined {
    const at = this.#slotOf(this.#hashOf(local, localPort, remote, remotePort), local, localPort, remote, remotePort);
    return at < 0 ? undefined : this.#slots[at];
  }

  /** Puts the entry in the table, in place of what stood there for the same endpoints. */
  insert(entry: TableEntry): void {
    const { local, localPort, remote, remotePort } = entry;
    const hash = this.#hashOf(local, localPort, remote, remotePort);
    const at = this.#slotOf(hash, local, localPort, remote, remotePort);
    if (at >= 0) {
      this.#slots[at] = entry;
      return;
    }
    if (2 * (this.#size + 1) > this.#slots.length) this.#grow();
    this.#place(entry, hash);
    this.#size++;
    this.#portUse.set(localPort, (this.#portUse.get(localPort) ?? 0) + 1);
  }

  /** Takes the entry out, unless another stands in its place. */
  remove(entry: TableEntry): void {
    const { local, localPort, remote, remotePort } = entry;
    const at = this.#slotOf(this.#hashOf(local, localPort, remote, remotePort), local, localPort, remote, remotePort);
    if (at < 0 || this.#slots[at] !== entry) return;
    this.#vacate(at);
    this.#size--;
    const left = (this.#portUse.get(localPort) as number) - 1;
    if (left === 0) this.#portUse.delete(localPort);
    else this.#portUse.set(localPort, left);
  }

  /** Whether any connection (TIME-WAIT too) uses the local port. */
  portInUse(port: number): boolean {
    return this.#portUse.has(port);
  }

  *entries(): Generator<TableEntry> {
    for (const entry of this.#slots) if (entry !== undefined) yield entry;
  }

  /**
   * The listener for a SYN to that address and port: one on the very address before one on all, of those one for the family alone before one for
   * both. Of several (SO_REUSEPORT) the hash of both endpoints chooses, so that what belongs together meets the same.
   * @param device index of the interface that it came over: what is bound to another (SO_BINDTODEVICE) does not see it
   */
  findListener(packet: InboundPacket, port: number, remotePort: number, device: number): Listener | undefined {
    const listeners = this.#listeners.get(port);
    if (listeners === undefined) return undefined;
    const at = listeners.at.get(hashAddress(packet.d0, packet.d1, packet.d2, packet.d3));
    const best = at === undefined ? undefined : this.#best(at, packet, port, remotePort, device);
    return best ?? this.#best(listeners.anywhere, packet, port, remotePort, device);
  }

  #best(
    listeners: readonly Listener[],
    packet: InboundPacket,
    port: number,
    remotePort: number,
    device: number,
  ): Listener | undefined {
    let best: Listener | undefined;
    let rank = 0;
    let count = 0;
    for (const listener of listeners) {
      const own = rankOf(listener, packet, device);
      if (own === 0 || own < rank) continue;
      if (own > rank) {
        best = listener;
        rank = own;
        count = 0;
      }
      count++;
    }
    if (count < 2) return best;
    let skip = (this.#hashOfPacket(packet, port, remotePort) >>> 0) % count;
    for (const listener of listeners) if (rankOf(listener, packet, device) === rank && skip-- === 0) return listener;
    return best;
  }

  addListener(listener: Listener): void {
    const { local, localPort } = listener;
    let listeners = this.#listeners.get(localPort);
    if (listeners === undefined) {
      listeners = { at: new Map(), anywhere: [] };
      this.#listeners.set(localPort, listeners);
    }
    if (local.isUnspecified) return void listeners.anywhere.push(listener);
    const hash = hashOfAddress(local);
    const others = listeners.at.get(hash);
    if (others === undefined) listeners.at.set(hash, [listener]);
    else others.push(listener);
  }

  removeListener(listener: Listener): void {
    const { local, localPort } = listener;
    const listeners = this.#listeners.get(localPort);
    if (listeners === undefined) return;
    if (local.isUnspecified) {
      listeners.anywhere = listeners.anywhere.filter((other) => other !== listener);
    } else {
      const hash = hashOfAddress(local);
      const left = listeners.at.get(hash)?.filter((other) => other !== listener) ?? [];
      if (left.length === 0) listeners.at.delete(hash);
      else listeners.at.set(hash, left);
    }
    if (listeners.anywhere.length === 0 && listeners.at.size === 0) this.#listeners.delete(localPort);
  }

  *listeners(): Generator<Listener> {
    for (const { at, anywhere } of this.#listeners.values()) {
      for (const some of at.values()) yield* some;
      yield* anywhere;
    }
  }

  #hashOfPacket(packet: InboundPacket, localPort: number, remotePort: number): number {
    const ports = (localPort << 16) | remotePort;
    const { family, s3, d3 } = packet;
    if (family === 4) return halfSipHash13(this.#key0, this.#key1, s3, d3, ports);
    return this.#hash6(packet.s0, packet.s1, packet.s2, s3, packet.d0, packet.d1, packet.d2, d3, ports);
  }

  #hashOf(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): number {
    const ports = (localPort << 16) | remotePort;
    if (local.family === 4) return halfSipHash13(this.#key0, this.#key1, remote.w3, local.w3, ports);
    const { w0, w1, w2, w3 } = remote;
    return this.#hash6(w0, w1, w2, w3, local.w0, local.w1, local.w2, local.w3, ports);
  }

  #hash6(
    s0: number,
    s1: number,
    s2: number,
    s3: number,
    d0: number,
    d1: number,
    d2: number,
    d3: number,
    ports: number,
  ): number {
    words[0] = s0;
    words[1] = s1;
    words[2] = s2;
    words[3] = s3;
    words[4] = d0;
    words[5] = d1;
    words[6] = d2;
    words[7] = d3;
    words[8] = ports;
    return halfSipHashWords(this.#key0, this.#key1, words, 9);
  }

  #slotOf(hash: number, local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): number {
    const mask = this.#slots.length - 1;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const entry = this.#slots[i];
      if (entry === undefined) return -1;
      if (this.#hashes[i] !== hash || entry.remotePort !== remotePort || entry.localPort !== localPort) continue;
      if (entry.remote.equals(remote) && entry.local.equals(local)) return i;
    }
  }

  #place(entry: TableEntry, hash: number): void {
    const mask = this.#slots.length - 1;
    let i = hash & mask;
    while (this.#slots[i] !== undefined) i = (i + 1) & mask;
    this.#slots[i] = entry;
    this.#hashes[i] = hash;
  }

  /** Empties a slot and moves up what had been pushed behind it, so that no search stops early. */
  #vacate(at: number): void {
    const mask = this.#slots.length - 1;
    let hole = at;
    for (let i = (at + 1) & mask; this.#slots[i] !== undefined; i = (i + 1) & mask) {
      const home = (this.#hashes[i] as number) & mask;
      if (((i - home) & mask) < ((i - hole) & mask)) continue;
      this.#slots[hole] = this.#slots[i];
      this.#hashes[hole] = this.#hashes[i] as number;
      hole = i;
    }
    this.#slots[hole] = undefined;
  }

  #grow(): void {
    const old = this.#slots;
    const hashes = this.#hashes;
    this.#slots = new Array(old.length * 2).fill(undefined);
    this.#hashes = new Int32Array(old.length * 2);
    for (let i = 0; i < old.length; i++) {
      const entry = old[i];
      if (entry !== undefined) this.#place(entry, hashes[i] as number);
    }
  }
}

function isAt(address: IpAddress, w0: number, w1: number, w2: number, w3: number): boolean {
  return address.w3 === w3 && address.w2 === w2 && address.w1 === w1 && address.w0 === w0;
}

/**
 * How well a listener fits, as Linux counts: the very address is best; then a device of its own, and the packet's family, count one each.
 * @returns 0: not at all
 */
function rankOf({ local, settings }: Listener, packet: InboundPacket, device: number): number {
  const { rare } = settings;
  if (rare.device !== 0 && rare.device !== device) return 0;
  const better = rare.device === 0 ? 1 : 2;
  if (!local.isUnspecified) return isAt(local, packet.d0, packet.d1, packet.d2, packet.d3) ? 4 + better : 0;
  if (local.family === packet.family) return better + 1;
  // RFC 3493 3.7: `::` takes IPv4, too, unless IPV6_V6ONLY was set.
  return local.family === 6 && !rare.v6Only ? better : 0;
}
