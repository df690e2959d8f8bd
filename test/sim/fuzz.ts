/**
 * Everything that can come, to a host with everything open: headers of each protocol, well formed, spoiled, in fragments; answers to what the host sends,
 * and errors about it. Nothing throws, tables keep their bounds, and when time has passed all is given back. A seed decides all of it.
 */
import { createEthernet, type EthernetLink } from '../../src/link/ethernet.ts';
import type { LinkReceiver } from '../../src/link/link.ts';
import { CHECKSUM_NONE, CHECKSUM_VALIDATED, Packet } from '../../src/link/packet.ts';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SO_RCVBUF,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../../src/socket/constants.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import type { DatagramSocket } from '../../src/socket/datagram-socket.ts';
import { Socket } from '../../src/socket/socket.ts';
import type { Interface } from '../../src/stack/interface.ts';
import { PendingSyns } from '../../src/stack/pending-syns.ts';
import { Stack } from '../../src/stack/stack.ts';
import { seededRandom } from '../../src/time/random.ts';
import { IPV4_ANY, IPV6_ANY, IpAddress, parsePrefix } from '../../src/wire/address.ts';
import { checkStack } from '../support/invariants.ts';
import { WireClock, WireLink } from '../support/wire-link.ts';
import { Draw } from './draw.ts';
import { arpFrame, claimFor, frameOf, OWN_HARDWARE } from './fuzz-frames.ts';
import { FuzzSource, PORTS } from './fuzz-source.ts';

/** What was seen, over all seeds: counters of the host, and why packets were dropped. */
export interface FuzzReport {
  readonly counters: Record<string, number>;
  readonly drops: Record<string, number>;
  /** Chunks that were held at most. */
  mostChunks: number;
}

export const emptyReport = (): FuzzReport => ({ counters: {}, drops: {}, mostChunks: 0 });

const WAITS = [0, 1, 40, 40, 250, 1100, 5000];
/** Packets between two waits, and after which the bounds are looked at. */
const BATCH = 64;
/** After this, ms, nothing is believed or waited for any more: what routers said (600 s) the longest. */
const LONG_AFTER = 700_000;
const PEERS = ['10.0.0.2', '10.0.0.3', 'fd00::2', 'fd00::3', '192.0.2.9', '2001:db8::7'].map(addressOf);
const FRAGMENT_LIMITS = [4_194_304, 60_000];
const PAYLOAD = new Uint8Array(20_000);
const BUFFER = new Uint8Array(3000);
/** Chunks for all that can be held at once: two families' fragments, and what sockets, queues and links have. */
const MOST_CHUNKS = 1200;

/** @throws Error that names the seed and the packet. @returns how many packets came */
export async function playFuzz(seed: string, count: number, report: FuzzReport = emptyReport()): Promise<number> {
  const world = new FuzzWorld(seed, report);
  let i = 0;
  try {
    for (; i < count; i++) {
      if (i % BATCH === 0) await world.between();
      world.step();
    }
    await world.end();
  } catch (error) {
    const last = Buffer.from(world.last).toString('hex');
    throw new Error(`fuzz seed ${seed}, packet ${i}: ${(error as Error).message}\nlast packet: ${last}`, {
      cause: error,
    });
  }
  return count;
}

class FuzzWorld {
  /** The packet or frame that came last. */
  last: Uint8Array = new Uint8Array();
  readonly #draw: Draw;
  readonly #report: FuzzReport;
  readonly #source: FuzzSource;
  readonly #clock = new WireClock({ start: 1000 });
  readonly #stack: Stack;
  /** What the test puts packets, or frames, into. */
  readonly #link: WireLink;
  readonly #ethernet: EthernetLink | undefined;
  /** Frames that say where somebody is that the host asked for. */
  readonly #claims: Uint8Array[] = [];
  readonly #listener: Socket;
  readonly #streams: Socket[] = [];
  readonly #datagrams: DatagramSocket[];
  readonly #packet: Packet;
  readonly #fragmentLimit: number;

  constructor(seed: string, report: FuzzReport) {
    this.#report = report;
    const draw = new Draw(`fuzz ${seed}`);
    this.#draw = draw;
    this.#source = new FuzzSource(draw);
    const random = seededRandom(`fuzz ${seed}`);
    this.#fragmentLimit = draw.pick(FRAGMENT_LIMITS);
    const forwards = draw.chance(0.4);
    const sysctl = {
      ipfrag_high_thresh: this.#fragmentLimit,
      ip6frag_high_thresh: this.#fragmentLimit,
      ip_forward: forwards,
      forwarding: forwards,
    };
    const trace = (event: { type: string; reason?: string }) => {
      if (event.type === 'drop') add(report.drops, event.reason as string, 1);
    };
    this.#stack = new Stack({ clock: this.#clock, random, sysctl, trace: trace as never });
    const isEthernet = draw.chance(0.5);
    const mtu = draw.pick([1280, 1500, 1500, 9000]) + (isEthernet ? 14 : 0);
    this.#link = new WireLink(mtu, draw.chance(0.5), (bytes) => this.#left(bytes));
    if (isEthernet) {
      const hardwareAddress = Uint8Array.from(OWN_HARDWARE);
      this.#ethernet = createEthernet(this.#link, { hardwareAddress, random, duplicateDetection: draw.chance(0.2) });
    }
    const addresses = ['10.0.0.1/24', 'fd00::1/64'].map(prefixOf);
    const near = this.#stack.addInterface(this.#ethernet ?? this.#link, { addresses });
    if (draw.chance(0.25)) this.#acceptAny(near);
    const far = new WireLink(draw.pick([1280, 1400]), draw.chance(0.5), (bytes) => this.#source.saw(bytes));
    const beyond = this.#stack.addInterface(far, { addresses: ['192.0.2.1/24', '2001:db8::1/64'].map(prefixOf) });
    for (const text of ['0.0.0.0/0', '::/0']) {
      const { address: destination, bits } = prefixOf(text);
      this.#stack.addRoute({ destination, bits, interface: beyond });
    }
    this.#listener = this.#listen();
    this.#datagrams = this.#openDatagrams();
    this.#packet = new Packet(this.#stack.slab.take(), 64);
  }

  /** A packet comes. */
  step(): void {
    const draw = this.#draw;
    if (this.#ethernet === undefined) this.last = this.#source.packet();
    else if (this.#claims.length > 0) this.last = this.#claims.shift() as Uint8Array;
    else this.last = draw.chance(0.08) ? arpFrame(draw) : frameOf(draw, this.#source.packet());
    const receiver = this.#link.receiver as LinkReceiver;
    const packet = this.#packet;
    // Somebody keeps the chunk: as a link does, it is left to him.
    if (packet.chunk.refs > 1) {
      packet.chunk.release();
      packet.chunk = receiver.slab.take();
    }
    packet.chunk.bytes.set(this.last, packet.offset);
    packet.length = this.last.length;
    packet.checksum = draw.chance(0.1) ? CHECKSUM_VALIDATED : CHECKSUM_NONE;
    receiver.receive({ packets: [packet], length: 1 });
  }

  /** The host does something, and time passes; what must hold is looked at. */
  async between(): Promise<void> {
    const draw = this.#draw;
    for (let acts = 4; acts > 0; acts--) draw.chance(0.5) ? this.#stream() : this.#datagram();
    this.#trouble();
    this.#clock.flush();
    const wait = draw.pick(WAITS);
    if (wait > 0) await this.#clock.advance(wait);
    checkStack(this.#stack, false);
    this.#bounds();
  }

  async end(): Promise<void> {
    for (const socket of [...this.#streams, this.#listener, ...this.#datagrams]) socket.close();
    this.#packet.chunk.release();
    this.#link.room = Infinity;
    this.#link.receiver?.writable();
    await this.#clock.advance(LONG_AFTER);
    const { reassembly, network, slab, demux, udp } = this.#stack;
    const { tcp, ipCounters } = this.#stack;
    none({
      'datagrams in reassembly': reassembly.size,
      'their sources': reassembly.sources,
      'their memory': reassembly.memory(4) + reassembly.memory(6),
      'path MTUs': network.mtus.size,
      'SYNs that are undecided': this.#stack.pendingSyns?.size ?? 0,
      'UDP ports': udp.table.size,
      'UDP buffers': udp.pool.live,
    });
    this.#stack.close();
    none({ chunks: slab.live, connections: demux.size, timers: tcp.timers.size + tcp.idleTimers.size });
    for (const [name, value] of Object.entries({ ...ipCounters, ...tcp.counters, ...udp.counters }))
      if (typeof value === 'number') add(this.#report.counters, name, value);
    if (this.#ethernet === undefined) return;
    for (const [name, value] of Object.entries(this.#ethernet.statistics))
      if (typeof value === 'number') add(this.#report.counters, `ethernet ${name}`, value);
  }

  #bounds(): void {
    const { reassembly, network, slab, icmpLimit } = this.#stack;
    this.#report.mostChunks = Math.max(this.#report.mostChunks, slab.live);
    atMost('memory of IPv4 fragments', reassembly.memory(4), this.#fragmentLimit + 80_000);
    atMost('memory of IPv6 fragments', reassembly.memory(6), this.#fragmentLimit + 80_000);
    atMost('SYNs that are undecided', this.#stack.pendingSyns?.size ?? 0, 20);
    atMost('path MTUs', network.mtus.size, 2048);
    atMost('ICMP buckets', icmpLimit.size, 1024);
    atMost('neighbours', this.#ethernet?.neighbours().length ?? 0, 2048);
    atMost('chunks', slab.live, MOST_CHUNKS);
  }

  /** The host takes the place of all others on that link; about who connects to them it decides now, later, or never. */
  #acceptAny(near: Interface): void {
    near.acceptAny = true;
    near.echoAny = true;
    const pending: PendingSyns = new PendingSyns(this.#stack, {
      limit: 20,
      timeout: 10_000,
      asked: (syn) => {
        const answer = this.#draw.integer(0, 2);
        if (answer === 0) pending.refuse(syn);
        if (answer === 1) pending.drop(syn);
      },
      withdrawn: () => {},
    });
    this.#stack.pendingSyns = pending;
  }

  /** The link is full for a while, or down. */
  #trouble(): void {
    const draw = this.#draw;
    const receiver = this.#link.receiver as LinkReceiver;
    if (this.#link.room !== Infinity) {
      this.#link.room = Infinity;
      receiver.writable();
    } else if (draw.chance(0.1)) {
      this.#link.room = draw.integer(0, 300);
    } else if (draw.chance(0.05)) {
      receiver.down();
      this.#clock.flush();
      receiver.up();
    }
  }

  #listen(): Socket {
    const listener = createSocket(this.#stack, AF_INET6, SOCK_STREAM, 0) as Socket;
    listener.bind({ address: IPV6_ANY, port: PORTS.tcp });
    listener.listen(8);
    return listener;
  }

  #openDatagrams(): DatagramSocket[] {
    const open = (domain: number) => createSocket(this.#stack, domain, SOCK_DGRAM, 0) as DatagramSocket;
    const [four, six, peer4, peer6] = [open(AF_INET), open(AF_INET6), open(AF_INET), open(AF_INET6)];
    six.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 1);
    // So small that it overflows.
    four.setsockopt(SOL_SOCKET, SO_RCVBUF, 2304);
    four.bind({ address: IPV4_ANY, port: PORTS.udp });
    six.bind({ address: IPV6_ANY, port: PORTS.udp });
    peer4.bind({ address: IPV4_ANY, port: PORTS.connected });
    peer4.connect({ address: addressOf('10.0.0.2'), port: PORTS.peer });
    peer6.connect({ address: addressOf('fd00::2'), port: PORTS.peer });
    return [four, six, peer4, peer6];
  }

  #stream(): void {
    const draw = this.#draw;
    const accepted = this.#listener.accept();
    if (accepted instanceof Socket) this.#streams.push(accepted);
    if (this.#streams.length < 12 && draw.chance(0.2)) {
      const socket = createSocket(this.#stack, AF_INET6, SOCK_STREAM, 0) as Socket;
      socket.connect({ address: draw.pick(PEERS), port: PORTS.tcp });
      this.#streams.push(socket);
    }
    const socket = this.#streams[draw.integer(0, this.#streams.length - 1)];
    if (socket === undefined) return;
    if (draw.chance(0.5)) socket.recv(BUFFER);
    if (draw.chance(0.5)) socket.send(PAYLOAD.subarray(0, draw.pick([1, 500, 5000])));
    if (!draw.chance(this.#streams.length > 8 ? 0.5 : 0.05)) return;
    socket.close();
    this.#streams.splice(this.#streams.indexOf(socket), 1);
  }

  #datagram(): void {
    const draw = this.#draw;
    const [four, six, ...connected] = this.#datagrams as [DatagramSocket, DatagramSocket, ...DatagramSocket[]];
    const bytes = PAYLOAD.subarray(0, draw.pick([0, 1, 100, 1400, 3000, 20_000]));
    const to = { address: draw.pick(PEERS), port: draw.pick([PORTS.peer, PORTS.dns]) };
    const act = draw.integer(0, 4);
    if (act < 2) (to.address.family === 4 ? four : six).sendto(bytes, 0, to);
    else if (act === 2) draw.pick(connected).send(bytes);
    else for (const socket of this.#datagrams) for (let i = 0; i < 20; i++) socket.recv(BUFFER);
  }

  /** What the host sends, and frames without their headers. */
  #left(bytes: Uint8Array): void {
    if (this.#ethernet === undefined) return this.#source.saw(bytes);
    const type = ((bytes[12] as number) << 8) | (bytes[13] as number);
    // Asked where somebody is, it is told, mostly: else nothing would ever be sent to anybody.
    const claim = this.#draw.chance(0.6) ? claimFor(bytes) : undefined;
    if (claim !== undefined) this.#claims.push(claim);
    if (type === 0x0800 || type === 0x86dd) this.#source.saw(bytes.subarray(14));
  }
}

function add(to: Record<string, number>, name: string, count: number): void {
  to[name] = (to[name] ?? 0) + count;
}

function atMost(what: string, count: number, most: number): void {
  if (count > most) throw new Error(`${what}: ${count}, and there should be ${most} at most`);
}

function none(counts: Record<string, number>): void {
  for (const [what, count] of Object.entries(counts)) if (count !== 0) throw new Error(`${what}: ${count} left`);
}

function addressOf(text: string): IpAddress {
  return IpAddress.parse(text) as IpAddress;
}

function prefixOf(text: string): { address: IpAddress; bits: number } {
  return parsePrefix(text) as { address: IpAddress; bits: number };
}
