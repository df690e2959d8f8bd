/**
 * What all connections of a stack share: settings, counters, memory, timers, and the lists of connections that
 * have something to send or something to tell. The stack owns it and supplies the calls that reach beyond TCP.
 */
import type { Slab } from '../link/slab.ts';
import { Deadlines } from '../time/deadlines.ts';
import type { Random } from '../time/random.ts';
import type { TraceSink } from '../trace/events.ts';
import type { TcpConfig } from './config.ts';
import type { ConnectionUser, ControlBlock } from './control-block.ts';
import { TcpCounters } from './counters.ts';
import type { Embryo } from './embryo.ts';
import { FastOpenHost } from './fast-open-host.ts';
import type { InitialNumbers } from './initial-numbers.ts';
import { TcpMemory } from './memory.ts';
import type { SegmentHasher } from './segment-hasher.ts';
import { SynCookies } from './syn-cookies.ts';
import type { TimeWaitRecord } from './time-wait.ts';
import { IDLE_TIMER_KINDS, TIMER_KINDS } from './timer-kinds.ts';

/** What stands in the demultiplexer's table. */
export type TableEntry = ControlBlock | Embryo | TimeWaitRecord;

/** A connection or a listener, whose user is told of changes after the batch. */
export interface Notifier {
  user: ConnectionUser | undefined;
  readyMarked: boolean;
}

/** What TCP asks of the stack. */
export interface TcpHooks {
  /** Something became dirty outside a batch: flush at the end of the turn. */
  wake(): void;
  /** Segments for this pair of endpoints go to this entry, in place of what stood there. */
  insert(entry: TableEntry): void;
  /** The entry is over; what stands in its place already stays. */
  remove(entry: TableEntry): void;
  /** RFC 9293 3.8.3, negative advice: what goes this way is not answered; the connection may be given another path. */
  doubtRoute(connection: ControlBlock): void;
}

export class TcpContext {
  readonly config: TcpConfig;
  readonly slab: Slab;
  readonly random: Random;
  readonly numbers: InitialNumbers;
  readonly trace: TraceSink | undefined;
  readonly hooks: TcpHooks;
  /** Without one there are no TCP-MD5 and no TCP-AO. */
  readonly hasher: SegmentHasher | undefined;
  readonly counters = new TcpCounters();
  readonly memory: TcpMemory;
  readonly fastOpen: FastOpenHost;
  /** Deadlines that must be met for data to move. */
  readonly timers = new Deadlines(TIMER_KINDS);
  /** Keepalive, FIN-WAIT-2 without a user, TIME-WAIT: they keep nobody waiting. */
  readonly idleTimers = new Deadlines(IDLE_TIMER_KINDS);
  readonly timerOwners: (ControlBlock | Embryo | undefined)[] = [];
  readonly idleTimerOwners: (ControlBlock | TimeWaitRecord | undefined)[] = [];
  /** TIME-WAIT records, and connections that nobody holds any more. */
  timeWaits = 0;
  orphans = 0;
  /** Connections that output must visit. */
  readonly dirty: ControlBlock[] = [];
  /** Connections whose user is to be told. */
  readonly ready: Notifier[] = [];
  /** Made when the first is needed. */
  #cookies: SynCookies | undefined;
  #challengeWindow = -Infinity;
  #challengesLeft = 0;

  constructor(
    config: TcpConfig,
    slab: Slab,
    random: Random,
    numbers: InitialNumbers,
    trace: TraceSink | undefined,
    hooks: TcpHooks,
    hasher?: SegmentHasher,
  ) {
    this.config = config;
    this.slab = slab;
    this.memory = new TcpMemory(slab, config, this.counters);
    this.random = random;
    this.fastOpen = new FastOpenHost(config, random);
    this.numbers = numbers;
    this.trace = trace;
    this.hooks = hooks;
    this.hasher = hasher;
  }

  get cookies(): SynCookies {
    this.#cookies ??= new SynCookies(this.random);
    return this.#cookies;
  }

  /** Output will visit the connection after the batch, or at the end of the turn. */
  markDirty(connection: ControlBlock): void {
    if (connection.dirty) return;
    connection.dirty = true;
    this.dirty.push(connection);
    if (this.dirty.length === 1) this.hooks.wake();
  }

  /** Its user will be told after the batch that its readiness may have changed. */
  markReady(notifier: Notifier): void {
    if (notifier.readyMarked || notifier.user === undefined) return;
    notifier.readyMarked = true;
    this.ready.push(notifier);
    if (this.ready.length === 1) this.hooks.wake();
  }

  /**
   * RFC 5961 7: a limit on challenge ACKs for the whole host. The second's budget is drawn at random between half and
   * all of the limit, so that its use cannot be counted from outside (CVE-2016-5696).
   */
  mayChallenge(now: number): boolean {
    const limit = this.config.tcp_challenge_ack_limit;
    if (limit === 0x7fffffff) return true;
    if (now - this.#challengeWindow >= 1000) {
      this.#challengeWindow = now;
      const half = (limit + 1) >> 1;
      this.#challengesLeft = half + Math.floor(this.random.float() * (limit - half + 1));
    }
    if (this.#challengesLeft <= 0) return false;
    this.#challengesLeft--;
    return true;
  }
}
