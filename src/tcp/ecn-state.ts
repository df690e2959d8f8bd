/** What a connection with ECN remembers: made when a handshake agrees on it, or asks for it. */
import { NOT_ECT } from '../wire/ecn.ts';
import type { ControlBlock } from './control-block.ts';

/** How the peer tells of congestion. Accurate ECN was asked for, and the SYN-ACK will say. */
export const ECN_PENDING = 1;
/** RFC 3168: by ECE until we say CWR. */
export const ECN_CLASSIC = 2;
/** RFC 9768: by counters. */
export const ECN_ACCURATE = 3;

/** Bits of `failures`. RFC 9768 3.2.2.3, 3.2.3.2: a middlebox cleared the flags or the option, of what we send or of what comes. */
export const ACE_FAILS_SENDING = 1;
export const ACE_FAILS_RECEIVING = 2;
export const OPTION_FAILS_SENDING = 4;
export const OPTION_FAILS_RECEIVING = 8;

/** `sawOption`: what of the peer's option has been seen; a counter that starts at zero was cleared on the way. */
export const OPTION_UNSEEN = 0;
export const OPTION_EMPTY = 1;
export const OPTION_SEEN = 2;
export const OPTION_CLEARED = 3;

export class AccurateEcn {
  /** The ECN field that our SYN (or SYN-ACK) went out with, and that of the peer's as it came. */
  synSent = NOT_ECT;
  synReceived = NOT_ECT;
  failures = 0;
  sawOption = OPTION_UNSEEN;
  /** The next pure acknowledgment answers a SYN-ACK and repeats its ECN field. */
  reflectDue = false;
  /** Segments that are to carry the option, and how many of its counters have changed since one did. */
  optionDemand = 0;
  leastCounters = 0;
  /** When an option last went, ms; and whether tcp_ecn_option_beacon asks for another. */
  optionSentAt = -Infinity;
  beaconDue = false;
  /** The option went out beside a D-SACK, which began there. */
  sentWithDuplicate = false;
  duplicateSeq = 0;
  /** The ECN field of the segment before. */
  previousField = NOT_ECT;
  /** Marks that came since a segment last told of them. */
  unreportedCe = 0;
  /** Bytes of ours that came as ECT(1), ECT(0) and CE, as the peer tells. */
  readonly deliveredBytes: [ect1: number, ect0: number, ce: number] = [0, 0, 0];
  /** Which of these grows while the peer sends no option: an ECN field, 0: not known. */
  growing = 0;
}

export class Ecn {
  /** ECN_PENDING, ECN_CLASSIC, ECN_ACCURATE. */
  mode: number;
  /** RFC 3168 6.1.2: CWR goes on the next new data. */
  cwrDue = false;
  /** RFC 3168 6.1.3: acknowledgments carry ECE until the peer says CWR (with DCTCP, RFC 8257 3.2: while CE comes). */
  echoing = false;
  /** An ECN-capable packet has come. */
  seen = false;
  /** The acknowledgment of what comes next is not to be delayed. */
  hurry = false;
  /** The segment that is being read moves TS.Recent on. */
  timestampMoved = false;
  /** Packets that came marked CE; of those that we sent, as many as the peer told of. */
  receivedCe = 0;
  deliveredCe = 0;
  /** Payload bytes that came as ECT(1), ECT(0) and CE. */
  receivedEct1Bytes = 0;
  receivedEct0Bytes = 0;
  receivedCeBytes = 0;
  /** Made with ECN_PENDING and ECN_ACCURATE. */
  accurate: AccurateEcn | undefined;

  constructor(mode: number, accurate?: AccurateEcn) {
    this.mode = mode;
    this.accurate = accurate;
  }
}

/** Of a connection in ECN_ACCURATE. */
export function accurateOf(connection: ControlBlock): AccurateEcn {
  return (connection.ecn as Ecn).accurate as AccurateEcn;
}
