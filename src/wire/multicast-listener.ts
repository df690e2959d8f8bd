/**
 * Multicast listener discovery for IPv6: what a host says of the groups it is in, and the questions of routers. RFC 3810 5, RFC 2710 3. Nothing is
 * allocated here.
 */
import { checksum, fold, pseudoHeaderSum6, sum } from './checksum.ts';
import { type AddressWords, HOP_BY_HOP_OPTIONS, IPV6_HEADER_LENGTH, PROTOCOL_ICMPV6, writeIpv6 } from './ipv6.ts';

export const MLD_QUERY = 130;
const MLD_V1_REPORT = 131;
const MLD_V2_REPORT = 143;
/** RFC 3810 5.1.14, 5.2.14: messages stay on their link. */
const MLD_HOP_LIMIT = 1;

/** Kinds of record: what is, and what has changed; of groups of which nobody is left out. RFC 3810 5.2.12. */
export const MODE_IS_EXCLUDE = 2;
export const CHANGE_TO_EXCLUDE = 4;

/** ff02::16, all routers that know version 2. RFC 3810 5.2.14. */
const REPORTS_TO: AddressWords = { bareW0: 0xff02_0000 | 0, w1: 0, w2: 0, w3: 0x16 };

const ROUTER_ALERT = 5;
const HOP_BY_HOP_LENGTH = 8;
const V1_LENGTH = 24;
const V2_QUERY_LENGTH = 28;
const V2_HEADER_LENGTH = 8;
const RECORD_LENGTH = 20;

/** A question as read. */
export class MldQuery {
  /** 1 or 2. */
  version = 2;
  /** An answer is to come within so many ms. */
  maxDelay = 0;
}

/**
 * Reads the question of `length` bytes at `offset`, behind the IPv6 header at `ip` and a hop-by-hop header; all lies within the view.
 * @returns whether it is one: from a link-local address, hop limit 1, with a Router Alert, its checksum right (RFC 3810 5.1.14, 6.2)
 */
export function parseMldQuery(view: DataView, ip: number, offset: number, length: number, out: MldQuery): boolean {
  if (length < V1_LENGTH || (length > V1_LENGTH && length < V2_QUERY_LENGTH)) return false;
  if (view.getUint8(ip + 7) !== MLD_HOP_LIMIT || view.getInt32(ip + 8) >>> 22 !== 0x3fa) return false;
  if (!hasRouterAlert(view, ip, offset)) return false;
  const word = (i: number) => view.getInt32(ip + 8 + 4 * i);
  const pseudo = pseudoHeaderSum6(
    word(0),
    word(1),
    word(2),
    word(3),
    word(4),
    word(5),
    word(6),
    word(7),
    PROTOCOL_ICMPV6,
  );
  if (fold(sum(view, offset, length, pseudo + length)) !== 0xffff) return false;
  out.version = length === V1_LENGTH ? 1 : 2;
  const code = view.getUint16(offset + 4);
  // RFC 3810 5.1.3: a large code is a number with an exponent.
  out.maxDelay = out.version === 1 || code < 0x8000 ? code : (0x1000 | (code & 0xfff)) << (((code >> 12) & 7) + 3);
  return true;
}

/** RFC 2711 2.1: the option in the hop-by-hop header, which ends at `end` at the latest. */
function hasRouterAlert(view: DataView, ip: number, end: number): boolean {
  if (view.getUint8(ip + 6) !== HOP_BY_HOP_OPTIONS) return false;
  let at = ip + IPV6_HEADER_LENGTH + 2;
  while (at + 2 <= end) {
    const type = view.getUint8(at);
    if (type === ROUTER_ALERT) return true;
    at += type === 0 ? 1 : 2 + view.getUint8(at + 1);
  }
  return false;
}

/** Writes a report of version 2 with its IPv6 header; the groups are link-local. @returns its bytes */
export function writeMldReport(
  view: DataView,
  at: number,
  source: AddressWords,
  kind: number,
  groups: readonly AddressWords[],
): number {
  const length = V2_HEADER_LENGTH + RECORD_LENGTH * groups.length;
  const message = writeHeaders(view, at, source, REPORTS_TO, length);
  view.setUint32(message, MLD_V2_REPORT << 24);
  view.setUint32(message + 4, groups.length);
  for (const [i, group] of groups.entries()) {
    const record = message + V2_HEADER_LENGTH + RECORD_LENGTH * i;
    view.setUint32(record, kind << 24);
    writeAddress(view, record + 4, group);
  }
  return finish(view, at, message, length);
}

/** Writes a report of version 1, which goes to the group. RFC 2710 3. @returns its bytes */
export function writeMldV1Report(view: DataView, at: number, source: AddressWords, group: AddressWords): number {
  const message = writeHeaders(view, at, source, group, V1_LENGTH);
  view.setUint32(message, MLD_V1_REPORT << 24);
  view.setUint32(message + 4, 0);
  writeAddress(view, message + 8, group);
  return finish(view, at, message, V1_LENGTH);
}

/** RFC 3810 5.2.14, RFC 2711 2.1: an IPv6 header, and a Router Alert behind it. @returns where the message starts */
function writeHeaders(view: DataView, at: number, source: AddressWords, to: AddressWords, length: number): number {
  writeIpv6(view, at, HOP_BY_HOP_LENGTH + length, 0, 0, HOP_BY_HOP_OPTIONS, MLD_HOP_LIMIT, source, to);
  const options = at + IPV6_HEADER_LENGTH;
  view.setUint32(options, (PROTOCOL_ICMPV6 << 24) | (ROUTER_ALERT << 8) | 2);
  view.setUint32(options + 4, 1 << 8);
  return options + HOP_BY_HOP_LENGTH;
}

function writeAddress(view: DataView, at: number, { bareW0, w1, w2, w3 }: AddressWords): void {
  view.setInt32(at, bareW0);
  view.setInt32(at + 4, w1);
  view.setInt32(at + 8, w2);
  view.setInt32(at + 12, w3);
}

function finish(view: DataView, at: number, message: number, length: number): number {
  const total = sum(view, message, length) + sum(view, at + 8, 32) + PROTOCOL_ICMPV6 + length;
  view.setUint16(message + 2, checksum(total));
  return message + length - at;
}
