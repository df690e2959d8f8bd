/** What a seed adds to the network and the users that scenario.ts draws: from a draw of its own, so that those stay what they were. */

import type { Impairment } from '../../src/link/impaired.ts';
import { IPPROTO_TCP, SO_RCVLOWAT, SOL_SOCKET, TCP_DEFER_ACCEPT, TCP_FASTOPEN } from '../../src/socket/constants.ts';
import type { TcpConfig } from '../../src/tcp/config.ts';
import type { PathMetrics } from '../../src/tcp/path.ts';
import type { Script } from '../support/transfer.ts';
import { Draw } from './draw.ts';
import { drawMetrics, drawMoreOptions, drawSettings } from './extension-settings.ts';
import type { Scenario, SideName } from './scenario.ts';

export type Opening = 'plain' | 'sendto' | 'connect';

/** What signs: TCP-MD5, whose key is exchanged at `changeAt` on one side and `gap` ms later on the other; or TCP-AO, whose keys take turns then. */
export interface Keys {
  readonly kind: 'md5' | 'ao';
  readonly changeAt: number | undefined;
  readonly gap: number;
  readonly first: SideName;
  /** TCP-AO. */
  readonly cmac: boolean;
  readonly excludeOptions: boolean;
  readonly macLength: number;
  /** Whether the key is changed by signing with it, or by asking the peer to. */
  readonly ask: boolean;
}

export interface Extensions {
  readonly sysctl: Readonly<Record<SideName, Partial<TcpConfig>>>;
  readonly metrics: Readonly<Record<SideName, PathMetrics | undefined>>;
  readonly options: Readonly<Record<SideName, Script['options']>>;
  readonly listenerOptions: Script['options'];
  /** Probability that a packet that may be marked is, and packets in the queue from which on it is. */
  readonly marks: Pick<Impairment, 'mark' | 'markAbove'> | undefined;
  /** Packets larger than `above` bytes are swallowed in that time, ms; undefined: none. */
  readonly blackHole: { readonly above: number; readonly from: number; readonly to: number } | undefined;
  /** How clients connect. */
  readonly opening: Opening;
  readonly keys: Keys | undefined;
  /** Clients have so few ports that they take one that was used; undefined: as many as ever. */
  readonly clientPorts: number | undefined;
  /** Of MSG_EOR on a write, and of MSG_OOB with the urgent byte out of the stream. */
  readonly records: number;
  readonly outOfBand: number;
}

const NONE = { client: {}, server: {} } as const;
export const NO_EXTENSIONS: Extensions = {
  sysctl: NONE,
  metrics: { client: undefined, server: undefined },
  options: { client: [], server: [] },
  listenerOptions: [],
  marks: undefined,
  blackHole: undefined,
  opening: 'plain',
  keys: undefined,
  clientPorts: undefined,
  records: 0,
  outOfBand: 0,
};

export function drawExtensions(seed: string, scenario: Scenario): Extensions {
  const draw = new Draw(`extensions ${seed}`);
  // Some seeds are what they were before there were any.
  if (draw.chance(0.15)) return NO_EXTENSIONS;
  const { mtu } = scenario.pipe;
  // All at once, or few: a fault may need two that meet, and be hidden by a third.
  const much = draw.pick([0.1, 0.25, 0.6]);
  const sysctl = { client: drawSettings(draw, much), server: drawSettings(draw, much) };
  const metrics = {
    client: draw.chance(much / 2) ? drawMetrics(draw, mtu) : undefined,
    server: draw.chance(much / 2) ? drawMetrics(draw, mtu) : undefined,
  };
  const options = {
    client: draw.chance(much) ? drawMoreOptions(draw) : [],
    server: draw.chance(much) ? drawMoreOptions(draw) : [],
  };
  const marks = draw.chance(much) ? drawMarks(draw, scenario) : undefined;
  const blackHole = draw.chance(0.12) && mtu > 700 ? drawBlackHole(draw, mtu) : undefined;
  if (blackHole !== undefined) {
    for (const side of Object.values(sysctl)) side.tcp_mtu_probing = draw.integer(1, 2);
  }
  const few = scenario.pairs.length > 1 && scenario.beforeWrap === undefined && draw.chance(0.3);
  const clientPorts = few ? draw.integer(1, 3) : undefined;
  if (few && draw.chance(0.7)) sysctl.client.tcp_tw_reuse = 1;
  const opening = scenario.simultaneous || few ? 'plain' : drawOpening(draw, sysctl);
  const listenerOptions = drawListener(draw, opening);
  if (draw.chance(0.1)) sysctl.server.tcp_syncookies = 2;
  const keys = draw.chance(0.15) && mtu >= 576 ? drawKeys(draw) : undefined;
  const outOfBand = draw.chance(0.12) ? draw.upTo(0.3) : 0;
  // The receiver's idea of where the urgent byte is, as on Linux: not the sender's.
  if (outOfBand > 0) for (const side of Object.values(sysctl)) side.tcp_stdurg = false;
  return {
    sysctl,
    metrics,
    options,
    listenerOptions,
    marks,
    blackHole,
    opening,
    keys,
    clientPorts,
    records: draw.chance(0.1) ? draw.upTo(0.5) : 0,
    outOfBand,
  };
}

function drawMarks(draw: Draw, { impairment }: Scenario): Extensions['marks'] {
  const queues = impairment?.in.rate !== undefined && impairment.out.rate !== undefined;
  if (queues && draw.chance(0.6)) return { markAbove: draw.logarithmic(1, 100) };
  return { mark: draw.upTo(draw.pick([0.01, 0.2, 1])) };
}

function drawBlackHole(draw: Draw, mtu: number): Extensions['blackHole'] {
  const from = draw.chance(0.5) ? 0 : draw.logarithmic(10, 3000);
  return {
    above: draw.integer(600, Math.min(mtu, 9000) - 1),
    from,
    to: draw.chance(0.7) ? 1e12 : from + draw.logarithmic(100, 100_000),
  };
}

const COOKIES = 0x3;
const NO_COOKIES = 0x4 | 0x200;
const ALL_LISTENERS = 0x400;

function drawOpening(draw: Draw, sysctl: Readonly<Record<SideName, Partial<TcpConfig>>>): Opening {
  if (!draw.chance(0.3)) return 'plain';
  for (const side of Object.values(sysctl)) {
    side.tcp_fastopen =
      COOKIES | (draw.chance(0.3) ? draw.pick([0x4, 0x200, NO_COOKIES]) : 0) | (draw.chance(0.4) ? ALL_LISTENERS : 0);
    if (draw.chance(0.3)) side.tcp_fastopen_blackhole_timeout_sec = draw.pick([1, 3600]);
  }
  return draw.pick(['sendto', 'connect']);
}

function drawListener(draw: Draw, opening: Opening): Script['options'] {
  const options: [number, number, number][] = [];
  if (opening !== 'plain' && draw.chance(0.8)) options.push([IPPROTO_TCP, TCP_FASTOPEN, draw.integer(1, 10)]);
  if (draw.chance(0.08)) options.push([IPPROTO_TCP, TCP_DEFER_ACCEPT, draw.pick([1, 5, 30])]);
  return options;
}

function drawKeys(draw: Draw): Keys {
  return {
    kind: draw.pick(['md5', 'ao']),
    changeAt: draw.chance(0.6) ? draw.logarithmic(5, 5000) : undefined,
    gap: draw.pick([0, 1, 100, 3000]),
    first: draw.pick(['client', 'server']),
    cmac: draw.chance(0.5),
    excludeOptions: draw.chance(0.3),
    macLength: draw.pick([4, 12, 16]),
    ask: draw.chance(0.5),
  };
}

/** The scenario with them. */
export function extend(scenario: Scenario, extensions: Extensions): Scenario {
  const { sysctl, options, marks, clientPorts, records, outOfBand } = extensions;
  const { impairment } = scenario;
  const script = (script: Script, name: SideName): Script => ({
    ...script,
    options: [...script.options, ...options[name]],
    records,
    outOfBand: script.urgent > 0 ? 0 : outOfBand,
  });
  const ports = clientPorts === undefined ? {} : { ip_local_port_range: [40_000, 39_999 + clientPorts] as const };
  return {
    ...scenario,
    extensions,
    impairment:
      marks === undefined ? impairment : { in: { ...impairment?.in, ...marks }, out: { ...impairment?.out, ...marks } },
    sysctl: {
      client: { ...scenario.sysctl.client, ...sysctl.client, ...ports },
      server: { ...scenario.sysctl.server, ...sysctl.server },
    },
    pairs: scenario.pairs.map(({ at, client, server }) => ({
      at,
      client: script(client, 'client'),
      server: script(server, 'server'),
    })),
    hopeless: scenario.hopeless || makesHopeless(scenario, extensions),
  };
}

/** What may rightly end a connection, or keep one from being made. */
function makesHopeless(
  scenario: Scenario,
  { sysctl, listenerOptions, opening, clientPorts, keys }: Extensions,
): boolean {
  const lossy = scenario.impairment !== undefined || scenario.pipe.rate !== undefined;
  // What is not remembered of a handshake cannot be sent again.
  const cookies = sysctl.server.tcp_syncookies === 2 && lossy;
  const deferred = listenerOptions.some(([, option]) => option === TCP_DEFER_ACCEPT);
  // A SYN that comes once more, after its connection, opens another.
  const replayed = opening !== 'plain' && lossy;
  const memory = Object.values(sysctl).some(({ tcp_mem }) => tcp_mem !== undefined);
  // RFC 5925 7.7, RFC 2385 4.1: the keys go with the connection: whoever asks after it is not answered.
  const graceful = scenario.pairs.every(({ client, server }) => isGraceful(client) && isGraceful(server));
  // A connection that its user has closed goes on with the old key.
  const rekeyed = keys?.changeAt !== undefined;
  const forgotten = keys !== undefined && !graceful;
  // An RTO that does not grow gives up sooner.
  const short = Object.values(sysctl).some(({ tcp_rto_max_ms = 120_000 }) => tcp_rto_max_ms < 120_000);
  const dark = scenario.blackout !== undefined && short;
  return cookies || deferred || replayed || memory || forgotten || dark || clientPorts !== undefined || rekeyed;
}

function isGraceful({ ending }: Script): boolean {
  return ending === 'shutdown' || ending === 'wait';
}

/** Whether segments may be sent again though nothing was lost. */
export function sendsAgain({ extensions, pairs }: Scenario): boolean {
  const { keys, blackHole, listenerOptions, opening, sysctl } = extensions;
  const lowat = pairs.some(({ client, server }) =>
    [...client.options, ...server.options].some(([level, option]) => level === SOL_SOCKET && option === SO_RCVLOWAT),
  );
  return (
    keys?.changeAt !== undefined ||
    opening !== 'plain' ||
    blackHole !== undefined ||
    lowat ||
    listenerOptions.some(([, option]) => option === TCP_DEFER_ACCEPT) ||
    Object.values(sysctl).some(
      ({ tcp_mem, tcp_delack_max_ms, tcp_rto_max_ms }) =>
        tcp_mem !== undefined || tcp_delack_max_ms !== undefined || tcp_rto_max_ms !== undefined,
    )
  );
}
