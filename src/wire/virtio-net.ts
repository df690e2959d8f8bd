/**
 * The header before each packet of a TUN device opened with IFF_VNET_HDR: `struct virtio_net_hdr` of the virtio specification
 * 1.2, 5.1.6, in the machine's byte order, which is little endian wherever Node.js runs with TUN.
 */
import { OK, VIRTIO_NET_BAD_HEADER } from './reasons.ts';

export const VNET_HEADER_LENGTH = 10;

/** Flags: the checksum from `csumStart` on is still to be made; somebody has verified the checksum. */
export const VNET_NEEDS_CSUM = 1;
export const VNET_DATA_VALID = 2;

/** Kinds of super-segment. */
export const VNET_GSO_NONE = 0;
export const VNET_GSO_TCPV4 = 1;
export const VNET_GSO_TCPV6 = 4;
export const VNET_GSO_UDP_L4 = 5;
/** Set beside a TCP kind: CWR stands in the first piece only. */
export const VNET_GSO_ECN = 0x80;

/** A header as read; one record is used for all packets. */
export class VirtioNetHeader {
  /** VNET_NEEDS_CSUM, VNET_DATA_VALID. */
  flags = 0;
  /** VNET_GSO_..., without the ECN bit. */
  gsoType = VNET_GSO_NONE;
  /** VNET_GSO_ECN was set. */
  ecn = false;
  /** Bytes of the packet's headers; a hint that may be 0. */
  hdrLen = 0;
  /** Payload bytes of each piece but the last. */
  gsoSize = 0;
  /** Bytes from the packet's start to where its checksum starts. */
  csumStart = 0;
  /** Bytes from `csumStart` to the checksum field. */
  csumOffset = 0;
}

/** Reads the 10 bytes at `offset`, which lie within the view. */
export function readVirtioNet(view: DataView, offset: number, out: VirtioNetHeader): void {
  const type = view.getUint8(offset + 1);
  out.flags = view.getUint8(offset);
  out.gsoType = type & ~VNET_GSO_ECN;
  out.ecn = (type & VNET_GSO_ECN) !== 0;
  out.hdrLen = view.getUint16(offset + 2, true);
  out.gsoSize = view.getUint16(offset + 4, true);
  out.csumStart = view.getUint16(offset + 6, true);
  out.csumOffset = view.getUint16(offset + 8, true);
}

/**
 * Whether a header can be true of the packet after it, `packetLength` bytes without the header.
 * @returns OK, or VIRTIO_NET_BAD_HEADER for an unknown kind, a super-segment without a piece size, or a checksum field outside the packet
 */
export function checkVirtioNet(header: VirtioNetHeader, packetLength: number): number {
  if (header.gsoType > VNET_GSO_UDP_L4 || header.gsoType === 2) return VIRTIO_NET_BAD_HEADER;
  if (header.gsoType !== VNET_GSO_NONE && header.gsoSize === 0) return VIRTIO_NET_BAD_HEADER;
  const outside = header.csumStart + header.csumOffset + 2 > packetLength;
  return (header.flags & VNET_NEEDS_CSUM) !== 0 && outside ? VIRTIO_NET_BAD_HEADER : OK;
}

/** Writes 10 bytes. `gsoType` includes VNET_GSO_ECN where it applies. */
export function writeVirtioNet(
  view: DataView,
  offset: number,
  flags: number,
  gsoType: number,
  hdrLen: number,
  gsoSize: number,
  csumStart: number,
  csumOffset: number,
): void {
  view.setUint8(offset, flags);
  view.setUint8(offset + 1, gsoType);
  view.setUint16(offset + 2, hdrLen, true);
  view.setUint16(offset + 4, gsoSize, true);
  view.setUint16(offset + 6, csumStart, true);
  view.setUint16(offset + 8, csumOffset, true);
}
