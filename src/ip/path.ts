/** The way from an address of ours to another: writes the IP header and hands the packet to an interface. */
import type { Packet } from '../link/packet.ts';
import type { IpAddress } from '../wire/address.ts';
import { pseudoHeaderSum4 } from '../wire/checksum.ts';
import { IPV4_HEADER_LENGTH, writeIpv4 } from '../wire/ipv4.ts';

/** An interface, as the network layer sees it. */
export interface Egress {
  /** The largest IP packet, bytes. */
  readonly mtu: number;
  /** As much was taken as may be in one flush. */
  readonly busy: boolean;
  /** A packet whose offset leaves room for an IP header before it; undefined: full. */
  take(): Packet | undefined;
  /** Puts what `take` gave into the batch that goes to the link. */
  commit(packet: Packet): void;
}

export class IpPath {
  readonly egress: Egress;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly protocol: number;
  readonly pseudoSum: number;
  ttl: number;
  tos = 0;
  ecn = 0;

  /** `source` and `destination` are of one family. */
  constructor(egress: Egress, source: IpAddress, destination: IpAddress, protocol: number, ttl: number) {
    this.egress = egress;
    this.source = source;
    this.destination = destination;
    this.protocol = protocol;
    this.pseudoSum = pseudoHeaderSum4(source.w3, destination.w3, protocol);
    this.ttl = ttl;
  }

  /** Bytes of the IP header that `send` writes. */
  get headerLength(): number {
    return IPV4_HEADER_LENGTH;
  }

  get mtu(): number {
    return this.egress.mtu;
  }

  get busy(): boolean {
    return this.egress.busy;
  }

  /** RFC 1191 3: everything is sent with DF, unless somebody knows better. */
  get dontFragment(): boolean {
    return true;
  }

  take(): Packet | undefined {
    return this.egress.take();
  }

  /** The packet's first piece starts with the transport header; its total may be that of a super-segment. */
  send(packet: Packet): void {
    packet.offset -= IPV4_HEADER_LENGTH;
    packet.length += IPV4_HEADER_LENGTH;
    packet.transportOffset = IPV4_HEADER_LENGTH;
    const { view } = packet.chunk;
    const { ttl, protocol, source, destination } = this;
    const total = packet.totalLength();
    const { dontFragment } = this;
    const tos = this.tos | this.ecn;
    this.ecn = 0;
    // RFC 6864 4.1: the identification of a datagram that may not be fragmented means nothing.
    const id = dontFragment ? 0 : this.identify(packet.segmentSize > 0 ? Math.ceil(total / packet.segmentSize) : 1);
    writeIpv4(view, packet.offset, total, tos, id, dontFragment, ttl, protocol, source.w3, destination.w3);
    this.egress.commit(packet);
  }

  /** The identification of a packet that may be fragmented, and goes out in so many pieces. */
  protected identify(_pieces: number): number {
    return 0;
  }
}
