/** The user calls of RFC 9293 3.10.1 to 3.10.6: OPEN, SEND, RECEIVE (receive.ts), CLOSE, STATUS (info.ts), ABORT. They change the control block; output follows. */

import { startBusy } from './busy-time.ts';
import { REASON_ABORTED, REASON_NONE } from './close-reason.ts';
import type { ControlBlock } from './control-block.ts';
import { offerEcn } from './ecn-handshake.ts';
import { awaitFin } from './fin-wait-2.ts';
import { advertisedMss, syncMss } from './mss.ts';
import { output } from './output.ts';
import { held } from './persist.ts';
import { outOfMemory } from './prune.ts';
import { noteApplicationLimit } from './rate-sample.ts';
import { offeredShift } from './receive-window.ts';
import { abort, orphan, release } from './release.ts';
import { retransmissionTimeout } from './round-trip.ts';
import { signerForOpen } from './segment-keys.ts';
import { fillSendBuffer } from './send-buffer.ts';
import { CLOSE_WAIT, CLOSED, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, LAST_ACK, SYN_RECEIVED, SYN_SENT } from './state.ts';
import { issAfter, removeTimeWait, type TimeWaitRecord } from './time-wait.ts';
import { RETRANSMISSION } from './timer-kinds.ts';

/**
 * Active OPEN (3.10.1), but for the SYN, which `sendSyn` sends: Fast Open may let it wait.
 * @param old the TIME-WAIT whose place it takes, if any
 */
export function beginOpen(connection: ControlBlock, old: TimeWaitRecord | undefined, now: number): void {
  const { context, path, settings } = connection;
  const { config, numbers } = context;
  const { local, localPort, remote, remotePort } = connection;
  if (old === undefined) {
    connection.iss = numbers.isn(local, localPort, remote, remotePort, now);
  } else {
    // Its numbers go on behind the old one's, and its SYN echoes what the peer last stamped, as on Linux.
    connection.iss = issAfter(old);
    connection.tsRecent = old.tsRecent;
    context.counters.TWRecycled++;
    removeTimeWait(old);
  }
  connection.sndUna = connection.iss;
  connection.sndNxt = (connection.iss + 1) | 0;
  connection.sndUp = connection.iss;
  connection.sendQueue.base = connection.sndNxt;
  connection.tsOffset = numbers.timestampOffset(connection.local, connection.remote);
  connection.rcvMss = advertisedMss(path, settings.rare.maxSegment, config.min_adv_mss);
  // What we offer; the peer's answer decides.
  connection.sackOk = config.tcp_sack;
  connection.signer = signerForOpen(connection);
  connection.timestampsOk = config.tcp_timestamps && connection.signer?.leavesTimestamps !== false;
  connection.windowScaleOk = config.tcp_window_scaling;
  connection.rcvWindShift = offeredShift(settings, config, path.metrics);
  if (settings.rare.maxSegment > 0) connection.peerMss = settings.rare.maxSegment;
  syncMss(connection);
  offerEcn(connection);
  connection.lastReceivedAt = now;
  context.hooks.insert(connection);
  connection.active = true;
  connection.setState(SYN_SENT, now);
}

/** The SYN goes out with the next flush. */
export function sendSyn(connection: ControlBlock, now: number): void {
  const { context } = connection;
  connection.openedAt = now;
  connection.synDue = true;
  context.counters.ActiveOpens++;
  connection.setTimer(RETRANSMISSION, now + retransmissionTimeout(connection));
  context.markDirty(connection);
}

/**
 * SEND (3.10.2): queues a copy of as many bytes as the send buffer has room for.
 * @param urgent the last of them is urgent data [MUST-30]
 * @param record the last of them ends a record (MSG_EOR): no segment goes on beyond it
 * @returns how many
 */
export function send(
  connection: ControlBlock,
  bytes: Uint8Array,
  from: number,
  count: number,
  urgent: boolean,
  record: boolean,
  now: number,
): number {
  noteApplicationLimit(connection);
  const taken = fillSendBuffer(connection, bytes, from, count, record);
  if (taken === 0) return 0;
  if (urgent) connection.sndUp = connection.sendQueue.end;
  startBusy(connection, now);
  connection.context.markDirty(connection);
  return taken;
}

/** PUSH: what the user held back may leave, but nothing that is written later. */
export function uncork(connection: ControlBlock): void {
  if (connection.released || !held(connection)) return;
  connection.uncorked = true;
  connection.context.markDirty(connection);
}

/** The sending half of CLOSE (3.10.4), shutdown(SHUT_WR): a FIN follows what is queued. */
export function closeSend(connection: ControlBlock, now: number): void {
  if (connection.finQueued || connection.released) return;
  switch (connection.state) {
    case SYN_SENT:
      // "Delete the TCB and return 'error: closing' responses to any queued SENDs, or RECEIVEs."
      return release(connection, REASON_NONE, now);
    case ESTABLISHED:
      connection.setState(FIN_WAIT_1, now);
      break;
    case CLOSE_WAIT:
      connection.setState(LAST_ACK, now);
      break;
    case SYN_RECEIVED:
      // "Queue for processing after entering ESTABLISHED state." Linux's close of a connection that was opened fast does not wait.
      if (connection.orphan && connection.handshakeOpen) connection.setState(FIN_WAIT_1, now);
      break;
    default:
      return;
  }
  connection.finQueued = true;
  startBusy(connection, now);
  connection.context.markDirty(connection);
}

/**
 * CLOSE (3.10.4): the user lets go of the connection, which goes on by itself.
 * RFC 9293 3.10.4 (RFC 1122 4.2.2.13) [SHLD-3]: with data unread, the peer is reset rather than left to think that it was read.
 */
export function close(connection: ControlBlock, now: number): void {
  orphan(connection);
  if (connection.released) return connection.receiveQueue.clear();
  if (connection.receiveQueue.length > 0) {
    connection.context.counters.TCPAbortOnClose++;
    sendFirst(connection, now);
    abort(connection, REASON_ABORTED, now);
    return;
  }
  if (outOfMemory(connection)) return abort(connection, REASON_ABORTED, now);
  if (connection.state === FIN_WAIT_2) return closeInFinWait2(connection, now);
  const { context } = connection;
  if (context.orphans > context.config.tcp_max_orphans && connection.state !== SYN_SENT) {
    // Linux: too many go on without anybody who would care.
    context.counters.TCPAbortOnMemory++;
    return abort(connection, REASON_ABORTED, now);
  }
  closeSend(connection, now);
}

/** Only the peer's FIN is still to come; a negative TCP_LINGER2 waits for nothing. */
function closeInFinWait2(connection: ControlBlock, now: number): void {
  if (connection.settings.rare.linger2 < 0) {
    connection.context.counters.TCPAbortOnLinger++;
    abort(connection, REASON_ABORTED, now);
  } else {
    awaitFin(connection, false, now);
  }
}

/** ABORT (3.10.5): the peer gets a RST; of what is queued it gets what the window has room for, as on Linux, where each SEND sends at once. */
export function abortCall(connection: ControlBlock, now: number): void {
  orphan(connection);
  if (connection.released) return connection.receiveQueue.clear();
  if (connection.state === CLOSED) return;
  sendFirst(connection, now);
  abort(connection, REASON_ABORTED, now);
}

function sendFirst(connection: ControlBlock, now: number): void {
  if (connection.dirty && connection.state !== SYN_SENT && held(connection)) output(connection, now);
}
