/** The way from an address of ours to another: writes the IP header and hands the packet to an interface. */
import type { Packet } from '../link/packet.ts';
import type { IpAddress } from '../wire/address.ts';
import { pseudoHeaderSum4, pseudoHeaderSum6 } from '../wire/checksum.ts';
import { IPV4_HEADER_LENGTH, PROTOCOL_TCP, writeIpv4 } from '../wire/ipv4.ts';
import { IPV6_HEADER_LENGTH, writeIpv6 } from '../wire/ipv6.ts';

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
  /** The same for a packet of another host's. */
  relay(packet: Packet): void;
}

export class IpPath {
  readonly egress: Egress;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly protocol: number;
  readonly pseudoSum: number;
  /** The neighbour that packets go to; undefined: the destination itself. */
  readonly nextHop: IpAddress | undefined;
  ttl: number;
  tos = 0;
  ecn = 0;
  /** RFC 6437: 20 bits; 0: none. */
  flowLabel = 0;

  /** `source` and `destination` are of one family. */
  constructor(
    egress: Egress,
    source: IpAddress,
    destination: IpAddress,
    protocol: number,
    ttl: number,
    nextHop?: IpAddress,
  ) {
    this.egress = egress;
    this.source = source;
    this.destination = destination;
    this.protocol = protocol;
    this.nextHop = nextHop;
    this.pseudoSum = pseudoSumOf(source, destination, protocol);
    this.ttl = ttl;
  }

  /** Bytes of the IP header that `send` writes. */
  get headerLength(): number {
    return this.source.family === 4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
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

  /**
   * The packet's first piece starts with the transport header; its total may be that of a super-segment.
   * @returns false when it is too large for the path, and was thrown away
   */
  send(packet: Packet): boolean {
    const { headerLength, source, destination, protocol, ttl } = this;
    const tos = this.tos | this.ecn;
    this.ecn = 0;
    packet.offset -= headerLength;
    packet.length += headerLength;
    packet.transportOffset = headerLength;
    packet.nextHop = this.nextHop;
    const { view } = packet.chunk;
    const total = packet.totalLength();
    if (protocol !== PROTOCOL_TCP) {
      if (total > this.mtu) {
        packet.offset += headerLength;
        packet.length -= headerLength;
        return this.sendLarge(packet, tos);
      }
    } else if (total > this.egress.mtu && packet.segmentSize === 0) {
      // TCP knows how large its segments may be; where the headers alone do not fit nothing goes (RFC 8200 5: IPv6 asks for 1280 bytes of every link).
      packet.clear();
      return false;
    }
    if (headerLength === IPV4_HEADER_LENGTH) {
      const { dontFragment } = this;
      // RFC 6864 4.1: the identification of a datagram that may not be fragmented means nothing.
      const id = dontFragment ? 0 : this.identify(packet.segmentSize > 0 ? Math.ceil(total / packet.segmentSize) : 1);
      writeIpv4(view, packet.offset, total, tos, id, dontFragment, ttl, protocol, source.w3, destination.w3);
    } else {
      const payload = total - IPV6_HEADER_LENGTH;
      writeIpv6(view, packet.offset, payload, tos, this.flowLabel, protocol, ttl, source, destination);
    }
    this.egress.commit(packet);
    return true;
  }

  /** What is larger than the path's MTU, as it was given to `send`. */
  protected sendLarge(packet: Packet, _tos: number): boolean {
    packet.clear();
    return false;
  }

  /** The identification of a packet that may be fragmented, and goes out in so many pieces. */
  protected identify(_pieces: number): number {
    return 0;
  }
}

function pseudoSumOf(source: IpAddress, destination: IpAddress, protocol: number): number {
  if (source.family === 4) return pseudoHeaderSum4(source.w3, destination.w3, protocol);
  const { bareW0: s0, w1: s1, w2: s2, w3: s3 } = source;
  const { bareW0: d0, w1: d1, w2: d2, w3: d3 } = destination;
  return pseudoHeaderSum6(s0, s1, s2, s3, d0, d1, d2, d3, protocol);
}
