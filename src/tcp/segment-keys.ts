/** The keys that a socket signs and verifies segments with, made when the first is set: TCP-MD5's by peer, and what it has of TCP-AO. */
import { type IpAddress, inPrefix } from '../wire/address.ts';
import { OPT_AO, type TcpSegment } from '../wire/tcp.ts';
import { AoSigner, type Endpoints, type Progress } from './ao.ts';
import type { AoChoice, AoInfo } from './ao-keys.ts';
import type { TcpContext } from './context.ts';
import type { ControlBlock } from './control-block.ts';
import type { Embryo } from './embryo.ts';
import { Md5Signer } from './md5.ts';
import { syncMss } from './mss.ts';
import type { SegmentHasher } from './segment-hasher.ts';
import type { Signer } from './signer.ts';

export interface Md5Key {
  readonly address: IpAddress;
  /** Bits of the address that a peer must share. */
  readonly prefix: number;
  readonly key: Uint8Array;
}

export class SegmentKeys {
  readonly md5: Md5Key[] = [];
  ao: AoInfo | undefined;

  /** The MD5 key for a peer: that of the longest prefix, as Linux looks it up. */
  md5For(remote: IpAddress): Uint8Array | undefined {
    let best: Md5Key | undefined;
    for (const one of this.md5) {
      if (inPrefix(remote, one.address, one.prefix) && (best === undefined || one.prefix > best.prefix)) best = one;
    }
    return best?.key;
  }
}

/** For an active open. RFC 5925 7.4: a peer that has a key is spoken to with it from the SYN on. */
export function signerForOpen(connection: ControlBlock): Signer | undefined {
  const { context, settings, remote } = connection;
  const { keys } = settings;
  if (keys === undefined) return undefined;
  if (keys.ao?.find(remote, -1, -1) === undefined) return md5Signer(connection, keys.md5For(remote));
  keys.ao.keepFor(remote);
  return new AoSigner(hasherOf(context), keys.ao, keys.ao, connection, connection.iss, connection);
}

/**
 * For the answers to a SYN that was verified.
 * @param keys of the listener
 * @returns 'none' when the peer asks for a key that there is not: RFC 5925 has no unsigned answer
 */
export function signerForSyn(
  context: TcpContext,
  keys: SegmentKeys | undefined,
  segment: TcpSegment,
  ends: Endpoints,
  iss: number,
): Signer | undefined | 'none' {
  if (keys === undefined) return undefined;
  const { ao } = keys;
  if ((segment.optionBits & OPT_AO) === 0) return md5Signer({ context, ...ends }, keys.md5For(ends.remote));
  const currentKey = ao?.find(ends.remote, segment.aoRnextKeyId, -1);
  const rnextKey = ao?.find(ends.remote, -1, segment.aoKeyId);
  if (ao === undefined || currentKey === undefined || rnextKey === undefined) return 'none';
  const progress = { sndUna: iss, rcvNxt: (segment.seq + 1) | 0 };
  return aoSigner(hasherOf(context), ao, { currentKey, rnextKey }, ends, iss, segment.seq, progress);
}

/**
 * For the answer to an acknowledgment that came to a listener: it stands for a handshake of which only the peer knows.
 * @returns as `signerForSyn`
 */
export function signerForStray(
  context: TcpContext,
  keys: SegmentKeys | undefined,
  segment: TcpSegment,
  ends: Endpoints,
): Signer | undefined | 'none' {
  if (keys?.ao === undefined || (segment.optionBits & OPT_AO) === 0) {
    return md5Signer({ context, ...ends }, keys?.md5For(ends.remote));
  }
  const currentKey = keys.ao.find(ends.remote, segment.aoRnextKeyId, -1);
  const rnextKey = keys.ao.find(ends.remote, -1, segment.aoKeyId);
  if (currentKey === undefined || rnextKey === undefined) return 'none';
  return strayAoSigner(context, keys.ao, ends, segment, { currentKey, rnextKey });
}

/** The initial numbers are those before the segment's, if it is the third of a handshake; a SYN needs none but its own. */
export function strayAoSigner(
  context: TcpContext,
  info: AoInfo,
  ends: Endpoints,
  { seq, ack }: TcpSegment,
  choice: AoChoice = { currentKey: undefined, rnextKey: undefined },
): AoSigner {
  const [iss, irs] = [(ack - 1) | 0, (seq - 1) | 0];
  return aoSigner(hasherOf(context), info, choice, ends, iss, irs, { sndUna: ack, rcvNxt: seq });
}

/** Whether the listener still has a key for a handshake that began with TCP-AO. */
export function keysAreLeft(keys: SegmentKeys | undefined, embryo: Embryo): boolean {
  return !(embryo.signer instanceof AoSigner) || keys?.ao?.find(embryo.remote, -1, -1) !== undefined;
}

/**
 * The connection that an embryo becomes takes the keys for its peer along.
 * @param keys of the listener, as they are now
 */
export function inheritKeys(connection: ControlBlock, keys: SegmentKeys | undefined, signer: Signer | undefined): void {
  connection.settings.keys = undefined;
  if (signer === undefined) return;
  const { context, settings, remote, iss, irs } = connection;
  const own = new SegmentKeys();
  settings.keys = own;
  if (signer instanceof AoSigner) {
    own.ao = (keys as SegmentKeys).ao?.copyFor(remote, signer.choice) as AoInfo;
    connection.signer = aoSigner(hasherOf(context), own.ao, own.ao, connection, iss, irs, connection);
  } else if (signer instanceof Md5Signer) {
    own.md5.push({ address: remote, prefix: remote.family === 4 ? 32 : 128, key: signer.key });
    connection.signer = signer;
  }
}

/** The user changed a key of a connection that is there: it signs with what is set now (Linux). */
export function keysChanged(connection: ControlBlock): void {
  if (!(connection.signer instanceof AoSigner))
    connection.signer = md5Signer(connection, connection.settings.keys?.md5For(connection.remote));
  syncMss(connection);
}

function md5Signer(
  { context, local, remote }: { context: TcpContext; local: IpAddress; remote: IpAddress },
  key: Uint8Array | undefined,
): Md5Signer | undefined {
  return key === undefined ? undefined : new Md5Signer(hasherOf(context), key, local, remote);
}

function aoSigner(
  hasher: SegmentHasher,
  info: AoInfo,
  choice: AoChoice,
  ends: Endpoints,
  iss: number,
  irs: number,
  progress: Progress,
): AoSigner {
  const signer = new AoSigner(hasher, info, choice, ends, iss, progress);
  signer.peerStartsAt(irs);
  return signer;
}

/** Keys can be set only where there is one. */
function hasherOf(context: TcpContext): SegmentHasher {
  return context.hasher as SegmentHasher;
}
