/**
 * Frames that come in: who they are for, and what they carry. IP packets go up, without their header and padding; ARP and
 * neighbour discovery end here.
 */
import {
  ETHERNET_HEADER_LENGTH,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  EthernetHeader,
  IPV4_GROUP_HIGH,
  IPV6_GROUP_HIGH,
  ipv4GroupLow,
  isBroadcastAddress,
  isGroupAddress,
  isLengthField,
  isTagged,
  readEthernet,
} from '../wire/ethernet.ts';
import { IPV4_HEADER_LENGTH } from '../wire/ipv4.ts';
import {
  DESTINATION_OPTIONS,
  HOP_BY_HOP_OPTIONS,
  IPV6_HEADER_LENGTH,
  PROTOCOL_ICMPV6,
  ROUTING_HEADER,
} from '../wire/ipv6.ts';
import { MLD_QUERY } from '../wire/multicast-listener.ts';
import { isNeighbourDiscovery, solicitedNodeWord } from '../wire/neighbour-discovery.ts';
import type { Arp } from './ethernet-arp.ts';
import type { ListenerReports } from './ethernet-mld.ts';
import type { NeighbourDiscovery } from './ethernet-nd.ts';
import type { Station } from './ethernet-station.ts';
import type { Packet, PacketBatch } from './packet.ts';

/** Extension headers that may stand before an ICMPv6 message: hop-by-hop options, routing, destination options. RFC 8200 4.1. */
const EXTENSIONS: readonly number[] = [HOP_BY_HOP_OPTIONS, ROUTING_HEADER, DESTINATION_OPTIONS];
/** 224.0.0.1, all hosts; and what ff02::1, all nodes, ends in. */
const ALL_HOSTS = 0xe000_0001 | 0;
const ALL_NODES = 1;

export class FrameReader {
  readonly #station: Station;
  readonly #arp: Arp;
  readonly #discovery: NeighbourDiscovery;
  readonly #reports: ListenerReports;
  readonly #header = new EthernetHeader();
  readonly #up: { packets: Packet[]; length: number } = { packets: [], length: 0 };

  constructor(station: Station, arp: Arp, discovery: NeighbourDiscovery, reports: ListenerReports) {
    this.#reports = reports;
    this.#station = station;
    this.#arp = arp;
    this.#discovery = discovery;
  }

  /** Deals with the frames of a batch; the IP packets among them come out, in the same packet objects. */
  read(batch: PacketBatch, now: number): PacketBatch {
    const up = this.#up;
    up.length = 0;
    for (let i = 0; i < batch.length; i++) {
      const frame = batch.packets[i] as Packet;
      if (this.#accept(frame, now)) up.packets[up.length++] = frame;
    }
    this.#station.statistics.packetsReceived += up.length;
    return up;
  }

  /** Whether the frame carries an IP packet for the host; `frame` is that packet then. */
  #accept(frame: Packet, now: number): boolean {
    const { high, low } = this.#station;
    const header = this.#header;
    if (frame.length < ETHERNET_HEADER_LENGTH) return this.#drop('short-frame');
    readEthernet(frame.chunk.view, frame.offset, header);
    const { type } = header;
    const toUs = header.destinationHigh === high && header.destinationLow === low;
    if (!toUs && !this.#wants(header)) return this.#drop('not-for-us');
    // RFC 5227 2.1.1: buffered repeaters give a sender its own broadcasts back. And no station is a group.
    if (header.sourceHigh === high && header.sourceLow === low) return this.#drop('echo');
    if (isGroupAddress(header.sourceHigh)) return this.#drop('group-source');
    if (type !== ETHERTYPE_IPV4 && type !== ETHERTYPE_IPV6 && type !== ETHERTYPE_ARP) {
      if (isTagged(type)) return this.#drop('vlan');
      return this.#drop(isLengthField(type) ? 'ieee-802.3' : 'unknown-type');
    }
    frame.offset += ETHERNET_HEADER_LENGTH;
    frame.length -= ETHERNET_HEADER_LENGTH;
    if (frame.transportOffset > 0) frame.transportOffset -= ETHERNET_HEADER_LENGTH;
    if (type === ETHERTYPE_IPV4) return this.#acceptIpv4(frame, toUs);
    if (type === ETHERTYPE_IPV6) return this.#acceptIpv6(frame, toUs, now);
    this.#arp.arrives(frame.chunk.view, frame.offset, frame.length, toUs, now);
    return false;
  }

  #drop(cause: string): false {
    this.#station.statistics.drop(cause);
    return false;
  }

  /** Broadcasts, and the groups that a host is in without joining: all hosts, all nodes, and those of its own addresses. RFC 1112 7.2, RFC 4291 2.8. */
  #wants({ destinationHigh: high, destinationLow: low }: EthernetHeader): boolean {
    if (isBroadcastAddress(high, low)) return true;
    if (high === IPV4_GROUP_HIGH) return low === ipv4GroupLow(ALL_HOSTS);
    if (high !== IPV6_GROUP_HIGH) return false;
    if (low === ALL_NODES) return true;
    const own = this.#station.own.list();
    return low >>> 24 === 0xff && own.some((each) => !each.isIpv4 && solicitedNodeWord(each.entry.address.w3) === low);
  }

  #acceptIpv4(packet: Packet, toUs: boolean): boolean {
    const { chunk, offset, length } = packet;
    if (length < IPV4_HEADER_LENGTH || (chunk.bytes[offset] as number) >> 4 !== 4) return this.#drop('not-ipv4');
    const destination = chunk.view.getInt32(offset + 16);
    // RFC 1122 3.3.6: what came to all of Ethernet and is for one of IP is discarded silently.
    if (!toUs && destination >>> 28 !== 0xe && !this.#station.own.isBroadcast(destination))
      return this.#drop('unicast-in-group-frame');
    // RFC 894: padding is no part of the packet.
    const told = chunk.view.getUint16(offset + 2);
    if (told >= IPV4_HEADER_LENGTH && told < length) packet.length = told;
    return true;
  }

  #acceptIpv6(packet: Packet, toUs: boolean, now: number): boolean {
    const { chunk, offset, length } = packet;
    if (length < IPV6_HEADER_LENGTH || (chunk.bytes[offset] as number) >> 4 !== 6) return this.#drop('not-ipv6');
    if (!toUs && chunk.bytes[offset + 24] !== 0xff) return this.#drop('unicast-in-group-frame');
    const told = IPV6_HEADER_LENGTH + chunk.view.getUint16(offset + 4);
    if (told < length) packet.length = told;
    const at = this.#icmpv6Of(packet);
    if (at < 0) return true;
    const type = chunk.bytes[offset + at] as number;
    if (type === MLD_QUERY) {
      this.#reports.asked(chunk.view, offset, offset + at, packet.length - at, now);
      return false;
    }
    if (!isNeighbourDiscovery(type)) return true;
    const { sourceHigh, sourceLow } = this.#header;
    this.#discovery.arrives(chunk.view, offset, offset + at, packet.length - at, sourceHigh, sourceLow, now);
    return false;
  }

  /** Where the packet's ICMPv6 message starts, bytes from the IP header; -1: it carries something else, or only a part of it. */
  #icmpv6Of({ chunk: { bytes }, offset, length }: Packet): number {
    let next = bytes[offset + 6] as number;
    let at = IPV6_HEADER_LENGTH;
    while (EXTENSIONS.includes(next) && at + 8 <= length) {
      next = bytes[offset + at] as number;
      at += ((bytes[offset + at + 1] as number) + 1) << 3;
    }
    return next === PROTOCOL_ICMPV6 && at < length ? at : -1;
  }
}
