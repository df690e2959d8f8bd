/**
 * The TCP header: one reused record for a segment as read, and the writer of the fixed part. RFC 9293 3.1.
 * Options are in tcp-options.ts and exported from here. Nothing is allocated here.
 */
import { fold, sum } from './checksum.ts';
import { OK, TCP_BAD_DATA_OFFSET, TCP_TRUNCATED } from './reasons.ts';
import { NOP_NOP_TIMESTAMPS, OPT_TIMESTAMPS, parseOptions } from './tcp-options.ts';

export * from './tcp-options.ts';

/** Bytes of a header without options, and of the longest. */
export const TCP_HEADER_LENGTH = 20;
export const TCP_MAX_HEADER_LENGTH = 60;
/** Bytes from the header to its checksum field. */
export const TCP_CHECKSUM_OFFSET = 16;

/** Control bits. AE is the former NS bit, as Accurate ECN names it (RFC 9293 3.1, RFC 3168 6.1). */
export const FIN = 0x1;
export const SYN = 0x2;
export const RST = 0x4;
export const PSH = 0x8;
export const ACK = 0x10;
export const URG = 0x20;
export const ECE = 0x40;
export const CWR = 0x80;
export const AE = 0x100;

/**
 * A segment as read. One record serves all segments: whoever wants to keep something copies it. Sequence numbers, acknowledgments
 * and timestamps are int32; offsets are absolute in the view that was read. A field of an option means something only
 * when its bit is set in `optionBits`.
 */
export class TcpSegment {
  sourcePort = 0;
  destinationPort = 0;
  seq = 0;
  ack = 0;
  /** FIN .. AE. */
  flags = 0;
  /** As on the wire, not scaled. */
  window = 0;
  urgentPointer = 0;
  /** Bytes, with options: 20..60. */
  headerLength = 0;
  payloadOffset = 0;
  payloadLength = 0;

  /** OPT_... bits of the options that were there. */
  optionBits = 0;
  mss = 0;
  /** The shift as on the wire, 0..255 (RFC 7323 2.3 uses 14 for more; that is the reader's to do). */
  windowScale = 0;
  tsVal = 0;
  tsEcr = 0;
  /** Blocks in `sackBlocks`; 0 when the option is absent. */
  sackCount = 0;
  /** Left and right edges in turn, int32. */
  readonly sackBlocks: Int32Array = new Int32Array(8);
  /** 0..32767 in minutes or seconds. */
  userTimeout = 0;
  userTimeoutInMinutes = false;
  /** The cookie; length 0 asks for one. */
  fastOpenOffset = 0;
  fastOpenLength = 0;
  fastOpenExperimental = false;
  /** The 16 bytes of the digest. */
  md5Offset = 0;
  aoKeyId = 0;
  aoRnextKeyId = 0;
  /** The MAC; length < 0 when the option is too short for its own fields (RFC 5925 2.2: discard the segment). */
  aoOffset = 0;
  aoLength = 0;
  /** KIND_ACCECN0 or KIND_ACCECN1, which differ in the order of the counters. */
  accEcnKind = 0;
  /** The counters, 24 bits each. */
  accEcnOffset = 0;
  accEcnLength = 0;
  readonly accEcnCounters: Int32Array = new Int32Array(3);

  // What the layers above note about the segment; `parseTcp` resets them.
  /** How many wire segments this one stands for: more than 1 for a super-segment. */
  pieces = 1;
  /** Payload bytes of each piece but the last; 0: not a super-segment. */
  pieceSize = 0;
  /** The ECN field of the IP header, 0..3. */
  ecn = 0;
}

/**
 * Reads the segment that fills the `length` bytes at `offset`, which lie within the view. Its checksum is not looked at:
 * see `tcpChecksumOk`.
 * @returns OK, TCP_TRUNCATED or TCP_BAD_DATA_OFFSET, after which the record's fields mean nothing
 */
export function parseTcp(view: DataView, offset: number, length: number, out: TcpSegment): number {
  if (length < TCP_HEADER_LENGTH) return TCP_TRUNCATED;
  const word = view.getUint16(offset + 12);
  const headerLength = (word >>> 12) << 2;
  if (headerLength < TCP_HEADER_LENGTH || headerLength > length) return TCP_BAD_DATA_OFFSET;
  out.sourcePort = view.getUint16(offset);
  out.destinationPort = view.getUint16(offset + 2);
  out.seq = view.getInt32(offset + 4);
  out.ack = view.getInt32(offset + 8);
  out.flags = word & 0x1ff;
  // RFC 9293 3.1 [MUST-1]: an unsigned number, which its scale makes one of 30 bits at most.
  out.window = view.getUint16(offset + 14);
  out.urgentPointer = view.getUint16(offset + 18);
  out.headerLength = headerLength;
  out.payloadOffset = offset + headerLength;
  out.payloadLength = length - headerLength;
  out.optionBits = 0;
  out.sackCount = 0;
  out.pieces = 1;
  out.pieceSize = 0;
  out.ecn = 0;
  if (headerLength === TCP_HEADER_LENGTH) return OK;
  if (headerLength === 32 && view.getInt32(offset + 20) === NOP_NOP_TIMESTAMPS) {
    out.tsVal = view.getInt32(offset + 24);
    out.tsEcr = view.getInt32(offset + 28);
    out.optionBits = OPT_TIMESTAMPS;
    return OK;
  }
  // RFC 9293 3.1 [MUST-5]: options come in any segment.
  parseOptions(view, offset + TCP_HEADER_LENGTH, offset + headerLength, out);
  return OK;
}

/**
 * Whether the checksum of the segment in these bytes is right.
 * @param pseudoSum from `pseudoHeaderSum4` or `6`, without the length, which is added here
 */
export function tcpChecksumOk(view: DataView, offset: number, length: number, pseudoSum: number): boolean {
  // RFC 9293 3.1 [MUST-3]: the receiver checks it.
  return fold(sum(view, offset, length, pseudoSum + length)) === 0xffff;
}

/** Writes the 20 fixed bytes, the checksum 0. Sequence numbers may be int32 or uint32; `headerLength` counts the options, in bytes. */
export function writeTcpHeader(
  view: DataView,
  offset: number,
  sourcePort: number,
  destinationPort: number,
  seq: number,
  ack: number,
  flags: number,
  window: number,
  urgentPointer: number,
  headerLength: number,
): void {
  view.setUint16(offset, sourcePort);
  view.setUint16(offset + 2, destinationPort);
  view.setInt32(offset + 4, seq);
  view.setInt32(offset + 8, ack);
  // The data offset counts 32-bit words in the upper four bits: bytes / 4 << 12.
  view.setUint16(offset + 12, (headerLength << 10) | (flags & 0x1ff));
  view.setUint16(offset + 14, window);
  view.setUint16(offset + 16, 0);
  view.setUint16(offset + 18, urgentPointer);
}

/** Fills the checksum field; `value` is as `checksum` gives it, or a partial one. */
export function setTcpChecksum(view: DataView, offset: number, value: number): void {
  view.setUint16(offset + TCP_CHECKSUM_OFFSET, value);
}

/** The control bits for people: `SYN`, `PSH ACK`, `none`. */
export function flagNames(flags: number): string {
  const names = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'AE'].filter((_, bit) => flags & (1 << bit));
  return names.length === 0 ? 'none' : names.join(' ');
}
