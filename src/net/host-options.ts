/** What createHost takes, and what it makes of it: every wrong option is an error that names it. */
import { checkNames, shown } from '../arguments.ts';
import type { Link } from '../link/link.ts';
import type { StackOptions } from '../stack/stack.ts';
import { settingProblem } from '../stack/sysctl.ts';
import type { SegmentHasher } from '../tcp/segment-hasher.ts';
import type { Clock } from '../time/clock.ts';
import { type Random, seededRandom, systemRandom } from '../time/random.ts';
import { RealClock } from '../time/real-clock.ts';
import type { Prefix } from '../wire/address.ts';
import type { DnsHostOptions } from './dns-options.ts';
import type { Resolver } from './resolver.ts';
import { parseCidr, type RouteOptions, type RoutePlan, routeOf } from './route-options.ts';

export interface LinkOptions {
  readonly link: Link;
  /** Addresses of the host on this link, with the length of the network's prefix: `10.9.0.2/24`; one or several. */
  readonly address: string | readonly string[];
  /** What the interface is called; the link's name by default. */
  readonly name?: string | undefined;
  /**
   * Every packet that comes in on this link is for this host, whatever unicast address it goes to: listeners on all addresses accept what was meant for others, and
   * `host.forward` decides about the rest. With `{ echo: true }` those addresses answer pings, too. Default: false.
   */
  readonly acceptAny?: boolean | AcceptAnyOptions | undefined;
}

export interface AcceptAnyOptions {
  /** Whether addresses that are nobody's answer echo requests, as if somebody were there. Default: false. */
  readonly echo?: boolean | undefined;
}

export interface HostOptions extends DnsHostOptions {
  /** The one link, for a host that has one; `address` goes with it. */
  readonly link?: Link | undefined;
  readonly address?: string | readonly string[] | undefined;
  /** Several links, in place of `link` and `address`. Without any link the host talks to itself. */
  readonly links?: readonly LinkOptions[] | undefined;
  /** It shall have no link, and talk to itself alone, over 127.0.0.0/8 and ::1: what a program needs that is tested without any device. */
  readonly loopback?: boolean | undefined;
  /** Routes beyond those to the networks that the links are on. */
  readonly routes?: readonly RouteOptions[] | undefined;
  /** Whether packets for others are sent on, of both families: a router. `host.forwarding` changes it. Default: false. */
  readonly forwarding?: boolean | undefined;
  /** Default: the machine's. Tests give a VirtualClock. */
  readonly clock?: Clock | undefined;
  /** Where initial sequence numbers, ports and so on come from. Default: the system's. */
  readonly random?: Random | undefined;
  /** In place of `random`: the same numbers for the same seed. Not for hosts that strangers reach. */
  readonly seed?: number | string | undefined;
  /** Settings of the stack, under the names that `host.sysctl` shows. */
  readonly sysctl?: StackOptions['sysctl'] | undefined;
  /** Is told every event. Default: nobody. */
  readonly trace?: StackOptions['trace'] | undefined;
  /** Who is asked for the addresses of names in place of `dns`. */
  readonly resolver?: Resolver | undefined;
  /** The hashes of TCP-MD5 and TCP-AO. Default: none, and neither option; `createHost` of `tunstack/node` has those of `node:crypto`. */
  readonly hasher?: SegmentHasher | undefined;
}

export interface InterfacePlan {
  readonly link: Link;
  readonly name: string;
  readonly addresses: readonly Prefix[];
  readonly acceptAny: boolean;
  readonly echoAny: boolean;
}

const LINK_OPTIONS: readonly (keyof LinkOptions)[] = ['link', 'address', 'name', 'acceptAny'];
const OPTIONS: readonly (keyof HostOptions)[] = [
  'link',
  'address',
  'links',
  'loopback',
  'routes',
  'forwarding',
  'clock',
  'random',
  'seed',
  'sysctl',
  'trace',
  'dns',
  'dnsCodec',
  'systemFiles',
  'resolver',
  'hasher',
];

/** @throws TypeError for an option that does not exist */
export function checkHostNames(options: HostOptions): void {
  checkNames('createHost', options, OPTIONS);
}

/**
 * Only settings that exist, with values of their kind: what a wrong one would do, deep in the stack, nobody could explain.
 * @throws TypeError naming the setting
 */
export function sysctlOf({ sysctl }: HostOptions): StackOptions['sysctl'] {
  if (sysctl === undefined) return undefined;
  if (typeof sysctl !== 'object' || sysctl === null || Array.isArray(sysctl))
    throw new TypeError('createHost: sysctl must be an object { tcp_sack: false, ... }');
  for (const [name, value] of Object.entries(sysctl)) {
    const problem = settingProblem(name, value);
    if (problem !== undefined) throw new TypeError(`createHost: sysctl.${name}${problem}`);
  }
  return sysctl;
}

/** @throws TypeError */
export function checkForwarding(caller: string, forwarding: unknown): void {
  if (typeof forwarding !== 'boolean')
    throw new TypeError(`${caller}: forwarding must be true or false, got ${shown(forwarding)}`);
}

/** @throws TypeError when it cannot be called */
export function traceOf({ trace }: HostOptions): StackOptions['trace'] {
  if (trace !== undefined && typeof trace !== 'function')
    throw new TypeError('createHost: trace must be a function of an event');
  return trace;
}

/** @throws TypeError when it cannot look names up */
export function resolverOf({ resolver, dns }: HostOptions): Resolver | undefined {
  if (resolver === undefined) return undefined;
  if (dns !== undefined) throw new TypeError('createHost: give either dns or resolver, not both');
  if (typeof resolver?.lookupHost !== 'function')
    throw new TypeError('createHost: resolver must be a Resolver { lookupHost(name) }');
  return resolver;
}

/** @throws TypeError when one of its hashes is missing */
export function hasherOf({ hasher }: HostOptions): SegmentHasher | undefined {
  const names = ['md5', 'hmacSha1', 'aesCmac'] as const;
  if (hasher !== undefined && names.some((name) => typeof hasher?.[name] !== 'function'))
    throw new TypeError(`createHost: hasher must be a SegmentHasher { ${names.join(', ')} }`);
  return hasher;
}

/** One for all hosts that are given none, so that they can be joined. */
let machineClock: RealClock | undefined;

/** @throws TypeError when it is not a clock */
export function clockOf({ clock }: HostOptions): Clock {
  if (clock === undefined) {
    machineClock ??= new RealClock();
    return machineClock;
  }
  if (typeof clock?.now !== 'function' || typeof clock.timer !== 'function') {
    throw new TypeError('createHost: clock must be a Clock (a RealClock or a VirtualClock)');
  }
  return clock;
}

/** @throws TypeError when it is no source of randomness, or there are two */
export function randomOf({ random, seed }: HostOptions): Random {
  if (seed !== undefined) {
    if (random !== undefined) throw new TypeError('createHost: give either random or seed, not both');
    return seededRandom(seed);
  }
  if (random === undefined) return systemRandom();
  if (typeof random?.uint32 !== 'function')
    throw new TypeError('createHost: random must be a Random; seededRandom(1) is one');
  return random;
}

/** @throws TypeError naming the option */
export function interfacesOf(options: HostOptions): InterfacePlan[] {
  const { link, address, links, loopback } = options;
  if (loopback !== undefined && typeof loopback !== 'boolean')
    throw new TypeError(`createHost: loopback must be true or false, got ${shown(loopback)}`);
  if (loopback === true) {
    if (link !== undefined || address !== undefined || links !== undefined)
      throw new TypeError('createHost: a host of loopback: true has no link and no address of its own');
    return [];
  }
  if (links !== undefined) {
    if (link !== undefined || address !== undefined)
      throw new TypeError('createHost: give either links, or link and address');
    if (!Array.isArray(links)) throw new TypeError('createHost: links must be an array of { link, address }');
    const plans = links.map((one: LinkOptions, i) => {
      checkNames(`createHost: links[${i}]`, one, LINK_OPTIONS);
      return interfaceOf(`links[${i}].`, one);
    });
    for (const [i, { name }] of plans.entries()) {
      if (plans.findIndex((other) => other.name === name) !== i)
        throw new TypeError(`createHost: links[${i}].name: ${name} is taken; every interface needs a name of its own`);
    }
    return plans;
  }
  if (link === undefined && address === undefined) return [];
  return [interfaceOf('', { link, address } as Partial<LinkOptions>)];
}

function interfaceOf(at: string, { link, address, name, acceptAny = false }: Partial<LinkOptions>): InterfacePlan {
  const given = link as Partial<Link> | undefined;
  if (typeof given?.attach !== 'function' || typeof given.send !== 'function') {
    throw new TypeError(`createHost: ${at}link must be a Link: an end of createPipe(), openTun(...), ...`);
  }
  if (given.medium === 'ethernet')
    throw new TypeError(`createHost: ${at}link: ${given.name} carries Ethernet frames; give createEthernet(link)`);
  if (name !== undefined && (typeof name !== 'string' || name === ''))
    throw new TypeError(`createHost: ${at}name must be a non-empty string`);
  const texts: unknown[] = Array.isArray(address) ? address : [address];
  if (texts.length === 0) throw new TypeError(`createHost: ${at}address must name at least one address`);
  const addresses = texts.map((text) => hostAddress(`createHost: ${at}address`, text));
  if (typeof acceptAny === 'object' && acceptAny !== null)
    checkNames(`createHost: ${at}acceptAny`, acceptAny, ['echo']);
  const { echo = false } = Object(acceptAny) as AcceptAnyOptions;
  if (
    (typeof acceptAny !== 'boolean' && typeof acceptAny !== 'object') ||
    acceptAny === null ||
    typeof echo !== 'boolean'
  )
    throw new TypeError(`createHost: ${at}acceptAny must be true, false, or { echo: true }`);
  return {
    link: given as Link,
    name: name ?? given.name ?? '',
    addresses,
    acceptAny: acceptAny !== false,
    echoAny: echo,
  };
}

function hostAddress(option: string, text: unknown): Prefix {
  const prefix = parseCidr(option, text);
  const { address } = prefix;
  if (address.isUnspecified || address.isMulticast || address.isBroadcast)
    throw new TypeError(`${option}: ${shown(text)} is not an address of one host`);
  return prefix;
}

/** @throws TypeError naming the route */
export function routesOf({ routes = [] }: HostOptions, interfaces: readonly InterfacePlan[]): RoutePlan[] {
  if (!Array.isArray(routes))
    throw new TypeError('createHost: routes must be an array of { destination, via, interface }');
  return routes.map((route: RouteOptions, i) => routeOf(`createHost: routes[${i}]`, route, interfaces));
}
