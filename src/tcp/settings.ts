/** What a user sets on a connection, or on a listener for the connections that it will accept. */
import { defaultConfig, type TcpConfig } from './config.ts';
import type { FastOpenSettings } from './fast-open.ts';
import { type Path, PMTUDISC_DONT, PMTUDISC_WANT } from './path.ts';
import { NOTHING_RARE, RareSettings } from './rare-settings.ts';
import type { SegmentKeys } from './segment-keys.ts';

/** Bits of `bufferLocks` (SO_BUF_LOCK): the user chose the size, which then does not tune itself. */
export const SEND_BUFFER_LOCK = 1;
export const RECEIVE_BUFFER_LOCK = 2;

/** For copies, whose every field is set anew: an object that a constructor made takes less memory. */
const anyConfig = defaultConfig();

export class TcpSettings {
  /** TCP_NODELAY: send small segments at once. */
  noDelay = false;
  /** TCP_CORK: hold partial segments back, for an RTO at most. */
  cork = false;
  keepalive = false;
  /** TCP_KEEPIDLE, TCP_KEEPINTVL: seconds; TCP_KEEPCNT. RFC 9293 3.8.4 [MUST-27]. */
  keepIdle: number;
  keepInterval: number;
  keepCount: number;
  /** TCP_RTO_MAX_MS: upper bound of the RTO, of SYN-ACKs' back-off and of window probes', ms. */
  rtoMax: number;
  /** Bytes, as SO_RCVBUF and SO_SNDBUF show them; unless the user chose, they grow with the connection's need. */
  rcvBuf: number;
  sndBuf: number;
  bufferLocks = 0;
  /** TCP_WINDOW_CLAMP: the largest window, bytes; 0: none yet. It follows the receive buffer. */
  windowClamp = 0;
  /** SO_RCVLOWAT: bytes that make a socket readable. */
  rcvLowat = 1;
  /** What few users set: to be read. It is everybody's until `rarely` makes one to be written. */
  rare: Readonly<RareSettings> = NOTHING_RARE;
  /** IP_TTL; 0: the host's default. IP_TOS: the Diffserv field, its ECN bits zero. */
  ttl = 0;
  tos = 0;
  /** Set when the user says anything about Fast Open. */
  fastOpen: FastOpenSettings | undefined;
  /** IP_MTU_DISCOVER. */
  discovery: number;
  /** Of TCP-MD5 and TCP-AO; undefined: none was ever set. */
  keys: SegmentKeys | undefined;
  /** The congestion control's name. */
  congestion: string;

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
    path.mark(this.ttl, this.tos, this.discovery, this.rare);
  }

  /** What few users set: to be written. */
  get rarely(): RareSettings {
    if (this.rare === NOTHING_RARE) this.rare = new RareSettings();
    return this.rare;
  }

  /** A copy, for an accepted connection. */
  clone(): TcpSettings {
    const copy = Object.assign(new TcpSettings(anyConfig), this);
    if (this.rare !== NOTHING_RARE) copy.rare = Object.assign(new RareSettings(), this.rare);
    return copy;
  }
}
