/** TIMEOUT: RFC 9293 3.10.8, and the timers of the extensions. */
import { AckNews } from './ack-news.ts';
import { REASON_TIMEOUT } from './close-reason.ts';
import type { TcpContext } from './context.ts';
import {
  CA_DISORDER,
  CA_LOSS,
  CA_RECOVERY,
  type ControlBlock,
  INFINITE_SSTHRESH,
  KIND_CONNECTION,
} from './control-block.ts';
import { delayedAckTimeout } from './delayed-ack.ts';
import { queueCwr } from './ecn.ts';
import { embryoTimeout } from './embryo.ts';
import { noteTimeout } from './fast-open-blackhole.ts';
import { synAckTimeout } from './fast-open-server.ts';
import { finWait2Timeout } from './fin-wait-2.ts';
import { keepaliveGivesUp, keepaliveProbe } from './keepalive.ts';
import { syncMss } from './mss.ts';
import { blackHoleSuspected } from './mtu-probing.ts';
import { held, probe, retriesOf } from './persist.ts';
import { enterLoss, reorderingTimeout } from './recovery.ts';
import { noteTimeoutInRow } from './recovery-state.ts';
import { abort, release } from './release.ts';
import { repeatSyn } from './repeat-syn.ts';
import { backedOffTime, retransmissionTimeout } from './round-trip.ts';
import { armRetransmission, WAIT_PROBE, WAIT_REORDERING, waitNames } from './sending-timer.ts';
import { ESTABLISHED, SYN_RECEIVED, SYN_SENT } from './state.ts';
import { probeTimeout } from './tail-loss-probe.ts';
import { expireTimeWait } from './time-wait.ts';
import { DELAYED_ACK, KEEPALIVE, LINGER, PACING, PERSIST, RETRANSMISSION } from './timer-kinds.ts';

const news = new AckNews();
/** What R2 counts its back-offs from, ms: a constant (Linux's TCP_RTO_MIN), or a smaller tcp_rto_min_us would end connections early. */
const LEAST_RTO = 200;
/** Segments out from which on a stream is not thin, and timeouts in a row that a thin one may have before it backs off (Linux). */
const THIN = 4;
const THIN_LINEAR_RETRIES = 6;

/** Serves everything that is due. */
export function serveTimers(context: TcpContext, now: number): void {
  for (let row = context.timers.popDue(now); row >= 0; row = context.timers.popDue(now)) {
    const owner = context.timerOwners[row];
    if (owner === undefined) continue;
    if (owner.kind === KIND_CONNECTION) connectionTimeout(owner, now);
    else embryoTimeout(owner, now);
  }
  for (let row = context.idleTimers.popDue(now); row >= 0; row = context.idleTimers.popDue(now)) {
    const owner = context.idleTimerOwners[row];
    if (owner === undefined) continue;
    if (owner.kind === KIND_CONNECTION) idleTimeout(owner, now);
    else expireTimeWait(owner);
  }
}

function connectionTimeout(connection: ControlBlock, now: number): void {
  const { timers } = connection.context;
  const row = connection.timerRow;
  if (timers.takeDue(row, DELAYED_ACK, now)) delayedAckTimeout(connection);
  if (timers.takeDue(row, PACING, now)) connection.context.markDirty(connection);
  if (timers.takeDue(row, PERSIST, now)) persistTimeout(connection, now);
  if (connection.released) return;
  if (timers.takeDue(row, RETRANSMISSION, now)) sendingTimeout(connection, now);
}

function idleTimeout(connection: ControlBlock, now: number): void {
  const { idleTimers } = connection.context;
  if (idleTimers.takeDue(connection.idleRow, LINGER, now)) return finWait2Timeout(connection, now);
  if (idleTimers.takeDue(connection.idleRow, KEEPALIVE, now)) keepaliveTimeout(connection, now);
}

function sendingTimeout(connection: ControlBlock, now: number): void {
  const { sendingFor } = connection;
  traceTimeout(connection, waitNames[sendingFor] as string, now);
  if (sendingFor === WAIT_REORDERING) reorderingTimeout(connection, news, now);
  else if (sendingFor === WAIT_PROBE) probeTimeout(connection, now);
  else retransmissionTimer(connection, now);
}

/** RFC 6298 5.4-5.7; RFC 9293 3.8.3 [MUST-20] R2. */
function retransmissionTimer(connection: ControlBlock, now: number): void {
  const { context } = connection;
  if (connection.fastOpen !== undefined && connection.handshakeOpen) return fastOpenTimeout(connection, now);
  if ((connection.state & (SYN_SENT | SYN_RECEIVED)) !== 0) return synTimeout(connection, now);
  if (connection.runs.first === undefined) return;
  const exhausted = retransmissionsExhausted(connection, now);
  if (connection.fastOpen !== undefined) noteTimeout(connection, connection.retransmits, exhausted, now);
  if (exhausted) return giveUp(connection, now);
  if (connection.retransmitsSince < 0) connection.retransmitsSince = now;
  countTimeout(connection);
  if (beyondR1(connection, now)) blackHoleSuspected(connection, now);
  enterLoss(connection, now);
  noteTimeoutInRow(connection, now);
  connection.retransmits++;
  if (isLinear(connection)) connection.backoff = 0;
  else connection.backoff++;
  if (connection.retransmits === context.config.tcp_retries1) doubtRoute(connection);
  armRetransmission(connection, boundedByUserTimeout(connection, connection.retransmitsSince, now));
  context.markDirty(connection);
}

/** Linux: a stream of few segments has no other way to notice a loss, and waits no longer for it each time. Not for ever: the path may be gone. */
function isLinear({ state, settings, context, runs, ssthresh, retransmits }: ControlBlock): boolean {
  if (!settings.rare.thinLinear && !context.config.tcp_thin_linear_timeouts) return false;
  const isThin = runs.packetsOut < THIN && ssthresh !== INFINITE_SSTHRESH;
  return isThin && state === ESTABLISHED && retransmits <= THIN_LINEAR_RETRIES;
}

/** R1 as a time, as R2 is one below: Linux then suspects a black hole. */
function beyondR1(connection: ControlBlock, now: number): boolean {
  const { tcp_retries1 } = connection.context.config;
  if (connection.retransmits === 0) return false;
  return now - connection.retransmitsSince >= backedOffTime(LEAST_RTO, connection.settings.rtoMax, tcp_retries1);
}

/** As Linux sorts them: what the timeout put an end to. */
function countTimeout(connection: ControlBlock): void {
  const { caState, sackOk, runs, context } = connection;
  const { counters } = context;
  counters.TCPTimeouts++;
  if (connection.retransmits > 0) return;
  if (caState === CA_RECOVERY) {
    if (sackOk) counters.TCPSackRecoveryFail++;
    else counters.TCPRenoRecoveryFail++;
  } else if (caState === CA_LOSS) {
    counters.TCPLossFailures++;
  } else if (caState === CA_DISORDER || runs.sackedOut > 0) {
    if (sackOk) counters.TCPSackFailures++;
    else counters.TCPRenoFailures++;
  }
}

/** [MUST-20] (b), R1: the network layer looks for another way, whose segments may be smaller. */
function doubtRoute(connection: ControlBlock): void {
  connection.context.hooks.doubtRoute(connection);
  syncMss(connection);
}

/** TCP_USER_TIMEOUT is met on time, not at the next back-off. */
function boundedByUserTimeout(connection: ControlBlock, since: number, now: number): number {
  const due = now + retransmissionTimeout(connection);
  const { userTimeout } = connection.settings.rare;
  if (userTimeout <= 0) return due;
  return Math.max(Math.min(due, since + userTimeout), now + 1);
}

/** [MUST-20], [SHLD-11]: R2 is a time, here that of tcp_retries2 back-offs from the least RTO; [MUST-21], RFC 5482: or the user's timeout. */
function retransmissionsExhausted(connection: ControlBlock, now: number): boolean {
  const { userTimeout } = connection.settings.rare;
  // A back-off that outlived progress is no retransmission in vain.
  if (connection.retransmits === 0 || connection.retransmitsSince < 0) return false;
  // Both are counted from the first retransmission (Linux).
  const elapsed = now - connection.retransmitsSince;
  if (userTimeout > 0) return elapsed >= userTimeout;
  if (connection.sndWnd === 0 && !connection.orphan) {
    // [SHLD-17]: the peer took its window back: while it answers, what lies beyond the edge may wait. Linux's limit of its silence.
    return Math.min(elapsed, now - connection.lastReceivedAt) > 2 * connection.settings.rtoMax;
  }
  const count = retriesOf(connection);
  const limit = backedOffTime(LEAST_RTO, connection.settings.rtoMax, count);
  return elapsed >= limit;
}

/** RFC 9293 3.8.3 [MUST-22]: SYNs are counted likewise; [MUST-23]: with an R2 of their own, Linux's. */
function synTimeout(connection: ControlBlock, now: number): void {
  const { config, counters } = connection.context;
  const active = connection.state === SYN_SENT;
  const linear = active ? config.tcp_syn_linear_timeouts : 0;
  const most = (connection.settings.rare.synCount || config.tcp_syn_retries) + linear;
  const { userTimeout } = connection.settings.rare;
  const late = userTimeout > 0 && now - connection.openedAt >= userTimeout;
  const over = connection.retransmits >= most || late;
  if (connection.fastOpen !== undefined) noteTimeout(connection, connection.retransmits, over, now);
  if (over) return giveUp(connection, now);
  noteTimeoutInRow(connection, now);
  connection.retransmits++;
  if (connection.retransmits > linear) connection.backoff++;
  counters.TCPTimeouts++;
  // Linux: a loss like others.
  queueCwr(connection);
  repeatSyn(connection);
  connection.setTimer(RETRANSMISSION, boundedByUserTimeout(connection, connection.openedAt, now));
}

/** A SYN-ACK was not answered, but its connection may have sent data since: what a second timeout says of the network holds for that, too. */
function fastOpenTimeout(connection: ControlBlock, now: number): void {
  const second = connection.retransmits === 1;
  if (!synAckTimeout(connection, now)) return giveUp(connection, now);
  if (second) enterLoss(connection, now);
}

/** RFC 9293 3.8.6.1 [MUST-36], [MUST-37]: probes go on as long as they are answered; unanswered, they have the limits of R2. */
function persistTimeout(connection: ControlBlock, now: number): void {
  if (connection.runs.packetsOut > 0 || !held(connection)) return;
  traceTimeout(connection, 'persist', now);
  const { userTimeout } = connection.settings.rare;
  const late = userTimeout > 0 && connection.probesSince >= 0 && now - connection.probesSince >= userTimeout;
  if (connection.probesOut >= retriesOf(connection) || late) return giveUp(connection, now);
  probe(connection, now);
}

function keepaliveTimeout(connection: ControlBlock, now: number): void {
  const { context, settings } = connection;
  if (!settings.keepalive) return;
  // RFC 9293 3.8.4 [MUST-26]: data on its way is probe enough: the retransmission timer watches over it.
  const busy = connection.runs.packetsOut > 0 || held(connection);
  const due = (busy ? now : connection.lastReceivedAt) + settings.keepIdle * 1000;
  if (due > now) return connection.setIdleTimer(KEEPALIVE, due);
  const idle = now - connection.lastReceivedAt;
  context.trace?.({ type: 'timeout', at: now, flow: connection.flow(), timer: 'keepalive' });
  if (keepaliveGivesUp(connection, idle)) {
    context.counters.TCPAbortOnTimeout++;
    // The peer may only have been away: it is told (Linux).
    return abort(connection, REASON_TIMEOUT, now);
  }
  keepaliveProbe(connection, now);
  connection.setIdleTimer(KEEPALIVE, now + settings.keepInterval * 1000);
}

/** "Connection aborted due to user timeout": the user is told; what ICMP last said is the better reason, when it said anything. */
function giveUp(connection: ControlBlock, now: number): void {
  connection.context.counters.TCPAbortOnTimeout++;
  release(connection, connection.softReason || REASON_TIMEOUT, now);
}

function traceTimeout(connection: ControlBlock, timer: string, now: number): void {
  if (connection.context.trace === undefined) return;
  connection.trace({ type: 'timeout', at: now, flow: connection.flow(), timer });
}
