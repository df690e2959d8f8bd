/** All connections of a stack at once: listing, ending, and whether any still has something to do. */
import { REASON_ABORTED } from '../tcp/close-reason.ts';
import type { TableEntry } from '../tcp/context.ts';
import { type ControlBlock, endpointText, KIND_CONNECTION, KIND_EMBRYO } from '../tcp/control-block.ts';
import { type Embryo, removeEmbryo } from '../tcp/embryo.ts';
import { held } from '../tcp/persist.ts';
import { abort, release } from '../tcp/release.ts';
import { distance } from '../tcp/sequence.ts';
import { FIN_QUEUED, FIN_WAIT_2, LISTEN, SYN_RECEIVED, SYN_SENT, stateName, TIME_WAIT } from '../tcp/state.ts';
import { removeTimeWait, type TimeWaitRecord } from '../tcp/time-wait.ts';
import { KEEPALIVE, LINGER, PERSIST, RETRANSMISSION } from '../tcp/timer-kinds.ts';
import type { IpAddress } from '../wire/address.ts';
import type { Interface } from './interface.ts';
import type { Stack } from './stack.ts';

/** A line of `ss -tuan`. */
export interface SocketStatus {
  readonly netid: 'tcp' | 'udp';
  /** Of TCP as the RFC names it: `ESTABLISHED`, `TIME-WAIT`; of UDP as `ss` does: `UNCONN`, or `ESTAB` when it is connected. */
  readonly state: string;
  /** `10.9.0.2:80`; a listener's remote is `0.0.0.0:*`. */
  readonly local: string;
  readonly remote: string;
  /** Bytes unread (of UDP, with what they take beside); for a listener, connections that wait to be accepted. */
  readonly recvQ: number;
  /** Bytes unacknowledged or unsent, with a SYN and a FIN as one each; for a listener, its backlog. */
  readonly sendQ: number;
  /** What is waited for; undefined: nothing, or it is a listener or of UDP. */
  readonly timer?: SocketTimer | undefined;
}

/** As `ss -o` shows it. */
export interface SocketTimer {
  /** `on`: something is sent again, or a loss probe; `persist`: the window is closed; `keepalive`, also the wait for the peer's FIN when the user is gone; `timewait`. */
  readonly name: 'on' | 'keepalive' | 'timewait' | 'persist';
  /** ms from now. */
  readonly expires: number;
  /** How often what it is for was sent, or asked for, again. */
  readonly retransmits: number;
}

export function listSockets(stack: Stack): SocketStatus[] {
  const list: SocketStatus[] = [];
  const now = stack.clock.now();
  for (const listener of stack.demux.listeners()) {
    const local = endpointText(listener.local, listener.localPort);
    const remote = listener.local.family === 6 ? '[::]:*' : '0.0.0.0:*';
    list.push({
      netid: 'tcp',
      state: stateName(LISTEN),
      local,
      remote,
      recvQ: listener.waiting,
      sendQ: listener.backlog,
    });
  }
  for (const entry of stack.demux.entries()) {
    const local = endpointText(entry.local, entry.localPort);
    const remote = endpointText(entry.remote, entry.remotePort);
    if (entry.kind === KIND_CONNECTION) {
      const [recvQ, sendQ] = [entry.receiveQueue.length, distance(entry.sndUna, entry.sendEnd)];
      list.push({
        netid: 'tcp',
        state: stateName(entry.state),
        local,
        remote,
        recvQ,
        sendQ,
        timer: timerOf(entry, now),
      });
    } else {
      const state = stateName(entry.kind === KIND_EMBRYO ? SYN_RECEIVED : entry.finWait2 ? FIN_WAIT_2 : TIME_WAIT);
      list.push({ netid: 'tcp', state, local, remote, recvQ: 0, sendQ: 0, timer: timerOfRecord(entry, now) });
    }
  }
  return list;
}

/** The first of those that Linux shows (tcp_diag): what is sent again goes before probes, those before what an idle connection waits for. */
function timerOf(connection: ControlBlock, now: number): SocketTimer | undefined {
  const { retransmits, probesOut } = connection;
  const idleAt = Math.min(connection.idleTimerAt(KEEPALIVE), connection.idleTimerAt(LINGER));
  return (
    timer('on', connection.timerAt(RETRANSMISSION), retransmits, now) ??
    timer('persist', connection.timerAt(PERSIST), probesOut, now) ??
    timer('keepalive', idleAt, probesOut, now)
  );
}

function timerOfRecord(entry: Embryo | TimeWaitRecord, now: number): SocketTimer | undefined {
  if (entry.kind !== KIND_EMBRYO) return timer('timewait', entry.context.idleTimers.at(entry.timerRow, LINGER), 0, now);
  if (entry.timerRow < 0) return undefined;
  return timer('on', entry.listener.context.timers.at(entry.timerRow, RETRANSMISSION), entry.retransmits, now);
}

function timer(name: SocketTimer['name'], at: number, retransmits: number, now: number): SocketTimer | undefined {
  return at === Infinity ? undefined : { name, expires: Math.max(at - now, 0), retransmits };
}

/** Something is unsent, unacknowledged or unanswered. */
export function isBusy(stack: Stack): boolean {
  for (const entry of stack.demux.entries()) {
    if (entry.kind === KIND_EMBRYO) return true;
    if (entry.kind === KIND_CONNECTION && isWorking(entry)) return true;
  }
  return stack.tcp.dirty.length > 0;
}

function isWorking(connection: ControlBlock): boolean {
  if ((connection.state & (SYN_SENT | SYN_RECEIVED | FIN_QUEUED)) !== 0) return true;
  return connection.runs.packetsOut > 0 || held(connection);
}

/** Every listener and connection ends; peers are told with a RST. */
export function closeEverything(stack: Stack): void {
  const now = stack.clock.now();
  for (const listener of [...stack.demux.listeners()]) {
    stack.demux.removeListener(listener);
    listener.end(now);
  }
  endAll(
    stack,
    () => true,
    (connection) => abort(connection, REASON_ABORTED, now),
  );
}

/** The connections over an interface end. */
export function endConnectionsOver(stack: Stack, over: Interface, reason: number, now: number): void {
  const isOver = (path: unknown) => (path as { egress?: unknown }).egress === over;
  endAll(
    stack,
    ({ path }) => isOver(path),
    (connection) => release(connection, reason, now),
  );
}

/** RFC 5227 2.4: before an address is given up, its connections are reset. */
export function resetConnectionsOf(stack: Stack, local: IpAddress, now: number): void {
  endAll(
    stack,
    (entry) => entry.local.equals(local),
    (connection) => abort(connection, REASON_ABORTED, now),
  );
}

/** Of what `concerns`, connections are ended; what was to be one, or has been one, is forgotten. */
function endAll(stack: Stack, concerns: (entry: TableEntry) => boolean, end: (connection: ControlBlock) => void): void {
  for (const entry of [...stack.demux.entries()]) {
    if (!concerns(entry)) continue;
    if (entry.kind === KIND_CONNECTION) end(entry);
    else if (entry.kind === KIND_EMBRYO) removeEmbryo(entry);
    else removeTimeWait(entry);
  }
}
