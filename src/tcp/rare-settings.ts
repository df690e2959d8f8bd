import { PMTUDISC_WANT } from './path.ts';

/** What few users set on a socket: its settings get an object for it with the first; until then all share one, so that the others pay nothing for it. */
export class RareSettings {
  /** TCP_SYNCNT: SYN retransmissions after the linear ones, or of a listener's SYN-ACKs; 0: what the host's settings say. */
  synCount = 0;
  /** TCP_USER_TIMEOUT, ms; 0: R2 decides. */
  userTimeout = 0;
  /** TCP_DEFER_ACCEPT, as Linux keeps it: timeouts of the SYN-ACK that a peer may take to send data; 0: its ACK is enough. */
  deferAccept = 0;
  /** TCP_LINGER2, seconds in FIN-WAIT-2; negative: none at all; 0: tcp_fin_timeout. */
  linger2 = 0;
  /** TCP_MAXSEG: upper bound of both directions' MSS; 0: none. */
  maxSegment = 0;
  /** TCP_NOTSENT_LOWAT: bytes not sent that a write stops at; 0: tcp_notsent_lowat. */
  notsentLowat = 0;
  /** SO_OOBINLINE: the urgent byte stays in the stream. */
  oobInline = false;
  /** TCP_THIN_LINEAR_TIMEOUTS: as tcp_thin_linear_timeouts, for this connection. */
  thinLinear = false;
  /** IP_RECVERR and IPV6_RECVERR: what ICMP says of a connection is told at once, though it ends nothing. */
  tellsErrors = false;
  tellsErrors6 = false;
  /** TCP_INQ: recvmsg tells how much is left. */
  inq = false;
  /** The user chose the congestion control: then no route's choice counts. */
  congestionChosen = false;
  /** SO_PRIORITY and SO_MARK: kept for whoever asks; nothing here queues or routes by them. */
  priority = 0;
  mark = 0;
  /** SO_MAX_PACING_RATE, bytes a second; Infinity: not paced for its sake. */
  maxPacingRate = Infinity;
  /** SO_RCVTIMEO and SO_SNDTIMEO, ms; 0: for ever. For faces that wait: the calls of a socket never do. */
  receiveTimeout = 0;
  sendTimeout = 0;
  /** TCP_SAVE_SYN: 1 (or 2, from the link's header on, which no link here has): the headers of SYNs are kept; and those that are. */
  saveSyn = 0;
  savedSyn: Uint8Array | undefined;
  /** SO_REUSEPORT. */
  reusePort = false;
  /** IP_FREEBIND: bind takes an address that is not the host's yet. */
  freeBind = false;
  /** IP_TRANSPARENT: it may speak from addresses that are not the host's: a link with `acceptAny` brings what comes back. */
  transparent = false;
  /** IP_BIND_ADDRESS_NO_PORT: bind to port 0 leaves the port to connect, which can take one that serves other peers. */
  bindNoPort = false;
  /** SO_BINDTODEVICE: index of the one interface whose packets count; 0: any. */
  device = 0;
  /** IPV6_V6ONLY: IPv4 is not for this socket. */
  v6Only = false;
  /** IPV6_UNICAST_HOPS; -1: the host's default. IPV6_TCLASS: the Diffserv field, its ECN bits zero. IPV6_MTU_DISCOVER. They are of the IPv6 packets of a socket alone, as IP_TTL, IP_TOS and IP_MTU_DISCOVER are of the IPv4 ones. */
  hopLimit = -1;
  trafficClass = 0;
  discovery6 = PMTUDISC_WANT;
  /** IPV6_AUTOFLOWLABEL: packets carry a flow label (RFC 6437). */
  autoFlowLabel = true;
  /** IP_LOCAL_PORT_RANGE: first and last ephemeral port; 0: the host's. */
  localPortLow = 0;
  localPortHigh = 0;
}

/** Those of everybody who has set none. */
export const NOTHING_RARE: Readonly<RareSettings> = Object.freeze(new RareSettings());
