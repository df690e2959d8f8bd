/**
 * The link contract: where packets come from and go.
 *
 * A link belongs to one stack. It hands batches up synchronously and takes batches down synchronously; it never
 * calls user code. Wrappers (impaired, captured) are links around a link.
 */
import type { Clock } from '../time/clock.ts';
import type { IpAddress } from '../wire/address.ts';
import type { PacketBatch } from './packet.ts';
import type { Slab } from './slab.ts';

export interface LinkCapabilities {
  /** The largest IP packet on the wire, bytes (68..65535); a super-segment may be longer. */
  readonly mtu: number;
  /** The link takes packets with a partial checksum (CHECKSUM_PARTIAL). */
  readonly checksumOffload: boolean;
  /** The longest super-segment that the link takes, in bytes with its IP header; 0: it takes none. Implies `checksumOffload`. */
  readonly segmentationOffload: number;
}

/** An address of a host on a link. */
export interface InterfaceAddress {
  readonly address: IpAddress;
  /** Prefix length. */
  readonly bits: number;
}

/** Another host uses an address of ours. */
export interface AddressConflict {
  readonly address: IpAddress;
  /** Who: `52:54:00:12:34:56`. */
  readonly hardwareAddress: string;
  /** Whether the address is still used here: it was in use before, and is defended. */
  readonly kept: boolean;
}

export interface Link {
  /** For people: `tun0`, `pipe`, `impaired(tun0)`. */
  readonly name: string;
  readonly capabilities: LinkCapabilities;
  /** Of a link whose packets are frames and not IP packets: `createEthernet` stands between it and a host. */
  readonly medium?: 'ethernet' | undefined;
  /** 6 bytes, of a link that has them: Ethernet. */
  readonly hardwareAddress?: Uint8Array | undefined;
  /**
   * Starts the link: packets go to `receiver` from now on. A link has one receiver in its life.
   * @throws Error when it has one already, or was closed
   */
  attach(receiver: LinkReceiver): void;
  /**
   * Takes packets from the front of the batch; what it took is copied or written out when the call returns.
   * @returns how many it took; when fewer than `batch.length`, it will call `writable()` once there is room
   * @throws LinkClosedError after `close`: connections of a host that has not closed it itself end with ENETDOWN
   */
  send(batch: PacketBatch): number;
  /**
   * Hands up at once what has come, and waits for it, up to a millisecond, when nothing has: for a process that ends, and whose event loop has no turn left.
   * @returns false when it cannot; a link that never can does without
   */
  receiveNow?(): boolean;
  /** Ends the link and frees what it holds; `receiver.closed(undefined)` is not called for one's own close. Twice does nothing. */
  close(): void;
}

/** What a stack gives a link. */
export interface LinkReceiver {
  /** Where inbound packets are to lie: the link takes chunks from it. */
  readonly slab: Slab;
  readonly clock: Clock;
  /** Those of the host on this link, as they are now: a link with neighbours answers for them. */
  readonly addresses: readonly InterfaceAddress[];
  /** The host forwards IPv6, as it is now: it says so to neighbours. */
  readonly isRouter?: boolean;
  /**
   * Packets for the host. The link keeps its reference to each packet's chunk: after the call it looks at `chunk.refs`,
   * reuses the chunk when it is alone with it, and otherwise releases it and takes another.
   */
  receive(batch: PacketBatch): void;
  /** There is room again after a short `send`. */
  writable(): void;
  /** The carrier came back. */
  up(): void;
  /** The carrier went away: packets are lost until `up`, connections stay. */
  down(): void;
  /** The link ended by itself: connections over it end with ENETDOWN. */
  closed(reason: Error | undefined): void;
  /** A link with neighbours has found an address of the host's in other hands. Not from within `send` or `receive`. */
  conflict?(conflict: AddressConflict): void;
  /**
   * Packets that were to be forwarded, and that no neighbour has taken: their senders are to be told. Each lies in one piece; as with `receive`, they are
   * the link's again after the call. Not from within `send` or `receive`.
   */
  undeliverable?(batch: PacketBatch): void;
}
