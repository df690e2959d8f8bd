/**
 * One host's machinery: interfaces, routes, tables, timers, and the loop that everything runs in.
 *
 * A batch comes in, changes control blocks and marks connections dirty; then output visits the dirty ones, the interfaces hand their batches
 * to the links, and the users are told. What users do in answer marks again, and is sent in the same flush; outside of a
 * batch a flush comes at the end of the turn. Nothing re-enters.
 */
import { IpCounters } from '../ip/counters.ts';
import { IcmpRateLimit } from '../ip/rate-limit.ts';
import type { Reassembly } from '../ip/reassembly.ts';
import type { AddressConflict, InterfaceAddress, Link } from '../link/link.ts';
import type { Packet, PacketBatch } from '../link/packet.ts';
import { Slab } from '../link/slab.ts';
import { REASON_NETWORK_DOWN } from '../tcp/close-reason.ts';
import { defaultConfig, type TcpConfig } from '../tcp/config.ts';
import { type TableEntry, TcpContext } from '../tcp/context.ts';
import type { ControlBlock } from '../tcp/control-block.ts';
import type { TcpCounters } from '../tcp/counters.ts';
import { InitialNumbers } from '../tcp/initial-numbers.ts';
import { output } from '../tcp/output.ts';
import type { SegmentHasher } from '../tcp/segment-hasher.ts';
import { serveTimers } from '../tcp/timeouts.ts';
import type { Clock, Timer } from '../time/clock.ts';
import type { Random } from '../time/random.ts';
import type { TraceSink } from '../trace/events.ts';
import type { NamedUdpCounters } from '../udp/counters.ts';
import {
  closeEverything,
  endConnectionsOver,
  isBusy,
  listSockets,
  resetConnectionsOf,
  type SocketStatus,
} from './connections.ts';
import { Demux } from './demux.ts';
import { makeReassembly } from './fragments.ts';
import type { Interface, InterfaceOwner } from './interface.ts';
import { IpInput } from './ip-input.ts';
import { Network } from './network.ts';
import type { PendingSyns } from './pending-syns.ts';
import { Ports } from './ports.ts';
import type { RoutedPath } from './routed-path.ts';
import type { Route } from './routes.ts';
import { UdpInput } from './udp-input.ts';

export type { SocketStatus };

/** What `nstat` shows, under its SNMP and TcpExt names. */
export type Counters = Readonly<TcpCounters & IpCounters & NamedUdpCounters>;

export interface StackOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Called with every event, synchronously, from inside the stack: it must not throw, nor call the stack. */
  readonly trace?: TraceSink | undefined;
  /** What differs from the defaults. */
  readonly sysctl?: Partial<TcpConfig> | undefined;
  /** For TCP-MD5 and TCP-AO, which there are not without one. */
  readonly hasher?: SegmentHasher | undefined;
}

/** Rounds of "users act, output sends" in one flush, before the event loop gets a turn. */
const ROUNDS = 16;
/** A timer that fires so long after its time, ms, says that the process was away from its event loop. */
const LATE = 5;
/** Turns in which what came meanwhile is read: a link looks in one and hands up in the next, and a host in the same process has to answer. */
const TURNS_TO_CATCH_UP = 4;
/** How often links are asked for what peers say to the last words; those that wait take a millisecond each. */
const LAST_ASKS = 300;

export class Stack implements InterfaceOwner {
  readonly clock: Clock;
  readonly random: Random;
  readonly slab = new Slab();
  readonly sysctl: TcpConfig;
  readonly trace: TraceSink | undefined;
  readonly tcp: TcpContext;
  readonly ipCounters = new IpCounters();
  readonly demux: Demux;
  readonly ports: Ports;
  readonly network: Network;
  readonly udp: UdpInput;
  readonly icmpLimit = new IcmpRateLimit();
  readonly reassembly: Reassembly<Interface>;
  /** Of a forwarder. */
  pendingSyns: PendingSyns | undefined;
  /** Called after a flush that leaves nothing unsent, unacknowledged or unanswered (TIME-WAIT does not count). */
  onIdle: (() => void) | undefined;
  readonly #ipInput: IpInput;
  readonly #timer: Timer;
  readonly #idleTimer: Timer;
  /** Connections whose interface was full. */
  #blocked: ControlBlock[] = [];
  #busy = false;
  #flushDue = false;
  #catchingUp = false;
  #closed = false;

  constructor(options: StackOptions) {
    const { clock, random, trace, sysctl, hasher } = options;
    this.clock = clock;
    this.random = random;
    this.trace = trace;
    this.sysctl = { ...defaultConfig(), ...sysctl };
    const numbers = new InitialNumbers(random);
    this.tcp = new TcpContext(
      this.sysctl,
      this.slab,
      random,
      numbers,
      trace,
      {
        wake: () => this.wake(),
        insert: (entry: TableEntry) => this.demux.insert(entry),
        remove: (entry: TableEntry) => this.demux.remove(entry),
        doubtRoute: (connection: ControlBlock) => this.#routeAgain(connection),
      },
      hasher,
    );
    this.network = new Network(this, this.sysctl, this.ipCounters, random);
    this.demux = new Demux(random);
    this.ports = new Ports(this.sysctl, this.demux, random);
    this.udp = new UdpInput(this);
    this.reassembly = makeReassembly(this);
    this.#ipInput = new IpInput(this);
    this.#timer = clock.timer(() => this.#tick());
    this.#idleTimer = clock.timer(() => this.#tick(), true);
  }

  get interfaces(): readonly Interface[] {
    return this.network.interfaces;
  }

  get isRouter(): boolean {
    return this.sysctl.forwarding;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** A copy of the counters as they are now. */
  get counters(): Counters {
    return { ...this.tcp.counters, ...this.ipCounters, ...this.udp.counters };
  }

  /** Listeners, connections, embryos, TIME-WAIT records and sockets of UDP, as `ss -tuan` lists them. */
  sockets(): SocketStatus[] {
    return [...listSockets(this), ...this.udp.list()];
  }

  /** `ip tcp_metrics flush`: what is remembered of peers beyond their connections. */
  forgetPeers(): void {
    this.tcp.fastOpen.forgetPeers();
  }

  /** Nothing is unsent, unacknowledged or unanswered. */
  get idle(): boolean {
    return !isBusy(this);
  }

  /**
   * Attaches a link, with the host's addresses on it and the routes to their networks.
   * @throws Error when the link is attached already
   */
  addInterface(link: Link, options: { name?: string; addresses: readonly InterfaceAddress[] }): Interface {
    return this.network.addInterface(link, options.name ?? link.name, options.addresses);
  }

  addRoute(route: Route): void {
    this.network.addRoute(route);
  }

  /** Takes the place of the route with the same destination, metrics and all, for open connections too. */
  replaceRoute(route: Route): void {
    this.network.replaceRoute(route);
  }

  /** Something is to be sent or told: a flush comes after the batch, or at the end of the turn. */
  wake(): void {
    if (this.#busy || this.#flushDue) return;
    this.#flushDue = true;
    this.clock.defer(() => {
      this.#flushDue = false;
      this.#flush();
    });
  }

  /**
   * Ends every connection (with a RST), listener and link.
   * @param orderly what may go out goes out first, ends of streams too
   */
  close(orderly = false): void {
    if (this.#closed) return;
    if (orderly) this.#sendLast();
    closeEverything(this);
    this.udp.close();
    this.network.flush();
    this.#closed = true;
    this.network.close();
    this.reassembly.clear();
    this.#timer.clear();
    this.#idleTimer.clear();
    this.tcp.dirty.length = 0;
  }

  // What interfaces tell.

  received(from: Interface, batch: PacketBatch): void {
    if (this.#closed) return;
    const now = this.clock.now();
    const outer = this.#busy;
    this.#busy = true;
    for (let i = 0; i < batch.length; i++) {
      const packet = batch.packets[i];
      if (packet === undefined) break;
      this.#ipInput.arrives(from, packet, now);
    }
    this.#busy = outer;
    if (!outer) this.#flush();
  }

  writable(): void {
    const blocked = this.#blocked;
    this.#blocked = [];
    for (const connection of blocked) this.#unblock(connection);
    this.udp.writable();
    this.wake();
  }

  carrierChanged(): void {
    this.network.version++;
    this.writable();
  }

  linkClosed(from: Interface, reason: Error | undefined): void {
    this.drop(`link ${from.name} closed: ${reason?.message ?? 'no reason given'}`, this.clock.now());
    endConnectionsOver(this, from, REASON_NETWORK_DOWN, this.clock.now());
    this.wake();
  }

  undeliverable(over: Interface, batch: PacketBatch): void {
    if (this.#closed) return;
    const now = this.clock.now();
    for (let i = 0; i < batch.length; i++) this.#ipInput.undeliverable(over, batch.packets[i] as Packet, now);
    this.wake();
  }

  conflict(from: Interface, { address, hardwareAddress, kept }: AddressConflict): void {
    const at = this.clock.now();
    if (!kept) {
      this.network.version++;
      resetConnectionsOf(this, address, at);
      this.wake();
    }
    this.trace?.({ type: 'conflict', at, interface: from.name, address: address.toString(), hardwareAddress, kept });
  }

  requested(family: 4 | 6): void {
    if (family === 4) this.ipCounters.OutRequests++;
    else this.ipCounters.Ip6OutRequests++;
  }

  discarded(count: number): void {
    this.ipCounters.OutDiscards += count;
  }

  /** A packet goes no further: whoever watches is told why. */
  drop(reason: string, now: number): void {
    this.trace?.({ type: 'drop', at: now, reason });
  }

  #tick(): void {
    if (this.#closed || this.#catchingUp) return;
    const due = Math.min(this.tcp.timers.next(), this.tcp.idleTimers.next());
    if (this.clock.now() - due <= LATE) return this.#serveTimers();
    this.#catchingUp = true;
    this.#catchUp(TURNS_TO_CATCH_UP);
  }

  /** What the late timers wait for, an acknowledgment above all, may lie in the links: it is read before they are served. */
  #catchUp(turns: number): void {
    if (turns > 0) return this.clock.defer(() => this.#catchUp(turns - 1));
    this.#catchingUp = false;
    this.#serveTimers();
  }

  #serveTimers(): void {
    if (this.#closed) return;
    this.#busy = true;
    serveTimers(this.tcp, this.clock.now());
    this.#busy = false;
    this.#flush();
  }

  #routeAgain(connection: ControlBlock): void {
    // SO_BINDTODEVICE: there is no other.
    const held = connection.settings.rare.device !== 0;
    const other = held ? undefined : this.network.otherPath(connection.path as RoutedPath);
    if (other !== undefined) connection.path = other;
    else (connection.path as RoutedPath).relabel();
  }

  /** Sends what is to be sent, tells who is to be told, and sets the timer. */
  #flush(): void {
    if (this.#busy) return;
    // The users of what the end of the stack has ended are still to be told.
    if (this.#closed) return this.#tellReady();
    this.#busy = true;
    const { dirty, ready } = this.tcp;
    this.network.beginFlush();
    for (let round = 0; round < ROUNDS && (dirty.length > 0 || ready.length > 0); round++) {
      this.#sendDirty();
      this.#tellReady();
    }
    this.network.flush();
    this.udp.flushed();
    this.#busy = false;
    this.#nextTurn();
    if (dirty.length > 0 || ready.length > 0) this.wake();
    this.#armTimers();
    if (this.onIdle !== undefined && this.idle) this.onIdle();
  }

  /** RFC 9293 3.10.7.4 [MUST-59], [MUST-58]: all that came has been processed; now one acknowledgment of a connection covers it. */
  #sendDirty(): void {
    const { dirty } = this.tcp;
    // A send is stamped with its own time, not with that of the batch that caused it.
    const now = this.clock.now();
    // Output marks nothing dirty but the connection itself, and that only through its timers.
    for (let i = 0; i < dirty.length; i++) {
      const connection = dirty[i] as ControlBlock;
      connection.dirty = false;
      if (output(connection, now)) continue;
      // It stays dirty while it waits: nothing that comes meanwhile can change when its turn is.
      connection.dirty = true;
      this.#blocked.push(connection);
    }
    dirty.length = 0;
    this.network.flush();
  }

  /** What windows have room for goes out; over links that can be asked without the event loop, the rest as acknowledgments come. */
  #sendLast(): void {
    for (let i = 0; i < LAST_ASKS; i++) {
      this.#sendDirty();
      this.#nextTurn();
      if (this.idle || !this.network.receiveNow()) return;
    }
  }

  /** Data that waits for others to have their turn goes on in the next flush; the connection that had the most goes last. */
  #nextTurn(): void {
    const waiting = this.#blocked;
    if (!waiting.some(({ path }) => path.busy)) return;
    this.#blocked = waiting.filter(({ path }) => !path.busy);
    const [first, ...others] = waiting.filter(({ path }) => path.busy);
    for (const connection of others) this.#unblock(connection);
    if (first !== undefined) this.#unblock(first);
  }

  #unblock(connection: ControlBlock): void {
    connection.dirty = false;
    this.tcp.markDirty(connection);
  }

  #tellReady(): void {
    const { ready } = this.tcp;
    const count = ready.length;
    for (let i = 0; i < count; i++) {
      const notifier = ready[i];
      if (notifier === undefined) continue;
      notifier.readyMarked = false;
      notifier.user?.ready();
    }
    ready.splice(0, count);
  }

  #armTimers(): void {
    const next = this.tcp.timers.next();
    if (next === Infinity) this.#timer.clear();
    else this.#timer.set(next);
    const idle = this.tcp.idleTimers.next();
    if (idle === Infinity) this.#idleTimer.clear();
    else this.#idleTimer.set(idle);
  }
}
