/** A datagram that came in: its header read and judged. RFC 768, RFC 1122 4.1.3, RFC 8200 8.1. Nothing is allocated here. */
import { CHECKSUM_NONE } from '../link/packet.ts';
import type { Chunk } from '../link/slab.ts';
import { OK, UDP_BAD_CHECKSUM } from '../wire/reasons.ts';
import { parseUdp, type UdpHeader, udpChecksumOk } from '../wire/udp.ts';

/** What UDP needs to know of an IP packet that carries it. */
export interface CarriedDatagram {
  readonly family: 4 | 6;
  readonly chunk: Chunk;
  /** Where what follows the IP header lies in the chunk, bytes. */
  readonly payloadOffset: number;
  readonly payloadLength: number;
  /** Of the pseudo-header, without the length. */
  readonly pseudoSum: number;
  /** CHECKSUM_NONE, CHECKSUM_PARTIAL or CHECKSUM_VALIDATED. */
  readonly checksum: number;
}

/** Reads the datagram that a packet carries. @returns OK, or the reason to drop it: UDP_TRUNCATED, UDP_BAD_LENGTH, UDP_BAD_CHECKSUM */
export function readDatagram(packet: CarriedDatagram, out: UdpHeader): number {
  const { view } = packet.chunk;
  const reason = parseUdp(view, packet.payloadOffset, packet.payloadLength, out);
  if (reason !== OK) return reason;
  // RFC 8200 8.1: over IPv6 a UDP checksum is not optional; a datagram without one is thrown away.
  if (out.checksum === 0 && packet.family === 6) return UDP_BAD_CHECKSUM;
  // What the link vouches for, or is on its way within this machine, is not summed again.
  if (packet.checksum !== CHECKSUM_NONE) return OK;
  // RFC 1122 4.1.3.4: a checksum that is there is verified, and a datagram that fails is silently discarded.
  return udpChecksumOk(view, packet.payloadOffset, out.length, packet.pseudoSum) ? OK : UDP_BAD_CHECKSUM;
}
