/**
 * TCP-AO on one connection: RFC 5925, with the algorithms of RFC 5926. Traffic keys come from a master key and the numbers that the
 * handshake chose, so that what was signed for one connection is worth nothing on another.
 */
import type { Packet } from '../link/packet.ts';
import type { Chunk } from '../link/slab.ts';
import type { IpAddress } from '../wire/address.ts';
import { ACK, RST, SYN, TCP_HEADER_LENGTH, type TcpSegment, writeAo, writeNop } from '../wire/tcp.ts';
import type { AoChoice, AoInfo, AoKey } from './ao-keys.ts';
import type { TcpCounters } from './counters.ts';
import type { SegmentHasher } from './segment-hasher.ts';
import { before } from './sequence.ts';
import {
  inboundParts,
  outboundParts,
  pseudoHeader,
  type SegmentParts,
  SIGNATURE_OFFSET,
  type Signer,
  sameDigest,
  writeAddress,
} from './signer.ts';

/** Both ends, in our eyes. */
export interface Endpoints {
  readonly local: IpAddress;
  readonly localPort: number;
  readonly remote: IpAddress;
  readonly remotePort: number;
}

/** What sequence number extensions are counted from: a connection itself, or what is left of one. */
export interface Progress {
  readonly sndUna: number;
  readonly rcvNxt: number;
}

const LABEL = Uint8Array.of(1, ...[...'TCP-AO'].map((letter) => letter.charCodeAt(0)));
const OPTION_HEAD = 4;

export class AoSigner implements Signer {
  readonly leavesTimestamps = true;
  readonly info: AoInfo;
  readonly #hasher: SegmentHasher;
  readonly #choice: AoChoice;
  readonly #ends: Endpoints;
  readonly #iss: number;
  /** The peer's initial number; known once its SYN was taken. */
  #irs = 0;
  #irsKnown = false;
  /** RFC 5925 6.2: extensions of SND.UNA and RCV.NXT as they were when we last looked. */
  #sndSne = 0;
  #sndBasis: number;
  #rcvSne = 0;
  #rcvBasis = 0;
  #progress: Progress;
  /** Send_other and Receive_other traffic keys. */
  readonly #traffic = new Map<AoKey, { readonly send: Uint8Array; readonly receive: Uint8Array }>();

  /** @param choice the keys in use: `info` itself on a connection, which then follows what the peer asks for */
  constructor(hasher: SegmentHasher, info: AoInfo, choice: AoChoice, ends: Endpoints, iss: number, progress: Progress) {
    this.info = info;
    this.#progress = progress;
    this.#hasher = hasher;
    this.#choice = choice;
    this.#ends = ends;
    this.#iss = iss;
    this.#sndBasis = iss;
  }

  /** Which key signs, and which one the peer is asked to use. */
  get choice(): AoChoice {
    return this.#choice;
  }

  get length(): number {
    return (this.#choice.currentKey as AoKey).optionLength;
  }

  /** The peer's SYN is taken: RCV.NXT is behind it. */
  peerStartsAt(irs: number): void {
    this.#irs = irs;
    this.#irsKnown = true;
    this.#rcvBasis = irs;
    this.#traffic.clear();
  }

  outlives(sndNxt: number, rcvNxt: number): void {
    this.#follow();
    this.#progress = { sndUna: sndNxt, rcvNxt };
  }

  write(view: DataView, offset: number): number {
    const { currentKey, rnextKey } = this.#choice as { currentKey: AoKey; rnextKey: AoKey };
    let at = writeAo(view, offset, currentKey.sndid, rnextKey.rcvid, currentKey.macLength);
    for (; at < offset + currentKey.optionLength; at++) writeNop(view, at);
    return at;
  }

  /** RFC 5925 7.4. */
  sign(packet: Packet): void {
    const { view, bytes } = packet.chunk;
    const key = this.#choice.currentKey as AoKey;
    const isSyn = (view.getUint8(packet.offset + 13) & (SYN | ACK)) === SYN;
    const traffic = isSyn ? this.#derive(key, true, this.#iss, 0) : this.#trafficKeys(key).send;
    this.#follow();
    const sne = extension(this.#sndSne, this.#sndBasis, view.getInt32(packet.offset + 4));
    const { local, remote } = this.#ends;
    const mac = this.#mac(key, traffic, sne, local, remote, outboundParts(packet), SIGNATURE_OFFSET);
    bytes.set(mac.subarray(0, key.macLength), packet.offset + SIGNATURE_OFFSET);
  }

  /** RFC 5925 7.5, for a segment that has the option. @returns why it is to be dropped, if it is */
  verify(segment: TcpSegment, chunk: Chunk, counters: TcpCounters): string | undefined {
    const { info } = this;
    const key = info.find(this.#ends.remote, -1, segment.aoKeyId);
    if (key === undefined) {
      counters.TCPAOKeyNotFound++;
      info.keyNotFound++;
      return 'tcp-ao-key-not-found';
    }
    if (segment.aoLength !== key.macLength || !this.#verifies(key, segment, chunk)) {
      counters.TCPAOBad++;
      info.bad++;
      key.bad++;
      return 'tcp-ao-bad';
    }
    counters.TCPAOGood++;
    info.good++;
    key.good++;
    if (this.#irsKnown && (segment.flags & SYN) === 0) this.#rollOver(segment.aoRnextKeyId);
    return undefined;
  }

  /** RFC 5925 7.5 2.e: the peer asks for another key: it becomes current_key when we have it. */
  #rollOver(rnextKeyId: number): void {
    const choice = this.#choice;
    if (choice !== this.info || rnextKeyId === choice.currentKey?.sndid) return;
    const wanted = this.info.find(this.#ends.remote, rnextKeyId, -1);
    if (wanted !== undefined) choice.currentKey = wanted;
  }

  #verifies(key: AoKey, segment: TcpSegment, chunk: Chunk): boolean {
    const { local, remote } = this.#ends;
    const start = segment.payloadOffset - segment.headerLength;
    const parts = inboundParts(segment, chunk, segment.aoOffset, segment.aoLength);
    let traffic: Uint8Array;
    let sne = 0;
    // RFC 5925 5.2: a SYN does not know our number yet. Nor do we know the peer's before its SYN is taken, but from that SYN itself.
    if ((segment.flags & (SYN | ACK)) === SYN) {
      traffic = this.#derive(key, false, 0, segment.seq);
    } else if (!this.#irsKnown) {
      if ((segment.flags & (SYN | RST)) !== 0) this.#guess(segment.seq);
      traffic = this.#trafficKeys(key).receive;
    } else {
      this.#follow();
      traffic = this.#trafficKeys(key).receive;
      sne = extension(this.#rcvSne, this.#rcvBasis, segment.seq);
    }
    const mac = this.#mac(key, traffic, sne, remote, local, parts, segment.aoOffset - start);
    return sameDigest(mac, chunk.bytes, segment.aoOffset, key.macLength);
  }

  /** In SYN-SENT: what the segment at hand says is its first number. */
  #guess(irs: number): void {
    if (this.#irs === irs) return;
    this.#irs = irs;
    this.#traffic.clear();
  }

  /** RFC 5925 6.2: counts the turns of both sequence spaces; segments are verified before they move them, so none is missed. */
  #follow(): void {
    const { sndUna, rcvNxt } = this.#progress;
    if (sndUna >>> 0 < this.#sndBasis >>> 0) this.#sndSne = (this.#sndSne + 1) | 0;
    this.#sndBasis = sndUna;
    if (!this.#irsKnown) return;
    if (rcvNxt >>> 0 < this.#rcvBasis >>> 0) this.#rcvSne = (this.#rcvSne + 1) | 0;
    this.#rcvBasis = rcvNxt;
  }

  #trafficKeys(key: AoKey): { readonly send: Uint8Array; readonly receive: Uint8Array } {
    let keys = this.#traffic.get(key);
    if (keys === undefined) {
      keys = {
        send: this.#derive(key, true, this.#iss, this.#irs),
        receive: this.#derive(key, false, this.#iss, this.#irs),
      };
      this.#traffic.set(key, keys);
    }
    return keys;
  }

  /** RFC 5925 5.2, RFC 5926 3.1.1: the traffic key for what we send, or receive. */
  #derive(key: AoKey, sending: boolean, localIsn: number, remoteIsn: number): Uint8Array {
    const { local, localPort, remote, remotePort } = this.#ends;
    const context = new Uint8Array(local.family === 4 ? 20 : 44);
    const view = new DataView(context.buffer);
    const ports = writeAddress(view, writeAddress(view, 0, sending ? local : remote), sending ? remote : local);
    view.setUint16(ports, sending ? localPort : remotePort);
    view.setUint16(ports + 2, sending ? remotePort : localPort);
    view.setInt32(ports + 4, sending ? localIsn : remoteIsn);
    view.setInt32(ports + 8, sending ? remoteIsn : localIsn);
    const bits = 8 * key.algorithm.digestLength;
    return key.algorithm.mac(this.#hasher, key.master, [LABEL, context, Uint8Array.of(bits >> 8, bits & 255)]);
  }

  /** RFC 5925 5.1: the extension, the pseudo-header, the header with the checksum and the MAC zero, the data. @param macAt from the header's start */
  #mac(
    key: AoKey,
    traffic: Uint8Array,
    sne: number,
    source: IpAddress,
    destination: IpAddress,
    { header, payload, length }: SegmentParts,
    macAt: number,
  ): Uint8Array {
    const front = Uint8Array.of(sne >>> 24, sne >>> 16, sne >>> 8, sne);
    const pseudo = pseudoHeader(source, destination, length);
    const option = header.subarray(macAt - OPTION_HEAD, macAt + key.macLength);
    const headers = key.excludeOptions ? [header.subarray(0, TCP_HEADER_LENGTH), option] : [header];
    return key.algorithm.mac(this.#hasher, traffic, [front, pseudo, ...headers, ...payload]);
  }
}

/** RFC 5925 6.2: the extension of a number that lies at most half the space from one whose extension is known. */
function extension(sne: number, basis: number, seq: number): number {
  const [a, b] = [seq >>> 0, basis >>> 0];
  if (before(seq, basis)) return a > b ? (sne - 1) | 0 : sne;
  return a < b ? (sne + 1) | 0 : sne;
}
