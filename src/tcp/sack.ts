/** SACK as the receiver of data: what to report, and in which order. RFC 2018 4, RFC 2883 4. */
import { padTo, writeSackBlocks } from '../wire/tcp.ts';
import type { ControlBlock } from './control-block.ts';
import { beforeOrAt } from './sequence.ts';

const RECENT = 4;
const blocks = new Int32Array(8);

/** What a receiver of data remembers to report. */
export class SackReport {
  /** A duplicate (RFC 2883); equal edges: none. */
  duplicateLeft = 0;
  duplicateRight = 0;
  /** Left edges of the ranges reported lately, most recent first. */
  readonly recent: Int32Array;

  constructor({ rcvNxt }: ControlBlock) {
    this.recent = new Int32Array(RECENT).fill(rcvNxt);
  }

  /** Whether a duplicate is to be reported. */
  get hasDuplicate(): boolean {
    return this.duplicateLeft !== this.duplicateRight;
  }
}

/**
 * Data at `seq` has been put aside: its range, from `left` to `right`, is the one to report first. RFC 2018 4: as many distinct ranges as
 * there is room for, so none has two places here.
 */
export function noteRange(connection: ControlBlock, seq: number, left: number, right: number): void {
  if (!connection.sackOk) return;
  const { rcvNxt } = connection;
  connection.sackReport ??= new SackReport(connection);
  const { recent } = connection.sackReport;
  let carried = seq;
  let to = 0;
  for (let i = 0; i < RECENT; i++) {
    const each = recent[i] as number;
    if (beforeOrAt(each, rcvNxt) || (beforeOrAt(left, each) && beforeOrAt(each, right))) continue;
    recent[to++] = carried;
    carried = each;
  }
  if (to < RECENT) recent[to++] = carried;
  recent.fill(rcvNxt, to);
}

/** The range was received before: report it once. */
export function noteDuplicate(connection: ControlBlock, left: number, right: number): void {
  if (!connection.sackOk || !connection.context.config.tcp_dsack) return;
  connection.sackReport ??= new SackReport(connection);
  connection.sackReport.duplicateLeft = left;
  connection.sackReport.duplicateRight = right;
}

/**
 * Writes what there is to report, as many blocks as fit in `room` bytes; `base` is where the options begin.
 * @returns the offset after it
 */
export function writeSacks(
  connection: ControlBlock,
  view: DataView,
  offset: number,
  base: number,
  room: number,
): number {
  const most = Math.min((room - 4) >> 3, 4);
  if (most <= 0) return offset;
  const { sackReport } = connection;
  let count = 0;
  if (sackReport?.hasDuplicate === true) {
    // RFC 2883 4: the duplicate is the first block, reported once.
    blocks[0] = sackReport.duplicateLeft;
    blocks[1] = sackReport.duplicateRight;
    sackReport.duplicateLeft = sackReport.duplicateRight;
    connection.context.counters.TCPDSACKOldSent++;
    count = 1;
  }
  count = addRanges(connection, count, most);
  if (count === 0) return offset;
  return writeSackBlocks(view, padTo(view, offset, base, 2), blocks, count);
}

/** Bytes of header that the report takes now: data in the same segment must be that much shorter (RFC 6691 3). */
export function sacksLength(connection: ControlBlock): number {
  if (!hasSacks(connection)) return 0;
  const most = mostBlocks(connection);
  if (most <= 0) return 0;
  const duplicate = connection.sackReport?.hasDuplicate === true ? 1 : 0;
  const count = addRanges(connection, duplicate, most);
  return count === 0 ? 0 : 4 + 8 * count;
}

/** As many as 40 bytes of options have room for beside timestamps and a signature: with TCP-MD5 and timestamps none. */
function mostBlocks({ signer, timestampsOk }: ControlBlock): number {
  const most = timestampsOk ? 3 : 4;
  return signer === undefined ? most : Math.min((36 - signer.length - (timestampsOk ? 12 : 0)) >> 3, most);
}

/** Whether there is anything to report. */
export function hasSacks(connection: ControlBlock): boolean {
  if (!connection.sackOk) return false;
  if (connection.sackReport?.hasDuplicate === true || connection.reassembly?.empty === false) return true;
  return finWaits(connection);
}

/** The peer's FIN lies beyond a hole. */
function finWaits(connection: ControlBlock): boolean {
  return connection.finSeqKnown && !connection.finReceived;
}

/** RFC 2018 4: the range of the latest segment first, then those reported most recently. */
function addRanges(connection: ControlBlock, have: number, most: number): number {
  const recent = connection.sackReport?.recent;
  if (recent === undefined) return have;
  let count = have;
  for (let i = 0; i < RECENT && count < most; i++) {
    const seq = recent[i] as number;
    if (beforeOrAt(seq, connection.rcvNxt) || !rangeAt(connection, seq, count) || listed(count, have)) continue;
    count++;
  }
  return count;
}

/** Puts the range that holds `seq` into `blocks`; a FIN that waits is the last number of what it follows, or a range by itself. */
function rangeAt(connection: ControlBlock, seq: number, index: number): boolean {
  const { reassembly, finSeq } = connection;
  const fin = finWaits(connection);
  // The FIN's own number is found by the byte before it.
  const at = fin && seq === finSeq ? (seq - 1) | 0 : seq;
  const found = reassembly !== undefined && !reassembly.empty && reassembly.rangeAt(at);
  if (!found && at === seq) return false;
  blocks[2 * index] = found ? reassembly.left : finSeq;
  const right = found ? reassembly.right : finSeq;
  blocks[2 * index + 1] = fin && right === finSeq ? (right + 1) | 0 : right;
  return true;
}

/** Whether the block behind the `count` there are, from `from` on, is one of them. */
function listed(count: number, from: number): boolean {
  const left = blocks[2 * count];
  for (let i = from; i < count; i++) if (blocks[2 * i] === left) return true;
  return false;
}
