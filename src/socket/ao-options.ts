/** TCP_AO_ADD_KEY, TCP_AO_DEL_KEY, TCP_AO_INFO, TCP_AO_GET_KEYS: Linux's bounds and results. */
import { AO_ALGORITHMS, AoInfo, AoKey } from '../tcp/ao-keys.ts';
import type { SegmentHasher } from '../tcp/segment-hasher.ts';
import { keysChanged, SegmentKeys } from '../tcp/segment-keys.ts';
import { CLOSED } from '../tcp/state.ts';
import { IpAddress, inPrefix } from '../wire/address.ts';
import { TCP_AO_ADD_KEY, TCP_AO_DEL_KEY, TCP_AO_KEYF_EXCLUDE_OPT } from './constants.ts';
import { EBUSY, EEXIST, EINVAL, EISCONN, EKEYREJECTED, EMSGSIZE, ENOENT } from './errno.ts';
import type { AoAdd, AoDelete, AoInfoSetting, AoInfoStatus, AoKeyStatus } from './key-values.ts';
import type { Socket } from './socket.ts';
import { addressBits } from './socket-address.ts';

/** TCP_AO_MAXKEYLEN, and RFC 5926's 96 bits. */
const MAX_KEY = 80;
const DEFAULT_MAC = 12;
/** What a SYN's other options leave of 40 bytes: an MSS of 4, timestamps with SACK of 12, a window scale of 4. */
const SYN_ROOM = 20;

/** @returns 0 or -errno */
export function setAo(socket: Socket, option: number, value: unknown): number {
  if (typeof value !== 'object' || value === null) return -EINVAL;
  const { connection, settings } = socket;
  // Linux: a connection is with TCP-AO from its SYN on, or never.
  const open = connection !== undefined && connection.state !== CLOSED;
  if (open && settings.keys?.ao === undefined) return -EISCONN;
  const choosing = value as { set_current?: boolean; set_rnext?: boolean };
  if ((choosing.set_current || choosing.set_rnext) && socket.listening) return -EINVAL;
  if (option === TCP_AO_ADD_KEY) return addKey(socket, value as Partial<AoAdd>, open);
  if (option === TCP_AO_DEL_KEY) return deleteKey(settings.keys?.ao, value as Partial<AoDelete>);
  return setInfo(socket, value as AoInfoSetting);
}

function addKey(socket: Socket, value: Partial<AoAdd>, open: boolean): number {
  const { addr, prefix = -1, sndid = -1, rcvid = -1, key, maclen = 0, keyflags = 0 } = value;
  if (!(addr instanceof IpAddress) || !(key instanceof Uint8Array) || key.length > MAX_KEY) return -EINVAL;
  if (!isByte(sndid) || !isByte(rcvid) || !isByte(maclen)) return -EINVAL;
  if (!isNetwork(socket, addr, prefix) || !reaches(socket, addr, prefix)) return -EINVAL;
  if ((keyflags & ~TCP_AO_KEYF_EXCLUDE_OPT) !== 0) return -EINVAL;
  const { settings } = socket;
  // RFC 5925 8.2: not both for one peer.
  if (settings.keys?.md5For(addr) !== undefined) return -EKEYREJECTED;
  const info = settings.keys?.ao ?? new AoInfo();
  // RFC 5925 3.1: the IDs of keys must not overlap where their connections do.
  const overlaps = (one: AoKey) => one.matches(addr, prefix, -1, rcvid) || one.matches(addr, prefix, sndid, -1);
  if (info.keys.some(overlaps)) return -EEXIST;
  const algorithm = AO_ALGORITHMS.find(({ name }) => name === value.alg_name);
  if (algorithm === undefined) return -ENOENT;
  const macLength = maclen || DEFAULT_MAC;
  if (macLength > algorithm.digestLength) return -EINVAL;
  const master = algorithm.master(socket.stack.tcp.hasher as SegmentHasher, key);
  const excludeOptions = keyflags !== 0;
  const added = new AoKey({
    address: addr,
    prefix,
    sndid,
    rcvid,
    algorithm,
    secret: key.slice(),
    master: master.slice(),
    macLength,
    excludeOptions,
  });
  if (added.optionLength > SYN_ROOM) return -EMSGSIZE;
  info.keys.unshift(added);
  own(socket, info);
  if (value.set_current) info.currentKey = added;
  if (value.set_rnext) info.rnextKey = added;
  if (open) keysChanged(socket.connection as NonNullable<Socket['connection']>);
  return 0;
}

/** Zeros behind the prefix; all peers or some. */
function isNetwork(socket: Socket, address: IpAddress, prefix: number): boolean {
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > addressBits(socket, address)) return false;
  if (prefix === 0 || address.isUnspecified) return prefix === 0 && address.isUnspecified;
  if (address.family === 4) return endsIn(address.w3, prefix);
  return [address.w0, address.w1, address.w2, address.w3].every((word, i) => endsIn(word, prefix - 32 * i));
}

/** Behind that many bits the word is zeros. */
function endsIn(word: number, bits: number): boolean {
  return bits >= 32 || (bits <= 0 ? word === 0 : word << bits === 0);
}

/** The key of a connection is for its peer. */
function reaches({ connection }: Socket, address: IpAddress, prefix: number): boolean {
  return connection === undefined || inPrefix(connection.remote, address, prefix);
}

function deleteKey(info: AoInfo | undefined, value: Partial<AoDelete>): number {
  const { addr, prefix, sndid, rcvid } = value;
  if (!(addr instanceof IpAddress)) return -EINVAL;
  if (info === undefined) return -ENOENT;
  const chosen = choiceOf(info, value);
  if (chosen === undefined) return -ENOENT;
  const at = info.keys.findIndex(
    (key) => key.sndid === sndid && key.rcvid === rcvid && key.prefix === prefix && key.address.equals(addr),
  );
  const key = info.keys[at];
  if (key === undefined || key === chosen.currentKey || key === chosen.rnextKey) return -ENOENT;
  if (chosen.currentKey !== undefined) info.currentKey = chosen.currentKey;
  if (chosen.rnextKey !== undefined) info.rnextKey = chosen.rnextKey;
  // RFC 5925 7.2: a key that a connection uses cannot be destroyed.
  if (info.currentKey === key || info.rnextKey === key) return -EBUSY;
  info.keys.splice(at, 1);
  return 0;
}

function setInfo(socket: Socket, value: AoInfoSetting): number {
  const info = socket.settings.keys?.ao ?? new AoInfo();
  const chosen = choiceOf(info, value);
  if (chosen === undefined) return -ENOENT;
  if (value.set_counters) {
    info.good = value.pkt_good ?? 0;
    info.bad = value.pkt_bad ?? 0;
    info.keyNotFound = value.pkt_key_not_found ?? 0;
    info.unsigned = value.pkt_ao_required ?? 0;
    info.droppedIcmps = value.pkt_dropped_icmp ?? 0;
  }
  info.required = value.ao_required ?? false;
  info.acceptIcmps = value.accept_icmps ?? false;
  if (chosen.currentKey !== undefined) info.currentKey = chosen.currentKey;
  if (chosen.rnextKey !== undefined) info.rnextKey = chosen.rnextKey;
  own(socket, info);
  if (socket.connection !== undefined) keysChanged(socket.connection);
  return 0;
}

interface Choice {
  readonly currentKey: AoKey | undefined;
  readonly rnextKey: AoKey | undefined;
}

/** The keys that are to be in use from now on. @returns undefined when one of them is not there */
function choiceOf(info: AoInfo, value: AoInfoSetting | Partial<AoDelete>): Choice | undefined {
  const currentKey = value.set_current ? info.keys.find(({ sndid }) => sndid === value.current_key) : undefined;
  const rnextKey = value.set_rnext ? info.keys.find(({ rcvid }) => rcvid === value.rnext) : undefined;
  if ((value.set_current && currentKey === undefined) || (value.set_rnext && rnextKey === undefined)) return undefined;
  return { currentKey, rnextKey };
}

function own({ settings }: Socket, info: AoInfo): void {
  settings.keys ??= new SegmentKeys();
  settings.keys.ao = info;
}

/** @returns -ENOENT when nothing of TCP-AO was ever set */
export function getAoInfo({ settings }: Socket): AoInfoStatus | number {
  const info = settings.keys?.ao;
  if (info === undefined) return -ENOENT;
  const { currentKey, rnextKey } = info;
  return {
    set_current: currentKey !== undefined,
    set_rnext: rnextKey !== undefined,
    current_key: currentKey?.sndid,
    rnext: rnextKey?.rcvid,
    ao_required: info.required,
    accept_icmps: info.acceptIcmps,
    pkt_good: info.good,
    pkt_bad: info.bad,
    pkt_key_not_found: info.keyNotFound,
    pkt_ao_required: info.unsigned,
    pkt_dropped_icmp: info.droppedIcmps,
  };
}

/** @returns -ENOENT as `getAoInfo` */
export function getAoKeys({ settings }: Socket): readonly AoKeyStatus[] | number {
  const info = settings.keys?.ao;
  if (info === undefined) return -ENOENT;
  return info.keys.map((key) => ({
    addr: key.address,
    prefix: key.prefix,
    alg_name: key.algorithm.name,
    sndid: key.sndid,
    rcvid: key.rcvid,
    maclen: key.macLength,
    keyflags: key.excludeOptions ? TCP_AO_KEYF_EXCLUDE_OPT : 0,
    key: key.secret.slice(),
    is_current: key === info.currentKey,
    is_rnext: key === info.rnextKey,
    pkt_good: key.good,
    pkt_bad: key.bad,
  }));
}

function isByte(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 255;
}
