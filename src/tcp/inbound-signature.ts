/**
 * Whether a segment that came may be looked at: RFC 2385 2.0, RFC 5925 7.5, before anything else is made of it, in Linux's order
 * (tcp_inbound_hash). One that may not is dropped without an answer, and counted.
 */
import type { Chunk } from '../link/slab.ts';
import { OPT_AO, OPT_SIGNATURE_BROKEN, OPT_SIGNED, type TcpSegment } from '../wire/tcp.ts';
import { AoSigner, type Endpoints } from './ao.ts';
import type { AoInfo } from './ao-keys.ts';
import type { TableEntry, TcpContext } from './context.ts';
import { KIND_CONNECTION, KIND_EMBRYO } from './control-block.ts';
import type { TcpCounters } from './counters.ts';
import { Md5Signer, md5Verifies } from './md5.ts';
import { syncMss } from './mss.ts';
import type { SegmentHasher } from './segment-hasher.ts';
import { type SegmentKeys, strayAoSigner } from './segment-keys.ts';
import type { Signer } from './signer.ts';
import { SYN_RECEIVED, SYN_SENT } from './state.ts';

/** A malformed one, or two of them: RFC 5925 2.2: "When multiple TCP-AOs appear, TCP MUST discard the segment"; nor both kinds. */
const BROKEN = 'tcp-signature-broken';

/**
 * For a connection, an embryo or a TIME-WAIT record.
 * @returns why the segment is to be dropped; undefined: it may go on
 */
export function entryRefuses(
  context: TcpContext,
  entry: TableEntry,
  segment: TcpSegment,
  chunk: Chunk,
): string | undefined {
  const { counters } = context;
  const { signer } = entry;
  const bits = segment.optionBits & OPT_SIGNED;
  if ((bits & OPT_SIGNATURE_BROKEN) !== 0) return BROKEN;
  const hasAo = (bits & OPT_AO) !== 0;
  if (entry.kind === KIND_EMBRYO && hasAo !== signer instanceof AoSigner) {
    // What the SYN began, with or without, the handshake goes on with.
    counters.TCPAOBad++;
    return 'tcp-ao-bad';
  }
  if (bits === 0 && signer === undefined) return undefined;
  if (bits === 0)
    return signer instanceof AoSigner ? refuseUnsigned(counters, signer.info) : refuseWithoutMd5(counters);
  if (!hasAo) return refuseMd5(context, signer instanceof Md5Signer ? signer.key : undefined, entry, segment, chunk);
  if (!(signer instanceof AoSigner)) return refuseUnknownKey(counters);
  const { length } = signer;
  const reason = signer.verify(segment, chunk, counters);
  // A key that the peer asked for may have another MAC.
  if (entry.kind === KIND_CONNECTION && signer.length !== length) syncMss(entry);
  return reason;
}

/** For a segment without a connection, to a listener. @returns as `entryRefuses` */
export function listenerRefuses(
  context: TcpContext,
  keys: SegmentKeys | undefined,
  ends: Endpoints,
  segment: TcpSegment,
  chunk: Chunk,
): string | undefined {
  const { counters } = context;
  const bits = segment.optionBits & OPT_SIGNED;
  if ((bits & OPT_SIGNATURE_BROKEN) !== 0) return BROKEN;
  if (bits === 0) {
    // RFC 5925 7.5: "TCP-AO checks MUST be performed for all incoming SYNs to avoid accepting SYNs lacking TCP-AO where required".
    if (keys?.ao?.requires(ends.remote)) return refuseUnsigned(counters, keys.ao);
    return keys?.md5For(ends.remote) === undefined ? undefined : refuseWithoutMd5(counters);
  }
  if ((bits & OPT_AO) === 0) return refuseMd5(context, keys?.md5For(ends.remote), ends, segment, chunk);
  if (keys?.ao === undefined) return refuseUnknownKey(counters);
  return strayAoSigner(context, keys.ao, ends, segment).verify(segment, chunk, counters);
}

/**
 * How to sign the reset for a segment that belongs to nobody. Its sender may have a connection with a socket of ours that is gone; RFC 2385
 * 4.1: it ignores a reset that is not signed. Linux looks for a key at a listener on the port that the segment came from, as the two
 * ends of BGP, the user of this, listen on the same port.
 * @param keys of that listener
 * @returns 'none' when there is to be no reset
 */
export function signerForReset(
  context: TcpContext,
  keys: SegmentKeys | undefined,
  ends: Endpoints,
  segment: TcpSegment,
  chunk: Chunk,
): Signer | undefined | 'none' {
  const bits = segment.optionBits & OPT_SIGNED;
  if (bits === 0 || context.hasher === undefined) return undefined;
  const key = keys?.md5For(ends.remote);
  // RFC 5925 7.7: with the connection its traffic keys are lost.
  if ((bits & (OPT_AO | OPT_SIGNATURE_BROKEN)) !== 0 || key === undefined) return 'none';
  const { local, remote } = ends;
  if (!md5Verifies(context.hasher, key, local, remote, segment, chunk)) return 'none';
  return new Md5Signer(context.hasher, key, local, remote);
}

function refuseUnsigned(counters: TcpCounters, info: AoInfo): string {
  counters.TCPAORequired++;
  info.unsigned++;
  return 'tcp-ao-required';
}

function refuseWithoutMd5(counters: TcpCounters): string {
  counters.TCPMD5NotFound++;
  return 'tcp-md5-not-found';
}

/** Linux: a segment with an AO option, to a socket that has no key for it at all. */
function refuseUnknownKey(counters: TcpCounters): string {
  counters.TCPAOKeyNotFound++;
  return 'tcp-ao-key-not-found';
}

function refuseMd5(
  context: TcpContext,
  key: Uint8Array | undefined,
  { local, remote }: Pick<Endpoints, 'local' | 'remote'>,
  segment: TcpSegment,
  chunk: Chunk,
): string | undefined {
  const { counters } = context;
  if (key === undefined) {
    counters.TCPMD5Unexpected++;
    return 'tcp-md5-unexpected';
  }
  if (md5Verifies(context.hasher as SegmentHasher, key, local, remote, segment, chunk)) return undefined;
  counters.TCPMD5Failure++;
  return 'tcp-md5-failure';
}

/** RFC 5925 7.8: hard ICMP errors about a synchronized connection are nothing to one that uses TCP-AO, unless its user said otherwise: ICMP is not signed. */
export function ignoresUnreachable(context: TcpContext, entry: TableEntry): boolean {
  const { signer } = entry;
  if (!(signer instanceof AoSigner) || signer.info.acceptIcmps) return false;
  if (entry.kind === KIND_EMBRYO) return false;
  if (entry.kind === KIND_CONNECTION && (entry.state & (SYN_SENT | SYN_RECEIVED)) !== 0) return false;
  context.counters.TCPAODroppedIcmps++;
  signer.info.droppedIcmps++;
  return true;
}
