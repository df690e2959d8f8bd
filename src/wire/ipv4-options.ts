/** Options of an IPv4 header that a router has a hand in: RFC 791 3.1, RFC 1812 5.3.13. */
import { OK } from './reasons.ts';

const END = 0;
const NO_OPERATION = 1;
const RECORD_ROUTE = 7;
const TIMESTAMP = 68;
const LOOSE_SOURCE_ROUTE = 131;
const STRICT_SOURCE_ROUTE = 137;

/** Flags of a timestamp option: times alone; addresses with them; addresses that the sender gave, each to be answered by its owner. */
const TIMES_ONLY = 0;
const WITH_ADDRESSES = 1;
const FOR_GIVEN = 3;

/** RFC 791 3.1: the high bit of the type: the option is to be in every fragment. */
const COPIED = 0x80;

/** What a router must not pass on. */
export const SOURCE_ROUTED = -2;

/**
 * Lets a router do its part to the options of a header of more than 20 bytes: its address and the time go where there is room for them. The header's
 * checksum is the caller's to write.
 * @param address of the interface that the packet leaves by; 0: it has none
 * @param isOwn whether an address is the router's
 * @param time ms since midnight UTC
 * @returns -1: that is done; SOURCE_ROUTED; or the byte of the header that is wrong
 */
export function passOptions(
  view: DataView,
  header: number,
  headerLength: number,
  address: number,
  isOwn: (address: number) => boolean,
  time: number,
): number {
  for (let at = 20; at < headerLength; ) {
    const type = view.getUint8(header + at);
    if (type === END) break;
    if (type === NO_OPERATION) {
      at++;
      continue;
    }
    const length = at + 1 < headerLength ? view.getUint8(header + at + 1) : 0;
    if (length < 2 || at + length > headerLength) return at + 1;
    if (type === LOOSE_SOURCE_ROUTE || type === STRICT_SOURCE_ROUTE) return SOURCE_ROUTED;
    const bad =
      type === RECORD_ROUTE
        ? recordRoute(view, header + at, length, address)
        : type === TIMESTAMP
          ? recordTime(view, header + at, length, address, isOwn, time)
          : OK;
    if (bad !== OK) return at + bad;
    at += length;
  }
  return -1;
}

/** The longest header: options are looked at in a copy, as a host leaves them as they came. */
const copy = new Uint8Array(60);
const copyView = new DataView(copy.buffer);
const nobody = () => false;

/**
 * Looks at the options of a packet that is for this host.
 * @returns -1: they are well formed, or source routes; or the byte of the header that is wrong
 */
export function findBadOption(view: DataView, header: number, headerLength: number): number {
  for (let at = 20; at < headerLength; at++) copy[at] = view.getUint8(header + at);
  return Math.max(passOptions(copyView, 0, headerLength, 0, nobody, 0), -1);
}

/** RFC 1812 5.3.13.5. @returns the offset in the option of what is wrong; OK (0): nothing */
function recordRoute(view: DataView, at: number, length: number, address: number): number {
  const pointer = length < 3 ? 0 : view.getUint8(at + 2);
  if (pointer < 4) return 2;
  // RFC 791: when the list is full, the packet goes on without.
  if (pointer > length || address === 0) return OK;
  if (pointer + 3 > length) return 2;
  view.setInt32(at + pointer - 1, address);
  view.setUint8(at + 2, pointer + 4);
  return OK;
}

/** RFC 1812 5.3.13.6, RFC 791 3.1. */
function recordTime(
  view: DataView,
  at: number,
  length: number,
  address: number,
  isOwn: (address: number) => boolean,
  time: number,
): number {
  const pointer = length < 4 ? 0 : view.getUint8(at + 2);
  if (pointer < 5) return 2;
  const flags = view.getUint8(at + 3) & 0xf;
  const room = flags === TIMES_ONLY ? 4 : 8;
  if (flags !== TIMES_ONLY && flags !== WITH_ADDRESSES && flags !== FOR_GIVEN) return 3;
  if (pointer > length) {
    // Who finds no room counts in the high half of the last byte.
    const missed = view.getUint8(at + 3) >> 4;
    if (missed === 15) return 3;
    view.setUint8(at + 3, ((missed + 1) << 4) | flags);
    return OK;
  }
  if (pointer + room - 1 > length) return 2;
  let slot = at + pointer - 1;
  if (flags === FOR_GIVEN && !isOwn(view.getInt32(slot))) return OK;
  if (flags === WITH_ADDRESSES) view.setInt32(slot, address);
  if (flags !== TIMES_ONLY) slot += 4;
  view.setUint32(slot, time);
  view.setUint8(at + 2, pointer + room);
  return OK;
}

/**
 * Copies the options that every fragment has to carry behind a header of 20 bytes, padded. The options have been looked at by `passOptions`.
 * @returns the length of the header with them, bytes
 */
export function copyFragmentOptions(
  from: DataView,
  header: number,
  headerLength: number,
  to: DataView,
  out: number,
): number {
  let end = 20;
  for (let at = 20; at < headerLength; ) {
    const type = from.getUint8(header + at);
    if (type === END) break;
    const length = type === NO_OPERATION ? 1 : from.getUint8(header + at + 1);
    if ((type & COPIED) !== 0)
      for (let i = 0; i < length; i++) to.setUint8(out + end++, from.getUint8(header + at + i));
    at += length;
  }
  while ((end & 3) !== 0) to.setUint8(out + end++, END);
  return end;
}
