/**
 * Accurate ECN: RFC 9768, as Linux 6.18 reads it. The receiver counts what comes marked and repeats the counters in every segment: the
 * number of packets modulo eight in the ACE field (AE, CWR, ECE), and bytes in an option, when there is room. The sender takes from that how
 * many of its packets were marked, and when the field may have wrapped, how many they are at the worst.
 */
import { aceOf, CE, ECT1, flagsOfAce, NOT_ECT } from '../wire/ecn.ts';
import { ACK, AE, CWR, ECE, OPT_ACCECN, type TcpSegment } from '../wire/tcp.ts';
import { readCounters, takeCounters } from './accurate-ecn-option.ts';
import { CA_CWR, CA_OPEN, type ControlBlock } from './control-block.ts';
import { ACE_FAILS_RECEIVING, ACE_FAILS_SENDING, accurateOf, type Ecn } from './ecn-state.ts';

/** RFC 9768 3.2.1: what the counter of packets starts from, so that a field of zero is not mistaken for one. */
const CEP_START = 5;
/** The ACE field's three bits. */
const ACE_MASK = 7;
/** RFC 9768 3.2.2.5.1: an acknowledgment is due when as many marks came since the last one: before the field can wrap. */
const MOST_UNREPORTED = 6;

/** RFC 9768 3.1.5: after a handshake without the flags in one direction nothing is sent ECN-capable, though marks are still reported. */
export function mayMark(connection: ControlBlock): boolean {
  return (accurateOf(connection).failures & (ACE_FAILS_RECEIVING | ACE_FAILS_SENDING)) === 0;
}

/** The ACE field of a segment that is about to go. */
export function aceFlags(connection: ControlBlock, length: number, flags: number): number {
  const ecn = connection.ecn as Ecn;
  const accurate = accurateOf(connection);
  const reflect = accurate.reflectDue && length === 0 && flags === ACK;
  accurate.reflectDue = false;
  // RFC 9768 3.2.2.1: the acknowledgment of the SYN-ACK repeats its ECN field.
  if (reflect) return handshakeFlags(accurate.synReceived);
  accurate.unreportedCe = 0;
  return flagsOfAce((ecn.receivedCe + CEP_START) & ACE_MASK);
}

/** RFC 9768 3.1.1, table 2, and 3.2.2.1, table 3: how the ECN field of a SYN or SYN-ACK is repeated. */
export function handshakeFlags(field: number): number {
  if (field === NOT_ECT) return CWR;
  if (field === CE) return AE | CWR;
  return field === ECT1 ? CWR | ECE : AE;
}

/** A segment has come and its ECN field was counted: what is to be told, and how soon. */
export function countArrival(connection: ControlBlock, segment: TcpSegment): void {
  const ecn = connection.ecn as Ecn;
  const accurate = accurateOf(connection);
  const field = segment.ecn;
  const length = segment.payloadLength;
  const changed = accurate.previousField !== field;
  if (field === CE) accurate.unreportedCe += segment.pieces;
  if (field !== NOT_ECT && length > 0) {
    // The option names ECT(1), CE, ECT(0), in this order, and may leave the last ones out.
    const place = field === CE ? 2 : field === ECT1 ? 1 : 3;
    if (place > accurate.leastCounters) accurate.leastCounters = place;
    if (crossedQuarter(ecn, field, length) && accurate.optionDemand < 1) accurate.optionDemand = 1;
  }
  if (changed || field === CE) {
    accurate.previousField = field;
    // RFC 9768 3.2.3.3: two, so that the second tells what the first left open.
    accurate.optionDemand = 2;
  }
  // RFC 9768 3.2.2.5.1: at once when the field changes, and before the counter may have wrapped.
  if (changed || accurate.unreportedCe >= MOST_UNREPORTED) ecn.hurry = true;
}

/** RFC 9768 3.2.3.3: the option goes at least once every 2^22 bytes, as its counters have 24 bits. */
function crossedQuarter(ecn: Ecn, field: number, length: number): boolean {
  const bytes = field === CE ? ecn.receivedCeBytes : field === ECT1 ? ecn.receivedEct1Bytes : ecn.receivedEct0Bytes;
  return Math.floor(bytes / 0x400000) !== Math.floor((bytes - length) / 0x400000);
}

/** @returns how many of our packets were marked since the peer last told */
export function processAce(
  connection: ControlBlock,
  segment: TcpSegment,
  delivered: number,
  bytes: number,
  progress: boolean,
): number {
  const ecn = connection.ecn as Ecn;
  const accurate = accurateOf(connection);
  // RFC 9768 3.2.2.5.2: an acknowledgment that is older than one before it tells nothing.
  if (!progress && !ecn.timestampMoved) return 0;
  const ceBefore = accurate.deliveredBytes[2];
  const hasOption = (segment.optionBits & OPT_ACCECN) !== 0;
  const exact = hasOption ? takeCounters(connection, segment) : readCounters(connection, bytes);
  const delta = (aceOf(segment.flags) - CEP_START - ecn.deliveredCe) & ACE_MASK;
  if (delivered <= ACE_MASK) return delta;
  return wrapped(connection, delta, delivered, bytes, exact ? accurate.deliveredBytes[2] - ceBefore : -1);
}

/**
 * RFC 9768 3.2.2.5.2 and its appendix A.2: the field may have wrapped: at the worst, as often as what was delivered allows.
 * @param ceBytes bytes marked since then, -1: not known
 */
function wrapped(connection: ControlBlock, delta: number, delivered: number, bytes: number, ceBytes: number): number {
  const most = delivered - ((delivered - delta) & ACE_MASK);
  if (ceBytes < 0) return most;
  const orderly = connection.sackOk || connection.caState === CA_OPEN || connection.caState === CA_CWR;
  if (delivered >= 2 * (ACE_MASK + 1) && orderly) {
    if (bytes <= ceBytes) return most;
    const estimate = Math.ceil((ceBytes * delivered) / bytes);
    return Math.min(most, delta + (estimate & ~ACE_MASK));
  }
  if (ceBytes > delta * connection.sndMss) return most;
  if (ceBytes < (most * connection.sndMss) / 2) return delta;
  return most;
}
