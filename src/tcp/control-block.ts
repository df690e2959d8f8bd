/**
 * The transmission control block (RFC 9293 3.3.1), with the RFC's names, and what the extensions keep beside them.
 *
 * Sequence numbers are int32. Times are milliseconds of the stack's clock. Nothing but `tcp/` writes these fields.
 */

import type { TraceEvent } from '../trace/events.ts';
import type { IpAddress } from '../wire/address.ts';
import type { BusyTime } from './busy-time.ts';
import { REASON_NONE } from './close-reason.ts';
import { type CongestionControl, congestionControl } from './congestion/congestion.ts';
import type { TcpContext } from './context.ts';
import type { Ecn } from './ecn-state.ts';
import type { FastOpen } from './fast-open.ts';
import type { IcmpReport } from './icmp-error.ts';
import type { NextLeastRoundTrips } from './least-round-trip.ts';
import type { MtuProbing } from './mtu-probing.ts';
import type { Pacer } from './pacer.ts';
import type { Path } from './path.ts';
import type { Rack } from './rack.ts';
import type { DeliveryRate } from './rate-sample.ts';
import type { Reassembly } from './reassembly.ts';
import { ReceiveQueue } from './receive-queue.ts';
import type { ReceiveSpace } from './receive-space.ts';
import type { RecoveryState } from './recovery-state.ts';
import { chosenCongestion, initialCwnd, initialReordering } from './route-metrics.ts';
import type { SackReport } from './sack.ts';
import { writable } from './send-buffer.ts';
import { SendQueue } from './send-queue.ts';
import { SentRuns } from './sent-runs.ts';
import type { TcpSettings } from './settings.ts';
import type { Signer } from './signer.ts';
import { CLOSED, SYN_RECEIVED, SYN_SENT, stateName } from './state.ts';
import type { Traffic } from './traffic.ts';
import type { Urgent } from './urgent.ts';

/** What stands in the demultiplexer's table and the timer tables. */
export const KIND_CONNECTION = 0;
export const KIND_EMBRYO = 1;
export const KIND_TIME_WAIT = 2;

/** RFC 5681 3.1: ssthresh, while nothing is known of the path. */
export const INFINITE_SSTHRESH = 0x7fffffff;
/** The least round trip, microseconds, while none was measured. */
export const UNKNOWN_RTT = 0x7fffffff;

/** Who is told that something changed: a socket. */
export interface ConnectionUser {
  ready(): void;
  /** ICMP said so, REASON_...: with a report it has ended an attempt to connect; else it ends nothing, and the user asked to be told. */
  warned?(reason: number, report?: IcmpReport): void;
}

/** Congestion states, as Linux's tcpi_ca_state. */
export const CA_OPEN = 0;
/** Duplicate acknowledgments or SACKs, not yet taken for a loss. */
export const CA_DISORDER = 1;
export const CA_CWR = 2;
/** Fast recovery. */
export const CA_RECOVERY = 3;
/** Recovery from a retransmission timeout. */
export const CA_LOSS = 4;

export class ControlBlock {
  readonly kind = KIND_CONNECTION;
  readonly context: TcpContext;
  path: Path;
  readonly local: IpAddress;
  readonly localPort: number;
  readonly remote: IpAddress;
  readonly remotePort: number;
  /** Row in `context.timers`. */
  readonly timerRow: number;
  /** Row in `context.idleTimers`; -1 until one of them is set. */
  idleRow = -1;

  /** The socket; undefined while it waits to be accepted, and once the user has let go of it. */
  user: ConnectionUser | undefined;
  /** The user closed it: nobody will read what comes. */
  orphan = false;
  state = CLOSED;
  /** Why it closed (REASON_...), kept after the end. */
  reason = REASON_NONE;
  /** What ICMP or a soft error last said; becomes the reason when the connection gives up. */
  softReason = REASON_NONE;
  /** Removed from the tables; its timers and memory are gone. */
  released = false;
  dirty = false;
  readyMarked = false;

  // Send sequence variables, RFC 9293 3.3.1.
  iss = 0;
  sndUna = 0;
  sndNxt = 0;
  /** Bytes, scaled. */
  sndWnd = 0;
  sndUp = 0;
  sndWl1 = 0;
  sndWl2 = 0;
  /** The largest window the peer ever offered, bytes. */
  maxSndWnd = 0;
  /** Payload bytes of a full segment, with the options that every segment carries taken off. */
  sndMss = 536;
  /** The path's MTU that `sndMss` was reckoned from, bytes. */
  pathMtu = 0;
  /** What the peer's MSS option said, or the default, with TCP_MAXSEG of that time for its bound; never changes. */
  peerMss = 536;
  /** The user has closed the sending side: a FIN follows what is queued; and it has gone out. */
  finQueued = false;
  finSent = false;
  /** Our SYN (or SYN-ACK) is to go out, for the first time or again. */
  synDue = false;
  /** A tail loss probe is to go out (RFC 8985 7.3). */
  probeDue = false;
  /** The user let go of what TCP_CORK held: short segments may leave once. */
  uncorked = false;
  /** MSG_MORE on the last write: NO_MORE, MORE_AWAITED or MORE_EXPECTED of nagle.ts. */
  moreToCome = 0;
  /** End of the last short segment sent (Minshall's variation of Nagle, RFC 9293 3.7.4). */
  sndSml = 0;

  // Receive sequence variables.
  irs = 0;
  rcvNxt = 0;
  /** The right edge that we advertised: RCV.NXT + RCV.WND. */
  rcvAdv = 0;
  /** What the peer last announced as urgent, with RCV.UP; undefined: nothing, or the reader has passed it. */
  urgent: Urgent | undefined;
  /** RFC 7323 4.3: the ACK field of the last segment that we sent. */
  lastAckSent = 0;
  /** Our MSS, as advertised. */
  rcvMss = 536;
  /** Payload of the full segments that the peer sends, as seen (Linux's rcv_mss), and of the last that was shorter; 0: it was not. */
  seenMss = 0;
  lastSegmentSize = 0;
  /** How far the window may open for now, bytes (Linux's rcv_ssthresh). */
  rcvSsthresh = 0;
  /** Made with the first data that comes: how the receive buffer grows. */
  receiveSpace: ReceiveSpace | undefined;
  /** The peer's FIN has been taken. */
  finReceived = false;
  /** A FIN that came out of order: its sequence number, meant when `finSeqKnown`. */
  finSeq = 0;
  finSeqKnown = false;
  /** The user will not read any more (shutdown of the receiving side). */
  receiveShut = false;

  // Options in force.
  sackOk = false;
  timestampsOk = false;
  windowScaleOk = false;
  sndWindShift = 0;
  rcvWindShift = 0;
  tsRecent = 0;
  /** When TS.Recent was set, whole seconds. */
  tsRecentAt = 0;
  tsOffset = 0;

  /** Made when ECN is asked for or agreed on. */
  ecn: Ecn | undefined;

  // Retransmission timer, RFC 6298. Microseconds.
  srttUs = 0;
  rttvarUs = 0;
  /** Mean deviation, and its largest in the round trip that ends at `rttSeq`. */
  mdevUs = 0;
  mdevMaxUs = 0;
  rttSeq = 0;
  /** The least of late, when it was taken, ms, and what will take its place. */
  minRttUs = UNKNOWN_RTT;
  minRttAt = 0;
  nextLeastRtts: NextLeastRoundTrips | undefined;
  rtoUs = 1_000_000;
  backoff = 0;
  /** Timeouts in a row without an answer. */
  retransmits = 0;
  /** When what is out was first sent again after a timeout, ms; -1: it was not. */
  retransmitsSince = -1;
  /** Window and keepalive probes in a row without an answer. */
  probesOut = 0;
  /** When the closed window was first probed, ms, and how often the interval has doubled since; -1 and 0 while it is open. */
  probesSince = -1;
  probeBackoff = 0;
  totalRetrans = 0;
  /** When the SYN was first sent or received, ms. */
  openedAt = 0;

  // Congestion, RFC 5681. Segments.
  congestion: CongestionControl;
  cwnd = 10;
  ssthresh = INFINITE_SSTHRESH;
  /** Segments acknowledged since cwnd last grew, in congestion avoidance. */
  cwndCount = 0;
  caState = CA_OPEN;
  /** RFC 6582's recover, RFC 6675's RecoveryPoint: SND.NXT when the state was last changed for the worse. */
  recover = 0;
  /** DupThresh (RFC 6675 2), segments: grows with the reordering that is seen. */
  reordering: number;
  /** What the sending timer waits for (WAIT_... of sending-timer.ts). */
  sendingFor = 0;
  /** Most segments out in the window of data that ends at `cwndUsageSeq`, and whether cwnd held it back. */
  maxPacketsOut = 0;
  cwndUsageSeq = 0;
  windowWasFull = false;
  /** Most segments out since cwnd was last found in use, and when that was, ms. */
  windowUsed = 0;
  windowUsedAt = 0;
  /** cwnd was what held the last output back. */
  cwndLimited = false;
  /** When the last data segment was sent, ms. */
  lastDataSentAt = 0;

  // Acknowledgments to be sent.
  ackNow = false;
  ackDelayed = false;
  /** Linux's quick ACKs left, and how often in a row the application has answered (ping-pong), when ACKs wait for the answer. */
  quickAcks = 0;
  pingpong = 0;
  /** Ends of the peer's writes that came since the last acknowledgment: none, one, more. */
  pushes = 0;
  /** Delayed-ACK timeout in ms, 0: no data came yet. */
  ato = 0;
  lastDataReceivedAt = 0;
  lastReceivedAt = 0;
  /** When we last answered a segment outside the window, whole ms; -1: never. */
  outOfWindowAckAt = -1;
  /** Made when something comes out of order, or again. */
  sackReport: SackReport | undefined;

  /** What the user set; the socket's own object. */
  readonly settings: TcpSettings;

  readonly sendQueue: SendQueue;
  readonly receiveQueue: ReceiveQueue;
  /** Made when something comes out of order. */
  reassembly: Reassembly | undefined;
  readonly runs = new SentRuns();
  /** Made when the path is probed for larger segments. */
  mtuProbing: MtuProbing | undefined;
  /** Signs every segment, when there is a key for the peer. */
  signer: Signer | undefined;
  /** Made when something is sent for the first time. */
  rate: DeliveryRate | undefined;
  /** While what is sent is paced. */
  pacer: Pacer | undefined;
  /** Made when RACK first looks. */
  rack: Rack | undefined;
  /** Made with the first data. */
  busyTime: BusyTime | undefined;
  traffic: Traffic | undefined;
  /** Segments that came, and that were sent, with data or without (RFC 4898). */
  segsIn = 0;
  segsOut = 0;
  /** We sent the first SYN. */
  active = false;
  /** The user wanted to write more than the send buffer had room for, and has not been told of room since. */
  noSpace = false;
  /** Made when something is lost, or may be. */
  recovery: RecoveryState | undefined;
  /** Made for Fast Open. */
  fastOpen: FastOpen | undefined;

  constructor(
    context: TcpContext,
    path: Path,
    local: IpAddress,
    localPort: number,
    remote: IpAddress,
    remotePort: number,
    settings: TcpSettings,
  ) {
    this.context = context;
    this.path = path;
    this.local = local;
    this.localPort = localPort;
    this.remote = remote;
    this.remotePort = remotePort;
    this.sendQueue = new SendQueue(context.slab, 0);
    this.receiveQueue = new ReceiveQueue(context.slab);
    this.settings = settings;
    settings.mark(path);
    this.cwnd = initialCwnd(this);
    this.reordering = initialReordering(this);
    this.congestion = congestionControl(chosenCongestion(settings, path));
    this.timerRow = context.timers.allocate();
    context.timerOwners[this.timerRow] = this;
  }

  setTimer(kind: number, at: number): void {
    this.context.timers.set(this.timerRow, kind, at);
  }

  clearTimer(kind: number): void {
    this.context.timers.clear(this.timerRow, kind);
  }

  /** KEEPALIVE or LINGER. */
  setIdleTimer(kind: number, at: number): void {
    const { idleTimers, idleTimerOwners } = this.context;
    if (this.idleRow < 0) {
      this.idleRow = idleTimers.allocate();
      idleTimerOwners[this.idleRow] = this;
    }
    idleTimers.set(this.idleRow, kind, at);
  }

  clearIdleTimer(kind: number): void {
    if (this.idleRow >= 0) this.context.idleTimers.clear(this.idleRow, kind);
  }

  /** Infinity: not set. */
  idleTimerAt(kind: number): number {
    return this.idleRow < 0 ? Infinity : this.context.idleTimers.at(this.idleRow, kind);
  }

  /** For the end of the connection. */
  freeTimers(): void {
    const { timers, timerOwners, idleTimers, idleTimerOwners } = this.context;
    timers.free(this.timerRow);
    timerOwners[this.timerRow] = undefined;
    if (this.idleRow < 0) return;
    idleTimers.free(this.idleRow);
    idleTimerOwners[this.idleRow] = undefined;
    this.idleRow = -1;
  }

  timerAt(kind: number): number {
    return this.context.timers.at(this.timerRow, kind);
  }

  /** Sequence number after everything that is queued, with our FIN. */
  get sendEnd(): number {
    return (this.sendQueue.end + (this.finQueued ? 1 : 0)) | 0;
  }

  /** Whether POLLOUT is due. */
  writable(): boolean {
    return writable(this);
  }

  /** RFC 7413 4.2: a SYN has opened it, and the user may have it already, but the handshake goes on. */
  get handshakeOpen(): boolean {
    return this.fastOpen !== undefined && this.fastOpen.queue !== undefined;
  }

  /** For its user it is not open yet. */
  get opening(): boolean {
    return this.state === SYN_SENT || (this.state === SYN_RECEIVED && !this.handshakeOpen);
  }

  /** For the trace; call only when there is a sink. */
  flow(): { local: string; remote: string } {
    return { local: endpointText(this.local, this.localPort), remote: endpointText(this.remote, this.remotePort) };
  }

  trace(event: TraceEvent): void {
    this.context.trace?.(event);
  }

  setState(state: number, now: number): void {
    if (state === this.state) return;
    if (this.context.trace !== undefined) {
      const [from, to] = [stateName(this.state), stateName(state)];
      this.trace({ type: 'state', at: now, flow: this.flow(), from, to });
    }
    this.state = state;
  }
}

/** `10.9.0.2:80`, `[fe80::1]:80`. */
export function endpointText(address: IpAddress, port: number): string {
  return address.family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}
