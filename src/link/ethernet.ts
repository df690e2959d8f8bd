/**
 * A link of IP packets over one of Ethernet frames: a TAP device, a port of a switch, any Duplex of frames. RFC 894, RFC 2464.
 *
 * Who is at an address is found out beneath this, by ARP and neighbour discovery; the stack above hears only of failures.
 */

import { type Random, seededRandom, systemRandom } from '../time/random.ts';
import type { IpAddress } from '../wire/address.ts';
import { ETHERNET_HEADER_LENGTH } from '../wire/ethernet.ts';
import { LinkClosedError } from './closed-error.ts';
import { EthernetEngine } from './ethernet-engine.ts';
import { checkEthernet, type EthernetOptions, hardwareAddressOf } from './ethernet-options.ts';
import type { AddressState } from './ethernet-own.ts';
import { EthernetStatistics } from './ethernet-station.ts';
import type { Link, LinkCapabilities, LinkReceiver } from './link.ts';
import type { NEIGHBOUR_STATES } from './neighbour.ts';
import { type NeighbourSettings, neighbourSettings } from './neighbour-settings.ts';
import type { PacketBatch } from './packet.ts';

export type { EthernetOptions } from './ethernet-options.ts';
export type { AddressState, Defence } from './ethernet-own.ts';
export type { EthernetStatistics } from './ethernet-station.ts';
export type { NeighbourSettings } from './neighbour-settings.ts';

/** A neighbour, as `ip neigh` shows it. */
export interface NeighbourInfo {
  readonly address: IpAddress;
  /** `52:54:00:12:34:56`; undefined: not known. */
  readonly hardwareAddress: string | undefined;
  readonly state: (typeof NEIGHBOUR_STATES)[number];
  readonly isRouter: boolean;
}

export interface EthernetLink extends Link {
  readonly hardwareAddress: Uint8Array;
  readonly statistics: EthernetStatistics;
  /** The neighbours that are known of, or were asked for. */
  neighbours(): NeighbourInfo[];
  /** How far each of the host's addresses has got. */
  addresses(): { readonly address: IpAddress; readonly state: AddressState }[];
}

/**
 * Makes a link of IP packets out of one of frames. Its MTU is 14 bytes less than the longest frame; checksum and segmentation
 * offload are those of the link beneath. Frames with a VLAN tag, and those of IEEE 802.3 (a length for a type), are counted and dropped.
 * @throws TypeError, RangeError naming the option that is wrong
 */
export function createEthernet(frames: Link, options: EthernetOptions = {}): EthernetLink {
  return new Ethernet(frames, options);
}

export class Ethernet implements EthernetLink {
  readonly name: string;
  readonly hardwareAddress: Uint8Array;
  readonly statistics = new EthernetStatistics();
  /** For its engine. */
  readonly settings: NeighbourSettings;
  readonly #frames: Link;
  readonly #options: EthernetOptions;
  readonly #capabilities = { mtu: 0, checksumOffload: false, segmentationOffload: 0 };
  readonly #random: Random;
  #engine: EthernetEngine | undefined;
  #closed = false;

  constructor(frames: Link, options: EthernetOptions) {
    checkEthernet(frames, options, ETHERNET_HEADER_LENGTH);
    this.settings = neighbourSettings(options.neighbour);
    this.#frames = frames;
    this.#options = options;
    this.#random = options.random ?? (options.seed === undefined ? systemRandom() : seededRandom(options.seed));
    this.hardwareAddress = hardwareAddressOf(options.hardwareAddress ?? frames.hardwareAddress, this.#random);
    this.name = options.name ?? frames.name;
  }

  /** Those of the link beneath as they are now, less the header. Asked for every packet: one object, brought up to date. */
  get capabilities(): LinkCapabilities {
    const { mtu, checksumOffload, segmentationOffload } = this.#frames.capabilities;
    const own = this.#capabilities;
    own.mtu = mtu - ETHERNET_HEADER_LENGTH;
    own.checksumOffload = checksumOffload;
    own.segmentationOffload = Math.max(0, segmentationOffload - ETHERNET_HEADER_LENGTH);
    return own;
  }

  attach(receiver: LinkReceiver): void {
    if (this.#closed) throw new Error(`${this.name} was closed: a link cannot be attached again`);
    if (this.#engine !== undefined) throw new Error(`${this.name} has a receiver already: a link belongs to one host`);
    this.#engine = new EthernetEngine(this.#frames, receiver, this, this.#options, this.#random);
  }

  send(batch: PacketBatch): number {
    if (this.#closed) throw new LinkClosedError(this.name);
    if (this.#engine === undefined) throw new Error(`${this.name} is not attached: nothing can be sent on it yet`);
    return this.#engine.send(batch);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#engine?.close();
    this.#frames.close();
  }

  neighbours(): NeighbourInfo[] {
    return this.#engine?.neighbours() ?? [];
  }

  addresses(): { readonly address: IpAddress; readonly state: AddressState }[] {
    return this.#engine?.addresses() ?? [];
  }
}
