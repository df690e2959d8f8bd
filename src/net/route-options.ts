/** What createHost and host.addRoute take for a route, and what host.routes shows. */
import { checkNames, shown } from '../arguments.ts';
import type { Rejection, Route } from '../stack/routes.ts';
import type { Stack } from '../stack/stack.ts';
import { IpAddress, inPrefix, type Prefix, parsePrefix } from '../wire/address.ts';
import { ParseError } from './errors.ts';
import { metricsOf, type RouteMetrics } from './route-metrics.ts';

export interface RouteOptions {
  /** `0.0.0.0/0` is the default route. */
  readonly destination: string;
  /** The gateway; it must be on a network that a link is on, unless the interface is named. A link-local one is on the one link with IPv6, or that must be named. */
  readonly via?: string | undefined;
  /** The name of the interface; needed when there is no gateway and more than one link. */
  readonly interface?: string | undefined;
  /** Of routes to the same network the one with the lowest goes first, the others serve when its link is down: `ip route`'s `metric`. Default: 0. */
  readonly preference?: number | undefined;
  /** The address that packets over it come from, one of the host's: `ip route`'s `src`. Default: the one that suits best. */
  readonly source?: string | undefined;
  /** It leads nowhere: packets vanish (`blackhole`), or their senders are told (`unreachable`, `prohibit`). */
  readonly type?: 'unicast' | Rejection | undefined;
  /** What connections over it do otherwise: `{ mtu: 1400, initcwnd: 20 }`. */
  readonly metrics?: RouteMetrics | undefined;
}

/** Which route to take away: the first that is as it says. */
export type RouteSelector = Pick<RouteOptions, 'destination' | 'via' | 'interface' | 'preference'>;

/** A route as `ip route` lists it. */
export interface RouteStatus {
  /** The network: `10.9.0.0/24`. */
  readonly destination: string;
  readonly via: string | undefined;
  readonly interface: string;
  readonly preference: number;
  readonly source: string | undefined;
  readonly type: 'unicast' | Rejection;
  readonly metrics: RouteMetrics;
  /** Its link has a carrier. */
  readonly up: boolean;
}

/** An interface that is there, or will be. */
interface Outgoing {
  readonly name: string;
  readonly addresses: readonly Prefix[];
}

export interface RoutePlan {
  readonly destination: Prefix;
  readonly gateway: IpAddress | undefined;
  /** The place of its interface in the list; -1: it leads nowhere. */
  readonly interface: number;
  readonly preference: number;
  readonly source: IpAddress | undefined;
  readonly rejection: Rejection | undefined;
  readonly metrics: RouteMetrics | undefined;
}

const REJECTIONS: readonly unknown[] = ['blackhole', 'unreachable', 'prohibit'] satisfies Rejection[];
const OPTIONS = ['destination', 'via', 'interface', 'preference', 'source', 'type', 'metrics'];
const SELECTORS: readonly (keyof RouteSelector)[] = ['destination', 'via', 'interface', 'preference'];

/** @param at how errors begin @throws TypeError naming the option */
export function routeOf(at: string, route: RouteOptions, interfaces: readonly Outgoing[]): RoutePlan {
  checkNames(at, route, OPTIONS);
  const destination = parseCidr(`${at}.destination`, route.destination);
  const { preference = 0, type = 'unicast' } = route;
  checkPreference(`${at}.preference`, preference);
  const metrics = metricsOf(at, route.metrics);
  if (REJECTIONS.includes(type)) {
    if (route.via !== undefined || route.interface !== undefined || route.source !== undefined)
      throw new TypeError(`${at}: a route that is ${type} has no via, interface or source`);
    const nowhere = { gateway: undefined, interface: -1, source: undefined, rejection: type as Rejection };
    return { destination, preference, metrics, ...nowhere };
  }
  if (type !== 'unicast')
    throw new TypeError(`${at}.type must be unicast, ${REJECTIONS.join(', ')}, got ${shown(type)}`);
  const gateway = addressOf(`${at}.via`, route.via, destination);
  const source = addressOf(`${at}.source`, route.source, destination);
  const over = outgoing(at, route, gateway, interfaces);
  const isSource = ({ address }: Prefix) => source !== undefined && address.withZone(0).equals(source);
  // A link-local address is one of its link alone.
  const from = source?.isLinkLocal === true ? [interfaces[over] as Outgoing] : interfaces;
  if (source !== undefined && !from.some(({ addresses }) => addresses.some(isSource)))
    throw new TypeError(`${at}.source: ${source} is not an address of the host`);
  return { destination, gateway, interface: over, preference, source, rejection: undefined, metrics };
}

/** @throws TypeError for anything but `10.9.0.2/24` */
export function parseCidr(option: string, text: unknown): Prefix {
  const prefix = typeof text === 'string' ? parsePrefix(text) : undefined;
  if (prefix !== undefined) return prefix;
  const given = typeof text === 'string' ? `'${text}'` : shown(text);
  const cause = new ParseError('CIDR address', shown(text));
  throw new TypeError(
    `${option} must be an address with the length of its prefix, such as '10.9.0.2/24'; got ${given}`,
    { cause },
  );
}

function checkPreference(what: string, preference: unknown): void {
  if (!(Number.isInteger(preference) && (preference as number) >= 0))
    throw new TypeError(`${what} must be an integer >= 0, got ${shown(preference)}`);
}

/** In place of the route to the same network over the same interface with the same preference, links' own networks' among them. */
export function applyRoute(stack: Stack, plan: RoutePlan): void {
  const { destination, gateway, interface: place, preference, source, rejection, metrics } = plan;
  const over = stack.interfaces[place] ?? stack.network.nowhere;
  stack.replaceRoute({
    destination: destination.address,
    bits: destination.bits,
    interface: over,
    gateway: gateway?.withZone(over.index),
    preference,
    source: source?.withZone(over.index),
    rejection,
    metrics,
  });
}

/** @throws TypeError naming the field */
export function findRoute(stack: Stack, selector: RouteSelector): Route | undefined {
  checkNames('removeRoute', selector, SELECTORS);
  const { via, interface: name, preference } = selector;
  if (name !== undefined && typeof name !== 'string')
    throw new TypeError(`removeRoute: interface must be the name of one, got ${shown(name)}`);
  if (preference !== undefined) checkPreference('removeRoute: preference', preference);
  const { address, bits } = parseCidr('removeRoute: destination', selector.destination);
  const gateway = addressOf('removeRoute: via', via, { address, bits });
  return stack.network.routes.list().find((route) => {
    if (route.bits !== bits || !inPrefix(route.destination, address, bits)) return false;
    if (gateway !== undefined && route.gateway?.withZone(0).equals(gateway.withZone(0)) !== true) return false;
    if (name !== undefined && route.interface.name !== name) return false;
    return preference === undefined || (route.preference ?? 0) === preference;
  });
}

export function statusOf(route: Route): RouteStatus {
  const { destination, bits, gateway, interface: over, preference = 0, source, rejection, metrics = {} } = route;
  return {
    destination: `${network(destination, bits)}/${bits}`,
    via: gateway?.withZone(0).toString(),
    interface: over.name,
    preference,
    source: source?.withZone(0).toString(),
    type: rejection ?? 'unicast',
    metrics,
    up: over.isUp,
  };
}

/** The address with its host bits off. */
function network({ family, w0, w1, w2, w3 }: IpAddress, bits: number): IpAddress {
  const mask = (before: number) => {
    const left = bits - before;
    return left >= 32 ? -1 : left <= 0 ? 0 : -1 << (32 - left);
  };
  if (family === 4) return IpAddress.v4(w3 & mask(0));
  return IpAddress.v6(w0 & mask(0), w1 & mask(32), w2 & mask(64), w3 & mask(96));
}

function addressOf(option: string, text: unknown, { address: destination }: Prefix): IpAddress | undefined {
  if (text === undefined) return undefined;
  const address = typeof text === 'string' ? IpAddress.parse(text) : undefined;
  if (address === undefined)
    throw new TypeError(`${option} must be an address, such as '10.9.0.1'; got ${shown(text)}`);
  if (address.family !== destination.family)
    throw new TypeError(`${option}: ${address} is not of the family of ${destination}`);
  return address;
}

function outgoing(
  at: string,
  route: RouteOptions,
  gateway: IpAddress | undefined,
  interfaces: readonly Outgoing[],
): number {
  if (route.interface !== undefined) {
    const named = interfaces.findIndex(({ name }) => name === route.interface);
    if (named < 0)
      throw new TypeError(
        `${at}.interface: there is no ${shown(route.interface)}; there are: ${interfaces.map(({ name }) => name).join(', ') || 'none'}`,
      );
    return named;
  }
  if (gateway?.isLinkLocal === true) {
    // Every link with IPv6 has link-local addresses; which one is meant is plain when there is but one.
    const speaking = interfaces.filter(({ addresses }) => addresses.some(({ address }) => address.family === 6));
    if (speaking.length === 1) return interfaces.indexOf(speaking[0] as Outgoing);
    throw new TypeError(`${at} needs interface: ${gateway} may be on any of the ${speaking.length} links with IPv6`);
  }
  if (gateway !== undefined) {
    const reaching = interfaces.findIndex(({ addresses }) =>
      addresses.some(({ address, bits }) => inPrefix(gateway, address, bits)),
    );
    if (reaching < 0) throw new TypeError(`${at}.via: ${gateway} is on none of the networks that the links are on`);
    return reaching;
  }
  if (interfaces.length !== 1)
    throw new TypeError(`${at} needs via or interface: the host has ${interfaces.length} links`);
  return 0;
}
