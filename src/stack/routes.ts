/** Where a packet for an address goes: the longest prefix wins, then what is preferred, then what was said first. RFC 1122 3.3.1, RFC 1812 5.2.4. */
import type { PathMetrics } from '../tcp/path.ts';
import { type IpAddress, inPrefix, sameBits } from '../wire/address.ts';
import { hashAddress } from './hash-address.ts';
import type { Interface } from './interface.ts';

/** Routes that lead nowhere, as `ip route` names them: packets vanish, or their sender is told that the host is unreachable, or prohibited. */
export type Rejection = 'blackhole' | 'unreachable' | 'prohibit';

export interface Route {
  readonly destination: IpAddress;
  /** Prefix length. */
  readonly bits: number;
  /** Of one that leads nowhere, the loopback. */
  readonly interface: Interface;
  /** The next hop; undefined: the destination itself. On a point-to-point link it only documents. */
  readonly gateway?: IpAddress | undefined;
  /** Of routes to the same network the one with the lowest goes first: `ip route`'s `metric`. Default: 0. */
  readonly preference?: number | undefined;
  /** The address to speak from: `ip route`'s `src`. Default: the one that suits best. */
  readonly source?: IpAddress | undefined;
  /** Default: it leads somewhere. */
  readonly rejection?: Rejection | undefined;
  /** What connections over it are to do otherwise. */
  readonly metrics?: PathMetrics | undefined;
}

/** The routes of one family to networks of one size, by the hash of the network. */
interface Networks {
  readonly family: 4 | 6;
  readonly bits: number;
  /** Those of one network (and of others with its hash) in the order in which they serve. */
  readonly routes: Map<number, Route[]>;
}

export class Routes {
  readonly #routes: Route[] = [];
  /** The same by size, the narrowest networks first; made by the first look after a change. */
  #networks: Networks[] | undefined;

  /** Of two with the same prefix and preference the first added wins. */
  add(route: Route): void {
    const at = this.#routes.findIndex((other) => goesBefore(route, other));
    if (at < 0) this.#routes.push(route);
    else this.#routes.splice(at, 0, route);
    this.#networks = undefined;
  }

  /** Takes the place of the route to the same network over the same interface with the same preference, if there is one: `ip route replace`. */
  replace(route: Route): void {
    const at = this.#routes.findIndex((other) => other.interface === route.interface && isAlike(other, route));
    if (at < 0) return this.add(route);
    this.#routes[at] = route;
    this.#networks = undefined;
  }

  /** @returns false: it is not there */
  remove(route: Route): boolean {
    const at = this.#routes.indexOf(route);
    if (at < 0) return false;
    this.#routes.splice(at, 1);
    this.#networks = undefined;
    return true;
  }

  /** `avoid`: an interface that does not serve, so that the next best route is wanted; `only`: the one that may. */
  lookup({ family, w0, w1, w2, w3 }: IpAddress, avoid?: Interface, only?: Interface): Route | undefined {
    return this.find(family, w0, w1, w2, w3, avoid, only);
  }

  /**
   * The same for the words of an address. A route whose link has no carrier serves only when there is no other. One look for each size of networks that
   * there are routes to, however many routes. The hot path: no closures.
   */
  find(
    family: 4 | 6,
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    avoid?: Interface,
    only?: Interface,
  ): Route | undefined {
    this.#networks ??= bySize(this.#routes);
    let spare: Route | undefined;
    for (let i = 0; i < this.#networks.length; i++) {
      const { family: ofNetworks, bits, routes } = this.#networks[i] as Networks;
      if (ofNetworks !== family) continue;
      const some = routes.get(hashNetwork(family, bits, w0, w1, w2, w3));
      if (some === undefined) continue;
      for (let j = 0; j < some.length; j++) {
        const route = some[j] as Route;
        const { destination, interface: over } = route;
        if (over.isClosed || over === avoid || (only !== undefined && over !== only)) continue;
        if (!covers(destination, bits, w0, w1, w2, w3)) continue;
        if (over.isUp) return route;
        spare ??= route;
      }
    }
    return spare;
  }

  list(): readonly Route[] {
    return this.#routes;
  }
}

/** @param routes in the order in which they serve */
function bySize(routes: readonly Route[]): Networks[] {
  const all: Networks[] = [];
  for (const route of routes) {
    const { bits, destination } = route;
    const { family, w0, w1, w2, w3 } = destination;
    let networks = all.find((each) => each.family === family && each.bits === bits);
    if (networks === undefined) {
      networks = { family, bits, routes: new Map() };
      all.push(networks);
    }
    const hash = hashNetwork(family, bits, w0, w1, w2, w3);
    const some = networks.routes.get(hash);
    if (some === undefined) networks.routes.set(hash, [route]);
    else some.push(route);
  }
  return all;
}

/** Of the first `bits` bits of an address. */
function hashNetwork(family: 4 | 6, bits: number, w0: number, w1: number, w2: number, w3: number): number {
  if (family === 4) return hashAddress(0, 0, 0, w3 & mask(bits));
  return hashAddress(w0 & mask(bits), w1 & mask(bits - 32), w2 & mask(bits - 64), w3 & mask(bits - 96));
}

/** The first `bits` bits of a word; none below 0, all from 32 on. */
function mask(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? -1 : ~(-1 >>> bits);
}

function goesBefore(route: Route, other: Route): boolean {
  if (route.bits !== other.bits) return route.bits > other.bits;
  return (route.preference ?? 0) < (other.preference ?? 0);
}

function isAlike(a: Route, b: Route): boolean {
  if (a.bits !== b.bits || (a.preference ?? 0) !== (b.preference ?? 0)) return false;
  return inPrefix(a.destination, b.destination, b.bits);
}

/** Whether the words are in `network/bits`, which is of their family. */
function covers(network: IpAddress, bits: number, w0: number, w1: number, w2: number, w3: number): boolean {
  if (network.family === 4) return sameBits(network.w3, w3, bits);
  if (!sameBits(network.w0, w0, bits) || !sameBits(network.w1, w1, bits - 32)) return false;
  return sameBits(network.w2, w2, bits - 64) && sameBits(network.w3, w3, bits - 96);
}
