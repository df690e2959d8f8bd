/** What TCP-MD5's and TCP-AO's options are set to and give: Linux's structures as objects, under Linux's names. */
import type { IpAddress } from '../wire/address.ts';

/** TCP_MD5SIG, TCP_MD5SIG_EXT (struct tcp_md5sig). */
export interface Md5Signature {
  /** The peer. */
  readonly address: IpAddress;
  /** Bits of the address that a peer must share; TCP_MD5SIG_EXT only. Default: all. */
  readonly prefixlen?: number;
  /** 1 to 80 bytes; none: the key is removed. */
  readonly key: Uint8Array;
}

/** TCP_AO_ADD_KEY (struct tcp_ao_add): a master key tuple of RFC 5925 3.1. */
export interface AoAdd {
  /** The peer, or a prefix of peers; unspecified with a `prefix` of 0: all. */
  readonly addr: IpAddress;
  /** Bits of `addr` that a peer must share; those behind are zero. */
  readonly prefix: number;
  readonly alg_name: 'hmac(sha1)' | 'cmac(aes128)';
  /** SendID and RecvID, 0 to 255. */
  readonly sndid: number;
  readonly rcvid: number;
  /** Bytes of the MAC, 1 to 16. Default: 12. */
  readonly maclen?: number;
  /** TCP_AO_KEYF_EXCLUDE_OPT: the MAC leaves out the other options. Default: 0. */
  readonly keyflags?: number;
  /** At most 80 bytes. */
  readonly key: Uint8Array;
  /** Makes it the key that signs, or the one that the peer is asked to use; not on a listener. */
  readonly set_current?: boolean;
  readonly set_rnext?: boolean;
}

/** TCP_AO_DEL_KEY (struct tcp_ao_del): the key with these four; one in use is only removed when others take its place. */
export interface AoDelete {
  readonly addr: IpAddress;
  readonly prefix: number;
  readonly sndid: number;
  readonly rcvid: number;
  readonly set_current?: boolean;
  readonly set_rnext?: boolean;
  /** SendID of the key that signs from now on, and RecvID of the one to ask for. */
  readonly current_key?: number;
  readonly rnext?: number;
}

/** TCP_AO_INFO as it is set (struct tcp_ao_info_opt). What is left out stays as it is, but for the two policies, which are then off (Linux). */
export interface AoInfoSetting {
  readonly set_current?: boolean;
  readonly set_rnext?: boolean;
  readonly current_key?: number;
  readonly rnext?: number;
  /** Peers without a key are refused as well. */
  readonly ao_required?: boolean;
  /** Hard ICMP errors count. */
  readonly accept_icmps?: boolean;
  /** The five counters begin with what is given. */
  readonly set_counters?: boolean;
  readonly pkt_good?: number;
  readonly pkt_bad?: number;
  readonly pkt_key_not_found?: number;
  readonly pkt_ao_required?: number;
  readonly pkt_dropped_icmp?: number;
}

/** What TCP_AO_INFO gives. */
export interface AoInfoStatus extends Required<Omit<AoInfoSetting, 'current_key' | 'rnext' | 'set_counters'>> {
  /** Undefined while none is chosen. */
  readonly current_key: number | undefined;
  readonly rnext: number | undefined;
}

/** Of the list that TCP_AO_GET_KEYS gives (struct tcp_ao_getsockopt). */
export interface AoKeyStatus extends Required<Omit<AoAdd, 'alg_name' | 'set_current' | 'set_rnext'>> {
  readonly alg_name: string;
  readonly is_current: boolean;
  readonly is_rnext: boolean;
  /** Segments that verified with it, and that did not. */
  readonly pkt_good: number;
  readonly pkt_bad: number;
}

/** Every structure that sets a key, or what keys do. */
export type KeyValue = Md5Signature | AoAdd | AoDelete | AoInfoSetting;
