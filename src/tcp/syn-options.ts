/**
 * The options of SYNs and SYN-ACKs, in Linux's order: a signature, mss, sackOK, TS, nop, wscale, Fast Open's; without timestamps nops
 * keep the words whole, so that there is no end of options, and nothing behind it [MUST-69].
 */
import {
  padTo,
  TCP_HEADER_LENGTH,
  writeAccurateEcn,
  writeFastOpen,
  writeMss,
  writeNop,
  writeSackPermitted,
  writeTimestamps,
  writeWindowScale,
} from '../wire/tcp.ts';
import { ECT_BYTES_START, plan, planCounters } from './accurate-ecn-option.ts';
import type { Path } from './path.ts';
import type { Signer } from './signer.ts';

/** What a SYN offers, or a SYN-ACK takes up. */
export class SynOptions {
  signer: Signer | undefined;
  mss = 536;
  sack = false;
  timestamps = false;
  tsVal = 0;
  tsEcr = 0;
  /** -1: not offered. */
  windowShift = -1;
  /** Accurate ECN's option, with its counters as they begin. */
  accurateEcn = false;
  /** Fast Open's cookie, or an empty one; undefined: no option. */
  cookie: Uint8Array | undefined;
  experimentalCookie = false;
  /** Bytes that all of them may take. */
  room = MOST;
}

/** Bytes that options may take. */
const MOST = 40;

/** What the link leaves of that: less than all on one of less than 80 bytes. */
export function synOptionRoom(path: Path): number {
  return Math.min(path.mtu - path.headerLength - TCP_HEADER_LENGTH, MOST);
}

/** One record serves all SYNs: whoever writes one fills it. */
export const synOptions = new SynOptions();

/** RFC 9768 3.2.3: what the counters begin at, and how many of them fit beside what other options leave. */
function writeFirstCounters(view: DataView, at: number, base: number, options: SynOptions): number {
  const scale = options.windowShift >= 0 ? 4 : 0;
  const alone = options.sack && !options.timestamps;
  const room = options.room - (at - base) - scale - (alone ? 4 : 0) - cookieLength(options);
  planCounters(room, 0, 0, alone ? 2 : scale > 0 ? 1 : 0);
  if (plan.counters < 0) return at;
  return writeAccurateEcn(view, at, ECT_BYTES_START, 0, ECT_BYTES_START, plan.counters);
}

/**
 * RFC 9293 3.7.1 [MUST-14], [SHLD-5], [MAY-3]: the MSS is in all of them, and [MUST-65] nowhere else.
 * @returns the offset after them, which is a multiple of four from `offset`
 */
export function writeSynOptions(view: DataView, offset: number, options: SynOptions): number {
  const first = options.signer === undefined ? offset : options.signer.write(view, offset);
  let at = writeMss(view, first, options.mss);
  if (options.timestamps) {
    at = options.sack ? writeSackPermitted(view, at) : writeNop(view, writeNop(view, at));
    at = writeTimestamps(view, at, options.tsVal, options.tsEcr);
  }
  if (options.accurateEcn) at = writeFirstCounters(view, at, offset, options);
  if (options.sack && !options.timestamps) at = writeSackPermitted(view, padTo(view, at, offset, 2));
  if (options.windowShift >= 0) at = writeWindowScale(view, padTo(view, at, offset, 1), options.windowShift);
  at = padTo(view, at, offset, 0);
  if (options.cookie !== undefined) at = writeCookie(view, offset, at, options);
  return at;
}

/** What Fast Open will take, with its padding. */
function cookieLength({ cookie, experimentalCookie }: SynOptions): number {
  return cookie === undefined ? 0 : (cookie.length + (experimentalCookie ? 4 : 2) + 3) & ~3;
}

/** RFC 7413 4.2.2, client, step 1 (a): an option that there is no room for is left out. */
function writeCookie(view: DataView, start: number, offset: number, options: SynOptions): number {
  const { cookie, experimentalCookie } = options;
  if (cookie === undefined) return offset;
  const length = cookie.length + (experimentalCookie ? 4 : 2);
  if (offset - start + ((length + 3) & ~3) > options.room) return offset;
  return padTo(view, writeFastOpen(view, offset, cookie, experimentalCookie), start, 0);
}
