/** What must be true of a scenario that is over. Everything here throws an Error that says what is not. */
import type { Stack } from '../../src/stack/stack.ts';
import type { Listener } from '../../src/tcp/listener.ts';
import type { Side } from '../support/transfer.ts';
import { sendsAgain } from './extensions.ts';
import type { Scenario, SideName } from './scenario.ts';

/** The users of one connection. */
export type Pair = Readonly<Record<SideName, Side>>;
export type Stacks = Readonly<Record<SideName, Stack>>;

const ALLOWED = ['ETIMEDOUT', 'ECONNRESET', 'EPIPE', 'ECONNREFUSED'];

/** Every byte arrived, or the connection said why not, and had reason to. */
export function judgePair({ client, server }: Pair, scenario: Scenario): void {
  judge(client, server, scenario);
  judge(server, client, scenario);
}

function judge(side: Side, peer: Side, { hopeless, hostEndsAt, sysctl }: Scenario): void {
  const { name, error } = side;
  const abrupt = [side, peer].some(({ script }) => !['shutdown', 'wait'].includes(script.ending));
  if (error !== undefined) {
    const closed = hostEndsAt !== undefined && name === 'server' && error === 'ECONNABORTED';
    if (!closed && !ALLOWED.includes(error)) throw new Error(`${name} ended with ${error}`);
    // Who is reset had it coming; nothing on such a network makes a connection give up.
    if (!hopeless && (!abrupt || error === 'ETIMEDOUT'))
      throw new Error(`${name} ended with ${error} on a network that is not that bad`);
    return;
  }
  if (abrupt) return;
  if (side.sawEnd) {
    const ghost = sysctl.server.tcp_syncookies === 2 && isGhost(side, peer);
    if (!ghost && !side.hasAllOf(peer))
      throw new Error(`${name} read ${side.read} of ${peer.script.size} bytes and then the end`);
  } else if (!hopeless) {
    throw new Error(`${name} never saw the end of the stream`);
  }
}

/**
 * A keepalive probe, a byte before what is next, may look like an answer to a SYN cookie: its connection is nobody's (as on Linux). So may what
 * acknowledges the FIN of such a connection: of the next, the peer's numbers are right, and its own begin a byte late. And a connection that gave up
 * without a word leaves its place to one.
 */
function isGhost({ socket }: Side, peer: Side): boolean {
  if (peer.socket === undefined || peer.error !== undefined) return true;
  return peer.socket.connection?.iss !== socket?.connection?.irs;
}

/** Who will not be heard of again has at least nothing more to say. */
export function expectNothingToSend({ name, socket }: Side): void {
  if (socket === undefined) return;
  const { connection } = socket;
  if (connection === undefined || (!connection.released && connection.sndUna !== connection.sendEnd))
    throw new Error(`stalled: ${name} has something to send, and nothing is left to happen`);
}

/** What users do not see: connections that nobody held any more and that gave up, and what was sent again for nothing. */
export function expectNoneInVain(scenario: Scenario, stacks: Stacks): void {
  const { hopeless, impairment, pipe, hostEndsAt, sysctl, pairs } = scenario;
  // An RTO shorter than a delayed acknowledgment takes its time is asked for, and had. A backlog that is full drops SYNs.
  const hasty = Object.values(sysctl).some(({ tcp_rto_min_us: least }) => least !== undefined && least < 200_000);
  const perfect = impairment === undefined && pipe.rate === undefined && hostEndsAt === undefined;
  for (const [name, { counters }] of Object.entries(stacks)) {
    const { TCPAbortOnTimeout, TCPLossProbes, RetransSegs } = counters;
    if (!hopeless && TCPAbortOnTimeout > 0) throw new Error(`${name}: gave up on a network that is not that bad`);
    if (perfect && !hasty && !sendsAgain(scenario) && pairs.length === 1 && RetransSegs > TCPLossProbes)
      throw new Error(`${name}: sent ${RetransSegs} segments again on a perfect network`);
  }
}

export function expectNothingLeft(stacks: Stacks): void {
  for (const [name, stack] of Object.entries(stacks)) {
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

/** What a listener counted has ended: embryos, and connections that Fast Open began; those that were reset keep their place for a minute. */
export function expectQueuesEmpty({ embryos, waiting, fastOpen, young }: Listener, now: number): void {
  if (embryos.size + waiting > 0)
    throw new Error(`${embryos.size} embryos and ${waiting} connections wait at a closed listener`);
  if (young !== 0) throw new Error(`${young} young embryos at a closed listener`);
  if (fastOpen === undefined) return;
  fastOpen.most = 0;
  // Each look gives one such place away.
  while (fastOpen.length > 0) {
    const before = fastOpen.length;
    fastOpen.admits(now);
    if (fastOpen.length === before) throw new Error(`${before} places of Fast Open are taken in the end`);
  }
  if (fastOpen.length < 0) throw new Error(`${-fastOpen.length} places of Fast Open were given back twice`);
}
