/** ICMP about a segment of ours: RFC 9293 3.9.2.2 [MUST-54], with the checks of RFC 5927. */
import type { IpAddress } from '../wire/address.ts';
import { REASON_TOO_LARGE } from './close-reason.ts';
import type { ControlBlock } from './control-block.ts';
import { type Embryo, removeEmbryo } from './embryo.ts';
import { PMTUDISC_DO, PMTUDISC_PROBE, PMTUDISC_WANT } from './path.ts';
import { release } from './release.ts';
import { armRetransmission, timeoutDue } from './sending-timer.ts';
import { before, beforeOrAt } from './sequence.ts';
import { simpleRetransmit } from './simple-retransmit.ts';
import { SYN_RECEIVED, SYN_SENT } from './state.ts';

/** An error about a segment of ours, as the network layer sorts it. */
export interface IcmpError {
  /** REASON_...: what it means for the user when it ends the connection. */
  readonly reason: number;
  /** While connecting it ends the attempt. */
  readonly endsOpening: boolean;
  /** The network itself is away (codes 0 and 1): an embryo is given up, and the back-off of retransmissions undone (RFC 6069). */
  readonly networkAway: boolean;
  /** An embryo is given up. */
  readonly endsEmbryo: boolean;
  /** Trying again will not help (for other protocols: what they tell their users). */
  readonly hard: boolean;
}

/** An error that ended an attempt to connect, for who asks what it was. */
export interface IcmpReport {
  /** REASON_... */
  readonly reason: number;
  readonly type: number;
  readonly code: number;
  /** Who said so. */
  readonly offender: IpAddress;
  /** Where the segment was sent to. */
  readonly remote: IpAddress;
  readonly remotePort: number;
  /** What was quoted of it, from its header on. */
  readonly quoted: Uint8Array;
}

/**
 * @param seq the sequence number that the error quotes
 * @param report makes what is kept of it
 */
export function errorArrives(
  connection: ControlBlock,
  error: IcmpError,
  seq: number,
  now: number,
  report: () => IcmpReport,
): void {
  if (!isOut(connection, seq)) return;
  // Linux: a connection that was opened fast, and accepted, is as good as established.
  const taken = connection.handshakeOpen && connection.fastOpen?.accepted === true;
  if ((connection.state & (SYN_SENT | SYN_RECEIVED)) !== 0 && error.endsOpening && !taken) {
    const { user, settings, local } = connection;
    // Linux: of IPv4 it is kept whether IP_RECVERR is set or not.
    if (local.family === 4 || settings.rare.tellsErrors6) user?.warned?.(error.reason, report());
    // Linux: while connecting, the user is told at once.
    release(connection, error.reason, now);
    return;
  }
  if (error.networkAway) revertBackoff(connection, seq, now);
  // [MUST-56], [SHLD-25]: soft errors must not end it, and are the reason if it fails. RFC 5927 5.2: nor hard ones [SHLD-26], once it is synchronized.
  const { tellsErrors, tellsErrors6 } = connection.settings.rare;
  if (connection.local.family === 4 ? tellsErrors : tellsErrors6) {
    connection.user?.warned?.(error.reason);
    connection.context.markReady(connection);
  } else connection.softReason = error.reason;
}

/** About our SYN-ACK. */
export function embryoErrorArrives(embryo: Embryo, error: IcmpError, seq: number): void {
  const { counters } = embryo.listener.context;
  if (seq !== embryo.iss) {
    counters.OutOfWindowIcmps++;
    return;
  }
  if (!error.endsEmbryo) return;
  counters.ListenDrops++;
  removeEmbryo(embryo);
}

/**
 * "Fragmentation needed and DF set": RFC 1191. A segment did not fit into the next hop's packets.
 * @param mtu of that hop, bytes; 0: the router does not say
 */
export function fragmentationNeeded(connection: ControlBlock, mtu: number, seq: number, now: number): void {
  if (!isOut(connection, seq)) return;
  const { path } = connection;
  path.tooLarge(mtu);
  const known = path.mtu;
  if (mtu < known && path.dontFragment) connection.softReason = REASON_TOO_LARGE;
  const { discovery } = connection.settings;
  const discovers = discovery === PMTUDISC_WANT || discovery === PMTUDISC_DO || discovery === PMTUDISC_PROBE;
  // RFC 5927 7.2: it may only lower what is known.
  if (!discovers || connection.pathMtu <= known) return;
  simpleRetransmit(connection, now);
}

/** RFC 5927 4.1: an error about something that is not out comes from somebody who guesses. */
function isOut(connection: ControlBlock, seq: number): boolean {
  const oldest = connection.handshakeOpen ? connection.iss : connection.sndUna;
  if (!before(seq, oldest) && beforeOrAt(seq, connection.sndNxt)) return true;
  connection.context.counters.OutOfWindowIcmps++;
  return false;
}

/** RFC 6069 4.1: a retransmission was not delivered because the way was broken, not because it was crowded: one back-off is undone. */
function revertBackoff(connection: ControlBlock, seq: number, now: number): void {
  const head = connection.runs.first;
  if (seq !== connection.sndUna || connection.retransmits === 0 || connection.backoff === 0 || head === undefined)
    return;
  connection.backoff--;
  // Step (7): what has passed of the new timeout counts; if all has, the retransmission is due now.
  armRetransmission(connection, Math.max(timeoutDue(connection), now));
}
