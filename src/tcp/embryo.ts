/**
 * A connection between the peer's SYN and its ACK, on the passive side: SYN-RECEIVED as a compact record, so that a flood of SYNs
 * costs little. RFC 9293 3.10.7.2 and 3.10.7.4, RFC 4987. A connection in SYN-RECEIVED is one that was opened actively [MUST-11].
 */
import type { IpAddress } from '../wire/address.ts';
import { ACK, SYN, writeTcpHeader } from '../wire/tcp.ts';
import { KIND_EMBRYO } from './control-block.ts';
import { synAckEcnFlags } from './ecn-handshake.ts';
import { ECN_ACCURATE } from './ecn-state.ts';
import type { FastOpenAnswer } from './fast-open-server.ts';
import type { Listener } from './listener.ts';
import type { Path } from './path.ts';
import { replySegment } from './reply.ts';
import { INITIAL_RTO_US } from './round-trip.ts';
import type { Signer } from './signer.ts';
import { synOptionRoom, synOptions, writeSynOptions } from './syn-options.ts';
import { RETRANSMISSION } from './timer-kinds.ts';
import { sealSegment } from './transmit.ts';

/** How soon a SYN-ACK that found the interface full is tried again, ms. */
const FULL_INTERFACE_WAIT = 1;

export class Embryo {
  readonly kind = KIND_EMBRYO;
  readonly listener: Listener;
  readonly path: Path;
  readonly local: IpAddress;
  readonly localPort: number;
  readonly remote: IpAddress;
  readonly remotePort: number;
  iss = 0;
  irs = 0;
  /** Its headers, for TCP_SAVED_SYN. */
  savedSyn: Uint8Array | undefined;
  /** What the peer's SYN offered, cut to what we take. */
  peerMss = 536;
  sackOk = false;
  timestampsOk = false;
  windowScaleOk = false;
  sndWindShift = 0;
  rcvWindShift = 0;
  tsRecent = 0;
  tsOffset = 0;
  /** Our MSS, as the SYN-ACK says, and the window that the connection begins with. */
  rcvMss = 536;
  window = 0;
  /** ECN_CLASSIC, ECN_ACCURATE, 0: none; the ECN field of the peer's SYN; AccurateEcn's failures so far. */
  ecnMode = 0;
  synEcn = 0;
  ecnFailures = 0;
  /** SYN-ACKs sent again, and how often the time for an answer ran out. */
  retransmits = 0;
  timeouts = 0;
  /** The handshake's ACK came, and was put off: data is awaited (TCP_DEFER_ACCEPT), or the accept queue was full. */
  acknowledged = false;
  /** TSval of the first SYN-ACK and of the last. */
  firstStamp = 0;
  lastStamp = 0;
  signer: Signer | undefined;
  /** The interface was full when the SYN-ACK was to go: it is tried again soon, and that counts as no retransmission. */
  unsent = false;
  /** When the SYN came (-1: a cookie does not say), and when we last answered something that was not wanted, ms. */
  openedAt = 0;
  answeredAt = -Infinity;
  /** -1: it is in no queue. */
  timerRow = -1;

  constructor(
    listener: Listener,
    path: Path,
    local: IpAddress,
    localPort: number,
    remote: IpAddress,
    remotePort: number,
  ) {
    this.listener = listener;
    this.path = path;
    this.local = local;
    this.localPort = localPort;
    this.remote = remote;
    this.remotePort = remotePort;
    listener.settings.mark(path);
  }
}

/** Puts it into its listener's SYN queue. */
export function queueEmbryo(embryo: Embryo): void {
  const { listener } = embryo;
  const { context } = listener;
  embryo.timerRow = context.timers.allocate();
  context.timerOwners[embryo.timerRow] = embryo;
  listener.embryos.add(embryo);
  listener.young++;
  context.hooks.insert(embryo);
}

/**
 * Sends the SYN-ACK, for the first time or again, and sets the time for the next.
 * @param answer of Fast Open, for the first time only (RFC 7413 4.2.1: sent again, it goes without)
 */
export function sendSynAck(embryo: Embryo, now: number, answer?: FastOpenAnswer): void {
  const stampNow = stamp(embryo, now);
  embryo.unsent = !transmitSynAck(embryo, stampNow, answer);
  if (!embryo.unsent) {
    if (embryo.retransmits === 0) embryo.firstStamp = stampNow;
    embryo.lastStamp = stampNow;
  }
  setSynAckTimer(embryo, now);
}

/** RFC 6298 2.1, 5.5: 1, 2, 4, ... seconds, at most TCP_RTO_MAX_MS (Linux, since 6.19). */
function setSynAckTimer(embryo: Embryo, now: number): void {
  const { timers } = embryo.listener.context;
  const backedOff = Math.min((INITIAL_RTO_US / 1000) * 2 ** embryo.timeouts, embryo.listener.settings.rtoMax);
  timers.set(embryo.timerRow, RETRANSMISSION, now + (embryo.unsent ? FULL_INTERFACE_WAIT : backedOff));
}

/** @returns false when the interface is full */
export function transmitSynAck(embryo: Embryo, tsVal: number, answer?: FastOpenAnswer): boolean {
  const { path, listener } = embryo;
  const { context } = listener;
  const packet = path.take();
  if (packet === undefined) return false;
  const view = packet.chunk.view;
  const at = packet.offset;
  fillSynOptions(embryo, tsVal, answer);
  const end = writeSynOptions(view, at + 20, synOptions);
  const { localPort, remotePort, iss } = embryo;
  const window = synAckWindow(embryo);
  const flags = SYN | ACK | synAckEcnFlags(embryo);
  writeTcpHeader(view, at, localPort, remotePort, iss, (embryo.irs + 1) | 0, flags, window, 0, end - at);
  packet.length = end - at;
  embryo.signer?.sign(packet);
  sealSegment(packet, path.pseudoSum, end - at);
  context.counters.OutSegs++;
  path.send(packet);
  return true;
}

/** What the SYN-ACK takes up of the peer's offer. */
function fillSynOptions(embryo: Embryo, tsVal: number, answer: FastOpenAnswer | undefined): void {
  synOptions.room = synOptionRoom(embryo.path);
  synOptions.signer = embryo.signer;
  synOptions.mss = embryo.rcvMss;
  synOptions.sack = embryo.sackOk;
  synOptions.timestamps = embryo.timestampsOk;
  synOptions.tsVal = tsVal;
  synOptions.tsEcr = embryo.tsRecent;
  synOptions.accurateEcn = embryo.ecnMode === ECN_ACCURATE && offersCounters(embryo);
  synOptions.windowShift = embryo.windowScaleOk ? embryo.rcvWindShift : -1;
  synOptions.cookie = answer?.cookie;
  synOptions.experimentalCookie = answer?.experimental === true;
}

/** RFC 9768 3.2.3.2.2: not again: what dropped the first may have minded the option. */
function offersCounters(embryo: Embryo): boolean {
  return embryo.retransmits === 0 && embryo.listener.context.config.tcp_ecn_option > 0;
}

export function embryoTimeout(embryo: Embryo, now: number): void {
  const { listener, timeouts } = embryo;
  const { context, settings } = listener;
  if (!context.timers.takeDue(embryo.timerRow, RETRANSMISSION, now)) return;
  if (embryo.unsent) return sendSynAck(embryo, now);
  context.counters.TCPTimeouts++;
  const deferred = embryo.acknowledged ? settings.rare.deferAccept : 0;
  if (timeouts >= listener.synAckRetries() && timeouts >= deferred) return removeEmbryo(embryo);
  embryo.timeouts++;
  if (timeouts === 0) listener.young--;
  // TCP_DEFER_ACCEPT: a peer that has acknowledged is left alone until the last timeout but one, then it may open without data.
  if (timeouts < deferred - 1) return setSynAckTimer(embryo, now);
  sendSynAckAgain(embryo, now);
}

export function removeEmbryo(embryo: Embryo): void {
  const { listener } = embryo;
  const { context } = listener;
  if (embryo.timerRow < 0) return;
  context.timers.free(embryo.timerRow);
  context.timerOwners[embryo.timerRow] = undefined;
  embryo.timerRow = -1;
  listener.embryos.delete(embryo);
  if (embryo.timeouts === 0) listener.young--;
  context.hooks.remove(embryo);
  if (listener.single) context.markReady(listener);
}

function sendSynAckAgain(embryo: Embryo, now: number): void {
  const { counters } = embryo.listener.context;
  embryo.retransmits++;
  counters.RetransSegs++;
  counters.TCPSynRetrans++;
  sendSynAck(embryo, now);
}

/** The peer repeats its SYN: our answer was lost. */
export function answerAgain(embryo: Embryo, now: number): void {
  if (!limited(embryo, now)) sendSynAckAgain(embryo, now);
}

/** What the peer knows of our window: the SYN-ACK's is not scaled (RFC 7323 2.2). */
export function synAckWindow({ window }: Embryo): number {
  return Math.min(window, 65_535);
}

/** <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> */
export function acknowledgeEmbryo(embryo: Embryo, now: number): void {
  if (limited(embryo, now)) return;
  const { path, localPort, remotePort, iss, irs, timestampsOk, tsRecent, listener, signer } = embryo;
  const [seq, ack] = [(iss + 1) | 0, (irs + 1) | 0];
  const field = Math.floor(synAckWindow(embryo) / 2 ** embryo.rcvWindShift);
  const tsVal = stamp(embryo, now);
  const { context } = listener;
  replySegment(context, path, localPort, remotePort, seq, ack, ACK, field, timestampsOk, tsVal, tsRecent, signer);
}

function limited(embryo: Embryo, now: number): boolean {
  const { config, counters } = embryo.listener.context;
  if (now - embryo.answeredAt < config.tcp_invalid_ratelimit) {
    counters.TCPACKSkippedSynRecv++;
    return true;
  }
  embryo.answeredAt = now;
  return false;
}

function stamp(embryo: Embryo, now: number): number {
  return (Math.floor(now) + embryo.tsOffset) | 0;
}
