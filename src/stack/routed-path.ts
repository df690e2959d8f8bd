/** A path with what the host knows of it: its route's metrics, and its MTU. Both are looked up again when anything has changed. */
import type { IpCounters } from '../ip/counters.ts';
import { sendFragments } from '../ip/fragmentation.ts';
import type { Identifications } from '../ip/identification.ts';
import { type Egress, IpPath } from '../ip/path.ts';
import type { Packet } from '../link/packet.ts';
import { type PathMetrics, PMTUDISC_DO, PMTUDISC_OMIT, PMTUDISC_PROBE, PMTUDISC_WANT } from '../tcp/path.ts';
import type { RareSettings } from '../tcp/rare-settings.ts';
import type { IpAddress } from '../wire/address.ts';
import { PROTOCOL_TCP } from '../wire/ipv4.ts';

/** What is known of the way from a path's interface to its destination. */
export interface KnownPath {
  readonly metrics: PathMetrics;
  /** The most that gets through, whatever the interface takes, bytes. */
  readonly mtu: number;
  /** It stays so: nothing is discovered. */
  readonly locked: boolean;
}

/** Of most paths nothing is. */
export const NOTHING_KNOWN: KnownPath = { metrics: {}, mtu: 65_535, locked: false };

/** Where paths look things up: the network. */
export interface PathKnowledge {
  /** Counts changes of routes and of MTUs. */
  readonly version: number;
  lookup(path: RoutedPath): KnownPath;
  /** What a router says; see `Path.tooLarge`. */
  tooLarge(path: RoutedPath, mtu: number): void;
  /** 16 bits of chance. */
  chance(): number;
  readonly ipCounters: IpCounters;
  readonly identifications: Identifications;
}

export class RoutedPath extends IpPath {
  /** IP_MTU_DISCOVER. */
  discovery = PMTUDISC_WANT;
  /** IPV6_MTU: the user's own bound, bytes. */
  limit = 65_535;
  /** IPV6_AUTOFLOWLABEL. */
  #labelled = true;
  readonly #knowledge: PathKnowledge;
  #version = -1;
  #known = NOTHING_KNOWN;

  constructor(
    knowledge: PathKnowledge,
    egress: Egress,
    source: IpAddress,
    destination: IpAddress,
    protocol: number,
    ttl: number,
    nextHop?: IpAddress,
  ) {
    super(egress, source, destination, protocol, ttl, nextHop);
    this.#knowledge = knowledge;
  }

  override get mtu(): number {
    return Math.min(this.knownMtu, this.limit);
  }

  /** What gets through, as far as one knows. */
  get knownMtu(): number {
    if (this.#version !== this.#knowledge.version) this.#look();
    // Who probes for himself, or believes nobody, is held back by the interface alone (Linux's ip_sk_use_pmtu; TCP does otherwise).
    return this.#isForProbes ? this.egress.mtu : Math.min(this.egress.mtu, this.#known.mtu);
  }

  get metrics(): PathMetrics {
    if (this.#version !== this.#knowledge.version) this.#look();
    return this.#known.metrics;
  }

  /** Linux's ip_dont_fragment. */
  override get dontFragment(): boolean {
    if (this.#version !== this.#knowledge.version) this.#look();
    if (this.#isForProbes) return this.discovery === PMTUDISC_PROBE;
    return this.discovery === PMTUDISC_DO || (this.discovery === PMTUDISC_WANT && !this.#known.locked);
  }

  mark(ttl: number, tos: number, discovery: number, rare: Readonly<RareSettings>): void {
    const six = this.source.family === 6;
    this.tos = six ? rare.trafficClass : tos;
    this.discovery = six ? rare.discovery6 : discovery;
    if (six ? rare.hopLimit >= 0 : ttl > 0) this.ttl = six ? rare.hopLimit : ttl;
    this.#labelled = rare.autoFlowLabel;
    if (this.#labelled !== this.flowLabel > 0) this.relabel();
  }

  tooLarge(mtu: number): void {
    this.#knowledge.tooLarge(this, mtu);
  }

  /** RFC 6437 3: a flow gets a label that nobody can guess, and another when it is to be routed otherwise (Linux's auto_flowlabels). */
  relabel(): void {
    if (this.source.family === 4) return;
    this.flowLabel = this.#labelled ? ((this.#knowledge.chance() << 4) ^ this.#knowledge.chance()) & 0xfffff || 1 : 0;
  }

  /** Whether the host may cut up what is too large: not when the user finds out the MTU on his own (Linux, ip_sk_ignore_df). */
  get mayFragment(): boolean {
    return this.discovery < PMTUDISC_DO || this.discovery === PMTUDISC_OMIT;
  }

  protected override sendLarge(packet: Packet, tos: number): boolean {
    const { ipCounters } = this.#knowledge;
    if (this.mayFragment) {
      sendFragments(this, packet, tos, this.identify(1), ipCounters);
      return true;
    }
    if (this.source.family === 4) ipCounters.FragFails++;
    else ipCounters.Ip6FragFails++;
    return super.sendLarge(packet, tos);
  }

  /** RFC 6864 4.3, RFC 6274 3.5.2: what may be fragmented is numbered. */
  protected override identify(pieces: number): number {
    return this.#knowledge.identifications.next(this.source, this.destination, this.protocol, pieces);
  }

  get #isForProbes(): boolean {
    return this.discovery >= PMTUDISC_PROBE && this.protocol !== PROTOCOL_TCP;
  }

  #look(): void {
    this.#known = this.#knowledge.lookup(this);
    this.#version = this.#knowledge.version;
  }
}
