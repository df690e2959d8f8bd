/** Plays a scenario to its end, and judges it: bytes, errors, time, and what is left in the tables. */
import { captured, type PacketWatcher } from '../../src/link/captured.ts';
import { type Impairment, impaired } from '../../src/link/impaired.ts';
import type { Link } from '../../src/link/link.ts';
import { createPipe } from '../../src/link/pipe.ts';
import { AF_INET, SOCK_STREAM } from '../../src/socket/constants.ts';
import { EINPROGRESS } from '../../src/socket/errno.ts';
import { createSocket, Socket } from '../../src/socket/socket.ts';
import { type Counters, Stack } from '../../src/stack/stack.ts';
import { seededRandom } from '../../src/time/random.ts';
import { IpAddress, type Prefix, parsePrefix } from '../../src/wire/address.ts';
import { checkStack } from '../support/invariants.ts';
import { TraceHash } from '../support/trace-hash.ts';
import { Side, setOptions } from '../support/transfer.ts';
import { drawScenario, type Scenario, type SideName } from './scenario.ts';
import { SteppedClock } from './stepped-clock.ts';

const ADDRESS = { client: '10.0.0.1', server: '10.0.0.2' } as const;
const PORT = 80;
/** Longest time without a byte written or read, pauses and blackouts apart: R2 (924.6 s) and the last RTO. */
const PATIENCE = 1_100_000;
/** Longer than anything goes on by itself. */
const LONG = 6 * 3_600_000;
/** Longer than 2 MSL, FIN-WAIT-2 of orphans, and a keepalive that gives up. */
const AFTERMATH = 300_000;

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
  readonly errors: Readonly<Record<SideName, string | undefined>>;
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
  readonly #stacks: Record<SideName, Stack>;
  readonly #sides: Record<SideName, Side>;
  readonly #settled: Promise<void>;
  #settle = () => {};
  #listener: Socket | undefined;
  #steps = 0;

  constructor(scenario: Scenario, watchers: Watchers) {
    this.#scenario = scenario;
    const { seed, scripts } = scenario;
    this.#stacks = { client: this.#stack('client'), server: this.#stack('server') };
    this.#attach(watchers);
    this.#sides = {
      client: new Side('client', 'server', seed, scripts.client, this.#clock),
      server: new Side('server', 'client', seed, scripts.server, this.#clock),
    };
    this.#settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#clock.afterStep = () => this.#look();
  }

  async play(): Promise<Result> {
    const { client, server } = this.#sides;
    this.#open();
    await this.#run();
    const took = this.#clock.now();
    this.#judge(client, server);
    this.#judge(server, client);
    this.#listener?.close();
    await this.#clock.run({ limit: LONG });
    await this.#clock.advance(AFTERMATH);
    this.#clock.rethrow();
    this.#expectNoneInVain();
    this.#expectNothingLeft('client');
    this.#expectNothingLeft('server');
    const errors = { client: client.error, server: server.error };
    const counters = { client: this.#stacks.client.counters, server: this.#stacks.server.counters };
    return { hash: this.#trace.digest(), packets: this.#trace.packets, took, errors, counters };
  }

  describe(): string {
    const lines = [`t=${this.#clock.now()} ms, ${JSON.stringify(this.#clock.pending)}`];
    for (const side of Object.values(this.#sides)) {
      const { name, script, written, read, sawEnd, done, error, connected } = side;
      lines.push(
        `${name}: ${connected ? 'connected' : 'not connected'}, wrote ${written} of ${script.size}, read ${read}, ` +
          `${script.ending}${sawEnd ? ', saw the end' : ''}${done ? ', done' : ''}${error === undefined ? '' : `, ${error}`}`,
      );
      lines.push(`  ${JSON.stringify(this.#stacks[name as SideName].sockets())}`);
    }
    return lines.join('\n');
  }

  #stack(name: SideName): Stack {
    const random = seededRandom(`${this.#scenario.seed} ${name}`);
    const stack = new Stack({ clock: this.#clock, random, sysctl: this.#scenario.sysctl[name] });
    const { beforeWrap } = this.#scenario;
    if (beforeWrap !== undefined) {
      const start = (random.float() < 0.5 ? 2 ** 31 - beforeWrap : -beforeWrap) | 0;
      stack.tcp.numbers.isn = () => start;
      stack.tcp.numbers.timestampOffset = () => start;
    }
    return stack;
  }

  #attach({ write, onPacket }: Watchers): void {
    const { pipe, impairment, blackout, seed } = this.#scenario;
    const [near, far] = createPipe(pipe);
    let link: Link = near;
    if (impairment !== undefined) {
      const rule: Impairment =
        blackout === undefined
          ? {}
          : { rule: (_, { at }) => (at >= blackout[0] && at < blackout[1] ? 'drop' : 'pass') };
      link = impaired(near, { seed, in: { ...impairment.in, ...rule }, out: { ...impairment.out, ...rule } });
    }
    const hashed = this.#trace.watch(0);
    const both: PacketWatcher = (bytes, direction, at, size) => {
      hashed(bytes, direction, at, size);
      onPacket?.(bytes, direction, at, size);
    };
    const clientLink = captured(link, { onPacket: both, ...(write === undefined ? {} : { write }) });
    this.#stacks.client.addInterface(clientLink, { addresses: [parsePrefix(`${ADDRESS.client}/24`) as Prefix] });
    const serverLink = captured(far, { onPacket: this.#trace.watch(1) });
    this.#stacks.server.addInterface(serverLink, { addresses: [parsePrefix(`${ADDRESS.server}/24`) as Prefix] });
  }

  #open(): void {
    const { scripts, simultaneous } = this.#scenario;
    const { client, server } = this.#sides;
    if (simultaneous) {
      this.#connect('client', 'server', PORT);
      this.#connect('server', 'client', PORT);
      return;
    }
    const listener = newSocket(this.#stacks.server);
    setOptions(listener, scripts.server);
    expectOk('bind', listener.bind({ address: addressOf('server'), port: PORT }));
    expectOk('listen', listener.listen(1));
    this.#listener = listener;
    listener.onReady = () => {
      const accepted = listener.accept();
      if (!(accepted instanceof Socket)) return;
      if (server.socket === undefined) server.take(accepted);
      else accepted.close();
    };
    this.#connect('client', 'server', undefined);
    client.progressAt = 0;
  }

  #connect(from: SideName, to: SideName, port: number | undefined): void {
    const socket = newSocket(this.#stacks[from]);
    setOptions(socket, this.#scenario.scripts[from]);
    if (port !== undefined) expectOk('bind', socket.bind({ address: addressOf(from), port }));
    expectOk('connect', socket.connect({ address: addressOf(to), port: PORT }) + EINPROGRESS);
    this.#sides[from].take(socket);
  }

  /** Until both users are done; who waits for a peer that is gone for good gives up, as a person would. */
  async #run(): Promise<void> {
    const { client, server } = this.#sides;
    for (let round = 0; round < 4; round++) {
      try {
        await this.#clock.run({ until: this.#settled, limit: LONG });
        return;
      } catch (error) {
        this.#clock.rethrow();
        if (!(error as Error).message.includes('left to happen')) throw error;
      }
      if (!client.done && !server.done) this.#expectLostHandshake();
      // A peer that went without a word, or whose word was lost: keepalive finds out, or nobody does.
      await this.#clock.advance(AFTERMATH);
      this.#clock.rethrow();
      for (const side of [client, server]) if (!side.done && this.#hasNothingToSend(side)) side.giveUp();
      this.#look();
    }
    throw new Error('stalled: timers keep going, and nothing moves');
  }

  /** Nobody is done and nothing will happen: right only when the server never heard that the handshake was over. */
  #expectLostHandshake(): void {
    const { client, server } = this.#sides;
    if (this.#scenario.hopeless && client.connected && server.socket === undefined && client.written === 0) return;
    throw new Error('stalled: nothing is left to happen, and both users wait');
  }

  #hasNothingToSend(side: Side): boolean {
    const connection = side.socket?.connection;
    if (side.socket === undefined) return true;
    if (connection === undefined || (!connection.released && connection.sndUna !== connection.sendEnd)) {
      throw new Error(`stalled: ${side.name} has something to send, and nothing is left to happen`);
    }
    return true;
  }

  #look(): void {
    // A look at everything costs: every step of a short run, fewer of a long one.
    if (++this.#steps < 400 || this.#steps % 8 === 0) {
      checkStack(this.#stacks.client);
      checkStack(this.#stacks.server);
    }
    const { client, server } = this.#sides;
    for (const side of [client, server]) if (side.wrong !== undefined) throw new Error(`${side.name}: ${side.wrong}`);
    if (client.done && server.done) return this.#settle();
    const waited = this.#clock.now() - Math.max(client.progressAt, server.progressAt);
    const { blackout } = this.#scenario;
    const patience = PATIENCE + (blackout === undefined ? 0 : blackout[1] - blackout[0]);
    if (waited > patience && this.#clock.pending.foreground > 0)
      throw new Error(`stalled: nothing moved for ${waited} ms`);
  }

  #judge(side: Side, peer: Side): void {
    const { hopeless } = this.#scenario;
    const abrupt = [side, peer].some(({ script }) => !['shutdown', 'wait'].includes(script.ending));
    if (side.error !== undefined) {
      const allowed = ['ETIMEDOUT', 'ECONNRESET', 'EPIPE', 'ECONNREFUSED'];
      if (!allowed.includes(side.error)) throw new Error(`${side.name} ended with ${side.error}`);
      if (!abrupt && !hopeless)
        throw new Error(`${side.name} ended with ${side.error} on a network that is not that bad`);
      if (abrupt && !hopeless && side.error === 'ETIMEDOUT')
        throw new Error(`${side.name}: ETIMEDOUT on a network that is not that bad`);
      return;
    }
    if (abrupt) return;
    if (side.sawEnd) {
      if (side.read !== peer.script.size)
        throw new Error(`${side.name} read ${side.read} of ${peer.script.size} bytes and then the end`);
    } else if (!hopeless) {
      throw new Error(`${side.name} never saw the end of the stream`);
    }
  }

  /** What users do not see: connections that nobody held any more and that gave up, and what was sent again for nothing. */
  #expectNoneInVain(): void {
    const { hopeless, impairment, pipe, blackout, sysctl } = this.#scenario;
    // An RTO shorter than a delayed acknowledgment takes its time is asked for, and had.
    const hasty = Object.values(sysctl).some(({ tcp_rto_min_us: least }) => least !== undefined && least < 200_000);
    for (const [name, { counters }] of Object.entries(this.#stacks)) {
      if (!hopeless && counters.TCPAbortOnTimeout > 0)
        throw new Error(`${name}: gave up on a network that is not that bad`);
      const perfect = impairment === undefined && pipe.rate === undefined && blackout === undefined && !hasty;
      if (perfect && counters.RetransSegs > 0)
        throw new Error(`${name}: sent ${counters.RetransSegs} segments again on a perfect network`);
    }
  }

  #expectNothingLeft(name: SideName): void {
    const stack = this.#stacks[name];
    const left = {
      sockets: stack.sockets().length,
      demux: stack.demux.size,
      chunks: stack.slab.live,
      timers: stack.tcp.timers.size,
      idleTimers: stack.tcp.idleTimers.size,
      ports: stack.ports.size,
      dirty: stack.tcp.dirty.length,
      ready: stack.tcp.ready.length,
    };
    for (const [what, count] of Object.entries(left)) {
      if (count !== 0) throw new Error(`${name}: ${what}: ${count} left at the end`);
    }
  }
}

function newSocket(stack: Stack): Socket {
  const socket = createSocket(stack, AF_INET, SOCK_STREAM, 0);
  if (typeof socket === 'number') throw new Error(`socket: ${socket}`);
  return socket;
}

function addressOf(name: SideName): IpAddress {
  return IpAddress.parse(ADDRESS[name]) as IpAddress;
}

function expectOk(call: string, result: number): void {
  if (result !== 0) throw new Error(`${call}: ${result}`);
}
