/**
 * Where the kernel (10.9.0.1) and a tunstack host (10.9.0.2) meet: a TUN device in a network namespace, watched. Whoever opens one
 * ends it, which looks for what is left behind.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { createHost, type Host } from '../../src/host.ts';
import { formatLadder } from '../../src/lab/ladder.ts';
import { type ImpairedLink, type ImpairedOptions, impaired } from '../../src/link/impaired.ts';
import type { Link } from '../../src/link/link.ts';
import { openTun, type TunLink } from '../../src/link/tun.ts';
import { setSysctl } from '../../src/link/tun-namespace.ts';
import type { HostOptions } from '../../src/net/host-options.ts';
import { nodeDnsCodec } from '../../src/node/dns-codec.ts';
import { nodeHasher } from '../../src/node/segment-hasher.ts';
import type { Clock, Timer } from '../../src/time/clock.ts';
import { RealClock } from '../../src/time/real-clock.ts';
import { Kernel } from './kernel.ts';
import { type Tally, Watch } from './watch.ts';

export const OURS = '10.9.0.2';

export interface GroundOptions {
  /** Bytes; 1500 by default. */
  readonly mtu?: number;
  /** Default: true. */
  readonly offload?: boolean;
  readonly impair?: ImpairedOptions;
  /** Puts a link of one's own around the device. */
  readonly wrap?: (link: Link) => Link;
  /** Our settings. */
  readonly sysctl?: HostOptions['sysctl'];
  readonly routes?: HostOptions['routes'];
  readonly dns?: HostOptions['dns'];
  /** The kernel's, by name. */
  readonly kernelSysctl?: Readonly<Record<string, number | string>>;
}

// A scene that failed leaves sockets and timers behind: the child is to end with its report all the same.
process.once('disconnect', () => process.exit());

/** What a scene reports beside its own results. */
export interface Account {
  /** Counters of ours that are not zero. */
  readonly counters: Readonly<Record<string, number>>;
  /** The kernel's, less what they were before: TcpExt and Tcp. */
  readonly kernel: Readonly<Record<string, number>>;
  readonly tally: Readonly<Record<'in' | 'out', Tally>>;
  /** What the kernel did not take, by errno. */
  readonly refusals: readonly (readonly [string, number])[];
  readonly impaired: ImpairedLink['statistics'] | undefined;
  /** The longest that our process was away from its event loop, ms: what else it did, or the machine. */
  readonly longestTurn: number;
}

export class Ground {
  readonly host: Host;
  readonly watch: Watch;
  readonly tun: TunLink;
  readonly #clock = new CountingClock();
  readonly #impaired: ImpairedLink | undefined;
  readonly #before: Record<string, number>;
  readonly #turns: IntervalHistogram;
  #kernel: Kernel | undefined;

  constructor(options: GroundOptions = {}) {
    const { mtu = 1500, offload = true, impair, wrap, sysctl, routes, dns, kernelSysctl = {} } = options;
    // Silence about IPv6 neighbours: a scene looks at its own packets.
    setSysctl('net.ipv6.conf.default.disable_ipv6', 1);
    for (const [name, value] of Object.entries(kernelSysctl)) setSysctl(name, value);
    this.tun = openTun({ address: '10.9.0.1/24', mtu, offload });
    this.tun.addRoute(`${OURS}/32`, { congestionControl: 'cubic' });
    const link = wrap?.(this.tun) ?? this.tun;
    if (impair !== undefined) this.#impaired = impaired(link, impair);
    this.watch = new Watch(this.#impaired ?? link);
    this.host = createHost({
      link: this.watch,
      address: `${OURS}/24`,
      routes,
      clock: this.#clock,
      hasher: nodeHasher,
      dns,
      dnsCodec: nodeDnsCodec,
      // What is left behind must show before the minute is over.
      sysctl: { tcp_timewait_len: 0.1, ...sysctl },
    });
    this.#before = kernelCounters();
    this.#turns = monitorEventLoopDelay({ resolution: 1 });
    this.#turns.enable();
  }

  /** A process on the kernel's side. */
  get kernel(): Kernel['acts'] {
    this.#kernel ??= new Kernel();
    return this.#kernel.acts;
  }

  /** @throws Error with everything that is known, when `promise` takes longer than `ms` */
  async within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${what}: not done after ${ms} ms\n${this.describe()}`)), ms);
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits until `holds` does. */
  until(ms: number, what: string, holds: () => boolean): Promise<void> {
    let ended = false;
    const wait = async () => {
      while (!ended && !holds()) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    return this.within(ms, what, wait()).finally(() => {
      ended = true;
    });
  }

  account(): Account {
    return {
      counters: nonZero({ ...this.host.counters }),
      kernel: difference(kernelCounters(), this.#before),
      tally: this.watch.tally,
      refusals: [...this.tun.statistics.refusals],
      impaired: this.#impaired?.statistics,
      longestTurn: this.#turns.max / 1e6,
    };
  }

  /** For a person who has to find out what went wrong. */
  describe(): string {
    const { counters, kernel, tally, refusals, impaired, longestTurn } = this.account();
    const ss = spawnSync('ss', ['-tinoO', 'dst', OURS], { encoding: 'utf8' });
    return [
      `ours: ${words(counters)}`,
      `kernel: ${words(kernel)}`,
      `packets: in ${words({ ...tally.in })}, out ${words({ ...tally.out })}, refused ${JSON.stringify(refusals)}`,
      ...(impaired === undefined ? [] : [`impaired: ${JSON.stringify(impaired)}`]),
      `longest turn of the event loop: ${longestTurn} ms; timers armed: ${this.#clock.armed}`,
      `sockets: ${this.#sockets()}`,
      ...(ss.error === undefined ? [`ss -ti:\n${ss.stdout}`] : []),
      formatLadder(this.watch.lastPackets(), { left: 'kernel', right: 'tunstack', host: 'right' }),
    ].join('\n');
  }

  /**
   * Ends both sides.
   * @throws Error when a socket, a timer or memory is left
   */
  async end(): Promise<Account> {
    const busy = () => this.host.sockets().filter(({ state }) => state !== 'LISTEN').length;
    await this.until(5000, 'waiting for the last connection to go', () => {
      return busy() === 0 && this.#clock.armed === 0;
    });
    const account = this.account();
    await this.host.close();
    this.#kernel?.end();
    const { liveChunks } = this.watch;
    if (liveChunks !== 0) throw new Error(`${liveChunks} chunks are held after the end\n${words(account.counters)}`);
    return account;
  }

  /** For a scene that failed: lets everything go. */
  async abandon(): Promise<void> {
    this.#kernel?.end();
    await this.host.close({ timeout: 0 });
  }

  #sockets(): string {
    const all = this.host.sockets();
    const lines = all.map((s) => `${s.state} ${s.local} ${s.remote} recvQ ${s.recvQ} sendQ ${s.sendQ}`);
    const more = lines.length > 8 ? [`and ${lines.length - 8} more`] : [];
    return [...lines.slice(0, 8), ...more].join('; ');
  }
}

/** The machine's clock, with a count of the timers that are armed. */
class CountingClock implements Clock {
  readonly #clock = new RealClock();
  readonly #armed = new Set<Timer>();

  get armed(): number {
    return this.#armed.size;
  }

  now(): number {
    return this.#clock.now();
  }

  wallNow(): number {
    return this.#clock.wallNow();
  }

  timer(callback: () => void, background?: boolean): Timer {
    const timer: Timer = this.#clock.timer(() => {
      this.#armed.delete(counted);
      callback();
    }, background);
    const counted: Timer = {
      set: (at) => {
        if (at === Infinity) this.#armed.delete(counted);
        else this.#armed.add(counted);
        timer.set(at);
      },
      clear: () => {
        this.#armed.delete(counted);
        timer.clear();
      },
    };
    return counted;
  }

  defer(callback: () => void): void {
    this.#clock.defer(callback);
  }

  hold(): void {
    this.#clock.hold();
  }

  unhold(): void {
    this.#clock.unhold();
  }
}

/** Tcp of /proc/net/snmp and TcpExt of /proc/net/netstat: pairs of lines, names and values. */
function kernelCounters(): Record<string, number> {
  const found: Record<string, number> = {};
  const texts = ['/proc/net/snmp', '/proc/net/netstat'].map((path) => readFileSync(path, 'utf8').trim());
  const lines = texts.flatMap((text) => text.split('\n'));
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const [kind, ...names] = (lines[i] as string).split(' ');
    if (kind !== 'Tcp:' && kind !== 'TcpExt:') continue;
    const [, ...values] = (lines[i + 1] as string).split(' ');
    for (const [j, name] of names.entries()) found[name] = Number(values[j]);
  }
  return found;
}

function difference(now: Record<string, number>, before: Record<string, number>): Record<string, number> {
  return nonZero(Object.fromEntries(Object.entries(now).map(([name, value]) => [name, value - (before[name] ?? 0)])));
}

function nonZero(all: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== 0));
}

function words(all: Record<string, number>): string {
  return Object.entries(all)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

/** Plays on a ground of its own, and ends it. */
export async function onGround<T extends object>(
  options: GroundOptions,
  play: (ground: Ground) => Promise<T>,
): Promise<T & { readonly account: Account }> {
  const ground = new Ground(options);
  try {
    const result = await play(ground);
    return { ...result, account: await ground.end() };
  } catch (error) {
    await ground.abandon();
    throw error;
  }
}
