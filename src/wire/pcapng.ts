/**
 * pcapng blocks as bytes: section header, interface description, enhanced packet. draft-ietf-opsawg-pcapng 4.1, 4.2, 4.3.
 * Little endian, nanoseconds. For captures, not for the hot path: every call allocates its block.
 */

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
/** A section whose length is not known in advance. */
const UNKNOWN_LENGTH = 0xffff_ffff;

const OPTION_COMMENT = 1;
const SHB_HARDWARE = 2;
const SHB_OS = 3;
const SHB_USERAPPL = 4;
const IF_NAME = 2;
const IF_TSRESOL = 9;
const EPB_FLAGS = 2;

/** Packets begin with an IPv4 or IPv6 header; or with that of an Ethernet frame. */
export const LINKTYPE_RAW = 101;
export const LINKTYPE_ETHERNET = 1;

export interface SectionInfo {
  readonly hardware?: string;
  readonly os?: string;
  /** The program that made the capture. */
  readonly userappl?: string;
}

/** The block that a file starts with. */
export function sectionHeader(info: SectionInfo = {}): Uint8Array {
  const options: Option[] = [];
  if (info.hardware !== undefined) options.push(textOption(SHB_HARDWARE, info.hardware));
  if (info.os !== undefined) options.push(textOption(SHB_OS, info.os));
  if (info.userappl !== undefined) options.push(textOption(SHB_USERAPPL, info.userappl));
  return block(SECTION_HEADER, 16, 0, options, (view) => {
    view.setUint32(8, 0x1a2b3c4d, true);
    view.setUint16(12, 1, true);
    view.setUint16(14, 0, true);
    view.setUint32(16, UNKNOWN_LENGTH, true);
    view.setUint32(20, UNKNOWN_LENGTH, true);
  });
}

/**
 * The block that describes an interface: raw IP unless it is said otherwise, timestamps in nanoseconds. The first of a section is interface 0.
 * @param snapLength bytes kept of each packet; 0: all
 */
export function interfaceDescription(name: string, snapLength = 0, linkType = LINKTYPE_RAW): Uint8Array {
  const options = [textOption(IF_NAME, name), { code: IF_TSRESOL, bytes: Uint8Array.of(9) }];
  return block(INTERFACE_DESCRIPTION, 8, 0, options, (view) => {
    view.setUint16(8, linkType, true);
    view.setUint32(12, snapLength, true);
  });
}

export interface PacketInfo {
  /** Which interface description of the section, counted from 0. */
  readonly interfaceId: number;
  /** Wall time in ms since 1970-01-01 UTC, fractions kept to the nanosecond as far as a number has them. */
  readonly at: number;
  readonly direction: 'in' | 'out';
  /** Bytes of the packet before it was cut to what is given here. Default: all are here. */
  readonly originalLength?: number;
  readonly comment?: string;
}

/** The block of one packet. */
export function enhancedPacket(packet: Uint8Array, info: PacketInfo): Uint8Array {
  const flags = info.direction === 'in' ? 1 : 2;
  const options: Option[] = [{ code: EPB_FLAGS, bytes: Uint8Array.of(flags, 0, 0, 0) }];
  if (info.comment !== undefined) options.push(textOption(OPTION_COMMENT, info.comment));
  const time = nanoseconds(info.at);
  return block(ENHANCED_PACKET, 20, packet.length, options, (view, bytes) => {
    view.setUint32(8, info.interfaceId, true);
    view.setUint32(12, Number(time >> 32n), true);
    view.setUint32(16, Number(time & 0xffff_ffffn), true);
    view.setUint32(20, packet.length, true);
    view.setUint32(24, info.originalLength ?? packet.length, true);
    bytes.set(packet, 28);
  });
}

/** Whole milliseconds and fraction are scaled apart: their product would not fit the 53 bits of a number. */
function nanoseconds(ms: number): bigint {
  const whole = Math.floor(ms);
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6));
}

interface Option {
  readonly code: number;
  readonly bytes: Uint8Array;
}

function textOption(code: number, text: string): Option {
  // An option's length is 16 bits: text beyond it is cut, at a character, since a comment is not worth a broken file.
  let bytes = new TextEncoder().encode(text);
  if (bytes.length > 0xffff) {
    let end = 0xffff;
    while (((bytes[end] as number) & 0xc0) === 0x80) end--;
    bytes = bytes.slice(0, end);
  }
  return { code, bytes };
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

/** A block: type, total length, `fixed` bytes and `data` bytes written by `body`, options, total length again. */
function block(
  type: number,
  fixed: number,
  data: number,
  options: readonly Option[],
  body: (view: DataView, bytes: Uint8Array) => void,
): Uint8Array {
  const optionsAt = 8 + fixed + padded(data);
  const optionsLength = options.reduce((total, option) => total + 4 + padded(option.bytes.length), 0);
  const length = optionsAt + (options.length === 0 ? 0 : optionsLength + 4) + 4;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  body(view, bytes);
  let at = optionsAt;
  for (const option of options) {
    view.setUint16(at, option.code, true);
    view.setUint16(at + 2, option.bytes.length, true);
    bytes.set(option.bytes, at + 4);
    at += 4 + padded(option.bytes.length);
  }
  view.setUint32(length - 4, length, true);
  return bytes;
}
