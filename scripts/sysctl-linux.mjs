/**
 * How our settings relate to Linux 6.18's: docs/sysctl.md shows it, and test/interop/sysctl.test.ts holds it against the kernel that runs
 * the tests.
 */

/** Settings of ours that Linux does not have under `net.ipv4`, `net.ipv6` or `net.core`, and what they stand for there. */
export const ours = {
  accept_reset: 'Linux does what `linux` says',
  tcp_timewait_len: 'TCP_TIMEWAIT_LEN, a constant',
  tcp_init_cwnd: 'TCP_INIT_CWND, a constant; the metric initcwnd of a route',
  tcp_delack_max_ms: 'TCP_DELACK_MAX, a constant',
  tcp_max_orphans: 'one for the machine, of the size of its table of connections',
  tcp_abe: 'Linux has no ABE',
  dctcp_shift_g: 'a parameter of the module tcp_dctcp',
  dctcp_alpha_on_init: 'a parameter of the module tcp_dctcp',
  hystart: 'a parameter of the module tcp_cubic',
  hystart_detect: 'a parameter of the module tcp_cubic',
  hystart_low_window: 'a parameter of the module tcp_cubic',
  hystart_ack_delta_us: 'a parameter of the module tcp_cubic',
  default_qdisc: 'net.core.default_qdisc, which names what every new device gets',
};

/** Defaults that differ on purpose. */
export const different = {
  tcp_fastopen_key: 'empty as long as nobody gave one, which Linux shows as zeros; it is made at random then',
};

/** Defaults that are the machine's on Linux: only their presence is compared. */
export const ofTheMachine = {
  ip_forward: 'what the first network of the machine has',
  forwarding: 'of each interface',
  rp_filter: 'of each interface',
  tcp_congestion_control: 'what the distribution chose, or what a container may have',
  tcp_max_syn_backlog: 'of the size of the table of connections, 128 at least',
  tcp_max_tw_buckets: 'of the size of the table of connections',
  tcp_mem: 'of the memory: ours is that of 16 GiB',
  tcp_rmem: 'the most is of the memory, 6 MiB to 32 MiB',
  tcp_wmem: 'the most is of the memory, 4 MiB',
};

/** Settings of Linux's `net.ipv4.tcp_*` that are not here, and why. */
export const absent = {
  tcp_adv_win_scale: 'Linux no longer looks at it: it measures what its bookkeeping takes',
  tcp_allowed_congestion_control: 'all may be chosen',
  tcp_autocorking: 'waits for the queue of a device, which a host has not',
  tcp_available_congestion_control: '`congestionControls()` tells',
  tcp_backlog_ack_defer: 'a host has no backlog: a batch is acknowledged once',
  tcp_child_ehash_entries: 'the table of connections grows as it needs',
  tcp_comp_sack_delay_ns: 'not yet: acknowledgments that report SACK are not merged',
  tcp_comp_sack_nr: 'as tcp_comp_sack_delay_ns',
  tcp_comp_sack_slack_ns: 'as tcp_comp_sack_delay_ns',
  tcp_early_demux: 'there is one demultiplexing',
  tcp_ehash_entries: 'as tcp_child_ehash_entries',
  tcp_fack: 'Linux no longer looks at it',
  tcp_fwmark_accept: 'there are no marks',
  tcp_l3mdev_accept: 'there is one domain of routing',
  tcp_limit_output_bytes: 'bounds what waits in the queue of a device; a batch is bounded here',
  tcp_migrate_req: 'listeners do not share ports',
  tcp_no_metrics_save: 'nothing is remembered of a connection for the next',
  tcp_no_ssthresh_metrics_save: 'as tcp_no_metrics_save',
  tcp_plb_cong_thresh: 'chooses among paths by the flow label of IPv6',
  tcp_plb_enabled: 'as tcp_plb_cong_thresh',
  tcp_plb_idle_rehash_rounds: 'as tcp_plb_cong_thresh',
  tcp_plb_rehash_rounds: 'as tcp_plb_cong_thresh',
  tcp_plb_suspend_rto_sec: 'as tcp_plb_cong_thresh',
  tcp_reflect_tos: 'not yet',
  tcp_retrans_collapse: 'what goes again goes as it went',
  tcp_workaround_signed_windows: 'for peers that read windows as signed numbers, which are gone',
};
