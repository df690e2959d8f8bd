/** What `nstat` counts of UDP, under its SNMP names: those of IPv4 as `Udp...`, those of IPv6 as `Udp6...`. */

/** Of one family. */
export class UdpCounters {
  /** Datagrams that users have read. */
  InDatagrams = 0;
  /** Datagrams for ports that nobody holds. */
  NoPorts = 0;
  /** Datagrams that were malformed, or found no room. */
  InErrors = 0;
  OutDatagrams = 0;
  /** Datagrams that found a receive buffer full. */
  RcvbufErrors = 0;
  /** Datagrams that found a send buffer full. */
  SndbufErrors = 0;
  InCsumErrors = 0;
  /** Datagrams to everybody, or to a group, that nobody took. */
  IgnoredMulti = 0;
}

type Named<Prefix extends string> = { [K in keyof UdpCounters as `${Prefix}${K}`]: number };

/** As `nstat` names them. */
export type NamedUdpCounters = Named<'Udp'> & Named<'Udp6'>;

export function namedCounters(ipv4: UdpCounters, ipv6: UdpCounters): NamedUdpCounters {
  const named: Record<string, number> = {};
  for (const [name, value] of Object.entries(ipv4)) named[`Udp${name}`] = value;
  for (const [name, value] of Object.entries(ipv6)) named[`Udp6${name}`] = value;
  return named as NamedUdpCounters;
}
