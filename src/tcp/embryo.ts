/**
 * A connection between the peer's SYN and its ACK, on the passive side: SYN-RECEIVED as a compact record, so that a flood of SYNs
 * costs little. RFC 9293 3.10.7.2 and 3.10.7.4, RFC 4987. A connection in SYN-RECEIVED is one that was opened actively [MUST-11].
 */
import type { IpAddress } from '../wire/address.ts';
import { ACK, SYN, writeTcpHeader } from '../wire/tcp.ts';
import { KIND_EMBRYO } from './control-block.ts';
import type { Listener } from './listener.ts';
import type { Path } from './path.ts';
import { replySegment } from './reply.ts';
import { INITIAL_RTO_US } from './round-trip.ts';
import { synOptions, writeSynOptions } from './syn-options.ts';
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
  /** What the peer's SYN offered, cut to what we take. */
  peerMss = 536;
  sackOk = false;
  timestampsOk = false;
  windowScaleOk = false;
  sndWindShift = 0;
  rcvWindShift = 0;
  tsRecent = 0;
  tsOffset = 0;
  /** Our MSS and window, as the SYN-ACK says. */
  rcvMss = 536;
  window = 0;
  retransmits = 0;
  /** The interface was full when the SYN-ACK was to go: it is tried again soon, and that counts as no retransmission. */
  unsent = false;
  /** When the SYN came, and when we last answered something that was not wanted, ms. */
  openedAt = 0;
  answeredAt = -Infinity;
  readonly timerRow: number;

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
    this.timerRow = listener.context.timers.allocate();
    listener.context.timerOwners[this.timerRow] = this;
  }
}

/** Sends the SYN-ACK, for the first time or again, and sets the time for the next. RFC 6298 2.1, 5.5: 1, 2, 4, ... seconds. */
export function sendSynAck(embryo: Embryo, now: number): void {
  const { path, listener } = embryo;
  const { context } = listener;
  const packet = path.take();
  embryo.unsent = packet === undefined;
  const wait = packet === undefined ? FULL_INTERFACE_WAIT : (INITIAL_RTO_US / 1000) * 2 ** embryo.retransmits;
  context.timers.set(embryo.timerRow, RETRANSMISSION, now + wait);
  if (packet === undefined) return;
  const view = packet.chunk.view;
  const at = packet.offset;
  fillSynOptions(embryo, now);
  const end = writeSynOptions(view, at + 20, synOptions);
  const { localPort, remotePort, iss, window } = embryo;
  writeTcpHeader(view, at, localPort, remotePort, iss, (embryo.irs + 1) | 0, SYN | ACK, window, 0, end - at);
  packet.length = end - at;
  sealSegment(packet, path.pseudoSum, end - at);
  context.counters.OutSegs++;
  path.send(packet);
}

/** What the SYN-ACK takes up of the peer's offer. */
function fillSynOptions(embryo: Embryo, now: number): void {
  synOptions.mss = embryo.rcvMss;
  synOptions.sack = embryo.sackOk;
  synOptions.timestamps = embryo.timestampsOk;
  synOptions.tsVal = stamp(embryo, now);
  synOptions.tsEcr = embryo.tsRecent;
  synOptions.windowShift = embryo.windowScaleOk ? embryo.rcvWindShift : -1;
}

export function embryoTimeout(embryo: Embryo, now: number): void {
  const { context } = embryo.listener;
  if (!context.timers.takeDue(embryo.timerRow, RETRANSMISSION, now)) return;
  if (embryo.unsent) return sendSynAck(embryo, now);
  if (embryo.retransmits >= context.config.tcp_synack_retries) {
    context.counters.AttemptFails++;
    removeEmbryo(embryo);
    return;
  }
  embryo.retransmits++;
  context.counters.RetransSegs++;
  context.counters.TCPTimeouts++;
  sendSynAck(embryo, now);
}

export function removeEmbryo(embryo: Embryo): void {
  const { context } = embryo.listener;
  context.timers.free(embryo.timerRow);
  context.timerOwners[embryo.timerRow] = undefined;
  embryo.listener.embryos.delete(embryo);
  context.hooks.remove(embryo);
}

/** The peer repeats its SYN: our answer was lost. */
export function answerAgain(embryo: Embryo, now: number): void {
  if (limited(embryo, now)) return;
  embryo.listener.context.counters.RetransSegs++;
  sendSynAck(embryo, now);
}

/** <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> */
export function acknowledgeEmbryo(embryo: Embryo, now: number): void {
  if (limited(embryo, now)) return;
  const { path, localPort, remotePort, iss, irs, window, timestampsOk, tsRecent, listener } = embryo;
  const [seq, ack] = [(iss + 1) | 0, (irs + 1) | 0];
  const field = Math.floor(window / 2 ** embryo.rcvWindShift);
  const tsVal = stamp(embryo, now);
  replySegment(listener.context, path, localPort, remotePort, seq, ack, ACK, field, timestampsOk, tsVal, tsRecent);
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
