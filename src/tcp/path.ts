/** What TCP needs of the way to its peer; the stack puts the network layer behind it. TCP does not know which family it runs on. */
import type { Packet } from '../link/packet.ts';
import type { RareSettings } from './rare-settings.ts';

/** Values of IP_MTU_DISCOVER. Without DF, and what routers say changes nothing at once. */
export const PMTUDISC_DONT = 0;
/** RFC 1191, unless the route's MTU is locked. */
export const PMTUDISC_WANT = 1;
/** RFC 1191 in any case. */
export const PMTUDISC_DO = 2;
/** For tools that probe: for TCP without DF, as on Linux. */
export const PMTUDISC_PROBE = 3;
// IP_PMTUDISC_INTERFACE and OMIT, 4 and 5, are without DF, and deaf to what routers say: they may lie (fragmentation attacks).
export const PMTUDISC_OMIT = 5;

/** What the administrator set for a route; what is not there is as for any other. Names as `ip route` has them. */
export interface PathMetrics {
  /** Bytes with the IP header; in place of the link's when it is less. */
  readonly mtu?: number | undefined;
  /** The MTU stands: nothing is discovered, and packets may be fragmented on their way. */
  readonly mtuLocked?: boolean | undefined;
  /** The MSS that our SYNs advertise, bytes. */
  readonly advmss?: number | undefined;
  /** The largest window to offer, bytes. */
  readonly window?: number | undefined;
  /** Initial windows, segments: congestion (RFC 6928), and what our SYN offers. */
  readonly initcwnd?: number | undefined;
  readonly initrwnd?: number | undefined;
  /** Lower bound of the RTO's variance term, ms. */
  readonly rtoMin?: number | undefined;
  /** Nothing waits for the delayed-ACK timer. */
  readonly quickack?: boolean | undefined;
  /** Congestion control, by name. */
  readonly congctl?: string | undefined;
  /** Ask for ECN, and take it up. */
  readonly ecn?: boolean | undefined;
  /** Initial DupThresh, segments. */
  readonly reordering?: number | undefined;
  /** Fast Open without cookies, in both directions. */
  readonly fastopenNoCookie?: boolean | undefined;
}

export interface Path {
  /** The largest packet that gets through, as far as is known now, bytes with its IP header. */
  readonly mtu: number;
  /** Those of the route, as they are now. */
  readonly metrics: PathMetrics;
  /** IP_MTU_DISCOVER: PMTUDISC_... */
  discovery: number;
  /** Whether what is sent carries DF: then routers say what is too large. */
  readonly dontFragment: boolean;
  /** A router has said that no more than `mtu` bytes get through (0: that it does not know): all paths to this destination learn it. */
  tooLarge(mtu: number): void;
  /** Bytes of the IP header that `send` writes. */
  readonly headerLength: number;
  /** Of what is sent from now on: the IP header's time to live, and its Diffserv and ECN octet. RFC 9293 3.9.2 [MUST-48], [MUST-49]; [SHLD-22]: the former as it is. */
  ttl: number;
  tos: number;
  /** The ECN field of the next packet, and of that alone: RFC 3168 5. */
  ecn: number;
  /** Sum of the pseudo-header's words without the TCP length. */
  readonly pseudoSum: number;
  /** What the user chose for the IP header: `ttl` (0: as it is), `tos` and `discovery` when it is IPv4's, what is in `rare` when it is IPv6's. */
  mark(ttl: number, tos: number, discovery: number, rare: Readonly<RareSettings>): void;
  /**
   * As much was handed over as may be before others have their turn: data waits until then, acknowledgments and replies do not. The
   * stack marks the connection dirty again.
   */
  readonly busy: boolean;
  /**
   * A packet to fill: its offset is where the TCP header begins, it has no parts.
   * @returns undefined while the interface is full; the stack marks the connection dirty again when there is room
   */
  take(): Packet | undefined;
  /** Sends what `take` gave, with `length` set to the TCP header's bytes and the payload in parts. */
  send(packet: Packet): void;
}
