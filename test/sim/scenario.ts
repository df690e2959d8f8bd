/** What a seed stands for: a network, two hosts, two users. All of it drawn from the seed, printable as JSON. */
import type { Impairment } from '../../src/link/impaired.ts';
import {
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SO_RCVBUF,
  SO_SNDBUF,
  SOL_SOCKET,
  TCP_CORK,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_MAXSEG,
  TCP_NODELAY,
  TCP_USER_TIMEOUT,
} from '../../src/socket/constants.ts';
import type { TcpConfig } from '../../src/tcp/config.ts';
import type { Ending, Script } from '../support/transfer.ts';
import { FAMILY, type Family } from '../support/wire-family.ts';
import { Draw } from './draw.ts';
import { drawExtensions, type Extensions, extend, NO_EXTENSIONS } from './extensions.ts';

export type SideName = 'client' | 'server';

/** One connection. */
export interface PairScript extends Readonly<Record<SideName, Script>> {
  /** When the client connects, ms. */
  readonly at: number;
}

export interface Scenario {
  readonly seed: string;
  readonly family: Family;
  readonly pipe: { mtu: number; offload: boolean; latency: number; rate?: number; queue?: number };
  /** Of the client's link; undefined: the pipe as it is, with super-segments when it has offload. */
  readonly impairment: { readonly in: Impairment; readonly out: Impairment } | undefined;
  /** From when to when nothing gets through, ms. */
  readonly blackout: readonly [from: number, to: number] | undefined;
  readonly sysctl: Readonly<Record<SideName, Partial<TcpConfig>>>;
  /** Connections; the servers' options are all the same: those of the listener. */
  readonly pairs: readonly PairScript[];
  /** Of the listener. */
  readonly backlog: number;
  /** How long the listener's user waits before each accept, ms. */
  readonly acceptPause: number;
  /** Both connect, nobody listens; of one pair only. */
  readonly simultaneous: boolean;
  /** When the server's host is closed, whatever goes on, ms. */
  readonly hostEndsAt: number | undefined;
  /** How many numbers before the sign changes, or the numbers wrap, sequence numbers and timestamps start; undefined: anywhere. */
  readonly beforeWrap: number | undefined;
  readonly extensions: Extensions;
  /** Bad enough for a connection to give up, and rightly. */
  readonly hopeless: boolean;
}

export interface Bulk {
  /** Bytes from the client, and from the server. */
  readonly up: number;
  readonly down?: number;
  /** One way, ms. */
  readonly latency: number;
  /** Of the client. */
  readonly sysctl?: Partial<TcpConfig>;
  readonly out?: Impairment;
  readonly in?: Impairment;
}

/** Two users who write as fast as they can, over a network that is no matter of chance but for its packets. */
export function bulk(seed: string, { up, down = 0, latency, sysctl = {}, out = {}, in: inward = {} }: Bulk): Scenario {
  const script = (size: number): Script => ({
    size,
    writeChunk: 65_536,
    readChunk: 65_536,
    writePause: [0, 0],
    readPause: [0, 0],
    more: 0,
    urgent: 0,
    peek: 0,
    restless: 0,
    ending: 'shutdown',
    endAfter: 0,
    options: [],
  });
  return {
    seed,
    family: FAMILY,
    pipe: { mtu: 1500, offload: true, latency },
    impairment: { in: inward, out },
    blackout: undefined,
    sysctl: { client: sysctl, server: {} },
    pairs: [{ at: 0, client: script(up), server: script(down) }],
    backlog: 1,
    acceptPause: 0,
    simultaneous: false,
    hostEndsAt: undefined,
    beforeWrap: undefined,
    extensions: NO_EXTENSIONS,
    hopeless: false,
  };
}

export function drawScenario(seed: string): Scenario {
  const draw = new Draw(`scenario ${seed}`);
  const mtu = draw.chance(0.6) ? 1500 : draw.pick([68, 576, 1280, 1492, 9000, 65_535, draw.integer(68, 65_535)]);
  const pipe: Scenario['pipe'] = {
    mtu,
    offload: draw.chance(0.7),
    latency: draw.chance(0.15) ? 0 : draw.logarithmic(1, 250),
  };
  if (draw.chance(0.3)) {
    pipe.rate = draw.logarithmic(256_000, 1_000_000_000);
    pipe.queue = draw.logarithmic(20, 1000);
  }
  const impairment = draw.chance(0.85) ? { in: drawImpairment(draw), out: drawImpairment(draw) } : undefined;
  const blackout = impairment !== undefined && draw.chance(0.1) ? drawBlackout(draw) : undefined;
  const badness = impairment === undefined ? 0 : Math.max(harm(impairment.in), harm(impairment.out));
  const most = sizeLimit(mtu, badness, pipe.rate ?? Infinity);
  // With cookies a listener that is crowded forgets its peers, who may then wait for ever: that no simulation could judge.
  const sysctl = { client: drawSysctl(draw), server: { ...drawSysctl(draw), tcp_syncookies: 0 } };
  const count = draw.chance(0.15) ? draw.integer(2, 24) : 1;
  const pairs = drawPairs(draw, count, Math.max(Math.floor(most / count), 1000));
  const backlog = count > 1 ? draw.integer(0, 5) : 1;
  const acceptPause = count > 1 && draw.chance(0.5) ? draw.logarithmic(1, 2000) : 0;
  const simultaneous = count === 1 && draw.chance(0.06);
  const beforeWrap = draw.chance(0.3) ? draw.logarithmic(1, most) : undefined;
  const bursts = impairment?.in.burstLoss !== undefined || impairment?.out.burstLoss !== undefined;
  const hostEndsAt = draw.chance(0.04) ? draw.logarithmic(10, 5000) : undefined;
  const impatient = pairs.some(({ client, server }) => isImpatient(client) || isImpatient(server));
  // A SYN, or an embryo, that finds the queues full at each of its tries is forgotten after a minute.
  const crowded = count > backlog + 1;
  const hopeless =
    bursts ||
    hostEndsAt !== undefined ||
    impatient ||
    crowded ||
    badness > 0.1 ||
    (blackout !== undefined && blackout[1] - blackout[0] > 20_000);
  const scenario: Scenario = {
    seed,
    family: drawFamily(seed, mtu),
    pipe,
    impairment,
    blackout,
    sysctl,
    pairs,
    backlog,
    acceptPause,
    simultaneous,
    hostEndsAt,
    beforeWrap,
    extensions: NO_EXTENSIONS,
    hopeless,
  };
  return extend(scenario, drawExtensions(seed, scenario));
}

/** Apart from the other draws: a seed is the same network in every family. RFC 8200 5: links for IPv6 take 1280 bytes. */
function drawFamily(seed: string, mtu: number): Family {
  if (FAMILY !== '4') return FAMILY === '6' && mtu < 1280 ? '4' : FAMILY;
  const drawn = new Draw(`family ${seed}`).pick(['4', '4', '6', '6', 'mapped'] as const);
  return drawn === '6' && mtu < 1280 ? 'mapped' : drawn;
}

function drawPairs(draw: Draw, count: number, most: number): PairScript[] {
  const keepalive = draw.chance(0.5);
  const options = { client: drawOptions(draw, keepalive), server: drawOptions(draw, keepalive) };
  return Array.from({ length: count }, (_, i) => {
    const endings = drawEndings(draw);
    const client = drawScript(draw, endings[0], most, options.client);
    const server = drawScript(draw, endings[1], most, options.server);
    return { at: i === 0 || draw.chance(0.3) ? 0 : draw.logarithmic(1, 3000), client, server };
  });
}

function isImpatient({ options }: Script): boolean {
  return options.some(([, option]) => option === TCP_USER_TIMEOUT);
}

function drawImpairment(draw: Draw): Impairment {
  const drawn: { -readonly [K in keyof Impairment]: Impairment[K] } = {};
  if (draw.chance(0.6)) drawn.loss = draw.upTo(draw.pick([0.01, 0.05, 0.2]));
  if (draw.chance(0.12)) drawn.burstLoss = { p: draw.upTo(0.02), r: 0.1 + draw.upTo(0.5) };
  if (draw.chance(0.3)) drawn.duplicate = draw.upTo(draw.pick([0.02, 0.3]));
  if (draw.chance(0.35))
    drawn.reorder = { probability: draw.upTo(draw.pick([0.05, 0.4])), packets: draw.integer(1, 12), delay: 200 };
  if (draw.chance(0.25)) drawn.corrupt = draw.upTo(draw.pick([0.01, 0.05]));
  if (draw.chance(0.3)) drawn.jitter = draw.logarithmic(1, 100);
  if (drawn.jitter !== undefined && draw.chance(0.5)) drawn.keepOrder = true;
  if (draw.chance(0.2)) {
    drawn.rate = draw.logarithmic(256_000, 100_000_000);
    drawn.queue = draw.logarithmic(4, 200);
  }
  return drawn;
}

/** About how many of the packets do not arrive. */
function harm({ loss = 0, corrupt = 0, burstLoss }: Impairment): number {
  return loss + corrupt + (burstLoss === undefined ? 0 : 10 * burstLoss.p);
}

function drawBlackout(draw: Draw): [number, number] {
  const from = draw.logarithmic(50, 5000);
  return [from, from + draw.logarithmic(500, 2_000_000)];
}

/** What such a network can carry in a short time, ours and the virtual one's. */
function sizeLimit(mtu: number, badness: number, rate: number): number {
  const segments = badness > 0.1 ? 500 : badness > 0.03 ? 2500 : 8000;
  return Math.max(Math.min(segments * Math.min(mtu, 9000), rate * 4, 8_000_000), 1000);
}

function drawSysctl(draw: Draw): Partial<TcpConfig> {
  const drawn: Partial<TcpConfig> = {};
  if (draw.chance(0.25)) drawn.tcp_sack = false;
  if (draw.chance(0.25)) drawn.tcp_timestamps = false;
  if (draw.chance(0.25)) drawn.tcp_window_scaling = false;
  if (draw.chance(0.15)) drawn.tcp_dsack = false;
  if (draw.chance(0.1)) drawn.tcp_slow_start_after_idle = false;
  if (draw.chance(0.1)) drawn.tcp_rto_min_us = draw.pick([5_000, 1_000_000]);
  return drawn;
}

const GRACEFUL: readonly (readonly [Ending, Ending])[] = [
  ['shutdown', 'wait'],
  ['wait', 'shutdown'],
  ['shutdown', 'shutdown'],
];
const ABRUPT: readonly Ending[] = ['close', 'abort', 'unread'];

function drawEndings(draw: Draw): readonly [Ending, Ending] {
  if (draw.chance(0.75)) return draw.pick(GRACEFUL);
  const abrupt = draw.pick(ABRUPT);
  const other: Ending = draw.pick(['wait', 'shutdown', 'close']);
  return draw.chance(0.5) ? [abrupt, other] : [other, abrupt];
}

function drawOptions(draw: Draw, keepalive: boolean): Script['options'] {
  const options: [number, number, number][] = [];
  if (draw.chance(0.3)) options.push([IPPROTO_TCP, TCP_NODELAY, 1]);
  if (draw.chance(0.12)) options.push([IPPROTO_TCP, TCP_CORK, 1]);
  if (draw.chance(0.1)) options.push([IPPROTO_TCP, TCP_MAXSEG, draw.logarithmic(88, 1460)]);
  if (draw.chance(0.35)) options.push([SOL_SOCKET, SO_RCVBUF, draw.logarithmic(1, 300_000)]);
  if (draw.chance(0.35)) options.push([SOL_SOCKET, SO_SNDBUF, draw.logarithmic(1, 300_000)]);
  if (draw.chance(0.05)) options.push([IPPROTO_TCP, TCP_USER_TIMEOUT, draw.logarithmic(500, 100_000)]);
  if (keepalive) {
    options.push([IPPROTO_TCP, TCP_KEEPIDLE, 30], [IPPROTO_TCP, TCP_KEEPINTVL, 10], [IPPROTO_TCP, TCP_KEEPCNT, 5]);
    options.push([SOL_SOCKET, SO_KEEPALIVE, 1]);
  }
  return options;
}

function drawScript(draw: Draw, ending: Ending, most: number, options: Script['options']): Script {
  const size = drawSize(draw, most);
  const tiny = draw.chance(0.1);
  const scale = tiny ? Math.max(size >> 9, 1) : Math.max(size >> 6, 1);
  const writeChunk = Math.max(draw.logarithmic(1, 65_536), scale);
  const readChunk = Math.max(draw.logarithmic(1, 131_072), most >> 9);
  return {
    size,
    writeChunk,
    readChunk,
    writePause: drawPause(draw, 3000, size / writeChunk),
    readPause: drawPause(draw, 10_000, most / readChunk),
    more: draw.chance(0.1) ? draw.upTo(1) : 0,
    urgent: draw.chance(0.1) ? draw.upTo(0.3) : 0,
    peek: draw.chance(0.1) ? draw.upTo(1) : 0,
    restless: draw.chance(0.15) ? draw.upTo(0.5) : 0,
    ending,
    endAfter: draw.integer(0, size),
    options,
  };
}

/** All pauses together: some minutes. */
function drawPause(draw: Draw, longest: number, calls: number): readonly [number, number] {
  if (draw.chance(0.7)) return [0, 0];
  const probability = draw.upTo(0.2);
  return [probability, Math.round(Math.min(draw.logarithmic(1, longest), 300_000 / Math.max(probability * calls, 1)))];
}

function drawSize(draw: Draw, most: number): number {
  if (draw.chance(0.12)) return 0;
  if (draw.chance(0.25)) return draw.integer(1, 100);
  const limit = draw.chance(0.25) ? most : draw.chance(0.5) ? Math.min(most, 300_000) : Math.min(most, 30_000);
  return draw.logarithmic(100, limit);
}
