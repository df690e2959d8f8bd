/** Plays a scenario to its end, and judges it: bytes, errors, time, and what is left in the tables. */
import { captured, type PacketWatcher } from '../../src/link/captured.ts';
import { type Impairment, impaired } from '../../src/link/impaired.ts';
import type { Link } from '../../src/link/link.ts';
import { createPipe } from '../../src/link/pipe.ts';
import { nodeHasher } from '../../src/node/segment-hasher.ts';
import { IPPROTO_TCP, SOCK_STREAM, TCP_FASTOPEN_CONNECT } from '../../src/socket/constants.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import { EADDRNOTAVAIL, ECONNABORTED, EINPROGRESS } from '../../src/socket/errno.ts';
import { Socket } from '../../src/socket/socket.ts';
import { type Counters, Stack } from '../../src/stack/stack.ts';
import type { ControlBlock } from '../../src/tcp/control-block.ts';
import { seededRandom } from '../../src/time/random.ts';
import { checkStack } from '../support/invariants.ts';
import { TraceHash } from '../support/trace-hash.ts';
import { Side, setOptions } from '../support/transfer.ts';
import { domainOf, type Family } from '../support/wire-family.ts';
import { addressOf, bitsOf, peerOf } from './addresses.ts';
import {
  expectNoneInVain,
  expectNothingLeft,
  expectNothingToSend,
  expectQueuesEmpty,
  judgePair,
  type Pair,
  type Stacks,
} from './judge.ts';
import { changeKey, setKeys } from './keys.ts';
import { drawScenario, type Scenario, type SideName } from './scenario.ts';
import { SteppedClock } from './stepped-clock.ts';
import { WireRules } from './wire-rules.ts';

const PORT = 80;
/** Longest time without a byte written or read, pauses and blackouts apart: R2 (924.6 s), or as many window probes, and the last RTO. */
const PATIENCE = 1_300_000;
/** Longer than anything goes on by itself. */
const LONG = 6 * 3_600_000;
/** Longer than 2 MSL, FIN-WAIT-2 of orphans, and a keepalive that gives up. */
const AFTERMATH = 300_000;
/** Before another attempt to connect, when all ports are in use, ms. */
const AGAIN = 1000;

export interface Watchers {
  /** Around the client's link: before its impairment when sending, after it when receiving. */
  readonly write?: (bytes: Uint8Array) => void;
  readonly onPacket?: PacketWatcher;
}

export interface Result {
  readonly hash: string;
  readonly packets: number;
  /** Virtual ms until both users were done. */
  readonly took: number;
  /** Names of the errors that users met. */
  readonly errors: readonly string[];
  readonly counters: Readonly<Record<SideName, Counters>>;
}

/** @throws Error saying what is wrong, with the state of both sides */
export async function play(scenario: Scenario, watchers: Watchers = {}): Promise<Result> {
  const world = new World(scenario, watchers);
  try {
    return await world.play();
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${world.describe()}`, { cause: error });
  }
}

/** Plays a seed twice. @throws Error as `play`, and when the two runs differ */
export async function playTwice(seed: string): Promise<Result> {
  const first = await play(drawScenario(seed));
  const second = await play(drawScenario(seed));
  if (first.hash === second.hash) return first;
  throw new Error(
    `two runs differ: ${first.packets} packets, ${first.hash}; ${second.packets} packets, ${second.hash}`,
  );
}

class World {
  readonly #scenario: Scenario;
  readonly #clock = new SteppedClock();
  readonly #trace = new TraceHash();
  readonly #rules: WireRules;
  readonly #stacks: Stacks;
  readonly #pairs: readonly Pair[];
  readonly #settled: Promise<void>;
  #settle = () => {};
  #listener: Socket | undefined;
  /** Who has gone over to the other key. */
  readonly #changed = new Set<SideName>();
  /** How many clients wait for a port. */
  #portless = 0;
  #steps = 0;

  constructor(scenario: Scenario, watchers: Watchers) {
    this.#scenario = scenario;
    this.#rules = new WireRules(scenario);
    this.#stacks = { client: this.#stack('client'), server: this.#stack('server') };
    this.#attach(watchers);
    this.#pairs = scenario.pairs.map(({ client, server }, i) => {
      const seed = `${scenario.seed} ${i}`;
      const pair = {
        client: new Side('client', 'server', seed, client, this.#clock),
        server: new Side('server', 'client', seed, server, this.#clock),
      };
      pair.client.expectUrgent(pair.server);
      pair.server.expectUrgent(pair.client);
      return pair;
    });
    this.#settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#clock.afterStep = () => this.#look();
  }

  async play(): Promise<Result> {
    const { simultaneous, hostEndsAt } = this.#scenario;
    this.#changeKeys();
    if (hostEndsAt !== undefined) this.#clock.timer(() => this.#stacks.server.close()).set(hostEndsAt);
    if (simultaneous) this.#openBoth();
    else this.#open();
    await this.#run();
    const took = this.#clock.now();
    for (const pair of this.#pairs) judgePair(pair, this.#scenario);
    const listeners = [...this.#stacks.server.demux.listeners()];
    this.#listener?.close();
    await this.#clock.run({ limit: LONG });
    await this.#clock.advance(AFTERMATH);
    this.#clock.rethrow();
    for (const listener of listeners) expectQueuesEmpty(listener, this.#clock.now());
    expectNoneInVain(this.#scenario, this.#stacks);
    expectNothingLeft(this.#stacks);
    const errors = this.#sides.flatMap(({ error }) => error ?? []);
    const counters = { client: this.#stacks.client.counters, server: this.#stacks.server.counters };
    return { hash: this.#trace.digest(), packets: this.#trace.packets, took, errors, counters };
  }

  describe(): string {
    const lines = [`t=${this.#clock.now()} ms, ${JSON.stringify(this.#clock.pending)}`];
    for (const side of this.#sides) {
      const { name, script, written, read, sawEnd, done, error, connected } = side;
      lines.push(
        `${name}: ${connected ? 'connected' : 'not connected'}, wrote ${written} of ${script.size}, read ${read}, ` +
          `${script.ending}${sawEnd ? ', saw the end' : ''}${done ? ', done' : ''}${error === undefined ? '' : `, ${error}`}`,
      );
    }
    for (const [name, stack] of Object.entries(this.#stacks)) lines.push(`${name}: ${JSON.stringify(stack.sockets())}`);
    return lines.join('\n');
  }

  get #sides(): Side[] {
    return this.#pairs.flatMap(({ client, server }) => [client, server]);
  }

  #stack(name: SideName): Stack {
    const random = seededRandom(`${this.#scenario.seed} ${name}`);
    const stack = new Stack({ clock: this.#clock, random, sysctl: this.#scenario.sysctl[name], hasher: nodeHasher });
    const { beforeWrap } = this.#scenario;
    if (beforeWrap !== undefined) {
      const start = (random.float() < 0.5 ? 2 ** 31 - beforeWrap : -beforeWrap) | 0;
      stack.tcp.numbers.isn = () => start;
      stack.tcp.numbers.timestampOffset = () => start;
    }
    return stack;
  }

  #attach({ write, onPacket }: Watchers): void {
    const { pipe, impairment, seed } = this.#scenario;
    const [near, far] = createPipe(pipe);
    const rule = this.#rule();
    const link: Link =
      impairment === undefined && rule === undefined
        ? near
        : impaired(near, { seed, in: { ...impairment?.in, ...rule }, out: { ...impairment?.out, ...rule } });
    const hashed = this.#trace.watch(0);
    const rules = this.#rules.watch('client');
    const both: PacketWatcher = (bytes, direction, at, size) => {
      hashed(bytes, direction, at, size);
      rules(bytes, direction, at, size);
      onPacket?.(bytes, direction, at, size);
    };
    const clientLink = captured(link, { onPacket: both, ...(write === undefined ? {} : { write }) });
    this.#addInterface('client', clientLink);
    const [serverHashed, serverRules] = [this.#trace.watch(1), this.#rules.watch('server')];
    const onServerPacket: PacketWatcher = (bytes, direction, at, size) => {
      serverHashed(bytes, direction, at, size);
      serverRules(bytes, direction, at, size);
    };
    this.#addInterface('server', captured(far, { onPacket: onServerPacket }));
  }

  /** What gets through at all. */
  #rule(): Impairment | undefined {
    const { blackout, extensions } = this.#scenario;
    const { blackHole } = extensions;
    if (blackout === undefined && blackHole === undefined) return undefined;
    const swallows = (length: number, at: number) =>
      (blackout !== undefined && at >= blackout[0] && at < blackout[1]) ||
      (blackHole !== undefined && length > blackHole.above && at >= blackHole.from && at < blackHole.to);
    return { rule: (packet, { at }) => (swallows(packet.length, at) ? 'drop' : 'pass') };
  }

  #addInterface(name: SideName, link: Link): void {
    const { family } = this.#scenario;
    const [address, bits] = [addressOf(name, family), bitsOf(family)];
    const added = this.#stacks[name].addInterface(link, { addresses: [{ address, bits }] });
    const metrics = this.#scenario.extensions.metrics[name];
    if (metrics === undefined) return;
    this.#stacks[name].replaceRoute({ destination: address, bits, interface: added, metrics });
  }

  /** Both sides change their keys, one some time after the other. */
  #changeKeys(): void {
    const { keys } = this.#scenario.extensions;
    if (keys?.changeAt === undefined) return;
    const { changeAt, gap, first } = keys;
    for (const name of ['client', 'server'] as const) {
      const change = () => {
        const sockets = this.#pairs.flatMap((pair) => pair[name].socket ?? []);
        if (name === 'server' && this.#listener !== undefined) sockets.push(this.#listener);
        this.#changed.add(name);
        for (const socket of sockets) {
          if (socket === this.#listener || socket.connection?.released === false)
            changeKey(socket, name, this.#scenario.family, keys);
        }
      };
      this.#clock.timer(change).set(changeAt + (name === first ? 0 : gap));
    }
  }

  #openBoth(): void {
    for (const i of this.#pairs.keys()) {
      this.#connect('client', i, PORT);
      this.#connect('server', i, PORT);
    }
  }

  #open(): void {
    const { pairs, backlog, extensions, family } = this.#scenario;
    const listener = newSocket(this.#stacks.server, family);
    const [first] = pairs;
    if (first !== undefined) setOptions(listener, first.server);
    setOptions(listener, { options: extensions.listenerOptions });
    if (extensions.keys !== undefined) setKeys(listener, 'server', family, extensions.keys, false);
    expectOk('bind', listener.bind({ address: addressOf('server', family), port: PORT }));
    expectOk('listen', listener.listen(backlog));
    this.#listener = listener;
    this.#acceptAll(listener);
    for (const [i, { at }] of pairs.entries()) {
      if (at === 0) this.#connect('client', i, undefined);
      else this.#clock.timer(() => this.#connect('client', i, undefined)).set(at);
    }
  }

  /** Accepts what comes, each connection after a pause. */
  #acceptAll(listener: Socket): void {
    const { acceptPause } = this.#scenario;
    let waits = false;
    const accept = () => {
      waits = false;
      const accepted = listener.accept();
      // One that was reset before it was accepted (`accept_reset` posix) leaves the others in the queue.
      if (accepted === -ECONNABORTED) return later();
      if (!(accepted instanceof Socket)) return;
      const server = this.#serverOf(accepted.connection as ControlBlock);
      if (server === undefined || server.socket !== undefined) accepted.close();
      else this.#take(server, accepted);
      later();
    };
    const timer = this.#clock.timer(accept);
    const later = () => {
      if (acceptPause === 0) accept();
      else if (!waits) {
        waits = true;
        timer.set(this.#clock.now() + acceptPause);
      }
    };
    listener.onReady = later;
  }

  #take(server: Side, accepted: Socket): void {
    const { extensions, family } = this.#scenario;
    if (extensions.keys !== undefined && this.#changed.has('server'))
      changeKey(accepted, 'server', family, extensions.keys);
    server.take(accepted);
  }

  /** By port and initial sequence number: a port may be used more than once. */
  #serverOf({ remotePort, irs }: ControlBlock): Side | undefined {
    return this.#pairs.find(({ client }) => {
      const connection = client.socket?.connection;
      return connection?.localPort === remotePort && connection.iss === irs;
    })?.server;
  }

  #connect(from: SideName, pair: number, port: number | undefined): void {
    const { extensions, family } = this.#scenario;
    const { keys, opening } = extensions;
    const side = (this.#pairs[pair] as Pair)[from];
    const socket = newSocket(this.#stacks[from], family);
    setOptions(socket, side.script);
    if (keys !== undefined) setKeys(socket, from, family, keys, this.#changed.has(from));
    if (port !== undefined) expectOk('bind', socket.bind({ address: addressOf(from, family), port }));
    const to = { address: peerOf(from, family), port: PORT };
    // Without data to write there would be no SYN.
    const fast = side.script.size > 0 ? opening : 'plain';
    if (fast === 'sendto') return side.take(socket, to);
    if (fast === 'connect') expectOk('TCP_FASTOPEN_CONNECT', socket.setsockopt(IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1));
    const result = socket.connect(to);
    if (result === -EADDRNOTAVAIL && this.#scenario.extensions.clientPorts !== undefined) {
      socket.close();
      side.progressAt = this.#clock.now();
      this.#portless++;
      const again = () => {
        this.#portless--;
        this.#connect(from, pair, port);
      };
      this.#clock.timer(again).set(this.#clock.now() + AGAIN);
      return;
    }
    if (result !== 0) expectOk('connect', result + EINPROGRESS);
    side.take(socket);
  }

  /** Until all users are done; who waits for a peer that is gone for good gives up, as a person would. */
  async #run(): Promise<void> {
    for (let round = 0; round < 4; round++) {
      try {
        await this.#clock.run({ until: this.#settled, limit: LONG });
        return;
      } catch (error) {
        this.#clock.rethrow();
        if (!(error as Error).message.includes('left to happen')) throw error;
      }
      for (const pair of this.#pairs) this.#expectPartnerGone(pair);
      // A peer that went without a word, or whose word was lost: keepalive finds out, or nobody does.
      await this.#clock.advance(AFTERMATH);
      this.#clock.rethrow();
      for (const side of this.#sides) giveUp(side);
      this.#look();
    }
    throw new Error('stalled: timers keep going, and nothing moves');
  }

  /** Nothing will happen, and both wait: right only when the server never heard that the handshake was over. */
  #expectPartnerGone({ client, server }: Pair): void {
    if (client.done || server.done) return;
    const { hopeless, hostEndsAt } = this.#scenario;
    const unheard = client.connected && server.socket === undefined;
    // What nobody had accepted when the host ended was reset; a lost RST tells nobody, whatever had been written.
    if (hopeless && unheard && (client.written === 0 || hostEndsAt !== undefined)) return;
    throw new Error('stalled: nothing is left to happen, and both users wait');
  }

  #look(): void {
    // A look at everything costs: every step of a short run, fewer of a long one.
    if (++this.#steps < 400 || this.#steps % 8 === 0) {
      checkStack(this.#stacks.client);
      checkStack(this.#stacks.server);
    }
    if (this.#rules.wrong !== undefined) throw new Error(this.#rules.wrong);
    const { blackout } = this.#scenario;
    const patience = PATIENCE + (blackout === undefined ? 0 : blackout[1] - blackout[0]);
    const now = this.#clock.now();
    let over = true;
    for (const pair of this.#pairs) {
      const { client, server } = pair;
      for (const { name, wrong } of [client, server]) if (wrong !== undefined) throw new Error(`${name}: ${wrong}`);
      if (client.done && server.done) continue;
      over = false;
      // Nobody will ever accept it: that ends with all the others.
      if (client.done && server.socket === undefined) continue;
      const waited = now - Math.max(client.progressAt, server.progressAt);
      if (waited <= patience) continue;
      const { foreground } = this.#clock.pending;
      if (foreground === 0) continue;
      if (foreground > this.#portless) throw new Error(`stalled: nothing moved for ${waited} ms`);
      // Only those who wait for this one's port keep time going: nothing is left to happen to it, as when the clock says so.
      this.#expectPartnerGone(pair);
      giveUp(client);
      giveUp(server);
    }
    if (over) this.#settle();
  }
}

function giveUp(side: Side): void {
  if (side.done) return;
  expectNothingToSend(side);
  side.giveUp();
}

function newSocket(stack: Stack, family: Family): Socket {
  const socket = createSocket(stack, domainOf(family), SOCK_STREAM, 0);
  if (typeof socket === 'number') throw new Error(`socket: ${socket}`);
  return socket;
}

function expectOk(call: string, result: number): void {
  if (result !== 0) throw new Error(`${call}: ${result}`);
}
