/**
 * An Ethernet switch in memory: hosts of this process, machines outside of it, and links of frames, all on one Ethernet.
 *
 * A learning bridge (IEEE 802.1D 7) without spanning tree: a loop of cables floods for ever, so make none. It knows no VLANs: tagged
 * frames pass as they are. What comes in leaves at the end of the turn, in order; where a port's queue is full the frame is lost.
 */
import type { Clock } from '../time/clock.ts';
import { type Random, seededRandom, systemRandom } from '../time/random.ts';
import { RealClock } from '../time/real-clock.ts';
import { ETHERNET_HEADER_LENGTH, EthernetHeader, isGroupAddress, readEthernet } from '../wire/ethernet.ts';
import type { Link, LinkCapabilities } from './link.ts';
import { MacTable } from './mac-table.ts';
import type { Packet } from './packet.ts';
import { CablePort, type FramePort, HostPort, OutsidePort, type SwitchCore, type SwitchPort } from './switch-port.ts';

export type { FramePort } from './switch-port.ts';

export interface SwitchOptions {
  /** The largest IP packet, bytes (68..65535), without the 14 of the frame's header; 1500 by default. */
  readonly mtu?: number | undefined;
  /** Whether partial checksums and super-segments pass between hosts as they are; true by default. What leaves the process is always whole. */
  readonly offload?: boolean | undefined;
  /** Frames that wait at a port before more are lost; 1000 by default. A super-segment is one. */
  readonly queue?: number | undefined;
  /** How long it is remembered where an address was seen, ms; 300,000 by default (IEEE 802.1D 7.9.2). */
  readonly ageing?: number | undefined;
  /** Addresses that are remembered at most; 4096 by default. Frames to others go out everywhere. */
  readonly tableSize?: number | undefined;
  /** That of the hosts. Default: the first host's, or, when something else is plugged in before, the machine's. */
  readonly clock?: Clock | undefined;
  /** Where the hardware addresses that its ports offer come from. Default: the system's. */
  readonly random?: Random | undefined;
  /** In place of `random`. */
  readonly seed?: number | string | undefined;
}

export interface SwitchStatistics {
  /** Frames that came in. */
  received: number;
  /** Of these, how many went to one port, and to all others. */
  forwarded: number;
  flooded: number;
  /** Frames that were dropped, by cause: `queue-full`, `same-port`, `group-source`, `reserved`, `short-frame`, `too-long`, `no-carrier`, `uncuttable`. */
  readonly dropped: Map<string, number>;
}

export interface Switch {
  readonly statistics: SwitchStatistics;
  /** A link of frames for one host, through `createEthernet`. It offers a hardware address. */
  port(name?: string): Link;
  /** A port for a machine that is no link; `onFrame` is given each frame for it, at the end of the turn, in an array of its own. */
  outside(onFrame: (frame: Uint8Array) => void, name?: string): FramePort;
  /**
   * Plugs another link of frames in: a TAP device, a Duplex of frames, a port of another switch.
   * @throws Error when it is attached already
   */
  connect(link: Link): void;
  /** Where addresses were seen, and how long ago, ms. */
  table(): { readonly hardwareAddress: string; readonly port: string; readonly age: number }[];
  /** Turns it off: hosts lose the carrier, links that were plugged in are closed. Twice does nothing. */
  close(): void;
}

/** @throws TypeError, RangeError naming the option that is wrong */
export function createSwitch(options: SwitchOptions = {}): Switch {
  return new LearningSwitch(options);
}

const LONGEST_PACKET = 65_535;
/** IEEE 802.1D 7.12.6: 01:80:c2:00:00:00 to 0f stay on their cable. */
const RESERVED_HIGH = 0x0180;
const RESERVED_LOW = 0xc200_0000 | 0;

class LearningSwitch implements Switch, SwitchCore {
  readonly statistics: SwitchStatistics = { received: 0, forwarded: 0, flooded: 0, dropped: new Map() };
  readonly capabilities: LinkCapabilities;
  readonly queue: number;
  readonly #table: MacTable<SwitchPort>;
  readonly #header = new EthernetHeader();
  /** The first half of the addresses that ports offer. */
  readonly #prefix: number;
  #ports: (HostPort | OutsidePort | CablePort)[] = [];
  #made = 0;
  #clock: Clock | undefined;
  #closed = false;

  constructor(options: SwitchOptions) {
    const { mtu = 1500, offload = true, queue = 1000, ageing = 300_000, tableSize = 4096, clock, ...rest } = options;
    const { random, seed, ...unknown } = rest;
    for (const name of Object.keys(unknown)) throw new TypeError(`createSwitch: there is no option ${name}`);
    if (random !== undefined && seed !== undefined)
      throw new TypeError('createSwitch: give either random or seed, not both');
    checkInteger('mtu', mtu, 68, LONGEST_PACKET);
    checkInteger('queue', queue, 1, 1_000_000);
    checkInteger('tableSize', tableSize, 1, 1_000_000);
    if (!(ageing > 0)) throw new RangeError(`createSwitch: ageing must be > 0 ms, got ${ageing}`);
    const segmentationOffload = offload ? LONGEST_PACKET + ETHERNET_HEADER_LENGTH : 0;
    this.capabilities = { mtu: mtu + ETHERNET_HEADER_LENGTH, checksumOffload: offload, segmentationOffload };
    this.queue = queue;
    this.#clock = clock;
    const chance = random ?? (seed === undefined ? systemRandom() : seededRandom(seed));
    this.#prefix = chance.uint32();
    this.#table = new MacTable(tableSize, ageing, chance);
  }

  port(name = `port${this.#made}`): Link {
    return this.#add(new HostPort(this, name, this.#nextAddress()));
  }

  outside(onFrame: (frame: Uint8Array) => void, name = `port${this.#made}`): FramePort {
    if (typeof onFrame !== 'function') throw new TypeError('Switch.outside: onFrame must be a function of a frame');
    this.#made++;
    return this.#add(new OutsidePort(this, name, onFrame));
  }

  connect(link: Link): void {
    const port = new CablePort(this, link);
    port.attach();
    this.#made++;
    this.#add(port);
  }

  table(): { readonly hardwareAddress: string; readonly port: string; readonly age: number }[] {
    return this.#table.list(this.clock().now()).map((entry) => ({ ...entry, port: entry.port.name }));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const port of [...this.#ports]) {
      if (port instanceof HostPort) port.loseCarrier();
      else port.close();
    }
  }

  // What ports ask and tell.

  forward(from: SwitchPort, frame: Packet): void {
    this.statistics.received++;
    if (this.#closed) return this.drop('no-carrier');
    if (frame.length < ETHERNET_HEADER_LENGTH) return this.drop('short-frame');
    const header = this.#header;
    readEthernet(frame.chunk.view, frame.offset, header);
    const { destinationHigh: high, destinationLow: low } = header;
    if (isGroupAddress(header.sourceHigh)) return this.drop('group-source');
    if (high === RESERVED_HIGH && (low & ~0xf) === RESERVED_LOW) return this.drop('reserved');
    const now = this.clock().now();
    this.#table.learn(header.sourceHigh, header.sourceLow, from, now);
    const to = isGroupAddress(high) ? undefined : this.#table.find(high, low, now);
    if (to === from) return this.drop('same-port');
    if (to !== undefined) {
      this.statistics.forwarded++;
      return to.take(frame);
    }
    this.statistics.flooded++;
    for (let i = 0; i < this.#ports.length; i++) {
      const port = this.#ports[i] as SwitchPort;
      if (port !== from) port.take(frame);
    }
  }

  drop(cause: string): void {
    const { dropped } = this.statistics;
    dropped.set(cause, (dropped.get(cause) ?? 0) + 1);
  }

  remove(port: SwitchPort): void {
    this.#ports = this.#ports.filter((each) => each !== port);
  }

  forget(port: SwitchPort): void {
    this.#table.forgetPort(port);
  }

  useClock(name: string, clock: Clock): void {
    this.#clock ??= clock;
    if (clock !== this.#clock)
      throw new Error(`${name} is on another clock than its switch: give all hosts, and createSwitch, the same clock`);
  }

  clock(): Clock {
    this.#clock ??= new RealClock();
    return this.#clock;
  }

  #add<Port extends HostPort | OutsidePort | CablePort>(port: Port): Port {
    if (this.#closed) throw new Error('the switch was closed: nothing can be plugged in');
    this.#ports.push(port);
    return port;
  }

  /** Locally administered, and of one station: 02, three bytes of chance, two that count. */
  #nextAddress(): Uint8Array {
    const [prefix, n] = [this.#prefix, ++this.#made];
    return Uint8Array.of(0x02, prefix >>> 16, prefix >>> 8, prefix, n >>> 8, n);
  }
}

function checkInteger(name: string, value: number, least: number, most: number): void {
  if (!(Number.isInteger(value) && value >= least && value <= most))
    throw new RangeError(`createSwitch: ${name} must be an integer in ${least}..${most}, got ${value}`);
}
