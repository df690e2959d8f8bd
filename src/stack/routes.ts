/** Where a packet for an address goes, and from which of our addresses: the longest prefix wins. RFC 1122 3.3.1, 3.3.4. */
import type { PathMetrics } from '../tcp/path.ts';
import { type IpAddress, inPrefix } from '../wire/address.ts';
import type { Interface } from './interface.ts';

export interface Route {
  readonly destination: IpAddress;
  /** Prefix length. */
  readonly bits: number;
  readonly interface: Interface;
  /** The next hop; undefined: the destination itself. On a point-to-point link it only documents. */
  readonly gateway?: IpAddress | undefined;
  /** What connections over it are to do otherwise. */
  readonly metrics?: PathMetrics | undefined;
}

export class Routes {
  readonly #routes: Route[] = [];

  /** Of two with the same prefix the first added wins. */
  add(route: Route): void {
    const at = this.#routes.findIndex((other) => other.bits < route.bits);
    if (at < 0) this.#routes.push(route);
    else this.#routes.splice(at, 0, route);
  }

  /** Takes the place of the route to the same network over the same interface, if there is one: `ip route replace`. */
  replace(route: Route): void {
    const { destination, bits, interface: over } = route;
    const at = this.#routes.findIndex(
      (other) => other.bits === bits && other.interface === over && inPrefix(destination, other.destination, bits),
    );
    if (at < 0) this.add(route);
    else this.#routes[at] = route;
  }

  /** `avoid`: an interface that does not serve, so that the next best route is wanted; `only`: the one that may. */
  lookup(destination: IpAddress, avoid?: Interface, only?: Interface): Route | undefined {
    return this.#routes.find(
      ({ interface: over, destination: network, bits }) =>
        !over.isClosed &&
        over !== avoid &&
        (only === undefined || over === only) &&
        inPrefix(destination, network, bits),
    );
  }

  list(): readonly Route[] {
    return this.#routes;
  }
}

/** The source address to use on a route: the one in the narrowest network with the destination (or the gateway), or else the interface's first. */
export function sourceAddress(route: Route, destination: IpAddress): IpAddress | undefined {
  const target = route.gateway ?? destination;
  const candidates = route.interface.addresses.filter(({ address }) => address.family === destination.family);
  let best = candidates[0];
  let narrowest = -1;
  for (const candidate of candidates) {
    if (candidate.bits <= narrowest || !inPrefix(target, candidate.address, candidate.bits)) continue;
    best = candidate;
    narrowest = candidate.bits;
  }
  return best?.address;
}
