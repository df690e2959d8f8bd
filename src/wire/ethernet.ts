/**
 * Ethernet II frames: header, hardware addresses, and how IP addresses of groups become hardware addresses. RFC 894, RFC 1112 6.4, RFC 2464.
 *
 * In numbers a hardware address is its first 16 bits and its last 32 (int32), so that addresses are compared and kept without
 * an array. Nothing is allocated here but by the two functions for people's texts.
 */

export const ETHERNET_HEADER_LENGTH = 14;
/** Bytes of a hardware address. */
export const HARDWARE_ADDRESS_LENGTH = 6;
/** The shortest frame on a cable, bytes without its check sequence (IEEE 802.3 4.4.2): what is shorter is padded. */
export const ETHERNET_SHORTEST = 60;

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_VLAN = 0x8100;
export const ETHERTYPE_IPV6 = 0x86dd;
export const ETHERTYPE_SERVICE_VLAN = 0x88a8;
/** RFC 7042 B, IEEE 802.3 3.2.6: a smaller number in the field is the length of an IEEE 802.3 frame, no type. */
const LOWEST_ETHERTYPE = 0x0600;

/** A header as read; one record is used for all frames. */
export class EthernetHeader {
  destinationHigh = 0;
  destinationLow = 0;
  sourceHigh = 0;
  sourceLow = 0;
  /** The type field: ETHERTYPE_..., or something below 0x600, a length. */
  type = 0;
}

/** Reads the 14 bytes at `offset`, which lie within the view. */
export function readEthernet(view: DataView, offset: number, out: EthernetHeader): void {
  out.destinationHigh = view.getUint16(offset);
  out.destinationLow = view.getInt32(offset + 2);
  out.sourceHigh = view.getUint16(offset + 6);
  out.sourceLow = view.getInt32(offset + 8);
  out.type = view.getUint16(offset + 12);
}

/** Writes 14 bytes. */
export function writeEthernet(
  view: DataView,
  offset: number,
  destinationHigh: number,
  destinationLow: number,
  sourceHigh: number,
  sourceLow: number,
  type: number,
): void {
  view.setUint16(offset, destinationHigh);
  view.setInt32(offset + 2, destinationLow);
  view.setUint16(offset + 6, sourceHigh);
  view.setInt32(offset + 8, sourceLow);
  view.setUint16(offset + 12, type);
}

/** Whether a frame has a VLAN tag in front of its type (IEEE 802.1Q, 802.1ad). */
export function isTagged(type: number): boolean {
  return type === ETHERTYPE_VLAN || type === ETHERTYPE_SERVICE_VLAN;
}

/** Whether the type field is a length: an IEEE 802.3 frame, with an LLC header behind it. */
export function isLengthField(type: number): boolean {
  return type < LOWEST_ETHERTYPE;
}

/** Whether the address is that of a group: its first byte's lowest bit is set; ff:ff:ff:ff:ff:ff, all stations, among them. */
export function isGroupAddress(high: number): boolean {
  return (high & 0x0100) !== 0;
}

export function isBroadcastAddress(high: number, low: number): boolean {
  return high === 0xffff && low === -1;
}

/** Where frames for an IPv4 group go: RFC 1112 6.4: 01:00:5e and the low 23 bits of the group. */
export const IPV4_GROUP_HIGH = 0x0100;
export function ipv4GroupLow(group: number): number {
  return 0x5e00_0000 | (group & 0x7f_ffff);
}

/** Where frames for an IPv6 group go: RFC 2464 7: 33:33 and the low 32 bits of the group. */
export const IPV6_GROUP_HIGH = 0x3333;

/** Reads `02:00:5e:10:00:01`, also with dashes; undefined for anything else. */
export function parseHardwareAddress(text: string): Uint8Array | undefined {
  if (!/^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$/.test(text)) return undefined;
  return Uint8Array.from(text.split(/[:-]/), (byte) => Number.parseInt(byte, 16));
}

/** `02:00:5e:10:00:01`. */
export function hardwareAddressText(high: number, low: number): string {
  return [high >> 8, high, low >> 24, low >> 16, low >> 8, low]
    .map((byte) => (byte & 0xff).toString(16).padStart(2, '0'))
    .join(':');
}
