/**
 * Neighbour discovery for IPv6: solicitations, advertisements and redirects, with the checks that come before anything is believed.
 * RFC 4861 4, 6.1, 7.1, 8.1. Nothing is allocated here.
 */
import { checksum, fold, pseudoHeaderSum6, sum } from './checksum.ts';
import { isGroupAddress } from './ethernet.ts';
import { ICMPV6_REDIRECT, ICMPV6_ROUTER_SOLICITATION } from './icmpv6.ts';
import { type AddressWords, IPV6_HEADER_LENGTH, PROTOCOL_ICMPV6 } from './ipv6.ts';
import { ND_BAD_CHECKSUM, ND_BAD_FORMAT, ND_BAD_OPTION, ND_FORWARDED, ND_TRUNCATED, OK } from './reasons.ts';

export const ND_ROUTER_ADVERTISEMENT = 134;
export const ND_NEIGHBOUR_SOLICITATION = 135;
export const ND_NEIGHBOUR_ADVERTISEMENT = 136;

/** RFC 4861 3.1: with it a packet cannot have come through a router. */
export const ND_HOP_LIMIT = 255;
/** Bytes of a neighbour solicitation or advertisement, and of that with one link-layer address. RFC 4861 4.3, 4.6.1. */
export const ND_NEIGHBOUR_LENGTH = 24;
export const ND_WITH_ADDRESS = 32;

const OPTION_SOURCE = 1;
const OPTION_TARGET = 2;

/** Flags of an advertisement, in its fifth byte. RFC 4861 4.4. */
const ROUTER = 0x80;
const SOLICITED = 0x40;
const OVERRIDE = 0x20;

/** The shortest message of each kind, bytes, from ICMPV6_ROUTER_SOLICITATION on. */
const SHORTEST: readonly number[] = [8, 16, ND_NEIGHBOUR_LENGTH, ND_NEIGHBOUR_LENGTH, 40];

/** A message as read; one record is used for all. After a reason code other than OK its fields mean nothing. */
export class NdMessage {
  /** ND_... */
  type = 0;
  /** Source and destination of the packet, int32 words. */
  s0 = 0;
  s1 = 0;
  s2 = 0;
  s3 = 0;
  d0 = 0;
  d1 = 0;
  d2 = 0;
  d3 = 0;
  /** The target of a neighbour message or a redirect. */
  t0 = 0;
  t1 = 0;
  t2 = 0;
  t3 = 0;
  /** Of a neighbour advertisement. */
  router = false;
  solicited = false;
  override = false;
  /** The link-layer address that the message tells: its sender's (solicitations, router advertisement) or its target's (the others). */
  hasAddress = false;
  addressHigh = 0;
  addressLow = 0;

  get fromUnspecified(): boolean {
    return (this.s0 | this.s1 | this.s2 | this.s3) === 0;
  }

  get toMulticast(): boolean {
    return this.d0 >>> 24 === 0xff;
  }
}

export function isNeighbourDiscovery(type: number): boolean {
  return type >= ICMPV6_ROUTER_SOLICITATION && type <= ICMPV6_REDIRECT;
}

/**
 * Reads the message of `length` bytes at `offset`, behind the IPv6 header at `ip`; both lie within the view.
 * @returns OK, or why it is to be discarded silently: an ND_ reason
 */
export function parseNd(view: DataView, ip: number, offset: number, length: number, out: NdMessage): number {
  if (length < 8) return ND_TRUNCATED;
  out.type = view.getUint8(offset);
  if (length < (SHORTEST[out.type - ICMPV6_ROUTER_SOLICITATION] ?? Infinity)) return ND_TRUNCATED;
  // RFC 4861 6.1, 7.1, 8.1: hop limit 255, a valid checksum, code 0, in every message.
  if (view.getUint8(ip + 7) !== ND_HOP_LIMIT) return ND_FORWARDED;
  if (view.getUint8(offset + 1) !== 0) return ND_BAD_FORMAT;
  readAddresses(view, ip, out);
  const { s0, s1, s2, s3, d0, d1, d2, d3 } = out;
  const pseudo = pseudoHeaderSum6(s0, s1, s2, s3, d0, d1, d2, d3, PROTOCOL_ICMPV6) + length;
  if (fold(sum(view, offset, length, pseudo)) !== 0xffff) return ND_BAD_CHECKSUM;
  const reason = readOptions(view, offset, length, out);
  return reason === OK ? checkKind(view, offset, out) : reason;
}

function readAddresses(view: DataView, ip: number, out: NdMessage): void {
  out.s0 = view.getInt32(ip + 8);
  out.s1 = view.getInt32(ip + 12);
  out.s2 = view.getInt32(ip + 16);
  out.s3 = view.getInt32(ip + 20);
  out.d0 = view.getInt32(ip + 24);
  out.d1 = view.getInt32(ip + 28);
  out.d2 = view.getInt32(ip + 32);
  out.d3 = view.getInt32(ip + 36);
}

/** Looks for the one link-layer address that this kind of message may have; other options are passed over. */
function readOptions(view: DataView, offset: number, length: number, out: NdMessage): number {
  const ofTarget = out.type === ND_NEIGHBOUR_ADVERTISEMENT || out.type === ICMPV6_REDIRECT;
  const wanted = ofTarget ? OPTION_TARGET : OPTION_SOURCE;
  out.hasAddress = false;
  const end = offset + length;
  let at = offset + (SHORTEST[out.type - ICMPV6_ROUTER_SOLICITATION] as number);
  while (at < end) {
    // RFC 4861 4.6: a length of 0 says nothing about where the next option starts: the packet is discarded.
    const size = at + 2 <= end ? view.getUint8(at + 1) << 3 : 0;
    if (size === 0 || at + size > end) return ND_BAD_OPTION;
    // RFC 2464 6: on Ethernet the option has 8 bytes.
    if (view.getUint8(at) === wanted && size === 8) {
      out.addressHigh = view.getUint16(at + 2);
      out.addressLow = view.getInt32(at + 4);
      // Nobody is at the address of a group.
      out.hasAddress = !isGroupAddress(out.addressHigh);
    }
    at += size;
  }
  return OK;
}

/** What only one kind of message has to satisfy. */
function checkKind(view: DataView, offset: number, out: NdMessage): number {
  // RFC 4861 6.1.2, 8.1: routers speak from their link-local address.
  const fromRouter = out.type === ND_ROUTER_ADVERTISEMENT || out.type === ICMPV6_REDIRECT;
  if (fromRouter && out.s0 >>> 22 !== 0x3fa) return ND_BAD_FORMAT;
  // RFC 4861 6.1.1, 7.1.1: whoever has no address yet tells none.
  if (!fromRouter && out.fromUnspecified && out.hasAddress) return ND_BAD_FORMAT;
  if (out.type === ICMPV6_ROUTER_SOLICITATION || out.type === ND_ROUTER_ADVERTISEMENT) return OK;
  out.t0 = view.getInt32(offset + 8);
  out.t1 = view.getInt32(offset + 12);
  out.t2 = view.getInt32(offset + 16);
  out.t3 = view.getInt32(offset + 20);
  // RFC 4861 7.1.1, 7.1.2: the target is no group.
  if (out.t0 >>> 24 === 0xff) return ND_BAD_FORMAT;
  if (out.type === ND_NEIGHBOUR_SOLICITATION) {
    return out.fromUnspecified && !isSolicitedNode(out.d0, out.d1, out.d2, out.d3) ? ND_BAD_FORMAT : OK;
  }
  if (out.type === ND_NEIGHBOUR_ADVERTISEMENT) {
    const flags = view.getUint8(offset + 4);
    out.router = (flags & ROUTER) !== 0;
    out.solicited = (flags & SOLICITED) !== 0;
    out.override = (flags & OVERRIDE) !== 0;
    return out.solicited && out.toMulticast ? ND_BAD_FORMAT : OK;
  }
  // RFC 4861 8.1: a redirect's destination is no group, and its target is a router's link-local address or the destination itself.
  if (view.getUint8(offset + 24) === 0xff) return ND_BAD_FORMAT;
  if (out.t0 >>> 22 === 0x3fa) return OK;
  for (let i = 0; i < 16; i += 4)
    if (view.getInt32(offset + 8 + i) !== view.getInt32(offset + 24 + i)) return ND_BAD_FORMAT;
  return OK;
}

/** RFC 4291 2.7.1: ff02::1:ff00:0/104, with the last 24 bits of the addresses that it is for. */
export function isSolicitedNode(w0: number, w1: number, w2: number, w3: number): boolean {
  return w0 >>> 16 === 0xff02 && (w0 & 0xffff) === 0 && w1 === 0 && w2 === 1 && w3 >>> 24 === 0xff;
}

/** The last word of the solicited-node address of an address with that last word; the others are 0xff020000, 0, 1. */
export function solicitedNodeWord(w3: number): number {
  return 0xff00_0000 | (w3 & 0xff_ffff);
}

export interface NeighbourMessage {
  readonly type: typeof ND_NEIGHBOUR_SOLICITATION | typeof ND_NEIGHBOUR_ADVERTISEMENT;
  readonly target: AddressWords;
  readonly router?: boolean;
  readonly solicited?: boolean;
  readonly override?: boolean;
  /** The sender's of a solicitation, the target's of an advertisement: high 16 and low 32 bits. */
  readonly address?: readonly [high: number, low: number];
}

/**
 * Writes a neighbour solicitation or advertisement behind the IPv6 header at `ip`, which has no extension headers and is there already: its
 * addresses go into the checksum.
 * @returns bytes written: 24 or 32
 */
export function writeNeighbourMessage(view: DataView, ip: number, message: NeighbourMessage): number {
  const { type, target, router = false, solicited = false, override = false, address } = message;
  const at = ip + IPV6_HEADER_LENGTH;
  view.setUint32(at, type << 24);
  const flags = (router ? ROUTER : 0) | (solicited ? SOLICITED : 0) | (override ? OVERRIDE : 0);
  view.setUint32(at + 4, flags << 24);
  view.setInt32(at + 8, target.bareW0);
  view.setInt32(at + 12, target.w1);
  view.setInt32(at + 16, target.w2);
  view.setInt32(at + 20, target.w3);
  let length = ND_NEIGHBOUR_LENGTH;
  if (address !== undefined) {
    view.setUint8(at + length, type === ND_NEIGHBOUR_SOLICITATION ? OPTION_SOURCE : OPTION_TARGET);
    view.setUint8(at + length + 1, 1);
    view.setUint16(at + length + 2, address[0]);
    view.setInt32(at + length + 4, address[1]);
    length = ND_WITH_ADDRESS;
  }
  view.setUint16(at + 2, checksum(sum(view, at, length) + sum(view, ip + 8, 32) + PROTOCOL_ICMPV6 + length));
  return length;
}
