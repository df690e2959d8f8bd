/** One segment of a connection, written and handed to the network layer. The hot path: nothing is allocated. */
import { CHECKSUM_PARTIAL, type Packet } from '../link/packet.ts';
import { fold } from '../wire/checksum.ts';
import {
  ACK,
  padTo,
  RST,
  SYN,
  TCP_CHECKSUM_OFFSET,
  TCP_HEADER_LENGTH,
  TCP_MAX_HEADER_LENGTH,
  URG,
  writeNop,
  writeTcpHeader,
  writeTimestamps,
} from '../wire/tcp.ts';
import { offersCounters, plan, writeEcnOption } from './accurate-ecn-option.ts';
import type { ControlBlock } from './control-block.ts';
import { ecnFlags } from './ecn.ts';
import { lowerAdvertisedMss } from './mss.ts';
import { advertiseWindow, initialWindow, offeredShift } from './receive-window.ts';
import { hasSacks, writeSacks } from './sack.ts';
import { after, before, distance, later } from './sequence.ts';
import { SYN_RECEIVED, SYN_SENT } from './state.ts';
import { synOptionRoom, synOptions, writeSynOptions } from './syn-options.ts';
import { DELAYED_ACK } from './timer-kinds.ts';
import { Traffic } from './traffic.ts';

/** Bytes of options that every segment of a connection with timestamps carries. */
export const TIMESTAMPS_LENGTH = 12;
/** The longest options. */
const MAX_OPTIONS = 40;
/** The longest IP packet. */
const MAX_PACKET = 65_535;

/** Payload bytes that fit into one super-segment of pieces of `size`: whole pieces, and one at least. */
export function superSegmentLimit(connection: ControlBlock, size: number): number {
  // What is signed is one segment.
  if (connection.signer !== undefined) return size;
  const room = MAX_PACKET - connection.path.headerLength - TCP_MAX_HEADER_LENGTH;
  return Math.max(Math.floor(room / size), 1) * size;
}

/**
 * Sends `length` bytes of the send queue from `seq` on, with these flags, cut to pieces of `size` when it is more.
 * Every segment but the first SYN and a RST acknowledges: what there was to acknowledge is thereby done.
 * @returns false when the interface is full and nothing was sent
 */
export function transmit(
  connection: ControlBlock,
  seq: number,
  length: number,
  flags: number,
  size: number,
  now: number,
): boolean {
  const packet = connection.path.take();
  if (packet === undefined) return false;
  const view = packet.chunk.view;
  const at = packet.offset;
  let end: number;
  if ((flags & SYN) !== 0) {
    fillSynOptions(connection, now);
    end = writeSynOptions(view, at + TCP_HEADER_LENGTH, synOptions);
  } else {
    end = writeOptions(connection, view, at + TCP_HEADER_LENGTH, Math.min(length, size), flags, now);
  }
  let bits = connection.ecn === undefined ? flags : flags | ecnFlags(connection, seq, length, flags);
  let urgentPointer = 0;
  // A SYN-ACK that goes again beside what was written meanwhile (RFC 7413) says nothing of it (Linux).
  if ((flags & SYN) === 0 && after(connection.sndUp, connection.sndUna) && after(connection.sndUp, seq)) {
    // RFC 9293 3.8.5 [MUST-30], [MUST-62]: the urgent pointer points behind the urgent data; [MUST-31]: however much of it there is.
    bits |= URG;
    urgentPointer = Math.min(distance(seq, connection.sndUp), 65_535);
  }
  const window = (flags & SYN) !== 0 ? synWindow(connection) : advertiseWindow(connection);
  const { localPort, remotePort } = connection;
  const ack = (flags & ACK) !== 0 ? connection.rcvNxt : 0;
  writeTcpHeader(view, at, localPort, remotePort, seq, ack, bits, window, urgentPointer, end - at);
  packet.length = end - at;
  const pieces = length > size ? Math.ceil(length / size) : 1;
  if (length > 0) {
    // The SYN comes before its data.
    connection.sendQueue.gather(packet, (flags & SYN) !== 0 ? (seq + 1) | 0 : seq, length);
    connection.traffic ??= new Traffic();
    connection.traffic.bytesSent += length;
    connection.traffic.dataSegsOut += pieces;
  }
  packet.segmentSize = length > size ? size : 0;
  connection.signer?.sign(packet);
  sealSegment(packet, connection.path.pseudoSum, end - at + length);
  connection.segsOut += pieces;
  connection.context.counters.OutSegs += pieces;
  // A probe lies before the peer's window: it is answered, but its ACK field is not read.
  if ((flags & (ACK | RST)) === ACK && !before(seq, connection.sndUna)) acknowledgmentSent(connection);
  connection.path.send(packet);
  return true;
}

/** RFC 9293 3.1 [MUST-2]: puts the pseudo-header's sum where the checksum goes, for the link, or the edge before it, to complete. */
export function sealSegment(packet: Packet, pseudoSum: number, tcpLength: number): void {
  packet.chunk.view.setUint16(packet.offset + TCP_CHECKSUM_OFFSET, fold(pseudoSum + tcpLength));
  packet.checksum = CHECKSUM_PARTIAL;
  packet.checksumOffset = TCP_CHECKSUM_OFFSET;
}

/** An acknowledgment of what we have, now. @returns false when the interface is full */
export function transmitAck(connection: ControlBlock, now: number): boolean {
  return transmit(connection, acceptableSeq(connection), 0, ACK, 1, now);
}

/** RFC 9293 3.10.7.4: <SEQ=SND.NXT><CTL=RST>, with the ACK field for those who look at it. */
export function transmitReset(connection: ControlBlock, now: number): void {
  if (transmit(connection, acceptableSeq(connection), 0, RST | ACK, 1, now)) connection.context.counters.OutRsts++;
}

/** TSval: milliseconds with the connection's offset (RFC 7323 5.4: between 1 ms and 1 s a tick). */
export function timestampNow(connection: ControlBlock, now: number): number {
  return (Math.floor(now) + connection.tsOffset) | 0;
}

/**
 * RFC 9293 3.8.6 [MUST-34]: SND.NXT, unless the peer shrank its window to before it: then a segment there would not be acceptable. What its window lost by being
 * counted in units (RFC 7323 2.4) is no shrinking: a peer that has the data would not accept less than SND.NXT (Linux).
 */
export function acceptableSeq(connection: ControlBlock): number {
  const edge = (connection.sndUna + connection.sndWnd) | 0;
  const beyond = distance(edge, connection.sndNxt);
  return beyond < 1 << connection.sndWindShift || before(edge, connection.sndUna) ? connection.sndNxt : edge;
}

function acknowledgmentSent(connection: ControlBlock): void {
  connection.lastAckSent = connection.rcvNxt;
  // Those count that somebody waits for (Linux).
  if (connection.quickAcks > 0 && (connection.ackNow || connection.ackDelayed)) connection.quickAcks--;
  connection.ackNow = false;
  connection.pushes = 0;
  if (!connection.ackDelayed) return;
  connection.ackDelayed = false;
  connection.clearTimer(DELAYED_ACK);
}

/** @param payload bytes of a piece: the report of SACK has what the link's packets leave beside it */
function writeOptions(
  connection: ControlBlock,
  view: DataView,
  offset: number,
  payload: number,
  flags: number,
  now: number,
): number {
  const { path } = connection;
  const room = Math.min(path.mtu - path.headerLength - TCP_HEADER_LENGTH - payload, MAX_OPTIONS);
  // RFC 2385 3.0: it is in every segment of a connection, RFC 5925 as well; Linux puts it first.
  let at = connection.signer === undefined ? offset : connection.signer.write(view, offset);
  if (connection.timestampsOk) {
    at = writeNop(view, writeNop(view, at));
    at = writeTimestamps(view, at, timestampNow(connection, now), connection.tsRecent);
  }
  if ((flags & RST) !== 0) return at;
  let left = offset + room - at;
  if (connection.ecn?.accurate !== undefined) {
    const begun = at;
    at = writeEcnOption(connection, view, at, left, now);
    if (at !== begun) left = 4 + 8 * plan.blocks;
  }
  if (hasSacks(connection)) at = writeSacks(connection, view, at, offset, left);
  return padTo(view, at, offset, 0);
}

/** What our SYN offers, or our SYN-ACK takes up. */
function fillSynOptions(connection: ControlBlock, now: number): void {
  if (connection.state === SYN_SENT) lowerAdvertisedMss(connection);
  synOptions.room = synOptionRoom(connection.path);
  synOptions.signer = connection.signer;
  synOptions.mss = connection.rcvMss;
  synOptions.sack = connection.sackOk;
  synOptions.timestamps = connection.timestampsOk;
  synOptions.tsVal = timestampNow(connection, now);
  synOptions.tsEcr = connection.tsRecent;
  synOptions.accurateEcn = offersCounters(connection);
  synOptions.windowShift = connection.windowScaleOk ? connection.rcvWindShift : -1;
  synOptions.cookie = connection.fastOpen?.cookie;
  synOptions.experimentalCookie = connection.fastOpen?.experimental === true;
  if (connection.state === SYN_RECEIVED && !connection.handshakeOpen) offerAll(connection);
}

/** When SYNs have crossed, our SYN-ACK is our SYN again, with an ACK (Linux): it offers what that did, whatever the peer's had. */
function offerAll({ context: { config }, settings, path }: ControlBlock): void {
  synOptions.sack = config.tcp_sack;
  synOptions.timestamps = config.tcp_timestamps;
  if (!config.tcp_window_scaling) return;
  synOptions.windowShift = offeredShift(settings, config, path.metrics);
}

/** RFC 7323 2.2: the window of a SYN is not scaled. Whole segments, as Linux offers them. */
function synWindow(connection: ControlBlock): number {
  const { settings, rcvMss, path } = connection;
  // What the first SYN offered stands, though the MSS of the next may be less (Linux).
  const offered = distance(connection.rcvNxt, connection.rcvAdv);
  const stands = connection.state === SYN_SENT || connection.fastOpen?.child === true;
  if (stands && offered > 0) return Math.min(offered, 65_535);
  // Linux: of segments with timestamps, when it is known that there will be some: a SYN in the place of a TIME-WAIT.
  const stamped = connection.state === SYN_SENT && connection.tsRecent !== 0;
  const most = initialWindow(settings, rcvMss - (stamped ? TIMESTAMPS_LENGTH : 0), path.metrics);
  const window = Math.min(most, 65_535 << connection.rcvWindShift);
  // When SYNs cross, acknowledgments go out before the connection is open, and offer no less.
  if (connection.rcvSsthresh === 0) connection.rcvSsthresh = window;
  // Sent again in SYN-RECEIVED, it takes nothing back of what an acknowledgment offered since.
  connection.rcvAdv = later(connection.rcvAdv, (connection.rcvNxt + window) | 0);
  return Math.min(window, 65_535);
}
