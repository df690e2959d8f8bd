/** Is the packet that came the one that the script expects? As packetdrill judges, but for PSH within a burst (docs/packetdrill.md). */
import { ACK, CWR, FIN, PSH } from '../wire/tcp.ts';
import type { Flow } from './flow.ts';
import { flagText } from './notation.ts';
import { optionText } from './option-bytes.ts';
import type { OptionSpec, TcpSpec } from './script.ts';
import type { Segment } from './segment.ts';

export interface MatchRules {
  /** Compare PSH on every segment. */
  readonly strictPush: boolean;
  /** Compare TSecr. */
  readonly checkEcr: boolean;
  /** Microseconds of a tick of the stack's timestamps; 0: TSval is not compared. */
  readonly tickUsecs: number;
  /** Microseconds. */
  readonly toleranceUsecs: number;
}

/** What may differ between the pieces of one burst. */
const OF_A_PIECE = FIN | PSH | CWR;

/** Whether `next` goes on where `so far` ends, so that a segmentation offload could have sent both as one. */
export function continues(soFar: Segment, pieceLength: number, lastLength: number, next: Segment): boolean {
  return (
    next.length > 0 &&
    lastLength === pieceLength &&
    next.seq === (soFar.seq + soFar.length) >>> 0 &&
    next.ack === soFar.ack &&
    (next.flags & ~OF_A_PIECE) === (soFar.flags & ~OF_A_PIECE)
  );
}

/** Two pieces as one. */
export function join(soFar: Segment, next: Segment): Segment {
  return { ...soFar, flags: next.flags, length: soFar.length + next.length };
}

/**
 * @param actual in the script's numbers
 * @returns what is wrong with it; undefined: nothing
 */
export function mismatch(expected: TcpSpec, actual: Segment, flow: Flow, rules: MatchRules): string | undefined {
  if (expected.flags !== 'any') {
    const [want, have] = [expected.flags, actual.flags].map((flags) =>
      flow.comparable(actual, flags, rules.strictPush),
    );
    if (want !== have) return `its flags are ${flagText(actual.flags)}, not ${flagText(expected.flags)}`;
  }
  if (actual.seq !== expected.seq >>> 0) return `its sequence number is ${actual.seq}, not ${expected.seq}`;
  if (actual.length !== expected.length) return `it carries ${actual.length} bytes, not ${expected.length}`;
  const hasAck = (actual.flags & ACK) !== 0;
  if (hasAck && expected.ack !== undefined && actual.ack !== expected.ack >>> 0) {
    return `it acknowledges ${actual.ack}, not ${expected.ack}`;
  }
  if (expected.win !== undefined && actual.win !== expected.win)
    return `its window is ${actual.win}, not ${expected.win}`;
  if (actual.urg !== (expected.urg ?? 0)) return `its urgent pointer is ${actual.urg}, not ${expected.urg ?? 0}`;
  return ipMismatch(expected, actual) ?? optionsMismatch(expected.options, actual.options, flow, rules);
}

function ipMismatch({ ip }: TcpSpec, actual: Segment): string | undefined {
  const ecn = actual.tos & 3;
  const capable = ecn === 1 || ecn === 2;
  if (ip.ecn === 'ect' ? !capable : ip.ecn !== undefined && ecn !== ip.ecn) {
    return `its ECN field is ${ecn}, not ${ip.ecn === 'ect' ? '1 or 2' : ip.ecn}`;
  }
  // With an ECN name beside it the type of service is the upper six bits.
  const tos = ip.ecn === undefined ? actual.tos : actual.tos & ~3;
  if (ip.tos !== undefined && tos !== ip.tos) return `its type of service is ${tos}, not ${ip.tos}`;
  if (ip.flowLabel !== undefined && actual.flowLabel !== ip.flowLabel)
    return `its flow label is ${actual.flowLabel}, not ${ip.flowLabel}`;
  if (ip.ttl !== undefined && actual.ttl !== ip.ttl) return `its time to live is ${actual.ttl}, not ${ip.ttl}`;
  return undefined;
}

function optionsMismatch(
  expected: readonly OptionSpec[] | 'any',
  actual: readonly OptionSpec[],
  flow: Flow,
  rules: MatchRules,
): string | undefined {
  if (expected === 'any') return undefined;
  const same =
    expected.length === actual.length &&
    expected.every((option, i) => sameOption(option, actual[i] as OptionSpec, flow, rules));
  if (same) return undefined;
  const text = (options: readonly OptionSpec[]) =>
    options.length === 0 ? 'none' : `<${options.map(optionText).join(',')}>`;
  return `its options are ${text(actual)}, not ${text(expected)}`;
}

function sameOption(expected: OptionSpec, actual: OptionSpec, flow: Flow, rules: MatchRules): boolean {
  if (expected.name !== 'TS' || actual.name !== 'TS') return optionText(expected) === optionText(actual);
  const value = actual.val as number;
  if (typeof expected.val === 'string') {
    const known = flow.stampOf(expected.val);
    if (known !== undefined && known !== value) return false;
  } else if (rules.tickUsecs > 0) {
    if (Math.abs(flow.stampError(expected.val, value)) * rules.tickUsecs > rules.toleranceUsecs) return false;
  }
  return !rules.checkEcr || typeof expected.ecr === 'string' || expected.ecr === actual.ecr;
}

/** The script's names for the timestamps in a packet that matched. */
export function learnStamps(expected: TcpSpec, actual: Segment, flow: Flow): void {
  if (expected.options === 'any') return;
  const named = expected.options.find((option) => option.name === 'TS');
  const seen = actual.options.find((option) => option.name === 'TS');
  if (named?.name === 'TS' && seen?.name === 'TS') flow.noteStamp(named.val, seen.val as number);
}
