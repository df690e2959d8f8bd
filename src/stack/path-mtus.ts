/**
 * What routers have said of the MTU on the way to a destination, for all connections to it: RFC 1191 5.2, Linux's exceptions of routes. What was
 * said is believed for a time (6.3), after which something larger is tried again.
 */
import type { TcpConfig } from '../tcp/config.ts';
import type { Clock, Timer } from '../time/clock.ts';
import type { IpAddress } from '../wire/address.ts';

/** Destinations remembered; beyond, the one that was told longest ago is forgotten. */
const MOST = 2048;

export interface KnownMtu {
  readonly mtu: number;
  /** What was said was less than is believable: packets are not to be larger, and may be fragmented. */
  readonly locked: boolean;
  /** ms of the stack's clock. */
  readonly until: number;
}

export class PathMtus {
  readonly #clock: Clock;
  readonly #sysctl: TcpConfig;
  /** Something is known that was not, or no more. */
  readonly #changed: () => void;
  readonly #known = new Map<string, KnownMtu>();
  readonly #timer: Timer;

  constructor(clock: Clock, sysctl: TcpConfig, changed: () => void) {
    this.#clock = clock;
    this.#sysctl = sysctl;
    this.#changed = changed;
    this.#timer = clock.timer(() => this.#expire(), true);
  }

  get size(): number {
    return this.#known.size;
  }

  of(destination: IpAddress): KnownMtu | undefined {
    return this.#known.size === 0 ? undefined : this.#known.get(destination.toString());
  }

  /**
   * @param said the MTU of the narrow hop; 0: the router does not say (it is older than RFC 1191)
   * @param present the path's MTU as it was known until now
   */
  learn(destination: IpAddress, said: number, present: number): void {
    const { min_pmtu, mtu_expires } = this.#sysctl;
    // RFC 1191 3 (a host MUST NOT raise its estimate in answer to a message), RFC 5927 7.1.
    if (said > present) return;
    // RFC 5927 7.3, and RFC 1191 5 for routers that say nothing: less is not believed; this much is sent, without DF.
    const locked = said < min_pmtu;
    const mtu = locked ? Math.min(present, min_pmtu) : said;
    const key = destination.toString();
    this.#known.delete(key);
    this.#known.set(key, { mtu, locked, until: this.#clock.now() + mtu_expires * 1000 });
    if (this.#known.size > MOST) this.#known.delete(this.#known.keys().next().value as string);
    this.#arm();
    this.#changed();
  }

  clear(): void {
    this.#known.clear();
    this.#timer.clear();
  }

  /** The oldest is first: all live equally long, unless mtu_expires was changed meanwhile. */
  #arm(): void {
    const [oldest] = this.#known.values();
    if (oldest === undefined) this.#timer.clear();
    else this.#timer.set(oldest.until);
  }

  #expire(): void {
    const now = this.#clock.now();
    for (const [key, { until }] of this.#known) if (until <= now) this.#known.delete(key);
    this.#arm();
    this.#changed();
  }
}
