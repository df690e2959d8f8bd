/** All connections of a stack at once: listing, ending, and whether any still has something to do. */
import { REASON_ABORTED } from '../tcp/close-reason.ts';
import type { TableEntry } from '../tcp/context.ts';
import { type ControlBlock, endpointText, KIND_CONNECTION, KIND_EMBRYO } from '../tcp/control-block.ts';
import { removeEmbryo } from '../tcp/embryo.ts';
import { held } from '../tcp/persist.ts';
import { abort, release } from '../tcp/release.ts';
import { FIN_QUEUED, FIN_WAIT_2, LISTEN, SYN_RECEIVED, SYN_SENT, stateName, TIME_WAIT } from '../tcp/state.ts';
import { removeTimeWait } from '../tcp/time-wait.ts';
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
  /** Bytes unacknowledged or unsent; for a listener, its backlog. */
  readonly sendQ: number;
}

export function listSockets(stack: Stack): SocketStatus[] {
  const list: SocketStatus[] = [];
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
      const [recvQ, sendQ] = [entry.receiveQueue.length, entry.sendQueue.length];
      list.push({ netid: 'tcp', state: stateName(entry.state), local, remote, recvQ, sendQ });
    } else {
      const state = stateName(entry.kind === KIND_EMBRYO ? SYN_RECEIVED : entry.finWait2 ? FIN_WAIT_2 : TIME_WAIT);
      list.push({ netid: 'tcp', state, local, remote, recvQ: 0, sendQ: 0 });
    }
  }
  return list;
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
