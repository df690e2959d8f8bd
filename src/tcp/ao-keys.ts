/** TCP-AO's master keys and what a socket does with them: RFC 5925 3.1, 3.3. Names are those of Linux's structures. */
import { type IpAddress, inPrefix } from '../wire/address.ts';
import type { SegmentHasher } from './segment-hasher.ts';

/** RFC 5926: a MAC with the key derivation function that goes with it. */
export interface AoAlgorithm {
  /** As the user calls it. */
  readonly name: string;
  /** Bytes of the digest, which a MAC may cut, and of a traffic key. */
  readonly digestLength: number;
  mac(hasher: SegmentHasher, key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array;
  /** The key that traffic keys are derived with. */
  master(hasher: SegmentHasher, key: Uint8Array): Uint8Array;
}

const NO_KEY = new Uint8Array(16);

export const AO_ALGORITHMS: readonly AoAlgorithm[] = [
  {
    name: 'hmac(sha1)',
    digestLength: 20,
    mac: (hasher, key, parts) => hasher.hmacSha1(key, parts),
    master: (_, key) => key,
  },
  {
    name: 'cmac(aes128)',
    digestLength: 16,
    mac: (hasher, key, parts) => hasher.aesCmac(key, parts),
    // RFC 5926 3.1.1.2: a key of another length than 16 bytes is made one of 16 (RFC 4615).
    master: (hasher, key) => (key.length === 16 ? key : hasher.aesCmac(NO_KEY, [key])),
  },
];

/** RFC 5925 3.1: a master key tuple (MKT). */
export class AoKey {
  readonly address: IpAddress;
  /** Bits of the address that a peer must share; 0: all peers. */
  readonly prefix: number;
  readonly sndid: number;
  readonly rcvid: number;
  readonly algorithm: AoAlgorithm;
  /** As the user gave it, and what keys are derived with. */
  readonly secret: Uint8Array;
  readonly master: Uint8Array;
  /** Bytes of the MAC on the wire. */
  readonly macLength: number;
  /** RFC 5925 3.1: the MAC covers no option but its own. */
  readonly excludeOptions: boolean;
  good = 0;
  bad = 0;

  constructor(fields: Pick<AoKey, AoKeyField>) {
    this.address = fields.address;
    this.prefix = fields.prefix;
    this.sndid = fields.sndid;
    this.rcvid = fields.rcvid;
    this.algorithm = fields.algorithm;
    this.secret = fields.secret;
    this.master = fields.master;
    this.macLength = fields.macLength;
    this.excludeOptions = fields.excludeOptions;
  }

  /** Bytes of the option with its padding. */
  get optionLength(): number {
    return (4 + this.macLength + 3) & ~3;
  }

  /** Whether it is for that peer (or, of a prefix shorter than its own, for any in it), and has these IDs; -1: any. */
  matches(remote: IpAddress, bits: number, sndid: number, rcvid: number): boolean {
    if ((sndid >= 0 && sndid !== this.sndid) || (rcvid >= 0 && rcvid !== this.rcvid)) return false;
    return inPrefix(remote, this.address, Math.min(bits, this.prefix));
  }
}

type AoKeyField =
  | 'address'
  | 'prefix'
  | 'sndid'
  | 'rcvid'
  | 'algorithm'
  | 'secret'
  | 'master'
  | 'macLength'
  | 'excludeOptions';

/** Which keys are in use. RFC 5925 3.3: current_key signs what we send, rnext_key is the one that we ask the peer to use. */
export interface AoChoice {
  currentKey: AoKey | undefined;
  rnextKey: AoKey | undefined;
}

/** What a socket has of TCP-AO; a connection's is its own. */
export class AoInfo implements AoChoice {
  /** The latest first, as Linux looks through them. */
  keys: AoKey[] = [];
  currentKey: AoKey | undefined;
  rnextKey: AoKey | undefined;
  /** Peers without a key of theirs are refused as well. */
  required = false;
  /** RFC 5925 7.8: hard ICMP errors count. */
  acceptIcmps = false;
  good = 0;
  bad = 0;
  keyNotFound = 0;
  unsigned = 0;
  droppedIcmps = 0;

  /** The key for a peer. @param sndid, rcvid -1: any */
  find(remote: IpAddress, sndid: number, rcvid: number): AoKey | undefined {
    return this.keys.find((key) => key.matches(remote, 128, sndid, rcvid));
  }

  /** RFC 5925 7.3: whether what comes from this peer must be signed. */
  requires(remote: IpAddress): boolean {
    return this.required || this.find(remote, -1, -1) !== undefined;
  }

  /** For an accepted connection: the keys that are for its peer; undefined: there are none. */
  copyFor(remote: IpAddress, { currentKey, rnextKey }: AoChoice): AoInfo | undefined {
    const copy = new AoInfo();
    copy.required = this.required;
    copy.acceptIcmps = this.acceptIcmps;
    for (const key of this.keys) if (key.matches(remote, 128, -1, -1)) copy.keys.unshift(new AoKey(key));
    const [first] = copy.keys;
    if (first === undefined) return undefined;
    copy.currentKey = copy.find(remote, currentKey?.sndid ?? -1, -1) ?? first;
    copy.rnextKey = copy.find(remote, -1, rnextKey?.rcvid ?? -1) ?? first;
    return copy;
  }

  /** Before a connection to the peer opens: other keys are of no use to it. */
  keepFor(remote: IpAddress): void {
    this.keys = this.keys.filter((key) => key.matches(remote, 128, -1, -1));
    const [first] = this.keys;
    if (this.currentKey === undefined || !this.keys.includes(this.currentKey)) this.currentKey = first;
    if (this.rnextKey === undefined || !this.keys.includes(this.rnextKey)) this.rnextKey = first;
  }
}
