/** What the parts of one Ethernet link share: who it is, what it knows, what it counts. */
import type { FrameWriter } from './ethernet-frames.ts';
import type { OwnAddresses } from './ethernet-own.ts';
import type { NeighbourSettings } from './neighbour-settings.ts';
import type { NeighbourStatistics, NeighbourTable } from './neighbour-table.ts';
import type { Packet } from './packet.ts';

/** What an Ethernet link has seen; it is counted, and nobody is told. */
export class EthernetStatistics implements NeighbourStatistics {
  /** IP packets that were handed up, and down. */
  packetsReceived = 0;
  packetsSent = 0;
  arpRequestsReceived = 0;
  arpRepliesReceived = 0;
  arpRequestsSent = 0;
  arpRepliesSent = 0;
  /** Messages of neighbour discovery. */
  solicitationsReceived = 0;
  advertisementsReceived = 0;
  solicitationsSent = 0;
  advertisementsSent = 0;
  /** Routers' advertisements and redirects: of the first only the router's hardware address is taken over, of the second nothing. */
  routerAdvertisements = 0;
  redirects = 0;
  /** Frames and messages that another host sent in the name of an address of ours. */
  conflicts = 0;
  /** Frames that are dropped, by cause: `not-for-us`, `vlan`, `ieee-802.3`, `unknown-type`, `echo`, `unicast-in-group-frame`, `nd-forwarded`, ... */
  readonly dropped = new Map<string, number>();
  /** Packets that were not sent: no hardware address was found, or their source is not ours to use (any more). */
  unreachable = 0;
  sourceLost = 0;
  /** As Linux counts in /proc/net/stat/arp_cache and ndisc_cache: packets that were lost because too many waited; and of both tables, see there. */
  unresolved_discards = 0;
  table_fulls = 0;
  res_failed = 0;
  forced_gc_runs = 0;

  drop(cause: string): void {
    this.dropped.set(cause, (this.dropped.get(cause) ?? 0) + 1);
  }
}

export interface Station {
  /** Our hardware address. */
  readonly high: number;
  readonly low: number;
  /** The host forwards IPv6. */
  readonly isRouter: boolean;
  readonly settings: NeighbourSettings;
  readonly statistics: EthernetStatistics;
  readonly frames: FrameWriter;
  readonly own: OwnAddresses;
  /** Neighbours by ARP, and by neighbour discovery. */
  readonly neighbours4: NeighbourTable;
  readonly neighbours6: NeighbourTable;
  /** Sends an IP packet of the link's own as any other. */
  output(packet: Packet): void;
}
