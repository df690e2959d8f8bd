/** How neighbours are found and kept: Linux's sysctls net.ipv4.neigh.default.* and net.ipv6.neigh.default.*, with their defaults. */

export interface NeighbourSettings {
  /** Neighbours below which none is forgotten. */
  gc_thresh1: number;
  /** Neighbours above which those that nobody has heard of for 5 s are forgotten when a new one comes. */
  gc_thresh2: number;
  /** Neighbours of one family at most. */
  gc_thresh3: number;
  /** After so many seconds without use a neighbour may be forgotten. */
  gc_stale_time: number;
  /** A confirmed neighbour is believed to be there for half to one and a half times this, ms. RFC 4861 10: REACHABLE_TIME. */
  base_reachable_time_ms: number;
  /** Seconds between the first use of a neighbour that is in doubt and the first probe. RFC 4861 10: DELAY_FIRST_PROBE_TIME. */
  delay_first_probe_time: number;
  /** Between two solicitations, ms. RFC 4861 10: RETRANS_TIMER. */
  retrans_time_ms: number;
  /** Solicitations to one neighbour that does not answer: to the address that it had, and to all. RFC 4861 10: MAX_UNICAST_SOLICIT, MAX_MULTICAST_SOLICIT. */
  ucast_solicit: number;
  mcast_solicit: number;
  /** Packets, and bytes, that wait for one neighbour. */
  unres_qlen: number;
  unres_qlen_bytes: number;
  /** ARP: an entry that was changed stays for so long, ms, against a reply that says otherwise: with proxies, the first counts. */
  locktime: number;
}

const DEFAULTS: Readonly<NeighbourSettings> = {
  gc_thresh1: 128,
  gc_thresh2: 512,
  gc_thresh3: 1024,
  gc_stale_time: 60,
  base_reachable_time_ms: 30_000,
  delay_first_probe_time: 5,
  retrans_time_ms: 1000,
  ucast_solicit: 3,
  mcast_solicit: 3,
  unres_qlen: 101,
  unres_qlen_bytes: 212_992,
  locktime: 1000,
};

/** What may be 0: everything else would end in an endless loop, or in nobody found. */
const LEAST: Readonly<Partial<Record<keyof NeighbourSettings, number>>> = {
  gc_thresh1: 0,
  gc_thresh2: 0,
  gc_stale_time: 0,
  delay_first_probe_time: 0,
  locktime: 0,
};
const MOST = 2 ** 31 - 1;

/** @throws TypeError for a name that does not exist; RangeError for a value that is no integer, or too small */
export function neighbourSettings(changes: Partial<NeighbourSettings> = {}): NeighbourSettings {
  const settings = { ...DEFAULTS };
  for (const [name, value] of Object.entries(changes) as [keyof NeighbourSettings, number | undefined][]) {
    if (!(name in DEFAULTS))
      throw new TypeError(
        `createEthernet: neighbour: there is no ${name}; there are ${Object.keys(DEFAULTS).join(', ')}`,
      );
    if (value === undefined) continue;
    const least = LEAST[name] ?? 1;
    if (!(Number.isInteger(value) && value >= least && value <= MOST))
      throw new RangeError(`createEthernet: neighbour.${name} must be an integer >= ${least}, got ${value}`);
    settings[name] = value;
  }
  return settings;
}
