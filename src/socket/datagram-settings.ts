/** What users set on a socket of UDP. */
import type { TcpConfig } from '../tcp/config.ts';

export class DatagramSettings {
  /** SO_SNDBUF: bytes of memory that datagrams may take which the link has not taken yet. */
  sndBuf: number;
  /** SO_BROADCAST: datagrams to everybody may be sent. RFC 1122 4.1.3.5. */
  broadcast = false;
  /** IP_TTL; 0: the host's default. IP_TOS: Diffserv field and ECN. RFC 1122 4.1.4. */
  ttl = 0;
  tos = 0;
  /** IPV6_UNICAST_HOPS and IPV6_TCLASS; -1: the host's default. */
  hops = -1;
  trafficClass = -1;
  /** IPV6_MTU: what is larger is cut, bytes; 0: what the path takes. */
  mtu = 0;
  /** IP_FREEBIND: an address to bind to need not be the host's. */
  freeBind = false;
  /** IP_TRANSPARENT: the same, for who answers in the place of others. */
  transparent = false;
  /** IP_LOCAL_PORT_RANGE; 0: as the host has it. */
  localPortLow = 0;
  localPortHigh = 0;
  /** What recvmsg is to tell: IP_RECVTTL, IP_RECVTOS, IP_PKTINFO, and those of IPv6. */
  receiveTtl = false;
  receiveTos = false;
  receiveTo = false;

  constructor(config: TcpConfig) {
    this.sndBuf = config.wmem_default;
  }
}
