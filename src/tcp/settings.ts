/** What a user sets on a connection, or on a listener for the connections that it will accept. */
import { defaultConfig, type TcpConfig } from './config.ts';
import type { FastOpenSettings } from './fast-open.ts';
import { type Path, PMTUDISC_DONT, PMTUDISC_WANT } from './path.ts';
import { RareSettings } from './rare-settings.ts';
import type { SegmentKeys } from './segment-keys.ts';

/** Bits of `bufferLocks` (SO_BUF_LOCK): the user chose the size, which then does not tune itself. */
export const SEND_BUFFER_LOCK = 1;
export const RECEIVE_BUFFER_LOCK = 2;

/** For copies, whose every field is set anew: an object that a constructor made takes less memory. */
const anyConfig = defaultConfig();

export class TcpSettings {
  /** TCP_NODELAY: send small segments at once. */
  noDelay = false;
  /** TCP_CORK: hold partial segments back, for 200 ms at most. */
  cork = false;
  keepalive = false;
  /** TCP_KEEPIDLE, TCP_KEEPINTVL: seconds; TCP_KEEPCNT. RFC 9293 3.8.4 [MUST-27]. */
  keepIdle: number;
  keepInterval: number;
  keepCount: number;
  /** TCP_SYNCNT: SYN retransmissions after the linear ones, or of a listener's SYN-ACKs; 0: what the host's settings say. */
  synCount = 0;
  /** TCP_RTO_MAX_MS: upper bound of the RTO, of SYN-ACKs' back-off and of window probes', ms. */
  rtoMax: number;
  /** TCP_USER_TIMEOUT, ms; 0: R2 decides. */
  userTimeout = 0;
  /** TCP_DEFER_ACCEPT, as Linux keeps it: timeouts of the SYN-ACK that a peer may take to send data; 0: its ACK is enough. */
  deferAccept = 0;
  /** TCP_LINGER2, seconds in FIN-WAIT-2; negative: none at all; 0: tcp_fin_timeout. */
  linger2 = 0;
  /** TCP_MAXSEG: upper bound of both directions' MSS; 0: none. */
  maxSegment = 0;
  /** Bytes, as SO_RCVBUF and SO_SNDBUF show them; unless the user chose, they grow with the connection's need. */
  rcvBuf: number;
  sndBuf: number;
  bufferLocks = 0;
  /** TCP_WINDOW_CLAMP: the largest window, bytes; 0: none yet. It follows the receive buffer. */
  windowClamp = 0;
  /** SO_RCVLOWAT: bytes that make a socket readable. */
  rcvLowat = 1;
  /** TCP_NOTSENT_LOWAT: bytes not sent that a write stops at; 0: tcp_notsent_lowat. */
  notsentLowat = 0;
  /** SO_OOBINLINE: the urgent byte stays in the stream. */
  oobInline = false;
  /** TCP_INQ: recvmsg tells how much is left. */
  inq = false;
  /** Made with the first of what few users set. */
  rare: RareSettings | undefined;
  /** IP_TTL; 0: the host's default. IP_TOS: the Diffserv field, its ECN bits zero. */
  ttl = 0;
  tos = 0;
  /** Set when the user says anything about Fast Open. */
  fastOpen: FastOpenSettings | undefined;
  /** IP_MTU_DISCOVER. */
  discovery: number;
  /** Of TCP-MD5 and TCP-AO; undefined: none was ever set. */
  keys: SegmentKeys | undefined;
  /** The congestion control's name, and whether the user chose it: then no route's choice counts. */
  congestion: string;
  congestionChosen = false;

  constructor(config: TcpConfig) {
    this.rtoMax = config.tcp_rto_max_ms;
    this.keepIdle = config.tcp_keepalive_time;
    this.keepInterval = config.tcp_keepalive_intvl;
    this.keepCount = config.tcp_keepalive_probes;
    this.rcvBuf = config.tcp_rmem[1];
    this.sndBuf = config.tcp_wmem[1];
    this.congestion = config.tcp_congestion_control;
    this.discovery = config.ip_no_pmtu_disc === 0 ? PMTUDISC_WANT : PMTUDISC_DONT;
  }

  /** Lets a path carry what the user chose for the IP header. */
  mark(path: Path): void {
    path.tos = this.tos;
    path.discovery = this.discovery;
    if (this.ttl > 0) path.ttl = this.ttl;
  }

  /** SO_MAX_PACING_RATE: bytes per second at most; Infinity: not paced for its sake. */
  get maxPacingRate(): number {
    return this.rare?.maxPacingRate ?? Infinity;
  }

  set maxPacingRate(rate: number) {
    this.rarely.maxPacingRate = rate;
  }

  /** For setting what is rarely set. */
  get rarely(): RareSettings {
    this.rare ??= new RareSettings();
    return this.rare;
  }

  /** A copy, for an accepted connection. */
  clone(): TcpSettings {
    const copy = Object.assign(new TcpSettings(anyConfig), this);
    if (this.rare !== undefined) copy.rare = Object.assign(new RareSettings(), this.rare);
    return copy;
  }
}
