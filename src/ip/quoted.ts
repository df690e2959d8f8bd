/** The packet that an ICMP error quotes: one of ours, it says, as far as it was quoted. RFC 792, RFC 4443 2.4. */
import { isZoned } from '../wire/address.ts';
import { Ipv4Header, parseQuotedIpv4 } from '../wire/ipv4.ts';
import {
  FRAGMENT_HEADER,
  FRAGMENT_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  Ipv6Header,
  isExtensionHeader,
  parseQuotedIpv6,
} from '../wire/ipv6.ts';
import { OK } from '../wire/reasons.ts';
import { lengthOf } from './extension-headers.ts';
import { type InboundPacket, isPlain } from './inbound.ts';

/** One record serves all errors. */
export class QuotedPacket {
  /** The upper layer's. */
  protocol = 0;
  /** Source (one of our addresses, if it is ours) and destination, as the words of IpAddress. */
  s0 = 0;
  s1 = 0;
  s2 = 0;
  s3 = 0;
  d0 = 0;
  d1 = 0;
  d2 = 0;
  d3 = 0;
  /** Where the upper layer's header is in the view, and how much of that layer was quoted, bytes. */
  offset = 0;
  length = 0;
  /** Of the error itself, and the words of the address that it came from. */
  type = 0;
  code = 0;
  from0 = 0;
  from1 = 0;
  from2 = 0;
  from3 = 0;

  /** Keeps what the error is, and whose. */
  reported(type: number, code: number, { s0, s1, s2, s3 }: InboundPacket): void {
    this.type = type;
    this.code = code;
    this.from0 = s0;
    this.from1 = s1;
    this.from2 = s2;
    this.from3 = s3;
  }
}

const header4 = new Ipv4Header();
const header6 = new Ipv6Header();

/**
 * Reads what is quoted in the `length` bytes at `offset`.
 * @param zone the index of the interface that the error came in on
 * @returns whether there is anything of the upper layer's header: false for what is cut off before, and for all but the first fragment
 */
export function readQuoted(
  family: 4 | 6,
  view: DataView,
  offset: number,
  length: number,
  zone: number,
  out: QuotedPacket,
): boolean {
  return family === 4 ? read4(view, offset, length, out) : read6(view, offset, length, zone, out);
}

function read4(view: DataView, offset: number, length: number, out: QuotedPacket): boolean {
  if (parseQuotedIpv4(view, offset, length, header4) !== OK || header4.fragmentOffset !== 0) return false;
  out.protocol = header4.protocol;
  out.s0 = 0;
  out.s1 = 0;
  out.s2 = 0xffff;
  out.s3 = header4.source;
  out.d0 = 0;
  out.d1 = 0;
  out.d2 = 0xffff;
  out.d3 = header4.destination;
  out.offset = offset + header4.headerLength;
  out.length = length - header4.headerLength;
  return true;
}

function read6(view: DataView, offset: number, length: number, zone: number, out: QuotedPacket): boolean {
  if (parseQuotedIpv6(view, offset, length, header6) !== OK) return false;
  const { s0, d0 } = header6;
  // No packet of ours looks like that on the wire: within the host it would be one of IPv4, or of another link.
  if (!isPlain(s0, header6.s1, header6.s2) || !isPlain(d0, header6.d1, header6.d2)) return false;
  out.s0 = isZoned(s0) ? s0 | zone : s0;
  out.s1 = header6.s1;
  out.s2 = header6.s2;
  out.s3 = header6.s3;
  out.d0 = isZoned(d0) ? d0 | zone : d0;
  out.d1 = header6.d1;
  out.d2 = header6.d2;
  out.d3 = header6.d3;
  const end = offset + length;
  let at = offset + IPV6_HEADER_LENGTH;
  let kind = header6.nextHeader;
  while (isExtensionHeader(kind)) {
    if (at + FRAGMENT_HEADER_LENGTH > end) return false;
    if (kind === FRAGMENT_HEADER && view.getUint16(at + 2) >>> 3 !== 0) return false;
    const size = lengthOf(view, at, kind);
    kind = view.getUint8(at);
    at += size;
  }
  out.protocol = kind;
  out.offset = at;
  out.length = end - at;
  return at <= end;
}
