/**
 * Packets as raw sockets give them, made into what a stack reads.
 *
 * Over IPv4 that is the packet. Over IPv6 it is what follows the IP header (raw(7), RFC 3542 3): a header is rebuilt from what is known. The
 * source comes with each packet and the filter lets in one destination alone; hop limit and traffic class are lost, and extension headers.
 */
import { IpAddress } from '../wire/address.ts';
import { fold, sum } from '../wire/checksum.ts';
import type { PacketCopier } from './linear.ts';
import { CHECKSUM_NONE, CHECKSUM_VALIDATED, type Packet } from './packet.ts';
import type { RawSocket } from './raw-package.ts';

export const TCP = 6;
export const UDP = 17;
const CHECKSUM_OFFSET: Readonly<Record<number, number>> = { [TCP]: 16, [UDP]: 6 };
const IPV6_HEADER = 40;
const HOP_LIMIT = 64;
const TCP_FLAGS = 13;
const SYN = 0x02;
const ECE_AND_CWR = 0xc0;
/** The fourth bit of Accurate ECN, in the byte before. RFC 9768 3. */
const AE = 0x01;
/** Sources that are remembered as words. */
const MOST_SOURCES = 1024;

export class Inbox {
  readonly #address: IpAddress;
  readonly #mtu: () => number;
  /** The largest packet, and what a read of IPv6 may have behind its header. */
  readonly #buffer = Buffer.alloc(65_536);
  readonly #sources = new Map<string, IpAddress>();

  constructor(address: IpAddress, mtu: () => number) {
    this.#address = address;
    this.#mtu = mtu;
  }

  /** Reads the socket's next packet into a chunk, which the packet holds. @returns false: there is none, or see the socket's `error` */
  read(socket: RawSocket, copier: PacketCopier, packet: Packet): boolean {
    const length = socket.receive(this.#buffer);
    if (length < 0) return false;
    packet.clear();
    if (this.#address.family === 4) this.#take4(socket.protocol, length, copier, packet);
    else this.#take6(socket, length, copier, packet);
    return true;
  }

  #take4(protocol: number, length: number, copier: PacketCopier, packet: Packet): void {
    const { bytes, view } = copier.place(length, packet);
    this.#buffer.copy(bytes, packet.offset, 0, length);
    const transport = packet.offset + (((bytes[packet.offset] as number) & 0xf) << 2);
    const end = packet.offset + length;
    packet.checksum = isPartial(view, packet.offset + 12, transport, end, protocol)
      ? CHECKSUM_VALIDATED
      : CHECKSUM_NONE;
    this.#tellPieces(packet, protocol, transport - packet.offset);
  }

  #take6({ protocol, source }: RawSocket, length: number, copier: PacketCopier, packet: Packet): void {
    const { bytes, view } = copier.place(IPV6_HEADER + length, packet);
    const at = packet.offset;
    view.setUint32(at, 0x6000_0000);
    view.setUint16(at + 4, length);
    view.setUint8(at + 6, protocol);
    view.setUint8(at + 7, HOP_LIMIT);
    putAddress(view, at + 8, this.#sourceOf(source));
    putAddress(view, at + 24, this.#address);
    const transport = at + IPV6_HEADER;
    this.#buffer.copy(bytes, transport, 0, length);
    if (protocol === TCP) refuseEcn(bytes, transport);
    // The kernel looks at the checksums of a socket that writes its own headers (rawv6_rcv), where IPV6_CHECKSUM says where they are.
    packet.checksum = CHECKSUM_VALIDATED;
    this.#tellPieces(packet, protocol, IPV6_HEADER);
  }

  /** What is longer than the interface's packets was put together by the kernel (GRO): of full ones, mostly. */
  #tellPieces(packet: Packet, protocol: number, transport: number): void {
    const mtu = this.#mtu();
    if (packet.length <= mtu || protocol !== TCP) return;
    const header = ((packet.chunk.bytes[packet.offset + transport + 12] as number) >> 4) << 2;
    packet.transportOffset = transport;
    packet.checksumOffset = CHECKSUM_OFFSET[TCP] as number;
    packet.segmentSize = mtu - transport - header;
  }

  #sourceOf(text: string): IpAddress {
    let source = this.#sources.get(text);
    if (source === undefined) {
      source = IpAddress.parse(text) as IpAddress;
      if (this.#sources.size >= MOST_SOURCES) this.#sources.clear();
      this.#sources.set(text, source);
    }
    return source;
  }
}

/**
 * Whether the checksum's field holds the pseudo-header's sum alone: the packet was sent on this machine, or put together by GRO, and nobody has
 * needed the rest. The kernel gives raw sockets such packets as they are.
 */
function isPartial(view: DataView, addresses: number, transport: number, end: number, protocol: number): boolean {
  const offset = CHECKSUM_OFFSET[protocol];
  if (offset === undefined || transport + offset + 2 > end) return false;
  return fold(sum(view, addresses, 8) + protocol + end - transport) === view.getUint16(transport + offset);
}

/**
 * Congestion marks are in the header that is lost here: who agreed on ECN would see none, and would not slow down.
 * So nobody agrees: the flags that ask for it, or grant it, are taken off SYNs.
 */
function refuseEcn(bytes: Uint8Array, transport: number): void {
  const flags = bytes[transport + TCP_FLAGS] as number;
  if ((flags & SYN) === 0) return;
  bytes[transport + TCP_FLAGS] = flags & ~ECE_AND_CWR;
  bytes[transport + TCP_FLAGS - 1] = (bytes[transport + TCP_FLAGS - 1] as number) & ~AE;
}

function putAddress(view: DataView, at: number, { w0, w1, w2, w3 }: IpAddress): void {
  view.setInt32(at, w0);
  view.setInt32(at + 4, w1);
  view.setInt32(at + 8, w2);
  view.setInt32(at + 12, w3);
}
