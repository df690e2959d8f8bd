/**
 * TCP options: reading them into a segment record, and one writer per option. Writers pad nothing: the caller places `writeNop`
 * and `writeEnd`. Nothing is allocated here.
 */
import type { TcpSegment } from './tcp.ts';

/** Bits of `TcpSegment.optionBits`: the options that a segment carries, in a form that could be read. */
export const OPT_MSS = 0x1;
export const OPT_WSCALE = 0x2;
export const OPT_SACK_PERMITTED = 0x4;
export const OPT_SACK = 0x8;
export const OPT_TIMESTAMPS = 0x10;
export const OPT_USER_TIMEOUT = 0x20;
/** A Fast Open cookie or request for one, under its own kind or the experimental one. */
export const OPT_FASTOPEN = 0x40;
export const OPT_MD5 = 0x80;
export const OPT_AO = 0x100;
export const OPT_ACCECN = 0x200;
/** An experiment (RFC 6994) other than Fast Open. */
export const OPT_EXPERIMENTAL = 0x400;
/** A kind we do not know, or one with a length that is not its own: skipped. */
export const OPT_UNKNOWN = 0x800;
/** The options end in bytes that cannot be an option; those before them count. */
export const OPT_BROKEN = 0x1000;
/** More than one signature (MD5 or AO), or one with a length that cannot be: where signatures count, the segment does not. */
export const OPT_SIGNATURE_BROKEN = 0x2000;
/** The segment is signed, or was to be. */
export const OPT_SIGNED: number = OPT_MD5 | OPT_AO | OPT_SIGNATURE_BROKEN;

/** Option kinds. */
export const KIND_END = 0;
export const KIND_NOP = 1;
export const KIND_MSS = 2;
export const KIND_WSCALE = 3;
export const KIND_SACK_PERMITTED = 4;
export const KIND_SACK = 5;
export const KIND_TIMESTAMPS = 8;
export const KIND_MD5 = 19;
export const KIND_USER_TIMEOUT = 28;
export const KIND_AO = 29;
export const KIND_FASTOPEN = 34;
export const KIND_ACCECN0 = 172;
export const KIND_ACCECN1 = 174;
export const KIND_EXPERIMENT1 = 253;
export const KIND_EXPERIMENT2 = 254;

/** RFC 7413 appendix B / RFC 6994: the experiment identifier of Fast Open before it had a kind. */
export const FASTOPEN_EXID = 0xf989;

/** Two no-operations and a timestamps option: how nearly every segment with timestamps is laid out. RFC 7323 appendix A. */
export const NOP_NOP_TIMESTAMPS = 0x0101080a;

/**
 * Reads the options between `offset` and `end` into `out`, adding to its `optionBits`. Any bytes will do.
 * Of an option that comes twice the last one counts.
 */
export function parseOptions(view: DataView, offset: number, end: number, out: TcpSegment): void {
  let at = offset;
  while (at < end) {
    const kind = view.getUint8(at);
    if (kind === KIND_END) return;
    if (kind === KIND_NOP) {
      at++;
      continue;
    }
    // RFC 9293 3.1 [MUST-7]: be prepared for an illegal option length. The reset that it suggests would hand a weapon to whoever can
    // forge one segment; as in Linux, the options end here and the segment goes on, and OPT_BROKEN lets it be logged.
    const length = at + 1 < end ? view.getUint8(at + 1) : 0;
    if (length < 2 || at + length > end) {
      out.optionBits |= OPT_BROKEN;
      return;
    }
    // RFC 9293 3.1 [MUST-6], [MUST-68]: an option that is not implemented is ignored, by its length, which all have; [MUST-64]: wherever it lies.
    out.optionBits |= readOption(view, at, kind, length, out);
    at += length;
  }
}

/** Reads one option, `length` bytes at `at`; returns its bit. RFC 9293 3.1 [MUST-4]: end of list, no-operation (above) and MSS among them. */
function readOption(view: DataView, at: number, kind: number, length: number, out: TcpSegment): number {
  switch (kind) {
    case KIND_MSS:
      if (length !== 4) return OPT_UNKNOWN;
      out.mss = view.getUint16(at + 2);
      return OPT_MSS;
    case KIND_WSCALE:
      if (length !== 3) return OPT_UNKNOWN;
      out.windowScale = view.getUint8(at + 2);
      return OPT_WSCALE;
    case KIND_SACK_PERMITTED:
      return length === 2 ? OPT_SACK_PERMITTED : OPT_UNKNOWN;
    case KIND_SACK:
      return readSack(view, at, length, out);
    case KIND_TIMESTAMPS:
      if (length !== 10) return OPT_UNKNOWN;
      out.tsVal = view.getInt32(at + 2);
      out.tsEcr = view.getInt32(at + 6);
      return OPT_TIMESTAMPS;
    case KIND_USER_TIMEOUT:
      return readUserTimeout(view, at, length, out);
    default:
      return readVariable(view, at, kind, length, out);
  }
}

function readSack(view: DataView, at: number, length: number, out: TcpSegment): number {
  // RFC 2018 3: 8n + 2 bytes; 40 bytes of options have room for four blocks.
  const count = (length - 2) >> 3;
  if (count < 1 || count > 4 || length !== (count << 3) + 2) return OPT_UNKNOWN;
  for (let i = 0; i < count << 1; i++) out.sackBlocks[i] = view.getInt32(at + 2 + (i << 2));
  out.sackCount = count;
  return OPT_SACK;
}

function readUserTimeout(view: DataView, at: number, length: number, out: TcpSegment): number {
  if (length !== 4) return OPT_UNKNOWN;
  const word = view.getUint16(at + 2);
  out.userTimeoutInMinutes = word >>> 15 === 1;
  out.userTimeout = word & 0x7fff;
  return OPT_USER_TIMEOUT;
}

/** The options whose bytes stay where they are: the record says where. */
function readVariable(view: DataView, at: number, kind: number, length: number, out: TcpSegment): number {
  switch (kind) {
    case KIND_FASTOPEN:
      return noteFastOpen(at + 2, length - 2, false, out);
    case KIND_EXPERIMENT1:
    case KIND_EXPERIMENT2:
      if (kind === KIND_EXPERIMENT2 && length >= 4 && view.getUint16(at + 2) === FASTOPEN_EXID) {
        return noteFastOpen(at + 4, length - 4, true, out);
      }
      return OPT_EXPERIMENTAL;
    case KIND_MD5:
      if (length !== 18) return OPT_UNKNOWN | OPT_SIGNATURE_BROKEN;
      out.md5Offset = at + 2;
      return OPT_MD5 | secondSignature(out);
    case KIND_AO:
      // RFC 5925 2.2: a segment with a shorter one is discarded (Linux: one without a MAC as well).
      out.aoKeyId = length < 4 ? 0 : view.getUint8(at + 2);
      out.aoRnextKeyId = length < 4 ? 0 : view.getUint8(at + 3);
      out.aoOffset = at + 4;
      out.aoLength = length - 4;
      return OPT_AO | (length <= 4 ? OPT_SIGNATURE_BROKEN : secondSignature(out));
    case KIND_ACCECN0:
    case KIND_ACCECN1:
      out.accEcnKind = kind;
      out.accEcnOffset = at + 2;
      out.accEcnLength = length - 2;
      for (let i = 0; i < 3 && 3 * i + 5 <= length; i++)
        out.accEcnCounters[i] = view.getUint32(at + 1 + 3 * i) & 0xffffff;
      return OPT_ACCECN;
    default:
      return OPT_UNKNOWN;
  }
}

/** RFC 5925 2.2: an endpoint must not use TCP-AO and TCP MD5 at once; nor is there more than one of either. */
function secondSignature(out: TcpSegment): number {
  return (out.optionBits & OPT_SIGNED) === 0 ? 0 : OPT_SIGNATURE_BROKEN;
}

function noteFastOpen(offset: number, length: number, experimental: boolean, out: TcpSegment): number {
  out.fastOpenOffset = offset;
  out.fastOpenLength = length;
  out.fastOpenExperimental = experimental;
  return OPT_FASTOPEN;
}

// The writers. Each returns where the next option goes.

export function writeNop(view: DataView, offset: number): number {
  view.setUint8(offset, KIND_NOP);
  return offset + 1;
}

export function writeEnd(view: DataView, offset: number): number {
  view.setUint8(offset, KIND_END);
  return offset + 1;
}

/** 4 bytes. `mss` in bytes, 0..65535. */
export function writeMss(view: DataView, offset: number, mss: number): number {
  view.setUint16(offset, (KIND_MSS << 8) | 4);
  view.setUint16(offset + 2, mss);
  return offset + 4;
}

/** 3 bytes. */
export function writeWindowScale(view: DataView, offset: number, shift: number): number {
  view.setUint16(offset, (KIND_WSCALE << 8) | 3);
  view.setUint8(offset + 2, shift);
  return offset + 3;
}

/** 2 bytes. */
export function writeSackPermitted(view: DataView, offset: number): number {
  view.setUint16(offset, (KIND_SACK_PERMITTED << 8) | 2);
  return offset + 2;
}

/** 10 bytes. */
export function writeTimestamps(view: DataView, offset: number, tsVal: number, tsEcr: number): number {
  view.setUint16(offset, (KIND_TIMESTAMPS << 8) | 10);
  view.setInt32(offset + 2, tsVal);
  view.setInt32(offset + 6, tsEcr);
  return offset + 10;
}

/** 2 + 8 x count bytes. `blocks` holds left and right edges in turn; `count` is 1..4. */
export function writeSackBlocks(view: DataView, offset: number, blocks: Int32Array, count: number): number {
  view.setUint16(offset, (KIND_SACK << 8) | (2 + (count << 3)));
  for (let i = 0; i < count << 1; i++) view.setInt32(offset + 2 + (i << 2), blocks[i] as number);
  return offset + 2 + (count << 3);
}

/** 4 bytes. `timeout` 0..32767, in minutes or seconds. RFC 5482 3.1. */
export function writeUserTimeout(view: DataView, offset: number, timeout: number, inMinutes: boolean): number {
  view.setUint16(offset, (KIND_USER_TIMEOUT << 8) | 4);
  view.setUint16(offset + 2, (inMinutes ? 0x8000 : 0) | (timeout & 0x7fff));
  return offset + 4;
}

/** 2 (or, experimental, 4) bytes and the cookie; an empty cookie asks for one. RFC 7413 4.1.1. */
export function writeFastOpen(view: DataView, offset: number, cookie: Uint8Array, experimental: boolean): number {
  let at = offset + 2;
  if (experimental) {
    view.setUint16(offset, (KIND_EXPERIMENT2 << 8) | (4 + cookie.length));
    view.setUint16(at, FASTOPEN_EXID);
    at += 2;
  } else {
    view.setUint16(offset, (KIND_FASTOPEN << 8) | (2 + cookie.length));
  }
  for (let i = 0; i < cookie.length; i++) view.setUint8(at + i, cookie[i] as number);
  return at + cookie.length;
}

/** 18 bytes, the digest (16 bytes at `offset + 2`) zero until it is made. RFC 2385 3.0. */
export function writeMd5(view: DataView, offset: number): number {
  view.setUint16(offset, (KIND_MD5 << 8) | 18);
  for (let at = offset + 2; at < offset + 18; at += 4) view.setInt32(at, 0);
  return offset + 18;
}

/** 4 bytes and the MAC (at `offset + 4`), which is zero until it is made, as it counts in its own input. RFC 5925 2.2, 5.1. */
export function writeAo(view: DataView, offset: number, keyId: number, rnextKeyId: number, macLength: number): number {
  view.setUint16(offset, (KIND_AO << 8) | (4 + macLength));
  view.setUint8(offset + 2, keyId);
  view.setUint8(offset + 3, rnextKeyId);
  for (let i = 0; i < macLength; i++) view.setUint8(offset + 4 + i, 0);
  return offset + 4 + macLength;
}

/** 2 + 3 x count bytes: kind 174, whose counters are those of ECT(1), CE and ECT(0), of which the first `count` go. RFC 9768 3.2.3. */
export function writeAccurateEcn(
  view: DataView,
  offset: number,
  ect1: number,
  ce: number,
  ect0: number,
  count: number,
): number {
  view.setUint16(offset, (KIND_ACCECN1 << 8) | (2 + 3 * count));
  let at = offset + 2;
  if (count > 0) at = writeBits24(view, at, ect1);
  if (count > 1) at = writeBits24(view, at, ce);
  return count > 2 ? writeBits24(view, at, ect0) : at;
}

function writeBits24(view: DataView, offset: number, value: number): number {
  view.setUint16(offset, (value >>> 8) & 0xffff);
  view.setUint8(offset + 2, value & 0xff);
  return offset + 3;
}

/** No-operations until `at` lies `remainder` bytes behind a multiple of four from `base`. */
export function padTo(view: DataView, at: number, base: number, remainder: number): number {
  let end = at;
  while (((end - base) & 3) !== remainder) end = writeNop(view, end);
  return end;
}
