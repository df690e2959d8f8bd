/**
 * The virtio-net header before a packet, and what it means for the packet: checksum state, and the size of a super-segment's pieces.
 */
import { OK } from '../wire/reasons.ts';
import type { VirtioNetHeader } from '../wire/virtio-net.ts';
import {
  checkVirtioNet,
  readVirtioNet,
  VNET_DATA_VALID,
  VNET_GSO_ECN,
  VNET_GSO_NONE,
  VNET_GSO_TCPV4,
  VNET_GSO_TCPV6,
  VNET_HEADER_LENGTH,
  VNET_NEEDS_CSUM,
  writeVirtioNet,
} from '../wire/virtio-net.ts';
import type { Packet } from './packet.ts';
import { CHECKSUM_NONE, CHECKSUM_PARTIAL, CHECKSUM_VALIDATED } from './packet.ts';

/** Bytes from a TCP header to its data offset and to its flags; CWR among these. */
const TCP_DATA_OFFSET = 12;
const TCP_FLAGS = 13;
const TCP_CWR = 0x80;

/**
 * Fills in the packet from the header that lies right before it in its chunk; offset and length are there already.
 * @param header scratch
 * @returns whether header and packet make sense
 */
export function readOffload(packet: Packet, header: VirtioNetHeader): boolean {
  if (packet.length <= 0) return false;
  readVirtioNet(packet.chunk.view, packet.offset - VNET_HEADER_LENGTH, header);
  if (checkVirtioNet(header, packet.length) !== OK) return false;
  packet.segmentSize = header.gsoType === VNET_GSO_NONE ? 0 : header.gsoSize;
  packet.transportOffset = header.csumStart;
  packet.checksumOffset = header.csumOffset;
  if ((header.flags & VNET_NEEDS_CSUM) !== 0) packet.checksum = CHECKSUM_PARTIAL;
  else packet.checksum = (header.flags & VNET_DATA_VALID) !== 0 ? CHECKSUM_VALIDATED : CHECKSUM_NONE;
  return true;
}

/** Writes the header for the packet at the start of `view`. `before`: bytes of the packet before its IP header. */
export function writeOffload(view: DataView, packet: Packet, before: number): void {
  const partial = packet.checksum === CHECKSUM_PARTIAL;
  const flags = partial ? VNET_NEEDS_CSUM : packet.checksum === CHECKSUM_VALIDATED ? VNET_DATA_VALID : 0;
  let gsoType = VNET_GSO_NONE;
  let hdrLen = 0;
  if (packet.segmentSize > 0) {
    const bytes = packet.chunk.bytes;
    const tcp = packet.offset + packet.transportOffset;
    gsoType = (bytes[packet.offset + before] as number) >>> 4 === 6 ? VNET_GSO_TCPV6 : VNET_GSO_TCPV4;
    // RFC 3168 6.1.2: CWR stands on the first new data packet only; who cuts has to know.
    if (((bytes[tcp + TCP_FLAGS] as number) & TCP_CWR) !== 0) gsoType |= VNET_GSO_ECN;
    hdrLen = packet.transportOffset + ((bytes[tcp + TCP_DATA_OFFSET] as number) >>> 4) * 4;
  }
  const csumStart = partial ? packet.transportOffset : 0;
  const csumOffset = partial ? packet.checksumOffset : 0;
  writeVirtioNet(view, 0, flags, gsoType, hdrLen, packet.segmentSize, csumStart, csumOffset);
}
