/**
 * The option of Accurate ECN: RFC 9768 3.2.3. Counters of bytes, 24 bits each, in one of two orders; we send ECT(1), CE, ECT(0), as
 * Linux does, and leave the last ones out when there is no room.
 */
import { CE, ECT0, ECT1 } from '../wire/ecn.ts';
import { KIND_ACCECN1, type TcpSegment, writeAccurateEcn } from '../wire/tcp.ts';
import type { ControlBlock } from './control-block.ts';
import {
  type AccurateEcn,
  accurateOf,
  ECN_ACCURATE,
  type Ecn,
  OPTION_CLEARED,
  OPTION_EMPTY,
  OPTION_FAILS_RECEIVING,
  OPTION_FAILS_SENDING,
  OPTION_SEEN,
  OPTION_UNSEEN,
} from './ecn-state.ts';
import { sacksLength } from './sack.ts';
import { distance } from './sequence.ts';

/** RFC 9768 3.2.1: what the counters of ECT(0) and ECT(1) start from, so that an option that was cleared shows; that of CE at 0. */
export const ECT_BYTES_START = 1;
/** Bytes of a counter. */
const COUNTER = 3;
/** Bytes of a SACK block. */
const BLOCK = 8;
/** Beyond this, bytes, the counters may have wrapped before the first option came. */
const TOO_LATE = 2 ** 23 - 1;

/** What the option takes beside the blocks of SACK: how many counters (-1: no option), its bytes with padding, and how many blocks stay. */
export const plan = { counters: -1, length: 0, blocks: 0 };

/**
 * How many counters fit, `required` at least, giving up one of three SACK blocks for them. The result is in `plan`.
 * @param room bytes that are left for it
 * @param saved nops before the next option that it may take the place of
 */
export function planCounters(room: number, required: number, blocks: number, saved: number): void {
  plan.blocks = blocks;
  for (let taken = 0; taken < 2; taken++) {
    for (let counters = 3; counters >= required; counters--) {
      const bytes = 2 + COUNTER * counters;
      const length = (bytes & 3) > saved ? (bytes + 3) & ~3 : bytes & ~3;
      if (length > room + taken * BLOCK) continue;
      plan.counters = counters;
      plan.length = length - taken * BLOCK;
      plan.blocks = blocks - taken;
      return;
    }
    if (blocks <= 2 || required === 0) break;
  }
  plan.counters = -1;
  plan.length = 0;
}

/** Whether the next segment carries the option: tcp_ecn_option, and whether the peer's have come through. */
function optionDue(connection: ControlBlock): boolean {
  const { ecn } = connection;
  if (ecn === undefined || ecn.mode !== ECN_ACCURATE) return false;
  const accurate = accurateOf(connection);
  const how = connection.context.config.tcp_ecn_option;
  // RFC 9768 3.2.3.2: a path over which none has come may drop packets that have one.
  if (how === 0 || accurate.sawOption === OPTION_UNSEEN) return false;
  if ((accurate.failures & OPTION_FAILS_SENDING) !== 0 && how < 3) return false;
  return how >= 2 || accurate.optionDemand > 0 || accurate.beaconDue;
}

/** Whether our SYN-ACK of a simultaneous open carries the option: RFC 9768 3.2.3.2.2: not when it has to go again. */
export function offersCounters({ ecn, retransmits, context }: ControlBlock): boolean {
  return ecn?.mode === ECN_ACCURATE && retransmits < 2 && context.config.tcp_ecn_option > 0;
}

/** Plans the option beside `sacks` bytes of SACK. @returns the bytes that SACK and it take together */
export function optionsLength(connection: ControlBlock, sacks: number): number {
  plan.counters = -1;
  plan.length = 0;
  plan.blocks = sacks === 0 ? 0 : (sacks - 4) >> 3;
  if (!optionDue(connection)) return sacks;
  const room = 40 - (connection.timestampsOk ? 12 : 0) - (connection.signer?.length ?? 0) - sacks;
  const { leastCounters } = accurateOf(connection);
  planCounters(room, leastCounters, plan.blocks, sacks > 0 ? 2 : 0);
  return sacks + plan.length;
}

/**
 * Writes the option when it is due and fits, beside the SACK blocks of `plan`, into the `left` bytes.
 * @returns the offset after it, before any padding
 */
export function writeEcnOption(
  connection: ControlBlock,
  view: DataView,
  offset: number,
  left: number,
  now: number,
): number {
  const total = optionsLength(connection, sacksLength(connection));
  return plan.counters < 0 || total > left ? offset : writeCounters(connection, view, offset, now);
}

function writeCounters(connection: ControlBlock, view: DataView, offset: number, now: number): number {
  const ecn = connection.ecn as Ecn;
  const accurate = accurateOf(connection);
  const { receivedEct1Bytes, receivedCeBytes, receivedEct0Bytes } = ecn;
  const [ect1, ect0] = [receivedEct1Bytes + ECT_BYTES_START, receivedEct0Bytes + ECT_BYTES_START];
  accurate.leastCounters = 0;
  accurate.optionSentAt = now;
  accurate.beaconDue = false;
  const { sackReport } = connection;
  accurate.sentWithDuplicate = sackReport?.hasDuplicate === true;
  accurate.duplicateSeq = sackReport?.duplicateLeft ?? 0;
  if (accurate.optionDemand > 0) accurate.optionDemand--;
  return writeAccurateEcn(view, offset, ect1, receivedCeBytes, ect0, plan.counters);
}

/** tcp_ecn_option_beacon: the option goes as often in a round trip, whether it was asked for or not. */
export function checkBeacon(connection: ControlBlock, now: number): void {
  const accurate = connection.ecn?.accurate;
  if (accurate === undefined) return;
  const often = connection.context.config.tcp_ecn_option_beacon;
  accurate.beaconDue = often > 0 && (now - accurate.optionSentAt) * 1000 * often >= connection.srttUs;
}

/** RFC 9768 3.2.3.2.2: what was acknowledged with an option comes a third time: the path may drop acknowledgments that have one. */
export function duplicateAgain(connection: ControlBlock, seq: number): void {
  const accurate = connection.ecn?.accurate;
  if (accurate?.sentWithDuplicate === true && accurate.duplicateSeq === seq) accurate.failures |= OPTION_FAILS_SENDING;
}

/** RFC 9768 3.2.3.2.4: the counters of ECT do not start at zero: where they do, the option was cleared on the way. @returns OPTION_... */
export function judgeOption(segment: TcpSegment): number {
  if (segment.accEcnLength < COUNTER) return OPTION_EMPTY;
  if (segment.accEcnCounters[0] === 0) return OPTION_CLEARED;
  return segment.accEcnLength >= 3 * COUNTER && segment.accEcnCounters[2] === 0 ? OPTION_CLEARED : OPTION_SEEN;
}

/** Notes what the peer's option looks like, until one has come with counters. */
export function noteOption(accurate: AccurateEcn, segment: TcpSegment): void {
  if (accurate.sawOption >= OPTION_SEEN) return;
  accurate.sawOption = judgeOption(segment);
  if (accurate.sawOption === OPTION_CLEARED) accurate.failures |= OPTION_FAILS_RECEIVING;
}

/** An acknowledgment without the option: what it delivers is taken for more of the same. @returns whether that can be said */
export function readCounters(connection: ControlBlock, bytes: number): boolean {
  const accurate = accurateOf(connection);
  if ((accurate.failures & OPTION_FAILS_RECEIVING) !== 0) return false;
  if (accurate.sawOption === OPTION_UNSEEN) {
    if (distance(connection.iss, connection.sndNxt) >= TOO_LATE) {
      accurate.sawOption = OPTION_CLEARED;
      accurate.failures |= OPTION_FAILS_RECEIVING;
    }
    return false;
  }
  if (accurate.growing === 0) return false;
  accurate.deliveredBytes[indexOf(accurate.growing)] += bytes;
  return true;
}

/** The option of an acknowledgment. @returns whether the counters say exactly what was delivered how */
export function takeCounters(connection: ControlBlock, segment: TcpSegment): boolean {
  const accurate = accurateOf(connection);
  if ((accurate.failures & OPTION_FAILS_RECEIVING) !== 0) return false;
  noteOption(accurate, segment);
  const { growing } = accurate;
  let exact = growing !== 0;
  let ambiguous = false;
  let first = true;
  for (let i = 0; i < 3 && segment.accEcnLength >= COUNTER * (i + 1); i++) {
    const field = fieldAt(segment.accEcnKind, i);
    const delta = advance(accurate, field, segment.accEcnCounters[i] as number);
    if (delta < 0) ambiguous = true;
    if (delta === 0 || field === growing) continue;
    if (first) accurate.growing = field;
    else ambiguous = true;
    first = false;
  }
  if (ambiguous) {
    exact = false;
    accurate.growing = 0;
  }
  return exact;
}

/** RFC 9768 3.2.3, table 5: which counter stands where. */
function fieldAt(kind: number, place: number): number {
  if (place === 1) return CE;
  return (place === 0) === (kind === KIND_ACCECN1) ? ECT1 : ECT0;
}

/** RFC 9768 3.2.3: 24 bits of a counter that goes on. @returns by how much it moved, negative when it went back */
function advance(accurate: AccurateEcn, field: number, counter: number): number {
  const { deliveredBytes } = accurate;
  const at = indexOf(field);
  const start = field === CE ? 0 : ECT_BYTES_START;
  const delta = ((counter - start - (deliveredBytes[at] % 0x1000000)) << 8) >> 8;
  deliveredBytes[at] += delta;
  return delta;
}

function indexOf(field: number): 0 | 1 | 2 {
  return (field - 1) as 0 | 1 | 2;
}
