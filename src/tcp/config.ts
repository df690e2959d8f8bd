/**
 * What an administrator may set, under Linux's sysctl names (`net.ipv4.*`), with Linux 6.18's defaults where
 * nothing else is said. Times in the unit that Linux uses for each.
 */
export interface TcpConfig {
  /** SYN retransmissions after the linear ones before giving up. */
  tcp_syn_retries: number;
  /** SYN retransmissions at the initial interval before it starts to double. */
  tcp_syn_linear_timeouts: number;
  /** Connections with fewer than 4 segments out do not back off in their first 6 timeouts in a row. */
  tcp_thin_linear_timeouts: boolean;
  /** SYN-ACK retransmissions before the embryonic connection is forgotten. */
  tcp_synack_retries: number;
  /** R1 of RFC 9293 3.8.3 [SHLD-10]: retransmissions after which the network layer is told. */
  tcp_retries1: number;
  /** R2: how many back-offs from 200 ms a connection outlives without an answer (15: 924.6 s). */
  tcp_retries2: number;
  /** R2 for connections that nobody holds any more; 0 means 8. */
  tcp_orphan_retries: number;
  /** Seconds that a connection that nobody holds stays in FIN-WAIT-2. */
  tcp_fin_timeout: number;
  /** Connections that nobody holds any more; beyond, closing resets. */
  tcp_max_orphans: number;
  /** TIME-WAIT records; beyond, connections end without. */
  tcp_max_tw_buckets: number;
  /** Opening takes the place of a TIME-WAIT (RFC 6191) whose timestamps have moved on: 0 never, 1 yes, 2 on loopback addresses. */
  tcp_tw_reuse: number;
  /** How old it must be for that, milliseconds. */
  tcp_tw_reuse_delay: number;
  /** Seconds of 2 MSL in TIME-WAIT. Linux has 60 built in; RFC 9293's MSL of 2 minutes would be 240. */
  tcp_timewait_len: number;
  /** Seconds idle before the first keepalive probe. RFC 9293 3.8.4 [MUST-28]: no less than two hours. */
  tcp_keepalive_time: number;
  /** Seconds between keepalive probes. */
  tcp_keepalive_intvl: number;
  /** Keepalive probes without an answer that end a connection. */
  tcp_keepalive_probes: number;
  /** Selective acknowledgments (RFC 2018). */
  tcp_sack: boolean;
  /** Report duplicates (RFC 2883). */
  tcp_dsack: boolean;
  /** Timestamps (RFC 7323 3). */
  tcp_timestamps: boolean;
  /** Window scale (RFC 7323 2). */
  tcp_window_scaling: boolean;
  /**
   * ECN, 0: off. What is asked for, and the most that is granted: 1: RFC 3168, both; 2: RFC 3168 is granted, nothing is asked for;
   * 3: Accurate ECN (RFC 9768), both; 4: Accurate ECN is granted, RFC 3168 asked for; 5: Accurate ECN is granted, nothing asked for.
   */
  tcp_ecn: number;
  /** A SYN that asked for ECN in vain goes again without (RFC 3168 6.1.1.1); flags that a middlebox changed end it. */
  tcp_ecn_fallback: boolean;
  /** Accurate ECN's option: 0: never; 1: when it has something new to tell; 2: always; 3: even where it seems to be dropped. */
  tcp_ecn_option: number;
  /** With 1: times a round trip that the option goes at least. */
  tcp_ecn_option_beacon: number;
  /** RFC 8511 (ours; Linux has no such thing): on ECN Reno and CUBIC reduce to 0.8 and 0.85 of the window, not to 0.5 and 0.7. */
  tcp_abe: boolean;
  /** DCTCP's gain g (RFC 8257 4.2) is 1/2^shift. */
  dctcp_shift_g: number;
  /** DCTCP's alpha (RFC 8257 3.3) at the start, in 1024ths. */
  dctcp_alpha_on_init: number;
  /** Lower bound of the RTO's variance term, microseconds; 1000000 follows RFC 6298 (2.4). */
  tcp_rto_min_us: number;
  /** Upper bound of the RTO, milliseconds. */
  tcp_rto_max_ms: number;
  /** Longest delay of an acknowledgment, milliseconds (RFC 9293 3.8.6.3 [MUST-40]: below 500). */
  tcp_delack_max_ms: number;
  /**
   * Bits: 1: losses are found by time (RACK, RFC 8985), without it by counting what is SACKed above (RFC 6675); 2: the reordering window does not
   * adapt; 4: nor is it cut short by DupThresh segments SACKed.
   */
  tcp_recovery: number;
  /** How long the least round trip is remembered, seconds. */
  tcp_min_rtt_wlen: number;
  /** Duplicate acknowledgments (or segments SACKed above) that mean a loss, to begin with: DupThresh. */
  tcp_reordering: number;
  /** The most that it grows to when reordering is seen. */
  tcp_max_reordering: number;
  /** Tail loss probes: 3 and 4 turn them on (RFC 8985 7), 0 off. */
  tcp_early_retrans: number;
  /** Not 0: spurious timeouts are found out (F-RTO, RFC 5682). */
  tcp_frto: number;
  /** Initial window in segments (RFC 6928). */
  tcp_init_cwnd: number;
  /** After an idle RTO cwnd falls back towards the initial window (RFC 5681 4.1). */
  tcp_slow_start_after_idle: boolean;
  /** SYN cookies (RFC 4987 3.6): 0 never, 1 when a listener's queue is full, 2 always. */
  tcp_syncookies: number;
  /**
   * Fast Open (RFC 7413), as bits: 1 as a client, 2 as a server, 4 as a client without a cookie, 0x200 as a server without one, 0x400 for all
   * listeners, with their backlog as the limit.
   */
  tcp_fastopen: number;
  /** The key of cookies, `00000001-00000002-00000003-00000004`; behind a comma the one before, whose cookies are honoured. Empty: drawn. */
  tcp_fastopen_key: string;
  /** Seconds without Fast Open as a client after a sign that something swallows it, doubled up to 64 times; 0: it is not looked for. */
  tcp_fastopen_blackhole_timeout_sec: number;
  /** Without SYN cookies, a listener drops SYNs once three quarters of this many embryonic connections wait; never more than its backlog and one. */
  tcp_max_syn_backlog: number;
  /** Bound of the backlog argument of listen. */
  somaxconn: number;
  /** Answer a final ACK with RST when the accept queue is full, rather than dropping it. */
  tcp_abort_on_overflow: boolean;
  /**
   * What accept makes of a connection that was reset while it waited (ours; Linux has its own built in): `linux` hands it over and
   * its first call fails with ECONNRESET, `posix` reports ECONNABORTED, `bsd` passes over it.
   */
  accept_reset: 'linux' | 'posix' | 'bsd';
  /** Challenge ACKs a second for the whole host (RFC 5961 7). */
  tcp_challenge_ack_limit: number;
  /** Milliseconds between two answers to segments outside the window on one connection. */
  tcp_invalid_ratelimit: number;
  /** Drop RSTs in TIME-WAIT (RFC 1337). */
  tcp_rfc1337: boolean;
  /** Receive buffer in bytes: least, default, most that it grows to by itself. The most decides the window scale. */
  tcp_rmem: readonly [number, number, number];
  /** Send buffer in bytes: least, default, most that it grows to by itself. */
  tcp_wmem: readonly [number, number, number];
  /** Memory of all connections together, pages of 4 KiB: below the first nothing is short, from the second on windows do not grow, beyond the third nothing is queued. */
  tcp_mem: readonly [number, number, number];
  /** Receive buffer of a socket of UDP, bytes, unless it asks for another (`net.core`). */
  rmem_default: number;
  /** Send buffer of a socket of UDP, bytes, unless it asks for another (`net.core`). */
  wmem_default: number;
  /** Most that SO_RCVBUF may ask for, bytes (`net.core`). */
  rmem_max: number;
  /** Most that SO_SNDBUF may ask for, bytes (`net.core`). */
  wmem_max: number;
  /** The receive buffer grows with what the user reads in a round trip. */
  tcp_moderate_rcvbuf: boolean;
  /** 2^-n of the receive buffer is kept back from the window (and a segment at least); 0: nothing is. */
  tcp_app_win: number;
  /** A window may be taken back when memory runs short (RFC 7323 2.4 would rather not). */
  tcp_shrink_window: boolean;
  /** Bytes not sent at which a write stops; 4,294,967,295: no limit but the buffer. */
  tcp_notsent_lowat: number;
  /** The urgent pointer points at the last urgent byte (RFC 1122), rather than behind it (RFC 6093 and everybody else). */
  tcp_stdurg: boolean;
  /** Answers in a row that make a connection a conversation, whose acknowledgments wait (ping-pong mode). */
  tcp_pingpong_thresh: number;
  /** Congestion control of new connections, by name. */
  tcp_congestion_control: string;
  /**
   * How CUBIC leaves slow start (Linux's parameters of tcp_cubic, under its names): 0 by a loss, 1 by HyStart, 2 by HyStart++ (RFC 9406;
   * Linux has no such value).
   */
  hystart: number;
  /** What HyStart looks at: 1 trains of acknowledgments, 2 delay, 3 both. */
  hystart_detect: number;
  /** Segments below which HyStart leaves slow start alone. */
  hystart_low_window: number;
  /** Microseconds between the acknowledgments of a train, at most. */
  hystart_ack_delta_us: number;
  /**
   * Linux's net.core.default_qdisc: `fq` paces every connection, as that queueing discipline does; `pfifo_fast` paces those that
   * ask for it (BBR, SO_MAX_PACING_RATE).
   */
  default_qdisc: string;
  /** Pacing rate in slow start, per cent of a window in a round trip. */
  tcp_pacing_ss_ratio: number;
  /** Pacing rate later, likewise. */
  tcp_pacing_ca_ratio: number;
  /** Segments of a paced burst, at least. */
  tcp_min_tso_segs: number;
  /** A burst is put off until it is a part of a window, 1 of this many, or a burst's full size; 0: by three segments at most. */
  tcp_tso_win_divisor: number;
  /** Bursts halve for each 2^n microseconds of the least round trip; 0: they are a millisecond's worth. */
  tcp_tso_rtt_log: number;
  /** First and last ephemeral port. */
  ip_local_port_range: readonly [number, number];
  /** Time to live of what is sent. */
  ip_default_ttl: number;
  /** Whether IPv4 packets for others are sent on, from one link to another. */
  ip_forward: boolean;
  /** The same for IPv6 (net.ipv6.conf.all.forwarding). */
  forwarding: boolean;
  /**
   * Whether the source of an IPv4 packet is held against the routes (RFC 1812 5.3.8; net.ipv4.conf.all.rp_filter): 1: the best way back to it must be the link that
   * the packet came in on; 2: there must be a way back; 0: neither.
   */
  rp_filter: number;
  /** Whether sockets of AF_INET6 leave IPv4 to others unless they say so (IPV6_V6ONLY). */
  bindv6only: boolean;
  /**
   * Path MTU discovery (RFC 1191): 0: sockets discover; 1: they do not (IP_PMTUDISC_DONT), and what routers say of the MTU counts as
   * min_pmtu; 2: what they say is ignored; 3: as 0.
   */
  ip_no_pmtu_disc: number;
  /** Seconds for which what a router said of the MTU to a destination is believed (net.ipv4.route.mtu_expires). */
  mtu_expires: number;
  /** Bytes: a router that says less is not believed; this much is sent then, and may be fragmented (net.ipv4.route.min_pmtu). */
  min_pmtu: number;
  /** Bytes: the least MSS to advertise, however small the MTU (net.ipv4.route.min_adv_mss). */
  min_adv_mss: number;
  /** Packetization layer path MTU discovery (RFC 4821): 0: off; 1: once a black hole is suspected; 2: from the start. */
  tcp_mtu_probing: number;
  /** Bytes: the MSS that probing starts from (2), or falls to (1). */
  tcp_base_mss: number;
  /** Bytes: the least MSS that a suspected black hole brings down to. */
  tcp_mtu_probe_floor: number;
  /** Seconds after which a search that is over is begun again. */
  tcp_probe_interval: number;
  /** Bytes: a search range narrower than this is not searched. */
  tcp_probe_threshold: number;
  /** Bytes: the least MSS to send with, options included. */
  tcp_min_snd_mss: number;
  /** Bytes that fragments of IPv4 may take that wait for others; beyond, none is taken. */
  ipfrag_high_thresh: number;
  /** Seconds that they wait. */
  ipfrag_time: number;
  /** How many other fragments from the same host may come between two of one datagram: after more, what is there is of an older one; 0: any number. */
  ipfrag_max_dist: number;
  /** As `ipfrag_high_thresh`, for IPv6. */
  ip6frag_high_thresh: number;
  /** As `ipfrag_time`, for IPv6. */
  ip6frag_time: number;
  /** Milliseconds between ICMP errors to one destination, on average. */
  icmp_ratelimit: number;
  /** ICMP errors a second for the whole host. */
  icmp_msgs_per_sec: number;
  /** Do not answer pings. */
  icmp_echo_ignore_all: boolean;
}

export function defaultConfig(): TcpConfig {
  return {
    tcp_syn_retries: 6,
    tcp_syn_linear_timeouts: 4,
    tcp_thin_linear_timeouts: false,
    tcp_synack_retries: 5,
    tcp_retries1: 3,
    tcp_retries2: 15,
    tcp_orphan_retries: 0,
    tcp_fin_timeout: 60,
    tcp_max_orphans: 131_072,
    tcp_max_tw_buckets: 131_072,
    tcp_tw_reuse: 2,
    tcp_tw_reuse_delay: 1000,
    tcp_timewait_len: 60,
    tcp_keepalive_time: 7200,
    tcp_keepalive_intvl: 75,
    tcp_keepalive_probes: 9,
    tcp_sack: true,
    tcp_dsack: true,
    tcp_timestamps: true,
    tcp_window_scaling: true,
    tcp_ecn: 2,
    tcp_ecn_fallback: true,
    tcp_ecn_option: 2,
    tcp_ecn_option_beacon: 3,
    tcp_abe: false,
    dctcp_shift_g: 4,
    dctcp_alpha_on_init: 1024,
    tcp_rto_min_us: 200_000,
    tcp_rto_max_ms: 120_000,
    tcp_delack_max_ms: 200,
    tcp_recovery: 1,
    tcp_min_rtt_wlen: 300,
    tcp_reordering: 3,
    tcp_max_reordering: 300,
    tcp_early_retrans: 3,
    tcp_frto: 2,
    tcp_init_cwnd: 10,
    tcp_slow_start_after_idle: true,
    tcp_syncookies: 1,
    tcp_fastopen: 1,
    tcp_fastopen_key: '',
    tcp_fastopen_blackhole_timeout_sec: 0,
    tcp_max_syn_backlog: 4096,
    somaxconn: 4096,
    tcp_abort_on_overflow: false,
    accept_reset: 'linux',
    tcp_challenge_ack_limit: 0x7fffffff,
    tcp_invalid_ratelimit: 500,
    tcp_rfc1337: false,
    tcp_rmem: [4096, 131_072, 33_554_432],
    tcp_wmem: [4096, 16_384, 4_194_304],
    // What Linux takes on a machine of 16 GiB: 768 MiB, 1 GiB, 1.5 GiB.
    tcp_mem: [196_608, 262_144, 393_216],
    rmem_default: 212_992,
    wmem_default: 212_992,
    rmem_max: 4_194_304,
    wmem_max: 4_194_304,
    tcp_moderate_rcvbuf: true,
    tcp_app_win: 31,
    tcp_shrink_window: false,
    tcp_notsent_lowat: 0xffffffff,
    tcp_stdurg: false,
    tcp_pingpong_thresh: 1,
    tcp_congestion_control: 'cubic',
    hystart: 1,
    hystart_detect: 3,
    hystart_low_window: 16,
    hystart_ack_delta_us: 2000,
    default_qdisc: 'pfifo_fast',
    tcp_pacing_ss_ratio: 200,
    tcp_pacing_ca_ratio: 120,
    tcp_min_tso_segs: 2,
    tcp_tso_win_divisor: 3,
    tcp_tso_rtt_log: 9,
    ip_local_port_range: [32_768, 60_999],
    ip_default_ttl: 64,
    ip_forward: false,
    forwarding: false,
    rp_filter: 0,
    bindv6only: false,
    ip_no_pmtu_disc: 0,
    mtu_expires: 600,
    min_pmtu: 552,
    min_adv_mss: 256,
    tcp_mtu_probing: 0,
    tcp_base_mss: 1024,
    tcp_mtu_probe_floor: 48,
    tcp_probe_interval: 600,
    tcp_probe_threshold: 8,
    tcp_min_snd_mss: 48,
    ipfrag_high_thresh: 4_194_304,
    ipfrag_time: 30,
    ipfrag_max_dist: 64,
    ip6frag_high_thresh: 4_194_304,
    ip6frag_time: 60,
    icmp_ratelimit: 1000,
    icmp_msgs_per_sec: 1000,
    icmp_echo_ignore_all: false,
  };
}
