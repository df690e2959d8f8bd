/**
 * Why a parser refused a packet. A bad packet is never an exception: a parser returns one of these, 0 when all is well,
 * and the layer above counts it and tells whoever watches.
 */

export const OK = 0;
export const IP_TRUNCATED = 1;
export const IP_BAD_VERSION = 2;
export const IP_BAD_HEADER_LENGTH = 3;
export const IP_BAD_TOTAL_LENGTH = 4;
export const IP_BAD_CHECKSUM = 5;
export const TCP_TRUNCATED = 6;
export const TCP_BAD_DATA_OFFSET = 7;
export const TCP_BAD_CHECKSUM = 8;
export const ICMP_TRUNCATED = 9;
export const ICMP_BAD_CHECKSUM = 10;
export const UDP_TRUNCATED = 11;
export const UDP_BAD_LENGTH = 12;
export const UDP_BAD_CHECKSUM = 13;
export const VIRTIO_NET_BAD_HEADER = 14;
/** An IPv6 address that may not be on the wire. */
export const IPV6_BAD_ADDRESS = 15;
export const IPV6_BAD_EXTENSION_HEADER = 16;
export const IPV6_UNKNOWN_NEXT_HEADER = 17;
export const IPV6_UNKNOWN_OPTION = 18;
export const IPV6_UNKNOWN_ROUTING_TYPE = 19;
export const IPV6_NO_NEXT_HEADER = 20;
export const ARP_TRUNCATED = 21;
export const ARP_BAD_FORMAT = 22;
export const ND_TRUNCATED = 23;
export const ND_FORWARDED = 24;
export const ND_BAD_FORMAT = 25;
export const ND_BAD_CHECKSUM = 26;
export const ND_BAD_OPTION = 27;

const NAMES: readonly string[] = [
  'ok',
  'ip-truncated',
  'ip-bad-version',
  'ip-bad-header-length',
  'ip-bad-total-length',
  'ip-bad-checksum',
  'tcp-truncated',
  'tcp-bad-data-offset',
  'tcp-bad-checksum',
  'icmp-truncated',
  'icmp-bad-checksum',
  'udp-truncated',
  'udp-bad-length',
  'udp-bad-checksum',
  'virtio-net-bad-header',
  'ipv6-bad-address',
  'ipv6-bad-extension-header',
  'ipv6-unknown-next-header',
  'ipv6-unknown-option',
  'ipv6-unknown-routing-type',
  'ipv6-no-next-header',
  'arp-truncated',
  'arp-bad-format',
  'nd-truncated',
  'nd-forwarded',
  'nd-bad-format',
  'nd-bad-checksum',
  'nd-bad-option',
];

/** How many codes there are: they run from 0 to `REASON_COUNT - 1`, so counters can be an array. */
export const REASON_COUNT: number = NAMES.length;

/** The name for counters and traces, such as `tcp-bad-checksum`. */
export function reasonName(code: number): string {
  return NAMES[code] ?? `unknown-reason-${code}`;
}
