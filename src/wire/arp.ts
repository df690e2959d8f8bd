/** ARP for IPv4 over Ethernet. RFC 826. Nothing is allocated here. */
import { ETHERTYPE_IPV4, HARDWARE_ADDRESS_LENGTH, isGroupAddress } from './ethernet.ts';
import { ARP_BAD_FORMAT, ARP_TRUNCATED, OK } from './reasons.ts';

/** Bytes of a packet for IPv4 over Ethernet. */
export const ARP_LENGTH = 28;

export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;

const HARDWARE_ETHERNET = 1;
const IPV4_ADDRESS_LENGTH = 4;

/** A packet as read; one record is used for all. After a reason code other than OK its fields mean nothing. */
export class ArpPacket {
  /** ARP_REQUEST or ARP_REPLY. */
  operation = 0;
  senderHigh = 0;
  senderLow = 0;
  /** int32. */
  senderAddress = 0;
  targetAddress = 0;
}

/**
 * Reads the packet in the `length` bytes at `offset`, which lie within the view; padding may follow it.
 * @returns OK, ARP_TRUNCATED or ARP_BAD_FORMAT: not Ethernet and IPv4, an unknown operation, or a group as the sender
 */
export function parseArp(view: DataView, offset: number, length: number, out: ArpPacket): number {
  if (length < ARP_LENGTH) return ARP_TRUNCATED;
  // RFC 826, "Packet Reception": do I have the hardware type? do I speak the protocol? and optionally the lengths.
  if (view.getUint16(offset) !== HARDWARE_ETHERNET || view.getUint16(offset + 2) !== ETHERTYPE_IPV4)
    return ARP_BAD_FORMAT;
  if (view.getUint8(offset + 4) !== HARDWARE_ADDRESS_LENGTH || view.getUint8(offset + 5) !== IPV4_ADDRESS_LENGTH)
    return ARP_BAD_FORMAT;
  out.operation = view.getUint16(offset + 6);
  if (out.operation !== ARP_REQUEST && out.operation !== ARP_REPLY) return ARP_BAD_FORMAT;
  out.senderHigh = view.getUint16(offset + 8);
  out.senderLow = view.getInt32(offset + 10);
  // RFC 1812 3.3.2: a reply that says that a host or router is at a broadcast or multicast address is not believed.
  if (isGroupAddress(out.senderHigh)) return ARP_BAD_FORMAT;
  out.senderAddress = view.getInt32(offset + 14);
  out.targetAddress = view.getInt32(offset + 24);
  return OK;
}

/** Writes 28 bytes. The addresses are int32. */
export function writeArp(
  view: DataView,
  offset: number,
  operation: number,
  senderHigh: number,
  senderLow: number,
  senderAddress: number,
  targetHigh: number,
  targetLow: number,
  targetAddress: number,
): void {
  view.setUint16(offset, HARDWARE_ETHERNET);
  view.setUint16(offset + 2, ETHERTYPE_IPV4);
  view.setUint16(offset + 4, (HARDWARE_ADDRESS_LENGTH << 8) | IPV4_ADDRESS_LENGTH);
  view.setUint16(offset + 6, operation);
  view.setUint16(offset + 8, senderHigh);
  view.setInt32(offset + 10, senderLow);
  view.setInt32(offset + 14, senderAddress);
  view.setUint16(offset + 18, targetHigh);
  view.setInt32(offset + 20, targetLow);
  view.setInt32(offset + 24, targetAddress);
}
