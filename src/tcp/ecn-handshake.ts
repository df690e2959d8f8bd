/** What the SYN and its answer agree on: RFC 3168 6.1.1, RFC 9768 3.1, with the readings of Linux 6.18. */
import { aceOf, CE, ECT0, ECT1, NOT_ECT } from '../wire/ecn.ts';
import { AE, CWR, ECE, OPT_ACCECN, SYN, type TcpSegment } from '../wire/tcp.ts';
import { handshakeFlags } from './accurate-ecn.ts';
import { noteOption } from './accurate-ecn-option.ts';
import { needsEcn } from './congestion/congestion.ts';
import type { ControlBlock } from './control-block.ts';
import {
  ACE_FAILS_RECEIVING,
  ACE_FAILS_SENDING,
  AccurateEcn,
  accurateOf,
  ECN_ACCURATE,
  ECN_CLASSIC,
  ECN_PENDING,
  Ecn,
} from './ecn-state.ts';
import type { Embryo } from './embryo.ts';
import { after } from './sequence.ts';
import { SYN_SENT } from './state.ts';

/** Active OPEN: whether to ask, and for what. */
export function offerEcn(connection: ControlBlock): void {
  const { congestion, context, path } = connection;
  const { tcp_ecn } = context.config;
  const field = congestion.needsEcn === true ? ECT0 : NOT_ECT;
  if (tcp_ecn === 3) {
    connection.ecn = new Ecn(ECN_PENDING, new AccurateEcn());
    (connection.ecn.accurate as AccurateEcn).synSent = field;
  } else if (tcp_ecn === 1 || tcp_ecn === 4 || congestion.needsEcn === true || path.metrics.ecn === true) {
    connection.ecn = new Ecn(ECN_CLASSIC);
  }
}

/** AE, CWR and ECE of our SYN, or of our SYN-ACK in a simultaneous open. */
export function synEcnFlags(connection: ControlBlock): number {
  const { ecn, context, retransmits } = connection;
  if (ecn === undefined) return 0;
  if (connection.state !== SYN_SENT) {
    return ecn.mode === ECN_ACCURATE ? handshakeFlags((ecn.accurate as AccurateEcn).synReceived) : ECE;
  }
  // RFC 3168 6.1.1.1: what drops such SYNs may let plain ones pass. RFC 9768 3.1.4.1: those of Accurate ECN are tried twice.
  const tries = ecn.mode === ECN_PENDING ? 2 : 1;
  if (context.config.tcp_ecn_fallback && retransmits >= tries) return 0;
  return ecn.mode === ECN_PENDING ? AE | CWR | ECE : CWR | ECE;
}

/** The SYN-ACK: RFC 3168 6.1.1, RFC 9768 3.1.2, table 2. */
export function takeSynAckEcn(connection: ControlBlock, segment: TcpSegment): void {
  const { ecn } = connection;
  if (ecn === undefined) return;
  const ace = aceOf(segment.flags);
  if (ace === 0 || ace === 7) {
    connection.ecn = undefined;
    return;
  }
  // RFC 9768 3.1.3: 101 is reserved, and means Accurate ECN to who asked for it.
  const classic = ace === 1 || (ace === 5 && ecn.mode !== ECN_PENDING);
  if (classic) {
    ecn.mode = ECN_CLASSIC;
    ecn.accurate = undefined;
    return;
  }
  // Linux takes this answer for Accurate ECN even where only RFC 3168 was asked for.
  ecn.accurate ??= new AccurateEcn();
  ecn.mode = ECN_ACCURATE;
  const { accurate } = ecn;
  accurate.synReceived = segment.ecn;
  accurate.reflectDue = true;
  if ((segment.optionBits & OPT_ACCECN) !== 0) {
    noteOption(accurate, segment);
    accurate.optionDemand = 2;
  }
  // RFC 9768 3.2.2.3: the SYN-ACK tells how our SYN arrived; only what may have changed so on the way is believed.
  const believable = ace === 5 || believe(connection.context.config.tcp_ecn_fallback, accurate, accurate.synSent, ace);
  if (segment.ecn === CE && believable) {
    ecn.receivedCe++;
    accurate.unreportedCe++;
  }
}

/** The peer's SYN in a simultaneous open. */
export function takeSynEcn(connection: ControlBlock, segment: TcpSegment): void {
  const { ecn } = connection;
  if (ecn === undefined) return;
  if (ecn.mode === ECN_PENDING && asksForAccurate(segment.flags)) {
    const accurate = ecn.accurate as AccurateEcn;
    ecn.mode = ECN_ACCURATE;
    accurate.synReceived = segment.ecn;
    accurate.previousField = segment.ecn;
    return;
  }
  ecn.mode = ECN_CLASSIC;
  ecn.accurate = undefined;
  if ((segment.flags & (ECE | CWR)) !== (ECE | CWR)) connection.ecn = undefined;
}

/** Passive OPEN: what the peer's SYN asks for, and we grant. */
export function grantEcn(embryo: Embryo, segment: TcpSegment): void {
  const { context, settings } = embryo.listener;
  const { tcp_ecn } = context.config;
  const { flags } = segment;
  if (tcp_ecn >= 3 && asksForAccurate(flags)) {
    embryo.ecnMode = ECN_ACCURATE;
    embryo.synEcn = segment.ecn;
    return;
  }
  if ((flags & (ECE | CWR)) !== (ECE | CWR)) return;
  // RFC 3168 6.1.1: a SYN is not ECN-capable itself; if it is, something on the way sets the bits (Linux), or it is DCTCP's.
  const plain = segment.ecn === NOT_ECT || (flags & AE) !== 0;
  if ((plain && (tcp_ecn !== 0 || embryo.path.metrics.ecn === true)) || needsEcn(settings.congestion)) {
    embryo.ecnMode = ECN_CLASSIC;
  }
}

/** A SYN cookie came back, with what it kept of the grant; the ACE field says for which kind it was (RFC 9768 5.1). */
export function regrantEcn(embryo: Embryo, segment: TcpSegment, granted: boolean): void {
  const { tcp_ecn } = embryo.listener.context.config;
  embryo.ecnMode = 0;
  embryo.synEcn = NOT_ECT;
  if (!granted || (tcp_ecn === 0 && embryo.path.metrics.ecn !== true)) return;
  embryo.ecnMode = tcp_ecn >= 3 && aceOf(segment.flags) > 1 ? ECN_ACCURATE : ECN_CLASSIC;
}

/** AE, CWR and ECE of the SYN-ACK. */
export function synAckEcnFlags(embryo: Embryo): number {
  if (needsEcn(embryo.listener.settings.congestion)) embryo.path.ecn = ECT0;
  if (embryo.ecnMode === ECN_CLASSIC) return ECE;
  if (embryo.ecnMode !== ECN_ACCURATE) return 0;
  if (embryo.timeouts >= 2) {
    // RFC 9768 3.2.3.2.2: when an answer without the option is lost as well, the flags may be why.
    embryo.ecnFailures |= ACE_FAILS_SENDING;
    return 0;
  }
  return handshakeFlags(embryo.synEcn);
}

/** The peer's SYN came again: RFC 9768 3.1.5: its ECN field is the one to repeat, and flags that are gone were cleared on the way. */
export function repeatedSynEcn(embryo: Embryo, segment: TcpSegment): void {
  if (embryo.ecnMode !== ECN_ACCURATE) return;
  embryo.synEcn = segment.ecn;
  if (aceOf(segment.flags) === 0) embryo.ecnFailures |= ACE_FAILS_RECEIVING;
}

/** The embryo becomes a connection. */
export function hatchEcn(embryo: Embryo, connection: ControlBlock): void {
  if (embryo.ecnMode === 0) return;
  const ecn = new Ecn(embryo.ecnMode);
  connection.ecn = ecn;
  if (embryo.ecnMode !== ECN_ACCURATE) return;
  const accurate = new AccurateEcn();
  ecn.accurate = accurate;
  accurate.synSent = connection.congestion.needsEcn === true ? ECT0 : NOT_ECT;
  accurate.synReceived = embryo.synEcn;
  accurate.previousField = embryo.synEcn;
  accurate.failures = embryo.ecnFailures;
  accurate.optionDemand = 1;
}

/** RFC 9768 3.2.2.1, tables 3 and 4: the ACE field of the acknowledgment of our SYN-ACK repeats its ECN field; `segment` is that, or stands for it. */
export function thirdAckEcn(connection: ControlBlock, segment: TcpSegment): void {
  if ((segment.flags & SYN) !== 0 || !after(segment.ack, connection.iss)) return;
  const accurate = accurateOf(connection);
  if ((segment.optionBits & OPT_ACCECN) !== 0) noteOption(accurate, segment);
  const ace = aceOf(segment.flags);
  // RFC 9768 3.2.2.4: never a zero, unless the field was cleared.
  if (ace === 0) accurate.failures |= ACE_FAILS_RECEIVING;
  if (ace === 0 || ace === 1 || ace === 5 || ace === 7) return;
  // With data it counts already.
  if (segment.payloadLength > 0 || segment.sackCount > 0) return;
  if (!believe(connection.context.config.tcp_ecn_fallback, accurate, accurate.synSent, ace)) return;
  if (arrivedAs(ace) === CE) (connection.ecn as Ecn).deliveredCe++;
}

/** RFC 9768 3.1.2: anything but no ECN and RFC 3168's request. */
function asksForAccurate(flags: number): boolean {
  const ace = aceOf(flags);
  return ace !== 0 && ace !== 3;
}

/** How our SYN (or SYN-ACK) arrived, as the answer tells. */
function arrivedAs(ace: number): number {
  if (ace === 2) return NOT_ECT;
  if (ace === 6) return CE;
  return ace === 0 || ace === 4 ? ECT0 : ECT1;
}

/** RFC 9768 3.2.2.3: whether the ECN field can have become that on the way; if not, it is not to be relied on. */
function believe(check: boolean, accurate: AccurateEcn, sent: number, ace: number): boolean {
  if (!check) return true;
  const arrived = arrivedAs(ace);
  const valid = arrived === sent || (sent !== NOT_ECT && arrived !== NOT_ECT && sent !== CE);
  if (!valid) accurate.failures |= ACE_FAILS_RECEIVING;
  return valid;
}
