/**
 * The options of SYNs and SYN-ACKs, in Linux's order: mss, sackOK, TS, nop, wscale; without timestamps nops keep the words whole, so that
 * there is no end of options, and nothing behind it [MUST-69].
 */
import { writeMss, writeNop, writeSackPermitted, writeTimestamps, writeWindowScale } from '../wire/tcp.ts';

/** What a SYN offers, or a SYN-ACK takes up. */
export class SynOptions {
  mss = 536;
  sack = false;
  timestamps = false;
  tsVal = 0;
  tsEcr = 0;
  /** -1: not offered. */
  windowShift = -1;
}

/** One record serves all SYNs: whoever writes one fills it. */
export const synOptions = new SynOptions();

/**
 * RFC 9293 3.7.1 [MUST-14], [SHLD-5], [MAY-3]: the MSS is in all of them, and [MUST-65] nowhere else.
 * @returns the offset after them, which is a multiple of four from `offset`
 */
export function writeSynOptions(view: DataView, offset: number, options: SynOptions): number {
  let at = writeMss(view, offset, options.mss);
  if (options.timestamps) {
    at = options.sack ? writeSackPermitted(view, at) : writeNop(view, writeNop(view, at));
    at = writeTimestamps(view, at, options.tsVal, options.tsEcr);
  } else if (options.sack) {
    at = writeSackPermitted(view, writeNop(view, writeNop(view, at)));
  }
  if (options.windowShift >= 0) at = writeWindowScale(view, writeNop(view, at), options.windowShift);
  return at;
}
